"""Numbers and rows of the report's tables, as text that a biologist reads."""

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

from motifcnn import settings
from motifcnn.discovery.comparison import FAR_E_VALUE
from motifcnn.errors import MotifcnnError
from motifcnn.report.run_files import Row, number

MISSING: Final = "–"

_MOST_KIN: Final = 6
"""Relatives named; a family may have dozens that cannot be told apart."""

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_WITHOUT_VALUE = frozenset({"--force", "--resume", "-q", "--quiet", "-v", "--verbose"})
_PLACE_OPTIONS = ("-o", "--out")
_PROGRAM_NAMES = frozenset({"motifcnn", "motifcnn.exe", "__main__.py"})


@dataclass(frozen=True)
class Cell:
    """A number in a table: its text and the value to sort by.

    Args:
        text: What is shown.
        value: What the column is sorted by; empty where it is missing.
    """

    text: str
    value: str


@dataclass(frozen=True)
class MotifRow:
    """A row of the motif table.

    Args:
        name: The motif's name.
        consensus: One letter a position.
        width: Number of positions.
        information: Bits in all.
        sites: How many training sites it was made from.
        p_value: Held-out.
        e_value: Held-out.
        auroc: Held-out AUROC of the motif alone.
        importance: How much the network relies on it.
        best_match: Nearest known motif, or empty.
        match_e_value: Of that match.
        match_id: Its identifier in the database, or empty.
        kin: Which family it is of, and who else is as near, in words; or empty.
        target: The label column it belongs to, or empty.
        found: Held-out counts in words, or empty.
        significant: Whether its E-value reaches the threshold.
        occupancy_auroc: Held-out AUROC of its summed odds.
        composition_only: Whether composition explains it.
        composition: How often it is found where only composition makes it, in words; or empty.
        central: Whether its sites crowd around the middle, in words; or empty.
    """

    name: str
    consensus: str
    width: Cell
    information: Cell
    sites: Cell
    p_value: Cell
    e_value: Cell
    auroc: Cell
    importance: Cell
    best_match: str
    match_e_value: Cell
    match_id: str
    kin: str
    target: str
    found: str
    significant: bool
    occupancy_auroc: Cell
    composition_only: bool
    composition: str
    central: str


def decimal(value: Any, decimals: int = 3) -> str:
    """Return a number with a fixed number of decimals; a dash where there is none."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return MISSING
    text = f"{value:.{decimals}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def count(value: Any) -> str:
    """Return a whole number with thin spaces between thousands; a dash where there is none."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return MISSING
    return f"{round(value):,}".replace(",", "\u202f")


def grouped(cell: str) -> str:
    """Return a cell with thin spaces between thousands if it is a whole number, else as it is."""
    return count(int(cell)) if cell.isascii() and cell.isdigit() else cell


def percent(value: Any) -> str:
    """Return a share in percent; a dash where there is none."""
    shown = decimal(100 * value, 0) if isinstance(value, (int, float)) else MISSING
    return shown if shown == MISSING else f"{shown}\u202f%"


def probability(value: Any) -> str:
    """Return a p- or E-value with two digits, in powers of ten where it is small or large."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return MISSING
    if value <= 0:
        return "< 10⁻³⁰⁰"
    if 0.001 <= value < 1000:
        return f"{value:.2g}" if value < 100 else f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}\u202f×\u202f10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def plural(number_of: int, one: str, many: str = "") -> str:
    """Return a number with its noun, such as "1 motif" or "3 motifs"."""
    return f"{count(number_of)} {one if number_of == 1 else many or one + 's'}"


def unit(metrics: Mapping[str, Any]) -> str:
    """Return what a run's predictions are of: "sequences" or "bases"."""
    return str(metrics.get("unit") or "sequences")


def motif_rows(rows: Sequence[Row], e_threshold: float, task: str = "binary") -> list[MotifRow]:
    """Return the rows of the motif table, in the order of the file.

    Args:
        rows: Of motifs.tsv.
        e_threshold: Largest E-value of a motif called significant.
        task: Of the run; it decides what the positives are called.
    """
    return [
        MotifRow(
            name=row.get("motif", ""),
            consensus=row.get("consensus", ""),
            width=_cell(row, "width", count),
            information=_cell(row, "information_bits", lambda value: decimal(value, 1)),
            sites=_cell(row, "sites", count),
            p_value=_cell(row, "p_value", probability),
            e_value=_cell(row, "e_value", probability),
            auroc=_cell(row, "test_auroc", decimal),
            importance=_cell(row, "importance", decimal),
            best_match=_word(row.get("best_match", "")),
            match_e_value=_cell(row, "match_e_value", probability),
            match_id=_word(row.get("match_id", "")),
            kin=_kin(row),
            target=_word(row.get("target", "")),
            found=_found(row, task),
            significant=number(row.get("e_value", "")) <= e_threshold,
            occupancy_auroc=_cell(row, "occupancy_auroc", decimal),
            composition_only=row.get("composition_only") == "yes",
            composition=_composition(row),
            central=_central(row, e_threshold),
        )
        for row in rows
    ]


