"""The compiled part of mutagenesis: each filter's best window in every mutant, from the windows that a change touches.

Filters and strands lie side by side in rows of lanes, forward strand first, so that LLVM makes vector operations of
the loops over lanes. A window's score is a sum of rows, one for each of its positions.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import numpy as np

from motifcnn.compiling import compiled

LANES = 64
"""Filters × strands of a block: its rows (5 symbols × 19 columns × 64 lanes: 24 kB) stay in a core's first cache."""


@compiled
def _add_position(row, table, track_table, tracks, code, position, column):  # pragma: no cover
    """Add what one position of the sequence scores in one column of the filters."""
    addend = table[code, column]
    for lane in range(LANES):
        row[lane] += addend[lane]
    for track in range(len(tracks)):
        value, weights = tracks[track, position], track_table[track, column]
        for lane in range(LANES):
            row[lane] += value * weights[lane]


@compiled
def _score_windows(codes, tracks, table, track_table, place, first, scores):  # pragma: no cover
    """Score the windows that start at `first` and after, one a row of `scores`, with what their place adds."""
    width, reach = table.shape[1], len(place) // 2
    for window in range(len(scores)):
        row = scores[window]
        away = 2 * (first + window) + width - len(codes)
        row[:] = place[min(max(away, -reach), reach) + reach]
        for column in range(width):
            position = first + window + column
            _add_position(row, table, track_table, tracks, codes[position], position, column)


@compiled
def _raise_to(best, row, half):  # pragma: no cover
    """Raise each filter's best score to that of a row, whose other strand's lanes begin at `half`."""
    for number in range(len(best)):
        highest = row[number]
        if half < LANES and row[half + number] > highest:
            highest = row[half + number]
        best[number] = max(best[number], highest)


@compiled
def segment_maxima(codes, tracks, table, track_table, place, half, bounds, best):  # pragma: no cover
    """Find each filter's best window among those that start from one bound up to the next.

    Args:
        codes: Codes of the letters, shape [position].
        tracks: Scaled further channels, shape [track, position].
        table: Rows of the letters, shape [symbol, column, lane].
        track_table: Rows of the tracks, shape [track, column, lane].
        place: What a window's score begins with, shape [distance from the middle in half letters, lane].
        half: Lane of the first filter's reverse strand; `LANES` where one strand is read.
        bounds: Ascending, shape [segment + 1].
        best: Where the scores go, shape [segment, filter].
    """
    row = np.empty((1, LANES), dtype=np.float32)
    for segment in range(len(best)):
        best[segment] = -np.inf
        for start in range(bounds[segment], bounds[segment + 1]):
            _score_windows(codes, tracks, table, track_table, place, start, row)
            _raise_to(best[segment], row[0], half)


@compiled
def _before_and_after(scores, half, left, right):  # pragma: no cover
    """Best scores among the windows before each, and from each on, those outside (`left`, `right`) counted in."""
    windows, filters = len(scores), len(left)
    before = np.empty((windows + 1, filters), dtype=np.float32)
    after = np.empty((windows + 1, filters), dtype=np.float32)
    before[0], after[windows] = left, right
    for window in range(windows):
        before[window + 1] = before[window]
        _raise_to(before[window + 1], scores[window], half)
    for window in range(windows - 1, -1, -1):
        after[window] = after[window + 1]
        _raise_to(after[window], scores[window], half)
    return before, after


@compiled
def substituted(  # pragma: no cover
    codes, tracks, table, track_table, place, half, begin, end, left, right, best
):
    """Find each filter's best window where one letter is another.

    Args:
        codes: As in `segment_maxima`, also for the four after it.
        tracks: See there.
        table: See there.
        track_table: See there.
        place: See there.
        half: See there.
        begin: First position to change.
        end: Position after the last.
        left: Best score of the windows that end before `begin`, shape [filter].
        right: Best score of those that start at `end` or after, shape [filter].
        best: Where the scores go, shape [position from `begin`, letter, filter].
    """
    width = table.shape[1]
    last = len(codes) - width
    low, high = max(0, begin - width + 1), min(last, end - 1)
    scores = np.empty((high - low + 1, LANES), dtype=np.float32)
    _score_windows(codes, tracks, table, track_table, place, low, scores)
    before, after = _before_and_after(scores, half, left, right)
    others = np.empty((width, LANES), dtype=np.float32)
    row = np.empty(LANES, dtype=np.float32)
    for position in range(begin, end):
        first, final = max(0, position - last), min(width - 1, position)  # columns that windows put there
        for column in range(first, final + 1):
            score, own, rest = scores[position - column - low], table[codes[position], column], others[column]
            for lane in range(LANES):
                rest[lane] = score[lane] - own[lane]
        untouched = max(0, position - final - low), min(len(scores), position - first - low + 1)
        for letter in range(best.shape[1]):
            target = best[position - begin, letter]
            if letter == codes[position]:
                target[:] = before[len(scores)]
                _raise_all(target, right)
                continue
            target[:] = before[untouched[0]]
            _raise_all(target, after[untouched[1]])
            _raise_to_best(target, others[first : final + 1], table[letter, first : final + 1], row, half)


