"""The way out: a restored picture is written as its file came, with its depth, transparency and profile.

Reading (``helpers.images.read_photo``) gives every picture the same form: turned upright, colours as sRGB, transparency
laid on white. What that leaves aside stands in a :class:`Form`, and :func:`write_picture` puts it back.
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
    options: dict = {}  # noqa: RUF012 - a constant, never changed


KINDS = {
    ".png": Kind("PNG", (8, 16), alpha=True),
    ".tif": Kind("TIFF", (8, 16, 32), alpha=True),
    ".tiff": Kind("TIFF", (8, 16, 32), alpha=True),
    ".jpg": Kind("JPEG", longest=65535, options={"quality": 95, "subsampling": 0}),
    ".jpeg": Kind("JPEG", longest=65535, options={"quality": 95, "subsampling": 0}),
    ".webp": Kind("WEBP", alpha=True, longest=16383, options={"lossless": True}),
    ".bmp": Kind("BMP", longest=32767),
    ".ppm": Kind("PPM"),
}


class Form(NamedTuple):
    """What a picture file says beside its light.

    ``alpha`` has shape (H, W), 0 transparent … 1 opaque, and is None where nothing is transparent; ``profile`` holds
    the bytes of an ICC profile that says what the colours written mean.
    """

    color: bool = False  # three channels
    bits: int = 8  # for each channel: 8, 16, or 32 for floating point
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    dpi: tuple | None = None


def kind_of(path, name="output"):
    """Return the :class:`Kind` of a file name; raise ``ValueError`` for a kind that cannot be written."""
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        raise ValueError(f"{name} {str(path)!r}: pictures of the kind {suffix!r} cannot be written; choose from "
                         f"{', '.join(KINDS)}")
    return KINDS[suffix]


def form_of(path):
    """Return the :class:`Form` of a picture file that ``read_photo`` can read."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return _form(picture)
    except UnidentifiedImageError:  # a TIFF of a kind that Pillow does not know
        return _form_of_tiff(path)


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

    It gets the depth, the transparency and the profile of ``form`` as far as the kind of file can hold them. Where
    ``form`` has colour a grey picture gets three equal channels; where it is transparent, x is what is seen on white.
    """
    kind = kind_of(path)
    check_fits(path, x.shape)
    x = np.clip(x, 0, 1)
    planes = x[..., None] if x.ndim == 2 else x
    if form.color and planes.shape[2] == 1:
        planes = np.repeat(planes, 3, axis=2)
    if form.alpha is not None and kind.alpha:
        alpha = _like(form.alpha, x.shape)[..., None]
        colors = (planes - (1 - alpha)) / np.maximum(alpha, 1 / 65535)  # the inverse of laying on white
        planes = np.concatenate([np.where(alpha > 0, np.clip(colors, 0, 1), 1), alpha], axis=2)
    bits = max(one for one in kind.bits if one <= max(form.bits, 8))
    levels = planes.astype(np.float32) if bits == 32 else np.rint((2**bits - 1) * planes.astype(np.float64)).astype(
        np.uint8 if bits == 8 else np.uint16)
    levels = levels[..., 0] if levels.shape[2] == 1 else levels
    write_whole(path, lambda temporary: _write(temporary, levels, kind, form))


def psnr_of_file(truth, path):
    """Return the PSNR of the picture that lies in a file: what was rounded or compressed away counts."""
    return metrics.psnr(truth, images.read_photo(path, color=truth.ndim == 3))


# --------------------------------------------------------------------------------------------- reading what is aside


def _form(picture):
    from PIL import ImageOps

    mode, info = picture.mode, picture.info
    bits = 32 if mode == "F" else 16 if mode.startswith("I") or ";16" in str(picture.tile) else 8
    alpha = None
    if mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in info:
        try:
            upright = ImageOps.exif_transpose(picture)
        except Exception:  # a damaged EXIF block: as in read_photo, only the turn is lost
            upright = picture
        alpha = np.asarray(upright.convert("RGBA").getchannel("A"), np.float32) / 255
    palette = mode in ("P", "PA") and _has_colors(picture)
    color = palette or mode in ("RGB", "RGBA", "RGBa", "CMYK", "YCbCr", "LAB", "HSV", "RGBX")
    return Form(color, bits, alpha, _srgb() if color and info.get("icc_profile") else None, info.get("dpi"))


def _form_of_tiff(path):
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        color = page.photometric.name not in ("MINISBLACK", "MINISWHITE")
        bits = 32 if page.dtype.kind == "f" else 16 if page.dtype.itemsize > 1 else 8
        alpha = None
        if page.extrasamples and int(page.extrasamples[0]) in (1, 2):
            samples = page.asarray()
            if page.planarconfig == 2:
                samples = np.moveaxis(samples, 0, -1)
            white = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
            alpha = (samples[..., 3 if color else 1] / white).astype(np.float32)
        return Form(color, bits, alpha, _srgb() if color and 34675 in page.tags else None)


def _has_colors(picture):
    red, green, blue = picture.convert("RGBA").convert("RGB").split()
    return red.tobytes() != green.tobytes() or green.tobytes() != blue.tobytes()


def _srgb():
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _like(alpha, shape):
    """Return the transparency at the size of the restored picture, which may be a multiple."""
    from PIL import Image

    if alpha.shape == shape[:2]:
        return alpha
    large = Image.fromarray(alpha.astype(np.float32)).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(large), 0, 1)


# --------------------------------------------------------------------------------------------- writing


def _write(path, levels, kind, form):
    from PIL import Image

    options = dict(kind.options)
    if form.profile and kind.format != "BMP":
        options["icc_profile"] = form.profile
    if form.dpi and all(side > 0 for side in form.dpi):
        options["dpi"] = tuple(float(side) for side in form.dpi)
    if levels.dtype == np.uint8:
        Image.fromarray(levels).save(path, **options)
    elif kind.format == "TIFF":
        import tifffile

        channels = 1 if levels.ndim == 2 else levels.shape[2]
        tifffile.imwrite(path, levels, photometric="rgb" if channels > 2 else "minisblack", metadata=None,
                         extrasamples=["unassalpha"] if channels in (2, 4) else None, iccprofile=form.profile,
                         resolution=options.get("dpi"), resolutionunit="inch" if "dpi" in options else None)
    else:
        Path(path).write_bytes(_png16(levels, form.profile))


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
