"""Comparison: against memelite, against enumeration, and on copies whose truth is known."""

import time
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.discovery.comparison import SCORE_BINS, Match, compare, relatives
from motifcnn.errors import MotifcnnError
from motifcnn.formats.motif_files import read_motifs
from motifcnn.motifs import Motif

pytestmark = pytest.mark.filterwarnings("ignore:tomtom was given")


def random_motif(generator, width, alphabet=DNA, name="m", concentration=0.3):
    return Motif(name, generator.dirichlet([concentration] * alphabet.size, size=width), alphabet)


def random_motifs(seed, widths, alphabet=DNA):
    generator = np.random.default_rng(seed)
    return [random_motif(generator, width, alphabet, f"m{i}") for i, width in enumerate(widths)]


def slowly_compared(query, database, both_strands):
    """(p-value, sums of all alignments by orientation) of each target, by plain loops and enumeration."""
    oriented = [(motif, motif.reverse_complement()) if both_strands else (motif,) for motif in database]
    columns = [column for i in range(1 + both_strands) for pair in oriented for column in pair[i].probabilities]
    scores = [[-np.linalg.norm(q - t) for t in columns] for q in query.probabilities]
    medians = [np.median(row) for row in scores]
    shifted = [[score - median for score in row] for row, median in zip(scores, medians, strict=True)]
    lowest = int(np.floor(min(map(min, shifted))))
    scale = int(SCORE_BINS / max(max(map(max, shifted)) - lowest, 1))

    def bins(score):
        return int(np.floor((score - lowest) * scale + 0.5))

    null = [[bins(score) for score in row] for row in shifted]
    width, zero = query.width, -lowest * scale
    results = []
    for pair in oriented:
        target_width = pair[0].width
        ranges = [
            [q for q in range(width) if 0 <= q + offset < target_width] for offset in range(1 - width, target_width)
        ]
        sums = [
            [
                sum(
                    bins(-np.linalg.norm(query.probabilities[q] - motif.probabilities[q + offset]) - medians[q])
                    for q in aligned
                )
                + zero * (width - len(aligned))
                for offset, aligned in zip(range(1 - width, target_width), ranges, strict=True)
            ]
            for motif in pair
        ]
        best = max(map(max, sums))
        missed = 1.0
        for aligned in ranges:
            draws = [sum(draw) for draw in product(*(null[q] for q in aligned))]
            reached = np.mean([draw + zero * (width - len(aligned)) >= best for draw in draws])
            missed *= 1 - reached
        p = 1 - missed
        results.append((1 - (1 - p) ** len(pair), sums))
    return results


@given(
    query_width=st.integers(1, 3),
    widths=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    alphabet=st.sampled_from([DNA, RNA, PROTEIN]),
    seed=st.integers(0, 1000),
)
def test_p_values_are_those_of_enumeration(query_width, widths, alphabet, seed):
    query, *database = random_motifs(seed, [query_width, *widths], alphabet)
    (matches,) = compare([query], database)
    assert [match.p_value for match in matches] == sorted(match.p_value for match in matches)
    found = {match.target_name: match for match in matches}
    expected = slowly_compared(query, database, both_strands=alphabet is DNA)
    for motif, (p_value, sums) in zip(database, expected, strict=True):
        match = found[motif.name]
        assert match.p_value == pytest.approx(p_value, rel=1e-6, abs=1e-12)
        assert match.e_value == pytest.approx(match.p_value * len(database))
        assert match.orientation in ("+-" if alphabet is DNA else "+")
        best = max(map(max, sums))
        ties = [  # of equal alignments the one of most columns, then the leftmost
            (sum(0 <= q + offset < motif.width for q in range(query_width)), -offset)
            for offset, score in enumerate(sums[match.orientation == "-"], start=1 - query_width)
            if score == best
        ]
        assert (match.overlap, -match.offset) == max(ties)


def real_motifs(real_data, name="JASPAR2024_CORE_nonredundant.jaspar"):
    path = real_data / "motif_db" / name
    if not path.exists():
        pytest.skip(f"{name} is not among the real data sets")
    return read_motifs(path)


