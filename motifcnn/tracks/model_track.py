"""The network and its motifs along a genome: predictions and best hits of sliding windows, as bigWig tracks."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import Codes
from motifcnn.devices import Device
from motifcnn.drawing.logos import logo_file_name
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.fasta import FastaChunk, stream_fasta
from motifcnn.formats.fasta_text import Softmask
from motifcnn.formats.files import refuse_read
from motifcnn.formats.window_tracks import WindowValues, write_window_tracks
from motifcnn.model.architectures import positions_after
from motifcnn.model.sliding_maximum import SlidingMaximum
from motifcnn.model.sliding_network import SlidingNetwork
from motifcnn.model.store import TrainedModel
from motifcnn.motifs import Motif
from motifcnn.prediction.predicting import model_of
from motifcnn.scanning.background import background_of
from motifcnn.scanning.distribution import UNITS_PER_BIT, IntegerMotif
from motifcnn.scanning.genome import scans_both_strands
from motifcnn.settings import ScanSettings

_LOGGER = logging.getLogger(__name__)

ENDINGS = (".bw", ".bigwig")
_SHARE_OF_WIDTH = 8
"""Windows that cover a base, where no stride is asked for."""
_MOST_UNKNOWN = 0.5
"""Share of unknown letters beyond which there is nothing to predict from."""

Values = npt.NDArray[np.float32]


@dataclass(frozen=True)
class ModelTrackRequest:
    """What to write.

    Args:
        genome: FASTA, plain, gzip or bgzip.
        run: Run directory.
        motifs: Whose best hits to write.
        out: bigWig file of the prediction; the others are named after it.
        settings: Width and stride of the windows; background and strands of the hits.
        threads: Processor threads.
        force: Whether to write over files that are there.
    """

    genome: Path
    run: Path
    motifs: tuple[Motif, ...]
    out: Path
    settings: ScanSettings
    threads: int = 1
    force: bool = False


@dataclass(frozen=True)
class ModelTrackSummary:
    """What was written.

    Args:
        files: The files, predictions first.
        windows: Windows with a prediction.
        width: Letters of a window.
        stride: Step between windows.
    """

    files: tuple[Path, ...]
    windows: int
    width: int
    stride: int


def write_model_tracks(request: ModelTrackRequest, device: Device) -> ModelTrackSummary:
    """Write the network's prediction and each motif's best hit in sliding windows.

    A value stands for the stride in the middle of its window. Windows of more than half unknown letters
    have no prediction, and windows without a site of known letters no best hit.

    Args:
        request: What to write.
        device: Where the network computes.

    Raises:
        MotifcnnError: The run, the genome or a file is at fault.
    """
    model = model_of(request.run, device, whole="scan --model-track")
    files = track_files(request.out, model.objective.output_names, [motif.name for motif in request.motifs])
    present = [path for path in files if path.exists()]
    for path in present:
        refuse_read(path, [request.genome, Path(request.settings.background)], "give another name with --model-track")
    if present and not request.force:
        raise MotifcnnError(f"{present[0]}: exists; give another name, or write over it with --force")
    width = request.settings.track_width or model.width
    stride = request.settings.track_stride or max(width // _SHARE_OF_WIDTH, 1)
    _check(request, model, width, stride)
    sizes = {}
    for chunk in stream_fasta(request.genome, model.alphabet):
        sizes[chunk.name] = chunk.start + len(chunk.codes)
    if max(sizes.values()) < width:
        raise InputError(f"no sequence is as long as a window of {width}; give a smaller --track-width", request.genome)
    tracks = _Tracks(request, model, device, width, stride)
    written = write_window_tracks(files, tracks.along(request.genome), sizes, stride)
    return ModelTrackSummary(tuple(files), written[0], width, stride)


def track_files(out: Path, targets: Sequence[str], motifs: Sequence[str]) -> list[Path]:
    """Name the files: `out` for one target, OUT.TARGET.bw each for several, and OUT.best.MOTIF.bw.

    Raises:
        MotifcnnError: The ending is no bigWig's.
    """
    if out.suffix.lower() not in ENDINGS:
        raise MotifcnnError(f"--model-track {out}: tracks are bigWig; give a name that ends in .bw")
    names = [logo_file_name(target) for target in targets] if len(targets) > 1 else [""]
    names += [f"best.{logo_file_name(motif)}" for motif in motifs]
    return [out.with_name(f"{out.stem}.{name}{out.suffix}") if name else out for name in names]


def _check(request: ModelTrackRequest, model: TrainedModel, width: int, stride: int) -> None:
    if str(request.genome) == "-":
        raise MotifcnnError("--model-track reads the genome more than once, so not from standard input; give a file")
    if model.scales:
        names = ", ".join(scale.name for scale in model.scales)
        raise InputError(
            f"its model reads tracks beside the sequence ({names}), and --model-track reads sequence alone; "
            "cut windows and use `motifcnn predict --conservation`",
            request.run,
        )
    longest = max([model.network.filters.width, *(motif.width for motif in request.motifs)])
    if width < longest:
        raise MotifcnnError(
            f"--track-width {width}: the run's filters and motifs span up to {longest} positions; give at least that"
        )
    architecture = model.network.architecture
    if architecture.summary == "dense" and positions_after(architecture, width) > model.network.positions:
        raise MotifcnnError(
            f"--track-width {width}: the network's dense head reads {model.network.settings.input_length} letters; "
            "give at most that"
        )
    if stride > width:
        raise MotifcnnError(f"--track-stride {stride}: would leave gaps between windows of {width}; give at most that")
    if request.settings.softmask == "mask" and model.softmask == "keep":
        raise MotifcnnError(
            "--softmask mask: the network was trained with lower-case letters kept, and reads them; leave it out"
        )


class _Tracks:
    """Computes all tracks piece by piece.

    Args:
        request: What to write.
        model: The run's model.
        device: Where it computes.
        width: Letters of a window.
        stride: Step between windows.
    """

    def __init__(self, request: ModelTrackRequest, model: TrainedModel, device: Device, width: int, stride: int):
        self._model, self._device, self._width, self._stride = model, device, width, stride
        self._hits = _sliding_motifs(request, model, width, stride) if request.motifs else None
        self._logits: Callable[[Codes], torch.Tensor]
        if not model.network.best_windows_only:
            _LOGGER.info(
                "the network reads more than best windows: its first layer is computed once for each base, "
                "what follows for each window, which takes its time"
            )
            self._sliding = SlidingNetwork(model.network, width, stride)
            self._logits, self._windows, self._threads = self._sliding.of, self._sliding.windows_at_once, 1
        else:
            if device.is_gpu:
                _LOGGER.info("the filters' scores are looked up in tables on the processor; the GPU computes the rest")
            self._filters = _sliding_filters(model, width, stride)
            self._logits, self._threads = self._of_maxima, request.threads
            self._windows = self._filters.windows_at_once

    def along(self, genome: Path) -> Iterator[WindowValues]:
        """Give the values of all windows, in the order of the file."""
        letters = (self._windows - 1) * self._stride + self._width
        overlap = self._width - self._stride
        softmask: Softmask = "mask" if self._model.softmask == "mask" else "keep"
        chunks = stream_fasta(genome, self._model.alphabet, chunk=letters, overlap=overlap, softmask=softmask)
        waiting: deque[Future[WindowValues | None]] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for chunk in chunks:
                waiting.append(pool.submit(self._of, chunk))
                if len(waiting) > self._threads and (values := waiting.popleft().result()) is not None:
                    yield values
            while waiting:
                if (values := waiting.popleft().result()) is not None:
                    yield values

    def _of(self, chunk: FastaChunk) -> WindowValues | None:
        if len(chunk.codes) < self._width:
            return None
        unknown = np.append(0, np.cumsum(chunk.codes == self._model.alphabet.unknown))
        share = (unknown[self._width :] - unknown[: -self._width])[:: self._stride] / self._width
        with torch.inference_mode():
            predicted = self._model.objective.predictions(self._logits_of(chunk.codes)).cpu().numpy()
        rows = [np.where(share[:, None] > _MOST_UNKNOWN, np.float32(np.nan), predicted)]
        if self._hits is not None:
            best = self._hits.of(np.minimum(chunk.codes, self._model.alphabet.size))
            rows.append(np.where(np.isneginf(best), np.float32(np.nan), best))
        middle = chunk.start + (self._width - self._stride) // 2
        return WindowValues(chunk.name, middle, np.concatenate(rows, axis=1).T)

    def _logits_of(self, codes: Codes) -> torch.Tensor:
        logits = self._logits(codes)
        for branch in self._model.network.sums:
            logits = logits + torch.from_numpy(branch.sliding(codes, self._width, self._stride)).to(logits.device)
        return logits

    def _of_maxima(self, codes: Codes) -> torch.Tensor:
        network = self._model.network
        best = torch.from_numpy(self._filters.of(codes)).to(self._device.torch_device)[:, :, None]
        return network.head_logits(network.activate(best), best)


def _sliding_filters(model: TrainedModel, width: int, stride: int) -> SlidingMaximum:
    """Slide the filters of a network whose pooling leaves nothing but their best score in a window."""
    filters, placement = model.network.filters, model.network.placement
    place = None if placement is None else placement.rows().detach().cpu().contiguous().numpy()
    strands = filters.strand_weights().detach().cpu().numpy()
    weight = strands.reshape(-1, filters.filters, *strands.shape[1:])
    widths = [filters.width] * filters.filters
    return SlidingMaximum(weight, widths, model.alphabet.fractions, width, stride, place)


def _sliding_motifs(request: ModelTrackRequest, model: TrainedModel, width: int, stride: int) -> SlidingMaximum:
    """Slide motifs in the bits that hits are reported with; the unknown letter is a channel that no site may have."""
    alphabet, settings = model.alphabet, request.settings
    both = scans_both_strands(alphabet, settings)
    background = background_of(request.genome, alphabet, settings, both)
    ready = [IntegerMotif.from_log_odds(motif.log_odds(background.of(motif))) for motif in request.motifs]
    longest = max(motif.width for motif in ready)
    weight = np.zeros((1 + both, len(ready), alphabet.size + 1, longest), dtype=np.float32)
    for number, motif in enumerate(ready):
        strands = [motif.scores]
        if both:
            assert alphabet.complement_codes is not None
            strands.append(motif.reverse_complement(alphabet.complement_codes))
        for strand, scores in enumerate(strands):
            weight[strand, number, :-1, : motif.width] = scores.T / UNITS_PER_BIT
            weight[strand, number, -1, : motif.width] = -np.inf
    fractions = np.eye(alphabet.size + 1, dtype=np.float32)
    return SlidingMaximum(weight, [motif.width for motif in ready], fractions, width, stride)
