"""Picture files of one's own, of whatever kind, as the course computes with them: float32 in [0, 1].

Which number is white comes from the type of the samples, never from the value of a pixel. Where the type does not
say it (12 bits stored in 16, floating point of another range), the reader is asked.
"""

import io
import itertools
import os
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import validation
from helpers.images.samples import RAW_SUFFIXES, Raw, read_samples, turned
from helpers.operators import LUMA


class PictureNote(UserWarning):
    """What a reader of a picture file should know: that there are more pages, that values were clipped."""


class Picture(NamedTuple):
    """A picture file as it was understood."""

    x: np.ndarray  # (H, W) or, if the file has colours, (H, W, 3); float32 in [0, 1], upright, sRGB
    alpha: np.ndarray | None  # (H, W), 0 where nothing is to be seen; None if the file has no transparency
    bits: int  # of a sample in the file: 8, 16, …; floating point has 16, 32 or 64
    notes: tuple  # sentences for the reader


def read_picture(path, white=None, known=None):
    """Read a picture file of your own with everything that :func:`read_photo` lays aside.

    Colours stay colours, and transparency stays beside them: ``x`` is not laid on white.

    Parameters
    ----------
    path : path or open binary file
        JPEG, PNG, TIFF, WebP, FITS, PFM or another kind that Pillow reads. Of several pages the first is read, and
        ``notes`` says so.
    white : float, optional
        The number that is white; 0 is black. By default the type of the samples says it: the largest number that its
        bits can hold, 1 for floating point, and for signed integers that use their whole range the smallest is black.
    known : bool array (H, W), optional
        Which pixels of the upright picture count. The others may hold NaN or -9999, and come back as 0.

    Raises
    ------
    ValueError
        If the file is missing, is not a picture, or is cut off; for values that are not finite; for a raw photograph,
        which has to be developed first; and where the type does not say which number is white: for samples of 16 or
        more bits of which hardly any is above a quarter of the range, for floating point far outside [0, 1], and for
        signed integers a little below 0. The message then asks for ``white``.
    """
    return _finished(*_opened(path, white, known))


def read_photo(path, size=None, color=False, longest=None, white=None):
    """Read a picture file of your own as float32 in [0, 1], whatever its kind.

    The camera's rotation (EXIF) is applied, colour profiles are converted to sRGB, transparency is laid on white, and
    all bits are kept. ``size`` and ``color`` work as in :func:`helpers.images.photo`. ``longest`` keeps the whole
    picture and reduces it, with anti-aliasing, until its longer side has so many pixels; a smaller picture stays as it
    is. ``white`` is the number that is white, where the file does not say it: see :func:`read_picture`.

    What should be known of the file (that it has more pages, that values were clipped) comes as a warning,
    :class:`PictureNote`.

    Raises
    ------
    ValueError
        As :func:`read_picture`, and for ``size`` and ``longest`` together.
    """
    validation.flag(color, "color")
    if size is not None:
        validation.integer(size, "size", low=1, high=16384)
    if longest is not None:
        validation.integer(longest, "longest", low=1, high=16384)
        if size is not None:
            raise ValueError("size cuts a square and longest keeps the whole picture: give one of them, not both")
    picture, alpha, _, notes, _ = _opened(path, white)
    for note in notes:
        warnings.warn(f"{_named(path)}: {note}", PictureNote, stacklevel=2)
    return _sized(_on_white(picture, alpha), size, color, longest)


def _named(path):
    return f"path {str(path)!r}"


class _Question(ValueError):
    """The picture can be read as soon as the reader says what is white."""


