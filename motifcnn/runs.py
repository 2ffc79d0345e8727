"""The run directory: names of its files, the record of where it came from, its log."""

import hashlib
import json
import logging
import math
import platform
import resource
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import motifcnn
from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.files import refuse_read, remove_partial, sha256, write_text
from motifcnn.settings import Settings, to_dict, to_toml

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RunDirectory:
    """Where each file of a run stands.

    Args:
        path: The directory.
    """

    path: Path

    def __getattr__(self, name: str) -> Path:
        """Return the path of a file by its key in `FILES`."""
        if name in FILES:
            return self.path / FILES[name]
        raise AttributeError(name)

    def prepare(self, *, force: bool, resume: bool, inputs: Iterable[Path] = ()) -> None:
        """Make the directory, or refuse to write over another run, or over what this one reads.

        Args:
            force: Write over an earlier run.
            resume: Go on with one.
            inputs: Files that are read, and folders of such.

        Raises:
            MotifcnnError: It is not empty and neither `force` nor `resume` was given, there is
                nothing in it to resume, or one of its files is an input.
        """
        if self.path.exists() and not self.path.is_dir():
            raise MotifcnnError(f"{self.path}: is a file; give another directory with --out")
        occupied = self.path.is_dir() and any(self.path.iterdir())
        if resume and not self.run_record.exists():
            raise MotifcnnError(f"{self.path}: holds no run to resume; leave --resume out to start one")
        if occupied and not force and not resume:
            raise MotifcnnError(
                f"{self.path}: is not empty; give another directory with --out, go on with --resume, "
                "or write over it with --force"
            )
        self._refuse_inputs(inputs)
        try:
            self.logos.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MotifcnnError(f"{self.path}: cannot be made ({error.strerror}); give another with --out") from None
        for folder in (self.path, self.logos):
            remove_partial(folder)
        if occupied and not resume:
            self._remove_old_run()

    def _refuse_inputs(self, inputs: Iterable[Path]) -> None:
        files = [file for path in inputs for file in (path.iterdir() if path.is_dir() else [path])]
        for name in FILES.values():
            refuse_read(self.path / name, files, "give another directory with --out")

    def _remove_old_run(self) -> None:
        """Remove the files of an earlier run, and nothing else."""
        for name in FILES.values():
            path = self.path / name
            if path.is_file():
                path.unlink()
        for logo in (*self.logos.glob("motif_*.svg"), *self.logos.glob("positions_*.svg")):
            logo.unlink()


FILES = {
    "run_record": "run.json",
    "settings": "settings.toml",
    "log": "log.jsonl",
    "history": "history.tsv",
    "metrics": "metrics.json",
    "predictions": "predictions.tsv",
    "baselines": "baselines.tsv",
    "folds": "folds.tsv",
    "fold_predictions": "fold_predictions.tsv",
    "layers": "layers.tsv",
    "model": "model.safetensors",
    "checkpoint": "checkpoint.safetensors",
    "motifs_meme": "motifs.meme",
    "filter_motifs_meme": "filter_motifs.meme",
    "motifs_table": "motifs.tsv",
    "known_meme": "known_motifs.meme",
    "filters_meme": "filters.meme",
    "sites": "sites.tsv",
    "pairs": "pairs.tsv",
    "positions": "positions.tsv",
    "motif_tracks": "motif_tracks.tsv",
    "track_profiles": "track_profiles.tsv",
    "filter_tracks": "filter_tracks.tsv",
    "logos": "logos",
    "report": "report.html",
}


def motif_file(path: Path) -> Path:
    """Return the motif file of a run directory; the file itself if it is one, or "-".

    Raises:
        InputError: There is neither, or the run is not complete or found no motif.
    """
    if not path.is_dir():
        if path.exists() or str(path) == "-":
            return path
        raise InputError("there is no such run; give the directory that `motifcnn train` wrote, or a MEME file", path)
    run = RunDirectory(path)
    if run.motifs_meme.exists():
        return run.motifs_meme
    if run.motifs_table.exists():
        raise InputError("this run found no motif; its report.html says more. Give another run, or a MEME file", path)
    if run.run_record.exists():
        raise InputError(
            "this run is not complete and holds no motifs.meme; go on with `motifcnn train --resume`", path
        )
    raise InputError("holds no motifs.meme; give the directory that `motifcnn train` wrote, or a MEME file", path)


