import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.encoding import EncodedSequences
from motifcnn.errors import InputError, InterruptedRun, MotifcnnError
from motifcnn.inputs.shuffles import Shuffles
from motifcnn.learning import training
from motifcnn.learning.adamw import AdamW
from motifcnn.learning.checkpoints import load_checkpoint, save_checkpoint
from motifcnn.learning.training import TrainingData, predict_logits, train
from motifcnn.model.network import MotifNetwork
from motifcnn.objectives import Objective
from motifcnn.ranks import ALONE
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, TrainingSettings

MODEL = ModelSettings(filters=4, filter_width=6, restarts=2, strands="both")
DEEP = replace(MODEL, pool=4, conv_layers=1, conv_filters=3, conv_width=3)
SETTINGS = TrainingSettings(epochs=4, batch_size=16, patience=8)
SITE = DNA.encode("TGACGTCA")


@pytest.fixture
def data(generator):
    """Sequences of which those with the label 1 hold a site; unequal lengths."""
    codes = [generator.integers(0, 4, length).astype(np.uint8) for length in generator.integers(20, 40, 90)]
    labels = np.arange(90) % 2
    for sequence, label in zip(codes, labels, strict=True):
        if label:
            start = generator.integers(0, len(sequence) - 7)
            sequence[start : start + 8] = SITE
    sequences = Sequences.from_list([f"s{n}" for n in range(90)], codes, DNA)
    values = labels[:, None].astype(np.float32)
    return TrainingData(EncodedSequences(sequences), values, np.arange(66), np.arange(66, 90))


def network_of(model=MODEL):
    return MotifNetwork(model, DNA, 0, 1, seed=3)


def objective_of(data):
    return Objective.from_training_set("binary", ("label",), (), data.values[data.train], weigh_classes=True)


def run(data, settings=SETTINGS, model=MODEL, **options):
    network = network_of(model)
    history = train(network, objective_of(data), data, settings, **{"seed": 5, **options})
    return network, history


def weights_of(network):
    return {name: tensor.numpy().tobytes() for name, tensor in network.state_dict().items()}


class Stop(Exception):
    """Stands for the end of the process."""


def stop_after(epochs, error=Stop):
    def on_epoch(report):
        if report.record.epoch == epochs:
            raise error

    return on_epoch


def losses_of(network, data, indices):
    logits = predict_logits(network, data.encoded, indices)[:, None]
    return float(objective_of(data).loss(logits, torch.from_numpy(data.values[indices])))


def test_same_seed_same_bytes_and_another_seed_others(data):
    network, history = run(data)
    again, history_again = run(data)
    other, _ = run(data, seed=6)
    assert weights_of(network) == weights_of(again)
    assert history == history_again
    assert weights_of(network)["filters.weight"] != weights_of(other)["filters.weight"]


def test_draws_nothing_from_the_global_generator(data):
    torch.manual_seed(1)
    first, _ = run(data)
    state = torch.random.get_rng_state()
    torch.manual_seed(2)
    second, _ = run(data)
    assert weights_of(first) == weights_of(second)
    torch.manual_seed(1)
    assert (torch.random.get_rng_state() == state).all()


@pytest.mark.parametrize("model", [MODEL, DEEP], ids=["one layer", "two layers"])
@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_resuming_after_any_epoch_is_as_if_never_stopped(data, tmp_path, model, epochs):
    whole, history = run(data, model=model)
    checkpoint = tmp_path / "checkpoint"
    with pytest.raises(Stop):
        run(data, model=model, checkpoint=checkpoint, on_epoch=stop_after(epochs))
    seen = []
    resumed, resumed_history = run(
        data, model=model, checkpoint=checkpoint, resume=True, on_epoch=lambda report: seen.append(report.record.epoch)
    )
    assert seen == list(range(epochs + 1, 5))
    assert weights_of(resumed) == weights_of(whole)
    assert resumed_history == history


@pytest.mark.parametrize("part", ["optimiser", "weights"])
def test_a_state_of_another_version_is_refused(data, tmp_path, part):
    checkpoint = tmp_path / "checkpoint"
    with pytest.raises(Stop):
        run(data, checkpoint=checkpoint, on_epoch=stop_after(1))
    state = load_checkpoint(checkpoint)
    named = getattr(state, part)
    save_checkpoint(checkpoint, replace(state, **{part: {f"old.{name}": tensor for name, tensor in named.items()}}))
    with pytest.raises(
        InputError, match="checkpoint: holds the state of another network, or of another version; start"
    ):
        run(data, checkpoint=checkpoint, resume=True)


