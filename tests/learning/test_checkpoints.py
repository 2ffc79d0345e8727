import json
import math

import pytest
import torch
from safetensors.torch import save_file

from motifcnn.errors import InputError
from motifcnn.learning.adamw import AdamW
from motifcnn.learning.checkpoints import Checkpoint, load_checkpoint, save_checkpoint


def layer_and_optimiser(seed, steps=3):
    torch.manual_seed(seed)
    layer = torch.nn.Linear(4, 2)
    optimiser = AdamW(layer.parameters(), 0.01)
    for _ in range(steps):
        step(layer, optimiser)
    return layer, optimiser


def step(layer, optimiser):
    optimiser.zero_grad()
    layer(torch.ones(3, 4)).square().sum().backward()
    optimiser.step(0.1, 1.0)


def state_of(layer, optimiser):
    taken = Checkpoint.take(layer, optimiser)
    history = ((1, 0.1, 2.0, 3.0, 0.5), (2, 0.05, 1.0, 2.5, math.nan))
    return Checkpoint(taken.weights, {"weight": torch.ones(2, 4)}, taken.optimiser, 2, 1, 2.5, history)


def test_what_is_written_is_read_back(tmp_path):
    state = state_of(*layer_and_optimiser(0))
    save_checkpoint(tmp_path / "state", state)
    back = load_checkpoint(tmp_path / "state")
    for part in ("weights", "best", "optimiser"):
        before, after = getattr(state, part), getattr(back, part)
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)
    assert (back.epoch, back.best_epoch, back.best_cost) == (2, 1, 2.5)
    assert back.history[0] == state.history[0]
    assert math.isnan(back.history[1][4])


def test_an_optimiser_goes_on_exactly(tmp_path):
    layer, optimiser = layer_and_optimiser(0)
    save_checkpoint(tmp_path / "state", state_of(layer, optimiser))
    other, other_optimiser = layer_and_optimiser(1, steps=0)
    load_checkpoint(tmp_path / "state").put_into(other, other_optimiser)
    for _ in range(3):
        step(layer, optimiser)
        step(other, other_optimiser)
    assert torch.equal(layer.weight, other.weight)
    assert torch.equal(layer.bias, other.bias)


def test_before_the_first_epoch_the_best_is_what_the_weights_were():
    layer, optimiser = layer_and_optimiser(0, steps=0)
    before = layer.weight.detach().clone()
    state = Checkpoint.begin(layer, optimiser)
    step(layer, optimiser)
    assert torch.equal(state.best["weight"], before)
    assert (state.epoch, state.best_epoch, state.best_cost, state.history) == (0, 0, math.inf, ())


def damaged_files(tmp_path):
    whole = tmp_path / "whole"
    save_checkpoint(whole, state_of(*layer_and_optimiser(0)))
    text = whole.read_bytes()
    for name, content in {"empty": b"", "cut": text[:-40], "text": b"no checkpoint at all\n"}.items():
        (tmp_path / name).write_bytes(content)
        yield tmp_path / name
    tensors = {"weights/weight": torch.ones(2)}
    progress = {"epoch": 1, "best_epoch": 1, "best_cost": 1.0, "history": []}
    for name, (content, metadata) in {
        "without progress": (tensors, {"motifcnn": "{}"}),
        "without metadata": (tensors, None),
        "progress cut": (tensors, {"progress": json.dumps(progress)[:20]}),
        "history missing": (tensors, {"progress": json.dumps(progress | {"history": None})}),
        "epoch missing": (tensors, {"progress": json.dumps({"history": []})}),
        "another part": ({"other/weight": torch.ones(2)}, {"progress": json.dumps(progress)}),
        "no part": ({"weight": torch.ones(2)}, {"progress": json.dumps(progress)}),
    }.items():
        save_file(content, tmp_path / name, metadata)
        yield tmp_path / name
    yield tmp_path / "missing"


def test_damaged_files_are_refused(tmp_path):
    for path in damaged_files(tmp_path):
        with pytest.raises(InputError) as caught:
            load_checkpoint(path)
        assert str(caught.value).startswith(f"{path}: is no checkpoint to resume from ("), path.name
        assert str(caught.value).endswith("); start again with --force"), path.name


def test_a_failed_write_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "state"
    state = state_of(*layer_and_optimiser(0))
    save_checkpoint(path, state)
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        save_checkpoint(path, Checkpoint({"weight": None}, {}, {}))
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["state"]
