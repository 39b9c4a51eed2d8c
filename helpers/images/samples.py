"""What a picture file stores, before anybody asks which number is white: samples, transparency, profile, direction.

Pillow reads whatever 8 bits can hold. It bends the rest on the way, so deeper samples come from tifffile, and from
a few lines here for FITS, PFM and the two bytes of a 16-bit PNG. Nothing here looks at a value to guess what it means.
"""

import contextlib
import math
import re
from typing import NamedTuple

import numpy as np


class Samples(NamedTuple):
    """The samples of a file and what it says of them.

    ``picture`` is a Pillow picture of mode L, RGB, CMYK or LAB (8 bits), or an array (H, W) or (H, W, 3) of the file's
    own type, turned as it lies in the file. ``alpha`` is a Pillow picture of mode L or an array (H, W) in [0, 1].
    """

    picture: object
    alpha: object = None
    bits: int = 8  # of a sample
    white: int | None = None  # where the file says that it uses fewer bits than it stores
    sure: bool = True  # the type leaves no doubt about white
    inverted: bool = False  # 0 is white
    profile: bytes | None = None
    orientation: int = 1
    notes: tuple = ()


class Raw(ValueError):
    """The file holds what a sensor saw, not a picture."""


RAW_SUFFIXES = frozenset(
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .k25 .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf .raw .rw2 "
    ".rwl .sr2 .srf .srw .x3f".split())
_RAW_BEGINNINGS = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM")
_TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SENSOR = (32803, 34892)  # PhotometricInterpretation: a colour filter array, linear raw


def read_samples(file, suffix=""):
    """Read the first picture of an open binary file; ``suffix`` is the end of its name, in small letters."""
    beginning = file.read(32)
    file.seek(0)
    if beginning.startswith(_RAW_BEGINNINGS) or beginning[4:12] == b"ftypcrx " or beginning[6:14] == b"HEAPCCDR":
        raise Raw
    if beginning.startswith(_TIFF_BEGINNINGS):
        if suffix in RAW_SUFFIXES or beginning[8:10] == b"CR":
            raise Raw
        return _from_tiff(file)
    if beginning.startswith(b"SIMPLE  ="):
        return _from_fits(file)
    if beginning[:2] in (b"PF", b"Pf") and beginning[2:3].isspace():
        return _from_pfm(file)
    return _from_pillow(file)


def _first_of(count, what):
    return (f"it holds {count} {what}, and the first is read",) if count > 1 else ()


# --------------------------------------------------------------------------------------------- Pillow


def _from_pillow(file, page=0, notes=()):
    """Read the picture with Pillow; ``page`` counts pages of a TIFF, whose ``notes`` are known."""
    from PIL import Image

    with Image.open(file) as picture:
        frames = getattr(picture, "n_frames", 1) if picture.format != "PSD" else 1  # Photoshop: a picture, then layers
        if picture.format == "TIFF":
            picture.seek(page)
        else:
            notes = _first_of(frames, "pictures")
        store = str(picture.tile[0].args) if picture.tile else ""  # how the samples lie in the file
        picture.load()
        orientation = 1 if picture.format == "TIFF" else _orientation(picture)  # TIFF: Pillow has turned it already
        said = {"profile": picture.info.get("icc_profile"), "orientation": orientation, "notes": notes}
        if picture.format == "PNG" and store.endswith(";16B"):
            return _from_deep_png(file, store.split(";")[0], picture.info.get("transparency"), said)
        mode = picture.mode
        if mode.startswith(("I", "F")):
            values = np.asarray(picture)
            if mode == "F":
                return Samples(values, bits=32, **said)
            return Samples(np.clip(values, 0, 65535).astype(np.uint16), bits=16, sure=False, **said)
        if picture.format == "PNG" and store in ("L;2", "L;4") and "transparency" in picture.info:
            picture.info["transparency"] *= 85 if store == "L;2" else 17  # Pillow spreads the samples, but not this one
        grey = mode in ("1", "L", "LA", "La")
        alpha = None
        if mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in picture.info:
            picture = picture.convert("LA") if mode == "La" else picture
            picture = picture.convert("RGBA")
            alpha = picture.getchannel("A")
        if grey:
            picture = picture.getchannel("R") if alpha is not None else picture.convert("L")
        elif mode not in ("CMYK", "LAB"):  # these two wait for their profile
            picture = picture.convert("RGB")
        return Samples(picture.copy(), alpha, **said)


def _orientation(picture):
    """Return how the camera was held, 1 to 8, and 1 if EXIF is too damaged to say; nothing of EXIF is rewritten."""
    try:
        value = int(picture.getexif().get(0x0112, 1))
    except Exception:  # whatever is wrong with the tags, the picture is there
        return 1
    return value if 1 <= value <= 8 else 1


