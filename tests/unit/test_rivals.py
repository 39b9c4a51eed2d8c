"""The rivals from other libraries get a fair chance: the right way up, centred, bright enough, well tuned."""

import numpy as np
import pytest

from helpers import league
from helpers.images import photo, photos
from helpers.metrics import psnr
from helpers.operators import Blur, Downsample, Identity, Mask, Radon, measure

FEW = ("china", "flower", "moon", "motorcycle")  # of the training photographs


def play(name, y, operator, sigma=0.0):
    """Return the answer of a row of the league; what it was given must stay as it is."""
    before = y.copy()
    answer = league.METHODS[name].restore(y, operator, sigma)
    assert np.array_equal(y, before), f"{name} writes into y"
    return np.asarray(answer)


# ----------------------------------------------------------------------------------------------- doing nothing


def test_as_it_came_is_as_bright_as_the_picture():
    x = photo("cat", 48)[:, :30]
    for task in league.TASKS:
        if "as it came" not in league.able(task):
            continue
        truth, y, operator, sigma = league.damage(x, task, 1)
        found = play("as it came", y, operator, sigma)
        expected = np.kron(y, np.ones((2, 2))) if isinstance(operator, Downsample) else y
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert found.shape == truth.shape


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("depth", [(), (3,)])
def test_a_small_picture_is_enlarged_by_repeating_its_pixels(factor, depth):
    y = np.random.default_rng(0).random((5, 4, *depth))
    found = play("as it came", y, Downsample(factor))
    np.testing.assert_allclose(found, y.repeat(factor, 0).repeat(factor, 1))


# -------------------------------------------------------------------------------------------------- enlarging


def cubic(size, factor):
    """Return the matrix of Keys' cubic interpolation (a = -1/2) of pixels that are small squares."""
    def weight(t):
        t = abs(t)
        return 1.5 * t**3 - 2.5 * t**2 + 1 if t < 1 else -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0

    rows = np.array([[weight((i + 0.5) / factor - 0.5 - j) for j in range(size)] for i in range(size * factor)])
    return rows / rows.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(("shape", "factor"), [((9, 14), 2), ((14, 9), 2), ((7, 7), 3), ((1, 6), 2), ((8, 5, 3), 2)])
def test_bicubic_is_cubic_interpolation_of_rows_and_columns(shape, factor):
    y = np.random.default_rng(1).random(shape)
    found = play("Pillow bicubic", y, Downsample(factor))
    expected = np.einsum("ia,jb,ab...->ij...", cubic(shape[0], factor), cubic(shape[1], factor), y)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=2e-6)


# ------------------------------------------------------------------------------------------------- tomography


@pytest.mark.parametrize("size", [40, 41])
@pytest.mark.parametrize("colour", [False, True])
def test_back_projection_puts_a_spot_where_it_was_and_as_bright_as_it_was(size, colour):
    rows, columns = np.mgrid[:size, :size]
    for row, column in ((12, 25), (27, 14), (size / 2 - 0.5, size / 2 - 0.5)):
        x = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * 2.5**2))
        operator = Radon.sparse_view(size, 60)
        y = operator.forward(x)
        found = play("skimage FBP", np.stack([y, 0.5 * y, 0 * y], axis=-1) if colour else y, operator)
        for plane, part in zip(np.moveaxis(np.atleast_3d(found), 2, 0), (1, 0.5, 0), strict=False):
            if part == 0:
                assert np.abs(plane).max() < 1e-6
                continue
            spot = np.where((rows - row) ** 2 + (columns - column) ** 2 < 7**2, plane, 0)
            centre = np.array([np.sum(rows * spot), np.sum(columns * spot)]) / spot.sum()
            assert np.abs(centre - [row, column]).max() < 0.05, "shifted"
            assert np.abs(plane - part * x).max() < 0.08 * part, "too bright, too dark or blurred"


def test_back_projection_restores_a_picture_as_scikit_image_does():
    """For an odd size its centre is ours, and its own projections give as good a picture; an even size is no worse."""
    from skimage.transform import iradon, radon

    inner, quality = np.s_[4:-4, 4:-4], {}
    for size in (63, 64):
        x, y, operator, _ = league.damage(photo("camera", size), "tomography")
        quality[size] = psnr(x[inner], play("skimage FBP", y, operator)[inner])
        if size % 2:
            own = radon(x.astype(np.float64), operator.angles, circle=False)
            own = psnr(x[inner], iradon(own, operator.angles, circle=False, output_size=size)[inner])
            assert abs(quality[size] - own) < 0.3
    assert quality[64] > quality[63] - 1.2


# -------------------------------------------------------------------------------------------------- inpainting


