import gzip
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, RNA
from motifcnn.errors import InputError
from motifcnn.formats import fasta, stored_fasta
from motifcnn.formats.fasta import read_fasta
from motifcnn.formats.stored_fasta import memory_to_read, store_fasta

TEXTS = st.lists(st.text("ACGTNacgtR", min_size=1, max_size=60), min_size=1, max_size=6)


def write(folder, text, name="a.fa"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def alike(one, other):
    assert one.names == other.names
    assert one.alphabet is other.alphabet
    assert one.offsets.tolist() == other.offsets.tolist()
    assert one.codes.tobytes() == other.codes.tobytes()


@given(TEXTS, st.sampled_from(["keep", "mask"]), st.integers(1, 40), st.booleans())
def test_letters_on_disk_are_those_read_into_memory(tmp_path_factory, texts, softmask, block, packed):
    text = "".join(f">s{n} x\n{letters[:7]}\n{letters[7:]}\n" for n, letters in enumerate(texts)).encode()
    path = write(tmp_path_factory.mktemp("fasta"), gzip.compress(text) if packed else text)
    whole = read_fasta(path, DNA, softmask)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fasta, "_BLOCK", block)
        patch.setattr(stored_fasta, "_BLOCK", block)
        stored = store_fasta(path, DNA, softmask)
    alike(stored, whole)
    assert stored.on_disk


def test_the_alphabet_is_found_as_in_memory(tmp_path):
    path = write(tmp_path, ">a\nACGUUGCA\n")
    alike(store_fasta(path), read_fasta(path))
    assert store_fasta(path).alphabet is RNA


def test_letters_are_mapped_and_the_file_goes_with_them(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    stored = store_fasta(write(tmp_path, ">a\n" + "ACGT" * 5000 + "\n"))
    assert Path("/proc/self/maps").read_text().count(str(tmp_path / "temporary")) == 1
    assert list((tmp_path / "temporary").iterdir()) == []  # nothing is left behind, however the process ends
    assert stored.codes[:4].tolist() == [0, 1, 2, 3]
    stored.codes[0] = 3  # as codes in memory are
    del stored
    assert str(tmp_path / "temporary") not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "chr1\t0\t100\n",
        ">a\nAC\n>b\n>c\nAC\n",
        ">a\nAC\n>b\nAC\n>a\nAC\n",
        ">a\nAC\n> \nAC\n",
        ">a\nACGTACGTACGTACGT\nAC1T\n",
        ">a\nACGTACGTACGT\n>b\nACGU\n",
    ],
)
@pytest.mark.parametrize("alphabet", ["auto", "dna"])
def test_faults_are_those_of_reading_into_memory(tmp_path, text, alphabet):
    path = write(tmp_path, text)
    with pytest.raises(InputError) as expected:
        read_fasta(path, alphabet)
    with pytest.raises(InputError) as found:
        store_fasta(path, alphabet)
    assert str(found.value) == str(expected.value)


def test_a_stray_letter_of_standard_input_is_told_without_its_place(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b">a\nACGTACGT1\n")))
    with pytest.raises(InputError, match=r"^standard input: holds letters that are not of dna; give it as a file"):
        store_fasta("-")


def test_memory_grows_with_the_text(tmp_path):
    path = write(tmp_path, ">a\n" + "ACGT" * 250 + "\n")
    assert 6000 < memory_to_read(path) < 6100
    packed = write(tmp_path, gzip.compress(path.read_bytes()), "b.fa.gz")
    assert memory_to_read(packed) == packed.stat().st_size * 4 * 6
    assert memory_to_read(tmp_path / "none") == memory_to_read("-") == 0


def test_a_subset_of_many_letters_is_on_disk_too(tmp_path, monkeypatch):
    stored = store_fasta(write(tmp_path, ">a\nACGT\n>b\nGG\n>c\nTTT\n"))
    chosen = np.array([2, 0])
    assert not stored.subset(chosen).on_disk
    monkeypatch.setattr("motifcnn.sequences._SMALL", 5)
    alike(stored.subset(chosen), read_fasta(tmp_path / "a.fa").subset(chosen))
    assert stored.subset(chosen).on_disk


class Pair:
    """Two processes of one machine, played by this one: the first gives its file, then the second takes it."""

    def __init__(self, *, seen):
        self.is_first_here, self._seen, self._given = True, seen, None

    def share_file(self, file):
        if file is not None:
            self._given = os.dup(file.fileno())
            return file
        return os.fdopen(self._given, "r+b") if self._seen else None


@pytest.mark.parametrize("seen", [True, False])
def test_processes_of_one_machine_share_the_letters_where_they_can(tmp_path, monkeypatch, seen):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path, pair = write(tmp_path, ">a\nACGT\n>b\nggN\n"), Pair(seen=seen)
    first = store_fasta(path, processes=pair)
    pair.is_first_here = False
    second = store_fasta(path, processes=pair)
    alike(second, first)
    alike(second, read_fasta(path))
    assert second.on_disk
    mapped = [line.split()[4] for line in Path("/proc/self/maps").read_text().splitlines() if str(tmp_path) in line]
    assert len(mapped) == 2
    assert len(set(mapped)) == (1 if seen else 2)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_fault_is_found_by_each_process_before_it_waits_for_others(tmp_path):
    path, pair = write(tmp_path, ">a\nACGTACGTACGT\nAC1T\n"), Pair(seen=True)
    for pair.is_first_here in (True, False):
        with pytest.raises(InputError, match=r"a\.fa:3"):
            store_fasta(path, processes=pair)
