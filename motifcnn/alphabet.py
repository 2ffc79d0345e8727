"""DNA, RNA and protein alphabets: letters to codes, complements, ambiguity codes.

A sequence is held as one byte a position. Codes 0 to n-1 are the n letters proper, code n is the
wholly unknown letter (N or X), higher codes are the other ambiguity letters of IUPAC. The same
tables serve every module: `fractions` turns codes into (fractional) one-hot rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from motifcnn.errors import MotifcnnError

Codes = npt.NDArray[np.uint8]

INVALID: Final = 255
"""Byte that marks a letter outside the alphabet in `Alphabet.encode_bytes`."""


@dataclass(frozen=True, eq=False)
class Alphabet:
    """An alphabet and everything that depends on its letters alone.

    Args:
        name: "dna", "rna" or "protein".
        letters: The letters proper, in the order of their codes.
        ambiguity: Ambiguity letter to the letters that it stands for; the first is the wholly
            unknown one and gets code len(letters).
        synonyms: Letters read as another letter (U as T in DNA is not one: it is refused).
        complement: Letter to its complement, or None where there is no second strand.
    """

    name: str
    letters: str
    ambiguity: tuple[tuple[str, str], ...]
    synonyms: tuple[tuple[str, str], ...] = ()
    complement: str | None = None
    fractions: npt.NDArray[np.float32] = field(init=False, repr=False)
    code_of: Codes = field(init=False, repr=False)
    complement_codes: Codes | None = field(init=False, repr=False)
    symbols: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        symbols = self.letters + "".join(letter for letter, _ in self.ambiguity)
        code_of = np.full(256, INVALID, dtype=np.uint8)
        for code, letter in enumerate(symbols):
            code_of[ord(letter)] = code_of[ord(letter.lower())] = code
        for letter, meant in self.synonyms:
            code_of[ord(letter)] = code_of[ord(letter.lower())] = symbols.index(meant)
        fractions = np.zeros((len(symbols), len(self.letters)), dtype=np.float32)
        fractions[: len(self.letters)] = np.eye(len(self.letters), dtype=np.float32)
        for code, (_, members) in enumerate(self.ambiguity, start=len(self.letters)):
            for member in members:
                fractions[code, self.letters.index(member)] = 1.0 / len(members)
        for name, table in (("fractions", fractions), ("code_of", code_of)):
            table.setflags(write=False)
            object.__setattr__(self, name, table)
        object.__setattr__(self, "symbols", symbols)
        object.__setattr__(self, "complement_codes", self._complement_table(symbols))

    def _complement_table(self, symbols: str) -> Codes | None:
        if self.complement is None:
            return None
        pair = dict(zip(self.letters, self.complement, strict=True))
        members = {letter: frozenset(letter) for letter in self.letters}
        members |= {letter: frozenset(stands_for) for letter, stands_for in self.ambiguity}
        letter_of = {stands_for: letter for letter, stands_for in members.items()}
        complements = [letter_of[frozenset(pair[m] for m in members[s])] for s in symbols]
        table = np.array([symbols.index(letter) for letter in complements], dtype=np.uint8)
        table.setflags(write=False)
        return table

    @property
    def size(self) -> int:
        """Number of letters proper."""
        return len(self.letters)

    @property
    def unknown(self) -> int:
        """Code of the wholly unknown letter (N or X)."""
        return len(self.letters)

    @property
    def double_stranded(self) -> bool:
        """Whether sequences have a second strand to be scanned."""
        return self.name == "dna"

    def encode_bytes(self, sequence: bytes) -> Codes:
        """Return one code a letter; `INVALID` where the letter is not in the alphabet."""
        return self.code_of[np.frombuffer(sequence, dtype=np.uint8)]

    def encode(self, sequence: str) -> Codes:
        """Return one code a letter.

        Raises:
            MotifcnnError: A letter is not in the alphabet.
        """
        codes = self.encode_bytes(sequence.encode("ascii", "replace"))
        if (codes == INVALID).any():
            position = int(np.argmax(codes == INVALID))
            raise MotifcnnError(f"letter {sequence[position]!r} at position {position + 1} is not {self.name}")
        return codes

    def decode(self, codes: Codes) -> str:
        """Return the upper-case letters of codes; the inverse of `encode` up to case."""
        return np.frombuffer(self.symbols.encode(), dtype=np.uint8)[codes].tobytes().decode()

    def reverse_complement(self, codes: Codes) -> Codes:
        """Return the codes of the other strand, read in its own direction.

        Raises:
            MotifcnnError: The alphabet has no complement.
        """
        if self.complement_codes is None:
            raise MotifcnnError(f"{self.name} has no reverse complement")
        return self.complement_codes[codes[::-1]]


_IUPAC = (
    ("N", "ACGT"),
    ("R", "AG"),
    ("Y", "CT"),
    ("S", "CG"),
    ("W", "AT"),
    ("K", "GT"),
    ("M", "AC"),
    ("B", "CGT"),
    ("D", "AGT"),
    ("H", "ACT"),
    ("V", "ACG"),
)
_AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"

DNA: Final = Alphabet("dna", "ACGT", _IUPAC, synonyms=(("X", "N"),), complement="TGCA")
RNA: Final = Alphabet(
    "rna",
    "ACGU",
    tuple((letter, members.replace("T", "U")) for letter, members in _IUPAC),
    synonyms=(("T", "U"), ("X", "N")),
    complement="UGCA",
)
PROTEIN: Final = Alphabet(
    "protein",
    _AMINO_ACIDS,
    (("X", _AMINO_ACIDS), ("B", "DN"), ("Z", "EQ"), ("J", "IL"), ("U", "C"), ("O", "K")),
    synonyms=(("*", "X"),),
)
ALPHABETS: Final = {alphabet.name: alphabet for alphabet in (DNA, RNA, PROTEIN)}

_NUCLEOTIDE_SHARE = 0.9
"""Letters ACGTUN make up about a quarter of a protein and nearly all of a nucleic acid."""


def alphabet_of(letters: Iterable[str]) -> Alphabet:
    """Return the alphabet with this set of letters (as a MEME or FASTA header states it).

    Raises:
        MotifcnnError: The letters are of no known alphabet.
    """
    wanted = "".join(sorted(letters)).upper()
    for alphabet in (DNA, RNA, PROTEIN):
        if wanted == "".join(sorted(alphabet.letters)):
            return alphabet
    raise MotifcnnError(f"letters {wanted!r} are neither DNA, RNA nor protein")


def detect_alphabet(letter_counts: npt.NDArray[np.int64]) -> Alphabet:
    """Tell DNA, RNA and protein apart by composition.

    A file of nucleotides with a few stray letters is still one of nucleotides, so that the stray
    letters can be named as faults rather than turn the whole file into protein.

    Args:
        letter_counts: Occurrences of each of the 256 bytes in the sequences.
    """
    counts = {letter: int(letter_counts[ord(letter)] + letter_counts[ord(letter.lower())]) for letter in "ACGTUN"}
    total = sum(int(letter_counts[byte]) for byte in range(256) if chr(byte).isalpha())
    if total and sum(counts.values()) < _NUCLEOTIDE_SHARE * total:
        return PROTEIN
    return RNA if counts["U"] > counts["T"] else DNA
