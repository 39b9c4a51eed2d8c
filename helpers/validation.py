"""The door: every public function checks its arguments here, so that each mistake gets one clear sentence.

Each check returns the argument in the form the course works with, or raises ``TypeError`` or ``ValueError`` naming
the argument, what was expected and what came.
"""

import difflib
import math
import numbers
import reprlib
import sys

import numpy as np


def array(value, name, ranks=None, finite=True):
    """Return ``value`` as a finite, non-empty floating-point array.

    float64 stays float64; every other real type becomes float32. ``ranks`` lists the allowed numbers of axes;
    ``finite=False`` lets NaN and infinite values pass.
    """
    if "keras" in sys.modules and type(value).__name__ in ("KerasTensor", "SymbolicTensor"):
        raise TypeError(f"{name} must be an array, but a symbolic tensor of shape {tuple(value.shape)} came: it has no "
                        "values yet")
    try:
        result = np.asarray(value)
    except (TypeError, ValueError) as error:  # ragged lists
        raise TypeError(f"{name} cannot be read as an array: {error}") from None
    if result.dtype.kind not in "fiub":
        came = f"its type is {result.dtype}" if result.ndim else f"{brief(value)} came"
        raise TypeError(f"{name} must hold real numbers, but {came}")
    if ranks is not None and result.ndim not in ranks:
        expected = " or ".join(str(rank) for rank in ranks) + (" axis" if list(ranks) == [1] else " axes")
        raise ValueError(f"{name} must have {expected}, but its shape is {result.shape}")
    if result.size == 0:
        raise ValueError(f"{name} is empty: its shape is {result.shape}")
    if result.dtype != np.float64:
        result = result.astype(np.float32, copy=False)
    if finite and not np.isfinite(result).all():
        bad = int(result.size - np.isfinite(result).sum())
        raise ValueError(f"{name} must be finite, but {bad} of its {result.size} values are NaN or infinite")
    return result


def image(value, name="x", slack=0.0):
    """Return ``value`` as an image: shape (H, W) or (H, W, C), values in [0, 1].

    ``slack`` widens the range: an estimate may overshoot [0, 1] a little, 0-255 data may not pass.
    """
    result = array(value, name, ranks=(2, 3))
    if result.ndim == 3 and result.shape[2] not in (1, 3):
        raise ValueError(f"{name} must have shape (H, W), (H, W, 1) or (H, W, 3), but its shape is {result.shape}")
    low, high = float(result.min()), float(result.max())
    if low < -slack or high > 1 + slack:
        hint = ": divide 0-255 data by 255" if high > 2 else ""
        raise ValueError(f"{name} must lie in [0, 1], but it spans [{low:.3g}, {high:.3g}]{hint}")
    return result


def same_shape(value, name, reference, reference_name):
    """Raise ``ValueError`` unless ``value`` has the shape of ``reference``."""
    if np.shape(value) != np.shape(reference):
        raise ValueError(
            f"{name} has shape {np.shape(value)}, expected {np.shape(reference)} like {reference_name}"
        )


def number(value, name, low=-math.inf, high=math.inf, open_low=False):
    """Return ``value`` as a finite float in [low, high], or in (low, high] if ``open_low``."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be one real number, but {brief(value)} came")
    try:
        result = float(value)
    except OverflowError:  # a whole number of more than 308 digits
        result = math.inf
    if not math.isfinite(result):
        raise ValueError(f"{name} must be finite, but {result} came")
    if result < low or result > high or (open_low and result == low):
        if high < math.inf:
            wanted = f"lie in {'(' if open_low else '['}{low:g}, {high:g}]"
        else:
            wanted = f"be above {low:g}" if open_low else f"be at least {low:g}"
        raise ValueError(f"{name} must {wanted}, but {result:g} came")
    return result


def sigma(value, name="sigma"):
    """Return a noise level in image units: 25/255, not 25."""
    result = number(value, name, low=0)
    if result > 2:
        raise ValueError(f"{name} is in image units, where the image spans [0, 1]: {result:g} came, perhaps "
                         f"you mean {result:g}/255")
    return result


def integer(value, name, low=None, high=None):
    """Return ``value`` as an int in [low, high]."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, but {brief(value)} came")
    result = int(value)
    if (low is not None and result < low) or (high is not None and result > high):
        wanted = f"at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name} must be {wanted}, but {result} came")
    return result


def choice(value, name, options):
    """Return ``value`` if it is one of ``options``; otherwise name the near matches."""
    options = list(options)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {_listed(options)}, but {brief(value)} came")
    if value not in options:
        near = difflib.get_close_matches(value, options, n=3, cutoff=0.5)
        advice = f"did you mean {' or '.join(map(repr, near))}?" if near else f"choose from {_listed(options)}"
        raise ValueError(f"{name} {value!r} is unknown: {advice}")
    return value


def flag(value, name):
    """Return ``value`` if it is True or False: a string such as "no" would count as true."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, but {brief(value)} came")
    return bool(value)


def generator(value, name="rng"):
    """Return ``value`` if it is a ``numpy.random.Generator``: randomness is always explicit."""
    if not isinstance(value, np.random.Generator):
        raise TypeError(f"{name} must be a numpy.random.Generator such as np.random.default_rng(0), "
                        f"but {type(value).__name__} came")
    return value


def seed(value, name="seed"):
    """Return ``value`` as a non-negative int."""
    return integer(value, name, low=0)


def brief(value):
    """Say in a few words what came."""
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else reprlib.repr(value)


def _listed(options, most=24):
    """List the options, or the first of very many."""
    more = f" and {len(options) - most} more" if len(options) > most else ""
    return ", ".join(map(repr, options[:most])) + more
