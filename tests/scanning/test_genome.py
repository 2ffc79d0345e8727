import io
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from queue import Queue

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.motifs import Motif
from motifcnn.scanning import division
from motifcnn.scanning import genome as genome_module
from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.genome import choose_motifs, scan_genome
from motifcnn.settings import ScanSettings

UNIFORM = np.full(4, 0.25)
SETTINGS = ScanSettings(p_value=0.02, background="uniform", format="tsv")


def random_motifs(seed, widths, alphabet=DNA):
    generator = np.random.default_rng(seed)
    return [
        Motif(f"m{width}", generator.dirichlet(np.full(alphabet.size, 0.3), width), alphabet, sites=30)
        for width in widths
    ]


def random_genome(seed, lengths, alphabet=DNA, ambiguous=0.03):
    generator = np.random.default_rng(seed)
    genome = {}
    for number, length in enumerate(lengths):
        codes = generator.integers(0, alphabet.size, length).astype(np.uint8)
        codes[generator.random(length) < ambiguous] = alphabet.unknown
        genome[f"chr{number}"] = codes
    return genome


def write(path, genome, alphabet=DNA):
    path.write_text("".join(f">{name}\n{alphabet.decode(codes)}\n" for name, codes in genome.items()))
    return path


def scan(path, motifs, options=SETTINGS):
    """Rows of the TSV that a scan writes, by column name."""
    out = io.BytesIO()
    summary = scan_genome(path, motifs, options, out)
    lines = out.getvalue().decode().splitlines()
    header = lines[0].split("\t")
    return [dict(zip(header, line.split("\t"), strict=True)) for line in lines[1:]], summary


def slow_hits(genome, motifs, background, p_value, both):
    """Every hit by loops: (chrom, start, motif, strand, score, p-value), in the order of a scan."""
    hits = []
    ready = [IntegerMotif.from_log_odds(motif.log_odds(background)) for motif in motifs]
    for name, codes in genome.items():
        for start in range(len(codes)):
            for motif in ready:
                window = codes[start : start + motif.width]
                if len(window) < motif.width or (window >= len(background)).any():
                    continue
                readings = [("+", window), ("-", DNA.reverse_complement(window))] if both else [(".", window)]
                for strand, reading in readings:
                    score = motif.scores[np.arange(motif.width), reading].sum()
                    p = float(motif.p_values(np.array([score]))[0])
                    if p <= p_value:
                        hits.append((name, start, motif.name, strand, score / UNITS_PER_BIT, p))
    return hits


def compared(rows):
    return [
        (row["chrom"], int(row["start"]), row["motif"], row["strand"], row["log_odds"], row["p_value"]) for row in rows
    ]


def as_text(hits):
    return [(*hit[:4], f"{hit[4]:.3f}", f"{hit[5]:.3g}") for hit in hits]


@given(st.integers(0, 10_000), st.sampled_from(["both", "single"]), st.sampled_from([0.02, 0.3, 1.0]))
@settings(max_examples=25)
def test_scan_finds_what_loops_find(tmp_path_factory, seed, strands, p_value):
    generator = np.random.default_rng(seed)
    genome = random_genome(seed, [*generator.integers(0, 60, 4).tolist(), 6, 4])
    motifs = random_motifs(seed, [4, 6, 9])
    path = write(tmp_path_factory.mktemp("scan") / "genome.fa", genome)
    rows, summary = scan(path, motifs, replace(SETTINGS, strands=strands, p_value=p_value))
    expected = slow_hits(genome, motifs, UNIFORM, p_value, strands == "both")
    assert compared(rows) == as_text(expected)
    assert all(int(row["end"]) - int(row["start"]) == int(row["motif"][1:]) for row in rows)
    assert summary.hits == tuple(sum(hit[2] == motif.name for hit in expected) for motif in motifs)
    assert summary.letters == sum(map(len, genome.values()))


