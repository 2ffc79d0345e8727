from pathlib import Path
from xml.etree import ElementTree

import pytest

from motifcnn.formats.igv import write_igv_session


@pytest.mark.parametrize("locus", ["", "chr1:1-9"])
def test_paths_are_relative_to_the_session(tmp_path, monkeypatch, locus):
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    files = [("a <&> b", tmp_path / "out" / "x.bw"), ("second", tmp_path / "other" / "y.bed")]
    write_igv_session(Path("out/session.xml"), tmp_path / "genome.fa", files, locus)
    text = (tmp_path / "out" / "session.xml").read_text()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<Session ')
    root = ElementTree.fromstring(text)
    assert root.attrib == {"genome": "../genome.fa", "version": "8"} | ({"locus": locus} if locus else {})
    found = [(each.get("name"), each.get("path")) for each in root.findall("Resources/Resource")]
    assert found == [("a <&> b", "x.bw"), ("second", "../other/y.bed")]
