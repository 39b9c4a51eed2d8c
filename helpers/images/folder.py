"""Photographs of a folder that are too many to hold: each is read when it is needed."""

import hashlib
import threading
from pathlib import Path

import numpy as np

from helpers.images.reading import read_photo

HELD = 2**28  # bytes of pixels that are held at a time
STAY = 4  # steps after which the window of pictures that take part moves on by one


class Photographs:
    """The photographs of a folder, of which patches are cut; a sequence of images (H, W) or (H, W, 3) in [0, 1].

    Only headers are read at first. As many pictures take part at a time as ``HELD`` bytes hold; if these are not all,
    the window of those that do moves on by one picture every ``STAY`` steps, in an order that is shuffled once. So
    every picture is decoded once in a round, and what a step sees depends on nothing but the folder and the step.

    Parameters
    ----------
    folder : path
    patch : int
        Side of the patches in pixels.
    color : bool
        Colour photographs instead of grey ones.

    Raises
    ------
    ValueError
        If the folder is missing, holds no picture, or one that is smaller than a patch.
    """

    def __init__(self, folder, patch, color=False):
        self.folder, self.patch, self.color = Path(folder), patch, color
        if not self.folder.is_dir():
            raise ValueError(f"photos {str(folder)!r}: there is no such folder")
        self.paths, sides, small = [], [], []
        self.left_out = {}  # name: why it cannot be read
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() or path.name.startswith("."):
                continue
            try:
                shape = _shape(path)
            except (ValueError, MemoryError) as error:
                self._leave_out(path, error)
                continue
            self.paths.append(path)
            sides.append(shape)
            if min(shape) < patch:
                small.append(f"{path.name} ({shape[0]} × {shape[1]} pixels)")
        if not self.paths:
            why = "".join(f"; {name}: {reason}" for name, reason in list(self.left_out.items())[:1])
            raise ValueError(f"photos {str(folder)!r}: no picture in this folder can be read{why}")
        if small:
            more = f" and {len(small) - 1} more" if len(small) > 1 else ""
            raise ValueError(f"photos: {small[0]}{more} is too small: patches of {patch} × {patch} pixels are cut from "
                             "each picture")
        mean = float(np.mean([height * width for height, width in sides])) * (3 if color else 1)
        self.window = int(min(max(HELD // mean, 1), len(self.paths)))
        self.order = (np.arange(len(self.paths)) if self.window == len(self.paths) else
                      np.random.default_rng(0).permutation(len(self.paths)))
        self.held, self.failure, self.lock = {}, None, threading.Lock()

    def _leave_out(self, path, error):
        said = " ".join(str(error).split()) or type(error).__name__
        self.left_out[path.name] = said.removeprefix(f"path {str(path)!r}").lstrip(": ")

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        if not 0 <= i < len(self.paths):
            raise IndexError(i)
        return read_photo(self.paths[i], color=self.color)

    def patches(self, step, which, place):
        """Return patches (N, patch, patch), or (N, patch, patch, 3) in colour, of uint8.

        Parameters
        ----------
        step : int
            Of the training.
        which : int array (N,)
            Pictures of the window, from 0 to ``window - 1``.
        place : float32 array (N, 2)
            Where a patch lies: from 0, at the top and the left, to 1.
        """
        start = 0 if self.window == len(self) else int(step) // STAY
        found = np.empty((len(which), self.patch, self.patch) + (3,) * self.color, np.uint8)
        with self.lock:
            try:
                for i, (one, where) in enumerate(zip(which, place, strict=True)):
                    found[i] = cut(self._levels(start + int(one), start), where, self.patch)
            except Exception as error:  # TensorFlow would wrap it in many lines: who trains asks for it here
                self.failure = error
                raise
        return found

    def _levels(self, position, start):
        """Return the picture at a position of the endless round, or the next one that can be read."""
        for place in range(position, position + len(self)):
            index = int(self.order[place % len(self)])
            if self.paths[index].name in self.left_out:
                continue
            if index not in self.held:
                if self.window < len(self):
                    keep = {int(self.order[p % len(self)]) for p in range(start, start + self.window)}
                    self.held = {one: x for one, x in self.held.items() if one in keep}
                try:
                    x = np.rint(255 * self[index]).astype(np.uint8)
                    if min(x.shape[:2]) < self.patch:
                        raise ValueError("has become smaller than a patch")
                except (ValueError, MemoryError) as error:
                    if not self.folder.is_dir():
                        raise ValueError(f"photos {str(self.folder)!r}: the folder has vanished. The same command goes "
                                         "on when it is back") from None
                    self._leave_out(self.paths[index], error)
                    continue
                self.held[index] = x
            return self.held[index]
        raise ValueError(f"photos {str(self.folder)!r}: no picture in this folder can be read")

    def fingerprint(self):
        """Return eight characters that tell these files from others, by their names, sizes and beginnings."""
        digest = hashlib.sha256()
        for path in self.paths:
            with path.open("rb") as file:
                digest.update(f"{path.name} {path.stat().st_size} ".encode() + file.read(2**16))
        return digest.hexdigest()[:8]


def cut(x, where, patch):
    """Return a square patch of a picture; ``where``, float32 (2,), goes from 0, at the top and the left, to 1."""
    top, left = (where * (np.array(x.shape[:2]) - patch + 1).astype(np.float32)).astype(np.int64)
    return x[top : top + patch, left : left + patch]


def _shape(path):
    """Return height and width of a picture: from its header, if Pillow knows the kind; or else it is read."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            return (width, height) if picture.getexif().get(0x0112, 1) > 4 else (height, width)
    except Exception:  # decoders meet damaged files with every kind of error
        return read_photo(path).shape
