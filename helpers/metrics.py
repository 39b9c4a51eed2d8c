"""How good is a restoration, how good are samples, and how sure are we?

Images are float arrays in [0, 1]. Estimates may overshoot that range: they are clipped before they are compared.
"""

import math
from typing import NamedTuple

import numpy as np

from helpers import validation

SLACK = 4.0  # an unclipped estimate may overshoot [0, 1] this far; 0-255 data may not


def _pair(x, x_hat):
    x = validation.image(x, "x")
    x_hat = validation.image(x_hat, "x_hat", slack=SLACK)
    validation.same_shape(x_hat, "x_hat", x, "x")
    return x, np.clip(x_hat, 0, 1)


def psnr(x, x_hat):
    """Return the peak signal-to-noise ratio of an estimate in decibels: -10 log10(mean squared error).

    Both are images of one shape; the peak is 1; ``x_hat`` is clipped to [0, 1]; no border is cropped. Equal images
    give infinity.

    >>> import numpy as np
    >>> round(psnr(np.zeros((8, 8)), np.full((8, 8), 0.1)), 6)
    20.0
    """
    x, x_hat = _pair(x, x_hat)
    error = float(np.mean((x.astype(np.float64) - x_hat) ** 2))
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(x, x_hat):
    """Return the structural similarity of an estimate: 1 for equal images, near 0 for unrelated ones.

    scikit-image's implementation with the settings of Wang et al. 2004 (doi:10.1109/TIP.2003.819861): Gaussian
    window of width 1.5, 11 × 11 pixels. Colour images are averaged over channels.

    Raises
    ------
    ValueError
        For images with a side under 11 pixels.
    """
    from skimage.metrics import structural_similarity  # half a second: loaded on first use

    x, x_hat = _pair(x, x_hat)
    if min(x.shape[:2]) < 11:
        raise ValueError(f"x has shape {x.shape}, but SSIM compares windows of 11 × 11 pixels")
    return float(structural_similarity(
        x, x_hat, data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        channel_axis=None if x.ndim == 2 else 2,
    ))


def frechet_distance(features_a, features_b):
    """Return the Fréchet distance between two sets of features, each treated as a Gaussian cloud.

    ``|m_a - m_b|² + trace(C_a + C_b - 2 (C_a C_b)^½)``, the quantity that FID computes on Inception features
    (Heusel et al. 2017, arXiv:1706.08500). Its value means nothing without the value of real against real: finite
    sets differ even when their sources do not.

    Parameters
    ----------
    features_a, features_b : arrays (samples, features)
        At least two samples each, with equally many features.
    """
    return frechet_from(features_a)(features_b)


def frechet_from(features_a):
    """Return a function of ``features_b``: the :func:`frechet_distance` of both.

    What depends on ``features_a`` alone is computed here, once for many sets that are compared with it.
    """
    mean_a, covariance_a = _cloud(features_a, "features_a")
    root = _symmetric_root(covariance_a)

    def distance(features_b):
        mean_b, covariance_b = _cloud(features_b, "features_b")
        if len(mean_b) != len(mean_a):
            raise ValueError(f"features_b has {len(mean_b)} features, expected {len(mean_a)} like features_a")
        # trace (C_a C_b)^½ = sum of the square roots of the eigenvalues of C_a^½ C_b C_a^½, a symmetric matrix
        eigenvalues = np.linalg.eigvalsh(root @ covariance_b @ root)
        overlap = np.sqrt(np.maximum(eigenvalues, 0)).sum()
        gap = ((mean_a - mean_b) ** 2).sum()
        return float(max(gap + np.trace(covariance_a) + np.trace(covariance_b) - 2 * overlap, 0.0))

    return distance


def _cloud(features, name):
    """Return mean (C,) and covariance (C, C) of features (samples, C)."""
    features = validation.array(features, name, ranks=(2,)).astype(np.float64)
    if len(features) < 2:
        raise ValueError(f"{name} has {len(features)} sample, but a covariance needs at least 2")
    return features.mean(axis=0), np.atleast_2d(np.cov(features, rowvar=False))


def _symmetric_root(matrix):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def class_coverage(labels, classes=10):
    """Return the share of each class among ``labels``: a generator that forgets a class shows a zero here.

    ``labels`` holds whole numbers in 0 … classes - 1; the result has shape (classes,) and sums to one.
    """
    classes = validation.integer(classes, "classes", low=1)
    validation.array(labels, "labels", ranks=(1,))
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be whole numbers, but their type is {labels.dtype}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"labels must lie in 0 … {classes - 1}, but they span {labels.min()} … {labels.max()}")
    return np.bincount(labels, minlength=classes) / labels.size


class Interval(NamedTuple):
    """A mean with the ends of its confidence interval."""

    mean: float
    low: float
    high: float


def bootstrap_interval(values, level=0.95, resamples=2000, seed=0):
    """Return the mean of ``values`` with its bootstrap confidence interval (percentile method, Efron 1979).

    ``values`` has shape (n,); draw n of them with replacement, ``resamples`` times, and see how the mean moves.
    One value alone gives an interval of width zero, which says how little one value says.
    """
    values = validation.array(values, "values", ranks=(1,)).astype(np.float64)
    level = validation.number(level, "level", low=0, high=1)
    resamples = validation.integer(resamples, "resamples", low=1)
    rng = np.random.default_rng(validation.seed(seed))
    means = rng.choice(values, (resamples, values.size)).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values.mean()), float(low), float(high))
