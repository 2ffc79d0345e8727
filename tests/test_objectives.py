import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.objectives import Objective

NAN = math.nan


def objective_for(task, values, weigh=True):
    classes = ("x", "y", "z") if task == "classes" else ()
    targets = ("kind",) if task == "classes" else tuple("ab"[: values.shape[1]])
    return Objective.from_training_set(task, targets, classes, values, weigh_classes=weigh)


def random_values(generator, task, examples=12):
    if task == "classes":
        values = generator.integers(0, 3, (examples, 1)).astype(np.float32)
    elif task == "regression":
        values = generator.normal(3, 2, (examples, 2)).astype(np.float32)
    else:
        values = generator.integers(0, 2, (examples, 1 if task == "binary" else 2)).astype(np.float32)
    values[generator.random(values.shape) < 0.2] = NAN
    values[:3, :] = np.arange(3)[:, None] if task == "classes" else np.array([[0], [1], [1]])
    return values


def slow_label_loss(logits, value, column, training, smoothing, weigh):
    known = [row[column] for row in training if not math.isnan(row[column])]
    positives, negatives = known.count(1.0), known.count(0.0)
    chance = 1 / (1 + math.exp(-logits[column]))
    share = value[column] * (1 - smoothing) + smoothing / 2
    weight = len(known) / (2 * (positives if value[column] else negatives)) if weigh else 1.0
    return -weight * (share * math.log(chance) + (1 - share) * math.log(1 - chance))


def slow_class_loss(logits, value, training, smoothing, weigh):
    known = [row[0] for row in training if not math.isnan(row[0])]
    weights = [len(known) / (3 * known.count(kind)) if weigh else 1.0 for kind in (0, 1, 2)]
    total = sum(map(math.exp, logits))
    terms = [-w * math.log(math.exp(logit) / total) for w, logit in zip(weights, logits, strict=True)]
    return (1 - smoothing) * terms[int(value[0])] + smoothing / 3 * sum(terms)


def slow_regression_loss(logits, value, column, training):
    known = [row[column] for row in training if not math.isnan(row[column])]
    mean = sum(known) / len(known)
    deviation = math.sqrt(sum((number - mean) ** 2 for number in known) / len(known))
    return (logits[column] - (value[column] - mean) / deviation) ** 2


@given(
    st.integers(0, 10_000),
    st.sampled_from(["binary", "multi-label", "classes", "regression"]),
    st.sampled_from([0.0, 0.1]),
    st.booleans(),
)
@settings(max_examples=60)
def test_loss_is_that_of_loops(seed, task, smoothing, weigh):
    generator = np.random.default_rng(seed)
    values = random_values(generator, task)
    objective = objective_for(task, values, weigh)
    logits = generator.normal(0, 2, (12, 2, objective.outputs))
    total, known = 0.0, 0
    training = values.tolist()
    for example, value in enumerate(training):
        for column, number in enumerate(value):
            if math.isnan(number):
                continue
            known += 1
            for restart in logits[example].tolist():
                if task == "classes":
                    total += slow_class_loss(restart, value, training, smoothing, weigh)
                elif task == "regression":
                    total += slow_regression_loss(restart, value, column, training)
                else:
                    total += slow_label_loss(restart, value, column, training, smoothing, weigh)
    loss = objective.loss(torch.from_numpy(logits).float(), torch.from_numpy(values), smoothing)
    assert float(loss) == pytest.approx(total / known, rel=1e-4)


@pytest.mark.parametrize("task", ["binary", "multi-label", "classes", "regression"])
def test_missing_values_carry_no_gradient(task):
    generator = np.random.default_rng(1)
    values = random_values(generator, task)
    objective = objective_for(task, values)
    values[4:7] = NAN
    logits = torch.randn(12, 2, objective.outputs, requires_grad=True)
    objective.loss(logits, torch.from_numpy(values)).backward()
    assert torch.isfinite(logits.grad).all()
    assert not logits.grad[4:7].any()
    assert logits.grad[:3].any()


def test_a_batch_without_any_value_costs_nothing():
    objective = objective_for("binary", np.array([[0], [1]], dtype=np.float32))
    logits = torch.randn(3, 1, 1, requires_grad=True)
    loss = objective.loss(logits, torch.full((3, 1), NAN))
    loss.backward()
    assert float(loss.detach()) == 0
    assert not logits.grad.any()


def test_weights_make_classes_count_alike():
    values = np.array([[1]] * 2 + [[0]] * 8, dtype=np.float32)
    logits = torch.zeros(10, 1, 1, requires_grad=True)
    objective_for("binary", values).loss(logits, torch.from_numpy(values)).backward()
    assert float(logits.grad[:2].sum()) == pytest.approx(-float(logits.grad[2:].sum()))
    logits.grad = None
    objective_for("binary", values, weigh=False).loss(logits, torch.from_numpy(values)).backward()
    assert float(logits.grad[2:].sum()) == pytest.approx(-4 * float(logits.grad[:2].sum()))


