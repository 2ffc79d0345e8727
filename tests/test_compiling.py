import logging

import pytest
from numba.core import caching

from motifcnn import compiling
from motifcnn.compiling import compiled


def double(number):
    return 2 * number


@pytest.fixture
def no_folder(monkeypatch):
    """Let nothing be written where numba looks."""
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    compiling._say_once.cache_clear()


def test_what_is_compiled_does_what_it_did(caplog):
    with caplog.at_level(logging.WARNING, "motifcnn"):
        assert compiled(double)(21) == 42
    assert caplog.messages == []


def test_without_a_folder_it_goes_on_and_says_so_once(no_folder, caplog):
    with caplog.at_level(logging.WARNING, "motifcnn"):
        assert compiled(double)(21) == 42
        assert compiled(double)(4) == 8
    (said,) = caplog.messages
    assert said.startswith("compiled code cannot be kept and will be compiled again next time: ")
    assert said.endswith("; set NUMBA_CACHE_DIR to one that can")
