"""Where a motif's sites may be: the chance of each window, and the letters that are then expected at a site.

Two models, of how many sites a sequence holds (Bailey and Elkan 1994, ISMB 2:28):

* zero or one (ZOOPS): a site in a share of the sequences, in any window of them;
* any number (ANR): at each position a site begins, or a letter of the background stands, so that sites never overlap;
  all such ways to read a sequence are summed from both its ends (Sinha et al. 2003, Bioinformatics 19:i292), where
  Bailey and Elkan take windows for independent and mend overlaps afterwards.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from motifcnn.compiling import compiled
from motifcnn.discovery.markov_background import Background
from motifcnn.discovery.triplets import TripletSequences, triplet_scores
from motifcnn.motifs import Matrix, Motif

NO_ANCHOR = -1
"""In place of the centre of a filter's site where a sequence has none."""

_ANCHOR_WEIGHT = 10.0
"""How much likelier a window at the filter's site is than another, before its letters are read."""

_LOG_ANCHOR_WEIGHT = float(np.log(_ANCHOR_WEIGHT))

_NEGLIGIBLE, _NEGLIGIBLE_IN_ALL = 1e-4, 0.02
"""Windows less likely than this to be the site are not counted, nor those that all together are less likely: a bound
for each alone would leave out more of the weak sites the longer the sequences are."""

_FAR_BELOW = 15.0
"""Nats below another from which a term adds next to nothing (3e-7) to a sum."""

_LEAST_SITES, _MOST_OCCUPIED = 1e-3, 0.5
"""Fewest sites a sequence, which would stick at 0; share of the positions that sites of any number may take."""

MOST_SHARE = 0.999
"""Greatest share of sequences with a site, where there is one at most; it would stick at 1."""

Centres = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Expected:
    """What a round expects.

    Args:
        counts: Letters at the sites and beside them, shape [position, letter].
        sites: Number of sites.
        each: Sites a sequence, first of those without an anchor, then of those with one: a filter that finds
            nothing in a sequence says something, too.
    """

    counts: Matrix
    sites: float
    each: Matrix


@dataclass(frozen=True, eq=False)
class Expectation:
    """The sequences, and what is known of them before a motif is looked for.

    Args:
        reading: The sequences.
        centres: Twice the centre of the filter's site in each, shape [sequence]; `NO_ANCHOR` where there is none.
        background: What stands where no site is.
        complement: Code of the letter opposite to each, where sites may lie on both strands; else None.
        flank: Positions beside the sites whose letters are counted, too; and how far from an anchor a site may be.
        sites: How many sites a sequence may hold.
    """

    reading: TripletSequences
    centres: Centres
    background: Background
    complement: npt.NDArray[np.int64] | None
    flank: int
    sites: Literal["zoops", "anr"]

    def of(self, motif: Motif, each: Matrix) -> Expected:
        """Weigh every window by the chance that it is a site, and count letters.

        Args:
            motif: The motif.
            each: Sites a sequence of each group, as the round before expected them.
        """
        letters, reading = motif.alphabet.size, self.reading
        scores = motif.log_odds(self.background.letters).scores * np.log(2.0)
        if self.background.order:
            scores = scores + np.log(self.background.letters)  # the chances alone
        other = np.arange(letters) if self.complement is None else self.complement
        strands = [scores] if self.complement is None else [scores, scores[::-1, other]]
        counts, found = np.zeros((motif.width + 2 * self.flank, letters)), np.zeros(2)
        _accumulate(
            reading.letters,
            reading.triplets,
            reading.offsets,
            triplet_scores(np.stack(strands)),
            self.background.surprisal(reading.letters, motif.width),
            motif.width,
            other,
            self.centres,
            self.begins(each, motif.width) if self.sites == "anr" else each,
            self.sites == "anr",
            self.flank,
            counts,
            found,
        )
        return Expected(counts, float(found.sum()), found / np.maximum(self.sequences, 1))

    @property
    def sequences(self) -> npt.NDArray[np.int64]:
        """Number of sequences of each group."""
        anchored = int((self.centres >= 0).sum())
        return np.array([len(self.centres) - anchored, anchored])

    @property
    def mean_lengths(self) -> Matrix:
        """Mean length of the sequences of each group."""
        lengths = np.diff(self.reading.offsets)
        sums = np.array([lengths[self.centres < 0].sum(), lengths[self.centres >= 0].sum()])
        return np.asarray(sums / np.maximum(self.sequences, 1))

    def begins(self, each: Matrix, width: int) -> Matrix:
        """Return the chance that a site begins where a letter of the background could stand, for each group."""
        return np.asarray(each / np.maximum(self.mean_lengths - (width - 1) * each, 1.0))

    def bounded(self, each: Matrix, width: int) -> Matrix:
        """Keep sites a sequence within what the model allows."""
        most = MOST_SHARE if self.sites == "zoops" else _MOST_OCCUPIED * self.mean_lengths / width
        return np.clip(each, _LEAST_SITES, np.maximum(most, _LEAST_SITES))


