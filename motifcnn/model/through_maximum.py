"""Each filter's best window on the CPU, by looking words up in tables; gradients for those windows alone.

Where the first layer is pooled over the whole sequence, a maximum passes the gradient of each
filter to one window of each example, so that the dense convolution is needed in neither direction.
Forward: the score of a window is a sum of table rows, one for each word of three letters; filters
and strands lie side by side in the rows, so that one addition serves a whole block of them.
Backward: the gradients are added up letter by letter over the winning windows. Examples and filters
are summed in an order that does not depend on the number of threads.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import Alphabet, Codes

_LANES = 64
"""Filters × strands of a block: a table of 7 words × 125 rows × 64 lanes is 224 kB and stays in a core's cache."""
_WORD = 3
"""Letters of a word."""
_COMMON = 5
"""Symbols that words are made of: the letters proper and N."""
_UNROLLED = 4
"""Table rows that are added in one go; tables are filled up to a multiple of it with rows of 0."""

Floats = npt.NDArray[np.float32]


def suits(codes: torch.Tensor, weight: torch.Tensor, alphabet: Alphabet) -> bool:
    """Tell whether the tables serve: nucleotides without tracks, single precision, on the CPU."""
    return (
        codes.device.type == weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and alphabet.size == _COMMON - 1
        and weight.shape[1] == alphabet.size
    )


