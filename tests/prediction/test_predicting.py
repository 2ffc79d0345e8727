import numpy as np
import pytest
import torch

from motifcnn.alphabet import DNA
from motifcnn.devices import choose_device
from motifcnn.encoding import EncodedSequences, TrackScale
from motifcnn.errors import InputError
from motifcnn.model.network import MotifNetwork
from motifcnn.model.store import TrainedModel, save_model
from motifcnn.objectives import Objective
from motifcnn.prediction import predicting
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings

CPU = choose_device("cpu")
SETTINGS = ModelSettings(filters=4, filter_width=5, restarts=2, strands="both")
BINARY = Objective("binary", ("bound",), weights=(1.0,))
OBJECTIVES = {
    "binary": BINARY,
    "multi-label": Objective("multi-label", ("a", "b"), weights=(1.0, 1.0)),
    "classes": Objective("classes", ("kind",), ("x", "y", "z"), weights=(1.0,) * 3),
    "regression": Objective("regression", ("level",), means=(10.0,), deviations=(2.0,)),
}
TEXTS = {"first": "ACGTTGCANNACGT", "second": "ttgacattgacaacgtaa", "third": "GGGGG"}


def predict_file(*arguments):
    return predicting.predict_file(*arguments).table()


def save(path, objective=BINARY, scales=(), softmask="keep", width=200):
    network = MotifNetwork(SETTINGS, DNA, len(scales), objective.outputs, seed=2)
    model = TrainedModel(network.eval(), objective, DNA, scales, softmask, width)
    save_model(path, model)
    return model


def write_fasta(path, texts=TEXTS):
    path.write_text("".join(f">{name} more words\n{text}\n" for name, text in texts.items()))
    return path


def expected(model, texts=TEXTS, tracks=None):
    codes = [DNA.encode(text) for text in texts.values()]
    encoded = EncodedSequences(Sequences.from_list(list(texts), codes, DNA), tracks, model.scales)
    with torch.no_grad():
        logits = torch.cat([model.network.logits(encoded.batch(torch.tensor([n]))) for n in range(len(texts))])
    return model.objective.predictions(logits).numpy()


@pytest.mark.parametrize("task", OBJECTIVES)
def test_one_row_a_sequence_and_one_column_an_output(tmp_path, task):
    model = save(tmp_path / "model", OBJECTIVES[task])
    table = predict_file(tmp_path / "model", write_fasta(tmp_path / "s.fa"), None, (), CPU)
    assert list(table.columns) == ["id", *OBJECTIVES[task].output_names]
    assert list(table["id"]) == list(TEXTS)
    assert table.iloc[:, 1:].to_numpy() == pytest.approx(expected(model), rel=1e-4)


def test_a_run_directory_stands_for_its_model(tmp_path):
    (tmp_path / "run").mkdir()
    save(tmp_path / "run" / "model.safetensors")
    path = write_fasta(tmp_path / "s.fa")
    table = predict_file(tmp_path / "run", path, None, (), CPU)
    assert table.equals(predict_file(tmp_path / "run" / "model.safetensors", path, None, (), CPU))


@pytest.mark.parametrize("width", [200, 60])
def test_windows_of_a_genome_are_cut_as_in_training(tmp_path, width):
    model = save(tmp_path / "model", width=width)
    generator = np.random.default_rng(0)
    chromosome = DNA.decode(generator.integers(0, 4, 900).astype(np.uint8))
    write_fasta(tmp_path / "genome.fa", {"chr1": chromosome})
    (tmp_path / "peaks.bed").write_text("chr1\t300\t500\nchr1\t450\t650\n")
    table = predict_file(tmp_path / "model", tmp_path / "peaks.bed", tmp_path / "genome.fa", (), CPU)
    half = width // 2
    texts = {"a": chromosome[400 - half : 400 + half], "b": chromosome[550 - half : 550 + half]}
    assert table["bound"].to_numpy() == pytest.approx(expected(model, texts)[:, 0], rel=1e-4)


@pytest.mark.parametrize("softmask", ["keep", "mask"])
def test_lower_case_of_a_genome_is_read_as_in_training(tmp_path, softmask):
    model = save(tmp_path / "model", softmask=softmask)
    chromosome = DNA.decode(np.random.default_rng(0).integers(0, 4, 300).astype(np.uint8))
    write_fasta(tmp_path / "genome.fa", {"chr1": chromosome[:100] + chromosome[100:180].lower() + chromosome[180:]})
    (tmp_path / "peaks.bed").write_text("chr1\t50\t250\n")
    table = predict_file(tmp_path / "model", tmp_path / "peaks.bed", tmp_path / "genome.fa", (), CPU)
    hidden = chromosome[:100] + "N" * 80 + chromosome[180:] if softmask == "mask" else chromosome
    assert table["bound"].to_numpy() == pytest.approx(expected(model, {"a": hidden[50:250]})[:, 0], rel=1e-4)


