"""MEME text: minimal and full, DNA, RNA and protein, as MEME, STREME, DREME and converters write it.

Every part but the matrices is optional when reading. Specification:
https://meme-suite.org/meme/doc/meme-format.html
"""

import math
import re
from collections.abc import Sequence
from typing import TextIO

import numpy as np

from motifcnn.alphabet import DNA, Alphabet, alphabet_of
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats import motif_text
from motifcnn.formats.motif_text import MotifRecord, Source
from motifcnn.motifs import Matrix, Motif

_MATRIX = "letter-probability matrix"
_BACKGROUND = "Background letter frequencies"
_BACKGROUND_PSEUDOCOUNT = 1e-4
"""Share given to each letter where the file states a frequency of 0: scoring needs all above 0."""
_MILLION = 1_000_000
_KEY = re.compile(r"([A-Za-z]\w*)\s*=\s*(\S+)")
_QUOTED = re.compile(r'"[^"]*"')


def looks_like_meme(lines: Sequence[str]) -> bool:
    """Whether some line is one that only MEME files have."""
    starts = ("MEME version", "MOTIF ", "MOTIF\t", "ALPHABET", _MATRIX, _BACKGROUND)
    return any(line.lstrip("\ufeff \t").startswith(starts) for line in lines)


def parse_meme(lines: Sequence[str], path: Source, alphabet: Alphabet | None = None) -> list[MotifRecord]:
    """Read the motifs of a MEME text file.

    Log-odds matrices, URLs and everything else beside the letter-probability matrices are passed over.

    Args:
        lines: The file's lines.
        path: File, for messages.
        alphabet: The alphabet needed; DNA and RNA stand for one another.

    Returns:
        The motifs in the order of the file; none where there is none.

    Raises:
        InputError: A matrix is broken, its rows do not sum to 1, or alphabets are mixed.
    """
    return _Reader(lines, path, alphabet).read()