def _from_deep_png(file, mode, transparent, said):
    """Read a PNG of 16 bits a sample, of which Pillow hands out the upper byte only, unless it is grey.

    Its decoder is asked twice, for the first and for the second byte of each sample.
    """
    if mode.startswith("I"):
        values = _decoded(file, "I;16", "I;16B")
    elif mode == "LA":  # four bytes a pixel, as if they were four channels
        grey_high, grey_low, alpha_high, alpha_low = np.moveaxis(_decoded(file, "RGBA", "RGBA"), 2, 0).astype(np.uint16)
        values = np.stack([256 * grey_high + grey_low, 256 * alpha_high + alpha_low], axis=2)
    else:
        high, low = (_decoded(file, mode, f"{mode};16{order}").astype(np.uint16) for order in "BL")
        values = 256 * high + low
    alpha = None
    if mode in ("LA", "RGBA"):
        alpha = (values[..., -1] / 65535).astype(np.float32)
        values = values[..., 0] if mode == "LA" else values[..., :3]
    elif transparent is not None:
        same = values == np.asarray(transparent)
        alpha = 1 - (same.all(axis=2) if same.ndim == 3 else same).astype(np.float32)
    return Samples(values.astype(np.uint16), alpha, 16, sure=False, **said)


def _decoded(file, mode, store):
    from PIL import Image

    file.seek(0)
    with Image.open(file) as picture:
        picture._mode = mode
        picture.tile = [tile._replace(args=store) for tile in picture.tile]
        return np.array(picture)


# --------------------------------------------------------------------------------------------- TIFF