@pytest.mark.parametrize("depth", [(), (3,)])
def test_the_biharmonic_peer_fills_holes_and_keeps_known_pixels(depth):
    """It solves the equations that ours solves."""
    from helpers.restoration import biharmonic

    x = photo("coffee", 32, color=bool(depth)).astype(np.float64)[:, :27]
    operator = Mask.random((32, 27), 0.5, np.random.default_rng(0))
    y = operator.forward(x)
    found = play("skimage biharmonic", y, operator)
    assert np.array_equal(found[operator.mask], y[operator.mask])
    np.testing.assert_allclose(found, biharmonic(y, operator, tolerance=1e-10), atol=1e-5)


# ------------------------------------------------------------------------------------------- tuned, and told all


def sweep(name, y, operator, sigma):
    """Return what a library gives for a row of settings: the rival of the league may not be far below the best."""
    from skimage import restoration

    factors = 1.3 ** np.arange(-3, 4)
    if name == "skimage TV":
        return [restoration.denoise_tv_chambolle(y, weight=f * sigma, eps=2e-5) for f in 0.9 * factors]
    if name == "skimage NL-means":
        return [restoration.denoise_nl_means(y, patch_size=5, patch_distance=6, h=f * sigma, sigma=sigma)
                for f in 0.7 * factors]
    if name == "skimage wavelet":
        return [restoration.denoise_wavelet(y, sigma=f * sigma, wavelet="db2") for f in factors]
    return [restoration.wiener(y, operator.kernel, f, clip=False) for f in 0.03 * factors**2]


TASKS_OF = {"skimage TV": ("denoise15", "denoise50"), "skimage wavelet": ("denoise15", "denoise50"),
            "skimage NL-means": ("denoise15", "denoise50"), "skimage Wiener": ("deblur",)}


@pytest.mark.parametrize("name", TASKS_OF)
def test_a_rival_is_not_far_below_the_best_that_its_library_can_do(name):
    """On training photographs, on average over pictures and noise levels, within a third of a decibel."""
    found, best, size = [], [], 128 if name == "skimage Wiener" else 72  # which is quick, and hangs on the border
    for task in TASKS_OF[name]:
        games = [league.damage(photo(one, size), task, 2) for one in FEW]
        found.append(np.mean([psnr(x, play(name, y, operator, sigma)) for x, y, operator, sigma in games]))
        swept = np.array([[psnr(x, answer) for answer in sweep(name, y, operator, sigma)]
                          for x, y, operator, sigma in games])
        best.append(swept.mean(axis=0).max())
    assert np.mean(found) > np.mean(best) - 0.33, f"{found} dB, and {best} dB are possible"


@pytest.mark.parametrize("name", ["skimage Wiener", "skimage unsupervised Wiener"])
def test_a_deblurring_rival_is_told_the_right_blur(name):
    """A lopsided blur shifts a picture: whoever is told its mirror image shifts it the wrong way."""
    kernel = np.zeros((7, 7))
    kernel[3, 3:] = kernel[3:, 3] = 1 / 7
    operator = Blur(kernel / kernel.sum())
    gains = []
    for x in (photo(one, 64)[:, :57] for one in FEW):
        y = measure(x, operator, 2 / 255, np.random.default_rng(0))
        gains.append(psnr(x, play(name, y, operator, 2 / 255)) - psnr(x, y))
    assert np.mean(gains) > 2.0, gains


@pytest.mark.parametrize("name", ["skimage TV", "skimage NL-means", "skimage wavelet"])
def test_a_denoising_rival_treats_colours_as_colours(name):
    """Together at least as good as each channel alone; and no channel for a row of pixels."""
    together, alone = [], []
    for x in photos("train", 64, color=True).values():
        y = measure(x, Identity(), 25 / 255, np.random.default_rng(1))
        together.append(psnr(x, play(name, y, Identity(), 25 / 255)))
        planes = [play(name, np.ascontiguousarray(y[..., c]), Identity(), 25 / 255) for c in range(3)]
        alone.append(psnr(x, np.stack(planes, axis=-1)))
    assert np.mean(together) > np.mean(alone) - 0.1


@pytest.mark.parametrize("name", [name for name in league.METHODS if name.startswith(("skimage", "Pillow"))])
def test_rivals_know_only_their_own_work(name):
    right = {"denoise": Identity(), "deblur": Blur.gaussian(1), "inpaint": Mask.block((16, 16), 4),
             "superres": Downsample(2), "tomography": Radon.sparse_view(16, 5)}
    (own,) = league.METHODS[name].kinds
    for kind, operator in right.items():
        y = operator.forward(np.full((16, 16), 0.5))
        if kind == own:
            assert play(name, y, operator, 0.1).shape == (16, 16)
        else:
            with pytest.raises(ValueError, match="is not for"):
                play(name, y, operator, 0.1)
