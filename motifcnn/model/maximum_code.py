"""The compiled part of training through the maximum: LLVM vector operations, which numba has no names for, and loops.

Everything is in one file because numba's cache on disk looks at one file only to see whether it is stale.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg"

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from motifcnn.compiling import compiled

LANES = 64
"""Filters × strands of a block: a table of 7 words × 125 rows × 64 lanes is 224 kB and stays in a core's cache."""
WORD = 3
"""Letters of a word."""
COMMON = 5
"""Symbols that words are made of: the letters proper and N."""
_VECTOR = 16
"""Lanes of a vector operation; where vectors are shorter, LLVM takes several."""
_SCORES = ir.VectorType(ir.FloatType(), _VECTOR)
_PLACES = ir.VectorType(ir.IntType(32), _VECTOR)
_WHOLE = ir.IntType(64)


@intrinsic
def _keep_best(typing_context, table, words, slots, step, symbols, positions, place, reach, offset, best, where):
    """Add the rows of each window and keep each lane's highest sum and its first window in `best` and `where`.

    Args:
        typing_context: Of numba's compiler.
        table: Rows of lanes, [word of the window, number of the word, lane] in one dimension.
        words: Number of the word at each position of an example.
        slots: Words of a window.
        step: Positions between them.
        symbols: Rows for each word of the window.
        positions: Windows.
        place: Rows of lanes to begin each window's sum with, [row, lane] in one dimension, 2 × `reach` + 1 rows.
        reach: Row of a window in the middle of its sequence.
        offset: Twice the first window's place, counted from there; beyond `reach` the outermost rows serve.
        best: Highest sum so far, shape [lane].
        where: Its window.
    """
    whole = types.int64
    signature = types.void(table, words, whole, whole, whole, whole, place, whole, whole, best, where)
    return signature, _emit


def _emit(context, builder, signature, arguments):
    def vectors(number, kind):
        data = context.make_array(signature.args[number])(context, builder, arguments[number]).data
        places = (builder.gep(data, [_WHOLE(first)]) for first in range(0, LANES, _VECTOR))
        return [builder.bitcast(place, kind.as_pointer()) for place in places]

    def variables(pointers):
        return [cgutils.alloca_once_value(builder, builder.load(pointer, align=4)) for pointer in pointers]

    table, words = (context.make_array(signature.args[n])(context, builder, arguments[n]).data for n in (0, 1))
    place_rows = context.make_array(signature.args[6])(context, builder, arguments[6]).data
    slots, step, symbols, positions = arguments[2:6]
    reach, offset = arguments[7:9]
    targets = vectors(9, _SCORES), vectors(10, _PLACES)
    best, where = (variables(pointers) for pointers in targets)
    sums = [cgutils.alloca_once(builder, _SCORES) for _ in best]
    with cgutils.for_range(builder, positions) as window:
        from_middle = _clamped(builder, builder.add(offset, builder.mul(window.index, _WHOLE(2))), reach)
        row = builder.mul(builder.add(from_middle, reach), _WHOLE(LANES))
        for number, total in enumerate(sums):
            place = builder.gep(place_rows, [builder.add(row, _WHOLE(number * _VECTOR))])
            builder.store(builder.load(builder.bitcast(place, _SCORES.as_pointer()), align=4), total)
        with cgutils.for_range(builder, slots) as slot:
            at = builder.add(window.index, builder.mul(slot.index, step))
            word = builder.zext(builder.load(builder.gep(words, [at])), _WHOLE)
            row = builder.mul(builder.add(builder.mul(slot.index, symbols), word), _WHOLE(LANES))
            for number, total in enumerate(sums):
                place = builder.gep(table, [builder.add(row, _WHOLE(number * _VECTOR))])
                addend = builder.load(builder.bitcast(place, _SCORES.as_pointer()), align=4)
                builder.store(builder.fadd(builder.load(total), addend), total)
        here = _splat(builder, builder.trunc(window.index, ir.IntType(32)))
        for total, highest, first in zip(sums, best, where, strict=True):
            score, before = builder.load(total), builder.load(highest)
            better = builder.fcmp_ordered(">", score, before)
            builder.store(builder.select(better, score, before), highest)
            builder.store(builder.select(better, here, builder.load(first)), first)
    for pointers, values in zip(targets, (best, where), strict=True):
        for pointer, value in zip(pointers, values, strict=True):
            builder.store(builder.load(value), pointer, align=4)
    return context.get_dummy_value()


def _clamped(builder, value, most):
    """Bring a whole number to between -most and most."""
    least = builder.neg(most)
    value = builder.select(builder.icmp_signed("<", value, least), least, value)
    return builder.select(builder.icmp_signed(">", value, most), most, value)