@pytest.mark.parametrize("site", ["first", "last"])
@pytest.mark.parametrize("turned", [False, True], ids=["forward", "reverse"])
def test_first_and_last_window_of_each_sequence(tmp_path, site, turned):
    word = DNA.encode("GATTACAG")
    shown = DNA.reverse_complement(word) if turned else word
    motif = Motif("m", np.eye(4)[word], DNA)
    genome = {f"chr{n}": np.full(20 + n, DNA.code_of[ord("C")]) for n in range(3)}
    for codes in genome.values():
        codes[slice(0, 8) if site == "first" else slice(-8, None)] = shown
    rows, _ = scan(write(tmp_path / "genome.fa", genome), [motif], replace(SETTINGS, p_value=0.25**8))
    strand = "-" if turned else "+"
    starts = [0 if site == "first" else len(codes) - 8 for codes in genome.values()]
    assert [(int(row["start"]), row["strand"]) for row in rows] == [(start, strand) for start in starts]


def test_scan_of_the_reverse_complement_is_the_mirror_image(tmp_path):
    genome = random_genome(4, [300, 41])
    motifs = random_motifs(4, [5, 8])
    turned = {name: DNA.reverse_complement(codes) for name, codes in genome.items()}
    there, _ = scan(write(tmp_path / "there.fa", genome), motifs)
    back, _ = scan(write(tmp_path / "back.fa", turned), motifs)
    assert there
    mirrored = [
        (chrom, len(genome[chrom]) - start - int(motif[1:]), motif, "+-"[strand == "+"], *rest)
        for chrom, start, motif, strand, *rest in compared(back)
    ]
    assert sorted(mirrored) == sorted(compared(there))


def test_hits_do_not_depend_on_where_a_long_sequence_is_cut(tmp_path):
    """A record of more than twice the 4 Mi letters read at once, with sites planted all over the borders."""
    generator = np.random.default_rng(0)
    codes = generator.integers(0, 4, 9_000_000).astype(np.uint8)
    word = DNA.encode("GATTACAGATTACA")
    borders = [start + k * 15 for start in (4_194_304 - 300, 8_388_608 - 400) for k in range(50)]
    for number, start in enumerate(borders):
        codes[start : start + 14] = DNA.reverse_complement(word) if number % 3 == 0 else word
    codes[5_000_000:5_000_100] = DNA.unknown
    motifs = [Motif("m14", np.eye(4)[word], DNA, sites=100), Motif("m10", np.eye(4)[word[:10]], DNA, sites=100)]
    rows, summary = scan(write(tmp_path / "genome.fa", {"chr": codes}), motifs, replace(SETTINGS, p_value=0.25**9))
    expected = []
    for motif, length in zip(motifs, (14, 10), strict=True):
        ready = IntegerMotif.from_log_odds(motif.log_odds(UNIFORM))
        for strand, scores in (("+", ready.scores), ("-", ready.reverse_complement(DNA.complement_codes))):
            table = np.pad(scores, ((0, 0), (0, 1)), constant_values=-(10**6))
            total = np.zeros(len(codes) - length + 1, dtype=np.int64)
            for position in range(length):
                total += table[position][codes[position : len(codes) - length + 1 + position]]
            expected += [(int(s), motif.name, strand) for s in np.flatnonzero(total >= ready.threshold(0.25**9))]
    assert len(expected) > 200
    assert sorted((int(row["start"]), row["motif"], row["strand"]) for row in rows) == sorted(expected)
    assert summary.letters == len(codes)


def test_threads_and_compression_change_nothing(tmp_path):
    import gzip

    path = write(tmp_path / "genome.fa", random_genome(1, [500, 300]))
    (tmp_path / "genome.fa.gz").write_bytes(gzip.compress(path.read_bytes()))
    outputs = []
    for name, threads in (("genome.fa", 1), ("genome.fa", 3), ("genome.fa.gz", 1)):
        out = io.BytesIO()
        scan_genome(tmp_path / name, random_motifs(1, [5, 7, 8]), SETTINGS, out, threads=threads)
        outputs.append(out.getvalue())
    assert outputs[0].count(b"\n") > 10
    assert outputs[0] == outputs[1] == outputs[2]


