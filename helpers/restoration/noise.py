"""How noisy a picture is, from the picture alone: the finest details of its calmest places.

Donoho and Johnstone 1994 (doi:10.1093/biomet/81.3.425) for the median of the finest details; Olsen 1993
(doi:10.1006/cgip.1993.1022) for looking only where the picture is calm.
"""

import numpy as np

from helpers import validation
from helpers.restoration.common import known_pixels, only_known

CALM = 0.1  # the share of the cells that is looked at,
ENOUGH = 4096  # but at least so many, if there are
MIDDLE = 0.69337  # the mean size of a standard Gaussian number between its quartiles
FEW_CLIPPED = 0.01  # clipped pixels among the neighbours of a cell that may be looked at


def estimate_noise(y, operator=None):
    """Estimate the level of white noise in y from its finest details, where noise outweighs the picture.

    The finest detail of a cell of 2 × 2 pixels is its diagonal Haar coefficient, in which slopes and straight edges
    vanish; its median size tells the level of Gaussian noise (Donoho and Johnstone 1994,
    doi:10.1093/biomet/81.3.425). Not every cell is asked. Left out are

    - cells with an unknown pixel, where ``operator`` ends with a mask;
    - cells of one value and their neighbours: bars, margins, screens, a sky that is white all over. No noise is there;
    - places where pixels are clipped, at the smallest and the largest value of y: half of the noise is missing there;
    - of the rest all but the calmest tenth: there the picture has fewest details of its own. What is calm is judged by
      the slopes of a slightly blurred picture, which know next to nothing of the finest details.

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
    planes = y.reshape(*y.shape[:2], -1)
    known = np.ones(planes.shape, bool) if known is None else np.broadcast_to(known[..., None], planes.shape)
    corners = planes[:-1, :-1], planes[1:, :-1], planes[:-1, 1:], planes[1:, 1:]
    detail = np.abs(corners[0] - corners[1] - corners[2] + corners[3]) / 2
    whole = known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:]
    usable = whole & _lively(corners, whole)
    if not usable.any():
        return 0.0
    usable &= _unclipped(planes, known, usable)
    detail, unrest = detail[usable], _unrest(planes, known)[usable]
    wanted = max(round(CALM * unrest.size), min(ENOUGH, unrest.size))
    return _level(detail[unrest <= np.partition(unrest, wanted - 1)[wanted - 1]])


def _lively(corners, whole):
    """Say which cells hold several values and have no neighbour of one value; none at all where these are rare."""
    from scipy import ndimage

    flat = (corners[0] == corners[1]) & (corners[0] == corners[2]) & (corners[0] == corners[3]) & whole
    near = ndimage.maximum_filter(flat, size=(3, 3, 1))
    lively = whole & ~near
    # a drawing without noise: next to its lines all is flat
    return lively if np.count_nonzero(lively) > 0.05 * np.count_nonzero(whole & ~flat) else np.zeros_like(lively)


def _unclipped(planes, known, usable):
    """Say which cells lie where hardly any pixel is at the smallest or the largest value of its channel."""
    low = np.where(known, planes, np.inf).min(axis=(0, 1))
    high = np.where(known, planes, -np.inf).max(axis=(0, 1))
    ends = (((planes == low) | (planes == high)) & known).astype(np.float32)
    share = _cells(_mean(ends, 15))
    limit = max(FEW_CLIPPED, float(np.quantile(share[usable], CALM)))  # where clipping is everywhere: the least of it
    return share <= limit * 1.0001


def _unrest(planes, known):
    """Return how much happens around each cell: the mean squared slope of the slightly blurred picture."""
    from scipy import ndimage

    weight = known.astype(np.float32)
    width = (1, 1, 0)
    blurred = ndimage.gaussian_filter(planes * weight, width) / np.maximum(ndimage.gaussian_filter(weight, width), 1e-3)
    right, down = blurred[:, 1:] - blurred[:, :-1], blurred[1:] - blurred[:-1]
    return _mean((right[1:] + right[:-1]) ** 2 + (down[:, 1:] + down[:, :-1]) ** 2, 7)


def _mean(planes, side):
    from scipy import ndimage

    return ndimage.uniform_filter(planes, (side, side, 0))


def _cells(planes):
    return (planes[:-1, :-1] + planes[1:, :-1] + planes[:-1, 1:] + planes[1:, 1:]) / 4


def _level(detail):
    """Return the noise level from the sizes of its details: a median that whole grey levels do not make jump.

    The sizes between the quartiles are averaged.
    """
    ordered = np.sort(detail)
    quarter = ordered.size // 4
    return float(ordered[quarter : ordered.size - quarter].mean(dtype=np.float64)) / MIDDLE
