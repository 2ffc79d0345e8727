"""What the scanner compiles to search with windows in the lanes of vectors: few motif strands, 64 windows at a time.

The shortfalls of one slot are a table that fits in a register, so that one shuffle of bytes looks up those of many
windows. Words that hold an ambiguity code give anything: their windows are ruled out by the exact scores, and those
that begin with one before, so that runs of N cost nothing.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call,call-arg,type-var,var-annotated"

from dataclasses import dataclass
from functools import reduce

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from motifcnn.scanning.code_parts import WHOLE, load, past
from motifcnn.scanning.layout import LANES, SHUFFLED_WORDS, TESTED, TOGETHER
from motifcnn.scanning.search_code import search_of

_BYTES = ir.VectorType(ir.IntType(8), LANES)
_AMBIGUOUS = 128
"""Set in words that begin with an ambiguity code."""


@dataclass(frozen=True)
class Shuffle:
    """An instruction that looks up bytes.

    Args:
        feature: What processors that have it call it.
        name: LLVM's name of it.
        lanes: Bytes looked up at a time.
        entries: Bytes of a table.
        totals: Vectors of 64 sums that fit in the registers beside all else.
    """

    feature: str
    name: str
    lanes: int
    entries: int
    totals: int


SHUFFLES = (
    Shuffle("avx512vbmi", "x86.avx512.permvar.qi.512", 64, 64, 8),
    Shuffle("avx512bw", "x86.avx512.pshuf.b.512", 64, 16, 8),
    Shuffle("avx2", "x86.avx2.pshuf.b", 32, 16, 4),
    Shuffle("ssse3", "x86.ssse3.pshuf.b.128", 16, 16, 2),
)
"""Of x86, best first."""
NEON = Shuffle("neon", "aarch64.neon.tbl1.v16i8", 16, 16, 4)


def best_shuffle(triple: str, features: str) -> Shuffle | None:
    """Return the best instruction of a processor, if we know one.

    Args:
        triple: LLVM's name of the kind of machine.
        features: LLVM's names of what the processor can do, each after "+", separated by commas.
    """
    if triple.startswith(("aarch64", "arm64")):
        return NEON
    there = features.split(",") if triple.startswith("x86_64") else []
    return next((shuffle for shuffle in SHUFFLES if f"+{shuffle.feature}" in there), None)


def _shuffle(context) -> Shuffle | None:
    triple, _, features = context.codegen().magic_tuple()
    return best_shuffle(triple, features)


@intrinsic
def _entries(typing_context):
    """Bytes of a table; 0 where no instruction looks them up."""

    def emit(context, builder, signature, arguments):
        shuffle = _shuffle(context)
        return WHOLE(shuffle.entries if shuffle else 0)

    return types.int64(), emit


def table_entries():  # pragma: no cover
    """Return how many bytes a table of `search_by_windows` has; 0 where this processor cannot do it."""
    return _entries()


def _all_of(value):
    return ir.Constant(_BYTES, [value] * LANES)


class Search:
    """Emits the search for windows at which a motif strand is not below zero, for some strands at a time.

    Args:
        shuffle: What looks shortfalls up.
        builder: Where code goes.
        arguments: Values of the arguments of `_candidates`.
    """

    def __init__(self, shuffle, builder, arguments):
        self._shuffle, self._builder = shuffle, builder
        self._tables, self._words, self._windows, self._slots, self._members, self._word = arguments[:6]
        self._places, self._alive = arguments[-2:]
        self._count = cgutils.alloca_once_value(builder, WHOLE(0))

    def emit(self):
        """Emit a loop for each number of strands, and for tables of one shuffle and of several."""
        builder = self._builder
        several = SHUFFLED_WORDS // self._shuffle.entries
        for members in range(1, TOGETHER + 1):
            chosen = builder.icmp_signed("==", self._members, WHOLE(members))
            if several > 1:
                one_letter = builder.icmp_signed("==", self._word, WHOLE(1))
                with builder.if_then(builder.and_(chosen, one_letter)):
                    self._loop(members, several)
                chosen = builder.and_(chosen, builder.not_(one_letter))
            with builder.if_then(chosen):
                self._loop(members, 1)
        return builder.load(self._count)

    def _loop(self, members, rows):
        """Below zero everywhere at all windows of a step: that is what one test tells, most of the time."""
        builder = self._builder
        stretches = self._shuffle.totals // members or 1
        with cgutils.for_range_slice(builder, WHOLE(0), self._windows, WHOLE(LANES * stretches)) as (first, _):
            places = [builder.add(first, WHOLE(LANES * stretch)) for stretch in range(stretches)]
            totals = self._sums(places, members, rows)
            any_alive = self._bits(reduce(builder.and_, (total for each in totals for total in each)))
            with builder.if_then(builder.icmp_unsigned("!=", any_alive, WHOLE(0)), likely=False):
                for place, here in zip(places, totals, strict=True):
                    begins_properly = self._bits(self._words_at(place))
                    for member, total in enumerate(here):
                        bits = builder.and_(self._bits(total), begins_properly)
                        self._keep(builder.add(builder.mul(place, WHOLE(TOGETHER)), WHOLE(member)), bits)

    def _sums(self, places, members, rows):
        """Return the sum of shortfalls for each of `places` and each strand."""
        builder = self._builder
        sums = [[cgutils.alloca_once_value(builder, _all_of(0)) for _ in range(members)] for _ in places]
        with cgutils.for_range(builder, self._slots) as loop:
            offset = builder.mul(loop.index, self._word)
            indices = [self._indices(self._words_at(builder.add(place, offset)), rows) for place in places]
            table = builder.gep(self._tables, [builder.mul(loop.index, WHOLE(members * rows * LANES))])
            for member in range(members):
                begin = member * rows
                tables = [load(builder, builder.gep(table, [WHOLE((begin + n) * LANES)]), _BYTES) for n in range(rows)]
                for here, index in zip(sums, indices, strict=True):
                    shortfall = reduce(builder.or_, map(self._look_up, tables, index))
                    builder.store(self._add(builder.load(here[member]), shortfall), here[member])
        return [[builder.load(total) for total in here] for here in sums]

    def _words_at(self, place):
        return load(self._builder, self._builder.gep(self._words, [place]), _BYTES)

    def _indices(self, words, rows):
        """Return where to look in each row of a table; of several rows, all but one give 0: the highest bit is set."""
        if rows == 1:
            return [words]
        builder, size = self._builder, self._shuffle.entries
        above = builder.sext(builder.icmp_signed(">=", words, _all_of(size)), _BYTES)
        return [builder.or_(words, above), builder.sub(words, _all_of(size))]

    def _look_up(self, table, index):
        builder, shuffle = self._builder, self._shuffle
        kind = ir.VectorType(ir.IntType(8), shuffle.lanes)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(kind, [kind, kind]), f"llvm.{shuffle.name}"
        )
        parts = []
        for begin in range(0, LANES, shuffle.lanes):
            which = ir.Constant(ir.VectorType(ir.IntType(32), shuffle.lanes), [*range(begin, begin + shuffle.lanes)])
            halves = [builder.shuffle_vector(whole, _all_of(0), which) for whole in (table, index)]
            parts.append(builder.call(function, halves))
        while len(parts) > 1:
            parts = [self._joined(*parts[n : n + 2]) for n in range(0, len(parts), 2)]
        return parts[0]

    def _joined(self, left, right):
        count = 2 * left.type.count
        return self._builder.shuffle_vector(
            left, right, ir.Constant(ir.VectorType(ir.IntType(32), count), [*range(count)])
        )

    def _add(self, left, right):
        function = cgutils.get_or_insert_function(
            self._builder.module, ir.FunctionType(_BYTES, [_BYTES, _BYTES]), f"llvm.sadd.sat.v{LANES}i8"
        )
        return self._builder.call(function, [left, right])

    def _bits(self, total):
        """Return a bit for each lane: whether it is not below zero."""
        return self._builder.bitcast(self._builder.icmp_signed(">=", total, _all_of(0)), WHOLE)

    def _keep(self, place, bits):
        builder = self._builder
        count = builder.load(self._count)
        builder.store(place, builder.gep(self._places, [count]))
        builder.store(bits, builder.gep(self._alive, [count]))
        one_more = builder.zext(builder.icmp_unsigned("!=", bits, WHOLE(0)), WHOLE)
        builder.store(builder.add(count, one_more), self._count)


@intrinsic
def _candidates(typing_context, tables, words, windows, slots, members, word, letters, places, alive):
    """Write candidates; return their number.

    A place is `TOGETHER` times the first of 64 windows, plus the number of the strand; a bit is a window.
    """
    whole = types.int64

    def emit(context, builder, signature, arguments):
        shuffle = _shuffle(context)
        return Search(shuffle, builder, arguments).emit() if shuffle else WHOLE(0)

    return whole(tables, words, *5 * [whole], places, alive), emit


@intrinsic
def _words_of(typing_context, codes, words, count, word, letters):
    """Write the words that begin at each place, 64 at a time; return whether any begins with a letter proper."""

    def emit(context, builder, signature, arguments):
        codes, words, count, word, letters = arguments
        first_lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        size = builder.insert_element(_all_of(0), builder.trunc(letters, ir.IntType(8)), ir.IntType(32)(0))
        size = builder.shuffle_vector(size, size, first_lanes)
        any_proper = cgutils.alloca_once_value(builder, WHOLE(0))
        with cgutils.for_range_slice(builder, WHOLE(0), count, WHOLE(LANES)) as (at, _):
            first = load(builder, builder.gep(codes, [at]), _BYTES)
            value = cgutils.alloca_once_value(builder, first)
            with builder.if_then(builder.icmp_signed(">", word, WHOLE(1))):
                builder.store(builder.and_(first, _all_of(3)), value)
            with cgutils.for_range(builder, word, start=WHOLE(1)) as loop:
                letter = load(builder, builder.gep(codes, [builder.add(at, loop.index)]), _BYTES)
                four_times = builder.shl(builder.load(value), _all_of(2))
                builder.store(builder.or_(four_times, builder.and_(letter, _all_of(3))), value)
            proper = builder.icmp_unsigned("<", first, size)
            mark = builder.select(proper, _all_of(0), _all_of(_AMBIGUOUS))
            place = builder.bitcast(builder.gep(words, [at]), _BYTES.as_pointer())
            builder.store(builder.or_(builder.load(value), mark), place, align=1)
            builder.store(builder.or_(builder.load(any_proper), builder.bitcast(proper, WHOLE)), any_proper)
        return builder.icmp_unsigned("!=", builder.load(any_proper), WHOLE(0))

    return types.boolean(codes, words, types.int64, types.int64, types.int64), emit


@numba.njit
def _fill_words(codes, length, begin, word, letters, words, windows, most_slots):  # pragma: no cover
    """Fill in the words of whole steps; beyond the codes, of ambiguity codes."""
    count = -(-windows // TESTED) * TESTED + (most_slots * word // LANES + 2) * LANES
    here = max(min(count, length - begin - word + 1), 0) // LANES * LANES
    any_proper = _words_of(past(codes, begin), words, here, word, letters)
    for place in range(here, count):
        value, mark = 0, _AMBIGUOUS
        for step in range(word):
            code = codes[begin + place + step] if begin + place + step < length else letters
            value = value * 4 + (code & 3) if word > 1 else code
            if step == 0 and code < letters:
                any_proper, mark = True, 0
        words[place] = value | mark
    return any_proper


@numba.njit
def _of_candidate(place, bit):  # pragma: no cover
    return place // TOGETHER + bit, place % TOGETHER


search_by_windows = search_of(_fill_words, _candidates, _of_candidate)
