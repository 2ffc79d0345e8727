"""The background that scores and p-values are held against: of the sequences, of the motifs, uniform, or of a file."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Alphabet
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.fasta import stream_fasta
from motifcnn.formats.files import refuse_pipe
from motifcnn.formats.markov import read_background
from motifcnn.motifs import Motif, uniform_background
from motifcnn.scanning.distribution import Chain
from motifcnn.settings import ScanSettings

_LOGGER = logging.getLogger(__name__)

Frequencies = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScanBackground:
    """Letter frequencies for scores, and a chain for p-values of order 1.

    Args:
        letters: Shape [letter]; None stands for each motif's own.
        chain: First-order chain; None for order 0.
    """

    letters: Frequencies | None
    chain: Chain | None = None

    def of(self, motif: Motif) -> Frequencies:
        """Return the letter frequencies to score a motif against.

        Raises:
            MotifcnnError: One of the motif's own is 0.
        """
        chosen = motif.background if self.letters is None else self.letters
        if (chosen <= 0).any():
            raise MotifcnnError(
                f"motif {motif.name}: a background frequency is 0; use --background sequences or uniform"
            )
        return np.asarray(chosen / chosen.sum())


def background_of(path: Path, alphabet: Alphabet, settings: ScanSettings, both_strands: bool) -> ScanBackground:
    """Find the background; where both strands are scanned, that of both together.

    Args:
        path: FASTA of the genome.
        alphabet: Of motifs and genome.
        settings: Which background, of which order.
        both_strands: Whether both strands are scanned.

    Raises:
        MotifcnnError: A file is at fault, or order 1 is asked for where there is none.
    """
    chosen, order = settings.background, settings.background_order
    if chosen in {"motif", "uniform"} or (chosen == "sequences" and str(path) == "-"):
        if order:
            raise MotifcnnError(
                "--background-order 1 needs pairs of letters: give the genome as a file with --background sequences, "
                "or a background file that holds order 1"
            )
        if chosen == "sequences":
            _LOGGER.info("standard input cannot be read twice: letter frequencies are those of each motif")
        return ScanBackground(uniform_background(alphabet) if chosen == "uniform" else None)
    if chosen == "sequences":
        refuse_pipe(path)
        letters, pairs = _counted_letters(path, alphabet), _counted_pairs(path, alphabet) if order else None
    else:
        letters, pairs = _read(chosen, alphabet, order)
    if both_strands and alphabet.complement_codes is not None:
        other = alphabet.complement_codes[: alphabet.size]
        letters = letters + letters[other]
        pairs = None if pairs is None else pairs + pairs[np.ix_(other, other)].T
    return ScanBackground(letters / letters.sum(), None if pairs is None else Chain.from_pairs(pairs))


def _read(path: str, alphabet: Alphabet, order: int) -> tuple[Frequencies, Frequencies | None]:
    if not Path(path).exists():
        raise InputError("is no file, nor one of sequences, motif and uniform; check --background", path)
    background = read_background(path, alphabet)
    if order and background.pairs is None:
        raise InputError(
            f"holds no pairs of letters; add lines such as `{alphabet.letters[:2]} 0.06` for all "
            f"{alphabet.size**2} pairs, or leave --background-order 1 out",
            path,
        )
    return background.letters, background.pairs if order else None


def _counted_letters(path: Path, alphabet: Alphabet) -> Frequencies:
    counts = np.ones(alphabet.size)
    for chunk in stream_fasta(path, alphabet):
        if alphabet.size == 4:  # faster than bincount for so few
            counts += [np.count_nonzero(chunk.codes == code) for code in range(alphabet.size)]
        else:
            counts += np.bincount(chunk.codes, minlength=len(alphabet.symbols))[: alphabet.size]
    return counts


def _counted_pairs(path: Path, alphabet: Alphabet) -> Frequencies:
    size, symbols = alphabet.size, len(alphabet.symbols)
    counts = np.ones((size, size))
    for chunk in stream_fasta(path, alphabet, overlap=1):
        pairs = chunk.codes[:-1].astype(np.int16) * symbols + chunk.codes[1:]
        counts += np.bincount(pairs, minlength=symbols**2).reshape(symbols, symbols)[:size, :size]
    return counts
