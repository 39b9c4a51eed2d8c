"""Estimates that hold for pictures as people have them: bars, margins, masks, clipped skies, screens, flat tiles."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from helpers import restoration
from helpers.images import photo, photos
from helpers.league.photographs import denoiser
from helpers.metrics import psnr
from helpers.operators import Blur, Downsample, Identity, Mask, measure
from helpers.restoration import estimate_noise, wiener

LEVELS = (4, 10, 25, 50)  # of 255
KNOWN = np.random.default_rng(3).random((64, 64)) < 0.7


def stored(y):
    """What an 8-bit file keeps of a picture."""
    return np.rint(255 * np.clip(y, 0, 1)).astype(np.float32) / 255


def noisy(x, level, seed=0):
    return x + level / 255 * np.random.default_rng(seed).standard_normal(x.shape).astype(np.float32)


# ------------------------------------------------------------------------------------------------- the noise level


def letterboxed(y):
    return np.pad(y, ((160, 160), *[(0, 0)] * (y.ndim - 1)))  # 55 % black


def with_margin(y):
    return np.pad(y, ((40, 200), (90, 30), *[(0, 0)] * (y.ndim - 2)), constant_values=1)


def laid_on_white(y):
    """A round picture, transparent around, its rim soft."""
    down, across = np.mgrid[-1 : 1 : y.shape[0] * 1j, -1 : 1 : y.shape[1] * 1j]
    alpha = np.clip((0.9 - np.hypot(down, across)) * 20, 0, 1)
    alpha = alpha if y.ndim == 2 else alpha[..., None]
    return stored(y * alpha + 1 - alpha)


def on_a_screen(y):
    """A window with text and buttons, of which the picture is a part."""
    screen = Image.new("L", (700, 420), 235)
    draw, font = ImageDraw.Draw(screen), ImageFont.load_default(13)
    for row in range(26):
        draw.text((8, 16 * row + 2), "File  Edit  View  and a sentence that goes on and on. " * 3, fill=20, font=font)
    screen = np.asarray(screen, np.float32) / 255
    screen = screen if y.ndim == 2 else np.repeat(screen[..., None], 3, 2)
    screen[80 : 80 + y.shape[0], 300 : 300 + y.shape[1]] = y
    return screen


FRAMES = [stored, letterboxed, with_margin, laid_on_white, on_a_screen]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.__name__)
@pytest.mark.parametrize("color", [False, True], ids=["grey", "colour"])
def test_frames_do_not_tell_the_noise(level, frame, color):
    for name in ("camera", "astronaut", "rocket"):
        y = stored(noisy(photo(name, 256, color), level))
        assert 255 * estimate_noise(frame(y)) == pytest.approx(level, rel=0.12), name


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("clip", [lambda x: np.where(x > 0.6, 1, x), lambda x: np.maximum(x - 0.4, 0),
                                  lambda x: np.clip(1.5 * x - 0.1, 0, 1), lambda x: np.zeros_like(x)],
                         ids=["sky", "night", "contrast", "black"])
def test_clipped_pictures_tell_the_whole_noise(level, clip):
    """Half of the noise is cut off where the sky is white; 8 bits keep nothing above."""
    for name in ("camera", "flower", "galaxies"):
        y = stored(noisy(clip(photo(name, 256)), level))
        assert 255 * estimate_noise(y) == pytest.approx(level, rel=0.15), name


@pytest.mark.parametrize("level", LEVELS)
def test_photographs_without_much_texture(level):
    """A picture's own details are no noise: the old estimate was 5 to 6 for a level of 4."""
    found = [255 * estimate_noise(stored(noisy(x, level))) for name, x in photos("test").items()]
    assert np.mean(np.abs(np.log(np.array(found) / level))) < 0.05
    assert np.max(np.abs(np.log(np.array(found) / level))) < 0.13


@pytest.mark.parametrize("frame", [lambda y: y, stored, letterboxed, laid_on_white],
                         ids=["plain", "clipped", "barred", "transparent"])
@pytest.mark.parametrize(("level", "most"), [(4, 0.6), (10, 0.3)])
def test_the_estimate_serves_a_denoiser_like_the_truth(level, most, frame):
    """In dB. Grass is nowhere calm: its finest details alone tell of 2.5 times the noise at level 4, and cost 4 dB."""
    for name, color in (("grass", False), ("gravel", False), ("clock", False), ("grass", True)):
        x = photo(name, 256, color)[:176, :176]
        y, x = frame(noisy(x, level)), frame(x)
        told, guessed = (psnr(x, np.clip(denoiser(y)(y, sigma), 0, 1)) for sigma in (level / 255, estimate_noise(y)))
        assert guessed > told - most, (name, color)


def test_noise_of_neighbours_that_hang_together_is_not_taken_for_texture():
    """It lacks finer details as a texture does, but is the same everywhere. Of its level 0.56 is in the finest ones."""
    for name in ("cells", "clock", "moon"):
        noise = ndimage.gaussian_filter(np.random.default_rng(0).standard_normal((256, 256)), 0.6, mode="wrap")
        y = photo(name, 256) + 10 / 255 * noise / noise.std()
        assert 4.5 < 255 * estimate_noise(stored(y)) < 6.2, name


def test_noise_that_a_jpeg_file_keeps_is_found():
    """A file of quality 92 keeps most of the noise but less of its finest details, as if it were texture."""
    for name in ("flower", "moon", "motorcycle"):
        file = io.BytesIO()
        y = np.rint(255 * stored(noisy(photo(name, 256), 10))).astype(np.uint8)
        Image.fromarray(y).save(file, "JPEG", quality=92)
        assert 255 * estimate_noise(np.asarray(Image.open(file)) / 255) == pytest.approx(10, rel=0.15), name


