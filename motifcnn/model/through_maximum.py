"""Each filter's best window on the CPU, by looking words up in tables; gradients for those windows alone.

Where the first layer is pooled over the whole sequence, a maximum passes the gradient of each
filter to one window of each example, so that the dense convolution is needed in neither direction.
Forward: the score of a window is a sum of table rows, one for each word of three letters; filters
and strands lie side by side in the rows, so that one addition serves a whole block of them.
Backward: the gradients are added up letter by letter over the winning windows. Examples and filters
are summed in an order that does not depend on the number of threads.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.model.maximum_code import COMMON, LANES, WORD, add_windows, search_blocks, words_of
from motifcnn.model.place_curves import PlaceCurves

Floats = npt.NDArray[np.float32]


def suits(codes: torch.Tensor, weight: torch.Tensor, alphabet: Alphabet) -> bool:
    """Tell whether the tables serve: nucleotides without tracks, single precision, on the CPU."""
    return (
        codes.device.type == weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and alphabet.size == COMMON - 1
        and weight.shape[1] == alphabet.size
    )


def best_windows(
    weight: torch.Tensor,
    codes: torch.Tensor,
    lengths: torch.Tensor,
    alphabet: Alphabet,
    both_strands: bool,
    placement: PlaceCurves | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Find each filter's best window in each example; only the scores carry gradients.

    Among equal scores the first window wins, and the forward strand before the reverse.

    Args:
        weight: Filters, shape [filter, letter, position].
        codes: Codes of the letters, shape [example, position]; anything past an example's end.
        lengths: Number of positions of each example.
        alphabet: Of nucleotides.
        both_strands: Whether the reverse complement is read too.
        placement: What the place of a window adds to its score; nothing by default.

    Returns:
        Scores, first positions and whether the window was read on the reverse strand, all of shape
        [example, filter]; the score is minus infinity where the example is shorter than the filter.
    """
    rows = torch.zeros(1, len(weight)) if placement is None else placement.rows()
    found: tuple[torch.Tensor, torch.Tensor, torch.Tensor] = _BestWindows.apply(  # type: ignore[no-untyped-call]
        weight, rows, codes, lengths, alphabet, both_strands, placement
    )
    return found


class _BestWindows(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        weight: torch.Tensor,
        rows: torch.Tensor,
        codes: torch.Tensor,
        lengths: torch.Tensor,
        alphabet: Alphabet,
        both: bool,
        placement: PlaceCurves | None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        place = rows.detach().float().contiguous().numpy()
        scores, starts, reverse = _search(weight.detach(), codes.numpy(), lengths.numpy(), alphabet, both, place)
        found = torch.from_numpy(scores), torch.from_numpy(starts), torch.from_numpy(reverse)
        ctx.mark_non_differentiable(found[1], found[2])
        ctx.save_for_backward(codes, lengths, found[1], found[2])
        ctx.alphabet, ctx.shape, ctx.placement, ctx.rows = alphabet, weight.shape, placement, len(rows)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[torch.Tensor | None, ...]:
        codes, lengths, starts, reverse = ctx.saved_tensors
        gradient = gradients[0].float().contiguous()
        of_rows = None
        if ctx.placement is not None:
            rows = ctx.placement.row_of(starts, lengths[:, None], ctx.shape[2])
            of_rows = torch.zeros(ctx.rows, ctx.shape[0]).scatter_add_(0, rows, gradient)
        found = starts.numpy(), reverse.numpy()
        of_weight = _scatter(gradient.numpy(), codes.numpy(), lengths.numpy(), *found, ctx.alphabet, ctx.shape)
        return of_weight, of_rows, None, None, None, None, None


def _search(
    weight: torch.Tensor,
    codes: Codes,
    lengths: npt.NDArray[np.int64],
    alphabet: Alphabet,
    both_strands: bool,
    place: Floats,
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    filters, _, width = weight.shape
    examples = len(codes)
    scores = np.empty((examples, filters), dtype=np.float32)
    starts = np.empty((examples, filters), dtype=np.int64)
    reverse = np.empty((examples, filters), dtype=np.bool_)
    by_position = weight.permute(2, 1, 0).contiguous().numpy()
    complement = _complement(alphabet, both_strands)
    block = LANES // 2 if both_strands else LANES
    for rows, step, symbols, indices in _words(codes, lengths, alphabet, width):
        of_windows = step, alphabet.fractions[:symbols], by_position, complement, both_strands, place
        common = rows, lengths, *of_windows, scores, starts, reverse
        together = filters if torch.get_num_threads() == 1 else block
        _run(
            search_blocks,
            [
                (part, first, min(first + together, filters), *common)
                for first in range(0, filters, together)
                for part in _shares(indices, -(-filters // block))
            ],
        )
    return scores, starts, reverse


def _words(
    codes: Codes, lengths: npt.NDArray[np.int64], alphabet: Alphabet, width: int
) -> Iterator[tuple[Codes, int, int, npt.NDArray[np.int64]]]:
    """Give rows of words, letters of a word, symbols these are made of, and the examples with no others.

    Tables without rows for N are half as large, and few examples hold other symbols.
    """
    left = np.ones(len(codes), dtype=np.bool_)
    for symbols in (alphabet.size, COMMON):
        words, others = words_of(codes, lengths, symbols, width + WORD)
        indices = np.flatnonzero(left & ~others)
        if len(indices):
            yield words, WORD, symbols, indices
        left &= others
        if not left.any():
            return
    yield codes, 1, len(alphabet.symbols), np.flatnonzero(left)


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
    symbols = alphabet.size if int(codes.max(initial=0)) < alphabet.size else len(alphabet.symbols)
    sums = np.zeros((filters, symbols, width), dtype=np.float32)
    threads = torch.get_num_threads()
    bounds = np.linspace(0, filters, threads + 1).astype(np.int64)
    common = gradient, codes, lengths, starts, reverse, complement, sums
    _run(add_windows, [(int(a), int(b), *common) for a, b in pairwise(bounds)])
    of_symbols = torch.from_numpy(sums)
    return of_symbols if symbols == alphabet.size else torch.from_numpy(alphabet.fractions.T.copy()) @ of_symbols


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
