from pathlib import Path

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN
from motifcnn.errors import InputError
from motifcnn.formats.alignments import read_alignments
from motifcnn.inputs.aligned_channels import is_aligned, read_aligned
from motifcnn.inputs.channels import read_channels
from motifcnn.inputs.column_conservation import GAP, conservation, profile
from motifcnn.sequences import Sequences
from motifcnn.settings import ChannelSettings

NAN = np.nan
PLAIN = ChannelSettings()
ORDER = "ARNDCQEGHILKMFPSTWYV"


def sequences_of(texts, alphabet=DNA):
    return Sequences.from_list(list(texts), [alphabet.encode(text) for text in texts.values()], alphabet)


def columns_of(*rows, alphabet=DNA, **options):
    """Conservation of each column, by the tested function itself."""
    table = {**{letter: code for code, letter in enumerate(alphabet.symbols)}, "-": GAP}
    codes = np.array([[table[letter] for letter in row] for row in rows], dtype=np.uint8)
    return conservation(codes, alphabet, **options)


def write(path, text):
    path.write_text(text)
    return path


def refusal(path, sequences):
    with pytest.raises(InputError) as caught:
        read_aligned(path, sequences, PLAIN)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("text", [">a\nAC-G\n>b\nACTG\n>c\nA-TC\n", "# STOCKHOLM 1.0\na AC.G\nb ACTG\nc A.TC\n//\n"])
def test_rows_are_the_sequences(tmp_path, text):
    path = write(tmp_path / "family", text)
    kinds, values = read_aligned(path, sequences_of({"b": "ACTG", "other": "AA", "a": "ACG"}), PLAIN)
    columns = columns_of("AC-G", "ACTG", "A-TC")
    assert kinds == ("",)
    np.testing.assert_allclose(values, [[*columns, NAN, NAN, columns[0], columns[1], columns[3]]], rtol=1e-6)
    assert is_aligned(path)


def test_a_row_may_be_a_stretch_of_its_sequence(tmp_path):
    path = write(tmp_path / "family.fa", ">a/3-5\nCGT\n>b/1-2\nC-T\n")
    _, values = read_aligned(path, sequences_of({"a": "AACGTA"}), PLAIN)
    np.testing.assert_allclose(values, [[NAN, NAN, *columns_of("CGT", "C-T"), NAN]], rtol=1e-6)


def test_options_reach_the_columns(tmp_path):
    path = write(tmp_path / "family.fa", ">a\nACGT\n>b\nA-GA\n")
    settings = ChannelSettings("relative-entropy", column_window=1, gap_penalty=False)
    _, values = read_aligned(path, sequences_of({"a": "ACGT"}), settings)
    expected = columns_of("ACGT", "A-GA", score="relative-entropy", window=1, gap_penalty=False)
    np.testing.assert_allclose(values[0], expected, rtol=1e-6)


def test_a_folder_has_a_file_for_each_sequence(tmp_path):
    folder = tmp_path / "msa"
    folder.mkdir()
    write(folder / "a.fa", ">query\nACG\n>x\nATG\n")
    write(folder / "sp_P1_B.sto", "# STOCKHOLM 1.0\nx AT-\nsp|P1|B A.G\n//\n")
    sequences = sequences_of({"a": "ACG", "sp|P1|B": "AG", "none": "T"})
    channels = read_channels([folder], sequences, PLAIN)
    second = columns_of("AT-", "A-G")
    assert channels.names == ("msa",)
    np.testing.assert_allclose(channels.values, [[*columns_of("ACG", "ATG"), second[0], second[2], NAN]], rtol=1e-6)


def test_a3m_gives_a_profile(tmp_path):
    path = write(tmp_path / "q.a3m", ">q\nWCD\n>o\nWkk-D\n>p\nWCE\n")
    channels = read_channels([path], sequences_of({"q": "WCD", "o": "WKKD"}, PROTEIN), PLAIN)
    table = {letter: code for code, letter in enumerate(PROTEIN.letters)} | {"-": GAP}
    rows = np.array([[table[letter] for letter in row] for row in ("WCD", "W-D", "WCE")], dtype=np.uint8)
    expected = profile(rows, PROTEIN).T
    assert channels.names == tuple(f"q.a3m:{letter}" for letter in PROTEIN.letters)
    np.testing.assert_allclose(channels.values[:, :3], expected, rtol=1e-5, atol=1e-6)
    assert np.isnan(channels.values[:, 4:6]).all()  # insertions stand in no column
    np.testing.assert_allclose(channels.values[:, [3, 6]], expected[:, [0, 2]], rtol=1e-5, atol=1e-6)


def test_a_scoring_matrix_gives_its_log_odds(tmp_path, generator):
    scores = generator.integers(-5, 9, (3, 20))
    rows = [f"{i} {letter} {' '.join(map(str, scores[i - 1]))}" for i, letter in enumerate("MKW", start=1)]
    path = write(tmp_path / "q.pssm", f"   {' '.join(ORDER)}\n" + "\n".join(rows) + "\n")
    _, values = read_aligned(path, sequences_of({"x": "A", "q": "MKW"}, PROTEIN), PLAIN)
    assert values.shape == (20, 4)
    assert np.isnan(values[:, 0]).all()
    for place, letter in enumerate(PROTEIN.letters):
        np.testing.assert_array_equal(values[place, 1:], scores[:, ORDER.index(letter)])


