"""Files are written whole or not at all, also through a power cut, and what cannot be written is refused at once."""

import builtins
import contextlib
import errno
import io
import os
import stat
from pathlib import Path

import pytest

from helpers import pretrained
from helpers.files import check_writable, make_folder, write_whole


@contextlib.contextmanager
def read_only(folder):
    """Let the system refuse whatever would be made, renamed or opened for writing inside a folder."""
    real = {name: getattr(os, name) for name in ("mkdir", "open", "replace", "rename", "link", "symlink")}
    opens = builtins.open

    def refuse(path):
        path = Path(path).absolute() if isinstance(path, (str, os.PathLike)) else Path("/")
        if Path(folder) in (path, *path.parents):
            raise OSError(errno.EROFS, "Read-only file system", str(path))

    def guarded(name):
        def call(*arguments, **options):
            reads = name == "open" and not arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            exists = name == "mkdir" and Path(arguments[0]).is_dir()  # it is told that first
            if not (reads or exists):
                refuse(arguments[1] if name in ("replace", "rename", "link", "symlink") else arguments[0])
            return real[name](*arguments, **options)
        return call

    def guarded_open(path, mode="r", *arguments, **options):
        if set(mode) & set("wax+"):
            refuse(path)
        return opens(path, mode, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        for name in real:
            patch.setattr(os, name, guarded(name))
        patch.setattr(builtins, "open", guarded_open)
        patch.setattr(io, "open", guarded_open)
        yield


# ------------------------------------------------------------------------------------------- folders and names


def test_a_folder_is_made_with_those_above_it_and_left_empty(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(str(tmp_path / "a" / "b"))
    assert os.listdir(tmp_path / "a") == ["b"] and os.listdir(tmp_path / "a" / "b") == []


def test_a_folder_that_is_there_but_cannot_be_written_to_is_refused(tmp_path):
    """Existing is not enough: a folder on a read-only disk is there too."""
    with read_only(tmp_path), pytest.raises(ValueError, match=r"folder .* cannot be written to"):
        make_folder(tmp_path)
    make_folder(tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_is_no_folder(tmp_path, name):
    (tmp_path / "file").write_text("kept")
    with pytest.raises(ValueError, match=r"folder .* cannot be written to"):
        make_folder(tmp_path / name)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_name_can_be_written_or_is_refused(tmp_path):
    (tmp_path / "old.txt").write_text("kept")
    (tmp_path / "folder.txt").mkdir()
    check_writable(tmp_path / "old.txt")
    check_writable(str(tmp_path / "new.txt"))
    for bad, why in (("folder.txt", "it is a folder"), ("no/such/folder/new.txt", "there is no folder '.*such.folder'"),
                     ("old.txt/new.txt", "there is no folder '.*old.txt'")):
        with pytest.raises(ValueError, match=f"cannot be written: {why}"):
            check_writable(tmp_path / bad)
    for name in ("old.txt", "new.txt"):
        with read_only(tmp_path), pytest.raises(ValueError, match="cannot be written"):
            check_writable(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["folder.txt", "old.txt"]
    assert (tmp_path / "old.txt").read_text() == "kept" and os.listdir(tmp_path / "folder.txt") == []


def test_a_name_without_a_folder_lies_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_writable("new.txt")
    write_whole("new.txt", lambda path: path.write_text("here"))
    assert os.listdir() == ["new.txt"] and Path("new.txt").read_text() == "here"


# ------------------------------------------------------------------------------------------------- power cuts


@pytest.fixture
def events(monkeypatch):
    """Note in which order contents, names and folders go to the disk."""
    noted, sync, replace = [], os.fsync, os.replace

    def fsync(number):
        about = os.fstat(number)
        if stat.S_ISDIR(about.st_mode):
            noted.append(("folder", about.st_ino))
        else:
            noted.append(("file", about.st_ino, about.st_size))
        sync(number)

    def rename(source, target):
        noted.append(("name", os.stat(source).st_ino, os.path.basename(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", rename)
    return noted


@pytest.mark.skipif(os.name != "posix", reason="folders can be opened on POSIX alone")
@pytest.mark.parametrize("old", [False, True])
def test_content_is_on_the_disk_before_its_name_and_the_name_before_the_return(tmp_path, events, old):
    path = tmp_path / "file.bin"
    if old:
        path.write_bytes(b"the old one")
    write_whole(path, lambda temporary: temporary.write_bytes(bytes(1000)))
    inode = path.stat().st_ino
    assert events == [("file", inode, 1000), ("name", inode, "file.bin"), ("folder", tmp_path.stat().st_ino)]


@pytest.mark.skipif(os.name != "posix", reason="folders can be opened on POSIX alone")
def test_weights_are_on_the_disk_before_the_card_that_names_them(tmp_path, events):
    pretrained.save("toy", {}, {"what": "nothing"}, tmp_path)
    kinds = [(event[0], Path(event[-1]).suffix if event[0] == "name" else "") for event in events]
    assert kinds == [("file", ""), ("name", ".safetensors"), ("folder", ""),
                     ("file", ""), ("name", ".json"), ("folder", "")]


def test_what_stops_the_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    path.write_text("the old one")

    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ValueError, match="No space left"):
        write_whole(path, lambda temporary: temporary.write_text("the new one"))
    assert path.read_text() == "the old one" and os.listdir(tmp_path) == ["file.txt"]


def test_a_file_that_is_there_is_no_failure_where_a_folder_cannot_be_flushed(tmp_path, monkeypatch):
    sync = os.fsync

    def files_only(number):
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(number)

    monkeypatch.setattr(os, "fsync", files_only)
    write_whole(tmp_path / "file.txt", lambda temporary: temporary.write_text("new"))
    assert (tmp_path / "file.txt").read_text() == "new"