class _Reader:
    """What is known while going down the lines; positions in `lines` count from 0."""

    def __init__(self, lines: Sequence[str], path: Source, wanted: Alphabet | None):
        self.lines = lines
        self.path = path
        self.wanted = wanted
        self.alphabet: Alphabet | None = None
        self.alphabet_line: int | None = None
        self.columns: list[int] = []  # the file's column of each letter of the alphabet
        self.background: Matrix | None = None
        self.names: tuple[str, str] = ("", "")
        self.name_line: int | None = None  # of a motif that still lacks its matrix
        self.records: list[MotifRecord] = []

    def read(self) -> list[MotifRecord]:
        at = 0
        while at < len(self.lines):
            line = self.lines[at].strip()
            if re.match(r"ALPHABET\b", line):
                at = self._read_alphabet(at)
            elif line.startswith(_BACKGROUND):
                at = self._read_background(at + 1)
            elif re.match(r"MOTIF(\s|$)", line):
                at = self._read_name(at)
            elif line.lower().startswith(_MATRIX):
                at = self._read_matrix(at)
            else:
                at += 1
        self._refuse_missing_matrix()
        return self.records

    def _fault(self, message: str, at: int) -> InputError:
        return InputError(message, self.path, at + 1)

    def _refuse_missing_matrix(self) -> None:
        if self.name_line is not None:
            raise self._fault(f"motif {self.names[0]} has no {_MATRIX}; add one, or remove the motif", self.name_line)

    def _set_alphabet(self, letters: str, at: int) -> None:
        try:
            found = alphabet_of(letters)
        except MotifcnnError as error:
            raise self._fault(f"{error}; motifs of these three alphabets can be read", at) from None
        alphabet = motif_text.reconciled(found, self.wanted, self.path, at + 1)
        if self.alphabet is not None and alphabet is not self.alphabet:
            raise self._fault(
                f"{alphabet.name} motifs after {self.alphabet.name} ones (line {self.alphabet_line}); "
                "put each alphabet in a file of its own",
                at,
            )
        self.alphabet, self.alphabet_line = alphabet, at + 1
        self.columns = [letters.upper().index(letter) for letter in found.letters]

    def _read_alphabet(self, at: int) -> int:
        stated = re.match(r"ALPHABET(?:\s*=\s*|\s+)([^\s\"]+)$", self.lines[at].strip())
        if stated:
            self._set_alphabet(stated.group(1), at)
            return at + 1
        letters: set[str] = set()
        for end in range(at + 1, len(self.lines)):
            words = _QUOTED.sub(" ", self.lines[end]).split("#", 1)[0].split()
            if words[:2] == ["END", "ALPHABET"]:
                self._set_alphabet("".join(sorted(letters)), at)
                return end + 1
            if words and "=" not in words[1:]:  # `N = ACGT` defines an ambiguity letter
                letters.update(word for word in words if len(word) == 1 and word != "~")
        raise self._fault("this ALPHABET has no END ALPHABET line; add it, or write `ALPHABET= ACGT`", at)

    def _read_background(self, at: int) -> int:
        """Read letter and frequency by turns, over as many lines as they take."""
        start, frequencies = at, dict[str, float]()
        while at < len(self.lines):
            words = self.lines[at].split()
            pairs = list(zip(words[::2], words[1::2], strict=False))
            if any(len(letter) != 1 or not motif_text.is_number(number) for letter, number in pairs) or len(words) % 2:
                break
            if not words and (frequencies or at > start):
                break
            frequencies |= {letter.upper(): float(number) for letter, number in pairs}
            at += 1
        if not frequencies:
            raise self._fault("no letter frequencies where the background should be; add or remove it", start - 1)
        if self.alphabet is None:
            self._set_alphabet("".join(frequencies), start)
        assert self.alphabet is not None
        values = np.zeros(self.alphabet.size)
        for letter, frequency in frequencies.items():
            code = int(self.alphabet.code_of[ord(letter)]) if letter.isascii() else self.alphabet.size
            if code < self.alphabet.size:
                values[code] = frequency
        if (values < 0).any() or not abs(values.sum() - 1.0) <= 5 * motif_text.SUM_TOLERANCE:
            raise self._fault(
                f"background frequencies that sum to {values.sum():.4g}; they must sum to 1 over "
                f"{self.alphabet.letters}",
                start,
            )
        if (values == 0).any():
            values += _BACKGROUND_PSEUDOCOUNT
        self.background = values / values.sum()
        return at

    def _read_name(self, at: int) -> int:
        self._refuse_missing_matrix()
        words = self.lines[at].split()[1:]
        if not words:
            raise self._fault("MOTIF without a name; write `MOTIF name`", at)
        # MEME's own output goes on with `width = 15 sites = 20 …`
        has_alternate = len(words) > 1 and not re.match(r"\w+=", words[1]) and words[2:3] != ["="]
        self.names = (words[0], words[1] if has_alternate else "")
        self.name_line = at
        return at + 1

    def _read_matrix(self, at: int) -> int:
        if self.name_line is None:
            raise self._fault("a matrix without a MOTIF line of its own above it; add `MOTIF name`", at)
        keys = {key.lower(): value for key, value in _KEY.findall(self.lines[at].split(":", 1)[-1])}
        rows, end = self._read_rows(at, self._whole_number(keys, "w", at))
        letters = self._whole_number(keys, "alength", at)
        if self.alphabet is None:
            size = letters or len(rows[0][1])
            self.alphabet = motif_text.alphabet_of_size(size, self.wanted, self.path, at + 1)
            self.alphabet_line = at + 1
            self.columns = list(range(self.alphabet.size))
        if letters is not None and letters != self.alphabet.size:
            raise self._fault(
                f"alength= {letters} where the alphabet (line {self.alphabet_line}) is {self.alphabet.name} with "
                f"{self.alphabet.size} letters; put each alphabet in a file of its own",
                at,
            )
        sites = keys.get("nsites", str(motif_text.DEFAULT_SITES))
        if not motif_text.is_number(sites) or not 0 <= float(sites) < math.inf:
            raise self._fault(f"nsites= {sites}; a number of sites is needed", at)
        e_value = keys.get("e", "nan")
        motif = Motif(
            self.names[0],
            self._probabilities(rows)[:, self.columns],
            self.alphabet,
            sites=float(sites),
            background=np.empty(0) if self.background is None else self.background,
            alternate_name=self.names[1],
            e_value=float(e_value) if motif_text.is_number(e_value) else math.nan,
        )
        self.records.append(MotifRecord(motif, self.name_line + 1))
        self.name_line = None
        return end

    def _whole_number(self, keys: dict[str, str], key: str, at: int) -> int | None:
        if key not in keys:
            return None
        if not keys[key].isdigit() or int(keys[key]) < 1:
            raise self._fault(f"{key}= {keys[key]}; a whole number above 0 is needed", at)
        return int(keys[key])

    def _read_rows(self, header: int, width: int | None) -> tuple[list[tuple[int, list[float]]], int]:
        """Return the rows with their positions in the file, and the position after them."""
        rows: list[tuple[int, list[float]]] = []
        at = header + 1
        while at < len(self.lines):
            words = self.lines[at].split()
            if words and not motif_text.is_number(words[0]):
                break
            if not words and rows and len(rows) >= (width or 0):
                break
            if words:
                rows.append((at, motif_text.row_of_numbers(words, self.path, at + 1)))
            at += 1
        if not rows:
            raise self._fault(f"motif {self.names[0]}: no rows under its matrix line; add them", header)
        if width is not None and len(rows) != width:
            raise self._fault(f"w= {width} but {len(rows)} rows follow; make them agree, or leave w out", header)
        return rows, at

    def _probabilities(self, rows: list[tuple[int, list[float]]]) -> Matrix:
        assert self.alphabet is not None
        for at, row in rows:
            if len(row) != self.alphabet.size:
                raise self._fault(f"a row of {len(row)} numbers; {self.alphabet.name} needs {self.alphabet.size}", at)
            if abs(sum(row) - 1.0) > motif_text.SUM_TOLERANCE + 1e-9:
                raise self._fault(
                    f"a row of the {_MATRIX} sums to {sum(row):.4g}; it must sum to 1: "
                    "divide each count by its row's total",
                    at,
                )
        matrix = np.array([row for _, row in rows])
        return np.asarray(matrix / matrix.sum(axis=1, keepdims=True))


