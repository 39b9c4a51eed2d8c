"""Picture files as people have them: every depth, several pages, damaged tags, profiles, raw photographs.

Each test makes its file itself and knows what it shows. Which number is white comes from the type of the samples.
"""

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from helpers.images import PictureNote, photo, read_photo, read_picture

GREY = photo("camera", 64)
COLOUR = photo("astronaut", 48, color=True)
HALF_A_LEVEL = 0.51 / 255


@pytest.fixture(autouse=True)
def notes_are_heard():
    """A note that no test expects is a failure."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", PictureNote)
        yield


def near(x, truth, within):
    assert x.dtype == np.float32 and x.shape == truth.shape
    np.testing.assert_allclose(x, truth, atol=within)


# ------------------------------------------------------------------------------------------------- integers


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_integers_of_every_depth(tmp_path, kind, order, photometric):
    """The whole range of the type is the picture: its smallest number black, its largest white, or the reverse."""
    limits = np.iinfo(kind)
    levels = np.clip(np.rint(GREY.astype(np.longdouble) * (int(limits.max) - int(limits.min))) + int(limits.min),
                     limits.min, limits.max).astype(kind)
    tifffile.imwrite(tmp_path / "x.tif", levels, byteorder=order, photometric=photometric)
    near(read_photo(tmp_path / "x.tif"), GREY if photometric == "minisblack" else 1 - GREY, HALF_A_LEVEL)


@pytest.mark.parametrize("kind", ["i1", "i2", "i4"])
def test_signed_integers_without_a_negative_one_begin_at_black(tmp_path, kind):
    levels = np.rint(GREY.astype(np.float64) * np.iinfo(kind).max).astype(kind)
    tifffile.imwrite(tmp_path / "x.tif", levels)
    near(read_photo(tmp_path / "x.tif"), GREY, 1 / 127)


def test_signed_integers_a_little_below_zero_are_asked_about(tmp_path):
    """A dark frame was subtracted: neither -32768 nor the smallest number is black."""
    levels = (4095 * GREY + np.random.default_rng(0).normal(0, 60, GREY.shape)).astype(np.int16)
    tifffile.imwrite(tmp_path / "x.tif", levels)
    with pytest.raises(ValueError, match=r"path '.*x\.tif': .*below 0.*--white"):
        read_photo(tmp_path / "x.tif")
    with pytest.warns(PictureNote, match="clipped"):
        near(read_photo(tmp_path / "x.tif", white=4095), np.clip(levels / 4095, 0, 1), 1e-6)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("inverted", [False, True])
def test_few_bits(tmp_path, bits, inverted):
    levels = np.rint(GREY * (2**bits - 1)).astype(np.uint8)
    (tmp_path / "x.tif").write_bytes(packed_tiff(levels, bits, 0 if inverted else 1))
    truth = levels / (2**bits - 1)
    near(read_photo(tmp_path / "x.tif"), 1 - truth if inverted else truth, 1e-6)


def packed_tiff(levels, bits, photometric, tags=()):
    """Return a TIFF whose samples lie bit to bit, row after row."""
    planes = levels.reshape(*levels.shape[:2], -1)
    rows = [np.packbits(np.unpackbits(row.astype(">u4").view(np.uint8)).reshape(-1, 32)[:, -bits:].ravel()).tobytes()
            for row in planes.reshape(levels.shape[0], -1)]
    data = b"".join(rows)
    entries = [(256, 3, levels.shape[1]), (257, 3, levels.shape[0]), (258, 3, bits), (259, 3, 1),
               (262, 3, photometric), (273, 4, 8), (277, 3, planes.shape[2]), (278, 3, levels.shape[0]),
               (279, 4, len(data)), *tags]
    directory = b"".join(struct.pack("<HHI", tag, kind, 1) + struct.pack("<I", value)
                         for tag, kind, value in sorted(entries))
    data += b"\0" * (len(data) % 2)
    return (b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries)) + directory
            + struct.pack("<I", 0))


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("inverted", [False, True])
def test_10_to_14_bits_packed_say_so_themselves(tmp_path, bits, inverted):
    for truth in (GREY, 0.1 * GREY[:, :33]):  # rows may end within a byte, and dark is dark
        levels = np.rint(truth * (2**bits - 1)).astype(np.uint16)
        (tmp_path / "x.tif").write_bytes(packed_tiff(levels, bits, 0 if inverted else 1))
        picture = read_picture(tmp_path / "x.tif")
        near(picture.x, 1 - truth if inverted else truth, 0.51 / 1023)
        assert picture.bits == bits


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("kind", ["tif", "png", "colour.tif", "colour.png"])
def test_fewer_bits_in_16_are_asked_about(tmp_path, bits, kind):
    """Nothing in the file says it, and neither 0.06 nor a guess is right. A hot pixel does not hide the question."""
    white = 2**bits - 1
    truth = COLOUR if kind.startswith("colour") else GREY
    levels = np.rint(white * truth).astype(np.uint16)
    levels[3, 5] = 65535
    path = tmp_path / f"x.{kind}"
    write16(path, levels)
    with pytest.raises(ValueError, match=rf"path '.*': .*which one is white.*white={white} \(--white {white}\)"):
        read_picture(path)
    truth = levels / white
    truth[3, 5] = 1
    near(read_picture(path, white=white)[0], truth, 0.51 / white)
    with pytest.warns(PictureNote):  # very dark, or clipped
        near(read_photo(path, color=truth.ndim == 3, white=65535 * 20), levels / 65535 / 20, 1e-6)


def write16(path, levels, alpha=None, **chunks):
    """Write 16 bits a sample: TIFF by tifffile, PNG by hand (ISO/IEC 15948), since Pillow only does grey."""
    if path.suffix == ".tif":
        tifffile.imwrite(path, levels, photometric="rgb" if levels.ndim == 3 else "minisblack")
        return
    planes = levels.reshape(*levels.shape[:2], -1)
    planes = planes if alpha is None else np.concatenate([planes, alpha[..., None]], axis=2)
    rows = planes.astype(">u2").reshape(len(planes), -1).view(np.uint8)
    up = rows.copy()
    up[1:] -= rows[:-1]
    body = zlib.compress(np.insert(up, 0, 2, axis=1).tobytes())
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[planes.shape[2]]
    parts = [(b"IHDR", struct.pack(">IIBBBBB", planes.shape[1], planes.shape[0], 16, kind, 0, 0, 0)),
             *((name.encode(), content) for name, content in chunks.items()), (b"IDAT", body), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts))


@pytest.mark.parametrize("how", ["MaxSampleValue", "OME"])
def test_12_bits_in_16_that_the_file_tells(tmp_path, how):
    levels = np.rint(4095 * 0.2 * GREY).astype(np.uint16)
    if how == "OME":
        tifffile.imwrite(tmp_path / "x.ome.tif", levels, metadata={"axes": "YX", "SignificantBits": 12})
    else:
        tifffile.imwrite(tmp_path / "x.ome.tif", levels, extratags=[(281, "H", 1, 4095, True)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PictureNote)
        near(read_photo(tmp_path / "x.ome.tif"), levels / 4095, 1e-6)


def test_the_brightest_value_in_that_tag_is_not_a_white_level(tmp_path):
    """Some programmes write the largest value of the picture there."""
    levels = np.rint(40000 * GREY).astype(np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", levels, extratags=[(281, "H", 1, int(levels.max()), True)])
    near(read_photo(tmp_path / "x.tif"), levels / 65535, 1e-6)


def test_black_is_black_and_a_dark_8_bit_picture_is_dark(tmp_path):
    tifffile.imwrite(tmp_path / "black.tif", np.zeros((5, 6), np.uint16))
    assert not read_photo(tmp_path / "black.tif").any()
    Image.fromarray(np.rint(30 * GREY).astype(np.uint8)).save(tmp_path / "dark.png")
    near(read_photo(tmp_path / "dark.png"), np.rint(30 * GREY) / 255, 1e-7)


def test_zeros_and_ones_in_8_bits_are_told(tmp_path):
    Image.fromarray((GREY > 0.5).astype(np.uint8)).save(tmp_path / "x.png")
    with pytest.warns(PictureNote, match="--white 1"):
        assert read_photo(tmp_path / "x.png").max() == np.float32(1 / 255)
    near(read_photo(tmp_path / "x.png", white=1), (GREY > 0.5).astype(np.float32), 0)


@pytest.mark.parametrize("white", [0, -1, np.nan, np.inf, "255", True])
def test_white_that_is_no_level(tmp_path, white):
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "x.png")
    with pytest.raises((ValueError, TypeError), match="white"):
        read_photo(tmp_path / "x.png", white=white)


# ------------------------------------------------------------------------------------------------- floating point


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("truth", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("photometric", ["said", "not said", "as if rows were pages"])
def test_floating_point(tmp_path, kind, truth, photometric):
    """tifffile may store an array (H, W, 3) of which nobody says "rgb" as H grey pages of W × 3."""
    said = {"said": {"photometric": "rgb" if truth.ndim == 3 else "minisblack"}, "not said": {}}.get(
        photometric, {"photometric": "minisblack"})
    tifffile.imwrite(tmp_path / "x.tif", truth.astype(kind), **said)
    near(read_picture(tmp_path / "x.tif").x, truth, 1e-3 if kind == "f2" else 1e-7)


def test_floating_point_as_scikit_image_saves_it(tmp_path):
    import skimage.io

    skimage.io.imsave(tmp_path / "x.tif", COLOUR.astype(np.float64), check_contrast=False)
    near(read_photo(tmp_path / "x.tif", color=True), COLOUR, 1e-7)
    skimage.io.imsave(tmp_path / "y.tif", GREY.astype(np.float64), check_contrast=False)
    near(read_photo(tmp_path / "y.tif"), GREY, 1e-7)


def overshooting():
    from helpers.operators import Blur, measure
    from helpers.restoration import tikhonov

    operator = Blur.gaussian(1.6)
    return tikhonov(measure(GREY, operator, 0.01, np.random.default_rng(0)), operator, 0.003)


@pytest.mark.parametrize("kind", ["tif", "pfm", "fits"])
def test_an_estimate_that_overshoots_1_is_clipped(tmp_path, kind):
    x = overshooting()
    x = x - x.max() + 1.0067
    write_floats(tmp_path / f"x.{kind}", x)
    with pytest.warns(PictureNote, match="clipped"):
        near(read_photo(tmp_path / f"x.{kind}"), np.clip(x, 0, 1), 1e-6)


def test_one_hot_pixel_decides_nothing(tmp_path):
    for hot in (3.0, 255.0, -7.0):
        x = GREY.copy()
        x[5, 5] = hot
        write_floats(tmp_path / "x.tif", x)
        with pytest.warns(PictureNote, match="clipped"):
            near(read_photo(tmp_path / "x.tif"), np.clip(x, 0, 1), 1e-6)


def test_a_noisy_measurement_is_read(tmp_path):
    y = (GREY + np.random.default_rng(0).normal(0, 15 / 255, GREY.shape)).astype(np.float32)
    write_floats(tmp_path / "x.tif", y)
    with pytest.warns(PictureNote, match="clipped"):
        near(read_photo(tmp_path / "x.tif"), np.clip(y, 0, 1), 1e-6)


@pytest.mark.parametrize("kind", ["tif", "pfm", "fits", "colour.tif", "colour.pfm"])
@pytest.mark.parametrize("white", [255, 1023, 4095, 65535])
def test_floating_point_of_another_range_is_asked_about(tmp_path, kind, white):
    truth = COLOUR if "colour" in kind else GREY
    write_floats(tmp_path / f"x.{kind}", white * truth)
    with pytest.raises(ValueError, match=rf"path '.*': .*which one is white.*\(--white {white}\)"):
        read_photo(tmp_path / f"x.{kind}")
    near(read_photo(tmp_path / f"x.{kind}", color=truth.ndim == 3, white=white), truth, 1e-6)


@pytest.mark.parametrize("white", [1.5, 2.0, 10.0])
def test_a_level_that_no_programme_uses_is_asked_about_and_none_is_proposed(tmp_path, white):
    write_floats(tmp_path / "x.tif", white * GREY)
    with pytest.raises(ValueError, match=r"which one is white\? Say white=… \(--white …\)"):
        read_photo(tmp_path / "x.tif")


def test_floating_point_from_minus_1_to_1_is_asked_about(tmp_path):
    for low in (0, 0.3):
        write_floats(tmp_path / "x.tif", 2 * (low + (1 - low) * GREY) - 1)
        with pytest.raises(ValueError, match=r"span \[-.*which one is white.*0 is then black"):
            read_photo(tmp_path / "x.tif")


def write_floats(path, x):
    x = np.asarray(x, np.float32)
    if path.suffix == ".tif":
        tifffile.imwrite(path, x, photometric="rgb" if x.ndim == 3 else "minisblack")
    elif path.suffix == ".pfm":
        path.write_bytes(f"{'PF' if x.ndim == 3 else 'Pf'}\n{x.shape[1]} {x.shape[0]}\n-1.0\n".encode()
                         + x[::-1].astype("<f4").tobytes())
    else:
        write_fits(path, x, -32)


def write_fits(path, levels, depth, before=(), **cards):
    """Write a FITS file: cards of 80 letters, then big-endian numbers, the last row first."""
    kind = {8: ">u1", 16: ">i2", 32: ">i4", -32: ">f4", -64: ">f8"}[depth]
    lines = ["SIMPLE  =                    T / written by hand", f"BITPIX  = {depth:20}",
             f"NAXIS   = {levels.ndim:20}",
             *(f"NAXIS{i + 1}  = {side:20}" for i, side in enumerate(levels.shape[::-1])),
             *(f"{name:8}= {value:20}" for name, value in cards.items()), "OBJECT  = 'a man / camera'", "END"]
    header = "".join(f"{line:80}" for line in lines).encode()
    data = np.ascontiguousarray(levels[..., ::-1, :]).astype(kind).tobytes()
    path.write_bytes(header + b" " * (-len(header) % 2880) + data + b"\0" * (-len(data) % 2880))


@pytest.mark.parametrize("name", ["unsigned 16", "signed 16", "8", "signed 8", "unsigned 32", "float", "double"])
def test_fits(tmp_path, name):
    """Unsigned 16 bits are stored as signed ones with an offset of 32768."""
    depth = {"float": -32, "double": -64}.get(name) or int(name.split()[-1])
    x = GREY.astype(np.float64)
    levels, cards = {
        "unsigned 16": (np.rint(65535 * x) - 32768, {"BZERO": 32768, "BSCALE": 1}),
        "signed 16": (np.rint(65535 * x) - 32768, {}),
        "unsigned 32": (np.rint((2**32 - 1) * x) - 2**31, {"BZERO": 2147483648.0}),
        "8": (np.rint(255 * x), {}), "signed 8": (np.rint(255 * x), {"BZERO": -128}), "float": (x, {}),
        "double": (x, {})}[name]
    write_fits(tmp_path / "x.fits", levels, depth, **cards)
    near(read_photo(tmp_path / "x.fits"), GREY, HALF_A_LEVEL)


def test_fits_of_12_bits_is_asked_about_and_of_several_planes_is_told(tmp_path):
    write_fits(tmp_path / "x.fits", np.rint(4095 * GREY), 16)
    with pytest.raises(ValueError, match=r"--white 4095"):
        read_photo(tmp_path / "x.fits")
    write_fits(tmp_path / "y.fits", np.stack([GREY, 1 - GREY]), -32)
    with pytest.warns(PictureNote, match="it holds 2 planes, and the first is read"):
        near(read_photo(tmp_path / "y.fits"), GREY, 1e-6)
    data = (tmp_path / "y.fits").read_bytes()
    for end in (100, 2880, 5000):
        (tmp_path / "cut.fits").write_bytes(data[:end])
        with pytest.raises(ValueError, match="cut off"):
            read_photo(tmp_path / "cut.fits")


# ------------------------------------------------------------------------------------------------- transparency


@pytest.mark.parametrize("kind", ["u1", "u2", "f2", "f4", "f8"])
@pytest.mark.parametrize("truth", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("sort", ["unassalpha", "assocalpha"])
def test_transparency_in_tiff(tmp_path, kind, truth, sort):
    alpha = np.linspace(0, 1, truth.shape[1], dtype=np.float32)[None].repeat(truth.shape[0], 0)
    planes = truth.reshape(*truth.shape[:2], -1)
    stored = planes * alpha[..., None] if sort == "assocalpha" else planes
    stored = np.concatenate([stored, alpha[..., None]], axis=2)
    white = 1 if kind[0] == "f" else np.iinfo(kind).max
    stored = (stored * white if white == 1 else np.rint(stored * white)).astype(kind)
    tifffile.imwrite(tmp_path / "x.tif", stored, photometric="rgb" if truth.ndim == 3 else "minisblack",
                     planarconfig="contig", extrasamples=[sort])
    seen = np.where(alpha[..., None] > 0, planes, 1) * alpha[..., None] + 1 - alpha[..., None]
    within = {"u1": 2.5 / 255, "f2": 2e-3}.get(kind, 5e-5)
    near(read_photo(tmp_path / "x.tif", color=truth.ndim == 3), seen.reshape(truth.shape), within)
    picture = read_picture(tmp_path / "x.tif")
    near(picture.alpha, alpha, within)
    opaque = alpha > 0.5
    np.testing.assert_allclose(picture.x[opaque], truth[opaque], atol=2 * within)


def test_what_nobody_sees_asks_no_question(tmp_path):
    x = np.dstack([COLOUR, np.ones(COLOUR.shape[:2], np.float32)])
    x[:9] = np.nan, -9999, 4095, 0
    tifffile.imwrite(tmp_path / "x.tif", x, photometric="rgb", extrasamples=["unassalpha"])
    assert (read_photo(tmp_path / "x.tif", color=True)[:9] == 1).all()
    near(read_picture(tmp_path / "x.tif").x[9:], COLOUR[9:], 1e-6)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_transparent_grey_level_of_a_png(tmp_path, bits):
    """The darkest level is declared transparent: it is seen as white."""
    levels = np.rint(GREY * (2**bits - 1)).astype(np.uint32)
    level = int(np.median(levels)) if bits > 1 else 0
    shift = np.unpackbits(levels.astype(">u4").view(np.uint8).reshape(*levels.shape, 4), axis=2)[..., -bits:]
    rows = np.packbits(shift.reshape(len(levels), -1), axis=1)
    parts = [(b"IHDR", struct.pack(">IIBBBBB", levels.shape[1], levels.shape[0], bits, 0, 0, 0, 0)),
             (b"tRNS", struct.pack(">H", level)), (b"IDAT", zlib.compress(np.insert(rows, 0, 0, axis=1).tobytes())),
             (b"IEND", b"")]
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in parts))
    truth = np.where(levels == level, 1, levels / (2**bits - 1))
    near(read_photo(tmp_path / "x.png"), truth, 1e-6)
    assert np.array_equal(read_picture(tmp_path / "x.png").alpha, (levels != level).astype(np.float32))


def test_16_bit_png_in_colour_and_with_transparency(tmp_path):
    alpha = np.rint(65535 * np.linspace(0, 1, 48)[None].repeat(48, 0)).astype(np.uint16)
    levels = np.rint(65535 * COLOUR.astype(np.float64)).astype(np.uint16)
    write16(tmp_path / "rgb.png", levels)
    near(read_photo(tmp_path / "rgb.png", color=True), levels / 65535, 1e-6)
    assert read_picture(tmp_path / "rgb.png").bits == 16
    for name, colours in (("rgba.png", levels), ("la.png", levels[..., 0])):
        write16(tmp_path / name, colours, alpha)
        picture = read_picture(tmp_path / name)
        near(picture.x, colours / 65535, 1e-6)
        near(picture.alpha, alpha / 65535, 1e-6)
    write16(tmp_path / "key.png", levels, tRNS=levels[7, 9].astype(">u2").tobytes())
    picture = read_picture(tmp_path / "key.png")
    assert np.array_equal(picture.alpha == 0, (levels == levels[7, 9]).all(axis=2))


# ------------------------------------------------------------------------------------------------- TIFF of every sort


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("options", [{"planarconfig": "separate"}, {"tile": (16, 16)}, {"compression": "zlib"},
                                     {"compression": "zlib", "predictor": True}, {"rowsperstrip": 5},
                                     {"bigtiff": True}, {"byteorder": ">"}], ids=str)
def test_tiffs_inside(tmp_path, kind, options):
    if options.get("predictor") and kind == "f4":
        pytest.skip("needs imagecodecs to be written")
    white = 1 if kind == "f4" else np.iinfo(kind).max
    levels = np.rint(white * COLOUR).astype(kind) if white > 1 else COLOUR
    stored = np.moveaxis(levels, 2, 0) if "planarconfig" in options else levels
    tifffile.imwrite(tmp_path / "x.tif", np.ascontiguousarray(stored), photometric="rgb", **options)
    near(read_photo(tmp_path / "x.tif", color=True), levels / white, 1e-6)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "raw"])
@pytest.mark.parametrize("kind", ["u2", "i4", "f4"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_deep_grey_compressed_by_pillow(tmp_path, compression, kind, orientation):
    white = 1 if kind == "f4" else np.iinfo(kind).max
    levels = GREY[:, :40] if kind == "f4" else np.rint(GREY[:, :40].astype(np.float64) * white).astype(kind)
    Image.fromarray(levels).save(tmp_path / "x.tif", compression=compression, tiffinfo={274: orientation})
    truth = levels / white
    near(read_photo(tmp_path / "x.tif"), truth if orientation == 1 else np.rot90(truth, -1), 1e-6)


@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_16_bit_colours_compressed_with_lzw(tmp_path, byteorder):
    """As Photoshop, GIMP and ImageMagick write them. Codes of nine bits, a clear code often enough: that is LZW too."""
    levels = np.rint(65535 * COLOUR.astype(np.float64)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", levels, photometric="rgb", byteorder=byteorder, rowsperstrip=48, metadata=None)
    codes = []
    for i, byte in enumerate(levels.astype(f"{byteorder}u2").tobytes()):
        codes += ([256] if i % 200 == 0 else []) + [byte]
    bits = np.unpackbits(np.array([*codes, 257], ">u2").view(np.uint8)).reshape(-1, 16)[:, -9:]
    packed = np.packbits(bits.ravel()).tobytes()
    with tifffile.TiffFile(tmp_path / "x.tif", mode="r+") as file:
        page = file.pages[0]
        size = file.filehandle.size
        page.tags["Compression"].overwrite(5)
        page.tags["StripByteCounts"].overwrite(len(packed))
        page.tags["StripOffsets"].overwrite(size)
        file.filehandle.seek(size)
        file.filehandle.write(packed)
    near(read_photo(tmp_path / "x.tif", color=True), levels / 65535, 1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_orientation_of_tiff(tmp_path, orientation, kind):
    from PIL.Image import Transpose

    levels = np.rint(255 * GREY[:50]).astype(np.uint8)
    turns = [None, None, Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.FLIP_TOP_BOTTOM,
             Transpose.TRANSPOSE, Transpose.ROTATE_270, Transpose.TRANSVERSE, Transpose.ROTATE_90]
    upright = Image.fromarray(levels)
    upright = upright if orientation == 1 else upright.transpose(turns[orientation])
    stored = {"u1": levels, "u2": levels.astype(np.uint16) * 257, "f4": (levels / 255).astype(np.float32)}[kind]
    tifffile.imwrite(tmp_path / "x.tif", stored, extratags=[(274, "H", 1, orientation, True)])
    near(read_photo(tmp_path / "x.tif"), np.asarray(upright) / 255, 1e-6)


def test_colours_of_more_than_8_bits_by_palette_and_ink(tmp_path):
    indices = (np.arange(64 * 64).reshape(64, 64) % 256).astype(np.uint8)
    palette = np.random.default_rng(0).integers(0, 256, (3, 256)).astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "p.tif", indices, photometric="palette", colormap=palette)
    near(read_photo(tmp_path / "p.tif", color=True), palette.T[indices] / 65535, 1 / 255)
    inks = np.random.default_rng(1).integers(0, 65536, (20, 30, 4)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "k.tif", inks, photometric="separated")
    light = 1 - inks / 65535
    near(read_photo(tmp_path / "k.tif", color=True), light[..., :3] * light[..., 3:], 3 / 255)


def test_further_channels_are_told(tmp_path):
    planes = np.rint(65535 * np.dstack([GREY, 1 - GREY, GREY.T, GREY, GREY])).astype(np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", planes, photometric="minisblack", planarconfig="contig",
                     extrasamples=["unspecified"] * 4)
    with pytest.warns(PictureNote, match="4 further channels beside its grey are left out"):
        near(read_photo(tmp_path / "x.tif"), GREY, 1e-4)


@pytest.mark.parametrize("kind", ["u2", "f4"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_deep_tiff_that_is_cut_off(tmp_path, kind, share):
    tifffile.imwrite(tmp_path / "x.tif", (GREY * (65535 if kind == "u2" else 1)).astype(kind), rowsperstrip=8)
    data = (tmp_path / "x.tif").read_bytes()
    (tmp_path / "x.tif").write_bytes(data[: int(share * len(data))])
    with pytest.raises(ValueError, match=r"path '.*x\.tif' cannot be read as a picture"):
        read_photo(tmp_path / "x.tif")


# ------------------------------------------------------------------------------------------------- several pages


def frames_of(kind, path):
    first, *others = (Image.fromarray(np.rint(255 * x).astype(np.uint8)) for x in (GREY, 1 - GREY, GREY.T))
    first.save(path, kind, save_all=True, append_images=others, **({"lossless": True} if kind == "WEBP" else {}))


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "WEBP", "PNG", "MPO"])
def test_of_several_pictures_the_first_is_taken_and_said(tmp_path, kind):
    frames_of(kind, tmp_path / "x")
    with pytest.warns(PictureNote, match=r"path '.*x': it holds 3 (pages|pictures), and the first is read"):
        x = read_photo(tmp_path / "x")
    near(x, GREY, 0.15 if kind == "MPO" else 1 / 255)
    assert len(read_picture(tmp_path / "x").notes) == 1


@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
@pytest.mark.parametrize("options", [{}, {"imagej": True}, {"ome": True}, {"metadata": None}, {"truncate": True}],
                         ids=str)
def test_a_stack_gives_its_first_page(tmp_path, kind, options):
    white = 1 if kind == "f4" else np.iinfo(kind).max
    stack = np.stack([GREY, 1 - GREY, GREY.T, GREY])
    tifffile.imwrite(tmp_path / "x.tif", (np.rint(stack * white) if white > 1 else stack).astype(kind),
                     photometric="minisblack", **options)
    with pytest.warns(PictureNote, match="it holds 4 pages, and the first is read"):
        near(read_photo(tmp_path / "x.tif"), GREY, HALF_A_LEVEL)


@pytest.mark.parametrize("deep", [False, True])
def test_a_thumbnail_before_the_picture_is_no_page(tmp_path, deep):
    picture = np.rint(65535 * GREY).astype(np.uint16) if deep else np.rint(255 * GREY).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        file.write(picture[::4, ::4], subfiletype=1)
        file.write(picture)
    near(read_photo(tmp_path / "x.tif"), GREY, HALF_A_LEVEL)


# ------------------------------------------------------------------------------------------------- EXIF


def with_broken_exif(path, entries):
    """Write a JPEG whose EXIF block holds ``entries``: (tag, kind, bytes)."""
    body, extra = b"", b""
    start = 8 + 2 + 12 * len(entries) + 4
    for tag, kind, count, content in entries:
        if len(content) > 4:
            body += struct.pack("<HHII", tag, kind, count, start + len(extra))
            extra += content
        else:
            body += struct.pack("<HHI", tag, kind, count) + content.ljust(4, b"\0")
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", 0) + extra
    memory = io.BytesIO()
    smooth = np.add.outer(np.arange(20), np.arange(30)).astype(np.uint8) * 5
    Image.fromarray(smooth).save(memory, "JPEG", quality=95)
    data = memory.getvalue()
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])
    return smooth / 255


TURN = (0x0112, 3, 1, struct.pack("<H", 6))


@pytest.mark.parametrize(("entries", "turned"), {
    "resolution unit as text": ([TURN, (0x0128, 2, 5, b"inch\0")], True),
    "resolution as text": ([TURN, (0x011A, 2, 3, b"72\0"), (0x011B, 2, 3, b"72\0")], True),
    "width as a fraction of zero": ([TURN, (0x011A, 5, 1, struct.pack("<II", 1, 0))], True),
    "a kind that does not exist": ([TURN, (0x0128, 99, 1, b"\0")], True),
    "text where a number belongs": ([TURN, (0xA002, 2, 4, b"wide")], True),
    "a block that points nowhere": ([TURN, (0x8769, 4, 1, struct.pack("<I", 999999))], True),
    "orientation as text": ([(0x0112, 2, 2, b"6\0")], True),
    "orientation as a long number": ([(0x0112, 4, 1, struct.pack("<I", 6))], True),
    "orientation 0": ([(0x0112, 3, 1, struct.pack("<H", 0))], False),
    "orientation 9": ([(0x0112, 3, 1, struct.pack("<H", 9))], False),
    "orientation is a word": ([(0x0112, 2, 4, b"top\0")], False),
}.values())
def test_damaged_exif_costs_at_most_the_turn(tmp_path, entries, turned):
    truth = with_broken_exif(tmp_path / "x.jpg", entries)
    near(read_photo(tmp_path / "x.jpg"), np.rot90(truth, -1) if turned else truth, 0.05)


def test_exif_that_is_rubbish(tmp_path):
    for rubbish in (b"", b"no", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + bytes(range(256))):
        Image.new("L", (5, 4), 200).save(tmp_path / "x.jpg", exif=rubbish)
        assert read_photo(tmp_path / "x.jpg").shape == (4, 5)


@pytest.mark.parametrize("kind", ["avif", "webp", "jp2", "jpg", "gif", "png"])
def test_damaged_files_are_refused_in_one_sentence(tmp_path, kind):
    path = tmp_path / f"x.{kind}"
    Image.fromarray(np.rint(255 * COLOUR).astype(np.uint8)).save(path)
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(30):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), 40):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(bytes(damaged[: rng.integers(len(data) // 4, len(data))]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PictureNote)
            try:
                assert read_photo(path).ndim == 2
            except ValueError as error:
                assert str(error).startswith("path '")


# ------------------------------------------------------------------------------------------------- colour profiles


def adobe_rgb():
    """Return the profile of a shipped photograph that was taken in Adobe RGB."""
    from helpers.images import PHOTOS, _package_folder

    with Image.open(_package_folder("skimage") / PHOTOS["rocket"][1]) as picture:
        return picture.info["icc_profile"]


def adobe_to_srgb(x):
    """Convert Adobe RGB (1998) to sRGB by the formulas of the two standards, without a library."""
    primaries = np.array([[0.5767309, 0.1855540, 0.1881852], [0.2973769, 0.6273491, 0.0752741],
                          [0.0270343, 0.0706872, 0.9911085]])
    to_linear = np.linalg.inv([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
                               [0.0193339, 0.1191920, 0.9503041]])
    linear = np.clip(np.asarray(x, np.float64) ** (563 / 256) @ primaries.T @ to_linear.T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp", "16.tif", "16.png", "float.tif"])
def test_profiles_are_converted_as_viewers_do(tmp_path, kind):
    from scipy.ndimage import gaussian_filter

    path = tmp_path / f"x.{kind}"
    levels = np.rint(255 * gaussian_filter(COLOUR, (3, 3, 0))).astype(np.uint8)
    profile = adobe_rgb()
    if kind == "16.png":
        write16(path, levels.astype(np.uint16) * 257, iCCP=b"Adobe\0\0" + zlib.compress(profile))
    elif "." in kind:
        stored = levels.astype(np.uint16) * 257 if kind == "16.tif" else (levels / 255).astype(np.float32)
        tifffile.imwrite(path, stored, photometric="rgb", iccprofile=profile)
    else:
        Image.fromarray(levels).save(path, icc_profile=profile, **(
            {"quality": 98, "subsampling": 0} if kind == "jpg" else {"lossless": True} if kind == "webp" else {}))
    truth = adobe_to_srgb(levels / 255)
    assert np.abs(truth - levels / 255).mean() > 1 / 255  # it makes a difference
    x = read_photo(path, color=True)
    assert np.abs(x - truth).max() < (0.04 if kind == "jpg" else 2.5 / 255)
    assert np.abs(x - truth).mean() < (1.2 / 255 if kind == "jpg" else 0.6 / 255)


def test_16_bits_stay_fine_under_a_profile(tmp_path):
    ramp = np.linspace(0.2, 0.8, 4096)[None, :, None].repeat(3, 2).repeat(2, 0)
    tifffile.imwrite(tmp_path / "x.tif", np.rint(65535 * ramp).astype(np.uint16), photometric="rgb",
                     iccprofile=adobe_rgb())
    x = read_photo(tmp_path / "x.tif", color=True)
    assert np.unique(x[0, :, 1]).size > 3500
    near(x, adobe_to_srgb(ramp), 1 / 255)


def test_srgb_profiles_change_nothing(tmp_path):
    levels = np.rint(255 * COLOUR).astype(np.uint8)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(levels).save(tmp_path / "x.png", icc_profile=profile)
    assert np.array_equal(read_photo(tmp_path / "x.png", color=True), levels.astype(np.float32) / 255)
    Image.fromarray(levels[..., 0]).save(tmp_path / "g.png", icc_profile=profile)
    assert np.array_equal(read_photo(tmp_path / "g.png"), levels[..., 0].astype(np.float32) / 255)


def test_profile_with_transparency_and_of_grey(tmp_path):
    levels = np.rint(255 * COLOUR).astype(np.uint8)
    alpha = np.full((*levels.shape[:2], 1), 128, np.uint8)
    Image.fromarray(np.concatenate([levels, alpha], axis=2)).save(tmp_path / "x.png", icc_profile=adobe_rgb())
    picture = read_picture(tmp_path / "x.png")
    near(picture.x, adobe_to_srgb(levels / 255), 2.5 / 255)
    assert (picture.alpha == np.float32(128 / 255)).all()

    from helpers.images import PHOTOS, _package_folder

    with Image.open(_package_folder("skimage") / PHOTOS["page"][1]) as page:  # dot gain 20 %: ink spreads
        plain = np.asarray(page, np.float32) / 255
    x = read_photo(_package_folder("skimage") / PHOTOS["page"][1])
    assert x.shape == plain.shape and 0.01 < np.abs(x - plain).mean() < 0.15
    assert np.corrcoef(x.ravel(), plain.ravel())[0, 1] > 0.98


def test_profiles_that_are_damaged_or_of_another_kind_are_told(tmp_path):
    levels = np.rint(255 * COLOUR).astype(np.uint8)
    for profile, words in ((b"rubbish" * 40, "damaged"), (adobe_rgb()[:200], "damaged")):
        Image.fromarray(levels).save(tmp_path / "x.png", icc_profile=profile)
        with pytest.warns(PictureNote, match=words):
            near(read_photo(tmp_path / "x.png", color=True), levels / 255, 1e-6)
    Image.new("CMYK", (9, 8), (0, 255, 255, 0)).save(tmp_path / "x.jpg", icc_profile=adobe_rgb())
    with pytest.warns(PictureNote, match="one for RGB and is left aside"):
        assert np.abs(read_photo(tmp_path / "x.jpg", color=True) - [1, 0, 0]).max() < 0.05


# ------------------------------------------------------------------------------------------------- raw photographs


def raw_files(folder):
    """Write files with what distinguishes raw photographs: a thumbnail, then the sensor's mosaic."""
    mosaic, thumbnail = np.rint(16383 * GREY).astype(np.uint16), np.rint(255 * COLOUR).astype(np.uint8)
    version = [(50706, "B", 4, (1, 4, 0, 0), True)]
    with tifffile.TiffWriter(folder / "phone.dng") as file:
        file.write(thumbnail, subfiletype=1, photometric="rgb", subifds=1, extratags=version)
        file.write(mosaic, photometric=32803, extratags=[(33421, "H", 2, (2, 2), True)])
    (folder / "renamed.tif").write_bytes((folder / "phone.dng").read_bytes())
    with tifffile.TiffWriter(folder / "nikon.nef") as file:
        file.write(thumbnail, photometric="rgb")
    with tifffile.TiffWriter(folder / "linear.tif") as file:
        file.write(np.rint(65535 * COLOUR).astype(np.uint16), photometric=34892)
    (folder / "canon.cr2").write_bytes(b"II*\0\x10\0\0\0CR\2\0" + bytes(500))
    (folder / "new.cr3").write_bytes(b"\0\0\0\x18ftypcrx \0\0\0\1" + bytes(500))
    (folder / "fuji.raf").write_bytes(b"FUJIFILMCCD-RAW 0201" + bytes(500))
    (folder / "panasonic.rw2").write_bytes(b"IIU\0\x18\0\0\0" + bytes(500))
    (folder / "olympus.orf").write_bytes(b"IIRO\x08\0\0\0" + bytes(500))
    (folder / "unknown.srw").write_bytes(bytes(500))


