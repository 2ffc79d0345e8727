"""What a training run found, and how it is written down in the run directory."""

from motifcnn.outcome.found import Outcome
from motifcnn.outcome.writing import write_outcome

__all__ = ["Outcome", "write_outcome"]
