"""What all methods share: the report, the checks at the door, the memory that a method needs, the progress bar."""

import math
import sys
from typing import NamedTuple

import numpy as np

from helpers import validation
from helpers.operators import Blur, Composition, Downsample, Mask, Operator, Radon

# A picture "without noise" is still rounded to 256 grey levels. Half a level takes the place of sigma = 0, which would
# make the data an iron constraint.
ROUNDING = 0.5 / 255


class Report(NamedTuple):
    """What a solver can say about its run."""

    iterations: int
    objective: list  # the value of the objective when it was looked at, in order
    converged: bool = True  # False: the iterations ran out before the stopping rule was met
    weight: float | None = None  # the regularisation weight, given or chosen
    sigma: float | None = None  # the noise level, given or estimated
    gap: float | None = None  # total variation: (objective - lower bound) / objective


def check(name, y, operator, sigma):
    """Check the arguments of a method at its door; return y, sigma and the shape of the picture to find.

    Where the operator ends with a mask, only known pixels are looked at, and y comes back as 0 at the others.
    """
    y = validation.array(y, "y", ranks=(2, 3), finite=False)
    if y.ndim == 3 and y.shape[2] not in (1, 3):
        raise ValueError(f"y must have one or three channels, but its shape is {y.shape}")
    if not isinstance(operator, Operator):
        raise TypeError(f"operator must be one of helpers.operators, such as Identity(), "
                        f"but {validation.brief(operator)} came")
    y = only_known(y, operator)
    sigma = validation.sigma(sigma)
    shape = _picture_shape(operator, y.shape)
    limit = sys.modules[__package__].MEMORY_LIMIT  # it belongs to the package, where a reader may raise it
    if (needed := _bytes(name, operator, shape, y.itemsize)) > limit:
        raise MemoryError(f"{name} on a picture of shape {shape} needs about {needed / 1e9:.1f} GB, more than "
                          f"helpers.restoration.MEMORY_LIMIT = {limit / 1e9:g} GB")
    operator.adjoint(y)  # raises if y is no measurement of this operator
    for mask in _masks(operator):
        if not mask.any():
            raise ValueError("the mask of the operator knows no pixel: nothing is left to restore from")
    if np.abs(y).max() > _brightest(operator) + 5 * max(sigma, 0.5):
        raise ValueError(f"y spans [{y.min():.3g}, {y.max():.3g}], too much for pictures in [0, 1]: "
                         "divide 0-255 data by 255")
    return y, sigma, shape


def known_pixels(operator):
    """Return which pixels of a measurement an operator knows, (H, W), or None if it does not end with a mask."""
    while isinstance(operator, Composition):
        operator = operator.outer
    return operator.mask if isinstance(operator, Mask) else None


def only_known(y, operator):
    """Return y with 0 at unknown pixels, where anything may stand: NaN, 255 or -9999. The known ones must be finite."""
    known = known_pixels(operator)
    if known is not None and known.shape == y.shape[:2]:
        y = np.where(known if y.ndim == 2 else known[..., None], y, np.zeros((), y.dtype))
    return validation.array(y, "y")


def _picture_shape(operator, shape):
    """Return the shape of the pictures of which the operator makes measurements of ``shape``."""
    if isinstance(operator, Composition):
        return _picture_shape(operator.inner, _picture_shape(operator.outer, shape))
    if isinstance(operator, Radon):
        return (operator.size, operator.size, *shape[2:])
    if isinstance(operator, Downsample):
        return (shape[0] * operator.factor, shape[1] * operator.factor, *shape[2:])
    return shape


def _brightest(operator):
    """Return a bound on |A x| for pictures x in [0, 1]."""
    if isinstance(operator, Composition):
        return _brightest(operator.outer) * _brightest(operator.inner)
    if isinstance(operator, Radon):
        return 1.5 * operator.size
    return np.abs(operator.kernel).sum() if isinstance(operator, Blur) else 1


def _masks(operator):
    if isinstance(operator, Composition):
        return _masks(operator.outer) + _masks(operator.inner)
    return [operator.mask] if isinstance(operator, Mask) else []


def stopping(tolerance, iterations):
    """Check the two numbers that end a run, and return them."""
    return (validation.number(tolerance, "tolerance", low=0), validation.integer(iterations, "iterations", low=1))


def steps(iterations, name):
    """Count from 1 to ``iterations``, with a progress bar in a terminal once two seconds have passed."""
    from tqdm import tqdm

    with tqdm(range(1, iterations + 1), desc=name, delay=2, leave=False, disable=None) as bar:
        yield from bar


def answer(x, y, report, wanted):
    """Return the picture in the type of the measurement, with the report if it is wanted."""
    x = np.ascontiguousarray(x, dtype=y.dtype)
    return (x, report) if wanted else x


# How many arrays of the size of the picture a method holds at its peak, measured at 1024 × 1024 and rounded up.
_ARRAYS = {
    "least_squares": 12, "tikhonov": 15, "wiener": 17, "richardson_lucy": 13, "total_variation": 24, "biharmonic": 11,
    "wavelet_shrinkage": 25, "dct_shrinkage": 6, "non_local_means": 12, "plug_and_play": 28,
}


def peak_memory(method, operator, shape):
    """Estimate the bytes that a method holds at its peak while it restores a float32 picture of ``shape``.

    ``method`` is one of the methods of this package, or its name. Above ``MEMORY_LIMIT`` the method raises
    ``MemoryError`` before it starts.
    """
    name = validation.choice(getattr(method, "__name__", method), "method", _ARRAYS)
    return _bytes(name, operator, shape, 4)


def _bytes(name, operator, shape, itemsize):
    needed = _ARRAYS[name] * math.prod(shape) * itemsize
    if name == "biharmonic" and isinstance(operator, Mask) and has_matrix(operator.mask):
        needed += 850 * np.count_nonzero(~operator.mask)  # sparse matrices, with those of multigrid
    if isinstance(operator, Radon):
        needed += 200 * operator.size**2  # the shadow of every pixel for one angle
    return needed


WIDE_HOLE = 8  # pixels to the border of a hole from which on multigrid pays
FEW_LOST = 0.1  # the share of lost pixels up to which it pays to work on them alone


def has_matrix(mask):
    """Say whether the equations of the unknown pixels are written down as a matrix: for few of them, and wide holes."""
    return np.mean(~mask) <= FEW_LOST or widest_hole(mask) > WIDE_HOLE


def widest_hole(mask):
    """Return the largest distance, in steps to the eight neighbours, from an unknown pixel to a known one."""
    from scipy import ndimage

    return int(ndimage.distance_transform_cdt(~mask, metric="chessboard").max())