@pytest.mark.parametrize(
    ("task", "values"),
    [("binary", [[1], [1]]), ("binary", [[0], [0]]), ("classes", [[0], [0]]), ("regression", [[2], [2]])],
)
def test_a_training_set_without_variety_gives_a_finite_loss(task, values):
    values = np.array(values, dtype=np.float32)
    objective = objective_for(task, values)
    assert torch.isfinite(objective.loss(torch.ones(2, 1, objective.outputs), torch.from_numpy(values)))


def test_predictions():
    logits = torch.tensor([[0.0, math.log(3)], [2.0, -2.0]])
    labels = Objective("multi-label", ("a", "b"), weights=(1.0, 1.0))
    assert labels.predictions(logits)[0].tolist() == pytest.approx([0.5, 0.75])
    classes = Objective("classes", ("kind",), ("x", "y"), weights=(1.0, 1.0))
    assert classes.predictions(logits)[0].tolist() == pytest.approx([0.25, 0.75])
    values = Objective("regression", ("a", "b"), means=(10.0, -1.0), deviations=(2.0, 0.5))
    assert values.predictions(logits)[1].tolist() == pytest.approx([14.0, -2.0])


def test_perfect_regression_costs_nothing_and_is_predicted_back():
    values = np.array([[3, 10], [5, 20], [NAN, 60]], dtype=np.float32)
    objective = objective_for("regression", values)
    logits = (torch.from_numpy(values).nan_to_num(0) - torch.tensor(objective.means)) / torch.tensor(
        objective.deviations
    )
    assert float(objective.loss(logits[:, None], torch.from_numpy(values))) == pytest.approx(0, abs=1e-10)
    assert objective.predictions(logits)[:2].numpy() == pytest.approx(values[:2], rel=1e-5)


def test_outputs_and_their_names():
    classes = Objective("classes", ("kind",), ("x", "y", "z"))
    labels = Objective("multi-label", ("a", "b"))
    assert (classes.outputs, classes.output_names) == (3, ("x", "y", "z"))
    assert (labels.outputs, labels.output_names) == (2, ("a", "b"))


@pytest.mark.parametrize("task", ["binary", "multi-label", "classes", "regression"])
def test_columns_are_one_number_for_each_output(generator, task):
    values = random_values(generator, task)
    objective = objective_for(task, values)
    columns = objective.columns(values)
    assert columns.shape == (12, objective.outputs)
    for row, column in np.ndindex(columns.shape):
        value = values[row, 0 if task == "classes" else column]
        if math.isnan(value):
            assert math.isnan(columns[row, column])
        elif task == "classes":
            assert columns[row, column] == (value == column)
        elif task == "regression":
            back = columns[row, column] * objective.deviations[column] + objective.means[column]
            assert back == pytest.approx(value, abs=1e-5)
            assert objective.columns(values, standardised=False)[row, column] == value
        else:
            assert columns[row, column] == value


@pytest.mark.parametrize(
    ("task", "columns", "rare"),
    [
        ("binary", [[1] * 9 + [0] * 91], True),
        ("binary", [[1] * 10 + [0] * 90], False),
        ("binary", [[1] * 95 + [0] * 5], False),  # many positives are what AUROC and guessing tell well enough
        ("binary", [[1] * 9 + [0] * 60 + [NAN] * 31], False),
        ("multi-label", [[1] + [0] * 99, [1] * 2 + [0] * 98, [1] * 50 + [0] * 50], True),
        ("multi-label", [[1] + [0] * 99, [1] * 40 + [0] * 60, [1] * 50 + [0] * 50], False),
        ("classes", [[0] * 34 + [1] * 33 + [2] * 33], False),
        ("classes", [[0] * 5 + [1] * 35 + [2] * 60], True),
        ("regression", [[0.0] * 99 + [5.0]], False),
    ],
)
def test_where_positives_are_rare_average_precision_is_shown_first(task, columns, rare):
    objective = objective_for(task, np.array(columns, dtype=np.float32).T)
    assert objective.rare is rare
    if task != "regression":
        assert objective.measures[0] == ("average_precision" if rare else "auroc")
        assert set(objective.measures) == {"auroc", "average_precision"}


def test_counts_have_a_poisson_loss_and_rates():
    """The loss is least at the logarithm of the rate over the mean, there and nowhere else."""
    values = np.array([[0], [3], [5], [np.nan]], dtype=np.float32)
    objective = Objective.from_training_set("regression", ("n",), (), values, weigh_classes=True, link="log")
    assert objective.means == pytest.approx((8 / 3,))
    logits = torch.zeros(3, 1, 1, requires_grad=True)
    objective.loss(logits, torch.from_numpy(values[:3])).backward()
    expected = (1 - torch.from_numpy(values[:3]) / (8 / 3)) / 3
    assert torch.allclose(logits.grad[:, 0], expected)
    best = torch.log(torch.tensor([[3.0], [5.0]]) / (8 / 3))
    assert torch.allclose(objective.predictions(best)[:, 0], torch.tensor([3.0, 5.0]))
    alone, with_gap = (objective.loss(torch.zeros(n, 1, 1), torch.from_numpy(values[:n])) for n in (3, 4))
    assert torch.equal(alone, with_gap)
    assert torch.isfinite(objective.loss(torch.full((3, 1, 1), 1e4), torch.from_numpy(values[:3])))
    assert torch.isfinite(objective.predictions(torch.full((3, 1), 1e4))).all()
