"""What features add to one another."""

import numpy as np
import pytest

from motifcnn.discovery import forward_selection


def test_score_tests_are_the_squared_correlation_without_other_features(generator):
    truth = (generator.random(300) < 0.4).astype(float)
    features = generator.normal(size=(3, 300)) + np.array([[1.0], [-1.0], [0.0]]) * truth
    gains = forward_selection.score_tests(np.ones((300, 1)), features, truth)
    correlations = np.array([np.corrcoef(feature, truth)[0, 1] for feature in features])
    assert gains == pytest.approx(np.where(correlations > 0, 150 * correlations**2, 0.0), rel=1e-3)
    assert gains[0] > 10
    known = np.column_stack([np.ones(300), features[0]])
    assert forward_selection.score_tests(known, features[:1], truth)[0] < 0.5
