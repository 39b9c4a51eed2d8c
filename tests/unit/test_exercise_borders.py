"""Exercises whose answer is found by search promise a margin: just inside it an answer is right, well outside wrong.

The scores are computed here anew, so a margin that has grown in the check is seen.
"""

import numpy as np
import pytest
import scipy.ndimage

from helpers.exercises import verdict
from helpers.images import photo, photos
from helpers.metrics import psnr
from helpers.operators import Blur, Identity, measure


def widths():
    """First restoration: within 0.02 dB of the best Gaussian."""
    x = photo("camera")
    y = measure(x, Identity(), 25 / 255, np.random.default_rng(0))
    grid = np.linspace(0.5, 2.0, 76)
    return grid, np.array([psnr(x, scipy.ndimage.gaussian_filter(y, width)) for width in grid]), 0.02


def thresholds():
    """Restoration: within 0.1 dB of the best threshold for dividing by a transfer function."""
    x = photo("flower", size=184).astype(np.float64)
    kernel = Blur.gaussian(1.0).kernel
    padded = np.zeros(x.shape)
    padded[: len(kernel), : len(kernel)] = kernel
    transfer = np.fft.fft2(np.roll(padded, (-(len(kernel) // 2),) * 2, (0, 1)))
    y = np.fft.fft2(measure(x, Blur.gaussian(1.0), 0.01, np.random.default_rng(0)))
    grid = np.geomspace(0.01, 0.4, 60)
    scores = []
    for t in grid:
        kept = np.divide(y, transfer, out=np.zeros_like(y), where=np.abs(transfer) > t)
        scores.append(psnr(x, np.clip(np.fft.ifft2(kept).real, 0, 1)))
    return grid, np.array(scores), 0.1


def degrees_of_a_picture():
    """Polynomial image: within 0.1 dB of the best degree."""
    from numpy.polynomial.legendre import legvander

    x = photo("flower")
    y = measure(x, Identity(), 25 / 255, np.random.default_rng(0))
    q, _ = np.linalg.qr(legvander((np.arange(256) + 0.5) / 128 - 1, 130))
    a = q.T @ y @ q
    grid = np.arange(60, 131)
    return grid, np.array([psnr(x, q[:, : d + 1] @ a[: d + 1, : d + 1] @ q[:, : d + 1].T) for d in grid]), 0.1


def degrees_of_a_curve():
    """Least squares: within 5 % of the least mean squared error, in decibels."""
    t, fine = np.linspace(-1, 1, 30), np.linspace(-1, 1, 300)
    grid = np.arange(0, 20)
    errors = []
    for d in grid:
        fit = np.polynomial.legendre.legvander(fine, d) @ np.linalg.pinv(np.polynomial.legendre.legvander(t, d))
        errors.append(np.mean((fit @ np.sin(4 * t) - np.sin(4 * fine)) ** 2 + 0.03**2 * np.sum(fit**2, axis=1)))
    return grid, -10 * np.log10(errors), 10 * np.log10(1.05)


SEARCHES = {"first_restoration.best_width": widths, "restoration.threshold": thresholds,
            "polynomial_image.denoise": degrees_of_a_picture, "least_squares.degree": degrees_of_a_curve}


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_accepts_its_margin_and_no_more(name):
    grid, scores, margin = SEARCHES[name]()
    below = scores.max() - scores
    inside, outside = grid[below < 0.7 * margin], grid[below > 1.5 * margin]
    outside = outside[np.argsort(below[below > 1.5 * margin])][:6]  # those next to the margin, on either side
    assert len(inside) and len(outside) == 6
    for answer in {inside[0], inside[-1]}:
        assert verdict(name, answer).status == "right", answer
    for answer in outside:
        assert verdict(name, answer).status == "wrong", answer


def test_the_interval_of_the_rival_may_be_off_by_a_little_of_its_width():
    scores = np.zeros((2, 8))
    for i, x in enumerate(photos("test", size=128).values()):
        y = measure(x, Identity(), 20 / 255, np.random.default_rng(i))
        scores[:, i] = psnr(x, scipy.ndimage.gaussian_filter(y, 1.0)), psnr(x, scipy.ndimage.median_filter(y, 3))
    gain = scores[1] - scores[0]
    means = gain[np.random.default_rng(5).integers(8, size=(20_000, 8))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    assert verdict("measuring.rival", (low, high)).status == "right"
    for wrong in ((low - 0.25, high), (low, high + 0.25), (low + 0.25, high + 0.25), (low, high - 0.25), (high, low),
                  tuple(np.quantile(means, [0.16, 0.84])), tuple(np.quantile(gain, [0.025, 0.975]))):
        assert verdict("measuring.rival", wrong).status == "wrong", wrong


def paired(a, b, resamples, seed):
    d = a - b
    means = d[np.random.default_rng(seed).integers(len(d), size=(resamples, len(d)))].mean(axis=1)
    return np.quantile(means, [0.025, 0.975])


INTERVALS = {
    "no seed at all": lambda a, b, resamples, seed: paired(a, b, resamples, None),
    "always the same seed": lambda a, b, resamples, seed: paired(a, b, resamples, 4),
    "90 % of the means": lambda a, b, resamples, seed: np.quantile(
        (a - b)[np.random.default_rng(seed).integers(12, size=(resamples, 12))].mean(axis=1), [0.05, 0.95]),
    "99 % of the means": lambda a, b, resamples, seed: np.quantile(
        (a - b)[np.random.default_rng(seed).integers(12, size=(resamples, 12))].mean(axis=1), [0.005, 0.995]),
    "half of the pictures": lambda a, b, resamples, seed: paired(a[:6], b[:6], resamples, seed),
    "b minus a": lambda a, b, resamples, seed: paired(b, a, resamples, seed),
    "low and high exchanged": lambda a, b, resamples, seed: paired(a, b, resamples, seed)[::-1],
    "a tenth to the right": lambda a, b, resamples, seed: paired(a, b, resamples, seed) + 0.1,
    "drawn without replacement": lambda a, b, resamples, seed: np.quantile(
        [np.random.default_rng([seed, i]).permutation(a - b)[:11].mean() for i in range(400)], [0.025, 0.975]),
}


def test_the_paired_interval_is_accepted():
    assert verdict("league.interval", paired).status == "right"


@pytest.mark.parametrize("wrong", INTERVALS)
def test_another_interval_is_refused(wrong):
    judged = verdict("league.interval", INTERVALS[wrong])
    assert judged.status == "wrong" and judged.hint


def test_a_number_where_a_search_ends_is_refused_if_it_is_no_number():
    for name in [*SEARCHES, "measuring.rival"]:
        for answer in ("0.9", None, np.nan, np.inf, [1, 2, 3], -1.0, True):
            assert verdict(name, answer).status in ("wrong", "not yet"), (name, answer)
