import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import ALPHABETS, DNA, INVALID, PROTEIN, RNA, alphabet_of, detect_alphabet
from motifcnn.errors import MotifcnnError


def histogram(text):
    return np.bincount(np.frombuffer(text.encode(), np.uint8), minlength=256)


@pytest.mark.parametrize("name", ALPHABETS)
@given(data=st.data())
def test_decode_inverts_encode_up_to_case(name, data):
    alphabet = ALPHABETS[name]
    text = data.draw(st.text(alphabet.symbols))
    assert alphabet.decode(alphabet.encode(text)) == text
    assert alphabet.decode(alphabet.encode(text.lower())) == text


@pytest.mark.parametrize("alphabet", [DNA, RNA])
@given(data=st.data())
def test_reverse_complement_is_an_involution_that_commutes_with_one_hot(alphabet, data):
    codes = alphabet.encode(data.draw(st.text(alphabet.symbols)))
    other = alphabet.reverse_complement(codes)
    assert (alphabet.reverse_complement(other) == codes).all()
    flipped = alphabet.fractions[codes][::-1][:, alphabet.complement_codes[:4]]
    assert np.allclose(alphabet.fractions[other], flipped)


def test_reverse_complement_of_every_iupac_letter():
    assert DNA.decode(DNA.reverse_complement(DNA.encode("ACGTNRYSWKMBDHV"))) == "BDHVKMWSRYNACGT"


@pytest.mark.parametrize("alphabet", ALPHABETS.values())
def test_fractions_are_even_shares_that_sum_to_one(alphabet):
    assert np.allclose(alphabet.fractions.sum(axis=1), 1)
    for code, (_, members) in enumerate(alphabet.ambiguity, start=alphabet.size):
        shares = {alphabet.letters[i]: share for i, share in enumerate(alphabet.fractions[code]) if share}
        assert shares == pytest.approx({member: 1 / len(members) for member in members})


def test_synonyms():
    assert RNA.decode(RNA.encode("ACGT")) == "ACGU"
    assert PROTEIN.decode(PROTEIN.encode("MK*")) == "MKX"


def test_letters_outside_the_alphabet_are_named_with_their_place():
    with pytest.raises(MotifcnnError, match="letter 'U' at position 3 is not dna"):
        DNA.encode("ACU")
    assert DNA.encode_bytes(b"AE")[1] == INVALID
    with pytest.raises(MotifcnnError, match=r"letter .* at position 2"):
        DNA.encode("Aé")


def test_protein_has_no_second_strand():
    with pytest.raises(MotifcnnError, match="no reverse complement"):
        PROTEIN.reverse_complement(PROTEIN.encode("MK"))
    assert not PROTEIN.double_stranded
    assert not RNA.double_stranded
    assert DNA.double_stranded


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ACGTTTGN", DNA),
        ("acguuugn", RNA),
        ("MKVLAAGIVGLPQWERTY", PROTEIN),
        ("ACGT" * 20 + "EFIL", DNA),  # stray letters are faults of a DNA file
        ("", DNA),
        ("GGGAAACCC", DNA),
    ],
)
def test_detection_by_composition(text, expected):
    assert detect_alphabet(histogram(text)) is expected


def test_alphabet_of_its_letters():
    assert alphabet_of("TGCA") is DNA
    assert alphabet_of("acgu") is RNA
    assert alphabet_of("ACDEFGHIKLMNPQRSTVWY") is PROTEIN
    with pytest.raises(MotifcnnError, match="neither DNA, RNA nor protein"):
        alphabet_of("AB")
