"""Plausible wrong answers to the exercises of "Questions, and an experiment for each answer"."""

import numpy as np
from scipy.stats import norm


def by_maximum(x, x_hat):
    """Let the largest value decide."""
    x, x_hat = (p / 255 if p.max() > 1 else p.astype(float) for p in (x, x_hat))
    return -10 * np.log10(np.mean((x - x_hat) ** 2))


def by_first(x, x_hat):
    """Take both pictures for the type of the first."""
    peak = 255 if x.dtype == np.uint8 else 1
    return 10 * np.log10(peak**2 / np.mean((x.astype(float) - x_hat.astype(float)) ** 2))


def broken(x, x_hat):
    """Return what the program of the exercise returns."""
    peak = 255 if x.max() > 1 else 1
    with np.errstate(over="ignore"):
        return 10 * np.log10(peak**2 / np.mean((x - x_hat) ** 2))


def entropy(shares):
    """Return the entropy in nats."""
    p = shares[shares > 0]
    return -np.sum(p * np.log(p))


WRONG = {
    "printed": [
        (75.2, "is not the right"),
        (75.2 + 48.13, "grown still further"),
        (75.2 - 24.07, "half of the way"),
        (75.2 / 255, "are logarithms"),
        (75.2 - 20 * np.log(255), "natural logarithm"),
    ],
    "scans": [
        (lambda d, p: 2 * norm.ppf(p) / d, "like n itself"),
        (lambda d, p: (norm.ppf(p) / d) ** 2, "factor of four"),
        (lambda d, p: (2 * norm.ppf((1 + p) / 2) / d) ** 2, "both tails"),
        (lambda d, p: (2 * norm.ppf(p)) ** 2 / d, "Not all of the equation"),
        (lambda d, p: p / d**2, "with which the share would be"),
    ],
    "tenth": [
        (("a", 3), "common to all three"),
        (("c", 3), "crosses the other"),
        (("b", 10), "0.75 σ is ahead"),
        (("b", 7), "is behind"),
        (("b", 5), "under 5 seeds"),
        ("b", "A letter and a number"),
    ],
    "safe": [
        (broken, "wraps around"),
        (by_maximum, "nearly black"),
        (by_first, "a uint8 picture and a floating-point one"),
        (lambda x, x_hat: 10 * np.log10(255**2 / np.mean((x.astype(float) - x_hat.astype(float)) ** 2)), "48 dB"),
        (lambda x, x_hat: 10 * np.log10(np.mean((x.astype(float) - x_hat) ** 2)), "sign is turned"),
    ],
    "classes": [
        (entropy, "not yet a number"),
        (lambda shares: np.exp(-entropy(shares)), "sign of the entropy"),
        (lambda shares: np.sum(shares > 0), "occur at all"),
    ],
    "unseen": [
        (lambda A, d: np.linalg.pinv(A) @ A @ d, "does see"),
        (lambda A, d: d - A.T @ (A @ d), "rows of A are perpendicular"),
        (lambda A, d: 0 * d, "Zero is unseen"),
        (lambda A, d: np.linalg.svd(A)[2][-1], "not the part of d"),
        (lambda A, d: d, "still sees"),
    ],
}
