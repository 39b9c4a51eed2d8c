"""How noisy a picture is, from the picture alone: the finest details of its calmest places.

Donoho and Johnstone 1994 (doi:10.1093/biomet/81.3.425) for the median of the finest details; Olsen 1993
(doi:10.1006/cgip.1993.1022) for looking only where the picture is calm; Immerkær 1996 (doi:10.1006/cviu.1996.0060) for
details yet finer, which tell a texture such as gravel from noise.
"""

import functools

import numpy as np

from helpers import validation
from helpers.restoration.common import known_pixels, only_known

CALM = 0.1  # the share of the cells that is looked at,
ENOUGH = 4096  # but at least so many, if there are,
AS_CALM = 1.5  # and whatever is no more than so many times as restless
MOST_CLIPPED = 0.6  # where more pixels are clipped, too little is left of the noise
FEW_FLAT = 0.1  # of the cells around may lie in an area of one value
GROWS = (1.03, 1.1)  # where details grow so much with the unrest, texture is believed in: in part, and wholly
SHARED = 0.52  # of what a texture adds to the details of 2 × 2 pixels is in those of 3 × 3: tried out on photographs
AT_LEAST = 0.3  # of what seems noise must be left; else the noise is not white, and nothing is taken for texture
FEW = 100  # details do not tell a level
MIDDLE = 0.69337  # the mean size of a standard Gaussian number between its quartiles


def estimate_noise(y, operator=None):
    """Estimate the level of white noise in y from its finest details, where noise outweighs the picture.

    The finest detail of a cell of 2 × 2 pixels is its diagonal Haar coefficient, in which slopes and straight edges
    vanish; its median size tells the level of Gaussian noise (Donoho and Johnstone 1994,
    doi:10.1093/biomet/81.3.425). Not every cell is asked, and not every cell is believed:

    - cells with an unknown pixel are left out, where ``operator`` ends with a mask;
    - areas of one value are left out, and what is drawn on them: bars, margins, screens, a sky that is white all over.
      No noise is there;
    - where some pixels are clipped, at the smallest or the largest value of y, noise is larger than it seems, by the
      factor that their share tells; where most are, they are left out;
    - of the rest only the calmest tenth is asked, where the picture has fewest details of its own, and what is hardly
      less calm. What is calm is judged by the slopes of a slightly blurred picture, which know next to nothing of the
      finest details.

    Grass and gravel are nowhere calm: there a part of the details is the picture's. White noise is as large in the yet
    finer details of 3 × 3 pixels, second differences along both sides (Immerkær 1996, doi:10.1006/cviu.1996.0060),
    while a texture is smaller in them: what they lack tells how much of the others to take away. Blotchy noise and
    noise in a JPEG file have less of the finer details, too. So it is believed only where details grow with the unrest,
    which those of noise do not, and where something is left.

    Returns
    -------
    float
        In image units; 0 where no cell is left to look at.
    """
    y = validation.array(y, "y", ranks=(2, 3), finite=False)
    y = only_known(y, operator)
    if min(y.shape[:2]) < 2:
        return 0.0
    known = known_pixels(operator)
    known = np.ones(y.shape[:2], bool) if known is None else known
    channels = [_details(plane, known) for plane in np.moveaxis(y.reshape(*y.shape[:2], -1), 2, 0)]
    detail, unrest, finer, around = (np.concatenate(parts) for parts in zip(*channels, strict=True))
    if not detail.size:
        return 0.0
    wanted = max(round(CALM * unrest.size), min(ENOUGH, unrest.size))
    calm = AS_CALM * np.partition(unrest, wanted - 1)[wanted - 1]
    detail, unrest, finer = detail[unrest <= calm], unrest[unrest <= calm], finer[around <= calm]
    level = _level(detail)
    if finer.size < FEW:
        return level
    third = unrest.size // 3
    low, high = np.partition(unrest, (third, unrest.size - 1 - third))[[third, -1 - third]]
    calmer, less_calm = _level(detail[unrest <= low]), _level(detail[unrest >= high])
    return _without_texture(level, _level(finer), less_calm / calmer if calmer else 1)


def _without_texture(level, finer, growth):
    """Return the noise level, from what it seems in details of 2 × 2 and of 3 × 3 pixels, and how much the former grow
    from the calmer third of the places to the less calm."""
    belief = np.clip((growth - GROWS[0]) / (GROWS[1] - GROWS[0]), 0, 1) if finer < level else 0
    texture = belief * (level**2 - finer**2) / (1 - SHARED)
    left = max(level**2 - texture, 0) ** 0.5
    return float(left if left > AT_LEAST * level else level)