@pytest.mark.parametrize("format", ["bed", "narrowpeak", "gff3", "tsv"])
@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)
@pytest.mark.parametrize("q_values", [False, True])
def test_without_a_compiler_the_file_is_the_same(tmp_path, monkeypatch, alphabet, format, q_values):
    path = write(tmp_path / "genome.fa", random_genome(1, [5000, 3000, 0, 5], alphabet), alphabet)
    motifs = random_motifs(1, [2, 5, 6, 7, 13, 20, 40], alphabet)
    options = replace(SETTINGS, format=format, q_values=q_values, p_value=0.01, background="sequences")
    outputs = []
    for scanner in ("compiled", "numpy"):
        monkeypatch.setenv("MOTIFCNN_SCANNER", scanner)
        out = io.BytesIO()
        scan_genome(path, motifs, options, out)
        outputs.append(out.getvalue())
    assert outputs[0].count(b"\n") > 100
    assert outputs[0] == outputs[1]


UNTIDY = {
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "lower case": lambda text: "\n".join(line if line[:1] == ">" else line.lower() for line in text.split("\n")),
    "no newline at the end": lambda text: text.rstrip("\n"),
    "blank lines": lambda text: text.replace("\n>", "\n\n\n>") + "\n\n",
    "ragged lines": lambda text: re.sub("([ACGTN]{7})([ACGTN]{3})", "\\1\n\\2\n", text),
    "descriptions": lambda text: re.sub("(>.*)", "\\1 length=9 > all", text),
    "contigs without letters": lambda text: f">none\n{text}>nothing\n\n>last",
    "contigs shorter than any motif": lambda text: f">a\nA\n>bc\nAC\n{text}>abc\nACG\n",
    "unknown bases by other names": lambda text: text.replace("N", "R"),
}


@pytest.mark.parametrize("how", UNTIDY)
def test_untidy_genomes_hold_the_same_hits(tmp_path, how):
    genome = random_genome(5, [300, 41, 80])
    motifs = random_motifs(5, [4, 6, 9])
    text = write(tmp_path / "tidy.fa", genome).read_text()
    untidy = UNTIDY[how](text)
    assert untidy != text
    (tmp_path / "untidy.fa").write_bytes(untidy.encode())
    expected, _ = scan(tmp_path / "tidy.fa", motifs)
    rows, _ = scan(tmp_path / "untidy.fa", motifs)
    assert len(expected) > 20
    assert rows == expected


def test_ambiguity_codes_are_never_part_of_a_hit(tmp_path):
    motif = Motif("m", np.eye(4)[DNA.encode("GATTACAG")], DNA, sites=100)
    words = [
        "GATTACAG",
        *("GATTACAG"[:place] + letter + "GATTACAG"[place + 1 :] for place in (0, 3, 7) for letter in "RYSWKMBDHVN"),
    ]
    (tmp_path / "genome.fa").write_text("".join(f">{word}\nCC{word}CC\n" for word in words))
    rows, _ = scan(tmp_path / "genome.fa", [motif], replace(SETTINGS, p_value=1.0, strands="single"))
    assert {row["chrom"] for row in rows if row["start"] == "2"} == {"GATTACAG"}


def test_nothing_but_contigs_shorter_than_the_motifs(tmp_path):
    (tmp_path / "genome.fa").write_text(">a\nACGT\n>b\n>c\nAC\n")
    for q_values in (False, True):
        rows, summary = scan(tmp_path / "genome.fa", random_motifs(0, [9]), replace(SETTINGS, q_values=q_values))
        assert (rows, summary.hits, summary.letters) == ([], (0,), 6)


def genome_frequencies(genome, both):
    counts = np.ones(4)
    for codes in genome.values():
        for code in codes[codes < 4]:
            counts[code] += 1
    return (counts + counts[::-1] if both else counts) / (counts.sum() * (1 + both))


