"""Effects of variants as a table, and as the same VCF with further INFO fields."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from motifcnn import __version__
from motifcnn.devices import Device
from motifcnn.formats.files import atomic_write
from motifcnn.formats.genome import Genome
from motifcnn.formats.motif_files import read_motifs
from motifcnn.formats.vcf import InfoField, VcfReader, VcfWriter, info_keys, info_text
from motifcnn.motifs import Motif
from motifcnn.prediction.predicting import model_of
from motifcnn.prediction.variants import AlleleEffect, MotifChange, VariantEffect, VariantInput, variant_effects
from motifcnn.runs import RunDirectory
from motifcnn.settings import ScanSettings

_NONE = "NA"
_FIXED = ("chrom", "pos", "id", "ref", "alt")
_PER_TARGET = ("ref", "alt", "difference", "logit_difference")
_OF_MOTIFS = ("motif", "motif_p_ref", "motif_p_alt", "gained", "lost")


@dataclass(frozen=True)
class VariantRequest:
    """What to compare and where to write.

    Args:
        model: Run directory, or a model file, which has no motifs.
        variants: VCF, plain or compressed, or "-".
        genome: FASTA of the genome.
        conservation: Tracks, as for training.
        width: Of the window around a reference allele; 0: that of training.
        p_value: Largest p-value of a hit.
        annotated: VCF to write; bgzip if its name ends in .gz.
    """

    model: Path
    variants: Path
    genome: Path
    conservation: tuple[Path, ...] = ()
    width: int = 0
    p_value: float = ScanSettings().p_value
    annotated: Path | None = None


@dataclass(frozen=True)
class VariantSummary:
    """What was compared.

    Args:
        variants: Lines of the VCF.
        alleles: Alternatives compared.
        symbolic: Alternatives without letters of their own, left out.
        short: Alternatives so near to an end of a short chromosome that no filter fits, left out.
        gained: Alternatives with which some motif is gained.
        lost: Alternatives with which some motif is lost.
    """

    variants: int = 0
    alleles: int = 0
    symbolic: int = 0
    short: int = 0
    gained: int = 0
    lost: int = 0


def compare_variants(request: VariantRequest, out: BinaryIO, device: Device) -> VariantSummary:
    """Write what each alternative allele does, one row an allele, and the annotated VCF where asked for.

    Args:
        request: What to compare.
        out: Where the table goes.
        device: Where to compute.

    Raises:
        InputError: A file is at fault, or they do not belong together.
    """
    model = model_of(request.model, device, whole="predict --vcf")
    run = RunDirectory(request.model)
    motifs = read_motifs(run.motifs_meme, model.alphabet) if run.motifs_meme.is_file() else []
    genome = Genome(request.genome, model.softmask)  # type: ignore[arg-type]
    given = VariantInput(model, genome, request.conservation, motifs, request.width or model.width)
    reader = VcfReader(request.variants)
    targets = model.objective.output_names
    table = _Table(out, targets, request.p_value)
    counts = _Counts(request.p_value)
    with ExitStack() as files:
        annotation = None
        if request.annotated is not None:
            file = files.enter_context(atomic_write(request.annotated))
            annotation = _Annotation(file, targets, motifs, request.p_value, run.path.resolve().name)
        for effect in variant_effects(reader, given, device):
            counts.take(effect)
            table.write(effect)
            if annotation is not None:
                annotation.write(effect, reader.header)
        table.finish()
        if annotation is not None:
            annotation.finish(reader.header)
    return counts.summary()


class _Counts:
    def __init__(self, p_value: float):
        self._p_value = p_value
        self._numbers = dict.fromkeys(VariantSummary.__dataclass_fields__, 0)

    def take(self, effect: VariantEffect) -> None:
        """Count a line."""
        self._numbers["variants"] += 1
        for text, allele in zip(effect.record.alternatives, effect.alleles, strict=True):
            if allele is None:
                self._numbers["symbolic" if text is None else "short"] += 1
            else:
                self._numbers["alleles"] += 1
                self._numbers["gained"] += any(change.is_gained(self._p_value) for change in allele.changes)
                self._numbers["lost"] += any(change.is_lost(self._p_value) for change in allele.changes)

    def summary(self) -> VariantSummary:
        """Return the counts."""
        return VariantSummary(**self._numbers)


class _Table:
    """One row an allele; its header is written first, also where there is no row."""

    def __init__(self, out: BinaryIO, targets: Sequence[str], p_value: float):
        self._out, self._p_value, self._begun = out, p_value, False
        self._columns = [*_FIXED, *(f"{target}_{part}" for target in targets for part in _PER_TARGET), *_OF_MOTIFS]

    def write(self, effect: VariantEffect) -> None:
        """Write the rows of a line of the VCF."""
        self.finish()
        record = effect.record
        for allele in effect.alleles:
            if allele is not None:
                place = (record.chrom, str(record.position + 1), record.identifier, record.reference, allele.allele)
                row = [*place, *_numbers(allele), *self._motifs(allele)]
                self._out.write(("\t".join(row) + "\n").encode())

    def finish(self) -> None:
        """Write the header if that is still to be done."""
        if not self._begun:
            self._out.write(("\t".join(self._columns) + "\n").encode())
        self._begun = True

    def _motifs(self, allele: AlleleEffect) -> Iterator[str]:
        strongest = allele.strongest
        if strongest is None:
            yield from (_NONE,) * 3
        else:
            yield from (strongest.motif, f"{strongest.p_reference:.3g}", f"{strongest.p_alternative:.3g}")
        for changes in _gained_and_lost(allele, self._p_value):
            texts = [f"{each.motif}:{each.p_reference:.3g}:{each.p_alternative:.3g}" for each in changes]
            yield ",".join(texts) or _NONE


def _numbers(allele: AlleleEffect) -> Iterator[str]:
    for (before, after), (low, high) in zip(allele.predictions.T.tolist(), allele.logits.T.tolist(), strict=True):
        yield from (f"{before:.6g}", f"{after:.6g}", f"{after - before:.6g}", f"{high - low:.6g}")


def _gained_and_lost(allele: AlleleEffect, p_value: float) -> tuple[list[MotifChange], list[MotifChange]]:
    gained = [change for change in allele.changes if change.is_gained(p_value)]
    return gained, [change for change in allele.changes if change.is_lost(p_value)]


class _Annotation:
    """The VCF again, with what its alleles do."""

    def __init__(self, file: BinaryIO, targets: Sequence[str], motifs: Sequence[Motif], p_value: float, run: str):
        kinds = ("REF", "ALT", "DIFF", "LOGIT")
        self._keys = [info_keys(f"MCNN_{kind}_", targets) for kind in kinds]
        self._p_value, self._begun = p_value, False
        meanings = (
            ("1", "prediction with the reference allele"),
            ("A", "prediction with the alternative allele"),
            ("A", "prediction with the alternative allele less that with the reference"),
            ("A", "logit with the alternative allele less that with the reference"),
        )
        fields = [
            InfoField(key, number, "Float", f"{target}: {meaning}")
            for keys, (number, meaning) in zip(self._keys, meanings, strict=True)
            for key, target in zip(keys, targets, strict=True)
        ]
        for key, side in (("MCNN_GAINED", "alternative"), ("MCNN_LOST", "reference")):
            text = (
                f"motifs whose best hit over the variant has p <= {p_value:g} with the {side} allele only: "
                "ALT|motif|p with the reference|p with the alternative"
            )
            fields += [InfoField(key, ".", "String", text)] if motifs else []
        self._writer = VcfWriter(file, fields, (f'motifcnn=<Version="{__version__}",Run="{info_text(run)}">',))

    def write(self, effect: VariantEffect, header: Sequence[str]) -> None:
        """Write a line."""
        self.finish(header)
        self._writer.write(effect.record, dict(self._values(effect)))

    def finish(self, header: Sequence[str]) -> None:
        """Write the header if that is still to be done."""
        if not self._begun:
            self._writer.write_header(header)
        self._begun = True

    def _values(self, effect: VariantEffect) -> Iterator[tuple[str, str]]:
        known = [allele for allele in effect.alleles if allele is not None]
        if not known:
            return
        columns = [None if allele is None else list(_numbers(allele)) for allele in effect.alleles]
        for part, keys in enumerate(self._keys):
            for target, key in enumerate(keys):
                texts = ["." if column is None else column[4 * target + part] for column in columns]
                yield key, next(text for text in texts if text != ".") if part == 0 else ",".join(texts)
        for number, key in enumerate(("MCNN_GAINED", "MCNN_LOST")):
            texts = [
                f"{allele.allele}|{info_text(each.motif)}|{each.p_reference:.3g}|{each.p_alternative:.3g}"
                for allele in known
                for each in _gained_and_lost(allele, self._p_value)[number]
            ]
            if texts:
                yield key, ",".join(texts)
