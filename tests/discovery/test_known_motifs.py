"""Known motifs: JASPAR against pyjaspar's own reading, files, refusals."""

import re
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.discovery.comparison import compare, relatives
from motifcnn.discovery.known_motifs import database_file, default_database, known_motifs
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.meme import write_meme
from motifcnn.motifs import Motif


def test_jaspar_is_the_default_database():
    pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    everything, fungi = default_database().motifs, default_database("Fungi").motifs
    assert len(everything) > 2000
    assert 100 < len(fungi) < 500
    names = [motif.name for motif in everything]
    assert len({name.split(".")[0] for name in names}) == len(names)  # the latest version of each only
    assert {motif.name for motif in fungi} < set(names)
    reb1 = next(motif for motif in fungi if motif.alternate_name == "REB1")
    assert "TTACCCG" in reb1.consensus or "CGGGTAA" in reb1.consensus


def test_the_default_database_is_what_pyjaspar_itself_fetches():
    pyjaspar = pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    jaspar = pyjaspar.jaspardb()
    theirs = {motif.matrix_id: motif for motif in jaspar.fetch_motifs(collection="CORE", tax_group=["nematodes"])}
    jaspar.conn.close()
    ours = default_database("nematodes").motifs
    assert {motif.name for motif in ours} == set(theirs)
    for motif in ours:
        counts = np.array([theirs[motif.name].counts[letter] for letter in "ACGT"]).T
        np.testing.assert_allclose(motif.probabilities, counts / counts.sum(axis=1, keepdims=True))
        assert motif.sites == counts.sum(axis=1).max()


def test_an_unknown_group_is_refused_with_the_known_ones():
    pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    with pytest.raises(MotifcnnError, match=r"JASPAR has no group 'fungus'; its groups are .*fungi, insects"):
        default_database("fungus")


def test_without_pyjaspar_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyjaspar", None)
    with pytest.raises(MotifcnnError, match=r'pip install "motifcnn\[databases\]" for JASPAR, or give --database'):
        default_database()


def test_families_are_those_of_pyjaspar():
    pyjaspar = pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    jaspar = pyjaspar.jaspardb()
    theirs = {
        motif.matrix_id: motif.tf_family for motif in jaspar.fetch_motifs(collection="CORE", tax_group=["nematodes"])
    }
    jaspar.conn.close()
    for motif in default_database("nematodes").motifs:
        assert motif.family == (theirs[motif.name][0] if theirs[motif.name] else "")


def test_an_ets_site_is_named_by_its_family():
    pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    site = Motif("m", np.eye(4)[DNA.encode("ACCGGAAGTG")] * 0.88 + 0.03, DNA, sites=100)
    found = relatives(compare([site], known_motifs("jaspar:vertebrates", DNA).motifs)[0])
    assert found.family == "Ets-related"
    assert len(found.members) >= 5


def test_a_file_of_motifs_will_do(tmp_path):
    motif = Motif("m", np.full((4, 4), 0.25), DNA)
    write_meme(tmp_path / "known.meme", [motif])
    known = known_motifs(str(tmp_path / "known.meme"), DNA)
    assert (known.source, [motif.name for motif in known.motifs]) == ("known.meme", ["m"])
    with pytest.raises(InputError, match="there is no such file"):
        known_motifs(str(tmp_path / "missing.meme"), DNA)
    with pytest.raises(InputError, match="protein"):
        known_motifs(str(tmp_path / "known.meme"), PROTEIN)


def test_dna_is_compared_with_all_of_jaspar_by_default_and_rna_and_protein_with_nothing(caplog):
    for alphabet in (RNA, PROTEIN):
        assert known_motifs("auto", alphabet).motifs == ()
    assert known_motifs("none", DNA).motifs == ()
    assert not caplog.records
    pytest.importorskip("pyjaspar", reason="pyjaspar is not installed")
    known = known_motifs("auto", DNA)
    assert re.fullmatch(r"JASPAR\d{4} CORE", known.source)
    assert len(known.motifs) > 2000
    assert known_motifs("jaspar:Fungi", DNA).source == f"{known.source}, fungi"


@pytest.mark.parametrize("fault", ["missing", "broken"])
def test_the_default_does_without_jaspar_where_it_is_not_to_be_had(monkeypatch, caplog, fault):
    class Broken:
        JASPAR_LATEST_RELEASE = "JASPAR2026"

        @staticmethod
        def jaspardb():
            raise sqlite3.DatabaseError("file is not a database")

    monkeypatch.setitem(sys.modules, "pyjaspar", None if fault == "missing" else Broken)
    caplog.set_level("INFO")
    assert known_motifs("auto", DNA).motifs == ()
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("motifs will not be compared with known ones: ")
    assert "give --database a MEME file, or none" in said
    assert ('pip install "motifcnn[databases]"' in said) == (fault == "missing")
    with pytest.raises(MotifcnnError, match="pyjaspar"):
        known_motifs("jaspar", DNA)


def test_jaspar_is_refused_for_protein():
    with pytest.raises(MotifcnnError, match="JASPAR holds no motifs of protein; give --database a file of them"):
        known_motifs("jaspar", PROTEIN)


@pytest.mark.parametrize("word", ["auto", "none", "None", "jaspar", "JASPAR", "jaspar:fungi"])
def test_words_are_no_files(word):
    assert database_file(word) is None


def test_whatever_is_no_word_is_a_file():
    assert database_file("known/jaspar.meme") == Path("known/jaspar.meme")