@pytest.mark.slow
def test_p_values_are_those_of_memelite(real_data):
    from memelite import tomtom

    database = real_motifs(real_data)
    queries = database[::117]
    started = time.perf_counter()
    results = compare(queries, database)
    assert time.perf_counter() - started < 10  # half a second on an idle machine
    matrices = [np.ascontiguousarray(motif.probabilities.T) for motif in database]
    p_values, _, offsets, overlaps, strands = tomtom(matrices[::117], matrices, n_target_bins=None)
    index = {motif.name: number for number, motif in enumerate(database)}
    ours = np.empty_like(p_values)
    agree = np.zeros(p_values.shape, dtype=bool)
    for q, matches in enumerate(results):
        assert len(matches) == len(database)
        for match in matches:
            t = index[match.target_name]
            ours[q, t] = match.p_value
            agree[q, t] = (match.offset, match.overlap, match.orientation == "-") == (
                offsets[q, t],
                overlaps[q, t],
                bool(strands[q, t]),
            )
    assert np.corrcoef(np.log(ours.ravel()), np.log(p_values.ravel()))[0, 1] >= 0.999
    close = p_values < 1e-3
    assert close.sum() > 100
    assert np.corrcoef(np.log(ours[close]), np.log(p_values[close]))[0, 1] >= 0.999
    # the rest are ties, such as palindromes: equal on both strands
    assert agree[close].mean() > 0.85


def test_a_known_motif_finds_itself_and_its_family(real_data):
    database = real_motifs(real_data, "JASPAR2024_CORE_fungi.meme")
    reb1 = next(motif for motif in database if motif.alternate_name == "REB1")
    (matches,) = compare([replace(reb1.reverse_complement(), name="query")], database)
    best = matches[0]
    assert (best.query, best.target_alternate_name, best.orientation) == ("query", "REB1", "-")
    assert (best.offset, best.overlap) == (0, reb1.width)
    assert best.e_value < 1e-6
    assert sum(match.e_value <= 0.1 for match in matches) < 10


def test_shuffled_motifs_match_as_often_as_chance_has_it(real_data):
    """Columns of one motif, drawn from the whole database, are the null hypothesis itself."""
    database = real_motifs(real_data, "JASPAR2024_CORE_fungi.meme")
    generator = np.random.default_rng(0)
    columns = np.concatenate([motif.probabilities for motif in database])
    queries = [Motif(f"q{i}", columns[generator.integers(len(columns), size=10)], DNA) for i in range(60)]
    p_values = np.array([match.p_value for matches in compare(queries, database) for match in matches])
    for level in (0.1, 0.01, 0.001):
        assert 0.3 * level < (p_values <= level).mean() < 2 * level


def test_tiny_p_values_do_not_vanish(real_data):
    database = real_motifs(real_data)
    longest = max(database, key=lambda motif: motif.total_information())
    match = compare([longest], database)[0][0]
    assert match.target_name == longest.name
    assert 0 < match.p_value < 1e-20


def test_matches_carry_what_the_table_needs():
    database = random_motifs(1, [6] * 60)
    database[7] = replace(database[7], alternate_name="factor")
    shifted = Motif("query", np.vstack([np.full((2, 4), 0.25), database[7].probabilities]), DNA)
    (matches,) = compare([shifted], database)
    best = matches[0]
    assert best == Match("query", "m7", "factor", best.p_value, best.p_value * 60, -2, 6, "+")
    assert len(matches) == 60


def test_a_threshold_leaves_the_others_out():
    database = random_motifs(2, [8] * 60)
    everything = compare(database[:3], database)
    thresholded = compare(database[:3], database, e_threshold=1)
    assert all(matches for matches in thresholded)
    assert thresholded == [[match for match in matches if match.e_value <= 1] for matches in everything]
    assert compare(database[:3], database, e_threshold=0) == [[], [], []]


def test_the_best_are_kept_whatever_their_e_value():
    database = random_motifs(2, [8] * 60)
    everything = compare(database[:3], database)
    kept = compare(database[:3], database, e_threshold=0, least=2)
    assert kept == [matches[:2] for matches in everything]
    assert compare(database[:3], database, e_threshold=1, least=1) == compare(database[:3], database, e_threshold=1)


@given(seed=st.integers(0, 1000), flanks=st.tuples(st.integers(0, 5), st.integers(0, 5)), reverse=st.booleans())
def test_trimmed_queries_match_as_their_informative_part_does(seed, flanks, reverse):
    generator = np.random.default_rng(seed)
    database = random_motifs(seed, [8] * 12)
    core = random_motif(generator, 7)
    core = replace(core, probabilities=0.8 * core.probabilities + 0.2 * np.eye(4)[generator.integers(0, 4, 7)])
    assume(core.information()[[0, -1]].min() > 0.1)
    padded = replace(core, probabilities=np.pad(core.probabilities, (flanks, (0, 0)), constant_values=0.25))
    if reverse:
        core, padded, flanks = core.reverse_complement(), padded.reverse_complement(), flanks[::-1]
    (expected,), (found,) = compare([core], database), compare([padded], database, trim_bits=0.1)
    assert found == [replace(match, offset=match.offset - flanks[0]) for match in expected]


