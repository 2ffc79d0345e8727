"""A sequence's card: letters by worth, motif hits, activation, contribution and conservation, one under another."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

import numpy as np

from motifcnn.drawing.letter_shapes import letter_colours, letter_outline
from motifcnn.errors import InputError
from motifcnn.formats.files import write_text
from motifcnn.report.card_rows import STEP, BarRow, Box, BoxRow, LetterRow, LineRow, Row, Scale, TextRow, number
from motifcnn.report.figures import COLOURS
from motifcnn.tracks.explanation import Explanation, strongest_window

DEFAULT_WINDOW: Final = 300
"""Positions shown of a longer sequence where none are asked for."""

_COLUMNS: Final = 110
"""Most positions of a line."""
_LEFT, _RIGHT, _GAP, _RULER, _BETWEEN = 150.0, 20.0, 16.0, 22.0, 26.0
_LABEL: Final = 15
"""Letters of a label that have room."""
_MOST_LINES: Final = 3
"""Motifs without hits whose activation is drawn where no motif has any."""

_STYLE: Final = (
    "text{font:11px system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#333}"
    ".letter{font:bold 10px 'DejaVu Sans Mono',ui-monospace,monospace;text-anchor:middle}"
    ".name{font-size:10.5px;text-anchor:middle;fill:#fff}.tick{font-size:9.5px;text-anchor:end;fill:#666}"
    ".place{font-size:9.5px;text-anchor:middle;fill:#666}.label{font-weight:600;text-anchor:end}"
    ".unit{font-size:9.5px;text-anchor:end;fill:#666}.zero,.mark{stroke:#bbb;stroke-width:.7}"
    ".line{fill:none;stroke-width:1.6;stroke-linejoin:round}"
)
_PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body{{font:15px/1.5 system-ui,'Segoe UI',Roboto,sans-serif;color:#222;margin:0 auto;padding:1.2rem;max-width:1240px}}
h1{{font-size:1.25rem;margin:0 0 .3rem;overflow-wrap:anywhere}}p{{margin:.3rem 0}}
table{{border-collapse:collapse;margin:.6rem 0}}td,th{{padding:.15rem .8rem .15rem 0;text-align:left}}
td.n{{text-align:right;font-variant-numeric:tabular-nums}}tr.chosen td{{font-weight:600}}
.card{{overflow-x:auto;margin:1rem 0}}
.card svg{{display:block;width:100%;max-width:calc(1.2*var(--own));min-width:min(780px,var(--own));height:auto}}
.legend span{{display:inline-block;margin-right:1rem;white-space:nowrap}}
.legend i{{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}}
dl{{margin:1rem 0;font-size:.9rem;color:#444}}dt{{font-weight:600}}dd{{margin:0 0 .35rem}}
</style></head><body>
<h1>{title}</h1>
<p>{place}</p>
<table><tr><th>target</th><th>{prediction}</th><th>logit</th></tr>{targets}</table>
<p class="legend">{legend}</p>
<div class="card" style="--own:{width}px">{drawing}</div>
<dl>{terms}</dl>
</body></html>
"""


@dataclass(frozen=True, eq=False)
class Card:
    """What is to be drawn.

    Args:
        explanation: The sequence as the network sees it.
        output: Number of the target.
        begin: First position shown.
        end: Position after the last.
    """

    explanation: Explanation
    output: int
    begin: int
    end: int

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.explanation.model.objective.output_names[self.output]


def make_card(explanation: Explanation, target: str | None, window: tuple[int, int] | None) -> Card:
    """Choose what to draw.

    Args:
        explanation: The sequence as the network sees it.
        target: Name of the target; that with the highest logit by default.
        window: First position and the one after the last; by default all, or, of a long sequence, the
            `DEFAULT_WINDOW` positions that are worth most.

    Raises:
        MotifcnnError: There is no such target.
        InputError: The window is not in the sequence.
    """
    output, length = explanation.output(target), len(explanation.codes)
    if window is None:
        window = strongest_window(explanation.worth[output], DEFAULT_WINDOW)
    begin, end = window
    if not 0 <= begin < end <= length:
        raise InputError(
            f"--window {begin}-{end} is not in the sequence, which has {length} positions, counted from 0",
            explanation.name,
        )
    return Card(explanation, output, begin, end)