@pytest.mark.parametrize("background", ["sequences", "motif", "uniform", "file"])
def test_background_choices(tmp_path, background):
    genome = {"chr": np.random.default_rng(0).choice(4, 900, p=[0.4, 0.1, 0.2, 0.3]).astype(np.uint8)}
    own = np.array([0.1, 0.2, 0.3, 0.4])
    motifs = [replace(motif, background=own) for motif in random_motifs(2, [6, 7])]
    frequencies = {
        "sequences": genome_frequencies(genome, True),
        "motif": own,
        "uniform": UNIFORM,
        "file": np.array([0.2, 0.3, 0.3, 0.2]),
    }[background]
    (tmp_path / "frequencies").write_text("a 0.1\nc 0.2\ng 0.4\nt 0.3\n")
    chosen = str(tmp_path / "frequencies") if background == "file" else background
    rows, _ = scan(write(tmp_path / "genome.fa", genome), motifs, replace(SETTINGS, background=chosen))
    expected = slow_hits(genome, motifs, frequencies, 0.02, True)
    assert expected
    assert compared(rows) == as_text(expected)


def test_standard_input_cannot_be_read_twice_and_takes_the_motifs_background(tmp_path, monkeypatch):
    genome = random_genome(0, [400])
    motifs = [replace(motif, background=np.array([0.1, 0.2, 0.3, 0.4])) for motif in random_motifs(2, [6])]
    options = replace(SETTINGS, background="sequences")
    with write(tmp_path / "genome.fa", genome).open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        rows, _ = scan("-", motifs, options)
    assert compared(rows) == as_text(slow_hits(genome, motifs, motifs[0].background, 0.02, True))


@pytest.mark.parametrize("softmask", ["keep", "mask"])
def test_lower_case_letters(tmp_path, softmask):
    motif = Motif("m", np.eye(4)[DNA.encode("GATTACAG")], DNA)
    (tmp_path / "genome.fa").write_text(">a\nCCCCCGATTACAGCCCCgattacagCCCC\n")
    rows, _ = scan(tmp_path / "genome.fa", [motif], replace(SETTINGS, p_value=1e-4, softmask=softmask))
    assert [row["start"] for row in rows] == (["5"] if softmask == "mask" else ["5", "17"])


@pytest.mark.parametrize(("alphabet", "strand"), [(DNA, "+"), (RNA, "."), (PROTEIN, ".")], ids=lambda a: str(a)[:30])
def test_strands_by_alphabet(tmp_path, alphabet, strand):
    word = np.array([0, 1, 2, 3, 1], dtype=np.uint8)
    motif = Motif("m", np.eye(alphabet.size)[word], alphabet)
    path = write(tmp_path / "sequences.fa", {"a": np.concatenate([word, word])}, alphabet)
    rows, _ = scan(path, [motif], replace(SETTINGS, p_value=1e-2))
    assert {row["strand"] for row in rows} == {strand}
    assert [row["start"] for row in rows] == ["0", "5"]


def test_rna_may_be_scanned_on_both_strands_and_protein_not(tmp_path):
    word = RNA.encode("GAUUACAG")
    path = write(tmp_path / "rna.fa", {"a": RNA.reverse_complement(word)}, RNA)
    rows, _ = scan(path, [Motif("m", np.eye(4)[word], RNA)], replace(SETTINGS, strands="both", p_value=1e-4))
    assert [row["strand"] for row in rows] == ["-"]
    protein = Motif("p", np.eye(20)[:5], PROTEIN)
    with pytest.raises(MotifcnnError, match=r"^protein has one strand only; use --strands single$"):
        scan(path, [protein], replace(SETTINGS, strands="both"))


def test_a_motif_that_cannot_reach_p_is_left_out_and_named(tmp_path, caplog):
    genome = random_genome(3, [4000], ambiguous=0)
    narrow, wide = random_motifs(3, [3, 9])
    options = replace(SETTINGS, p_value=1e-3)
    with caplog.at_level("WARNING", "motifcnn"):
        rows, summary = scan(write(tmp_path / "genome.fa", genome), [narrow, wide], options)
    assert "m3 cannot reach p ≤ 0.001: its best word of 3 letters has p = 0.016; left out" in caplog.text
    assert compared(rows) == as_text(slow_hits(genome, [narrow, wide], UNIFORM, 1e-3, True))
    assert summary.hits == (0, len(rows))
    assert rows
    with pytest.raises(MotifcnnError, match=r"^no motif can reach p ≤ 0.001; give a larger --p-value$"):
        scan(tmp_path / "genome.fa", [narrow], options)