def _from_tiff(file):
    """Read the first page of a TIFF that is no thumbnail: 8 bits by Pillow, everything deeper by tifffile."""
    import tifffile
    from PIL import UnidentifiedImageError

    with tifffile.TiffFile(file) as tiff:
        if any(_from_sensor(page) for page in _every_page(tiff)):
            raise Raw
        whole = [i for i, page in enumerate(tiff.pages)
                 if not getattr(page, "is_reduced", False) and not getattr(page, "is_mask", False)]
        index = whole[0] if whole else 0
        page, count = tiff.pages[index], max(len(whole), 1)
        colours = _pages_that_are_rows(tiff)
        if colours is not None:
            return _understood(page, colours, (), colours=True)
        if count == 1:
            with contextlib.suppress(Exception):  # a stack under one page's name, as ImageJ writes it
                count = max(tiff.series[0].size // max(page.size, 1), 1)
        notes = _first_of(count, "pages")
        bits, form = page.bitspersample, page.sampleformat
        if isinstance(bits, int) and bits <= 8 and form in (1, 4):
            with contextlib.suppress(UnidentifiedImageError):
                return _from_pillow(file, index, notes)
        if page.dtype is None or page.dtype.kind not in "uifb":
            raise ValueError(f"samples of the kind {form!s} with {bits} bits are no picture")
        if math.prod(page.shape) > _most_samples():
            raise ValueError(f"its {math.prod(page.shape)} samples are too many")
        return _understood(page, _pixels(tiff, page, index, file), notes)


def _most_samples():
    from PIL import Image

    return 8 * (Image.MAX_IMAGE_PIXELS or 10**12)  # twice the pixels that Pillow warns of, four channels


def _every_page(tiff):
    for page in tiff.pages[:16] if len(tiff.pages) > 16 else tiff.pages:
        yield page
        yield from getattr(page, "pages", None) or ()


def _from_sensor(page):
    tags = getattr(page, "tags", {})
    return 50706 in tags or getattr(page, "photometric", None) in _SENSOR  # 50706: DNGVersion


def _pages_that_are_rows(tiff):
    """Return (H, W, 3 or 4) if tifffile stored colours as H pages of W × 3, as it does if nobody tells it "rgb"."""
    if not tiff.is_shaped or len(tiff.series) != 1:
        return None
    shape, pages = tiff.series[0].shape, tiff.pages
    rows = len(shape) == 3 and shape[2] in (3, 4) and len(pages) in (1, shape[0]) and pages[0].shape == shape[1:]
    return tiff.series[0].asarray() if rows else None


def _pixels(tiff, page, index, file):
    """Return the samples of a page, shape (H, W) or (H, W, samples)."""
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if not ends or max(ends) > tiff.filehandle.size:
        raise ValueError("the file is cut off")
    packed = page.dtype.kind in "ui" and page.bitspersample not in (8, 16, 32, 64)
    if packed and page.compression == 1 and not page.is_tiled and page.bitspersample < 32:
        values = _unpacked(tiff, page)
    else:
        try:
            values = page.asarray()
        except Exception:
            values = _pixels_from_libtiff(page, index, file)
            if values is None:
                raise
    if values.ndim == 3 and page.planarconfig == 2:
        values = np.moveaxis(values, 0, -1)
    if values.ndim not in (2, 3):
        raise ValueError(f"a page of the shape {values.shape} is no picture")
    return values


def _unpacked(tiff, page):
    """Unpack samples of 10, 12 or 14 bits that lie bit to bit; each row begins with a new byte (TIFF 6.0)."""
    bits, samples = page.bitspersample, page.samplesperpixel
    planes = samples if page.planarconfig == 2 else 1
    row = page.imagewidth * samples // planes
    stored = np.frombuffer(b"".join(data for data, _ in tiff.filehandle.read_segments(
        page.dataoffsets, page.databytecounts)), np.uint8)
    stored = stored[: planes * page.imagelength * -(-row * bits // 8)].reshape(planes * page.imagelength, -1)
    weights = 1 << np.arange(bits, dtype=np.uint32)[::-1]
    values = np.stack([np.unpackbits(line)[: row * bits].reshape(row, bits) @ weights for line in stored])
    return values.astype(page.dtype).reshape(page.shape)


def _pixels_from_libtiff(page, index, file):
    """Return the samples by way of Pillow's libtiff, which knows compressions that tifffile alone does not (LZW)."""
    from PIL import Image

    def decoded(store=None):
        file.seek(0)
        with Image.open(file) as picture:
            picture.seek(index)
            if store is not None:
                picture.tile = [tile._replace(args=(store, *tile.args[1:])) for tile in picture.tile]
            orientation = page.tags.valueof(274, 1)
            values = np.array(picture)
        return _lying(values, orientation), picture.mode

    try:
        values, mode = decoded()
    except Exception:  # then tifffile's own words are told
        return None
    if mode in ("RGB", "RGBA") and page.bitspersample == 16 and page.planarconfig == 1:
        (low, _), (high, _) = decoded(f"{mode};16B"), decoded(f"{mode};16L")  # libtiff gives the machine's own order
        return low.astype(np.uint16) + 256 * high.astype(np.uint16)
    if values.ndim == 3 or mode in ("L", "RGB", "RGBA"):
        return None
    return values.view(page.dtype) if values.dtype.itemsize == page.dtype.itemsize else values.astype(page.dtype)


def _lying(values, orientation):
    """Turn back what Pillow has turned: here samples lie as in the file."""
    back = {6: 8, 8: 6}.get(orientation, orientation)
    return turned(values, back)


def turned(values, orientation):
    """Return an array (H, W, …) that lies as a camera stored it, upright: EXIF's orientation, 1 to 8."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    return values[:, ::-1] if orientation in (2, 3, 6, 7) else values


def _understood(page, values, notes, colours=False):
    """Say what the samples of a page are: colours, transparency, and which end is white."""
    kind = 2 if colours else int(page.photometric)
    bits = page.bitspersample if isinstance(page.bitspersample, int) else 8 * page.dtype.itemsize
    planes = values.reshape(*values.shape[:2], -1)
    base = {0: 1, 1: 1, 2: 3, 3: 1, 5: 4}.get(kind)
    if base is None or planes.shape[2] < base:
        raise ValueError(f"colours of the kind {page.photometric.name} in {bits} bits are not read: save it as RGB")
    white = None if values.dtype.kind == "f" else _white_of(page, bits)
    full = 1 if values.dtype.kind == "f" else white or np.iinfo(values.dtype).max
    further = [int(extra) for extra in page.extrasamples][: planes.shape[2] - base] or [0] * (planes.shape[2] - base)
    further = [2] if colours and further else further
    alpha, colour = None, planes[..., :base]
    place = next((i for i, extra in enumerate(further) if extra in (1, 2)), None)
    if place is not None:
        alpha = np.clip(planes[..., base + place] / full, 0, 1).astype(np.float32)
        if further[place] == 1:  # colours multiplied by it
            safe = np.maximum(alpha, 1e-6)[..., None]
            divided = np.where(alpha[..., None] > 0, colour / safe, 0)
            colour = divided.astype(values.dtype) if values.dtype.kind == "f" else np.minimum(
                np.rint(divided), full).astype(values.dtype)
    left_out = len(further) - (place is not None)
    if left_out:
        notes += (f"{left_out} further channel{'s' * (left_out > 1)} beside its {'colours' * (base > 1) or 'grey'} "
                  f"{'are' if left_out > 1 else 'is'} left out",)
    if kind == 3:
        colour = page.colormap.T[colour[..., 0]]
        bits, white = 16, 65535
    if kind == 5:
        from PIL import Image

        colour = Image.fromarray(np.rint(colour * (255 / full)).clip(0, 255).astype(np.uint8), "CMYK")
    elif base == 1 and kind != 3:
        colour = colour[..., 0]
    sure = white is not None or values.dtype.kind == "f" or bits <= 8
    orientation = page.tags.valueof(274, 1)
    orientation = orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    return Samples(colour, alpha, bits, white, sure, kind == 0, page.tags.valueof(34675), orientation, notes)


def _white_of(page, bits):
    """Return the white level if the file says that its samples use fewer bits than their type has, else None."""
    if bits not in (8, 16, 32, 64):
        return 2**bits - 1
    for tag in (281, 341):  # MaxSampleValue, SMaxSampleValue: a level such as 4095, not the brightest pixel's value
        value = page.tags.valueof(tag)
        value = value[0] if isinstance(value, tuple) and value else value
        if isinstance(value, int) and 255 <= value < 2**bits and (value & (value + 1)) == 0:
            return value
    said = re.search(r'SignificantBits="(\d+)"', page.description or "")  # OME-TIFF
    return 2 ** int(said[1]) - 1 if said and 0 < int(said[1]) <= bits else None


# --------------------------------------------------------------------------------------------- FITS, PFM


def _from_fits(file):
    """Read the first image of a FITS file (Pence et al. 2010, doi:10.1051/0004-6361/201015362)."""
    while True:
        header = _fits_header(file)
        if header is None:
            raise ValueError("it holds no picture")
        sides = [int(header[f"NAXIS{i + 1}"]) for i in range(int(header.get("NAXIS", 0)))]
        depth = int(header["BITPIX"])
        size = abs(depth) // 8 * math.prod(sides) * bool(sides) * int(header.get("GCOUNT", 1))
        if header.get("XTENSION", "IMAGE") == "IMAGE" and len(sides) >= 2 and math.prod(sides) > 0:
            break
        file.seek(-(-(size + int(header.get("PCOUNT", 0))) // 2880) * 2880, 1)
    if sides[0] * sides[1] > _most_samples():
        raise ValueError(f"its {sides[0]} × {sides[1]} pixels are too many")
    kind = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}[depth]
    wanted = sides[0] * sides[1] * abs(depth) // 8
    data = file.read(wanted)
    if len(data) < wanted:
        raise ValueError("the file is cut off")
    values = np.frombuffer(data, kind).reshape(sides[1], sides[0])[::-1].astype(np.dtype(kind).newbyteorder("="))
    zero, scale = float(header.get("BZERO", 0)), float(header.get("BSCALE", 1))
    if depth == 8 and (zero, scale) == (-128, 1):
        values = (values ^ 0x80).view(np.int8)
    elif depth > 8 and (zero, scale) == (2.0 ** (depth - 1), 1):  # how FITS stores unsigned integers
        values = values.view(f"u{depth // 8}") ^ np.array(1 << (depth - 1), f"u{depth // 8}")
    elif (zero, scale) != (0, 1):
        values = values * scale + zero
    planes = math.prod(sides[2:])
    return Samples(values, bits=8 * values.dtype.itemsize, sure=values.dtype in (np.uint8, np.float32, np.float64),
                   notes=_first_of(planes, "planes"))


def _fits_header(file):
    """Return the header that begins here as a dictionary, or None at the end of the file."""
    header = {}
    while block := file.read(2880):
        if len(block) < 2880:
            raise ValueError("the file is cut off")
        for start in range(0, 2880, 80):
            card = block[start : start + 80].decode("ascii", "replace")
            if card.rstrip() == "END":
                return header
            if card[8:10] == "= ":
                text = card[10:].strip()
                header[card[:8].strip()] = (text[1:].split("'")[0].strip() if text.startswith("'")
                                            else text.split("/")[0].strip().replace("D", "E"))
    return None


def _from_pfm(file):
    """Read a portable float map, grey or in colour: three lines of text, then the rows from the bottom up."""
    words = b""
    while len(words.split()) < 4 or not words[-1:].isspace():
        byte = file.read(1)
        if not byte or len(words) > 200:
            raise ValueError("the file is cut off")
        words += byte
    kind, width, height, scale = words.split()
    width, height, channels = int(width), int(height), 3 if kind == b"PF" else 1
    if min(width, height) < 1 or width * height > _most_samples():
        raise ValueError(f"{width} × {height} pixels are no picture")
    wanted = 4 * width * height * channels
    data = file.read(wanted)
    if len(data) < wanted:
        raise ValueError("the file is cut off")
    values = np.frombuffer(data, "<f4" if float(scale) < 0 else ">f4").astype(np.float32)
    values = values.reshape(height, width, channels)[::-1]
    return Samples(values if channels == 3 else values[..., 0], bits=32)
