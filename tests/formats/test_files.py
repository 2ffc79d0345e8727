"""Files are opened with clear faults, told apart by content, and written whole or not at all."""

import errno
import gzip
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from Bio import bgzf
from hypothesis import given
from hypothesis import strategies as st

from motifcnn.errors import InputError, MotifcnnError
from motifcnn.formats.files import atomic_write, open_bytes, remove_partial, remove_stale, sha256, write_text


def read(path):
    with open_bytes(path) as file:
        return file.read()


def write_and_raise(path, fault):
    with atomic_write(path) as file:
        file.write(b"new" * 100_000)
        raise fault


class TestReading:
    def test_plain_gzip_and_bgzip_are_told_by_content(self, tmp_path):
        text = b"one\ntwo\n" * 50_000
        (tmp_path / "plain").write_bytes(text)
        (tmp_path / "packed").write_bytes(gzip.compress(text))
        (tmp_path / "members").write_bytes(gzip.compress(text[:100]) + gzip.compress(text[100:]))
        with bgzf.BgzfWriter(str(tmp_path / "blocks")) as writer:
            writer.write(text)
        for name in ("plain", "packed", "members", "blocks"):
            assert read(tmp_path / name) == text
            with open_bytes(tmp_path / name) as file:
                assert list(file) == text.splitlines(keepends=True)

    def test_standard_input_stays_open(self, monkeypatch):
        standard_input = io.TextIOWrapper(io.BytesIO(gzip.compress(b"ACGT")))
        monkeypatch.setattr("sys.stdin", standard_input)
        assert read("-") == b"ACGT"
        assert not standard_input.buffer.closed

    def test_file_is_closed_with_the_stream(self, tmp_path):
        (tmp_path / "packed").write_bytes(gzip.compress(b"ACGT"))
        descriptors = Path("/proc/self/fd")
        if not descriptors.is_dir():
            pytest.skip("no /proc")
        before = len(list(descriptors.iterdir()))
        for _ in range(5):
            read(tmp_path / "packed")
        assert len(list(descriptors.iterdir())) == before

    def test_missing_file(self, tmp_path):
        with pytest.raises(InputError, match=r"absent.fa: there is no such file; check the path$"):
            open_bytes(tmp_path / "absent.fa")

    def test_directory(self, tmp_path):
        with pytest.raises(InputError, match=r": is a directory; give a file$"):
            open_bytes(tmp_path)

    def test_path_through_a_file(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match=r"cannot be read \(Not a directory\); check the path"):
            open_bytes(tmp_path / "file" / "below")

    @pytest.mark.parametrize("length", [3, 12, 200, 5000, -5, -1])
    def test_truncated_gzip(self, tmp_path, length):
        path = tmp_path / "cut.gz"
        path.write_bytes(gzip.compress(os.urandom(100_000))[:length])
        with pytest.raises(InputError, match=r"cut.gz: ends in the middle of its gzip data; copy or download it again"):
            read(path)
        with pytest.raises(InputError, match=r"cut.gz: ends in the middle"), open_bytes(path) as file:
            list(file)

    @pytest.mark.parametrize("position", [20, 5000, -6])
    def test_damaged_gzip(self, tmp_path, position):
        path = tmp_path / "damaged.gz"
        data = bytearray(gzip.compress(b"ACGTTGCA" * 10_000 + os.urandom(10_000)))
        data[position] ^= 0xFF
        data[position + 1] ^= 0xFF
        path.write_bytes(data)
        with pytest.raises(InputError, match=r"damaged.gz: .*; copy or download it again"):
            read(path)


