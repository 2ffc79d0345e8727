"""Time a network along a genome: every base scored once (`motifcnn scan --model-track`) against every window by itself.

The network has random weights, which cost what trained ones do; the genome is random. "Each window by itself" is what
`motifcnn predict` would do with the windows cut out, here on a part of them.
"""

import argparse
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from motifcnn.alphabet import DNA
from motifcnn.devices import choose_device, use_threads
from motifcnn.encoding import EncodedSequences
from motifcnn.formats.fasta import write_fasta
from motifcnn.learning.training import predict_logits
from motifcnn.model.architectures import ARCHITECTURES
from motifcnn.model.network import MotifNetwork, resolve
from motifcnn.model.store import TrainedModel, save_model
from motifcnn.motifs import Motif
from motifcnn.objectives import Objective
from motifcnn.sequences import Sequences
from motifcnn.settings import ModelSettings, ScanSettings
from motifcnn.tracks.model_track import ModelTrackRequest, write_model_tracks

SEED = 0


def make_run(folder: Path, width: int, architecture: str) -> TrainedModel:
    """Save a network as a run would."""
    asked = replace(ModelSettings(), architecture=architecture, filter_width=19)
    settings = resolve(asked, DNA, torch.tensor([width]))
    network = MotifNetwork(settings, DNA, 0, 1, SEED).eval()
    model = TrainedModel(network, Objective("binary", ("bound",), weights=(1.0,)), DNA, width=width)
    save_model(folder / "model.safetensors", model)
    return model


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds."""
    began, began_wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - began, time.perf_counter() - began_wall


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="motif")
    parser.add_argument("--megabases", type=float, default=4)
    parser.add_argument("--alone", type=int, default=250_000, help="Letters whose windows are computed by themselves.")
    parser.add_argument("--width", type=int, default=200)
    parser.add_argument("--stride", type=int, default=25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--motifs", type=int, default=20)
    asked = parser.parse_args()
    threads, device = use_threads(asked.threads), choose_device("cpu")
    generator = np.random.default_rng(SEED)
    motifs = tuple(Motif(f"m{n}", generator.dirichlet(np.full(4, 0.3), 8 + n % 8), DNA) for n in range(asked.motifs))
    settings = ScanSettings(track_stride=asked.stride, background="uniform")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = make_run(folder, asked.width, asked.architecture)
        codes = generator.integers(0, 4, int(asked.megabases * 1e6)).astype(np.uint8)
        write_fasta(folder / "genome.fa", Sequences.from_list(["chr"], [codes], DNA))
        write_fasta(folder / "small.fa", Sequences.from_list(["chr"], [codes[:5000]], DNA))

        def tracks(genome: str, chosen: tuple[Motif, ...]) -> Callable[[], object]:
            request = ModelTrackRequest(folder / genome, folder, chosen, folder / "out.bw", settings, threads, True)
            return lambda: write_model_tracks(request, device)

        tracks("small.fa", motifs[:1])()  # compiles, as the next line does
        predict_logits(model.network, EncodedSequences(Sequences.from_list(["chr"], [codes[:200]], DNA)), np.arange(1))
        rows = [("prediction alone", len(codes), *timed(tracks("genome.fa", ())))]
        rows.append((f"prediction and {len(motifs)} best hits", len(codes), *timed(tracks("genome.fa", motifs))))
        part = codes[: asked.alone]
        windows = np.lib.stride_tricks.sliding_window_view(part, asked.width)[:: asked.stride]
        offsets = np.arange(len(windows) + 1, dtype=np.int64) * asked.width
        cut = EncodedSequences(Sequences(("",) * len(windows), windows.ravel(), offsets, DNA))
        rows.append(
            (
                "each window by itself",
                len(part),
                *timed(lambda: predict_logits(model.network, cut, np.arange(len(windows)))),
            )
        )
    packages = ", ".join(f"{name} {version(name)}" for name in ("motifcnn", "torch", "numba"))
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{date.today()}, {machine}, {packages}; {threads} threads; {asked.architecture}; "
          f"windows of {asked.width} every {asked.stride}; {asked.megabases:g} Mb; peak {peak:.0f} MiB\n")  # fmt: skip
    print("| what | letters | CPU s | wall s | Mb / CPU s |\n|---|---|---|---|---|")
    for what, letters, cpu, wall in rows:
        print(f"| {what} | {letters:,} | {cpu:.2f} | {wall:.2f} | {letters / 1e6 / cpu:.3f} |")


if __name__ == "__main__":
    main()
