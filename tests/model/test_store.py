import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from motifcnn.alphabet import DNA, PROTEIN, RNA
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.errors import InputError
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import SCHEMA_VERSION, TrainedModel, load_model, save_model
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

SMALL = ModelSettings(filters=3, filter_width=4, restarts=2, strands="single")
DEEP = replace(SMALL, pool=3, conv_layers=2, conv_filters=2, conv_width=3, activation="exp")
BINARY = Objective("binary", ("label",), weights=(2.5,))
OBJECTIVES = {
    "binary": BINARY,
    "multi-label": Objective("multi-label", ("a", "b"), weights=(1.0, 3.0)),
    "classes": Objective("classes", ("kind",), ("x", "y", "z"), weights=(1.0, 2.0, 0.5)),
    "regression": Objective("regression", ("a", "b"), means=(1.5, -2.0), deviations=(0.1, 3.0)),
}
SCALES = (TrackScale("phyloP", 0.25, 1.75), TrackScale("accessibility", 0.1, 1 / 3))


def model_of(settings=SMALL, objective=BINARY, alphabet=DNA, scales=(), softmask="keep", width=200):
    network = MotifNetwork(settings, alphabet, len(scales), objective.outputs, seed=4)
    with torch.no_grad():
        network.norm.running_mean.add_(0.5)
    return TrainedModel(network.eval(), objective, alphabet, scales, softmask, width)


def logits_of(model):
    codes = np.random.default_rng(0).integers(0, model.alphabet.size, 25).astype(np.uint8)
    sequences = Sequences.from_list(["s"], [codes], model.alphabet)
    tracks = np.random.default_rng(1).normal(size=(len(model.scales), 25)).astype(np.float32)
    with torch.no_grad():
        return model.network.logits(EncodedSequences(sequences, tracks, model.scales).batch(torch.tensor([0])))


@pytest.mark.parametrize("sums", [False, True])
@pytest.mark.parametrize("settings", [SMALL, DEEP], ids=["one layer", "three layers"])
@pytest.mark.parametrize("task", OBJECTIVES)
@pytest.mark.parametrize("alphabet", [DNA, RNA, PROTEIN], ids=lambda a: a.name)
def test_what_is_saved_is_loaded(tmp_path, add_sums, settings, task, alphabet, sums):
    model = model_of(settings, OBJECTIVES[task], alphabet, SCALES, softmask="mask", width=301)
    if sums:
        add_sums(model.network, 0.7, 1.0)
    save_model(tmp_path / "model", model)
    back = load_model(tmp_path / "model")
    assert (back.objective, back.alphabet, back.scales, back.softmask, back.width) == (
        model.objective, alphabet, SCALES, "mask", 301,
    )  # fmt: skip
    assert back.network.settings == settings
    assert not back.network.training
    assert torch.equal(logits_of(back), logits_of(model))


def test_same_model_same_bytes_and_no_pickle(tmp_path):
    for name in ("first", "second"):
        save_model(tmp_path / name, model_of())
    content = (tmp_path / "first").read_bytes()
    assert content == (tmp_path / "second").read_bytes()
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert header.keys() - {"__metadata__"} == model_of().network.state_dict().keys()


def rewritten(path, change):
    """Save a model with another description."""
    save_model(path, model_of())
    with safe_open(path, framework="pt") as file:
        description = json.loads(file.metadata()["motifcnn"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    save_file(tensors, path, {"motifcnn": json.dumps(change(description, tensors))})


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, "2", None])
def test_a_newer_schema_is_refused(tmp_path, version):
    path = tmp_path / "model"
    rewritten(path, lambda description, _: description | {"schema_version": version})
    with pytest.raises(InputError) as caught:
        load_model(path)
    assert str(caught.value) == (
        f"{path}: was written by a newer motifcnn (model schema {version}, this one reads up to {SCHEMA_VERSION}); "
        "upgrade motifcnn"
    )


def test_a_network_of_before_placement_is_read(tmp_path):
    path = tmp_path / "model"

    def of_schema_1(description, tensors):
        tensors.pop("placement.values")
        return description | {"schema_version": 1, "model": without(description["model"], "placement")}

    rewritten(path, of_schema_1)
    assert load_model(path).network.placement is None


def without(description, name):
    return {key: value for key, value in description.items() if key != name}


def drop_a_tensor(description, tensors):
    del tensors["head"]
    return description


@pytest.mark.parametrize(
    "change",
    [
        lambda d, _: without(d, "alphabet"),
        lambda d, _: without(d, "objective"),
        lambda d, _: d | {"alphabet": "klingon"},
        lambda d, _: d | {"model": d["model"] | {"filters": 7}},
        lambda d, _: d | {"model": d["model"] | {"colour": "red"}},
        lambda d, _: d | {"objective": []},
        drop_a_tensor,
    ],
)
def test_damaged_models_are_refused(tmp_path, change):
    path = tmp_path / "model"
    rewritten(path, change)
    with pytest.raises(InputError, match=r": is a damaged motifcnn model \(.+\); train it again$"):
        load_model(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"MEME version 4\n", "cut", "another", "list"])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "model"
    if content == "cut":
        save_model(path, model_of())
        path.write_bytes(path.read_bytes()[:-100])
    elif content == "another":
        save_file({"weight": torch.ones(2)}, path)
    elif content == "list":
        save_file({"weight": torch.ones(2)}, path, {"motifcnn": "[1]"})
    else:
        path.write_bytes(content)
    with pytest.raises(
        InputError, match=r": is not a motifcnn model \(.+\); give a run directory of .*, or train it again$"
    ):
        load_model(path)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"model: there is no model here; give a run directory of `motifcnn train`$"):
        load_model(tmp_path / "model")
