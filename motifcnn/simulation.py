"""Sequences with planted motifs: examples whose truth is known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import ALPHABETS, Alphabet, Codes
from motifcnn.errors import MotifcnnError
from motifcnn.motifs import Matrix, Motif
from motifcnn.sequences import Sequences
from motifcnn.settings import SimulationSettings

BINARY_TARGET = "positive"


@dataclass(frozen=True)
class PlantedSite:
    """Where a motif was planted.

    Args:
        motif: Name of the motif.
        sequence: Name of the sequence.
        start: First position, counted from 0.
        end: Position after the last.
        strand: "-" where the site reads on the other strand.
    """

    motif: str
    sequence: str
    start: int
    end: int
    strand: str


@dataclass(frozen=True, eq=False)
class Simulation:
    """Simulated examples and the truth about them.

    Args:
        sequences: The sequences.
        targets: Names of the labels: one, or one a motif.
        values: Labels 0 and 1, shape [sequence, target].
        sites: Every planted site, in the order of the sequences and of their starts.
        motifs: What was planted.
    """

    sequences: Sequences
    targets: tuple[str, ...]
    values: npt.NDArray[np.float32]
    sites: tuple[PlantedSite, ...]
    motifs: tuple[Motif, ...]

    def bases(self) -> npt.NDArray[np.bool_]:
        """Return whether a base lies in a site of each target, shape [total positions, target]."""
        inside = np.zeros((len(self.sequences.codes), len(self.targets)), dtype=bool)
        start_of = dict(zip(self.sequences.names, self.sequences.offsets[:-1].tolist(), strict=True))
        for site in self.sites:
            first = start_of[site.sequence]
            column = self.targets.index(site.motif) if site.motif in self.targets else 0
            inside[first + site.start : first + site.end, column] = True
        return inside


def simulate(
    settings: SimulationSettings, generator: np.random.Generator, motifs: Sequence[Motif] | None = None
) -> Simulation:
    """Make random sequences and plant motifs in some of them.

    The background is random letters, each independent of its neighbours. Sites are drawn from the
    motifs' probabilities, do not overlap, and lie on either strand of DNA. In a binary task a
    positive holds sites of motifs drawn at random; in a multi-label task each motif has positives
    of its own. Negatives hold nothing but chance matches.

    Args:
        settings: How many, how long, what is planted.
        generator: Source of randomness; the same state gives the same result.
        motifs: What to plant; random motifs by default.

    Raises:
        MotifcnnError: The settings cannot be met, such as sites that do not fit into a sequence.
    """
    _check(settings, with_random_motifs=not motifs)
    alphabet = motifs[0].alphabet if motifs else ALPHABETS[settings.alphabet]
    background = _background(alphabet, settings.gc)
    planted = _named_apart(motifs) if motifs else random_motifs(settings, alphabet, background, generator)
    if any(motif.alphabet is not alphabet for motif in planted):
        raise MotifcnnError("the motifs are of different alphabets; give motifs of one")
    lengths = generator.integers(settings.length, max(settings.length, settings.longest) + 1, settings.sequences)
    names = [f"simulated_{i + 1:0{len(str(settings.sequences))}d}" for i in range(settings.sequences)]
    codes = [_draw_letters(np.tile(background, (length, 1)), generator) for length in lengths.tolist()]
    carriers = _carriers(settings, len(planted), generator)
    sites: list[PlantedSite] = []
    for i, name in enumerate(names):
        chosen = _chosen_motifs(settings, carriers[i], len(planted), generator)
        sites += _plant(codes[i], name, [planted[motif] for motif in chosen], generator)
    multiple = settings.task == "multi-label"
    return Simulation(
        Sequences.from_list(names, codes, alphabet),
        tuple(motif.name for motif in planted) if multiple else (BINARY_TARGET,),
        carriers.astype(np.float32),
        tuple(sites),
        tuple(planted),
    )


def random_motifs(
    settings: SimulationSettings, alphabet: Alphabet, background: Matrix, generator: np.random.Generator
) -> list[Motif]:
    """Make motifs with random letters at positions of random strength.

    Args:
        settings: Their number, width and information.
        alphabet: Their letters.
        background: Letter frequencies of the sequences around them.
        generator: Source of randomness.
    """
    motifs = []
    for number in range(settings.motifs):
        preferences = generator.standard_normal((settings.motif_width, alphabet.size))
        probabilities = _sharpened(preferences, settings.motif_bits)
        motifs.append(Motif(f"planted_{number + 1}", probabilities, alphabet, sites=1000.0, background=background))
    return motifs


def _sharpened(preferences: Matrix, bits: float) -> Matrix:
    """Scale random preferences so that their softmax holds this information, by bisection."""
    low, high = 0.0, 1.0
    while _information(preferences * high) < bits and high < 1e9:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _information(preferences * middle) < bits else (low, middle)
    return _softmax(preferences * high)


def _softmax(scores: Matrix) -> Matrix:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _information(scores: Matrix) -> float:
    probabilities = _softmax(scores)
    logs = np.log2(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    return float((np.log2(probabilities.shape[1]) + (probabilities * logs).sum(axis=1)).sum())


def _named_apart(motifs: Sequence[Motif]) -> list[Motif]:
    """Give motifs that share a name endings, since labels and truth go by name."""
    seen: dict[str, int] = {}
    apart = []
    for motif in motifs:
        seen[motif.name] = seen.get(motif.name, 0) + 1
        apart.append(motif if seen[motif.name] == 1 else replace(motif, name=f"{motif.name}_{seen[motif.name]}"))
    return apart


def _background(alphabet: Alphabet, gc: float) -> Matrix:
    if alphabet.complement is None:
        return np.full(alphabet.size, 1.0 / alphabet.size)
    return np.array([gc / 2 if letter in "CG" else (1 - gc) / 2 for letter in alphabet.letters])


def _draw_letters(probabilities: Matrix, generator: np.random.Generator) -> Codes:
    """Draw one letter at each position.

    Args:
        probabilities: Shape [position, letter].
        generator: Source of randomness.
    """
    steps = probabilities.cumsum(axis=1)
    chance = generator.random((len(probabilities), 1)) * steps[:, -1:]
    letters: Codes = np.minimum((chance >= steps).sum(axis=1), probabilities.shape[1] - 1).astype(np.uint8)
    return letters


def _carriers(settings: SimulationSettings, motifs: int, generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Choose the positives of each target: exactly the share asked for, in random order."""
    targets = motifs if settings.task == "multi-label" else 1
    positive = np.arange(settings.sequences) < round(settings.positives * settings.sequences)
    return np.stack([generator.permutation(positive) for _ in range(targets)], axis=1)