def test_raw_photographs_are_refused_with_what_to_do(tmp_path):
    raw_files(tmp_path)
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(ValueError, match=rf"path '.*{path.name}' is a raw photograph.*darktable.*TIFF or PNG"):
            read_photo(path)


# ------------------------------------------------------------------------------------------------- what is known


@pytest.mark.parametrize("sentinel", [np.nan, -9999.0, 255.0, np.inf])
def test_only_known_pixels_are_looked_at(tmp_path, sentinel):
    x, known = GREY.copy(), np.random.default_rng(0).random(GREY.shape) < 0.6
    x[~known] = sentinel
    write_floats(tmp_path / "x.tif", x)
    with pytest.raises(ValueError, match="NaN or infinite" if not np.isfinite(sentinel) else "which one is white"):
        read_photo(tmp_path / "x.tif")
    near(read_picture(tmp_path / "x.tif", known=known).x, np.where(known, GREY, 0), 1e-6)


def test_known_that_does_not_fit(tmp_path):
    write_floats(tmp_path / "x.tif", GREY)
    with pytest.raises(ValueError, match=r"known has shape \(3, 3\)"):
        read_picture(tmp_path / "x.tif", known=np.ones((3, 3), bool))
    with pytest.raises(TypeError, match="known must be a boolean array"):
        read_picture(tmp_path / "x.tif", known=GREY)