@intrinsic
def _add_rows(typing_context, left, one, right, other, into, row):
    """Put the sum of a row of lanes of `left` and one of `right` into a row of `into`, all of one dimension."""

    def emit(context, builder, signature, arguments):
        arrays = (context.make_array(signature.args[n])(context, builder, arguments[n]).data for n in (0, 2, 4))
        starts = [
            builder.gep(data, [builder.mul(arguments[n], _WHOLE(LANES))])
            for data, n in zip(arrays, (1, 3, 5), strict=True)
        ]
        for begin in range(0, LANES, _VECTOR):
            places = [builder.gep(start, [_WHOLE(begin)]) for start in starts]
            first, second, total = (builder.bitcast(place, _SCORES.as_pointer()) for place in places)
            builder.store(builder.fadd(builder.load(first, align=4), builder.load(second, align=4)), total, align=4)
        return context.get_dummy_value()

    whole = types.int64
    return types.void(left, whole, right, whole, into, whole), emit


def _splat(builder, value):
    """Put a value into every lane."""
    nothing = ir.Constant(_PLACES, ir.Undefined)
    single = builder.insert_element(nothing, value, ir.IntType(32)(0))
    return builder.shuffle_vector(single, nothing, ir.Constant(_PLACES, [0] * _VECTOR))


@compiled
def words_of(codes, lengths, base, extra):  # pragma: no cover
    """Number the words of three letters at each position; mark the examples with letters beyond the base."""
    examples, positions = codes.shape
    words = np.zeros((examples, positions + extra), dtype=np.uint8)
    rare = np.zeros(examples, dtype=np.bool_)
    for example in range(examples):
        length = lengths[example]
        for position in range(length):
            rare[example] |= codes[example, position] >= base
        if not rare[example]:
            for position in range(length):
                word = codes[example, position] * base * base
                if position + 1 < length:
                    word += codes[example, position + 1] * base
                if position + 2 < length:
                    word += codes[example, position + 2]
                words[example, position] = word
    return words, rare


@compiled
def _add_row(row, shares, weight):  # pragma: no cover
    """Add what one symbol scores at one position of the filters: its letters' weights, shared out."""
    for letter in range(len(shares)):
        if shares[letter] != 0:
            for lane in range(len(row)):
                row[lane] += shares[letter] * weight[letter, lane]


