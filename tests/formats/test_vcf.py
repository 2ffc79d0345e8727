import gzip
import io

import pytest

from motifcnn.errors import InputError
from motifcnn.formats.files import atomic_write
from motifcnn.formats.vcf import InfoField, VcfReader, VcfWriter, info_keys, info_text

HEADER = "##fileformat=VCFv4.3\n##contig=<ID=chr1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


def read(tmp_path, body, header=HEADER):
    (tmp_path / "v.vcf").write_text(header + body)
    reader = VcfReader(tmp_path / "v.vcf")
    return reader, list(reader)


def test_records(tmp_path):
    body = "chr1\t5\trs1\tac\tA,ACG,<DEL>,*,A]chr2:7],.\t.\tPASS\tAF=0.5\nchr1\t9\t.\tT\tG\t.\t.\t.\tGT\t0/1\r\n"
    reader, (first, second) = read(tmp_path, body)
    assert (first.line, first.chrom, first.position, first.identifier, first.reference) == (4, "chr1", 4, "rs1", "AC")
    assert first.alternatives == ("A", "ACG", None, None, None, None)
    assert second.fields[8:] == ("GT", "0/1")
    assert reader.header == HEADER.splitlines()


def test_compressed_and_empty(tmp_path):
    (tmp_path / "v.vcf.gz").write_bytes(gzip.compress((HEADER + "chr1\t5\t.\tA\tC\t.\t.\t.\n").encode()))
    assert len(list(VcfReader(tmp_path / "v.vcf.gz"))) == 1
    assert read(tmp_path, "")[1] == []


@pytest.mark.parametrize(
    ("body", "header", "message"),
    [
        ("chr1\t5\t.\tA\n", HEADER, r"v\.vcf:4: 4 columns, where VCF has 8 or more, separated by tabs; mend the line"),
        ("chr1\t0\t.\tA\tC\t.\t.\t.\n", HEADER, r"v\.vcf:4: POS '0' is not a position; it counts from 1"),
        ("chr1\tx\t.\tA\tC\t.\t.\t.\n", HEADER, "POS 'x' is not a position"),
        ("chr1\t1\t.\t-\tC\t.\t.\t.\n", HEADER, "REF '-' is not made of letters of DNA"),
        ("chr1\t1\t.\tA\tC/T\t.\t.\t.\n", HEADER, "ALT 'C/T' is neither letters of DNA nor a symbol such as <DEL>"),
        ("chr1\t1\t.\tA\tC\t.\t.\t.\n", "##fileformat=VCFv4.3\n", r"v\.vcf:2: a variant before the line of columns"),
        ("", "", "holds no line of columns that begins with #CHROM; give VCF"),
        (">chr1\nACGT\n", "", r"v\.vcf:1: a variant before the line of columns"),
    ],
)
def test_faults_are_named(tmp_path, body, header, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, body, header)


def test_bcf_is_refused(tmp_path):
    (tmp_path / "v.vcf").write_bytes(b"BCF\2\2\xff\xfe")
    with pytest.raises(InputError, match="is no text; give VCF, plain or bgzip"):
        list(VcfReader(tmp_path / "v.vcf"))


FIELDS = (InfoField("X_A", "A", "Float", 'of "a"'), InfoField("X_M", ".", "String", "motifs"))


def write(reader, values, notes=("made=by test",)):
    buffer = io.BytesIO()
    records = list(reader)
    writer = VcfWriter(buffer, FIELDS, notes)
    writer.write_header(reader.header)
    for record, own in zip(records, values, strict=True):
        writer.write(record, own)
    return buffer.getvalue().decode()


def test_fields_are_added_and_the_rest_is_kept(tmp_path):
    body = "chr1\t5\t.\tA\tC,G\t9\tPASS\tAF=0.5;DB\tGT\t1/2\nchr1\t6\t.\tA\tC\t.\t.\t.\nchr1\t7\t.\tA\tC\t.\t.\tDB\n"
    (tmp_path / "v.vcf").write_text(HEADER + body)
    written = write(VcfReader(tmp_path / "v.vcf"), [{"X_A": "1,.", "X_M": "m"}, {"X_A": "2"}, {}])
    lines = written.splitlines()
    assert lines[:2] == HEADER.splitlines()[:2]
    assert lines[2:5] == [
        "##made=by test",
        r'##INFO=<ID=X_A,Number=A,Type=Float,Description="of \"a\"">',
        '##INFO=<ID=X_M,Number=.,Type=String,Description="motifs">',
    ]
    assert lines[5] == HEADER.splitlines()[2]
    assert lines[6:] == [
        "chr1\t5\t.\tA\tC,G\t9\tPASS\tAF=0.5;DB;X_A=1,.;X_M=m\tGT\t1/2",
        "chr1\t6\t.\tA\tC\t.\t.\tX_A=2",
        "chr1\t7\t.\tA\tC\t.\t.\tDB",
    ]
    (tmp_path / "again.vcf").write_text(written)
    assert write(VcfReader(tmp_path / "again.vcf"), [{"X_A": "1,.", "X_M": "m"}, {"X_A": "2"}, {}]) == written


def test_it_is_read_by_another_reader(tmp_path):
    (tmp_path / "v.vcf").write_text(HEADER + "chr1\t5\t.\tA\tC\t.\t.\t.\n")
    reader = VcfReader(tmp_path / "v.vcf")
    (record,) = reader
    with atomic_write(tmp_path / "o.vcf.gz") as file:
        writer = VcfWriter(file, FIELDS)
        writer.write_header(reader.header)
        writer.write(record, {"X_A": "0.5"})
    data = (tmp_path / "o.vcf.gz").read_bytes()
    assert data[12:14] == b"BC"  # the mark of bgzip
    assert gzip.decompress(data).decode().splitlines()[-1].endswith("X_A=0.5")


def test_keys_and_texts():
    assert info_keys("M_", ["a b", "a_b", "c"]) == ["M_a_b", "M_a_b_2", "M_c"]
    assert info_text("a;b=c,d|e f%") == "a%3Bb%3Dc%2Cd%7Ce%20f%25"