@compiled
def _accumulate(  # type: ignore[no-untyped-def] # pragma: no cover
    codes,
    triplets,
    offsets,
    strands,
    surprisal,
    width,
    complement,
    centres,
    chances,
    any_number,
    flank,
    counts,
    found,
):
    longest = 0
    for sequence in range(len(offsets) - 1):
        longest = max(longest, offsets[sequence + 1] - offsets[sequence])
    scores = np.empty((strands.shape[0], longest))
    for sequence in range(len(offsets) - 1):
        start, end = offsets[sequence], offsets[sequence + 1]
        windows = end - start - width + 1
        prior, possible, best = _score_windows(
            triplets, start, windows, strands, surprisal, width, centres[sequence], flank, scores
        )
        if prior == 0.0:
            continue
        group = int(centres[sequence] >= 0)
        own = scores[:, :windows]
        if any_number:
            found[group] += _weigh_any_number(own, width, chances[group], prior / possible)
        else:
            found[group] += _weigh_one(own, chances[group], prior, best)
        _count_letters(codes, start, end, width, complement, flank, own, counts)


@compiled
def _score_windows(  # type: ignore[no-untyped-def] # pragma: no cover
    triplets, start, windows, strands, surprisal, width, centre, flank, scores
):
    """Write down each window's log-likelihood ratio and weight; return the sum of weights, windows and the best."""
    prior, possible, best = 0.0, 0, -np.inf
    for window in range(windows):
        near = centre >= 0 and abs(2 * window + width - 1 - centre) <= 2 * flank
        for strand in range(strands.shape[0]):
            score = (_LOG_ANCHOR_WEIGHT if near else 0.0) + surprisal[start + window]
            for triplet in range(strands.shape[1]):
                score += strands[strand, triplet, triplets[start + window + 3 * triplet]]
            scores[strand, window] = score
            best = max(best, score)
        if scores[0, window] > -np.inf:
            prior += strands.shape[0] * (_ANCHOR_WEIGHT if near else 1.0)
            possible += 1
    return prior, possible, best


@compiled
def _weigh_one(scores, share, prior, best):  # type: ignore[no-untyped-def] # pragma: no cover
    """Turn scores into chances where a sequence holds a site or none; return the chance that it holds one."""
    likelihood = 0.0
    for strand in range(scores.shape[0]):
        for window in range(scores.shape[1]):
            if scores[strand, window] > best - _FAR_BELOW:
                likelihood += np.exp(scores[strand, window] - best)
    # the sequence without a site, on the same scale
    whole = likelihood + (1.0 - share) / share * prior * np.exp(-best)
    floor = best + np.log(whole * min(_NEGLIGIBLE, _NEGLIGIBLE_IN_ALL / scores.size))
    for strand in range(scores.shape[0]):
        for window in range(scores.shape[1]):
            score = scores[strand, window]
            scores[strand, window] = np.exp(score - best) / whole if score >= floor else 0.0
    return likelihood / whole


@compiled
def _weigh_any_number(scores, width, begins, weight):  # type: ignore[no-untyped-def] # pragma: no cover
    """Turn scores into chances where sites begin anywhere but do not overlap; return the number expected.

    Logs of sums over all readings, relative to that of no site: `before` of the letters before a position, `after` of
    those from it on.
    """
    windows = scores.shape[1]
    length = windows + width - 1
    log_begins = np.log(begins) - width * np.log1p(-begins) - np.log(weight)
    best = np.empty(windows)
    for window in range(windows):
        best[window] = scores[0, window]
        for strand in range(1, scores.shape[0]):
            best[window] = np.logaddexp(best[window], scores[strand, window])
    before, after = np.zeros(length + 1), np.zeros(length + 1)
    for end in range(width, length + 1):
        term = log_begins + best[end - width] + before[end - width] - before[end - 1]
        before[end] = before[end - 1] + (np.logaddexp(0.0, term) if term > -_FAR_BELOW else 0.0)
    for start in range(windows - 1, -1, -1):
        term = log_begins + best[start] + after[start + width] - after[start + 1]
        after[start] = after[start + 1] + (np.logaddexp(0.0, term) if term > -_FAR_BELOW else 0.0)
    found = 0.0
    floor = min(_NEGLIGIBLE, _NEGLIGIBLE_IN_ALL / scores.size)
    for window in range(windows):
        around = log_begins + before[window] + after[window + width] - before[length]
        for strand in range(scores.shape[0]):
            chance = np.exp(around + scores[strand, window])
            found += chance
            scores[strand, window] = chance if chance >= floor else 0.0
    return found


@compiled
def _count_letters(  # type: ignore[no-untyped-def] # pragma: no cover
    codes, start, end, width, complement, flank, chances, counts
):
    """Add the letters of a sequence's windows and of their flanks, each by the window's chance."""
    for strand in range(chances.shape[0]):
        for window in range(chances.shape[1]):
            chance = chances[strand, window]
            if chance == 0.0:
                continue
            for column in range(width + 2 * flank):
                shift = column - flank
                place = start + window + (shift if strand == 0 else width - 1 - shift)
                if start <= place < end and codes[place] < counts.shape[1]:
                    code = codes[place] if strand == 0 else complement[codes[place]]
                    counts[column, code] += chance