@compiled
def _tables(weight, fractions, complement, first, last, half, step):  # pragma: no cover
    """Make the rows to be added: [word of the window, number of the word, lane]; reverse lanes start at `half`."""
    width = weight.shape[0]
    symbols = len(fractions)
    slots = -(-width // step)
    single = np.zeros((slots * step, symbols, LANES), dtype=np.float32)
    for position in range(width):
        for symbol in range(symbols):
            _add_row(single[position, symbol, : last - first], fractions[symbol], weight[position, :, first:last])
            if half < LANES:
                row = single[width - 1 - position, symbol, half : half + last - first]
                _add_row(row, fractions[complement[symbol]], weight[position, :, first:last])
    if step == 1:
        return single
    words = symbols * symbols * symbols
    table = np.empty((slots, words, LANES), dtype=np.float32)
    letters, rows = single.reshape(-1), table.reshape(-1)
    pairs = np.empty(symbols * symbols * LANES, dtype=np.float32)
    for slot in range(slots):
        begin = 3 * slot * symbols
        for pair in range(symbols * symbols):
            _add_rows(letters, begin + pair // symbols, letters, begin + symbols + pair % symbols, pairs, pair)
        for word in range(words):
            third = begin + 2 * symbols + word % symbols
            _add_rows(pairs, word // symbols, letters, third, rows, slot * words + word)
    return table


@compiled
def _place_rows(place, first, last, half, most):  # pragma: no cover
    """Lay out what the place of a window adds as rows of lanes, the same on both strands; beyond `most`, nothing."""
    rows = np.zeros((len(place), LANES), dtype=np.float32)
    reach = len(place) // 2
    for number in range(max(reach - most, 0), min(reach + most + 1, len(place))):
        own, row, mirrored = place[number, first:last], rows[number], rows[number, half:]
        for lane in range(last - first):
            row[lane] = own[lane]
        for lane in range(min(last - first, LANES - half)):
            mirrored[lane] = own[lane]
    return rows


@compiled
def search_blocks(  # pragma: no cover
    examples, first, last, words, lengths, step, fractions, weight, complement, both, place, scores, starts, reverse
):
    """Search some examples with the filters from `first` to `last`, a block of lanes at a time."""
    half = LANES // 2 if both else LANES
    for begin in range(first, last, half):
        end = min(begin + half, last)
        own = fractions, weight, complement, both, place, scores, starts, reverse
        _search_block(examples, begin, end, half, words, lengths, step, *own)


@compiled
def _search_block(  # pragma: no cover
    examples, first, last, half, words, lengths, step, fractions, weight, complement, both, place, scores, starts,
    reverse,
):  # fmt: skip
    table = _tables(weight, fractions, complement, first, last, half, step)
    width, slots = weight.shape[0], table.shape[0]
    flat = table.reshape(-1)
    reach = place.shape[0] // 2
    flat_place = _place_rows(place, first, last, half, lengths[examples].max() - width).reshape(-1)
    best = np.empty(LANES, dtype=np.float32)
    where = np.empty(LANES, dtype=np.int32)
    for example in examples:
        best[:] = -np.inf
        where[:] = 0
        positions = lengths[example] - width + 1
        offset = width - lengths[example]
        _keep_best(flat, words[example], slots, step, table.shape[1], positions, flat_place, reach, offset, best, where)
        for lane in range(last - first):
            turned = both and best[half + lane] > best[lane]
            chosen = half + lane if turned else lane
            scores[example, first + lane] = best[chosen]
            starts[example, first + lane] = where[chosen]
            reverse[example, first + lane] = turned


@compiled
def _strand_tables(weight, fractions, complement, first, last, half, step):  # pragma: no cover
    """Make the rows of filters whose second strand, if any, has weights of its own behind those of the first."""
    width, channels, filters = weight.shape
    here = np.zeros((width, channels, LANES), dtype=np.float32)
    here[:, :, : last - first] = weight[:, :, first:last]
    if half < LANES:
        here[:, :, half : half + last - first] = weight[:, :, filters // 2 + first : filters // 2 + last]
    return _tables(here, fractions, complement, 0, LANES, LANES, step)


@compiled
def search_intervals(
    bounds, parts, first, last, words, step, fractions, weight, complement, half, scores
):  # pragma: no cover
    """Find the highest score of the filters from `first` to `last` up to the end of each part of each interval.

    Args:
        bounds: Where parts of intervals begin, and the end of the last; windows belong to the part in which they start.
        parts: Parts of an interval.
        first: First filter.
        last: Filter after the last.
        words: Number of the word at each position.
        step: Positions between the words of a window.
        fractions: Share of each channel in each symbol.
        weight: Shape [position, channel, filter]; filters of a second strand, if any, follow those of the first.
        complement: Each symbol itself.
        half: Lanes of a strand; all of them where there is one strand.
        scores: Filled in, shape [part, filter].
    """
    both = half < LANES
    table = _strand_tables(weight, fractions, complement, first, last, half, step)
    flat = table.reshape(-1)
    nowhere = np.zeros(LANES, dtype=np.float32)
    best = np.empty(LANES, dtype=np.float32)
    where = np.empty(LANES, dtype=np.int32)
    for number in range(len(bounds) - 1):
        if number % parts == 0:
            best[:] = -np.inf
        begin, count = bounds[number], bounds[number + 1] - bounds[number]
        _keep_best(flat, words[begin:], table.shape[0], step, table.shape[1], count, nowhere, 0, 0, best, where)
        row = scores[number]
        for lane in range(last - first):
            row[first + lane] = max(best[lane], best[half + lane]) if both else best[lane]


@compiled
def search_placed(
    stride, positions, offset, first, last, words, step, fractions, weight, complement, half, place, best
):  # pragma: no cover
    """Find the highest score of the filters from `first` to `last` in sliding intervals, with what its place adds.

    Each window is scored once, however many intervals it lies in.

    Args:
        stride: Step between intervals.
        positions: Windows of an interval.
        offset: Twice the place of an interval's first window, counted from the interval's middle.
        first: First filter.
        last: Filter after the last.
        words: Number of the word at each position.
        step: Positions between the words of a window.
        fractions: Share of each channel in each symbol.
        weight: As in `search_intervals`.
        complement: Each symbol itself.
        half: Lanes of a strand; all of them where there is one strand.
        place: Shape [distance from the middle in half letters, filter].
        best: Filled in, shape [interval, filter].
    """
    table = _strand_tables(weight, fractions, complement, first, last, half, step)
    reach = len(place) // 2
    rows = _place_rows(place, first, last, half, reach)
    scores = np.zeros(((len(best) - 1) * stride + positions, LANES), dtype=np.float32)
    for window in range(len(scores)):
        score = scores[window]
        for slot in range(table.shape[0]):
            row = table[slot, words[window + slot * step]]
            for lane in range(LANES):
                score[lane] += row[lane]
    highest = np.empty(LANES, dtype=np.float32)
    for interval in range(len(best)):
        highest[:] = -np.inf
        for number in range(positions):
            row = rows[min(max(offset + 2 * number, -reach), reach) + reach]
            score = scores[interval * stride + number]
            for lane in range(LANES):
                total = score[lane] + row[lane]
                highest[lane] = total if total > highest[lane] else highest[lane]
        for lane in range(last - first):
            other = highest[half + lane] if half < LANES else -np.inf
            best[interval, first + lane] = max(highest[lane], other)


@compiled
def add_windows(  # pragma: no cover
    first, last, gradient, codes, lengths, starts, reverse, complement, sums
):
    """Add the gradients of the filters from `first` to `last` to the letters of their windows."""
    width = sums.shape[2]
    for number in range(first, last):
        total = sums[number]
        for example in range(len(codes)):
            share = gradient[example, number]
            if share == 0 or lengths[example] < width:
                continue
            row = codes[example]
            start = starts[example, number]
            if reverse[example, number]:
                for position in range(width):
                    total[complement[row[start + width - 1 - position]], position] += share
            else:
                for position in range(width):
                    total[row[start + position], position] += share
