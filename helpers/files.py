"""Files that are written whole or not at all."""

import contextlib
import os
import tempfile
from pathlib import Path


def make_folder(path):
    """Make a folder, with those above it, if it is missing; raise ``ValueError`` if it cannot be made or written to."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path, prefix=".writing-"):
            pass
    except OSError as error:
        raise ValueError(f"folder {str(path)!r} cannot be written to: {error}") from None


def check_writable(path):
    """Raise ``ValueError`` if a file of that name could not be written now; a file that is there is not touched."""
    path = Path(path)
    try:
        if path.is_dir():
            raise IsADirectoryError("it is a folder")
        if not path.parent.is_dir():
            raise NotADirectoryError(f"there is no folder {str(path.parent)!r}")
        with tempfile.TemporaryDirectory(dir=path.parent or ".", prefix=".writing-"):
            pass
    except OSError as error:
        raise ValueError(f"path {str(path)!r} cannot be written: {error}") from None


def check_picture(path):
    """Raise ``ValueError`` if a picture of that name could not be written now, by its kind or by its place."""
    from PIL import Image

    path = Path(path)
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:  # some kinds are only read
        raise ValueError(f"output {str(path)!r}: what kind of picture is {path.suffix!r}? Try .png")
    check_writable(path)


def write_whole(path, write):
    """Let ``write(temporary_path)`` write a file, then give it its name: a reader never sees half a file.

    Content and name are on the disk when this returns, in this order: a power cut leaves the old file or the new one.
    Raises ``ValueError`` if the folder is missing or cannot be written to, or the disk is full; an old file of that
    name is then left as it was.
    """
    path = Path(path)
    try:
        with tempfile.TemporaryDirectory(dir=path.parent or ".", prefix=".writing-") as folder:
            temporary = Path(folder) / path.name
            write(temporary)
            _to_disk(temporary)
            os.replace(temporary, path)
            with contextlib.suppress(OSError):  # the file is there; some systems cannot do this for a folder
                _to_disk(path.parent)
    except OSError as error:
        raise ValueError(f"path {str(path)!r} cannot be written: {error}") from None


def _to_disk(path):
    """Wait until what was written to a file, or the names in a folder, have reached the disk."""
    number = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)  # Windows flushes what it may write
    try:
        os.fsync(number)
    finally:
        os.close(number)
