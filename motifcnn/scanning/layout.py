"""What the scanner's compiled code and those who call it must agree on."""

from typing import Final

LANES: Final = 64
"""Motif strands, or windows, that are searched at a time."""
PIECE: Final = 8192
"""Windows that pass through one block's table at a time: words and table then stay in the nearest caches."""

# Motif strands in the lanes
TRIPLE: Final = 3
"""Letters in a word of nucleotides."""
GROUP: Final = 4
"""Windows that are tested at a time."""

# Windows in the lanes
TOGETHER: Final = 2
"""Motif strands of a block."""
TESTED: Final = 8 * LANES
"""Windows that are tested at a time, at most."""
SHUFFLED_WORDS: Final = 32
"""Most words that one table may have, where words are single letters."""

# Kinds of columns of text
LITERAL: Final = 0
TEXT: Final = 1
INTEGER: Final = 2
THOUSANDTHS: Final = 3
GENERAL: Final = 4
MANTISSA: Final = 1024
"""A number of three digits d.dd · 10^-x is `ddd * MANTISSA + x`."""
COPIED: Final = 16
"""Bytes that are copied at a time: texts and lines need as much room behind them."""

ARGUMENTS: Final = {"search_by_strands": 21, "search_by_windows": 21, "table_entries": 0, "write_lines": 8}
"""Compiled functions, with their numbers of arguments: whole numbers and addresses."""