def _chosen_motifs(
    settings: SimulationSettings, carried: npt.NDArray[np.bool_], motifs: int, generator: np.random.Generator
) -> list[int]:
    if settings.task == "multi-label":
        return np.repeat(np.flatnonzero(carried), settings.sites).tolist()
    return generator.integers(0, motifs, settings.sites).tolist() if carried[0] else []


def _plant(codes: Codes, name: str, motifs: list[Motif], generator: np.random.Generator) -> list[PlantedSite]:
    """Write a site of each motif into a sequence, in random order and at random places."""
    needed = sum(motif.width for motif in motifs)
    free = len(codes) - needed
    if free < 0:
        raise MotifcnnError(
            f"a sequence of {len(codes)} letters cannot hold sites of {needed}; "
            "make the sequences longer, or plant fewer or narrower motifs"
        )
    # Free letters and sites in a row, the sites at a random choice of places in it: each way to
    # arrange them is equally likely.
    places = np.sort(generator.choice(free + len(motifs), len(motifs), replace=False)) - np.arange(len(motifs))
    sites = []
    passed = 0
    for place, chosen in zip(places.tolist(), generator.permutation(len(motifs)).tolist(), strict=True):
        motif = motifs[chosen]
        site = _draw_letters(motif.probabilities, generator)
        reverse = motif.alphabet.double_stranded and bool(generator.integers(0, 2))
        start = place + passed
        codes[start : start + motif.width] = motif.alphabet.reverse_complement(site) if reverse else site
        sites.append(PlantedSite(motif.name, name, start, start + motif.width, "-" if reverse else "+"))
        passed += motif.width
    return sites


def _check(settings: SimulationSettings, *, with_random_motifs: bool) -> None:
    rules = [
        (settings.sequences >= 1, "sequences must be 1 or more"),
        (settings.length >= 1, "length must be 1 or more"),
        (settings.longest == 0 or settings.longest >= settings.length, "longest must be 0 or at least the length"),
        (settings.sites >= 1, "sites must be 1 or more"),
        (0 < settings.gc < 1, "gc must lie between 0 and 1"),
        (0 <= settings.positives <= 1, "positives must lie from 0 to 1"),
    ]
    if with_random_motifs:
        most = float(np.log2(ALPHABETS[settings.alphabet].size)) * settings.motif_width
        rules += [
            (settings.motifs >= 1 and settings.motif_width >= 1, "motifs and motif-width must be 1 or more"),
            (
                0 < settings.motif_bits <= 0.999 * most,
                f"motif-bits must lie above 0 and below {most:.1f} at this width",
            ),
        ]
    problem = next((message for holds, message in rules if not holds), None)
    if problem:
        raise MotifcnnError(problem)