def _opened(path, white=None, known=None):
    """Return picture, alpha, bits, notes and known, upright and sRGB.

    The picture is one of Pillow's, L or RGB, or a float32 array in [0, 1].
    """
    from PIL import Image, UnidentifiedImageError

    if not isinstance(path, (str, os.PathLike)) and not hasattr(path, "read"):
        raise TypeError(f"path must be the path of a picture file, but {type(path).__name__} came")
    if white is not None:
        white = validation.number(white, "white", low=0, open_low=True)
    if known is not None:
        known = np.asarray(known)
        if known.dtype != bool or known.ndim != 2:
            raise TypeError(f"known must be a boolean array (H, W), but {validation.brief(known)} came")
    raw = (f"{_named(path)} is a raw photograph, what the sensor saw before there were colours: develop it first, with "
           "your camera's programme, darktable or RawTherapee, and save it as TIFF or PNG of 16 bits")
    suffix = getattr(path, "suffix", "") if hasattr(path, "read") else Path(path).suffix.lower()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # large is no error; far too large is
            warnings.filterwarnings("ignore", category=UserWarning, module="PIL")  # damaged tags
            file = io.BytesIO(path.read()) if hasattr(path, "read") else open(path, "rb")  # noqa: SIM115
            with file:
                return _as_seen(read_samples(file, suffix), white, known)
    except FileNotFoundError:
        raise ValueError(f"{_named(path)}: there is no such file") from None
    except Raw:
        raise ValueError(raw) from None
    except _Question as question:
        raise ValueError(f"{_named(path)}: {question}") from None
    except UnidentifiedImageError:
        raise ValueError(raw if suffix in RAW_SUFFIXES else
                         f"{_named(path)} cannot be read as a picture: it is neither JPEG, PNG, TIFF nor another "
                         "kind that Pillow knows (save a telephone's HEIC as JPEG first)") from None
    except MemoryError:
        raise
    except Exception as error:  # decoders meet damaged files with every kind of error
        raise ValueError(f"{_named(path)} cannot be read as a picture: {error}") from None


def _as_seen(samples, white, known):
    """Turn samples upright, into [0, 1] and into sRGB."""
    picture, alpha, notes = samples.picture, samples.alpha, samples.notes
    if not isinstance(picture, np.ndarray) and white is not None and picture.mode in ("L", "RGB"):
        picture = np.asarray(picture)  # 8 bits of which somebody says what is white
    if isinstance(picture, np.ndarray):
        picture = turned(picture, samples.orientation)
        alpha = None if alpha is None else turned(np.asarray(alpha), samples.orientation)
        alpha = np.asarray(alpha, np.float32) / 255 if alpha is not None and alpha.dtype == np.uint8 else alpha
        counts = _shaped_like(known, picture.shape)
        looked_at = counts
        if alpha is not None:  # what nobody sees asks no question
            looked_at = alpha > 0 if counts is None else counts & (alpha > 0)
        picture, more = _unit(picture, samples, white, looked_at)
        notes += more
    else:
        picture = _upright(picture, samples.orientation)
        alpha = None if alpha is None else _upright(alpha, samples.orientation)
        counts = _shaped_like(known, picture.size[::-1])
        if picture.mode != "LAB" and max(high for _, high in _bands(picture.getextrema())) == 1:
            notes += ("no value lies above 1 of 255: if 1 is white, say so (white=1, or --white 1)",)
    if samples.profile or getattr(picture, "mode", None) in ("CMYK", "LAB"):
        picture, more = _in_srgb(picture, samples.profile)
        notes += more
    return picture, alpha, samples.bits, notes, counts


def _bands(extrema):
    return extrema if isinstance(extrema[0], tuple) else (extrema,)


def _shaped_like(known, shape):
    if known is not None and known.shape != shape[:2]:
        raise ValueError(f"known has shape {known.shape}, but the picture has {shape[:2]}")
    return known


def _upright(picture, orientation):
    from PIL.Image import Transpose

    turns = (Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM, Transpose.TRANSPOSE,
             Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90)
    return picture if orientation == 1 else picture.transpose(turns[orientation - 2])


# --------------------------------------------------------------------------------------------- which number is white

# A share of the pixels that may lie anywhere: hot pixels decide nothing.
FEW = 1e-3


