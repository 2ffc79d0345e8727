"""Names of the scores, as people are told them."""

from typing import Final

MEASURE_NAMES: Final = {
    "auroc": "AUROC",
    "average_precision": "average precision",
    "pearson": "Pearson r",
    "spearman": "Spearman ρ",
    "r2": "R²",
}
"""Each score that metrics.json may hold, in few words."""