def best_windows(
    weight: torch.Tensor, codes: torch.Tensor, lengths: torch.Tensor, alphabet: Alphabet, both_strands: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Find each filter's best window in each example; only the scores carry gradients.

    Among equal scores the first window wins, and the forward strand before the reverse.

    Args:
        weight: Filters, shape [filter, letter, position].
        codes: Codes of the letters, shape [example, position]; anything past an example's end.
        lengths: Number of positions of each example.
        alphabet: Of nucleotides.
        both_strands: Whether the reverse complement is read too.

    Returns:
        Scores, first positions and whether the window was read on the reverse strand, all of shape
        [example, filter]; the score is minus infinity where the example is shorter than the filter.
    """
    found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = _BestWindows.apply(  # type: ignore[no-untyped-call]
        weight, codes, lengths, alphabet, both_strands
    )
    return found


class _BestWindows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, weight: torch.Tensor, codes: torch.Tensor, lengths: torch.Tensor, alphabet: Alphabet, both: bool
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        scores, starts, reverse = _search(weight.detach(), codes.numpy(), lengths.numpy(), alphabet, both)
        found = torch.from_numpy(scores), torch.from_numpy(starts), torch.from_numpy(reverse)
        ctx.mark_non_differentiable(found[1], found[2])
        ctx.save_for_backward(codes, lengths, found[1], found[2])
        ctx.alphabet, ctx.shape = alphabet, weight.shape
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[torch.Tensor, None, None, None, None]:
        codes, lengths, starts, reverse = (tensor.numpy() for tensor in ctx.saved_tensors)
        gradient = gradients[0].float().contiguous().numpy()
        return _scatter(gradient, codes, lengths, starts, reverse, ctx.alphabet, ctx.shape), None, None, None, None


def _search(
    weight: torch.Tensor, codes: Codes, lengths: npt.NDArray[np.int64], alphabet: Alphabet, both_strands: bool
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    filters, _, width = weight.shape
    examples = len(codes)
    scores = np.empty((examples, filters), dtype=np.float32)
    starts = np.empty((examples, filters), dtype=np.int64)
    reverse = np.empty((examples, filters), dtype=np.bool_)
    by_position = weight.permute(2, 1, 0).contiguous().numpy()
    complement = _complement(alphabet, both_strands)
    words, rare = _words(codes, lengths, _COMMON, (width // _WORD + _UNROLLED) * _WORD)
    block = _LANES // 2 if both_strands else _LANES
    for step, rows, chosen in ((_WORD, words, ~rare), (1, np.pad(codes, ((0, 0), (0, _UNROLLED))), rare)):
        indices = np.flatnonzero(chosen)
        if len(indices):
            symbols = _COMMON if step > 1 else len(alphabet.symbols)
            fractions = alphabet.fractions[:symbols]
            common = rows, lengths, step, fractions, by_position, complement, both_strands, scores, starts, reverse
            _run(
                _search_block,
                [
                    (part, first, min(first + block, filters), *common)
                    for first in range(0, filters, block)
                    for part in _shares(indices, -(-filters // block))
                ],
            )
    return scores, starts, reverse


def _scatter(
    gradient: Floats,
    codes: Codes,
    lengths: npt.NDArray[np.int64],
    starts: npt.NDArray[np.int64],
    reverse: npt.NDArray[np.bool_],
    alphabet: Alphabet,
    shape: torch.Size,
) -> torch.Tensor:
    filters, _, width = shape
    complement = _complement(alphabet, bool(reverse.any()))
    sums = np.zeros((filters, width, len(alphabet.symbols)), dtype=np.float32)
    threads = torch.get_num_threads()
    bounds = np.linspace(0, filters, threads + 1).astype(np.int64)
    common = gradient, codes, lengths, starts, reverse, complement, sums
    _run(_add_windows, [(int(a), int(b), *common) for a, b in pairwise(bounds)])
    of_letters = torch.from_numpy(sums) @ torch.from_numpy(alphabet.fractions.copy())
    return of_letters.permute(0, 2, 1)


def _complement(alphabet: Alphabet, both_strands: bool) -> Codes:
    """Return the complement of each code; each code itself where no reverse strand is read."""
    if both_strands:
        assert alphabet.complement_codes is not None
        return alphabet.complement_codes
    return np.arange(len(alphabet.symbols), dtype=np.uint8)


def _shares(indices: npt.NDArray[np.int64], blocks: int) -> list[npt.NDArray[np.int64]]:
    """Divide examples so that blocks × shares keep every thread busy."""
    return np.array_split(indices, min(-(-torch.get_num_threads() // blocks), len(indices)))


def _run(function: Callable[..., None], calls: Sequence[tuple[Any, ...]]) -> None:
    """Make calls that write to different places, on as many threads as torch may use."""
    threads = torch.get_num_threads()
    if threads == 1:
        for arguments in calls:
            function(*arguments)
    else:
        list(_pool(threads).map(lambda arguments: function(*arguments), calls))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="best-windows")


def _compiled(function: Any) -> Any:
    """Compile to machine code, kept between runs where there is a folder for it."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder to keep compiled code in
        return numba.njit(nogil=True)(function)


@_compiled
def _words(codes, lengths, base, extra):  # type: ignore[no-untyped-def] # pragma: no cover
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


@_compiled
def _add_row(row, shares, weight):  # type: ignore[no-untyped-def] # pragma: no cover
    """Add what one symbol scores at one position of the filters: its letters' weights, shared out."""
    for letter in range(len(shares)):
        if shares[letter] != 0:
            for lane in range(len(row)):
                row[lane] += shares[letter] * weight[letter, lane]


@_compiled
def _tables(weight, fractions, complement, first, last, half, step):  # type: ignore[no-untyped-def] # pragma: no cover
    """Make the rows to be added: [word of the window, number of the word, lane]; reverse lanes start at `half`."""
    width = weight.shape[0]
    symbols = len(fractions)
    slots = -(-width // (step * _UNROLLED)) * _UNROLLED
    single = np.zeros((slots * step, symbols, _LANES), dtype=np.float32)
    for position in range(width):
        for symbol in range(symbols):
            _add_row(single[position, symbol, : last - first], fractions[symbol], weight[position, :, first:last])
            if half < _LANES:
                row = single[width - 1 - position, symbol, half : half + last - first]
                _add_row(row, fractions[complement[symbol]], weight[position, :, first:last])
    if step == 1:
        return single
    table = np.empty((slots, symbols * symbols * symbols, _LANES), dtype=np.float32)
    for slot in range(slots):
        for one in range(symbols):
            for two in range(symbols):
                for three in range(symbols):
                    row = table[slot, (one * symbols + two) * symbols + three]
                    a, b, c = single[3 * slot, one], single[3 * slot + 1, two], single[3 * slot + 2, three]
                    for lane in range(_LANES):
                        row[lane] = a[lane] + b[lane] + c[lane]
    return table


@_compiled
def _search_block(  # type: ignore[no-untyped-def] # pragma: no cover
    examples, first, last, words, lengths, step, fractions, weight, complement, both, scores, starts, reverse
):
    """Search some examples with the filters from `first` to `last`."""
    half = _LANES // 2 if both else _LANES
    table = _tables(weight, fractions, complement, first, last, half, step)
    width, slots = weight.shape[0], table.shape[0]
    sums = np.empty(_LANES, dtype=np.float32)
    best = np.empty(_LANES, dtype=np.float32)
    where = np.empty(_LANES, dtype=np.int32)
    for example in examples:
        best[:] = -np.inf
        where[:] = 0
        row = words[example]
        for position in range(lengths[example] - width + 1):
            sums[:] = 0
            for slot in range(0, slots - _UNROLLED, _UNROLLED):
                at = position + slot * step
                a, b = table[slot, row[at]], table[slot + 1, row[at + step]]
                c, d = table[slot + 2, row[at + 2 * step]], table[slot + 3, row[at + 3 * step]]
                for lane in range(_LANES):
                    sums[lane] += (a[lane] + b[lane]) + (c[lane] + d[lane])
            slot = slots - _UNROLLED
            at = position + slot * step
            a, b = table[slot, row[at]], table[slot + 1, row[at + step]]
            c, d = table[slot + 2, row[at + 2 * step]], table[slot + 3, row[at + 3 * step]]
            for lane in range(_LANES):
                score = sums[lane] + ((a[lane] + b[lane]) + (c[lane] + d[lane]))
                better = score > best[lane]
                best[lane] = score if better else best[lane]
                where[lane] = np.int32(position) if better else where[lane]
        for lane in range(last - first):
            turned = both and best[half + lane] > best[lane]
            chosen = half + lane if turned else lane
            scores[example, first + lane] = best[chosen]
            starts[example, first + lane] = where[chosen]
            reverse[example, first + lane] = turned


@_compiled
def _add_windows(  # type: ignore[no-untyped-def] # pragma: no cover
    first, last, gradient, codes, lengths, starts, reverse, complement, sums
):
    """Add the gradients of the filters from `first` to `last` to the letters of their windows."""
    width = sums.shape[1]
    for example in range(len(codes)):
        if lengths[example] < width:
            continue
        row = codes[example]
        for number in range(first, last):
            share = gradient[example, number]
            if share == 0:
                continue
            start = starts[example, number]
            if reverse[example, number]:
                for position in range(width):
                    sums[number, position, complement[row[start + width - 1 - position]]] += share
            else:
                for position in range(width):
                    sums[number, position, row[start + position]] += share
