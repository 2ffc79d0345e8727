"""The compiled part of the branch of reading frames: loops over the codons of sequences.

Everything is in one file because numba's cache on disk looks at one file only to see whether it is stale. A codon's
number has its three letters as digits, the first one highest; codons over a code beyond the letters proper are left
out. Frame 3 × strand + phase holds the codons that start at positions of that phase, counted from the sequence's
first letter; those of the other strand are numbered as it reads them.
"""

# mypy: disable-error-code="no-untyped-def,no-untyped-call"

from motifcnn.compiling import compiled


@compiled
def count_codons(codes, starts, lengths, size, numbers, counts):  # pragma: no cover
    """Count each example's codons: `numbers` has shape [strand, codon], `counts` [example, frame, codon], 0 before."""
    for example in range(len(starts)):
        codon, known = 0, 0
        for step in range(lengths[example]):
            code = codes[starts[example] + step]
            known = known + 1 if code < size else 0
            codon = (codon % (size * size)) * size + (code if code < size else 0)
            if known >= 3:
                for strand in range(len(numbers)):
                    counts[example, 3 * strand + (step - 2) % 3, numbers[strand, codon]] += 1


@compiled
def sums_before(codes, size, tables, before):  # pragma: no cover
    """Add up tables over the codons that start before each position, frame by frame.

    `tables` has shape [table, strand, codon], `before` [window + 1, table, frame].
    """
    before[0] = 0.0
    codon, known = 0, 0
    for step in range(len(codes)):
        known = known + 1 if codes[step] < size else 0
        codon = (codon % (size * size)) * size + (codes[step] if codes[step] < size else 0)
        start = step - 2
        if start < 0:
            continue
        before[start + 1] = before[start]
        if known >= 3:
            for table in range(tables.shape[0]):
                for strand in range(tables.shape[1]):
                    before[start + 1, table, 3 * strand + start % 3] += tables[table, strand, codon]


@compiled
def changed_totals(codes, before, size, tables, begin, deleted, inserted, totals):  # pragma: no cover
    """Put a letter in the place of none or one at each position from `begin`; find the sums of each frame then.

    `before` is what `sums_before` gives; `inserted` is -1 where no letter is put there; `totals` has shape [place,
    table, frame].
    """
    letters, windows = len(codes), len(before) - 1
    shift = (inserted >= 0) - deleted
    for row in range(len(totals)):
        place = begin + row
        first, last = min(max(place - 2, 0), windows), min(place + deleted, windows)
        totals[row] = before[first]
        for table in range(tables.shape[0]):
            for frame in range(before.shape[2]):
                moved = frame - frame % 3 + (frame + shift) % 3
                totals[row, table, moved] += before[windows, table, frame] - before[last, table, frame]
        codon, known = 0, 0
        for step in range(-2, 3):
            # the letters before the change, the letter put there, the letters after it
            if step == 0:
                if inserted < 0:
                    continue
                code, end = inserted, place
            else:
                at = place + step if step < 0 else place + deleted + step - 1
                if at < 0 or at >= letters:
                    known = 0
                    continue
                code, end = codes[at], at if step < 0 else at + shift
            known = known + 1 if code < size else 0
            codon = (codon % (size * size)) * size + (code if code < size else 0)
            if known >= 3:
                for table in range(tables.shape[0]):
                    for strand in range(tables.shape[1]):
                        totals[row, table, 3 * strand + (end - 2) % 3] += tables[table, strand, codon]