def test_many_motifs_that_cannot_reach_p_are_told_in_one_line(tmp_path, caplog):
    motifs = random_motifs(3, [2, 2, 3, 3, 3, 3, 9])
    with caplog.at_level("WARNING", "motifcnn"):
        scan(write(tmp_path / "genome.fa", random_genome(3, [4000])), motifs, replace(SETTINGS, p_value=1e-3))
    assert caplog.messages == [
        "6 motifs cannot reach p ≤ 0.001, their best words having p = 0.016 or more; left out: m2, m2, m3, m3, m3, …"
    ]


def test_motifs_wider_than_every_sequence_are_named(tmp_path, caplog):
    motifs = random_motifs(3, [8, 12, 11])
    with caplog.at_level("WARNING", "motifcnn"):
        scan(write(tmp_path / "genome.fa", random_genome(3, [3, 11, 0])), motifs, SETTINGS)
        scan(write(tmp_path / "genome.fa", random_genome(3, [3, 5])), [*motifs, *motifs], SETTINGS)
    assert caplog.messages == [
        "no sequence has room for m12: the longest has 11 letters",
        "no sequence has room for m8, m12, m11, m8, m12, …: the longest has 5 letters",
    ]


def test_motifs_of_two_alphabets_are_refused(tmp_path):
    motifs = random_motifs(0, [5]) + random_motifs(0, [5], PROTEIN)
    with pytest.raises(MotifcnnError, match=r"^motifs of dna and protein cannot be scanned together; choose with"):
        scan(tmp_path / "genome.fa", motifs)


def slow_q_values(p_values, tests):
    """Benjamini and Hochberg: for each p, the least p' · tests / #(p ≤ p') over all p' ≥ p."""
    return [
        min([1.0, *(other * tests / sum(q <= other for q in p_values) for other in p_values if other >= p)])
        for p in p_values
    ]


def test_q_values_are_those_over_every_window_of_each_motif(tmp_path):
    genome = random_genome(7, [400, 300, 5, 0], ambiguous=0.01)
    motifs = random_motifs(7, [4, 6])
    options = replace(SETTINGS, q_values=True, p_value=0.05)
    rows, summary = scan(write(tmp_path / "genome.fa", genome), motifs, options)
    hits = slow_hits(genome, motifs, UNIFORM, 0.05, True)
    assert compared(rows) == as_text(hits)
    assert sum(summary.hits) == len(rows)
    for motif in motifs:
        tests = len(slow_hits(genome, [motif], UNIFORM, 1.1, True))
        q = slow_q_values([hit[5] for hit in hits if hit[2] == motif.name], tests)
        assert [float(row["q_value"]) for row in rows if row["motif"] == motif.name] == pytest.approx(q, rel=0.006)


def test_no_hits_with_q_values(tmp_path):
    path = write(tmp_path / "genome.fa", {"a": np.full(50, DNA.unknown)})
    rows, summary = scan(path, random_motifs(0, [9]), replace(SETTINGS, q_values=True))
    assert rows == []
    assert summary.hits == (0,)


def test_choosing_motifs():
    motifs = [replace(motif, alternate_name=f"factor{motif.width}") for motif in random_motifs(0, range(2, 10))]
    names = [motif.name for motif in motifs]

    def chosen(wanted, first):
        return [motif.name for motif in choose_motifs(motifs, wanted, first, "motifs.meme")]

    assert chosen([], 0) == names
    assert chosen([], 3) == names[:3]
    assert chosen(["m5", "factor3"], 0) == ["m3", "m5"]
    assert chosen(["m5", "factor3"], 1) == ["m3"]
    with pytest.raises(InputError, match=r"^motifs.meme: has no motif 'CTCF'; it has m2, m3, m4, m5, m6, …$"):
        chosen(["m2", "CTCF"], 0)


