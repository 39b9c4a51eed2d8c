"""Plausible wrong answers to the exercises of "Measure what you care about", each with a piece of its hint."""

import numpy as np
from scipy.linalg import sqrtm
from scipy.ndimage import gaussian_filter, median_filter

from helpers.exercises.measuring import _gains
from helpers.images import photos
from helpers.metrics import bootstrap_interval


def frechet(first, second, root):
    C, S = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    return np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2) + np.trace(C + S - 2 * root(C, S))


CLAIM = {"first": lambda y, sigma: gaussian_filter(y, 1), "second": lambda y, sigma: median_filter(y, 3),
         "sigma": 20 / 255}
GAINS = _gains(CLAIM, 20 / 255, photos("test", size=128).values())
CLAIM |= {"interval": bootstrap_interval(GAINS)[1:], "worst": list(photos("test"))[int(GAINS.argmin())]}

WRONG = {
    "unmask": [
        (67 - 10 * np.log10(255), "as a square"),
        (67 + 20 * np.log10(255), "taken off"),
        (67 / 255, "logarithms"),
    ],
    "roots": [
        (lambda first, second: frechet(first, second, lambda C, S: sqrtm(C).real @ sqrtm(S).real), "what it was"),
        (lambda first, second: frechet(first, second, lambda C, S: np.sqrt(np.maximum(C @ S, 0))), "by itself"),
        (lambda first, second: frechet(first, second, lambda C, S: sqrtm(C @ S).real / 2), "factor 2"),
        (lambda first, second: frechet(first, second - second.mean(axis=0) + first.mean(axis=0),
                                       lambda C, S: sqrtm(C @ S).real), "distance of the means"),
        (lambda first, second: frechet(first, second, lambda C, S: C), "For two of our sets"),
    ],
    "rival": [
        ((-0.35, 1.02), "reversed"),
        ((24.8, 26.84), "alone"),
        ((-2.99, 2.24), "counts twice"),
    ],
    "matched": [
        (lambda variance, sigma: variance / (variance + sigma**2), "MMSE"),
        (lambda variance, sigma: np.sqrt((variance + sigma**2) / variance), "noise and all"),
        (lambda variance, sigma: np.sqrt(variance / (variance + sigma)), "standard deviation"),
    ],
    "claim": [
        (CLAIM | {"interval": (0.4, 2.0)}, "We repeat"),
        (CLAIM | {"interval": -np.array(CLAIM["interval"])[::-1]}, "reversed"),
        (CLAIM | {"interval": (GAINS.min(), GAINS.max())}, "how sure their mean is"),
        (CLAIM | {"worst": list(photos("test"))[int(GAINS.argmax())]}, "does worst"),
        (CLAIM | {"sigma": 20}, "share of the range"),
        (CLAIM | {"first": lambda y, sigma: y[:-1]}, "has shape"),
        ((0.4, 2.0), "dictionary"),
    ],
}