def write_card(card: Card, path: Path) -> None:
    """Write a card as SVG or HTML, told by the ending; nothing in it comes from elsewhere.

    Raises:
        InputError: The ending names neither.
    """
    kind = path.suffix.lower()
    if kind not in {".svg", ".html"}:
        raise InputError("a card is SVG or HTML; let its name end in .svg or .html", path)
    write_text(path, card_svg(card) + "\n" if kind == ".svg" else _page(card))


def card_svg(card: Card) -> str:
    """Return the drawing."""
    rows = _rows(card)
    height = sum(row.height + _GAP for row in rows) + _RULER
    columns = _columns(card.end - card.begin)
    starts = range(card.begin, card.end, columns)
    whole = _width(card), len(starts) * (height + _BETWEEN) - _BETWEEN
    letters = sorted({*card.explanation.model.alphabet.decode(card.explanation.codes[card.begin : card.end])})
    shapes = "".join(f'<path id="letter-{letter}" d="{letter_outline(letter)}"/>' for letter in letters)
    lines = [
        f'<g transform="translate(0 {number(line * (height + _BETWEEN))})">'
        f"{_line(card, rows, start, min(start + columns, card.end))}</g>"
        for line, start in enumerate(starts)
    ]
    title = escape(f"{card.explanation.name}: what raises and lowers {card.target}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(whole[0])} {number(whole[1])}" role="img">'
        f"<title>{title}</title><style>{_STYLE}</style><defs>{shapes}</defs>{''.join(lines)}</svg>"
    )