@pytest.mark.parametrize("both", [True, False])
def test_order_1_p_values_predict_the_hits_in_a_chain(tmp_path, both):
    """In a genome where letters repeat, order 0 is wrong by far, order 1 is right."""
    generator = np.random.default_rng(4)
    changes = np.where(generator.random(100_000) < 0.6, 0, generator.integers(0, 4, 100_000))
    path = write(tmp_path / "genome.fa", {"chr": (np.cumsum(changes) % 4).astype(np.uint8)})
    motif = Motif("m", np.array([[0.7, 0.1, 0.1, 0.1]] * 5 + [[0.1, 0.4, 0.4, 0.1]] * 2), DNA, sites=50)
    options = replace(
        SETTINGS, background="sequences", background_order=1, p_value=0.02, strands="both" if both else "single"
    )
    ratios = []
    for order in (0, 1):
        rows, summary = scan(path, [motif], replace(options, background_order=order))
        applied = max(float(row["p_value"]) for row in rows)  # that of the threshold
        ratios.append(summary.hits[0] / (applied * 100_000 * (1 + both)))
    assert abs(ratios[0] - 1) > 0.5
    assert ratios[1] == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("p_value", [1e-3, 1e-4])
@pytest.mark.parametrize("width", [6, 7, 8])
def test_hits_among_all_words_are_as_many_as_the_p_value_says(tmp_path, width, p_value):
    """Each word once: as many hits on each strand as the p-value of the least hit times the number of words."""
    words = np.stack(np.meshgrid(*[np.arange(4, dtype=np.uint8)] * width, indexing="ij"), axis=-1).reshape(-1, width)
    apart = np.concatenate([words, np.full((len(words), 1), DNA.unknown)], axis=1).ravel()
    motif = Motif("m", np.random.default_rng(width).dirichlet(np.full(4, 0.5), width), DNA, sites=50)
    path = write(tmp_path / "words.fa", {"all": apart})
    ready = IntegerMotif.from_log_odds(motif.log_odds(UNIFORM))
    if (threshold := ready.threshold(p_value)) is None:
        with pytest.raises(MotifcnnError, match=r"^no motif can reach p ≤ "):
            scan(path, [motif], replace(SETTINGS, p_value=p_value))
        return
    rows, _ = scan(path, [motif], replace(SETTINGS, p_value=p_value))
    expected = float(ready.p_values(np.array([threshold]))[0]) * len(words)
    assert expected == pytest.approx(round(expected), abs=1e-6)
    assert [sum(row["strand"] == strand for row in rows) for strand in "+-"] == [round(expected)] * 2
    assert round(expected) >= 1


class TwoThreads:
    """Stands for the ranks of two processes."""

    size = 2

    def __init__(self, rank, hits, agreed):
        self.rank, self.is_first, self._hits, self._agreed = rank, rank == 0, hits, agreed

    def check_readable(self, path):
        pass

    def send(self, data):
        self._hits.put(data)

    def receive(self, rank):
        return self._hits.get(timeout=20)

    def hand_out(self, data):
        if self.is_first:
            self._agreed.put(data)
            return data
        return self._agreed.get(timeout=20)


def test_processes_that_would_read_unlike_chunks_share_a_scan(tmp_path, monkeypatch):
    """One may have a GPU, which reads more at a time; their shares must be the same all the same."""

    class Unlike(genome_module.Scanner):
        def __init__(self, *args, threads, **others):
            super().__init__(*args, threads=1, **others)
            self.chunk = {1: 64, 2: 100}[threads]

    path, motifs = write(tmp_path / "g.fa", random_genome(5, (700, 300))), random_motifs(1, (4, 7))
    alone = io.BytesIO()
    scan_genome(path, motifs, SETTINGS, alone)
    monkeypatch.setattr(genome_module, "Scanner", Unlike)
    monkeypatch.setattr(division, "SHARE", 50)
    hits, agreed, outputs = Queue(), Queue(), [io.BytesIO(), io.BytesIO()]
    with ThreadPoolExecutor(2) as pool:
        work = [
            pool.submit(
                scan_genome, path, motifs, SETTINGS, outputs[rank], rank + 1, "cpu", TwoThreads(rank, hits, agreed)
            )
            for rank in (0, 1)
        ]
    assert [bool(done.result()) for done in work] == [True, True]
    assert outputs[0].getvalue() == alone.getvalue()
