"""BED and narrowPeak: intervals of a genome."""

from dataclasses import dataclass
from pathlib import Path

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError
from motifcnn.formats.files import open_bytes
from motifcnn.formats.genome import Genome
from motifcnn.intervals import Interval
from motifcnn.sequences import Sequences

_NARROWPEAK_FIELDS = 10


@dataclass(frozen=True)
class BedRecord:
    """One line of a BED file.

    Args:
        interval: Where.
        name: Its name, or "".
        score: Its score, or 0.
        summit: Position of the peak's summit on the chromosome, where the file tells it (narrowPeak).
        line: 1-based line in the file.
    """

    interval: Interval
    name: str
    score: float
    summit: int | None
    line: int


def read_bed(path: str | Path) -> list[BedRecord]:
    """Read BED (three columns or more) or narrowPeak, plain or gzip.

    Raises:
        InputError: The file is missing, empty or damaged, or a line is no interval.
    """
    records = []
    with open_bytes(path) as file:
        for line, raw in enumerate(file, 1):
            try:
                text = raw.decode().rstrip("\r\n")
            except UnicodeDecodeError:
                raise InputError("is not text; give BED", path, line) from None
            if text.strip() and not text.startswith(("#", "track", "browser")):
                records.append(_record(text.split("\t") if "\t" in text else text.split(), path, line))
    if not records:
        raise InputError("holds no interval; give BED with chromosome, start and end", path)
    return records


def _record(fields: list[str], path: str | Path, line: int) -> BedRecord:
    try:
        start, end = int(fields[1]), int(fields[2])
    except (IndexError, ValueError):
        raise InputError(
            "is no BED line; chromosome, start and end are needed, separated by tabs", path, line
        ) from None
    if not 0 <= start < end:
        raise InputError(
            f"start {start} and end {end} make no interval; BED counts from 0, end not included", path, line
        )
    strand = fields[5] if len(fields) > 5 and fields[5] in ("+", "-") else "."
    name = fields[3] if len(fields) > 3 and fields[3] != "." else ""
    try:
        score = float(fields[4]) if len(fields) > 4 and fields[4] != "." else 0.0
    except ValueError:
        score = 0.0
    summit = None
    if len(fields) == _NARROWPEAK_FIELDS and fields[9].lstrip("-").isdigit() and int(fields[9]) >= 0:
        summit = start + int(fields[9])
    return BedRecord(Interval(fields[0], start, end, strand), name, score, summit, line)


def windows(records: list[BedRecord], genome: Genome, width: int, path: str | Path) -> Sequences:
    """Cut a window of one width around each summit, or each middle, out of a genome.

    Windows are named by their coordinates and read on the "+" strand; intervals with the same
    window are kept once.

    Args:
        records: Intervals.
        genome: Where to cut.
        width: Width of the windows, in bases; 0: each interval as it is.
        path: File of the records, for messages.

    Raises:
        InputError: A chromosome is not in the genome, or a window reaches past its end.
    """
    cut: dict[str, Interval] = {}
    for record in records:
        window = Interval(record.interval.chrom, record.interval.start, record.interval.end)
        window = window.resized(width, record.summit) if width else window
        genome.check(window, path, record.line)
        cut.setdefault(str(window), window)
    return Sequences.from_list(list(cut), [genome.fetch(window) for window in cut.values()], DNA)