def _unit(values, samples, white, counts):
    """Return samples as float32 in [0, 1], and notes; ``counts`` says which pixels are looked at."""
    looked_at = values if counts is None else values[counts]
    if not np.isfinite(looked_at).all():
        raise ValueError("some of its values are NaN or infinite; where nothing is known, a mask must say so")
    if white is not None:
        black = 0
    elif looked_at.size == 0:
        black, white = 0, 1
    elif values.dtype.kind == "f":
        black, white = _range_of_floats(looked_at)
    elif values.dtype.kind == "i":
        black, white = _range_of_signed(looked_at, samples)
    else:
        black, white = 0, samples.white or 2**samples.bits - 1
        if not samples.sure:
            _ask_if_dim(looked_at, white)
    wide = np.float64 if values.dtype.itemsize > 2 and values.dtype != np.float32 else np.float32
    x = np.nan_to_num(values.astype(wide), posinf=0, neginf=0)  # only where nobody looks
    x = (x - wide(black)) / wide(white - black)
    if samples.inverted:
        x = 1 - x
    notes, seen = (), x if counts is None else x[counts]
    if seen.size:
        low, high = float(seen.min()), float(seen.max())
        if low < -0.002 or high > 1.002:
            notes = (f"its values span [{low:.3g}, {high:.3g}], where 0 is black and 1 white: what lies outside is "
                     "clipped",)
        elif 0 < high < 1 / 16:
            notes = (f"no value lies above {high:.2g} of white: if the picture is not so dark, say which number is "
                     "white (white=…, or --white …)",)
    return np.clip(x, 0, 1).astype(np.float32), notes


def _range_of_floats(values):
    few = FEW * values.size
    far = max(np.count_nonzero(values > 1.25), np.count_nonzero(values < -0.25))
    if far <= few and np.count_nonzero(values < -0.05) <= 0.05 * values.size:
        return 0, 1
    low, high = float(values.min()), float(values.max())
    likely = next((level for level in (1, 255, 1023, 4095, 16383, 65535) if level / 8 < high <= 1.02 * level), None)
    choice = f"Perhaps {likely}, that is white={likely} (--white {likely})" if likely else "Say white=… (--white …)"
    below = "; 0 is then black: if a negative number is, add it first" if low < -0.05 else ""
    raise _Question(f"its floating-point values span [{low:.4g}, {high:.4g}] and not [0, 1], so which one is white? "
                    f"{choice}{below}")


def _range_of_signed(values, samples):
    low, high = -(2 ** (samples.bits - 1)), samples.white or 2 ** (samples.bits - 1) - 1
    few = FEW * values.size
    if np.count_nonzero(values < 0) <= few:
        if not samples.white and samples.bits > 8:
            _ask_if_dim(values, high)
        return 0, high
    if np.count_nonzero(values < low / 4) > few:
        return low, high
    raise _Question(f"its signed integers span [{values.min()}, {values.max()}] and some lie a little below 0, so "
                    "which number is white? Say white=… (--white …), and 0 is black")


def _ask_if_dim(values, white):
    """Ask if hardly any value is above a quarter of the range: fewer bits are stored in more, or it is very dark."""
    limit = (white + 1) // 4 - 1
    if not values.any() or np.count_nonzero(values > limit) > FEW * values.size:
        return
    bright = int(values[values <= limit].max(initial=1))
    likely = next(level for level in (255, 1023, 4095, 16383, 65535, 2**31 - 1, 2**63 - 1) if bright <= level)
    raise _Question(f"its numbers could go up to {white}, but they end at {bright}, so which one is white? "
                    f"Perhaps {likely}, that is white={likely} (--white {likely}); "
                    f"or white={white} (--white {white}), and the picture is very dark")


# --------------------------------------------------------------------------------------------- colours


def _in_srgb(picture, profile):
    """Convert a picture to sRGB, as viewers do; return it with notes. Without a profile CMYK and LAB are converted."""
    from PIL import ImageCms

    grey = picture.ndim == 2 if isinstance(picture, np.ndarray) else picture.mode == "L"
    mode = ("L" if grey else "RGB") if isinstance(picture, np.ndarray) else picture.mode
    notes = ()
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            space = source.profile.xcolor_space.strip()
            own = {"RGB": ("RGB",), "GRAY": ("L",), "CMYK": ("CMYK",), "Lab": ("LAB",)}.get(space, ())
            if mode in own or (space, mode) == ("RGB", "L"):
                return _converted(picture, source, own[0]), ()
            notes = (f"its colour profile is one for {space} and is left aside",)
        except (ImageCms.PyCMSError, OSError, ValueError):
            notes = ("its colour profile is damaged and is left aside",)
    if mode == "LAB":
        return _converted(picture, ImageCms.createProfile("LAB"), "LAB"), notes
    return picture.convert("RGB") if mode == "CMYK" else picture, notes


