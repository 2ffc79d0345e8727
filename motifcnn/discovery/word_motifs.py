"""Motifs that start from enriched words: where filters learn the flanks of single sites, a short word does not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from motifcnn.alphabet import Codes
from motifcnn.discovery.candidates import ExtractedMotif, Origin, Scored, TrainingSet, overlap
from motifcnn.discovery.refinement import NO_ANCHOR, refine
from motifcnn.discovery.similarity import motif_similarity
from motifcnn.learning.enriched_words import COUNTED_LETTERS, WordIndex, enriched_words
from motifcnn.motifs import Matrix, Motif
from motifcnn.scanning.best import BestSites

_LENGTHS = {4: (6, 7, 8), 20: (3,)}
"""Lengths of the words that motifs may start from, by the number of letters."""

_WORDS = 9
"""Most words to start from in all; fewer where the budget of letters is less."""

_MATCH = 0.7
"""Probability of a word's letter in the motif that it starts."""

_SITES = 20.0
_SIMILARITY = 0.4
"""Correlation with the word at which refining ends: a word is a much cruder start than a filter."""

_HELD_SITES = 0.5
"""Share of a motif's sites that a filter's best windows must lie on for the filter to hold the motif."""


@dataclass(frozen=True, eq=False)
class FilterSites:
    """Where the filters fire best.

    Args:
        sites: Each filter's best window in each sequence of the training set; scores are the filter's own.
        width: Width of a filter.
    """

    sites: BestSites
    width: int


@dataclass(frozen=True, eq=False)
class WordMotifs:
    """The words of a training set, and the filters that may hold their motifs.

    Args:
        candidates: The motifs of all filters that mark positives.
        filters: Where the filters fire.
        shown: The training set.
        counted: Which of its sequences are counted, shape [sequence].
        indexes: Their words, of each length.
        each: Words of each length and target to start from.
    """

    candidates: Sequence[ExtractedMotif]
    filters: FilterSites
    shown: TrainingSet
    counted: npt.NDArray[np.int64]
    indexes: Sequence[WordIndex]
    each: int

    @classmethod
    def of(
        cls, candidates: Sequence[ExtractedMotif], filters: FilterSites, shown: TrainingSet, most: int
    ) -> "WordMotifs":
        """Find the words of a training set, of as many lengths as can be started from.

        Args:
            candidates: The motifs of all filters that mark positives.
            filters: Where the filters fire.
            shown: The training set.
            most: Most words to start from.
        """
        lengths = _LENGTHS.get(shown.sequences.alphabet.size, ())
        each = min(_WORDS, most) // max(1, len(lengths) * len(shown.groups))
        counted = shown.sequences.thinned(np.arange(len(shown.sequences)), COUNTED_LETTERS)
        sequences = shown.sequences.subset(counted) if len(counted) < len(shown.sequences) else shown.sequences
        indexes = [WordIndex.of(sequences, length, shown.both_strands) for length in lengths if each]
        return cls(candidates, filters, shown, counted, indexes, each)

    def enriched(self) -> list[Scored]:
        """Refine words enriched in positives, and keep the motifs that some filter holds."""
        truth = [np.where(known, positive, np.nan) for known, positive in self.shown.groups]
        words = (
            (target, word)
            for index in self.indexes
            for target, values in enumerate(truth)
            for word in enriched_words(index, values[self.counted], self.each)
        )
        return self._refined(words, "word")

    def for_the_rest(self, chosen: Sequence[Scored]) -> list[Scored]:
        """Refine words enriched in what motifs of one target leave of its labels; keep those that some filter holds."""
        left, target = self.shown.unexplained(chosen)[self.counted], chosen[0].extracted.target
        words = ((target, word) for index in self.indexes for word in enriched_words(index, left, self.each))
        return self._refined(words, "rest")

    def _refined(self, words: Iterable[tuple[int, Codes]], origin: Origin) -> list[Scored]:
        attempts = [
            ExtractedMotif(motif, (), target, 0.0, 0.0, 0.0, origin=origin)
            for target, word in words
            for motif in self._motifs(target, word)
        ]
        held = (self._held(item) for item in self.shown.score(attempts))
        return [item for item in held if item is not None]

    def _motifs(self, target: int, word: Codes) -> list[Motif]:
        shown, alphabet = self.shown, self.shown.sequences.alphabet
        matrix: Matrix = np.full((len(word), alphabet.size), (1.0 - _MATCH) / (alphabet.size - 1))
        matrix[np.arange(len(word)), word] = _MATCH
        start, own = Motif("word", matrix, alphabet, sites=_SITES), shown.positives(target)
        positives, nowhere = shown.sequences.subset(own), np.full(len(own), NO_ANCHOR)
        settings = replace(shown.settings, refine_similarity=_SIMILARITY)
        return refine(start, positives, nowhere, shown.background, both_strands=shown.both_strands, settings=settings)

    def _held(self, item: Scored) -> Scored | None:
        """Find the filters whose best windows lie on a motif's sites; None where there is none."""
        target, width = item.extracted.target, item.extracted.motif.width
        own = [candidate for candidate in self.candidates if candidate.target == target]
        sited = np.flatnonzero(item.hits & self.shown.groups[target][1])
        if not own or not len(sited):
            return None
        numbers = np.array([candidate.filters[0] for candidate in own])
        windows = self.filters.sites.starts[np.ix_(sited, numbers)]
        shares = overlap(item.starts[sited, None], width, windows, self.filters.width).mean(axis=0)
        order = [int(place) for place in np.argsort(-shares, kind="stable") if shares[place] >= _HELD_SITES]
        if not order:
            return None
        source = own[order[0]]
        extracted = replace(
            with_faithful(item.extracted, item.extracted.motif, source.motif, self.shown),
            filters=tuple(int(numbers[place]) for place in order),
            filter_threshold=source.filter_threshold,
        )
        return replace(item, extracted=extracted)


def with_faithful(source: ExtractedMotif, motif: Motif, faithful: Motif, shown: TrainingSet) -> ExtractedMotif:
    """Give a candidate a refined motif beside that of its filter's own sites."""
    likeness = motif_similarity(motif, faithful, shown.both_strands).correlation
    return replace(source, motif=motif, filter_motif=faithful, filter_similarity=likeness)