@compiled
def _raise_all(best, others):  # pragma: no cover
    for number in range(len(best)):
        best[number] = max(best[number], others[number])


@compiled
def _raise_to_best(best, rests, new, row, half):  # pragma: no cover
    """Raise each filter's best score to that of the best window, of which one position is new, one window a row."""
    row[:] = -np.inf
    for window in range(len(rests)):
        rest, own = rests[window], new[window]
        for lane in range(LANES):
            score = rest[lane] + own[lane]
            row[lane] = score if score > row[lane] else row[lane]
    _raise_to(best, row, half)


@compiled
def _prefix_sums(codes, tracks, table, track_table, low, sums):  # pragma: no cover
    """Scores of the first columns of windows: [window from `low`, columns, lane]; nothing lies outside the sequence."""
    width = table.shape[1]
    for window in range(len(sums)):
        sums[window, 0] = 0.0
        for column in range(width):
            sums[window, column + 1] = sums[window, column]
            position = low + window + column
            if 0 <= position < len(codes):
                _add_position(sums[window, column + 1], table, track_table, tracks, codes[position], position, column)


@compiled
def _close_gap(sums, place, first, final, row, best, half):  # pragma: no cover
    """Raise best scores to those of windows with some first columns before a position, and the rest after it."""
    width = sums.shape[1] - 1
    for column in range(first, final + 1):
        whole, part, before = (
            sums[place - column + 1, width],
            sums[place - column + 1, column],
            sums[place - column, column],
        )
        for lane in range(LANES):
            row[lane] = before[lane] + (whole[lane] - part[lane])
        _raise_to(best, row, half)


@compiled
def _open_gap(sums, place, first, final, rests):  # pragma: no cover
    """Score windows but for one column, which a letter put before a position is to fill."""
    width = sums.shape[1] - 1
    for column in range(first, final + 1):
        before, here = sums[place - column, column], place - column - 1
        whole, part, rest = sums[here, width], sums[here, column + 1], rests[column]
        for lane in range(LANES):
            rest[lane] = before[lane] + (whole[lane] - part[lane])


@compiled
def indels(  # pragma: no cover
    codes, tracks, table, track_table, place, half, begin, end, left, right, deleted, inserted
):
    """Find each filter's best window where one letter is missing, and where one is put before it.

    Arguments are those of `substituted`, but for:

    Args:
        codes: See there.
        tracks: See there; what is put in has the value 0, the mean.
        table: See there.
        track_table: See there.
        place: See there.
        half: See there.
        begin: See there.
        end: See there; the sequence's end counts as a place to put letters before.
        left: See there.
        right: See there.
        deleted: Shape [position from `begin`, filter]; nothing is written for the sequence's end.
        inserted: Shape [position from `begin`, letter, filter].
    """
    width = table.shape[1]
    last = len(codes) - width
    low, high = max(0, begin - width + 1), min(last, end - 1)
    scores = np.empty((max(0, high - low + 1), LANES), dtype=np.float32)
    _score_windows(codes, tracks, table, track_table, place, low, scores)
    before, after = _before_and_after(scores, half, left, right)
    base = begin - width  # one window before those that reach `begin`
    sums = np.empty((end - base + 1, width + 1, LANES), dtype=np.float32)
    _prefix_sums(codes, tracks, table, track_table, base, sums)
    rests = np.empty((width, LANES), dtype=np.float32)
    row = np.empty(LANES, dtype=np.float32)
    for position in range(begin, end):
        earlier = min(max(0, position - width + 1 - low), len(scores))
        if position < len(codes):
            target = deleted[position - begin]
            target[:] = before[earlier]
            _raise_all(target, after[min(max(0, position + 1 - low), len(scores))])
            first, final = max(1, position - last + 1), min(width - 1, position)
            _close_gap(sums, position - base, first, final, row, target, half)
        first, final = max(0, position - last - 1), min(width - 1, position)
        _open_gap(sums, position - base, first, final, rests)
        for letter in range(inserted.shape[1]):
            target = inserted[position - begin, letter]
            target[:] = before[earlier]
            _raise_all(target, after[min(max(0, position - low), len(scores))])
            _raise_to_best(target, rests[first : final + 1], table[letter, first : final + 1], row, half)
