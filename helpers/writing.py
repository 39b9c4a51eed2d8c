"""The way out: a restored picture is written with the depth and the transparency that its file had.

Reading (``helpers.images.read_picture``) turns every picture upright and its colours into sRGB. So what is written
needs no turn, and its profile, which is written with it, is that of sRGB.
"""

import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import images, metrics
from helpers.files import write_whole


class Kind(NamedTuple):
    """What one kind of picture file can hold, and how Pillow is told to write it."""

    format: str
    bits: tuple = (8,)  # for each channel; 32 is floating point
    alpha: bool = False
    longest: int = 2**31 - 1  # pixels of the longer side
    profile: bool = True
    options: dict = {}  # noqa: RUF012 - a constant, never changed


KINDS = {
    ".png": Kind("PNG", (8, 16), alpha=True),
    ".tif": Kind("TIFF", (8, 16, 32), alpha=True),
    ".tiff": Kind("TIFF", (8, 16, 32), alpha=True),
    ".jpg": Kind("JPEG", longest=65535, options={"quality": 95, "subsampling": 0}),
    ".jpeg": Kind("JPEG", longest=65535, options={"quality": 95, "subsampling": 0}),
    ".webp": Kind("WEBP", alpha=True, longest=16383, options={"lossless": True}),
    ".bmp": Kind("BMP", longest=32767, profile=False),
    ".ppm": Kind("PPM", profile=False),
}


class Form(NamedTuple):
    """How a picture is to be written: as its file was, as far as the new one can hold it."""

    color: bool = False  # three channels, in sRGB
    bits: int = 8  # for each channel: up to 8, up to 16, or more for floating point
    alpha: np.ndarray | None = None  # (H, W), 0 transparent … 1 opaque


def kind_of(path, name="output"):
    """Return the :class:`Kind` of a file name; raise ``ValueError`` for a kind that cannot be written."""
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        raise ValueError(f"{name} {str(path)!r}: pictures of the kind {suffix!r} cannot be written; choose from "
                         f"{', '.join(KINDS)}")
    return KINDS[suffix]


def check_fits(path, shape):
    """Raise ``ValueError`` if a picture of this shape is too large for the kind of file."""
    kind = kind_of(path)
    if max(shape[:2]) > kind.longest:
        raise ValueError(f"output {str(path)!r}: {kind.format} holds sides of up to {kind.longest} pixels, but the "
                         f"picture will have {shape[1]} × {shape[0]}")


def lost(path, form):
    """Say in words what a kind of file cannot keep of a form; an empty string if it keeps all."""
    kind = kind_of(path)
    words = []
    if form.alpha is not None and not kind.alpha:
        words.append("no transparency (laid on white)")
    if form.bits > max(kind.bits):
        words.append(f"no more than {max(kind.bits)} bits")
    return f"{kind.format} keeps {' and '.join(words)}" if words else ""


def write_picture(path, x, form):
    """Write a picture of shape (H, W) or (H, W, 3), its values in [0, 1], whole or not at all.

    It gets the depth and the transparency of ``form`` as far as the kind of file can hold them; without transparency
    it is laid on white. Where ``form`` has colour, a grey picture gets three equal channels.
    """
    kind = kind_of(path)
    check_fits(path, x.shape)
    x = np.clip(x, 0, 1)
    planes = x[..., None] if x.ndim == 2 else x
    if form.color and planes.shape[2] == 1:
        planes = np.repeat(planes, 3, axis=2)
    if form.alpha is not None:
        planes = (np.concatenate([planes, _like(form.alpha, x.shape)[..., None]], axis=2) if kind.alpha
                  else on_white(planes, form.alpha))
    bits = _bits(kind, form)
    levels = planes.astype(np.float32) if bits == 32 else np.rint((2**bits - 1) * planes.astype(np.float64)).astype(
        np.uint8 if bits == 8 else np.uint16)
    levels = levels[..., 0] if levels.shape[2] == 1 else levels
    write_whole(path, lambda temporary: _write(temporary, levels, kind))


def on_white(x, alpha):
    """Lay a picture (H, W) or (H, W, C) with its transparency on white paper; a smaller one is enlarged first."""
    if alpha is None:
        return x
    alpha = _like(alpha, x.shape)
    alpha = alpha if x.ndim == 2 else alpha[..., None]
    return x * alpha + (1 - alpha)


def psnr_of_file(truth, path, form):
    """Return the PSNR of the picture that lies in a file, as written by :func:`write_picture`, laid on white.

    What was rounded or compressed away counts.
    """
    written = images.read_picture(path, white={8: None, 16: 65535, 32: 1}[_bits(kind_of(path), form)])
    x_hat = on_white(written.x, written.alpha)
    if x_hat.ndim == 2 and truth.ndim == 3:
        x_hat = np.repeat(x_hat[..., None], 3, axis=2)
    return metrics.psnr(truth, x_hat)


# --------------------------------------------------------------------------------------------- the details


def _like(alpha, shape):
    """Return the transparency at the size of the restored picture, which may be a multiple."""
    from PIL import Image

    if alpha.shape == shape[:2]:
        return alpha
    large = Image.fromarray(alpha.astype(np.float32)).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(large), 0, 1)


def _bits(kind, form):
    """Return how many bits a channel will have: no fewer than it had, if the kind of file can hold them."""
    wanted = next((bits for bits in (8, 16) if form.bits <= bits), 32)
    return max(bits for bits in kind.bits if bits <= wanted)


def _srgb():
    """Return the profile of sRGB, without the date that it is made anew with."""
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + profile[36:]


def _write(path, levels, kind):
    from PIL import Image

    channels = 1 if levels.ndim == 2 else levels.shape[2]
    profile = _srgb() if channels > 2 and kind.profile else None
    if levels.dtype == np.uint8:
        Image.fromarray(levels).save(path, **kind.options, **({"icc_profile": profile} if profile else {}))
    elif kind.format == "TIFF":
        import tifffile

        white = [(281, "H", 1, 65535, True)] if levels.dtype == np.uint16 else []  # MaxSampleValue, which says it
        tifffile.imwrite(path, levels, photometric="rgb" if channels > 2 else "minisblack", metadata=None,
                         extrasamples=["unassalpha"] if channels in (2, 4) else None, iccprofile=profile,
                         extratags=white)
    else:
        Path(path).write_bytes(_png16(levels, profile))


def _png16(levels, profile):
    """Return a PNG file with 16 bits a channel, which Pillow writes for grey pictures only (ISO/IEC 15948)."""
    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    height, width = levels.shape[:2]
    channels = 1 if levels.ndim == 2 else levels.shape[2]
    rows = levels.astype(">u2").reshape(height, -1).view(np.uint8)
    differences = rows.copy()
    differences[1:] -= rows[:-1]  # filter 2: each byte minus the one above, which packs better
    lines = np.concatenate([np.full((height, 1), 2, np.uint8), differences], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    meaning = chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(profile)) if profile else b""
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + meaning + chunk(b"IDAT", zlib.compress(lines.tobytes(), 6))
            + chunk(b"IEND", b""))