def _details(plane, known):
    """Return the sizes of the details in the cells of one channel that may be looked at, and the unrest there.

    Then the same for the finer details, of squares of 3 × 3 pixels: their unrest is that of the worst of their cells.
    """
    usable, lively = _lively(plane, known)
    if usable.any():
        seems = _share_of_noise_left(plane, lively)
        usable &= seems > 0
    if not usable.any():
        return [np.empty(0, plane.dtype)] * 4
    seems[~usable] = 1
    unrest = np.where(usable, _unrest(plane, known) / seems**2, np.inf)
    around = np.maximum(*(np.maximum(side[:, :-1], side[:, 1:]) for side in (unrest[:-1], unrest[1:])))
    detail = _diagonal(plane)
    finer, whole = np.abs(_diagonal(detail)) / 6 / _cells(seems), np.isfinite(around)
    return (np.abs(detail) / 2 / seems)[usable], unrest[usable], finer[whole], around[whole]


def _diagonal(plane):
    """Return the difference of the differences in each square of 2 × 2 pixels."""
    return plane[:-1, :-1] - plane[1:, :-1] - plane[:-1, 1:] + plane[1:, 1:]


def _lively(plane, known):
    """Say which cells may be looked at, and which pixels: neither in areas of one value nor in drawings.

    An area is at least 3 × 3 pixels large. In a drawing, or among letters on a screen, such areas are everywhere.
    Where hardly any cell is left, none is.
    """
    from scipy import ndimage

    a, b, c, d = plane[:-1, :-1], plane[1:, :-1], plane[:-1, 1:], plane[1:, 1:]
    whole = known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:]
    flat = whole & (a == b) & (a == c) & (a == d)
    area = ndimage.binary_opening(flat, np.ones((2, 2), bool))
    usable = whole & ~ndimage.maximum_filter(area, size=3) & (_mean(area, 15) <= FEW_FLAT)
    if np.count_nonzero(usable) <= 0.05 * np.count_nonzero(whole & ~flat):
        usable[:] = False
    lively = known.copy()
    for down in (0, 1):
        for right in (0, 1):
            lively[down : down + area.shape[0], right : right + area.shape[1]] &= ~area
    return usable, lively


def _share_of_noise_left(plane, lively):
    """Return by how much clipping has shortened the noise in each cell: 1 where there is none, 0 where too much is.

    A share p of clipped pixels around says how many noise levels the picture lies inside its range there.
    """
    left = np.ones([side - 1 for side in plane.shape], np.float32)
    weight = np.maximum(_cells(_mean(lively, 15)), 1e-6)
    for end in (plane.min(where=lively, initial=np.inf), plane.max(where=lively, initial=-np.inf)):
        share = _cells(_mean((plane == end) & lively, 15)) / weight
        left *= np.where(share > MOST_CLIPPED, 0, np.interp(share, *_clipping()))
    return left


@functools.cache
def _clipping():
    """Return shares of clipped pixels and what the estimate of a noise level 1 becomes under each: tried out."""
    noise = np.random.default_rng(0).standard_normal((4, 20000)).astype(np.float32)
    inside = np.linspace(4, -0.4, 45)
    shares, levels = [0.0], [1.0]
    for distance in inside:
        a, b, c, d = np.maximum(noise + distance, 0)
        shares.append(float(np.mean(noise < -distance)))
        levels.append(_level(np.abs(a - b - c + d) / 2))
    return shares, levels


def _unrest(plane, known):
    """Return how much happens around each cell: the mean squared slope of the slightly blurred picture."""
    from scipy import ndimage

    weight = known.astype(np.float32)
    blurred = ndimage.gaussian_filter(plane * weight, 1) / np.maximum(ndimage.gaussian_filter(weight, 1), 1e-3)
    right, down = blurred[:, 1:] - blurred[:, :-1], blurred[1:] - blurred[:-1]
    return _mean((right[1:] + right[:-1]) ** 2 + (down[:, 1:] + down[:, :-1]) ** 2, 7)


def _mean(values, side):
    """Return the mean over the square of so many pixels around each."""
    from scipy import ndimage

    return ndimage.uniform_filter(values if values.dtype.kind == "f" else values.astype(np.float32), side)


def _cells(plane):
    return (plane[:-1, :-1] + plane[1:, :-1] + plane[:-1, 1:] + plane[1:, 1:]) / 4


def _level(detail):
    """Return the noise level from the sizes of its details: a median that whole grey levels do not make jump.

    The sizes between the quartiles are averaged.
    """
    ordered = np.sort(detail)
    quarter = ordered.size // 4
    return float(ordered[quarter : ordered.size - quarter].mean(dtype=np.float64)) / MIDDLE
