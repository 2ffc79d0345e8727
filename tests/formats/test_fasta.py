"""FASTA: writing and reading are inverse, streaming gives what reading gives, each fault is named with its line."""

import gzip
import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from motifcnn.alphabet import ALPHABETS, DNA, PROTEIN, RNA
from motifcnn.errors import InputError
from motifcnn.formats import fasta
from motifcnn.formats.fasta import find_line, read_fasta, stream_fasta, write_fasta
from motifcnn.sequences import Sequences

NAMES = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=12)


@st.composite
def sequence_sets(draw, least=1):
    alphabet = ALPHABETS[draw(st.sampled_from(sorted(ALPHABETS)))]
    texts = draw(st.lists(st.text(alphabet.symbols, min_size=least, max_size=200), min_size=1, max_size=8))
    names = draw(st.lists(NAMES, min_size=len(texts), max_size=len(texts), unique=True))
    return Sequences.from_list(names, [alphabet.encode(text) for text in texts], alphabet)


@st.composite
def untidy_fasta(draw):
    """Text of FASTA as people write it, and the records that it holds."""
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    blank_lines = st.sampled_from(["", newline, newline * 2, " \t" + newline])
    text, records = draw(blank_lines), {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=5, unique=True)):
        text += f">{name}" + draw(st.sampled_from(["", " described", "\tas > this"])) + newline
        lines = draw(st.lists(st.text("ACGTNacgtnRYx", min_size=1, max_size=30), max_size=4))
        text += "".join(line + draw(st.sampled_from(["", " "])) + newline + draw(blank_lines) for line in lines)
        records[name] = "".join(lines)
    return text.rstrip() if draw(st.booleans()) else text, records


def reassembled(chunks, overlap):
    """Records put together from chunks, each chunk's place checked on the way."""
    records, complete = {}, True
    for chunk in chunks:
        if complete:
            assert chunk.start == 0
            assert chunk.name not in records
            records[chunk.name] = np.empty(0, dtype=np.uint8)
        so_far = records[chunk.name]
        shared = min(overlap, len(so_far)) if chunk.start else 0
        assert chunk.start == len(so_far) - shared
        assert (chunk.codes[:shared] == so_far[chunk.start :]).all()
        records[chunk.name] = np.concatenate([so_far, chunk.codes[shared:]])
        complete = chunk.last
    assert complete
    return records


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


class TestRoundTrip:
    @given(sequence_sets(), st.sampled_from(["a.fa", "a.fa.gz"]))
    def test_reading_undoes_writing(self, tmp_path_factory, sequences, file_name):
        path = tmp_path_factory.mktemp("fasta") / file_name
        write_fasta(path, sequences)
        back = read_fasta(path, sequences.alphabet)
        assert back.names == sequences.names
        assert back.codes.tobytes() == sequences.codes.tobytes()
        assert back.offsets.tolist() == sequences.offsets.tolist()
        assert back.codes.flags.writeable

    @given(untidy_fasta())
    @example((">a\n\n>b\nAC", {"a": "", "b": "AC"}))
    def test_untidy_text(self, tmp_path_factory, untidy):
        text, records = untidy
        path = write(tmp_path_factory.mktemp("fasta") / "a.fa", text)
        if all(records.values()):
            sequences = read_fasta(path, DNA)
            assert dict(zip(sequences.names, map(DNA.decode, sequences), strict=True)) == {
                name: letters.upper().replace("X", "N") for name, letters in records.items()
            }
        streamed = reassembled(stream_fasta(path, DNA), 0)
        assert {name: DNA.decode(codes) for name, codes in streamed.items()} == {
            name: letters.upper().replace("X", "N") for name, letters in records.items()
        }
        for name in records:
            line = find_line(path, name)
            assert text.split("\n")[line - 1].split()[0] == f">{name}"

    def test_packed_is_plain(self, tmp_path):
        text = b">a\nACGT\nNN\n>b\nTT\n"
        plain = read_fasta(write(tmp_path / "a.fa", text))
        packed = read_fasta(write(tmp_path / "a.fa.gz", gzip.compress(text)))
        assert plain.names == packed.names == ("a", "b")
        assert plain.codes.tolist() == packed.codes.tolist()

    def test_byte_order_mark(self, tmp_path):
        path = write(tmp_path / "a.fa", b"\xef\xbb\xbf>a\nAC\n")
        assert read_fasta(path).names == ("a",)
        assert [chunk.name for chunk in stream_fasta(path, DNA)] == ["a"]

    def test_comments_before_the_first_record(self, tmp_path):
        path = write(tmp_path / "a.fa", b"\xef\xbb\xbf# made by\n\n#\n>a\nAC\n>b\nA?\n")
        for reader in (read_fasta, lambda path: list(stream_fasta(path, DNA))):
            with pytest.raises(InputError, match=r"a\.fa:7: '\?'"):
                reader(path)
        with pytest.raises(InputError, match="is empty"):
            read_fasta(write(tmp_path / "none.fa", "# made by"))


