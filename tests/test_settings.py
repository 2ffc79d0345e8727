from dataclasses import replace

import pytest

from motifcnn.errors import InputError
from motifcnn.settings import (
    ModelSettings,
    MotifSettings,
    Settings,
    first_problem,
    from_toml,
    help_text,
    to_dict,
    to_toml,
)


def read(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return from_toml(path)


def test_settings_survive_toml(tmp_path):
    changed = replace(Settings(), seed=7, model=replace(ModelSettings(), filters=3, dropout=0.25))
    changed = replace(changed, split=replace(changed.split, test_chroms=("chr1", "chr2")))
    assert read(tmp_path, to_toml(changed)) == changed


def test_what_is_not_mentioned_keeps_its_default(tmp_path):
    assert read(tmp_path, "[model]\nfilters = 5\n") == replace(Settings(), model=ModelSettings(filters=5))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model]\nfilter = 5", r"unknown setting 'model.filter'; the settings here are .*model.filters"),
        ("seed = 'a'", "setting seed = 'a': a whole number is needed"),
        ("[model]\nactivation = 'tanh'", "one of relu, exp"),
        ("[training]\nclass_weights = 1", "true or false"),
        ("[split]\ntest_chroms = 'chr1'", "a list of words"),
        ("[training]\nlearning_rate = true", "a number"),
        ("model = 3", r"\[model\] must be a table"),
        ("a = [", "is not TOML"),
    ],
)
def test_faults_are_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        from_toml(tmp_path / "none.toml")


def test_every_setting_has_help():
    def walk(section, table):
        for name, value in table.items():
            if isinstance(value, dict):
                walk(type(getattr(Settings(), name)), value)
            else:
                assert help_text(section, name).endswith(".")

    walk(Settings, to_dict(Settings()))


def test_impossible_values_are_found():
    assert first_problem(Settings()) is None
    assert "dropout" in first_problem(replace(Settings(), model=ModelSettings(dropout=1.0)))
    assert "filters" in first_problem(replace(Settings(), model=ModelSettings(conv_filters=0)))
    narrow = replace(Settings(), motifs=MotifSettings(min_motif_width=2, background_order=2))
    assert first_problem(narrow) == "--background-order reaches past a motif; make it less than --min-motif-width"
    assert first_problem(replace(narrow, motifs=replace(narrow.motifs, min_motif_width=3))) is None
