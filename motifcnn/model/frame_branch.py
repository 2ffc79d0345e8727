"""What the codons of a sequence's reading frame add to a logit: a branch beside the filters.

Much background is coding sequence, and some peaks lie on highly transcribed genes, whose codons are few and always
the same ones (hyper-ChIPable regions: Teytelman et al. 2013). Words tell little of that, as they do not know the
frame. The branch knows how much likelier each codon is in a frame than elsewhere (see `reading_frames`); from these
ratios each frame of a sequence has a chance to be the one that is read, and so has none. Every codon adds a weight of
its own times the chance of its frame, and the sum is divided by the root of the number of codons, as for words.
Shares of codons are exact: the chances belong to the sequence, and what its codons add adds up.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from motifcnn.alphabet import Alphabet, Codes
from motifcnn.model.frame_code import changed_totals, count_codons, sums_before
from motifcnn.model.sum_branch import Change, Integers, SumBranch, Values, root_scale
from motifcnn.model.word_code import word_values
from motifcnn.sequences import Sequences

CODON = 3
"""Letters of a codon."""
LEAST_LENGTH = 60
"""Letters in which a frame can be told: of 20 codons by chance, none is a stop in .38 of cases."""
_PIECE = 1 << 15
"""Letters that windows slide along at once: their sums of frames take some MB."""

Floats = npt.NDArray[np.float64]


def codon_numbers(alphabet: Alphabet, *, both_strands: bool) -> npt.NDArray[np.int64]:
    """Return the number of each codon as each strand reads it, shape [strand, codon]."""
    size = alphabet.size
    letters = np.stack(np.unravel_index(np.arange(size**CODON), (size,) * CODON))
    strands = [letters]
    if both_strands:
        assert alphabet.complement_codes is not None
        strands.append(alphabet.complement_codes.astype(letters.dtype)[letters[::-1]])
    return np.stack([np.ravel_multi_index(tuple(own), (size,) * CODON) for own in strands])


class FrameBranch(SumBranch):
    """How likely codons are in a reading frame, and a weight for each codon in it and output.

    Args:
        alphabet: Of the codons: four letters.
        both_strands: Whether there are frames on both strands: six, not three.
        ratios: Natural logarithm of each codon's frequency in a frame against that elsewhere, shape [codon].
        odds: Logarithm of the odds of each frame against none, before a letter is seen; shape [].
        weights: Shape [output, codon].
    """

    ratios: torch.Tensor
    odds: torch.Tensor

    def __init__(
        self, alphabet: Alphabet, both_strands: bool, ratios: torch.Tensor, odds: torch.Tensor, weights: torch.Tensor
    ):
        super().__init__(alphabet, CODON, weights)
        self.numbers = codon_numbers(alphabet, both_strands=both_strands)
        self.register_buffer("ratios", ratios)
        self.register_buffer("odds", odds)

    @property
    def frames(self) -> int:
        """Number of frames: three a strand."""
        return CODON * len(self.numbers)

    @property
    def share(self) -> float:
        """Share of sequences that have a frame, before a letter is seen."""
        odds = self.frames * float(self.odds.exp())
        return odds / (1.0 + odds)

    def with_weights(self, weights: torch.Tensor) -> Self:
        """Return the same frames with other weights, shape [output, codon]."""
        return type(self)(self.alphabet, len(self.numbers) == 2, self.ratios, self.odds, weights)

    def counts(self, sequences: Sequences) -> npt.NDArray[np.float32]:
        """Count the codons of each frame, shape [sequence, frame, codon]."""
        return self._counts(sequences.codes, sequences.offsets[:-1].astype(np.int64), sequences.lengths)

    def _counts(self, codes: Codes, starts: Integers, lengths: Integers) -> npt.NDArray[np.float32]:
        counts = np.zeros((len(starts), self.frames, self.numbers.shape[1]), dtype=np.float32)
        count_codons(codes, starts, lengths, self.alphabet.size, self.numbers, counts)
        return counts

    def chances(self, scores: torch.Tensor) -> torch.Tensor:
        """Return the chance of each frame, from the sums of its codons' ratios; shape [..., frame]."""
        scores = scores + self.odds.to(scores)
        return torch.softmax(torch.cat([scores, scores.new_zeros(*scores.shape[:-1], 1)], dim=-1), dim=-1)[..., :-1]

    def read_codons(self, sequences: Sequences) -> Floats:
        """Return how many of each codon are read, by the frames' chances, shape [sequence, codon]; scaled as sums are.

        Args:
            sequences: Of any number; they are taken by blocks.
        """
        parts = [np.empty((0, self.numbers.shape[1]))]
        for block in sequences.blocks():
            counts = torch.from_numpy(self.counts(block)).double()
            chances = self.chances(counts @ self.ratios.double().cpu())
            scale = root_scale(torch.from_numpy(block.lengths) - CODON + 1)
            parts.append((torch.einsum("nf,nfc->nc", chances, counts) * scale[:, None]).numpy())
        return np.concatenate(parts)

    def _summed(self, codes: Codes, starts: Integers, lengths: Integers) -> torch.Tensor:
        counts = torch.from_numpy(self._counts(codes, starts, lengths))
        return self._combined(torch.einsum("nfc,tc->ntf", counts, torch.cat([self.ratios[None], self.weights])))

    def _gathered(self, codes: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        turns = -(-max(codes.shape[1] - CODON + 1, 0) // CODON)
        padded = nn.functional.pad(codes, (0, CODON), value=self.alphabet.unknown)
        numbers, known = self._letters(padded, lengths, turns * CODON)
        strands = torch.from_numpy(self.numbers).to(codes.device)
        tables = torch.cat([self.ratios[None], self.weights])[:, strands]
        values = tables[:, :, numbers] * known  # table, strand, example, position
        sums = values.reshape(*values.shape[:3], turns, CODON).sum(dim=3)
        return self._combined(sums.permute(2, 0, 1, 3).flatten(2))

    def _combined(self, totals: torch.Tensor) -> torch.Tensor:
        """Weigh the frames' sums of weights by their chances: [..., 1 + output, frame] to [..., output]."""
        return (totals[..., 1:, :] * self.chances(totals[..., :1, :])).sum(dim=-1)

    def _tables(self) -> Floats:
        """Return the ratios, then the weights, as each strand reads them, shape [table, strand, codon]."""
        tables: Floats = torch.cat([self.ratios[None], self.weights]).double().cpu().numpy()
        return np.ascontiguousarray(tables[:, self.numbers])

    def _sums_before(self, codes: Codes, tables: Floats) -> Floats:
        before = np.zeros((max(len(codes) - CODON + 1, 0) + 1, len(tables), self.frames))
        sums_before(codes, self.alphabet.size, tables, before)
        return before

    def _added(self, totals: Floats, windows: int) -> Values:
        """Return what sums of frames over so many codons add to each logit, shape [..., output]."""
        combined: Floats = self._combined(torch.from_numpy(totals)).numpy()
        return np.asarray(combined / np.sqrt(max(windows, 1)), dtype=np.float32)

    def shares(self, codes: Codes) -> Values:
        """Share out what the branch adds along a sequence, shape [output, position]: each codon's part evenly."""
        windows = len(codes) - CODON + 1
        shared = np.zeros((len(self.weights), len(codes)), dtype=np.float32)
        if windows < 1:
            return shared
        tables = self._tables()
        totals = self._sums_before(codes, tables)[-1]
        chances = self.chances(torch.from_numpy(totals[0])).numpy().reshape(-1, CODON)
        each = np.full(CODON, 1.0 / (CODON * np.sqrt(windows)))
        for output, strands in enumerate(tables[1:]):
            for weights, own in zip(strands, chances, strict=True):
                values = word_values(codes, self.alphabet.size, CODON, weights)
                shared[output] += np.convolve(values * np.resize(own, windows), each)
        return shared

    def sliding(self, codes: Codes, width: int, stride: int) -> Values:
        """Return what the branch adds for windows that slide along a sequence, shape [window, output]."""
        tables, codons = self._tables(), max(width - CODON + 1, 0)
        windows, at_once = (len(codes) - width) // stride + 1, max(1, _PIECE // stride)
        found = np.empty((windows, len(self.weights)), dtype=np.float32)
        for first in range(0, windows, at_once):
            last = min(first + at_once, windows)
            before = self._sums_before(codes[first * stride : (last - 1) * stride + width], tables)
            begins = np.arange(last - first) * stride
            found[first:last] = self._added(before[begins + codons] - before[begins], codons)
        return found

    def _change(self, codes: Codes, begin: int) -> Change:
        size, words, tables = self.alphabet.size, len(codes) - CODON + 1, self._tables()
        before = self._sums_before(codes, tables)
        now = self._added(before[-1], words)

        def changed(places: int, deleted: int, letter: int) -> Values:
            totals = np.empty((places, *before.shape[1:]))
            changed_totals(codes, before, size, tables, begin, deleted, letter, totals)
            return self._added(totals, words - deleted + (letter >= 0)) - now

        return changed
