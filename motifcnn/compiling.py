"""Loops compiled to machine code by numba, kept between runs where there is a folder for it."""

import logging
from functools import cache
from typing import Any

import numba

_LOGGER = logging.getLogger(__name__)


def compiled(function: Any) -> Any:
    """Compile a function on its first call; it runs beside other threads.

    Without a folder that can be written (a container that is read only, a cluster's node without homes) it is
    compiled in every run.
    """
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # what numba raises where it finds no folder
        _say_once()
        return numba.njit(nogil=True)(function)


@cache
def _say_once() -> None:
    _LOGGER.warning(
        "compiled code cannot be kept and will be compiled again next time: neither motifcnn's own folder nor your "
        "cache folder can be written; set NUMBA_CACHE_DIR to one that can"
    )
