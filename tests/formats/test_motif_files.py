"""Motif files are told apart by what is in them; what is no motif file is refused by what it is."""

import contextlib
import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import DNA
from motifcnn.errors import InputError
from motifcnn.formats.motif_files import read_motifs, write_jaspar, write_meme, write_transfac
from motifcnn.motifs import Motif

MOTIFS = [
    Motif("one", np.array([[0.5, 0.5, 0, 0], [0, 0, 0.25, 0.75]]), DNA, sites=8, alternate_name="first"),
    Motif("two", np.array([[0, 0, 0, 1.0], [1.0, 0, 0, 0], [0.25, 0.25, 0.5, 0]]), DNA, sites=8),
]

FRAGMENTS = """
MEME version 4
MOTIF a
MOTIF b c
ALPHABET= ACGT
ALPHABET "DNA" DNA-LIKE
END ALPHABET
Background letter frequencies
A 0.25 C 0.25
G 0.25 T 0.25
letter-probability matrix: w= 1
letter-probability matrix:
0.1 0.2 0.3 0.4
1 2 3
>x
A [ 1 2 ]
C 1 2
ID x
P0 A C G T
01 1 2 3 4 A
01
//
=
nan nan nan nan
1e999 0 0 0
é ½ 0.5
""".splitlines()


@pytest.mark.parametrize("write", [write_meme, write_jaspar, write_transfac])
@pytest.mark.parametrize("name", ["motifs", "motifs.meme", "motifs.txt.gz"])
def test_the_name_of_a_file_does_not_matter(tmp_path, write, name):
    write(tmp_path / name, MOTIFS)
    back = read_motifs(tmp_path / name)
    assert [(m.name, m.alternate_name, m.sites) for m in back] == [("one", "first", 8), ("two", "", 8)]
    for old, new in zip(MOTIFS, back, strict=True):
        np.testing.assert_allclose(new.probabilities, old.probabilities)


def test_a_byte_order_mark_and_gzip_are_no_hindrance(tmp_path):
    path = tmp_path / "motifs.gz"
    path.write_bytes(gzip.compress("\ufeffMOTIF a\nletter-probability matrix:\n0 0 0 1\n".encode()))
    assert read_motifs(path)[0].name == "a"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; give a file of motifs in MEME, JASPAR or TRANSFAC text"),
        (b" \n\n", "is empty; give a file of motifs in MEME, JASPAR or TRANSFAC text"),
        (b"MEME version 4\n\0\1\2", "is binary, no motif file; give MEME, JASPAR or TRANSFAC text"),
        (b"<!DOCTYPE HTML>\n<html>", "is HTML or XML; give the text form of these motifs"),
        (b"<?xml version='1.0'?>", "is HTML or XML; give the text form of these motifs"),
        (b"once upon a time\n", "holds no motifs in MEME, JASPAR or TRANSFAC text; give a file that does"),
    ],
)
def test_what_is_no_motif_file_is_refused(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_motifs(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_motifs(tmp_path / "missing.meme")


@given(
    st.lists(
        st.sampled_from(FRAGMENTS) | st.text(max_size=12),
        max_size=12,
    )
)
def test_whatever_a_file_holds_is_read_or_refused(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "anything.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    with contextlib.suppress(InputError):
        assert read_motifs(path)
