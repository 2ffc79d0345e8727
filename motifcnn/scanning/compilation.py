"""The scanner's functions, compiled by numba.

`machine_code` keeps the result and loads it without numba. So they take nothing but whole numbers and addresses, ask
for no memory and raise nothing.
"""

# mypy: disable-error-code="no-untyped-call"

from collections.abc import Callable, Iterator
from typing import Any

import numba
from numba.core import types

from motifcnn.scanning.line_code import write_lines
from motifcnn.scanning.strand_code import search_by_strands
from motifcnn.scanning.window_code import search_by_windows, table_entries


def _pointers(*kinds: Any) -> list[Any]:
    return [types.CPointer(kind) for kind in kinds]


_BYTE, _LONG = types.uint8, types.int64
_ONE = [_LONG]


def _of_search(words: Any) -> list[Any]:
    return [
        *_pointers(_BYTE), *3 * _ONE, *_pointers(types.int8, _LONG, _LONG, _LONG), *3 * _ONE,
        *_pointers(_LONG, types.int32, types.int32, _LONG, _LONG),
        *_pointers(words, _LONG, _LONG), *_ONE, *_pointers(_LONG),
    ]  # fmt: skip


FUNCTIONS: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "search_by_strands": (search_by_strands, _of_search(types.uint16)),
    "search_by_windows": (search_by_windows, _of_search(types.uint8)),
    "table_entries": (table_entries, []),
    "write_lines": (
        write_lines,
        [*_pointers(_LONG, _LONG), *_ONE, *_pointers(_LONG), *_ONE, *_pointers(_BYTE, _LONG, _BYTE)],
    ),
}


def compiled() -> Iterator[tuple[str, str, str]]:
    """Return each compiled function's name, LLVM's code that holds it, and what it is called in there."""
    for name, (function, arguments) in FUNCTIONS.items():
        done = numba.cfunc(_LONG(*arguments), error_model="numpy")(function)
        # the function itself rather than what C would call: the latter leans on numba where something is raised
        yield name, done.inspect_llvm(), done.native_name.removeprefix("cfunc.")
