from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.inputs import near_identical
from motifcnn.inputs.near_identical import WORD, find_clusters, seeded
from motifcnn.sequences import Sequences


def joined(sequences, alphabet=DNA):
    return Sequences.from_list([f"s{i}" for i in range(len(sequences))], sequences, alphabet)


def clusters_of(sequences, alphabet=DNA, similarity=0.5):
    """Return the clusters as sets of indices."""
    members = find_clusters(joined(sequences, alphabet), similarity).members
    return {frozenset(np.flatnonzero(members == cluster).tolist()) for cluster in np.unique(members)}


def together(sequences, alphabet=DNA, similarity=0.5):
    return len(clusters_of(sequences, alphabet, similarity)) == 1


def random_codes(generator, length, alphabet=DNA):
    return generator.integers(0, alphabet.size, length, dtype=np.uint8)


def shifted(generator, codes, shift, alphabet=DNA):
    """Return the window of the same length that starts `shift` letters further on."""
    return np.concatenate([codes[shift:], random_codes(generator, shift, alphabet)])


def words(codes, alphabet):
    k = WORD[alphabet.name]
    counts = Counter()
    for i in range(len(codes) - k + 1):
        word = codes[i : i + k]
        if (word < alphabet.size).all():
            forms = [bytes(word)]
            if alphabet is DNA:
                forms.append(bytes(DNA.reverse_complement(word)))
            counts[min(forms)] += 1
    return counts


def oracle(sequences, alphabet, similarity):
    """Single linkage over all pairs, by the definition."""
    k = WORD[alphabet.name]
    counted = [words(codes, alphabet) for codes in sequences]
    cluster = list(range(len(sequences)))
    for i in range(len(sequences)):
        for j in range(i):
            common = (counted[i] & counted[j]).total()
            smaller = min(counted[i].total(), counted[j].total())
            long_enough = min(len(sequences[i]), len(sequences[j])) >= 3 * k
            alike = long_enough and common and common + k - 1 >= similarity * (smaller + k - 1)
            if alphabet is PROTEIN and smaller >= 76:
                alike = alike or common >= max(8, similarity**3.5 * smaller)
            forms = [bytes(sequences[j])] + ([bytes(DNA.reverse_complement(sequences[j]))] if alphabet is DNA else [])
            if alike or bytes(sequences[i]) in forms:
                cluster = [cluster[j] if c == cluster[i] else c for c in cluster]
    return {frozenset(i for i, c in enumerate(cluster) if c == kind) for kind in set(cluster)}


