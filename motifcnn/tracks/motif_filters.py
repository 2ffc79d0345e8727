"""Which filter of the network stands for each reported motif, as motifs.tsv says."""

import csv
from dataclasses import dataclass

from motifcnn.errors import InputError
from motifcnn.model.store import TrainedModel
from motifcnn.runs import RunDirectory

_ROUNDING = 5e-6
"""Most that a threshold moves, for its size, when motifs.tsv writes it with six digits."""


@dataclass(frozen=True)
class MotifFilter:
    """A reported motif and the filter that stands for it.

    Args:
        name: Name of the motif.
        filter: Number of the filter, from 0.
        threshold: Least score of the filter at a site.
    """

    name: str
    filter: int
    threshold: float

    @property
    def least_score(self) -> float:
        """The threshold, less what may be lost of it in writing."""
        return self.threshold - _ROUNDING * abs(self.threshold)


def read_motif_filters(run: RunDirectory, model: TrainedModel) -> list[MotifFilter]:
    """Read which filter stands for each reported motif, and its threshold, from motifs.tsv; a run may have none.

    Args:
        run: Where a run was written.
        model: Its model.

    Raises:
        InputError: There is no complete run, or the table is damaged or another model's.
    """
    path = run.motifs_table
    if not path.is_file():
        raise InputError(f"holds no {path.name}; give the directory that `motifcnn train` wrote", run.path)
    found = []
    with path.open(encoding="utf-8", newline="") as handle:
        for line, row in enumerate(csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
            try:
                number = int(row["filter"].rpartition("_")[2]) - 1
                found.append(MotifFilter(row["motif"], number, float(row["filter_threshold"])))
            except (KeyError, TypeError, ValueError, AttributeError):
                raise InputError(
                    "gives no motif, filter and filter_threshold; was it edited? train again", path, line
                ) from None
            if not 0 <= number < model.network.filters.filters:
                raise InputError(f"names a filter that the model has not ({row['motif']}); train again", path, line)
    return found
