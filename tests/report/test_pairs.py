from motifcnn.report.pairs import pair_rows, pair_sentences, why_no_pairs

ROW = {
    "motif_a": "a", "motif_b": "b", "loss_a": "0.02", "loss_b": "0.01", "loss_both": "0.2", "interaction": "0.17",
    "standard_error": "0.03", "kind": "redundant", "sequences": "80", "letters_between": "12", "tolerance": "3",
    "side": "downstream", "strand": "same", "found": "31", "expected": "2.25", "spacing_e_value": "3e-4",
    "order_e_value": "0.03",
}  # fmt: skip


def test_a_pair_reads_as_a_sentence():
    (row,) = pair_rows([ROW], 0.05)
    assert row.spacing == "12 to 14 letters between, b downstream of a, same strand: in 31 of 80, 2.2 expected"
    assert (row.losses, row.excess) == (("0.020", "0.010", "0.200"), "0.170 ± 0.030")
    assert row.spaced
    assert row.ordered
    spacing, order, together = pair_sentences([row])
    assert spacing.startswith("a and b keep a spacing: 12 to 14 letters between")
    assert spacing.endswith("(E\u00a0=\u00a03.0\u202f×\u202f10⁻⁴).")
    assert order == "a and b keep an order or orientation, whatever the distance (E\u00a0=\u00a00.03)."
    assert together == "a and b are redundant: either makes up for the other."


def test_an_order_alone_is_not_called_a_spacing():
    (row,) = pair_rows([ROW | {"spacing_e_value": "0.7", "kind": "independent"}], 0.05)
    (sentence,) = pair_sentences([row])
    assert sentence.startswith("a and b keep an order or orientation")


def test_one_distance_and_one_letter():
    (row,) = pair_rows([ROW | {"letters_between": "1", "tolerance": "1"}], 0.05)
    assert row.spacing.startswith("1 letter between")


def test_what_is_not_known_is_a_dash_and_nothing_is_claimed():
    nothing = dict.fromkeys(ROW, "NA") | {"motif_a": "a", "motif_b": "b", "sequences": "3"}
    (row,) = pair_rows([nothing], 0.05)
    assert (row.spacing, row.kind, row.spacing_e_value) == ("–", "–", "–")
    assert (row.spaced, row.ordered) == (False, False)
    assert pair_sentences([row]) == []


def test_pairs_beyond_the_threshold_are_not_called_arranged():
    (row,) = pair_rows([ROW | {"spacing_e_value": "0.2", "order_e_value": "0.4", "kind": "independent"}], 0.05)
    assert (row.spaced, row.ordered) == (False, False)
    assert pair_sentences([row]) == []


def test_two_sites_of_one_motif_are_spoken_of_as_such():
    (row,) = pair_rows([ROW | {"motif_b": "a", "kind": "NA"}], 0.05)
    assert "the weaker downstream of the stronger, same strand" in row.spacing
    assert pair_sentences([row])[0].startswith("Two sites of a keep a spacing")


def test_a_motif_with_few_second_sites_has_no_row_with_itself():
    alone = dict.fromkeys(ROW, "NA") | {"motif_a": "a", "motif_b": "a", "sequences": "3"}
    assert [(row.first, row.second) for row in pair_rows([ROW, alone], 0.05)] == [("a", "b")]
    assert pair_rows([alone], 0.05) == []
    assert pair_rows([alone | {"order_e_value": "0.5"}], 0.05)
    assert why_no_pairs([alone]).startswith("a has no partner: it is the only significant motif")
    assert why_no_pairs([]) == "Pairs are looked at where motifs are significant."
