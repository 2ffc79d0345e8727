"""Each motif on a page of its own: aligned logos, what is known of it, where its sites lie, its best sites."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup, escape

from motifcnn.discovery.comparison import FAR_E_VALUE
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.drawing.logos import inline_svg, logo_document
from motifcnn.motifs import Motif
from motifcnn.report.channels import TrackView, aligned_tracks
from motifcnn.report.run_files import Row, RunFiles, Table, number
from motifcnn.report.tables import MotifRow, count, decimal

MOST_SITES: Final = 12
"""Best sites listed; all are in sites.tsv."""


@dataclass(frozen=True)
class AlignedLogo:
    """A logo in a stack of logos.

    Args:
        caption: What it shows.
        drawing: Its SVG element.
    """

    caption: str
    drawing: Markup


@dataclass(frozen=True)
class SiteLine:
    """One site of the list.

    Args:
        sequence: Name of the sequence.
        place: First and last letter, counted from 1, and the strand.
        score: Log-odds in bits.
        upstream: Letters before it, as it is read.
        letters: Its letters, in their colours.
        downstream: Letters after it.
    """

    sequence: str
    place: str
    score: str
    upstream: str
    letters: Markup
    downstream: str


@dataclass(frozen=True)
class Article:
    """A motif's page.

    Args:
        logos: The motif, the motif of its filter and the nearest known one, aligned.
        tracks: Further channels at its sites, aligned with them.
        facts: What is known of it: term and value.
        sites: Its best sites.
        sites_in_all: How many there are.
    """

    logos: tuple[AlignedLogo, ...]
    tracks: tuple[TrackView, ...]
    facts: tuple[tuple[str, str], ...]
    sites: tuple[SiteLine, ...]
    sites_in_all: str


def article(files: RunFiles, row: MotifRow, raw: Row, sites: Table, prefix: str) -> Article:
    """Return a motif's page.

    Args:
        files: Of the run.
        row: The motif as the table shows it.
        raw: Its row of motifs.tsv.
        sites: Its rows of sites.tsv.
        prefix: Put before the ids of its drawings.
    """
    stack = motif_stack(files, row, raw)
    first = min((item.before for item in stack), default=0)
    columns = max((item.before - first + item.motif.width for item in stack), default=0)
    logos = tuple(_aligned_logos(stack, first, columns, prefix))
    tracks = tuple(aligned_tracks(files, row.name, first, columns)) if stack else ()
    best = np.argsort(-np.nan_to_num(sites.numbers("log_odds"), nan=-np.inf), kind="stable")[:MOST_SITES]
    lines = tuple(_site_line(sites.rows[index]) for index in best if sites.rows[index].get("site"))
    return Article(logos, tracks, tuple(_facts(row, raw)), lines, count(len(sites.rows)))


@dataclass(frozen=True)
class StackedMotif:
    """A motif in a stack of motifs that are aligned.

    Args:
        kind: "motif", "filter" (its filter's own sites) or "known" (the nearest known one).
        caption: What it is.
        motif: Turned round where it is the reverse complement that is alike.
        before: Column of the first motif at which it begins; may be negative.
    """

    kind: str
    caption: str
    motif: Motif
    before: int


def motif_stack(files: RunFiles, row: MotifRow, raw: Row) -> list[StackedMotif]:
    """Return the motif, that of its filter's own sites if it is another, and the nearest known one if it is alike.

    Args:
        files: Of the run.
        row: The motif as the table shows it.
        raw: Its row of motifs.tsv.
    """
    motif = files.matrices.get(row.name)
    if motif is None:
        return []
    refined = raw.get("refined") == "yes"
    stack = [StackedMotif("motif", f"{row.name}, refined" if refined else row.name, motif, 0)]
    source = files.filter_matrices.get(row.name)
    if source is not None and refined:
        like = motif_similarity(motif, source, motif.alphabet.double_stranded)
        turned = source.reverse_complement() if like.reverse else source
        stack.append(StackedMotif("filter", "as the filter’s own sites give it", turned, -like.offset))
    known = files.known_matrices.get(row.match_id)
    offset = number(raw.get("match_offset", ""))
    if known is not None and np.isfinite(offset) and number(raw.get("match_e_value", "")) <= FAR_E_VALUE:
        reverse = raw.get("match_orientation") == "-" and known.alphabet.double_stranded
        caption = f"nearest known: {row.best_match} ({known.name}){', reverse complement' if reverse else ''}"
        turned = known.reverse_complement() if reverse else known
        stack.append(StackedMotif("known", caption, turned, -int(offset)))
    return stack


def _aligned_logos(stack: Sequence[StackedMotif], first: int, columns: int, prefix: str) -> Iterator[AlignedLogo]:
    """The logos below one another, so that like columns stand in one place."""
    for index, item in enumerate(stack):
        drawing = inline_svg(logo_document(item.motif, item.before - first, columns), f"{prefix}{index}-", item.caption)
        yield AlignedLogo(item.caption, Markup(drawing))  # inline_svg escapes the caption


def _facts(row: MotifRow, raw: Row) -> Iterator[tuple[str, str]]:
    yield "E-value", f"{row.e_value.text} (p\u00a0=\u00a0{row.p_value.text})"
    if row.found:
        yield "Held out", row.found
    if row.composition:
        yield "By composition", row.composition
    yield "AUROC of the motif alone", f"{row.auroc.text} by its best site, {row.occupancy_auroc.text} by all sites"
    if row.central:
        yield "Place", row.central
    yield "Importance", f"{row.importance.text} lost when its filters are silenced"
    restarts = raw.get("recurrence", "")
    if "/" in restarts:
        found, of = restarts.split("/", 1)
        yield "Recurrence", f"found in {found} of {of} networks trained side by side"
    if raw.get("refined") == "yes":
        likeness = decimal(number(raw.get("filter_similarity", "")), 2)
        yield "Refined", f"correlation {likeness} with the motif of its filter’s own sites ({raw.get('filter', '')})"
    elif raw.get("filter"):
        yield "Filter", raw["filter"]
    if row.best_match:
        kin = f"; {row.kin}" if row.kin else ""
        yield "Nearest known", f"{row.best_match} (E\u00a0=\u00a0{row.match_e_value.text}{kin})"
    threshold = number(raw.get("threshold", ""))
    yield "Made from", f"{row.sites.text} sites; {row.width.text} letters, {row.information.text} bits"
    if np.isfinite(threshold):
        yield "A site has", f"at least {decimal(threshold, 1)} bits"


def _site_line(site: Mapping[str, str]) -> SiteLine:
    start, end = number(site.get("start", "")), number(site.get("end", ""))
    strand = {"-": "−"}.get(site.get("strand", ""), site.get("strand", ""))
    flanks = ["" if site.get(side, ".") == "." else site.get(side, "") for side in ("upstream", "downstream")]
    return SiteLine(
        site.get("id", ""),
        f"{count(start + 1)}–{count(end)} {strand}".strip(),
        decimal(number(site.get("log_odds", "")), 1),
        flanks[0].lower(),
        coloured(site.get("site", "")),
        flanks[1].lower(),
    )


def coloured(letters: str) -> Markup:
    """Return letters marked up for the style sheet to colour, runs of one letter together."""
    runs: list[str] = []
    for letter in letters:
        if runs and runs[-1][0] == letter:
            runs[-1] += letter
        else:
            runs.append(letter)
    pieces: Sequence[str] = [
        f'<i class="l{run[0]}">{run}</i>' if run[0].isascii() and run[0].isalpha() else str(escape(run)) for run in runs
    ]
    return Markup("".join(pieces))  # letters only, all else is escaped


def site_colours(colours: Mapping[str, str], letters: str) -> str:
    """Return the style sheet's rules for the letters of sites.

    Args:
        colours: Of each symbol.
        letters: Of the alphabet.
    """
    return "".join(f".sites .l{letter}{{color:{colours[letter]}}}" for letter in letters)