@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda alphabet: alphabet.name)
@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.9, 1.0])
def test_clusters_follow_the_definition(alphabet, similarity, generator):
    sequences = [random_codes(generator, int(generator.integers(4, 150)), alphabet) for _ in range(30)]
    for _ in range(90):
        parent = sequences[int(generator.integers(len(sequences)))]
        child = shifted(generator, parent, int(generator.integers(0, len(parent))), alphabet)
        changed = generator.random(len(child)) < generator.choice([0.0, 0.0, 0.02, 0.05, 0.1])
        child[changed] = random_codes(generator, int(changed.sum()), alphabet)
        child[generator.random(len(child)) < generator.choice([0.0, 0.0, 0.01])] = alphabet.unknown
        if alphabet is DNA and generator.random() < 0.5:
            child = DNA.reverse_complement(child)
        sequences.append(child[: int(generator.integers(len(child) // 2, len(child) + 1))])
    sequences = [codes for codes in sequences if len(codes)]
    found, expected = clusters_of(sequences, alphabet, similarity), oracle(sequences, alphabet, similarity)
    # every 16-mer of the list is looked at; only pairs that share stretches of 12 to 15 letters alone may be missed
    assert all(any(cluster <= wanted for wanted in expected) for cluster in found)
    assert len(found) <= len(expected) + 0.03 * len(sequences)
    if similarity >= 0.9:
        assert found == expected


@pytest.mark.parametrize("shift", [0, 1, 50, 99, 100])
@pytest.mark.parametrize("reverse", [False, True])
def test_overlaps_by_half_are_near_identical_on_either_strand(shift, reverse, generator):
    for _ in range(20):
        codes = random_codes(generator, 200)
        other = shifted(generator, codes, shift)
        other = DNA.reverse_complement(other) if reverse else other
        assert together([codes, other])


def test_smaller_overlaps_are_not(generator):
    for _ in range(20):
        codes = random_codes(generator, 200)
        assert not together([codes, shifted(generator, codes, 110)])


def test_rna_has_one_strand(generator):
    codes = random_codes(generator, 100)
    assert together([codes, DNA.reverse_complement(codes)], DNA)
    assert not together([codes, DNA.reverse_complement(codes)], RNA)


def test_a_part_of_a_longer_sequence_is_near_identical(generator):
    codes = random_codes(generator, 1000)
    assert together([codes, codes[300:400]])


def test_a_few_changed_letters_do_not_matter(generator):
    for _ in range(20):
        codes = random_codes(generator, 200)
        other = codes.copy()
        places = generator.choice(200, 4, replace=False)
        other[places] = (other[places] + 1) % 4
        assert together([codes, other])


def test_shuffles_and_strangers_are_apart(generator):
    sequences = [random_codes(generator, 200) for _ in range(50)]
    sequences += [generator.permutation(codes) for codes in sequences]
    assert len(clusters_of(sequences)) == 100


def test_a_common_run_of_one_letter_is_no_likeness(generator):
    sequences = [random_codes(generator, 200) for _ in range(30)]
    for codes in sequences:
        codes[50:80] = 0
    sequences.append(np.zeros(200, dtype=np.uint8))
    assert len(clusters_of(sequences)) == 31


def test_short_peptides_are_near_identical_only_if_identical():
    peptides = [PROTEIN.encode(text) for text in ("SLYNTVATL", "SLYNTVATV", "SLFNTVATL", "SLYNTVATLY", "SLYNTVATL")]
    assert clusters_of(peptides, PROTEIN) == {frozenset({0, 4}), frozenset({1}), frozenset({2}), frozenset({3})}


def test_windows_of_one_protein_are_near_identical(generator):
    codes = random_codes(generator, 200, PROTEIN)
    assert together([codes[50:71], codes[60:81]], PROTEIN)
    assert not together([codes[50:71], codes[65:86]], PROTEIN)


def test_short_sites_are_near_identical_only_if_identical():
    sites = [DNA.encode(text) for text in ("TGTGATCTAGATCACA", "TGTGATCTAGATCACC", "GGTGATCTAGATCACA", "")]
    assert len(clusters_of(sites)) == 3


def test_wholly_unknown_sequences_are_near_identical_only_if_identical():
    unknown = [np.full(length, DNA.unknown, dtype=np.uint8) for length in (100, 100, 101)]
    assert len(clusters_of(unknown)) == 2


def test_large_families_are_found(generator):
    """Words of a large family lead to more sequences than are compared with one another."""
    ancestor = random_codes(generator, 200)
    family = []
    for _ in range(200):
        child = ancestor.copy()
        places = generator.choice(200, 2, replace=False)
        child[places] = (child[places] + 1) % 4
        family.append(child)
    strangers = [random_codes(generator, 200) for _ in range(50)]
    assert clusters_of(family + strangers) == {frozenset(range(200))} | {frozenset({200 + i}) for i in range(50)}


def test_the_order_of_the_sequences_does_not_matter(generator):
    base = [random_codes(generator, 100) for _ in range(60)]
    sequences = base + [shifted(generator, codes, int(generator.integers(30, 60))) for codes in base] + base[:10]
    members = find_clusters(joined(sequences), 0.5)
    order = generator.permutation(len(sequences))
    turned = [DNA.reverse_complement(sequences[i]) if i % 3 else sequences[i] for i in order]
    again = find_clusters(joined(turned), 0.5)
    np.testing.assert_array_equal(again.hashes, members.hashes[order])
    np.testing.assert_array_equal(again.members, members.members[order])


def test_a_sampled_list_in_parts_finds_the_same(monkeypatch, generator):
    base = [random_codes(generator, 200) for _ in range(200)]
    sequences = base + [shifted(generator, codes, 100) for codes in base]
    expected = {frozenset({i, i + 200}) for i in range(200)}
    assert clusters_of(sequences) == expected
    monkeypatch.setattr(near_identical, "_INDEX_SIZE", 5000)
    assert clusters_of(sequences) == expected


def test_no_sequences():
    clusters = find_clusters(joined([]), 0.5)
    assert len(clusters.members) == len(clusters.hashes) == 0


@settings(max_examples=50)
@given(st.lists(st.text("ACGTN", max_size=30), max_size=20))
def test_identical_sequences_share_a_cluster_and_a_hash(texts):
    sequences = [DNA.encode(text) for text in texts]
    clusters = find_clusters(joined(sequences), 0.5)
    forms = [min(text, DNA.decode(DNA.reverse_complement(DNA.encode(text)))) for text in texts]
    for i in range(len(texts)):
        for j in range(i):
            if len(texts[i]) < 36:
                same = forms[i] == forms[j]
                assert (clusters.hashes[i] == clusters.hashes[j]) == same
                assert (clusters.members[i] == clusters.members[j]) == same


def test_seeds_give_different_orders():
    hashes = np.arange(1000, dtype=np.uint64)
    first, second = np.argsort(seeded(hashes, 0)), np.argsort(seeded(hashes, 1))
    assert len(set(seeded(hashes, 0).tolist())) == 1000
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert abs(np.corrcoef(first, np.arange(1000))[0, 1]) < 0.1


@pytest.mark.parametrize(("identity", "length", "alike"), [(0.75, 150, True), (0.4, 150, False), (0.7, 40, False)])
def test_homologous_proteins_are_alike_where_they_are_long(identity, length, alike, generator):
    found = []
    for _ in range(20):
        one = random_codes(generator, length, PROTEIN)
        other = one.copy()
        changed = generator.random(length) >= identity
        other[changed] = (one[changed] + generator.integers(1, 20, changed.sum())) % 20
        found.append(together([one, other], PROTEIN))
    assert np.mean(found) > 0.9 if alike else np.mean(found) < 0.1


def test_unrelated_proteins_are_never_alike(generator):
    sequences = [random_codes(generator, 1000, PROTEIN) for _ in range(60)]
    assert len(clusters_of(sequences, PROTEIN)) == 60
    nucleotides = [random_codes(generator, 1000) for _ in range(60)]
    assert len(clusters_of(nucleotides)) == 60