def test_screens_and_drawings_without_noise_have_none():
    for size in (9, 13, 24):
        for paper, ink in ((255, 0), (235, 20), (0, 200)):
            screen = Image.new("L", (500, 300), paper)
            for row in range(300 // (size + 3)):
                ImageDraw.Draw(screen).text((5, (size + 3) * row), "The quick brown fox jumps over the lazy dog. " * 3,
                                            fill=ink, font=ImageFont.load_default(size))
            assert 255 * estimate_noise(np.asarray(screen) / 255) < 0.5
    for flat in (0.0, 0.3, 1.0):
        assert estimate_noise(np.full((40, 50), flat)) == 0
        assert estimate_noise(np.full((40, 50, 3), flat)) == 0


@pytest.mark.parametrize("operator", [Mask.random((256, 256), 0.6, np.random.default_rng(0)),
                                      Mask.block((256, 256), 200), Mask.half((256, 256)) @ Blur.gaussian(0.5)],
                         ids=repr)
@pytest.mark.parametrize("sentinel", [0, 1, -9999, np.nan, np.inf])
def test_the_noise_of_known_pixels(operator, sentinel):
    known = restoration.common.known_pixels(operator)
    y = np.where(known, measure(photo("camera", 256), operator, 25 / 255, np.random.default_rng(0)), sentinel)
    assert 255 * estimate_noise(y, operator) == pytest.approx(25, rel=0.1)


def test_the_noise_of_a_turned_picture_is_the_same():
    y = stored(noisy(photo("coffee", 200), 10)).astype(np.float64)[:, :150]
    for turned in (y.T, y[::-1], y[:, ::-1], np.rot90(y)):
        assert estimate_noise(turned) == pytest.approx(estimate_noise(y), rel=1e-6)


# ------------------------------------------------------------------------------------------------- Wiener


@pytest.mark.parametrize("operator", [Identity(), Blur.gaussian(1.6), Blur.motion(9, 30)], ids=repr)
@pytest.mark.parametrize("sigma", [2 / 255, 25 / 255, None])
@pytest.mark.parametrize("shape", [(64, 64), (33, 48), (64, 64, 3)], ids=str)
def test_wiener_keeps_the_brightness_of_flat_pictures(operator, sigma, shape):
    for grey in (1.0, 128 / 255, 0.1):
        x = np.full(shape, grey, np.float32)
        y = measure(x, operator, sigma or 0.05, np.random.default_rng(0))
        assert abs(wiener(y, operator, sigma).mean() - y.mean()) < 0.002
        assert psnr(x, np.clip(wiener(y, operator, sigma), 0, 1)) > 34
        without = operator.forward(x)
        assert psnr(x, np.clip(wiener(without, operator, sigma), 0, 1)) > 40


def test_wiener_makes_no_tile_of_a_photograph_black():
    for x in photos("test", 512).values():
        for down in range(0, 512, 64):
            for across in range(0, 512, 64):
                tile = x[down : down + 64, across : across + 64]
                y = noisy(tile, 25)
                assert abs(wiener(y, Identity(), 25 / 255).mean() - y.mean()) < 0.01


# ------------------------------------------------------------------------------------------------- what is known

METHODS = {
    "least_squares": {}, "tikhonov": {}, "wiener": {}, "richardson_lucy": {"iterations": 30},
    "total_variation": {"iterations": 60}, "biharmonic": {}, "plug_and_play": {"iterations": 4},
}
LOST = {"a mask": Mask(KNOWN), "a mask over a blur": Mask(KNOWN) @ Blur.gaussian(1.0),
        "a mask over fewer pixels": Mask(KNOWN[:32, :32]) @ Downsample(2)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("lost", LOST)
@pytest.mark.parametrize("color", [False, True], ids=["grey", "colour"])
def test_what_stands_under_the_mask_changes_nothing(method, lost, color):
    operator = LOST[lost]
    if method == "biharmonic" and lost != "a mask":
        pytest.skip("it fills holes and nothing else")
    y = measure(photo("camera", 64, color), operator, 5 / 255, np.random.default_rng(1))
    known = restoration.common.known_pixels(operator)
    known = known if y.ndim == 2 else known[..., None]
    solve = getattr(restoration, method)
    expected = solve(np.where(known, y, 0), operator, 5 / 255, **METHODS[method])
    for sentinel in (1.0, 255.0, -9999.0, np.nan, -np.inf):
        came = np.where(known, y, np.float32(sentinel))
        before = came.copy()
        assert np.array_equal(solve(came, operator, 5 / 255, **METHODS[method]), expected)
        assert np.array_equal(came, before, equal_nan=True)  # and the reader's own array stays


@pytest.mark.parametrize("method", METHODS)
def test_a_known_pixel_must_still_be_a_number(method):
    y = np.where(KNOWN, 0.5, np.nan)
    y[tuple(np.argwhere(KNOWN)[0])] = np.nan
    with pytest.raises(ValueError, match="y must be finite, but 1 of its 4096 values"):
        getattr(restoration, method)(y, Mask(KNOWN), 0.1)
    with pytest.raises(ValueError, match="divide 0-255 data by 255"):
        getattr(restoration, method)(np.where(KNOWN, 200.0, np.nan), Mask(KNOWN), 0.1)
