"""What both of the scanner's compiled searches do: piece after piece, words, candidates, exact scores."""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg,type-var,var-annotated"

import numba
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from motifcnn.scanning.code_parts import past
from motifcnn.scanning.layout import PIECE, TESTED

_NEVER = -(1 << 31)


@intrinsic
def _lowest_bit(typing_context, bits):
    """Place of the lowest bit that is set."""

    def emit(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), emit


@numba.njit
def _exact_score(codes, length, start, width, letters, table, first):  # pragma: no cover
    """Score one window; the least integer where it is cut short or holds an ambiguity code."""
    if start + width > length:
        return _NEVER
    total = 0
    for position in range(width):
        code = codes[start + position]
        if code >= letters:
            return _NEVER
        total += table[first + position * letters + code]
    return total


def search_of(fill_words, find_candidates, of_candidate):
    """Make a search, to be compiled.

    Args:
        fill_words: (codes, length, begin, word, letters, words, windows, most_slots): makes the words of a piece's
            windows; returns whether any window begins with a letter proper.
        find_candidates: (tables, words, windows, slots, members, word, letters, places, alive): writes a block's
            candidates, each a place and 64 bits, of which those that are set are candidates; returns their number.
        of_candidate: (place, bit): window in the piece, and motif strand in the block.
    """

    def search(
        codes, length, begin, end, tables, begins, slots, members, blocks, word, letters, widths, thresholds, exact,
        firsts, ranks, words, candidates, hits, room, next_begin,
    ):  # fmt: skip
        """Fill in starts, strands and scores of hits, piece after piece, and return their number.

        Where the room does not do for a piece, next_begin[0] says where that begins; `end` where all are done.
        """
        found = 0
        places, alive = candidates, past(candidates, PIECE + TESTED)
        most_slots = slots[0]
        for block in range(blocks):
            most_slots = max(most_slots, slots[block])
        for piece in range(begin, end, PIECE):
            windows = min(PIECE, end - piece)
            if not fill_words(codes, length, piece, word, letters, words, windows, most_slots):
                continue
            before, first = found, 0
            for block in range(blocks):
                count = find_candidates(
                    past(tables, begins[block]), words, windows, slots[block], members[block], word, letters, places,
                    alive,
                )  # fmt: skip
                for candidate in range(count):
                    bits = numba.uint64(alive[candidate])
                    while bits != 0:
                        window, member = of_candidate(places[candidate], _lowest_bit(bits))
                        bits &= bits - numba.uint64(1)
                        if window >= windows:
                            continue
                        start, strand = piece + window, first + member
                        total = _exact_score(codes, length, start, widths[strand], letters, exact, firsts[strand])
                        if total >= thresholds[strand]:
                            if found < room:
                                hits[found] = start
                                hits[room + found] = ranks[strand]
                                hits[2 * room + found] = total
                            found += 1
                first += members[block]
            if found > room:
                next_begin[0] = piece
                return before
        next_begin[0] = end
        return found

    return search