MAF = """##maf version=1
a
s hg19.chr22 10 4 + 100 AC-GT
s mm10.chr1  5 4 + 200 A-CGT

a
s hg19.chr22 80 3 - 100 TTC
s mm10.chr1  5 3 + 200 TTA
"""


def test_maf_is_laid_at_coordinates(tmp_path):
    path = write(tmp_path / "x.maf", MAF)
    first, second = columns_of("AC-GT", "A-CGT")[[0, 1, 3, 4]], columns_of("TTC", "TTA")
    names = {"chr22:9-13": "GACG", "chr22:11-14(-)": "ACG", "chr22:17-20": "GAA"}
    _, values = read_aligned(path, sequences_of(names), PLAIN)
    expected = [NAN, *first[:3], *first[1:][::-1], *second[::-1]]
    np.testing.assert_allclose(values[0], expected, rtol=1e-6)


def test_maf_may_name_the_sequences(tmp_path):
    path = write(tmp_path / "x.maf", "##maf version=1\na\ns first 1 2 + 4 A-C\ns second 0 3 + 3 AGC\n")
    _, values = read_aligned(path, sequences_of({"first": "TACG", "second": "AGC"}), PLAIN)
    columns = columns_of("A-C", "AGC")
    np.testing.assert_allclose(values[0], [NAN, columns[0], columns[2], NAN, *columns], rtol=1e-6)


def test_a_maf_of_another_genome_is_refused(tmp_path):
    error = refusal(write(tmp_path / "x.maf", MAF), sequences_of({"chr22:9-13": "GATG"}))
    assert (
        "differ from 'chr22:9-13' at letter 3 (and 0 more): C here, T there; give an alignment to the same genome"
        in (error.message)
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (">b\nACTG\n>a\nAC-T\n", 3, "row 'a' without its gaps differs from 'a' at letter 3: T here, G there; align"),
        (">b\nACTG\n>a\nA--G\n", 3, "row 'a' has 2 letters without its gaps, and 'a' has 3; align the very"),
        (">a/3-5\nACG\n", 1, "row 'a/3-5' has 3 letters without its gaps, and 'a' has 3"),
        (">a/0-2\nACG\n", 1, "row 'a/0-2' has 3 letters"),
        (">a\nACL\n", 1, "letter 'L' is not dna; give an alignment of the sequences' kind"),
        (">z\nACG\n", None, "rows for none of the 1 sequences: names here are z, names of the sequences are a"),
        (">a\nACG\n>b\nAkCG\n", None, "is a profile of amino acids, and the sequences are dna; give an alignment"),
    ],
)
def test_refuses_rows_that_do_not_fit(tmp_path, text, line, message):
    path = write(tmp_path / "family.fa", text)
    error = refusal(path, sequences_of({"a": "ACG"}))
    assert message in error.message
    assert (error.path, error.line) == (str(path), line)


def test_ambiguous_letters_fit_any(tmp_path):
    path = write(tmp_path / "family.fa", ">a\nANG\n>b\nACG\n")
    _, values = read_aligned(path, sequences_of({"a": "ACG", "b": "NCG"}), PLAIN)
    assert np.isfinite(values).all()


def test_profiles_and_alignments_do_not_mix(tmp_path):
    write(tmp_path / "a.fa", ">a\nMK\n>b\nMR\n")
    write(tmp_path / "b.a3m", ">b\nMR\n>c\nMkR\n")
    error = refusal(tmp_path, sequences_of({"a": "MK", "b": "MR"}, PROTEIN))
    assert "holds profiles and alignments; put them into two folders" in error.message


def test_an_empty_folder_is_refused(tmp_path):
    assert "names here are none that fits" in refusal(tmp_path, sequences_of({"a": "ACG"})).message


def test_catalytic_residues_of_kinases_are_the_most_conserved(real_data):
    path = real_data / "protein" / "Pkinase.sto"
    (alignment,) = read_alignments(path)
    found = [alignment.letters_of(number)[0] for number in range(len(alignment.names))]
    sequences = Sequences.from_list(alignment.names, [PROTEIN.encode(text.decode()) for text in found], PROTEIN)
    _, values = read_aligned(Path(path), sequences, PLAIN)
    assert values.shape == (1, len(sequences.codes))
    assert not np.isnan(values).any()
    first = alignment.names.index("CDC15_YEAST/25-272")
    along = values[0, sequences.offsets[first] : sequences.offsets[first + 1]]
    text = found[first].decode()
    best = set(np.argsort(-along)[:12].tolist())
    loop = text.index("HRD")  # the catalytic loop HRDLKxxN: its base and the asparagine; DFG binds magnesium
    assert {loop, loop + 2, loop + 4, loop + 7, text.index("DFG")} <= best
    assert along[text.index("DFG")] > 2 * np.median(along)