AUGMENTED = replace(
    SETTINGS, augment_shift=5, augment_substitutions=0.1, augment_indels=3, clean_epochs=0.25
)  # three epochs, and a clean one


def letters_in(monkeypatch):
    """Return the letters that each training step is given, as they come, with where its step begins."""
    given, batch = [], EncodedSequences.batch

    def watched(self, indices, places=None):
        made = batch(self, indices, places)
        inside = torch.arange(made.codes.shape[1]) < made.lengths[:, None]
        given.append({int(i): made.codes[n][inside[n]].tolist() for n, i in enumerate(indices)})
        return made

    monkeypatch.setattr(EncodedSequences, "batch", watched)
    return given


def test_sequences_are_changed_anew_in_each_epoch_and_not_at_the_end_nor_for_validation(data, monkeypatch):
    given = letters_in(monkeypatch)
    run(data, AUGMENTED)
    epochs = [{k: v for part in given[first : first + 6] for k, v in part.items()} for first in range(0, len(given), 6)]
    true = {int(i): data.encoded.batch(torch.tensor([i])).codes[0].tolist() for i in range(90)}
    assert len(epochs) == 4
    assert all(sorted(epoch) == list(range(90)) for epoch in epochs)
    for epoch in epochs:  # five training steps, and one of validation
        assert all(epoch[i] == true[i] for i in data.validation)
    for i in data.train:
        assert len({tuple(epoch[i]) for epoch in epochs}) == 4
        assert {len(epoch[i]) for epoch in epochs} == {len(true[i])}
        assert epochs[3][i] == true[i]


@pytest.fixture
def shuffled(data):
    """The same, of which the negatives of the training set may be shuffled."""
    negatives = data.train[data.values[data.train, 0] == 0]
    codes = [data.encoded.batch(torch.tensor([n])).codes[0].numpy() for n in negatives]
    sequences = Sequences.from_list([f"s{n}" for n in negatives], codes, DNA)
    return replace(data, shuffles=Shuffles(negatives, sequences, k=2, seed=7))


def test_shuffles_are_drawn_anew_in_each_epoch_and_the_others_shown_as_they_are(shuffled, monkeypatch):
    true = {int(i): shuffled.encoded.batch(torch.tensor([i])).codes[0].tolist() for i in range(90)}
    given = letters_in(monkeypatch)
    run(shuffled)
    epochs = [{k: v for part in given[first : first + 6] for k, v in part.items()} for first in range(0, len(given), 6)]
    assert len(epochs) == 4
    negatives = shuffled.shuffles.examples.tolist()
    for number, epoch in enumerate(epochs):
        drawn = shuffled.shuffles.drawn(number)
        expected = true | {i: drawn[row].tolist() for row, i in enumerate(negatives)}
        assert epoch == expected
    assert all(len({tuple(epoch[i]) for epoch in epochs} - {tuple(true[i])}) > 1 for i in negatives)


@pytest.mark.parametrize("epochs", [1, 3])
def test_resuming_with_shuffles_is_as_if_never_stopped(shuffled, tmp_path, epochs):
    whole, history = run(shuffled)
    with pytest.raises(Stop):
        run(shuffled, checkpoint=tmp_path / "state", on_epoch=stop_after(epochs))
    resumed, resumed_history = run(shuffled, checkpoint=tmp_path / "state", resume=True)
    assert weights_of(resumed) == weights_of(whole)
    assert resumed_history == history


@pytest.mark.parametrize("epochs", [1, 3])
def test_resuming_an_augmented_training_is_as_if_never_stopped(data, tmp_path, epochs):
    whole, history = run(data, AUGMENTED)
    assert history != run(data)[1]
    with pytest.raises(Stop):
        run(data, AUGMENTED, checkpoint=tmp_path / "state", on_epoch=stop_after(epochs))
    resumed, resumed_history = run(data, AUGMENTED, checkpoint=tmp_path / "state", resume=True)
    assert weights_of(resumed) == weights_of(whole)
    assert resumed_history == history