def _columns(positions: int) -> int:
    """Divide positions into lines of about one length."""
    return -(-positions // -(-positions // _COLUMNS))


def _width(card: Card) -> float:
    """Width of the drawing where it is neither stretched nor shrunk."""
    return _LEFT + _columns(card.end - card.begin) * STEP + _RIGHT


def _line(card: Card, rows: list[Row], begin: int, end: int) -> str:
    """Draw some positions of all rows under a ruler."""
    parts = [_ruler(card, begin, end)]
    top = _RULER
    for row in rows:
        parts.append(f'<g transform="translate(0 {number(top)})">')
        middle = row.height / 2
        parts.append(f'<text class="label" x="{_LEFT - 40}" y="{number(middle + (0 if row.unit else 4))}">')
        parts.append(f"{escape(row.label)}</text>")
        if row.unit:
            parts.append(f'<text class="unit" x="{_LEFT - 40}" y="{number(middle + 13)}">{escape(row.unit)}</text>')
        for place, text in row.axis():
            parts.append(f'<text class="tick" x="{_LEFT - 7}" y="{number(place + 3.3)}">{escape(text)}</text>')
            parts.append(
                f'<line class="mark" x1="{_LEFT - 4}" x2="{_LEFT}" y1="{number(place)}" y2="{number(place)}"/>'
            )
        parts.append(f'<g transform="translate({_LEFT} 0)">{row.draw(begin, end)}</g></g>')
        top += row.height + _GAP
    return "".join(parts)


def _ruler(card: Card, begin: int, end: int) -> str:
    """Mark every tenth position, counted from 1: on the chromosome where it is known, else in the sequence."""
    interval, length = card.explanation.interval, len(card.explanation.codes)
    parts = []
    for place in range(begin, end):
        if interval is None:
            shown = place + 1
        else:
            shown = interval.start + (length - place if interval.strand == "-" else place + 1)
        if shown % 10 == 0:
            x = number(_LEFT + (place - begin + 0.5) * STEP)
            text = f'<text class="place" x="{x}" y="10">{shown:,}</text>' if shown % 20 == 0 else ""
            parts.append(f'{text}<line class="mark" x1="{x}" x2="{x}" y1="13" y2="17"/>')
    return "".join(parts)


def _shown_motifs(card: Card) -> list[int]:
    """Motifs with a hit in the window; where there is none, those that come nearest."""
    explanation = card.explanation
    width = explanation.model.network.filters.width
    hit = {hit.motif for hit in explanation.hits if hit.start < card.end and hit.start + width > card.begin}
    if hit or not len(explanation.motifs):
        return sorted(hit)
    heights = explanation.activations[:, card.begin : card.end].max(axis=1)
    return sorted(np.argsort(-heights, kind="stable")[:_MOST_LINES].tolist())


def _colours(card: Card) -> dict[int, str]:
    return {motif: COLOURS[row % len(COLOURS)] for row, motif in enumerate(_shown_motifs(card))}


def _rows(card: Card) -> list[Row]:
    explanation, shown = card.explanation, slice(card.begin, card.end)
    alphabet = explanation.model.alphabet
    letters, colours = alphabet.decode(explanation.codes), letter_colours(alphabet)
    worth = explanation.worth[card.output]
    motif_colours = _colours(card)
    lines = [(explanation.motifs[m], colour, explanation.activations[m]) for m, colour in motif_colours.items()]
    rows: list[Row] = [
        LetterRow("worth of letters", "logit", letters, worth, Scale.around(worth[shown], 96.0), colours),
        TextRow("sequence", letters, colours),
        BoxRow("motifs", _boxes(card, motif_colours)),
    ]
    if lines:
        heights = np.concatenate([values[shown] for _, _, values in lines])
        rows.append(LineRow("activation", "of the filters", lines, Scale.around(heights, 56.0)))
    if explanation.contributions is not None:
        added = explanation.contributions[card.output]
        rows.append(BarRow("contribution", "logit", added, Scale.around(added[shown], 52.0), "#56799c"))
    for scale, values in zip(explanation.model.scales, explanation.tracks, strict=True):
        label = scale.name if len(scale.name) <= _LABEL else f"{scale.name[: _LABEL - 1]}…"
        rows.append(BarRow(label, "", values, Scale.around(values[shown], 44.0), "#7a9a6b"))
    return rows


def _boxes(card: Card, colours: dict[int, str]) -> list[Box]:
    explanation = card.explanation
    network = explanation.model.network
    boxes = []
    for hit in explanation.hits:
        end = hit.start + network.filters.width
        if hit.start >= card.end or end <= card.begin:
            continue
        strand = ("-" if hit.reverse else "+") if network.filters.both_strands else "."
        name = explanation.motifs[hit.motif]
        hint = f"{name}, positions {hit.start + 1} to {end}, strand {strand}, activation {hit.activation:.3g}"
        boxes.append(Box(name, hit.start, end, strand, colours[hit.motif], hint))
    return boxes


def _page(card: Card) -> str:
    explanation = card.explanation
    objective, length = explanation.model.objective, len(explanation.codes)
    rows = []
    for output, name in enumerate(objective.output_names):
        mark = ' class="chosen"' if output == card.output else ""
        value, logit = explanation.predictions[output], explanation.logits[output]
        rows.append(
            f'<tr{mark}><td>{escape(name)}</td><td class="n">{value:.4g}</td><td class="n">{logit:.3f}</td></tr>'
        )
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(explanation.motifs[motif])}</span>'
        for motif, colour in _colours(card).items()
    )
    shown = f"positions {card.begin + 1:,} to {card.end:,} of {length:,}"
    terms = "".join(f"<dt>{term}</dt><dd>{meaning}</dd>" for term, meaning in _terms(card))
    return _PAGE.format(
        title=escape(explanation.name),
        place=f"{shown}; explained is <b>{escape(card.target)}</b>",
        prediction="value" if objective.task == "regression" else "probability",
        targets="".join(rows),
        legend=legend,
        width=number(_width(card)),
        drawing=card_svg(card),
        terms=terms,
    )


def _terms(card: Card) -> list[tuple[str, str]]:
    """Say what the rows show."""
    explanation = card.explanation
    terms = [
        (
            "worth of letters",
            "the logit, less its mean with each of the other letters in that place: above the line, letters that raise "
            "the logit; below it, letters that lower it (in-silico mutagenesis)",
        ),
        ("motifs", "windows that reach the motif's threshold, pointing where they read"),
        ("activation", "of the motif's filter, at the middle of its window"),
    ]
    if explanation.contributions is not None:
        terms.append(
            (
                "contribution",
                "what the best windows of all filters add to the logit, shared evenly by their positions; over the "
                "whole sequence it adds up to the logit, less what the logit is where no filter adds anything",
            )
        )
    if len(explanation.tracks):
        terms.append(("further channels", "as the files have them; nothing is drawn where there is no value"))
    return terms
