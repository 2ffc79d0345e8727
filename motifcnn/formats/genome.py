"""Random access to a genome: one handle a process, every request checked against the chromosome's end."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from motifcnn.alphabet import DNA, Alphabet, Codes
from motifcnn.errors import InputError
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.fasta_text import Softmask
from motifcnn.intervals import Interval
from motifcnn.sequences import Sequences

_LOGGER = logging.getLogger(__name__)


def suggest_chromosome(name: str, known: "list[str] | tuple[str, ...]") -> str:
    """Return a hint such as "did you mean chr1?" for a chromosome name that is not known, or ""."""
    bare = name[3:] if name.lower().startswith("chr") else name
    mitochondrial = {"m": "mt", "mt": "m"}
    for candidate in (bare, f"chr{bare}", mitochondrial.get(bare.lower(), bare), name.upper(), name.lower()):
        for other in known:
            if candidate.lower() == other.lower() and other != name:
                return f"; did you mean {other!r}?"
    return ""


class Genome:
    """Chromosomes by name.

    An indexed FASTA is read through pyfaidx; where no index can be used or made (plain gzip, a
    directory that cannot be written) the genome is held in memory, one byte a base.

    Args:
        path: FASTA, plain, bgzip or gzip.
        softmask: Lower-case letters: "keep" them, or "mask" them as N.

    Raises:
        InputError: The file is at fault.
    """

    def __init__(self, path: str | Path, softmask: Softmask = "keep"):
        self.path = Path(path)
        self.softmask = softmask
        self._memory: Sequences | None = None
        self._index: dict[str, int] = {}
        self._indexed = self._open_indexed()
        if self._indexed is not None:
            self.lengths = {name: len(self._indexed[name]) for name in self._indexed.keys()}  # noqa: SIM118
        else:
            self._memory = read_fasta(self.path, DNA, softmask=self.softmask)
            self._index = {name: number for number, name in enumerate(self._memory.names)}
            self.lengths = dict(zip(self._memory.names, self._memory.lengths.tolist(), strict=True))

    def _open_indexed(self) -> Any:
        import pyfaidx

        if not self.path.is_file() or not Path(f"{self.path}.fai").is_file():
            return None
        if Path(f"{self.path}.fai").stat().st_mtime < self.path.stat().st_mtime:
            _LOGGER.warning("%s.fai is older than the genome; reading the genome itself", self.path)
            return None
        try:
            return pyfaidx.Fasta(str(self.path), as_raw=True, rebuild=False)
        except (pyfaidx.FastaIndexingError, pyfaidx.UnsupportedCompressionFormat, OSError, ValueError):
            return None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the chromosomes, in the order of the file."""
        return tuple(self.lengths)

    def fetch(self, interval: Interval, alphabet: Alphabet = DNA) -> Codes:
        """Return the codes of an interval, reverse complemented on the "-" strand.

        Raises:
            InputError: The chromosome is not in the genome, or the interval reaches past its end.
        """
        self.check(interval)
        if self._memory is not None:
            codes = self._memory[self._index[interval.chrom]][interval.start : interval.end]
        else:
            text = str(self._indexed[interval.chrom][interval.start : interval.end])
            codes = alphabet.encode(text)
            if self.softmask == "mask":
                codes[np.frombuffer(text.encode(), dtype=np.uint8) >= ord("a")] = alphabet.unknown
        if len(codes) != interval.width:
            raise InputError(f"gave {len(codes)} bases for {interval}; its index is stale, remove it", self.path)
        return alphabet.reverse_complement(codes) if interval.strand == "-" else np.asarray(codes)

    def check(self, interval: Interval, path: str | Path | None = None, line: int | None = None) -> None:
        """Refuse an interval that is not on this genome.

        Args:
            interval: What is asked for.
            path: File that names it, for the message; the genome by default.
            line: Line in that file.

        Raises:
            InputError: The chromosome is not in the genome, or the interval reaches past its end.
        """
        place = self.path if path is None else path
        if interval.chrom not in self.lengths:
            hint = suggest_chromosome(interval.chrom, self.names)
            known = ", ".join(self.names[:3])
            raise InputError(f"chromosome {interval.chrom!r} is not in {self.path} ({known}, …){hint}", place, line)
        length = self.lengths[interval.chrom]
        if not interval.fits(length):
            raise InputError(
                f"{interval.chrom}:{interval.start}-{interval.end} reaches past the chromosome, which has {length} "
                "bases; remove it, or use the genome that it was made on",
                place,
                line,
            )

    def close(self) -> None:
        """Close the file."""
        if self._indexed is not None:
            self._indexed.close()