def _converted(picture, source, mode):
    """Convert a picture to sRGB by a profile for pictures of ``mode``."""
    from PIL import Image, ImageCms

    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    if mode in ("RGB", "L"):
        probe = np.mgrid[0:256:15, 0:256:15, 0:256:15].reshape(3, -1).T.astype(np.uint8)[None]
        probe = Image.fromarray(probe if mode == "RGB" else np.ascontiguousarray(probe[..., 0]))
        moved = np.asarray(transform.apply(probe), int) - np.asarray(probe.convert("RGB"), int)
        if np.abs(moved).max() <= 1:  # it is sRGB already
            return picture
    if not isinstance(picture, np.ndarray):
        grey = picture.mode == "L"
        done = transform.apply(picture.convert(mode))
        return done.getchannel("G") if grey else done
    grey = picture.ndim == 2
    planes = picture[..., None] if mode == "L" else np.repeat(picture[..., None], 3, 2) if grey else picture

    # The transform knows 8 bits. Deeper pictures are interpolated between the neighbours of each colour that it knows.
    places = planes * 255
    below = np.clip(np.floor(places), 0, 254)
    share = places - below
    total = np.zeros((*planes.shape[:2], 3), np.float32)
    for corner in itertools.product((0, 1), repeat=planes.shape[2]):
        levels = (below + np.array(corner, np.float32)).astype(np.uint8)
        levels = Image.fromarray(np.ascontiguousarray(levels[..., 0] if mode == "L" else levels))
        weight = np.where(np.array(corner, bool), share, 1 - share).prod(axis=2, keepdims=True)
        total += weight * np.asarray(transform.apply(levels), np.float32)
    total = np.clip(total / 255, 0, 1)
    return total[..., 1] if grey else total


# --------------------------------------------------------------------------------------------- the forms asked for


def _finished(picture, alpha, bits, notes, known):
    """Return a :class:`Picture` of arrays."""
    x, alpha = (part if part is None or isinstance(part, np.ndarray) else np.asarray(part, np.float32) / 255
                for part in (picture, alpha))
    x = np.array(x, np.float32)
    if known is not None:
        x[~known] = 0
    return Picture(x, None if alpha is None else np.array(alpha, np.float32), bits, notes)


def _on_white(picture, alpha):
    """Lay a transparent picture on white."""
    from PIL import Image

    if alpha is None:
        return picture
    if isinstance(picture, np.ndarray):
        alpha = alpha if picture.ndim == 2 else alpha[..., None]
        return picture * alpha + (1 - alpha)
    colours = picture.convert("RGB")
    colours.putalpha(alpha)
    laid = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), colours)
    return laid.getchannel("R") if picture.mode == "L" else laid.convert("RGB")


def _sized(picture, size=None, color=False, longest=None):
    """Return a Pillow picture (L, RGB) or an array in [0, 1] as float32, grey or in colour, at the size asked for."""
    from PIL import Image

    if isinstance(picture, np.ndarray):
        parts = [picture] if picture.ndim == 2 else np.moveaxis(picture, 2, 0)
        planes = [Image.fromarray(np.ascontiguousarray(part, np.float32)) for part in parts]
    else:
        if longest is not None:  # first by whole steps, on bytes: a large photograph never fills the memory
            picture = picture.reduce(max(max(picture.size) // (2 * longest), 1))
        planes = [Image.fromarray(np.asarray(plane, np.float32) / 255) for plane in picture.split()]
    width, height = planes[0].size
    if longest is not None and max(width, height) > longest:
        shape = tuple(max(round(side * longest / max(width, height)), 1) for side in (width, height))
        planes = [plane.resize(shape, Image.Resampling.BICUBIC) for plane in planes]
    if size is not None:
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box = (left, top, left + side, top + side)
        planes = [plane.resize((size, size), Image.Resampling.BICUBIC, box=box) for plane in planes]
    x = np.empty((*planes[0].size[::-1], len(planes)), np.float32)
    for c in range(len(planes)):  # one after the other, and in place: twelve megapixels in colour are 144 MB
        x[..., c] = np.clip(np.asarray(planes[c], np.float32), 0, 1)
        planes[c] = None
    if color:
        return np.broadcast_to(x, (*x.shape[:2], 3)).copy()
    if x.shape[2] == 3:
        return x @ np.array(LUMA, np.float32)
    return x[..., 0]