def repeat_command(arguments: Sequence[str]) -> str:
    """Return the command that repeats a run, as one types it in a shell.

    What does not change the result is left out (where it went, whether an older one was overwritten or
    resumed, how much was said on the way), so that reports of one run made twice stay equal.

    Args:
        arguments: The run's command, argument by argument, with or without the program.
    """
    kept: list[str] = []
    skip = False
    named = bool(arguments) and PurePath(arguments[0]).name in _PROGRAM_NAMES
    for argument in arguments[named:]:
        if skip:
            skip = False
        elif argument in _PLACE_OPTIONS:
            skip = True
        elif argument in _WITHOUT_VALUE or argument.startswith("--out=") or _is_glued_out(argument):
            continue
        else:
            kept.append(argument)
    return shlex.join(["motifcnn", *kept])


def changed_settings(chosen: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the settings that differ from their defaults: name, value and what it is.

    Args:
        chosen: Nested values, as `settings.to_dict` returns them.
    """
    standard = dict(flat_settings(settings.to_dict(settings.Settings())))
    return [
        (name, value, _help(name)) for name, value in flat_settings(chosen) if standard.get(name) not in (None, value)
    ]


def flat_settings(chosen: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested settings as dotted names and their values in text."""
    flat: list[tuple[str, str]] = []
    for name, value in chosen.items():
        if isinstance(value, Mapping):
            flat += flat_settings(value, f"{prefix}{name}.")
        else:
            flat.append((prefix + name, _setting_text(value)))
    return flat


def _is_glued_out(argument: str) -> bool:
    """Whether an argument is -oDIRECTORY in one piece."""
    return argument.startswith("-o") and not argument.startswith("--")


def _setting_text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none given"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _help(name: str) -> str:
    section: Any = settings.Settings()
    *path, last = name.split(".")
    try:
        for part in path:
            section = getattr(section, part)
        return settings.help_text(type(section), last)
    except (AttributeError, StopIteration, KeyError, MotifcnnError):
        return ""


def _word(cell: str) -> str:
    return "" if cell.strip().lower() in {"", ".", "na", "nan", "none", "-"} else cell


def _cell(row: Row, column: str, shown: Any) -> Cell:
    value = number(row.get(column, ""))
    return Cell(shown(value), "" if math.isnan(value) else repr(value))


_GROUPS: Final = {
    "classes": ("of the class", "of the others"),
    "regression": ("above the mean", "below"),
}


def _found(row: Row, task: str) -> str:
    """How often the motif was found among the held-out sequences."""
    values = [number(row.get(name, "")) for name in ("found_positives", "positives", "found_negatives", "negatives")]
    if any(math.isnan(value) for value in values):
        return ""
    in_positives, positives, in_negatives, negatives = (count(value) for value in values)
    group, rest = _GROUPS.get(task, ("positives", "negatives"))
    return f"in {in_positives} of {positives} {group}, {in_negatives} of {negatives} {rest}"


def _composition(row: Row) -> str:
    """How often chance alone puts the motif into sequences composed as the held-out positives are."""
    said = []
    for kind, what in (("shuffled", "shuffled positives"), ("gc_matched", "others of the same GC content")):
        share, p_value = (number(row.get(f"{kind}_{column}", "")) for column in ("share", "p_value"))
        if not math.isnan(p_value):
            said.append(f"{percent(share)} of {what} (p\u00a0=\u00a0{probability(p_value)})")
    return "in " + " and ".join(said) if said else ""


def _central(row: Row, e_threshold: float) -> str:
    """Whether held-out sites crowd around the middle."""
    e_value, window = number(row.get("central_e_value", "")), number(row.get("central_window", ""))
    if math.isnan(e_value):
        return ""
    if e_value > e_threshold:
        return f"held-out sites not central (E\u00a0=\u00a0{probability(e_value)})"
    found, sites = (count(number(row.get(f"central_{what}", ""))) for what in ("found", "sites"))
    what = f"{found} of {sites} held-out sites in the middle {percent(window)}"
    return f"central: {what} (E\u00a0=\u00a0{probability(e_value)})"


def _kin(row: Row) -> str:
    """The family of the nearest known motifs, or who else is as near, or that none is near."""
    if not _word(row.get("best_match", "")):
        return ""
    if number(row.get("match_e_value", "")) > FAR_E_VALUE:
        return "not alike: as near by chance"
    family, members = _word(row.get("match_family", "")), _word(row.get("match_members", "")).split(", ")
    more = f" and {len(members) - _MOST_KIN} more" if len(members) > _MOST_KIN else ""
    names = ", ".join(members[:_MOST_KIN]) + more
    if family and len(members) > 1:
        return f"family {family}: {names}"
    others = [name for name in members if name and name != row.get("best_match")]
    return f"also like {', '.join(others)}" if others else ""