class TestWriting:
    def test_text_and_digest(self, tmp_path):
        write_text(tmp_path / "a.txt", "µ\n")
        assert (tmp_path / "a.txt").read_bytes() == "µ\n".encode()
        assert sha256(tmp_path / "a.txt") == hashlib.sha256("µ\n".encode()).hexdigest()

    @given(st.lists(st.binary(max_size=200_000), max_size=5))
    def test_bgzip_is_read_back_by_other_readers(self, tmp_path_factory, parts):
        path = tmp_path_factory.mktemp("bgzip") / "a.gz"
        with atomic_write(path) as file:
            for part in parts:
                file.write(part)
        whole = b"".join(parts)
        assert gzip.decompress(path.read_bytes()) == whole == read(path)
        with bgzf.BgzfReader(str(path), "rb") as reader:
            assert reader.read(len(whole) + 1) == whole
        with path.open("rb") as raw:
            assert sum(length for _, _, _, length in bgzf.BgzfBlocks(raw)) == len(whole)

    def test_incompressible_bgzip(self, tmp_path):
        data = os.urandom(300_000)
        with atomic_write(tmp_path / "a.gz") as file:
            file.write(data)
        with bgzf.BgzfReader(str(tmp_path / "a.gz"), "rb") as reader:
            assert reader.read(len(data)) == data

    @pytest.mark.parametrize("name", ["a.txt", "a.gz"])
    @pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
    def test_fault_leaves_what_was_there(self, tmp_path, name, fault):
        (tmp_path / name).write_text("old")
        with pytest.raises(fault):
            write_and_raise(tmp_path / name, fault)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_text() == "old"

    @pytest.mark.parametrize("name", ["a.txt", "a.gz"])
    def test_no_space_left(self, tmp_path, name):
        with pytest.raises(MotifcnnError, match=rf"{name}: no space left on the device; free some or choose another"):
            write_and_raise(tmp_path / name, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        assert not list(tmp_path.iterdir())

    def test_a_file_larger_than_may_be(self, tmp_path):
        with pytest.raises(MotifcnnError, match=r"a: files may not grow that large here; choose another place, or see"):
            write_and_raise(tmp_path / "a", OSError(errno.EFBIG, os.strerror(errno.EFBIG)))
        assert not list(tmp_path.iterdir())

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
    @pytest.mark.parametrize("suffix", ["", ".gz"])
    def test_full_device(self, tmp_path, suffix):
        (tmp_path / f"full{suffix}").symlink_to("/dev/full")
        with pytest.raises(MotifcnnError, match="no space left"), atomic_write(tmp_path / f"full{suffix}") as file:
            file.write(b"x" * 100)

    def test_device_is_written_directly(self):
        before = Path("/dev/null").stat()
        write_text("/dev/null", "x")
        assert Path("/dev/null").stat().st_rdev == before.st_rdev

    def test_pipe_is_written_directly(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        got = []
        reader = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
        reader.start()
        write_text(tmp_path / "pipe", "through")
        reader.join()
        assert got == [b"through"]

    def test_link_is_followed(self, tmp_path):
        (tmp_path / "there").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
        write_text(tmp_path / "link", "new")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "there" / "file").read_text() == "new"

    def test_permissions_are_those_of_any_new_file(self, tmp_path):
        (tmp_path / "plain").write_text("")
        write_text(tmp_path / "written", "")
        assert (tmp_path / "written").stat().st_mode == (tmp_path / "plain").stat().st_mode

    def test_missing_directory(self, tmp_path):
        with pytest.raises(MotifcnnError, match=r"absent/a.txt: there is no directory .*absent; make it or choose"):
            write_text(tmp_path / "absent" / "a.txt", "")

    def test_directory(self, tmp_path):
        with pytest.raises(MotifcnnError, match=r"is a directory; give the name of a file"):
            write_text(tmp_path, "")

    def test_name_too_long(self, tmp_path):
        with pytest.raises(MotifcnnError, match=r"cannot be written \(File name too long\); choose another place"):
            write_text(tmp_path / ("a" * 300), "")
        assert not list(tmp_path.iterdir())


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "mine.part").write_text("keep")
    with atomic_write(tmp_path / "a.txt") as file:
        file.write(b"whole")
        (partial,) = tmp_path.glob(".*")  # as it stands when the writer is killed here
        left = partial.with_name(".motifcnn-left.part")
        left.write_bytes(partial.read_bytes())
    remove_partial(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "mine.part"]


def test_what_a_killed_writer_left_of_one_file_is_removed_but_not_what_is_being_written(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from motifcnn.formats.files import atomic_write\n"
        "with atomic_write(sys.argv[1]) as file: os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for name in ("a.txt", "b.txt"):
        killed = subprocess.run([sys.executable, "-c", code, tmp_path / name], check=False)
        assert killed.returncode == -signal.SIGKILL
    with atomic_write(tmp_path / "a.txt") as file:
        remove_stale(tmp_path / "a.txt")
        leftovers = list(tmp_path.glob(".motifcnn-*.part"))
        assert len(leftovers) == 3  # too fresh to be told from one that is not locked yet
        for leftover in leftovers:
            os.utime(leftover, (0, 0))
        remove_stale(tmp_path / "a.txt")
        assert len(list(tmp_path.glob(".motifcnn-*.part"))) == 2
        file.write(b"whole")
    assert (tmp_path / "a.txt").read_text() == "whole"
    remove_stale(tmp_path / "b.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