class TestStream:
    @given(
        sequence_sets(least=0), st.integers(1, 50), st.integers(0, 49), st.integers(1, 40), st.sampled_from(["", ".gz"])
    )
    def test_chunks_make_up_the_records(self, tmp_path_factory, sequences, more, overlap, block, suffix):
        path = tmp_path_factory.mktemp("fasta") / f"a.fa{suffix}"
        write_fasta(path, sequences)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fasta, "_BLOCK", block)  # blocks end anywhere: within headers, before ">"
            chunks = list(stream_fasta(path, sequences.alphabet, chunk=overlap + more, overlap=overlap))
        assert all(len(chunk.codes) <= overlap + more for chunk in chunks)
        records = reassembled(chunks, overlap)
        assert tuple(records) == sequences.names
        assert all((records[name] == sequences[i]).all() for i, name in enumerate(sequences.names))

    @given(untidy_fasta(), st.integers(1, 30))
    def test_blocks_may_end_anywhere(self, tmp_path_factory, untidy, block):
        path = write(tmp_path_factory.mktemp("fasta") / "a.fa", untidy[0])
        whole = reassembled(stream_fasta(path, DNA), 0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fasta, "_BLOCK", block)
            pieces = reassembled(stream_fasta(path, DNA), 0)
        assert {name: codes.tolist() for name, codes in whole.items()} == {
            name: codes.tolist() for name, codes in pieces.items()
        }

    def test_empty_record_is_one_chunk(self, tmp_path):
        path = write(tmp_path / "a.fa", ">empty\n>full\nAC\n>last\n")
        found = [(chunk.name, chunk.start, len(chunk.codes), chunk.last) for chunk in stream_fasta(path, DNA)]
        assert found == [("empty", 0, 0, True), ("full", 0, 2, True), ("last", 0, 0, True)]

    def test_memory_does_not_grow_with_a_single_line(self, tmp_path):
        import tracemalloc

        path = tmp_path / "long.fa"
        with path.open("wb") as file:
            file.write(b">long\n")
            for _ in range(64):
                file.write(b"ACGTN" * 200_000)
        tracemalloc.start()
        letters = sum(len(chunk.codes) for chunk in stream_fasta(path, DNA, chunk=1 << 20))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert letters == 64_000_000
        assert peak < 32e6

    def test_chunk_must_exceed_overlap(self, tmp_path):
        path = write(tmp_path / "a.fa", ">a\nAC\n")
        with pytest.raises(ValueError, match="chunk 5 must exceed overlap 5"):
            next(stream_fasta(path, DNA, chunk=5, overlap=5))