def test_lower_case_is_read_as_in_training(tmp_path):
    path = write_fasta(tmp_path / "s.fa")
    kept, masked = save(tmp_path / "kept"), save(tmp_path / "masked", softmask="mask")
    unknown = TEXTS | {"second": "N" * len(TEXTS["second"])}
    for name, model, texts in (("kept", kept, TEXTS), ("masked", masked, unknown)):
        table = predict_file(tmp_path / name, path, None, (), CPU)
        assert table["bound"].to_numpy() == pytest.approx(expected(model, texts)[:, 0], rel=1e-4)


def test_tracks_are_scaled_as_in_training(tmp_path):
    scales = (TrackScale("phyloP", 1.0, 2.0),)
    model = save(tmp_path / "model", scales=scales)
    tracks = {
        name: np.round(np.random.default_rng(len(text)).normal(size=len(text)), 3) for name, text in TEXTS.items()
    }
    rows = (f"{name}\t{','.join(map(str, values))}\n" for name, values in tracks.items())
    (tmp_path / "phylop.tsv").write_text("".join(rows))
    table = predict_file(tmp_path / "model", write_fasta(tmp_path / "s.fa"), None, (tmp_path / "phylop.tsv",), CPU)
    joined = np.concatenate(list(tracks.values()))[None].astype(np.float32)
    assert table["bound"].to_numpy() == pytest.approx(expected(model, tracks=joined)[:, 0], rel=1e-4)


@pytest.mark.parametrize(("given", "wanted"), [(0, 1), (1, 0), (2, 1)])
def test_another_number_of_tracks_is_refused(tmp_path, given, wanted):
    scales = (TrackScale("phyloP", 0.0, 1.0),) * wanted
    save(tmp_path / "model", scales=scales)
    path = write_fasta(tmp_path / "s.fa")
    (tmp_path / "t.tsv").write_text("third\t1,2,3,4,5\n")
    with pytest.raises(InputError) as caught:
        predict_file(tmp_path / "model", path, None, (tmp_path / "t.tsv",) * given, CPU)
    names = "phyloP" if wanted else "none"
    assert str(caught.value) == (
        f"{path}: the model was trained with {wanted} tracks ({names}) and {given} were given; "
        "repeat --conservation for each, in that order"
    )


def test_sequences_shorter_than_a_filter_are_refused(tmp_path):
    save(tmp_path / "model")
    path = write_fasta(tmp_path / "s.fa", TEXTS | {"short": "ACGT", "shorter": "ACG"})
    with pytest.raises(InputError) as caught:
        predict_file(tmp_path / "model", path, None, (), CPU)
    assert str(caught.value) == (
        f"{path}: 2 sequences are shorter than the model's filters of width 5 (first: short); remove or lengthen them"
    )


def test_letters_of_another_alphabet_are_refused(tmp_path):
    save(tmp_path / "model")
    path = write_fasta(tmp_path / "s.fa", {"protein": "MKLVEWFQ"})
    with pytest.raises(InputError, match=rf"^{path}:2: "):
        predict_file(tmp_path / "model", path, None, (), CPU)


def test_a_directory_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"model.safetensors: there is no model here; give a run directory"):
        predict_file(tmp_path, write_fasta(tmp_path / "s.fa"), None, (), CPU)


class Mail:
    """Stands for ranks: what others send is kept for the first."""

    def __init__(self, rank, size, sent):
        self.rank, self.size, self.is_first, self._sent = rank, size, rank == 0, sent

    def check_readable(self, path):
        pass

    def send(self, data):
        self._sent[self.rank] = data

    def receive(self, rank):
        return self._sent[rank]


@pytest.mark.parametrize(("count", "rows"), [(20, [8, 8, 4]), (7, [4, 3, 0]), (3, [3, 0, 0])])
def test_processes_predict_whole_batches_each_and_the_first_has_all_rows(tmp_path, monkeypatch, count, rows):
    monkeypatch.setattr("motifcnn.learning.training.PREDICTION_BATCH", 4)
    save(tmp_path / "model", OBJECTIVES["classes"])
    letters = np.random.default_rng(0).choice(list("ACGT"), (count, 30))
    path = write_fasta(tmp_path / "s.fa", {f"s{number}": "".join(row) for number, row in enumerate(letters)})
    alone = predict_file(tmp_path / "model", path, None, (), CPU)
    sent = {}
    for rank in (2, 1):
        assert len(predict_file(tmp_path / "model", path, None, (), CPU, Mail(rank, 3, sent))) == 0
    assert [len(sent[rank]) // 12 for rank in (1, 2)] == rows[1:]  # three numbers of four bytes a row
    together = predict_file(tmp_path / "model", path, None, (), CPU, Mail(0, 3, sent))
    assert list(together["id"]) == list(alone["id"])
    assert together.iloc[:, 1:].to_numpy() == pytest.approx(alone.iloc[:, 1:].to_numpy(), rel=1e-5)