def test_a_query_without_information_is_compared_all_the_same():
    database = random_motifs(2, [8] * 60)
    (matches,) = compare([Motif("flat", np.full((9, 4), 0.25), DNA)], database, trim_bits=0.5)
    assert len(matches) == 60
    assert max(match.overlap for match in matches) == 6


def test_several_queries_do_not_touch_one_another():
    database = random_motifs(3, [4, 9, 6] * 20)
    queries = random_motifs(4, [3, 12, 7])
    assert compare(queries, database) == [compare([query], database)[0] for query in queries]


def test_a_palindrome_is_reported_on_the_forward_strand():
    database = random_motifs(5, [6] * 60)
    half = np.array([[0.9, 0.1, 0, 0], [0, 0.8, 0.2, 0], [0.1, 0, 0.2, 0.7]])
    palindrome = Motif("palindrome", np.vstack([half, half[::-1, ::-1]]), DNA)
    assert compare([palindrome], [*database, palindrome])[0][0].orientation == "+"


def test_few_targets_are_warned_of(caplog):
    motifs = random_motifs(6, [5] * 50)
    compare(motifs[:1], motifs)
    assert not caplog.records
    compare(motifs[:1], motifs[:49])
    assert "only 49 motifs to compare with: p-values rest on their columns and are coarse" in caplog.text


def test_what_cannot_be_compared_is_refused():
    dna, protein, rna = (random_motifs(7, [5], alphabet)[0] for alphabet in (DNA, PROTEIN, RNA))
    with pytest.raises(MotifcnnError, match="dna motifs against protein ones cannot be compared; give a database"):
        compare([dna], [protein])
    with pytest.raises(MotifcnnError, match="a database without motifs"):
        compare([dna], [])
    assert compare([], [dna]) == []
    assert compare([rna], [dna])[0][0].orientation == "+"


def test_uniform_targets_are_no_trouble():
    uniform = Motif("u", np.full((4, 4), 0.25), DNA)
    (match,) = compare([uniform], [uniform])[0]
    assert match.p_value == 1


# Families


def match(factor, e_value, family=""):
    return Match("q", f"id-{factor}", factor, e_value / 1000, e_value, 0, 8, "+", family)


def test_the_family_of_most_near_motifs_is_named():
    found = relatives(
        [match("ELK4", 2e-9, "Ets"), match("ZBTB11", 3e-6, "Zinc"), match("ETV6", 3e-5, "Ets"),
         match("GABPA", 9e-4, "Ets"), match("SPI1", 2e-3, "Ets")]
    )  # fmt: skip
    assert (found.best.factor, found.family) == ("ELK4", "Ets")
    assert found.factors == ("ELK4", "ETV6", "GABPA")  # those up to E = 0.001


def test_an_odd_nearest_one_does_not_name_the_family():
    found = relatives([match("ZNF175", 1e-13, "Zinc"), match("ERG", 6e-12, "Ets"), match("ETV1", 2e-11, "Ets")])
    assert (found.best.factor, found.family, found.factors) == ("ZNF175", "Ets", ("ERG", "ETV1"))


@pytest.mark.parametrize(
    ("matches", "named"),
    [
        ([match("ELK4", 2e-9, "Ets"), match("ETV6", 3e-9, "Ets")], "ELK4 (family Ets)"),
        (
            [match("ZNF175", 1e-13, "Zinc"), match("ERG", 6e-12, "Ets"), match("ETV1", 2e-11, "Ets")],
            "ZNF175 and family Ets",
        ),
        ([match("CBF1", 1e-7)], "CBF1"),
        ([match("far", 0.4, "Ets")], ""),
    ],
)
def test_a_factor_is_said_to_be_of_no_other_family(matches, named):
    assert relatives(matches).named == named


def test_weak_matches_are_near_by_their_factor_of_the_best_but_never_beyond_a_tenth():
    found = relatives([match("MYC", 2e-5, "bHLH"), match("MAX", 1.9e-2, "bHLH"), match("USF1", 2.1e-2, "bHLH")])
    assert found.factors == ("MYC", "MAX")
    found = relatives([match("RPN4", 0.05, ""), match("MET31", 0.09, ""), match("UME6", 0.2, "")])
    assert found.factors == ("RPN4", "MET31")
    assert relatives([match("far", 0.4, "Ets")]).members == ()


def test_without_families_the_three_nearest_are_named_each_factor_once():
    found = relatives([match(name, 1e-8 * n) for n, name in enumerate(["A", "a", "B", "C", "D"], start=1)])
    assert (found.family, found.factors) == ("", ("A", "B", "C"))
    assert found.members[0].e_value == 1e-8


def test_no_match_has_no_relatives():
    assert relatives([]) is None
