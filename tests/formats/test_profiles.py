import numpy as np
import pytest

from motifcnn.alphabet import PROTEIN
from motifcnn.errors import InputError
from motifcnn.formats.profiles import is_pssm, read_pssm

ORDER = "ARNDCQEGHILKMFPSTWYV"


def pssm_text(sequence, scores):
    """What PSI-BLAST writes: log-odds in its own order of letters, percentages, two more columns, statistics."""
    header = "   ".join(ORDER)
    lines = [
        "",
        "Last position-specific scoring matrix computed, weighted observed percentages rounded down",
        f"            {header}   {header}",
    ]
    for number, (letter, row) in enumerate(zip(sequence, scores, strict=True), start=1):
        values = "  ".join(f"{row[PROTEIN.letters.index(other)]}" for other in ORDER)
        lines.append(f"{number:5d} {letter}  {values}   {'  '.join(['5'] * 20)}  0.63 0.11")
    lines += ["", "                      K         Lambda", "PSI Ungapped          0.1334     0.3154", ""]
    return "\n".join(lines)


def test_columns_come_in_the_alphabets_order(tmp_path, generator):
    scores = generator.integers(-9, 12, (4, 20))
    path = tmp_path / "q.pssm"
    path.write_text(pssm_text("MKwX", scores))
    found = read_pssm(path)
    assert is_pssm(path)
    assert found.letters == b"MKWX"
    assert found.lines == (4, 5, 6, 7)
    np.testing.assert_array_equal(found.log_odds, scores)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("nothing\n", None, "holds no matrix; give what PSI-BLAST writes"),
        (f"{' '.join(ORDER)}\n", None, "holds no matrix"),
        (f"{' '.join(ORDER)}\n1 M {'1 ' * 19}\n", 2, "number, letter and 20 log-odds are needed"),
        (f"{' '.join(ORDER)}\n1 M {'x ' * 20}\n", 2, "number, letter and 20 log-odds are needed"),
    ],
)
def test_refuses_damaged_files(tmp_path, text, line, message):
    path = tmp_path / "q.pssm"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_pssm(path)
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == (str(path), line)


def test_other_files_are_no_matrices(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("a\t1,2\n")
    assert not is_pssm(path)