@dataclass
class RunRecord:
    """Provenance: what made this run, from what, on what.

    Args:
        command: Arguments of the program.
        settings: Settings in force.
        inputs: Role and path of each input file.
        device: Where it computed and why.
        database: Where the known motifs are from that its motifs are compared with; empty where there are none.
        notes: Remarks for the reader of the report.
        status: "running", "interrupted" or "complete".
    """

    command: Sequence[str]
    settings: Settings
    inputs: Sequence[tuple[str, Path]]
    device: str
    database: str = ""
    notes: list[str] = field(default_factory=list)
    status: str = "running"
    started: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        self._inputs = [_input_record(role, path) for role, path in self.inputs]

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "software": {"name": "motifcnn", "version": motifcnn.__version__},
            "command": list(self.command),
            "settings": to_dict(self.settings),
            "seed": self.settings.seed,
            "inputs": self._inputs,
            "environment": _environment(),
            "device": self.device,
            "database": self.database,
            "notes": self.notes,
            "status": self.status,
            "resources": {
                "started": datetime.fromtimestamp(self.started, UTC).isoformat(timespec="seconds"),
                "seconds": round(time.time() - self.started, 2),
                "peak_memory_bytes": _peak_memory(),
            },
        }

    def write(self, run: RunDirectory) -> None:
        """Write run.json and settings.toml."""
        write_json(run.run_record, self.to_dict())
        write_text(run.settings, to_toml(self.settings))

    def check_resumable(self, run: RunDirectory) -> None:
        """Refuse to resume a run of other inputs or settings, or one that is complete.

        Raises:
            MotifcnnError: Naming what differs.
        """
        earlier = read_json(run.run_record)
        if earlier.get("status") == "complete":
            raise MotifcnnError(f"{run.path}: is complete, so there is nothing to resume; --force starts again")
        if earlier.get("inputs") != self._inputs:
            raise MotifcnnError(f"{run.path}: was begun on other input files; resume with the same, or use --force")
        if earlier.get("settings") != json.loads(json.dumps(to_dict(self.settings))):
            raise MotifcnnError(
                f"{run.path}: was begun with other settings; resume with --config {run.settings}, or use --force"
            )


def _input_record(role: str, path: Path) -> dict[str, Any]:
    if str(path) == "-":
        return {"role": role, "path": "-", "bytes": None, "sha256": None}
    try:
        if path.is_dir():
            return {"role": role, "path": str(path), **_folder_record(path)}
        return {"role": role, "path": str(path), "bytes": path.stat().st_size, "sha256": sha256(path)}
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); give the path of the {role}", path) from None


def _folder_record(folder: Path) -> dict[str, Any]:
    """Sum up a folder's files: bytes in all, and the hash of their names and hashes."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    listing = "".join(f"{path.name}\0{sha256(path)}\n" for path in files)
    return {
        "bytes": sum(path.stat().st_size for path in files),
        "sha256": hashlib.sha256(listing.encode()).hexdigest(),
    }


def _environment() -> dict[str, str]:
    import numpy as np
    import torch

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "threads": str(torch.get_num_threads()),
    }


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def write_json(path: Path, content: Any) -> None:
    """Write plain values as JSON; NaN, which JSON has not, becomes null."""
    write_text(path, json.dumps(_without_nan(content), indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: The file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); is this a run directory of motifcnn?", path) from None
    except ValueError as error:
        raise InputError(f"is not JSON ({error}); was it edited?", path) from None
    if not isinstance(content, dict):
        raise InputError("is not a JSON object; was it edited?", path)
    return content


def _without_nan(content: Any) -> Any:
    if isinstance(content, float):
        return None if math.isnan(content) or math.isinf(content) else content
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return content


class JsonLinesHandler(logging.Handler):
    """While entered, write each message of the library's log to a file, one JSON object a line.

    Messages from before the file is opened come first in it; where it never is, they are lost.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._file: TextIO | None = None
        self._waiting: list[str] = []

    def open(self, path: Path, *, append: bool) -> None:
        """Begin to write.

        Args:
            path: The file.
            append: Go on after what it holds.
        """
        self._file = path.open("a" if append else "w", encoding="utf-8")
        self._file.writelines(self._waiting)
        self._file.flush()

    def __enter__(self) -> "JsonLinesHandler":
        """Begin to listen."""
        logging.getLogger("motifcnn").addHandler(self)
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop and close the file."""
        logging.getLogger("motifcnn").removeHandler(self)
        self.close()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"time": when, "level": record.levelname.lower(), "message": record.getMessage()}
        line = json.dumps(fields, ensure_ascii=False) + "\n"
        if self._file is None:
            self._waiting.append(line)
            return
        self._file.write(line)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        super().close()