class TestLetters:
    def test_alphabet_is_found(self, tmp_path):
        assert read_fasta(write(tmp_path / "d.fa", ">a\nACGTTGCAN\n")).alphabet is DNA
        assert read_fasta(write(tmp_path / "r.fa", ">a\nACGUUGCA\n")).alphabet is RNA
        assert read_fasta(write(tmp_path / "p.fa", ">a\nMKLVWFPAG*\n")).alphabet is PROTEIN

    def test_alphabet_is_given(self, tmp_path):
        path = write(tmp_path / "a.fa", ">a\nACGT\n")
        assert read_fasta(path, "protein").alphabet is PROTEIN
        assert read_fasta(path, RNA).codes.tolist() == RNA.encode("ACGU").tolist()

    def test_lower_case_is_kept_or_masked(self, tmp_path):
        path = write(tmp_path / "a.fa", ">a\nACgtN\n")
        for softmask, expected in (("keep", "ACGTN"), ("mask", "ACNNN")):
            assert DNA.decode(read_fasta(path, "auto", softmask).codes) == expected
            (chunk,) = stream_fasta(path, DNA, softmask=softmask)
            assert DNA.decode(chunk.codes) == expected


FAULTS = {
    "empty": (b"", r"is empty; give FASTA with at least one sequence"),
    "blank": (b"\n  \n\n", r"is empty; give FASTA"),
    "binary": (b"\x89PNG\r\n\x1a\n\0\0", r"is a binary file; give FASTA"),
    "nul": (b">a\nAC\0GT\n", r"is a binary file; give FASTA"),
    "utf16": (">a\nACGT\n".encode("utf-16"), r"is a binary file"),
    "xz": (b"\xfd7zXZ\0\0", r"is compressed by xz; unpack it, or compress it by gzip or bgzip"),
    "zip": (b"PK\x03\x04\x14\0", r"is compressed by zip; unpack it"),
    "bed": (b"chr1\t0\t100\n", r"is not FASTA: it begins with 'chr1\\t0\\t100'; give FASTA, where records begin"),
    "fastq": (b"@r1\nACGT\n+\nIIII\n", r"is not FASTA: it begins with FASTQ; convert it to FASTA"),
    "old_mac": (b">a\rACGT\r>b\rAC\r", r"has the line ends of an old Macintosh; convert them"),
    "twice": (b"\n>a 1\nAC\n\n>b\nAC\n>a 2\nAC\n", r":7: the name 'a' stands twice \(first in line 2\); give every"),
    "no_name": (b">a\nAC\n> \nAC\n", r":3: the record has no name; write one after '>'"),
    "first_without_name": (b"\n\n>\nAC\n", r":3: the record has no name"),
    "digit": (b">a\nACGTACGTACGTACGT\nAC1T\n", r":3: '1' is no letter of dna"),
    "gap": (b">a\nACGTACGTACGTACGT\nAC-T\n", r":3: a gap '-': this is an alignment; remove the gaps"),
    "uracil": (b">a\nACGTACGTACGT\n>b\nACGU\n", r":4: 'U' is no letter of dna, .*; correct it, or give "),
    "two_in_a_line": (b">a\nACGTACGTACGT>b\nACGT\n", r":2: '>' is no letter of dna"),
    "not_ascii": (">a\nACGTÄC\n".encode(), r":2: byte 0xc3 is no letter; the file is damaged or no FASTA"),
}  # fmt: skip


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("reader", ["read", "stream"])
    @pytest.mark.parametrize("packed", [False, True])
    def test_is_named(self, tmp_path, fault, reader, packed):
        data, message = FAULTS[fault]
        path = write(tmp_path / "a.fa", gzip.compress(data) if packed else data)
        with pytest.raises(InputError, match=r"a\.fa:.*" + message.removeprefix(":")) as caught:
            read_fasta(path) if reader == "read" else list(stream_fasta(path, DNA))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("line", ["chr1\t0\t100", "chr1\t0\t100\tpeak\t5\t+", "track name=peaks"])
    @pytest.mark.parametrize("reader", ["read", "stream"])
    def test_bed_from_standard_input_is_told_from_other_text(self, monkeypatch, line, reader):
        for first, told in ((line, True), (line.replace("0", "x").replace("track", "trick"), False)):
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"# peaks\n{first}\n".encode())))
            with pytest.raises(InputError, match=r"^standard input: is not FASTA: it begins with") as caught:
                read_fasta("-") if reader == "read" else list(stream_fasta("-", DNA))
            message = ", as BED does, which commands with --genome read, and from files only; give FASTA"
            assert (message in str(caught.value)) == told

    def test_line_is_right_beyond_the_first_block(self, tmp_path, monkeypatch):
        path = write(tmp_path / "a.fa", "\n\n>a\n" + "ACGTACGT\n" * 50 + "ACG?\n")
        with pytest.raises(InputError, match=r"a.fa:54: '\?'"):
            read_fasta(path)
        for block in (1, 7, 64):
            monkeypatch.setattr(fasta, "_BLOCK", block)
            with pytest.raises(InputError, match=r"a.fa:54: '\?'"):
                list(stream_fasta(path, DNA))

    def test_detected_alphabet_is_told_apart_from_a_given_one(self, tmp_path):
        path = write(tmp_path / "a.fa", ">a\nACGTACGTACGTACGTQ\n")
        wanted = (
            r"a.fa:2: 'Q' is no letter of dna, for which the file was taken; correct it, or give --alphabet protein$"
        )
        with pytest.raises(InputError, match=wanted):
            read_fasta(path)
        with pytest.raises(InputError, match=r"and dna is what is read here; correct it, or give sequences of dna$"):
            read_fasta(path, "dna")

    def test_only_alphabets_with_the_letter_are_offered(self, tmp_path):
        with pytest.raises(InputError, match=r"correct it, or give --alphabet rna or protein$"):
            read_fasta(write(tmp_path / "a.fa", ">a\nACGTACGTACGTACGTU\n"))
        with pytest.raises(InputError, match=r"for which the file was taken; correct it$"):
            read_fasta(write(tmp_path / "a.fa", ">a\nACGTACGTACGTACGT?\n"))

    @pytest.mark.parametrize("text", [">a\nAC\n\n>b\n\n", ">a\nAC\n\n>b"])
    def test_record_without_sequence(self, tmp_path, text):
        path = write(tmp_path / "a.fa", text)
        with pytest.raises(InputError, match=r"a.fa:4: 'b' has no sequence; remove the record or add its letters"):
            read_fasta(path)

    def test_first_record_without_sequence(self, tmp_path):
        with pytest.raises(InputError, match=r"a.fa:1: 'a' has no sequence"):
            read_fasta(write(tmp_path / "a.fa", ">a\n>b\nAC\n"))

    @pytest.mark.parametrize("reader", [read_fasta, lambda path: list(stream_fasta(path, DNA))])
    def test_truncated_gzip(self, tmp_path, reader, generator):
        letters = generator.choice(list(b"ACGT"), 50_000).astype(np.uint8).tobytes()
        path = write(tmp_path / "a.fa.gz", gzip.compress(b">a\n" + letters)[:-500])
        with pytest.raises(InputError, match=r"a.fa.gz: ends in the middle of its gzip data"):
            reader(path)

    def test_standard_input_is_named(self, monkeypatch):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b">a\nAC\n>a\nAC\n")))
        with pytest.raises(InputError, match=r"^standard input:3: the name 'a' stands twice"):
            read_fasta("-")
        assert find_line("-", "a") is None


def test_find_line_of_an_unknown_name(tmp_path):
    assert find_line(write(tmp_path / "a.fa", ">a\nAC\n"), "b") is None


def test_real_files(real_data):
    for path in sorted(real_data.glob("**/train.fa"))[:4]:
        sequences = read_fasta(path)
        records = reassembled(stream_fasta(path, sequences.alphabet, chunk=100, overlap=20), 20)
        assert tuple(records) == sequences.names
        assert (np.concatenate(list(records.values())) == sequences.codes).all()