def format_meme(motifs: Sequence[Motif], alphabet: Alphabet = DNA) -> str:
    """Return motifs as MEME text, version 4, with six decimals; reading it gives them back.

    Args:
        motifs: Motifs of one alphabet and one background; names without white space.
        alphabet: Stated in the header where there is no motif at all.

    Raises:
        MotifcnnError: The motifs are of several alphabets or backgrounds.
    """
    background = np.full(alphabet.size, 1.0 / alphabet.size)
    if motifs:
        alphabet, background = motif_text.common_alphabet(motifs), motifs[0].background
    if any(not np.allclose(motif.background, background, atol=1e-6) for motif in motifs):
        raise MotifcnnError("motifs with different backgrounds; a MEME file has one background for all")
    parts = ["MEME version 4", f"ALPHABET= {alphabet.letters}"]
    if alphabet.double_stranded:
        parts.append("strands: + -")
    frequencies = zip(alphabet.letters, _six_decimals(background[None])[0], strict=True)
    parts.append(f"{_BACKGROUND}\n" + " ".join(f"{letter} {number}" for letter, number in frequencies))
    parts.extend(_format_motif(motif) for motif in motifs)
    return "\n\n".join(parts) + "\n"


def write_meme(target: Source | TextIO, motifs: Sequence[Motif], alphabet: Alphabet = DNA) -> None:
    """Write motifs as MEME text to a path or an open text file; see `format_meme`."""
    motif_text.deliver(target, format_meme(motifs, alphabet))


def _format_motif(motif: Motif) -> str:
    names = f"{motif_text.one_word(motif.name)} {motif_text.one_word(motif.alternate_name)}".rstrip()
    e_value = "" if math.isnan(motif.e_value) else f" E= {motif.e_value:.6g}"
    header = f"{_MATRIX}: alength= {motif.alphabet.size} w= {motif.width} nsites= {motif.sites:.10g}{e_value}"
    rows = (" " + "  ".join(row) for row in _six_decimals(motif.probabilities))
    return "\n".join([f"MOTIF {names}", header, *rows])


def _six_decimals(rows: Matrix) -> list[list[str]]:
    """Round so that each row sums to exactly 1: reading and writing again changes nothing."""
    scaled = rows / rows.sum(axis=1, keepdims=True) * _MILLION
    millionths = np.floor(scaled).astype(np.int64)
    for row, rest in zip(millionths, scaled - millionths, strict=True):
        missing = _MILLION - int(row.sum())
        row[np.argsort(-rest, kind="stable")[:missing]] += 1
    return [[f"{value // _MILLION}.{value % _MILLION:06d}" for value in row.tolist()] for row in millionths]
