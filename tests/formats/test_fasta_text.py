"""What readers of FASTA share; that each says it with its own file and line, `test_fasta` holds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import ALPHABETS, DNA, PROTEIN, RNA
from motifcnn.errors import InputError
from motifcnn.formats.fasta_text import (
    check_fasta,
    choose_alphabet,
    first_word,
    start_of_text,
    stray_letter,
    translation,
)


@given(st.sampled_from([b"", b"\xef\xbb\xbf"]), st.lists(st.sampled_from([b"# note\r\n", b"\n", b" \t\n", b"#\n"])))
def test_text_starts_after_mark_blanks_and_comments(mark, lines):
    before = mark + b"".join(lines)
    assert start_of_text(before + b">a\nACGT\n") == len(before)
    assert start_of_text(before + b"# without an end") == len(before) + len(b"# without an end")


@pytest.mark.parametrize(
    ("header", "name"), [(b"a b c", "a"), (b"  a\tb\r", "a"), ("chrö".encode(), "chrö"), (b" ", "")]
)
def test_a_name_is_the_first_word(header, name):
    assert first_word(header) == name


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
def test_masking_makes_lower_case_unknown_and_leaves_the_rest(alphabet):
    kept, masked = (translation(alphabet, softmask) for softmask in ("keep", "mask"))
    letters = alphabet.letters.encode()
    assert letters.translate(kept) == letters.lower().translate(kept) == bytes(range(alphabet.size))
    assert letters.translate(masked) == bytes(range(alphabet.size))
    assert set(letters.lower().translate(masked)) == {alphabet.unknown}


def test_an_alphabet_is_found_named_or_given():
    counts = np.bincount(np.frombuffer(b"ACGU" * 9, dtype=np.uint8), minlength=256)
    assert [choose_alphabet(choice, counts) for choice in ("auto", "dna", PROTEIN)] == [RNA, DNA, PROTEIN]


def test_the_line_of_a_stray_letter_is_counted_from_the_first():
    fault = stray_letter(b"ACGT\nAC\nAJGT\nZ\n", DNA, "a.fa", 7, detected=False)
    assert str(fault).startswith("a.fa:9: 'J' is no letter of dna")


def test_what_begins_as_fasta_does_passes():
    check_fasta(b">a\nACGT\n", "a.fa")
    with pytest.raises(InputError, match=r"^a\.fa: is empty"):
        check_fasta(b"", "a.fa")