def test_changes_depend_neither_on_batches_nor_on_processes(data, monkeypatch, together):
    found = []
    for size, batch_size in ((1, 16), (1, 7), (2, 16)):
        settings = replace(AUGMENTED, epochs=1, clean_epochs=0.0, batch_size=batch_size)
        with monkeypatch.context() as patch:
            given = letters_in(patch)
            together(size, lambda ranks, settings=settings: run(data, settings, ranks=ranks))
        found.append({k: v for part in given for k, v in part.items()})
    assert found[0] == found[1] == found[2]
    assert sorted(found[0]) == list(range(90))


def test_processes_take_the_augmented_steps_of_one(data, together):
    network, history = run(data, AUGMENTED)
    for other, found in together(2, lambda ranks: run(data, AUGMENTED, ranks=ranks)):
        assert losses_in(found) == pytest.approx(losses_in(history), abs=1e-4)
        logits, expected = (predict_logits(n, data.encoded, np.arange(90)) for n in (other, network))
        assert torch.allclose(logits, expected, atol=5e-3)


def test_does_not_stop_before_the_clean_end(data, monkeypatch):
    validate, losses = training._Loop._validate, []

    def worse(self):
        losses.append(len(losses))
        return losses[-1], validate(self)[1]

    monkeypatch.setattr(training._Loop, "_validate", worse)
    _, history = run(data, replace(AUGMENTED, epochs=8, patience=1))
    assert len(history) == 7  # the clean fourth begins with the seventh, which is no better than the first


def test_learns_a_site_that_moves(data):
    settings = replace(AUGMENTED, epochs=25, learning_rate=0.02)
    _, history = run(data, settings)
    assert max(record.validation_score for record in history) > 0.9


def test_stopped_in_the_middle_of_an_epoch_resumes_from_its_start(data, tmp_path, monkeypatch):
    whole, history = run(data)
    checkpoint = tmp_path / "checkpoint"
    original, steps = Objective.loss, []

    def loss(*arguments):
        steps.append(1)
        if len(steps) == 9:  # 5 training steps and a validation an epoch: the third step of the second
            raise Stop
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Objective, "loss", loss)
        with pytest.raises(Stop):
            run(data, checkpoint=checkpoint)
    resumed, resumed_history = run(data, checkpoint=checkpoint, resume=True)
    assert weights_of(resumed) == weights_of(whole)
    assert resumed_history == history


@pytest.mark.parametrize("resume", [True, False])
def test_without_a_checkpoint_or_without_resume_it_starts_again(data, tmp_path, resume):
    checkpoint = tmp_path / "checkpoint"
    if not resume:
        run(data, checkpoint=checkpoint)
    seen = []
    run(data, checkpoint=checkpoint, resume=resume, on_epoch=lambda report: seen.append(report.record.epoch))
    assert seen == [1, 2, 3, 4]


def test_resuming_a_finished_run_trains_no_further(data, tmp_path):
    whole, history = run(data, checkpoint=tmp_path / "checkpoint")
    seen = []
    resumed, again = run(data, checkpoint=tmp_path / "checkpoint", resume=True, on_epoch=seen.append)
    assert seen == []
    assert again == history
    assert weights_of(resumed) == weights_of(whole)


def test_no_checkpoint_is_written_unasked(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(data)
    assert not list(tmp_path.iterdir())


def test_stops_when_no_longer_better_and_keeps_the_best_epoch(data):
    settings = replace(SETTINGS, epochs=60, patience=2, learning_rate=0.1)
    network, history = run(data, settings)
    losses = [record.validation_loss for record in history]
    best = int(np.argmin(losses))
    assert len(history) < 60
    assert len(history) - 1 - best == 2
    assert not network.training
    assert losses_of(network, data, data.validation) == pytest.approx(losses[best], rel=1e-6)


def test_learns_the_site(data):
    settings = replace(SETTINGS, epochs=40, learning_rate=0.02)
    network, history = run(data, settings)
    assert max(record.validation_score for record in history) > 0.9
    assert losses_of(network, data, data.train) < losses_of(network_of(), data, data.train) / 2


@pytest.mark.parametrize("after", [1, 3])
def test_ctrl_c_keeps_the_best_weights_and_says_when(data, tmp_path, after):
    settings = replace(SETTINGS, learning_rate=0.1)
    network = network_of()
    records = []

    def on_epoch(report):
        records.append(report.record)
        stop_after(after, KeyboardInterrupt)(report)

    with pytest.raises(InterruptedRun, match=f"^interrupted in epoch {after + 1} of at most 4$"):
        train(network, objective_of(data), data, settings, seed=5, checkpoint=tmp_path / "state", on_epoch=on_epoch)
    best = min(record.validation_loss for record in records)
    assert losses_of(network, data, data.validation) == pytest.approx(best, rel=1e-6)
    whole, _ = run(data, settings)
    resumed, _ = run(data, settings, checkpoint=tmp_path / "state", resume=True)
    assert weights_of(resumed) == weights_of(whole)


@pytest.mark.parametrize("warmup", [0.0, 0.5, 1.0])
def test_learning_rate_rises_then_falls_by_half_a_cosine(data, warmup):
    settings = replace(SETTINGS, warmup=warmup, learning_rate=0.01)
    _, history = run(data, settings)
    steps = math.ceil(66 / 16)
    total = 4 * steps
    warm = max(1, round(warmup * total))
    for record in history:
        step = record.epoch * steps - 1
        falling = 0.01 + 0.99 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm))) / 2
        expected = 0.01 * ((step + 1) / warm if step < warm else falling)
        assert record.learning_rate == pytest.approx(expected)


