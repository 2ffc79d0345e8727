"""The compiled part of the word branch: loops over the words of sequences.

Everything is in one file because numba's cache on disk looks at one file only to see whether it is stale. A word's
number has its letters as digits, the first one highest; words over a code beyond the letters proper are left out.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

import numpy as np

from motifcnn.compiling import compiled


@compiled
def sum_words(codes, starts, lengths, size, length, weights, sums):  # pragma: no cover
    """Add up the weights of each example's words, for each row of weights: `sums` has shape [example, row]."""
    top = size ** (length - 1)
    for example in range(len(starts)):
        totals = np.zeros(len(weights), dtype=np.float64)
        word, known = 0, 0
        for position in range(starts[example], starts[example] + lengths[example]):
            code = codes[position]
            known = known + 1 if code < size else 0
            word = (word % top) * size + (code if code < size else 0)
            if known >= length:
                for row in range(len(weights)):
                    totals[row] += weights[row, word]
        sums[example] = totals


@compiled
def add_words(codes, starts, lengths, size, length, values, table):  # pragma: no cover
    """Add each example's value to the table's row of each of its words."""
    top = size ** (length - 1)
    for example in range(len(starts)):
        value = values[example]
        word, known = 0, 0
        for position in range(starts[example], starts[example] + lengths[example]):
            code = codes[position]
            known = known + 1 if code < size else 0
            word = (word % top) * size + (code if code < size else 0)
            if known >= length:
                table[word] += value


@compiled
def word_values(codes, size, length, weights):  # pragma: no cover
    """Return the weight of the word at each window of a sequence; 0 where a letter is not known."""
    values = np.zeros(max(len(codes) - length + 1, 0), dtype=np.float64)
    top = size ** (length - 1)
    word, known = 0, 0
    for position in range(len(codes)):
        code = codes[position]
        known = known + 1 if code < size else 0
        word = (word % top) * size + (code if code < size else 0)
        if known >= length:
            values[position - length + 1] = weights[word]
    return values


@compiled
def changed_sums(codes, before, size, length, weights, begin, deleted, inserted, effects):  # pragma: no cover
    """Put a letter in the place of none or one at each position from `begin`; find what that does to the scaled sum.

    `before` holds the sums of the windows' values before each window; `inserted` is -1 where no letter is put there.
    """
    letters = len(codes)
    windows = len(before) - 1
    scaled = before[windows] / np.sqrt(max(windows, 1))
    top = size ** (length - 1)
    changed = max(letters - deleted + (inserted >= 0) - length + 1, 1)
    for row in range(len(effects)):
        place = begin + row
        total = (
            before[min(max(place - length + 1, 0), windows)] + before[windows] - before[min(place + deleted, windows)]
        )
        word, known = 0, 0
        for step in range(-length + 1, length):
            # the letters before the change, the letter put there, the letters after it
            if step == 0:
                if inserted < 0:
                    continue
                code = inserted
            else:
                at = place + step if step < 0 else place + deleted + step - 1
                if at < 0 or at >= letters:
                    known = 0
                    continue
                code = codes[at]
            known = known + 1 if code < size else 0
            word = (word % top) * size + (code if code < size else 0)
            if known >= length:
                total += weights[word]
        effects[row] = total / np.sqrt(changed) - scaled
