"""What the report reads: the files of a run directory, as plain values."""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from motifcnn.drawing.logos import logo_file_name
from motifcnn.errors import InputError
from motifcnn.formats.motif_files import read_motifs
from motifcnn.motifs import Motif

Row = dict[str, str]
Numbers = npt.NDArray[np.float64]

_UNFIT_FOR_A_PAGE = re.compile(r"<script|<foreignObject|<image|\son\w+\s*=|href=\"[^#]", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A tab-separated file: its columns and its rows, all as text.

    Args:
        columns: Names of the columns.
        rows: One mapping of column to cell a row.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def numbers(self, column: str) -> Numbers:
        """Return a column as numbers, shape [row]; NaN where a cell holds none or the column is missing.

        Cells of several numbers, such as those of a sequence's bases, with commas between them, follow one another.
        """
        cells = [row.get(column, "") for row in self.rows]
        return np.array([number(part) for cell in cells for part in cell.split(",")], dtype=np.float64)

    def where(self, column: str, value: str) -> "Table":
        """Return the rows that hold this value in a column."""
        return Table(self.columns, tuple(row for row in self.rows if row.get(column) == value))


@dataclass(frozen=True)
class RunFiles:
    """A run directory's contents.

    Args:
        record: run.json.
        metrics: metrics.json.
        history: history.tsv; one row an epoch.
        predictions: predictions.tsv, of the held-out examples alone.
        baselines: baselines.tsv; without rows where the file is absent.
        folds: folds.tsv; without rows where there was no cross-validation.
        motifs: motifs.tsv, best first.
        layers: layers.tsv.
        sites: sites.tsv.
        pairs: pairs.tsv; without rows where the file is absent.
        motif_tracks: motif_tracks.tsv; without rows where the run had no further channels.
        track_profiles: track_profiles.tsv; the same.
        filter_tracks: filter_tracks.tsv; the same.
        positions: positions.tsv; without rows where no target depends on fixed positions.
        position_logos: SVG text of the logo of each of its targets.
        logos: SVG text of each motif's logo, by the motif's name.
        matrices: motifs.meme, by name; empty where the file is absent.
        filter_matrices: filter_motifs.meme, likewise.
        known_matrices: known_motifs.meme, likewise.
    """

    record: dict[str, Any]
    metrics: dict[str, Any]
    history: Table
    predictions: Table
    baselines: Table
    folds: Table
    motifs: Table
    layers: Table
    sites: Table
    pairs: Table
    motif_tracks: Table
    track_profiles: Table
    filter_tracks: Table
    positions: Table
    position_logos: tuple[str, ...]
    logos: dict[str, str]
    matrices: dict[str, Motif]
    filter_matrices: dict[str, Motif]
    known_matrices: dict[str, Motif]


def number(cell: str) -> float:
    """Return a cell as a number; NaN where it holds none."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def read_run(run_directory: Path) -> RunFiles:
    """Read the files of a run directory that the report is made from.

    Args:
        run_directory: As `motifcnn train` writes it.

    Raises:
        InputError: It is no run directory, or one of its files is damaged.
    """
    for name in ("run.json", "metrics.json"):
        if not (run_directory / name).is_file():
            raise InputError(
                f"holds no {name}, so it is no finished run; give the directory that `motifcnn train` wrote",
                run_directory,
            )
    motifs = _read_table(run_directory / "motifs.tsv")
    return RunFiles(
        record=_read_json(run_directory / "run.json"),
        metrics=_read_json(run_directory / "metrics.json"),
        history=_read_table(run_directory / "history.tsv"),
        predictions=_read_table(run_directory / "predictions.tsv", ("split", "test")),
        baselines=_read_table(run_directory / "baselines.tsv"),
        folds=_read_table(run_directory / "folds.tsv"),
        motifs=motifs,
        layers=_read_table(run_directory / "layers.tsv"),
        sites=_read_table(run_directory / "sites.tsv"),
        pairs=_read_table(run_directory / "pairs.tsv"),
        motif_tracks=_read_table(run_directory / "motif_tracks.tsv"),
        track_profiles=_read_table(run_directory / "track_profiles.tsv"),
        filter_tracks=_read_table(run_directory / "filter_tracks.tsv"),
        positions=_read_table(run_directory / "positions.tsv"),
        position_logos=_read_position_logos(run_directory / "logos"),
        logos=_read_logos(run_directory / "logos", [row.get("motif", "") for row in motifs.rows]),
        matrices=_read_matrices(run_directory / "motifs.meme"),
        filter_matrices=_read_matrices(run_directory / "filter_motifs.meme"),
        known_matrices=_read_matrices(run_directory / "known_motifs.meme"),
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"cannot be read as JSON ({error}); train again", path) from None
    if not isinstance(content, dict):
        raise InputError("holds no JSON object; train again", path)
    return content


def _read_table(path: Path, only: tuple[str, str] | None = None) -> Table:
    """A table, or its rows that hold one value in one column; without columns and rows where there is no such file."""
    rows: list[Row] = []
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            lines = csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
            header = next(lines, [])
            for line_number, line in enumerate(lines, start=2):
                if len(line) != len(header):
                    found = f"{len(line)} columns where {len(header)} are named; train again"
                    raise InputError(found, path, line_number)
                row = dict(zip(header, line, strict=True))
                if only is None or row.get(only[0]) == only[1]:
                    rows.append(row)
    except FileNotFoundError:
        return Table((), ())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read ({error}); train again", path) from None
    return Table(tuple(header), tuple(rows))


def _read_position_logos(folder: Path) -> tuple[str, ...]:
    names = [f"positions_{number + 1}" for number in range(len(list(folder.glob("positions_*.svg"))))]
    found = _read_logos(folder, names)
    return tuple(found.get(name, "") for name in names)


def _read_matrices(path: Path) -> dict[str, Motif]:
    return {motif.name: motif for motif in read_motifs(path)} if path.is_file() else {}


def _read_logos(folder: Path, names: list[str]) -> dict[str, str]:
    """Logos by motif; one that is missing, or that could do more than be looked at, is left out."""
    logos: dict[str, str] = {}
    for name in names:
        path = folder / f"{logo_file_name(name)}.svg"
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            if "<svg" in text and not _UNFIT_FOR_A_PAGE.search(text):
                logos[name] = text
    return logos
