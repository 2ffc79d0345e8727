"""The rows of a run's sheet of logos: each motif, its filter's own and the nearest known one."""

from pathlib import Path

from motifcnn.drawing.logo_sheet import SheetLogo, SheetRow
from motifcnn.formats.motif_files import read_motifs
from motifcnn.report.articles import motif_stack
from motifcnn.report.run_files import read_run
from motifcnn.report.tables import motif_rows

_KINDS = ("motif", "filter", "known")


def sheet_rows(run: Path) -> list[SheetRow]:
    """Return a row for each motif, best first; like kinds stand in one column.

    Args:
        run: Run directory, or a file of motifs, which gives rows with nothing but the motif.

    Raises:
        InputError: It is no run, or the file holds no motif.
    """
    if not run.is_dir():
        motifs = read_motifs(run)
        return [SheetRow(f"{item.name}  {item.alternate_name}".strip(), (SheetLogo(0, "", item),)) for item in motifs]
    files = read_run(run)
    rows = motif_rows(files.motifs.rows, 0.0)
    stacks = [motif_stack(files, row, raw) for row, raw in zip(rows, files.motifs.rows, strict=True)]
    present = [kind for kind in _KINDS if any(item.kind == kind for stack in stacks for item in stack)]
    return [
        SheetRow(
            f"{row.name}  E = {row.e_value.text},  AUROC {row.auroc.text}",
            tuple(
                SheetLogo(present.index(item.kind), item.caption if item.kind != "motif" else "", item.motif)
                for item in stack
            ),
        )
        for row, stack in zip(rows, stacks, strict=True)
        if stack
    ]
