"""A trained network on disk: weights and all that is needed to use them, as safetensors; never a pickle."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from motifcnn.alphabet import ALPHABETS, Alphabet
from motifcnn.encoding import TrackScale
from motifcnn.errors import InputError
from motifcnn.formats.files import atomic_write
from motifcnn.model.frame_branch import FrameBranch
from motifcnn.model.network import MotifNetwork
from motifcnn.model.word_branch import WordBranch
from motifcnn.objectives import Objective
from motifcnn.settings import ChannelSettings, InputSettings, ModelSettings

SCHEMA_VERSION = 3
"""1: networks without placement; 2: without reading frames."""


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A network with its task, alphabet and the scale of its tracks.

    Args:
        network: The network, in evaluation mode.
        objective: What it was trained for.
        alphabet: Alphabet of its input.
        scales: Scale of each further channel.
        softmask: How lower-case letters were read.
        width: Width of the windows to cut from genomes: that of the training sequences, in the middle.
        channels: How the columns of alignments were scored.
    """

    network: MotifNetwork
    objective: Objective
    alphabet: Alphabet
    scales: tuple[TrackScale, ...] = ()
    softmask: str = "keep"
    width: int = InputSettings().width
    channels: ChannelSettings = field(default_factory=ChannelSettings)


def save_model(path: Path, model: TrainedModel) -> None:
    """Write a model; the file is whole whenever it exists."""
    description = {
        "schema_version": SCHEMA_VERSION,
        "alphabet": model.alphabet.name,
        "model": asdict(model.network.settings),
        "objective": asdict(model.objective),
        "tracks": [asdict(scale) for scale in model.scales],
        "softmask": model.softmask,
        "width": model.width,
        "channels": asdict(model.channels),
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.network.state_dict().items()}
    with atomic_write(path) as file:
        file.write(save(tensors, {"motifcnn": json.dumps(description, sort_keys=True)}))


def load_model(path: Path, device: torch.device | str = "cpu") -> TrainedModel:
    """Read a model.

    Raises:
        InputError: The file is missing, no model, or made by a newer version.
    """
    try:
        with safe_open(path, framework="pt") as file:
            description = json.loads((file.metadata() or {})["motifcnn"])
            version = description["schema_version"]
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except FileNotFoundError:
        raise InputError("there is no model here; give a run directory of `motifcnn train`", path) from None
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"is not a motifcnn model ({error}); give a run directory of `motifcnn train`, or train it again", path
        ) from None
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise InputError(
            f"was written by a newer motifcnn (model schema {version}, this one reads up to {SCHEMA_VERSION}); "
            "upgrade motifcnn",
            path,
        )
    try:
        return _assemble(description, tensors, device)
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"is a damaged motifcnn model ({str(error).splitlines()[0]}); train it again", path) from None


def _assemble(
    description: dict[str, Any], tensors: dict[str, torch.Tensor], device: torch.device | str
) -> TrainedModel:
    alphabet = ALPHABETS[description["alphabet"]]
    listed: dict[str, Any] = description["objective"]
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in listed.items()}
    objective = Objective(**values)
    scales = tuple(TrackScale(**scale) for scale in description["tracks"])
    settings = ModelSettings(**{"placement": False, **description["model"]})
    network = MotifNetwork(settings, alphabet, len(scales), objective.outputs, seed=0)
    if "words.weights" in tensors:
        network.words = WordBranch(alphabet, torch.zeros_like(tensors["words.weights"]))
    if "reading_frames.weights" in tensors:
        parts = (torch.zeros_like(tensors[f"reading_frames.{name}"]) for name in ("ratios", "odds", "weights"))
        network.reading_frames = FrameBranch(alphabet, network.filters.both_strands, *parts)
    network.load_state_dict(tensors)
    network.eval()
    channels = ChannelSettings(**description.get("channels", {}))  # models of the first days have none
    softmask, width = description["softmask"], description["width"]
    return TrainedModel(network.to(device), objective, alphabet, scales, softmask, width, channels)