def test_reports_after_each_epoch(data):
    reports = []
    _, history = run(data, on_epoch=reports.append)
    assert [report.record for report in reports] == history
    assert [report.epochs for report in reports] == [4] * 4
    assert [report.seconds_left > 0 for report in reports] == [True, True, True, False]


def test_gradient_is_clipped(data):
    """AdamW hardly feels the size of a gradient, but moments are those of clipped ones."""
    settings = replace(SETTINGS, epochs=1, batch_size=66, gradient_clip=1e-3)
    norms = []
    original = AdamW.step

    def step(optimiser, *arguments):
        original(optimiser, *arguments)
        norms.append(float(torch.stack([p.grad.norm() for p in optimiser.parameters]).norm()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AdamW, "step", step)
        run(data, settings)
    assert norms == [pytest.approx(1e-3 * 2**0.5, rel=1e-2)]  # as large as each of two restarts might have


@pytest.mark.parametrize("decay", [0.0, 10.0])
def test_weight_decay_shrinks_matrices_and_not_biases(data, decay):
    settings = replace(SETTINGS, epochs=1, weight_decay=decay)
    network, _ = run(data, settings)
    plain, _ = run(data, replace(settings, weight_decay=0.0))
    if decay:
        assert network.filters.weight.norm() < 0.9 * plain.filters.weight.norm()
    else:
        assert weights_of(network) == weights_of(plain)


@pytest.mark.parametrize("model", [MODEL, DEEP, replace(DEEP, activation="exp")], ids=["one layer", "two", "exp"])
def test_bf16_trains_nearly_alike(data, model):
    network, history = run(data, replace(SETTINGS, precision="bf16"), model)
    exact, exact_history = run(data, replace(SETTINGS, precision="float32"), model)
    losses, exact_losses = ([record.train_loss for record in records] for records in (history, exact_history))
    assert losses == pytest.approx(exact_losses, rel=0.05)
    assert weights_of(network) != weights_of(exact)
    assert {tensor.dtype for tensor in network.state_dict().values() if tensor.is_floating_point()} == {torch.float32}


def test_predictions_do_not_depend_on_batches_or_order(data, monkeypatch):
    network, _ = run(data)
    indices = np.arange(90)
    logits = predict_logits(network, data.encoded, indices)
    assert torch.allclose(predict_logits(network, data.encoded, indices[::-1].copy()), logits.flip(0), atol=1e-5)
    monkeypatch.setattr("motifcnn.learning.training.PREDICTION_BATCH", 7)
    assert torch.allclose(predict_logits(network, data.encoded, indices), logits, atol=1e-5)


def test_no_examples_give_no_predictions(data):
    assert predict_logits(network_of(), data.encoded, np.empty(0, dtype=np.int64)).shape == (0, 1)


TASKS = {
    "binary": ("label",),
    "multi-label": ("one", "other"),
    "regression": ("one", "other"),
    "classes": ("kind",),
}


def of_task(data, task, generator):
    """The same sequences with targets of a task; where there are several, a third of the values is missing."""
    values = data.values.copy()
    if len(TASKS[task]) > 1:
        values = np.concatenate([values, generator.integers(0, 2, (90, 1)).astype(np.float32)], axis=1)
        values[generator.random((90, 2)) < 0.3] = np.nan
    targets, classes = TASKS[task], ("no", "yes") if task == "classes" else ()
    objective = Objective.from_training_set(task, targets, classes, values[data.train], weigh_classes=True)
    return replace(data, values=values), objective


def losses_in(history):
    return np.array([(record.train_loss, record.validation_loss) for record in history])


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize(
    ("model", "task"),
    [(MODEL, "binary"), (MODEL, "multi-label"), (DEEP, "regression"), (MODEL, "classes")],
)
def test_processes_take_the_steps_of_one(data, generator, together, model, task, size):
    data, objective = of_task(data, task, generator)
    settings = replace(SETTINGS, batch_size=13)  # the last batch of 66 examples has 1, fewer than processes
    assert size > 66 % 13

    def run(ranks=ALONE):
        network = MotifNetwork(model, DNA, 0, objective.outputs, seed=3)
        return network, train(network, objective, data, settings, seed=5, ranks=ranks)

    network, history = run()
    shares = together(size, run)
    for other, found in shares:
        assert losses_in(found) == pytest.approx(losses_in(history), abs=1e-4)
        assert weights_of(other) == weights_of(shares[0][0])
        logits, expected = (predict_logits(n, data.encoded, np.arange(90)) for n in (other, network))
        assert torch.allclose(logits, expected, atol=5e-3)


def test_a_process_reads_the_letters_of_its_share_only(data, together, monkeypatch):
    """Whatever the other sequences' letters are, it does the same."""
    monkeypatch.setattr(training, "PREDICTION_BATCH", 8)
    encoded = data.encoded.batch(torch.arange(90))
    letters = [codes[:length].numpy() for codes, length in zip(encoded.codes, encoded.lengths.tolist(), strict=True)]
    read = [set(), set()]

    def one_epoch(ranks, *, spoil):
        own = [
            (codes + 1) % 4 if spoil and number not in read[ranks.rank] else codes
            for number, codes in enumerate(letters)
        ]
        encoded = EncodedSequences(Sequences.from_list([f"s{n}" for n in range(90)], own, DNA))
        batch = encoded.batch

        def noted(indices, places=None):
            read[ranks.rank].update(indices.tolist())
            return batch(indices, places)

        encoded.batch = noted
        return run(replace(data, encoded=encoded), replace(SETTINGS, epochs=1), ranks=ranks)

    expected = together(2, lambda ranks: one_epoch(ranks, spoil=False))
    assert not read[0] & read[1]
    assert read[0] | read[1] == set(range(90))
    for (network, history), (other, found) in zip(
        expected, together(2, lambda ranks: one_epoch(ranks, spoil=True)), strict=True
    ):
        assert weights_of(other) == weights_of(network)
        assert found == history


def test_processes_that_resume_are_as_if_never_stopped(data, together, tmp_path):
    checkpoint = tmp_path / "checkpoint"
    whole = together(2, lambda ranks: run(data, ranks=ranks))
    with pytest.raises(Stop):
        together(2, lambda ranks: run(data, ranks=ranks, checkpoint=checkpoint, on_epoch=stop_after(2)))

    def resume(ranks):
        own = checkpoint if ranks.is_first else tmp_path / "of another machine"
        return run(data, ranks=ranks, checkpoint=own, resume=True)

    for (resumed, history), (network, expected) in zip(together(2, resume), whole, strict=True):
        assert weights_of(resumed) == weights_of(network)
        assert history == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint"]


@pytest.mark.parametrize("rare", [False, True])
def test_where_positives_are_rare_the_epoch_of_the_best_average_precision_is_kept(data, monkeypatch, rare):
    losses, snapshots = [], []
    validate = training._Loop._validate

    def scored(self):
        losses.append(validate(self)[0])
        return losses[-1], [0.2, 0.5, 0.4, 0.5][len(losses) - 1]

    monkeypatch.setattr(training._Loop, "_validate", scored)
    network, objective = network_of(), replace(objective_of(data), rare=rare)
    train(network, objective, data, SETTINGS, seed=5, on_epoch=lambda _: snapshots.append(weights_of(network)))
    assert np.argmin(losses) != 1
    assert snapshots.index(weights_of(network)) == (1 if rare else np.argmin(losses))


def test_epochs_follow_the_size_of_the_training_set(data):
    assert [training.epochs_for(n) for n in (1, 80_000, 100_000, 800_000, 10**9)] == [25, 25, 20, 3, 3]
    _, history = run(data, replace(SETTINGS, epochs=0))
    assert len(history) == 25


def full_above(monkeypatch, most, first=0):
    """Let the device hold so many examples of a training batch, from some step on."""
    step, taken = training._Loop._step, []

    def limited(self, indices, number):
        taken.append(len(indices))
        if len(taken) > first and len(indices) > most:
            raise torch.cuda.OutOfMemoryError("simulated")
        return step(self, indices, number)

    monkeypatch.setattr(training._Loop, "_step", limited)


@pytest.mark.parametrize("first", [0, 3])
def test_where_memory_is_full_training_is_that_with_smaller_batches_from_the_start(data, monkeypatch, caplog, first):
    expected, history = run(data, replace(SETTINGS, batch_size=5))
    full_above(monkeypatch, 5, first)  # at the first step, or when some have changed the network already
    found, history_found = run(data, replace(SETTINGS, batch_size=20))
    assert weights_of(found) == weights_of(expected)
    assert history_found == history
    said = [message for message in caplog.messages if "memory" in message]
    assert said == [
        "the device's memory is full with batches of 20; going on with batches of 10",
        "the device's memory is full with batches of 10; going on with batches of 5",
    ]


def test_memory_that_fills_later_starts_that_epoch_again_with_smaller_batches(data, monkeypatch):
    whole, history = run(data)
    full_above(monkeypatch, 8, first=6)  # an epoch has five steps
    network, found = run(data)
    assert [record.epoch for record in found] == [1, 2, 3, 4]
    assert found[0] == history[0]
    assert found[1].train_loss != history[1].train_loss
    assert weights_of(network) != weights_of(whole)


def test_several_processes_say_which_batches_to_ask_for(data, monkeypatch):
    class Two:
        rank, size, is_first = 0, 2, True

        def copy_first(self, values):
            pass

    full_above(monkeypatch, 5)
    with pytest.raises(MotifcnnError, match=r"memory is full \(simulated\); start again: give --batch-size 8"):
        train(network_of(), objective_of(data), data, SETTINGS, seed=5, ranks=Two())


def test_predictions_do_not_depend_on_how_much_memory_holds(data, monkeypatch):
    network, _ = run(data, replace(SETTINGS, epochs=1))
    expected = predict_logits(network, data.encoded, data.train)
    logits = network.logits

    def limited(batch):
        if len(batch.lengths) > 10:
            raise torch.cuda.OutOfMemoryError("simulated")
        return logits(batch)

    monkeypatch.setattr(network, "logits", limited)
    assert torch.allclose(predict_logits(network, data.encoded, data.train), expected, atol=1e-6)


BASES = ModelSettings(filters=4, filter_width=1, restarts=2, pool=1, summary="bases", strands="single")


@pytest.fixture
def base_data(generator):
    """The target of a base is 1 where its letter is G, so that a row out of place would leave nothing to learn."""
    codes = [generator.integers(0, 4, length).astype(np.uint8) for length in generator.integers(5, 30, 90)]
    sequences = Sequences.from_list([f"s{n}" for n in range(90)], codes, DNA)
    values = (sequences.codes == 2)[:, None].astype(np.float32)
    values[::11] = np.nan
    return TrainingData(EncodedSequences(sequences), values, np.arange(0, 66), np.arange(66, 90)[::-1].copy(), True)


def bases_trained(data, ranks=ALONE):
    network = MotifNetwork(BASES, DNA, 0, 1, seed=3)
    objective = Objective.from_training_set("binary", ("g",), (), data.values, weigh_classes=True)
    settings = replace(SETTINGS, learning_rate=0.1)
    return network, train(network, objective, data, settings, seed=5, ranks=ranks)


def test_each_base_learns_its_own_value(base_data):
    network, history = bases_trained(base_data)
    assert history[-1].validation_score == pytest.approx(1.0)
    assert history[-1].validation_loss < 0.2
    logits = predict_logits(network, base_data.encoded, np.array([7, 3]))
    rows = base_data.rows(torch.tensor([7, 3])).numpy()
    assert ((logits[:, 0] > 0).numpy() == (base_data.values[rows, 0] == 1))[~np.isnan(base_data.values[rows, 0])].all()


def test_processes_share_the_bases_of_a_batch(base_data, together):
    network, history = bases_trained(base_data)
    for other, found in together(2, lambda ranks: bases_trained(base_data, ranks)):
        assert losses_in(found) == pytest.approx(losses_in(history), abs=1e-4)
        logits, expected = (predict_logits(n, base_data.encoded, np.arange(90)) for n in (other, network))
        assert torch.allclose(logits, expected, atol=5e-3)