def test_what_was_read_may_be_written_to(tmp_path):
    Image.fromarray(np.rint(255 * COLOUR).astype(np.uint8)).save(tmp_path / "x.png")
    for x in (read_picture(tmp_path / "x.png").x, read_photo(tmp_path / "x.png", color=True)):
        x[...] = 0


def test_a_command_says_the_note_in_one_line(tmp_path):
    from typer.testing import CliRunner

    from helpers.__main__ import app

    frames_of("TIFF", tmp_path / "x.tif")
    heard = CliRunner().invoke(app, ["restore", str(tmp_path / "x.tif"), "--task", "denoise25", "--method", "Wiener",
                                     "-o", str(tmp_path / "y.png")])
    assert heard.exit_code == 0
    assert heard.output.count("note: it holds 3 pages, and the first is read\n") == 1
    assert "PictureNote" not in heard.output


def test_other_commands_say_it_on_the_error_stream(tmp_path, capsys):
    """`style`, `league`: what they read warns, and a warning is one plain line."""
    from helpers.__main__ import _plainly

    frames_of("TIFF", tmp_path / "x.tif")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with _plainly():
            read_photo(tmp_path / "x.tif")
    assert f"note: path '{tmp_path}" in (heard := capsys.readouterr().err)
    assert heard.endswith("it holds 3 pages, and the first is read\n") and "PictureNote" not in heard
