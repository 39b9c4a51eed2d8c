"""Plausible wrong answers to the exercises of "Questions, and an experiment for each answer"."""

import numpy as np


def wrapping(x, x_hat):
    """Subtract first."""
    peak = 255 if x.dtype == np.uint8 else 1
    with np.errstate(over="ignore"):
        return 10 * np.log10(peak**2 / np.mean((x - x_hat) ** 2))


def by_maximum(x, x_hat):
    """Let the largest value decide."""
    x, x_hat = (p / 255 if p.max() > 1 else p.astype(float) for p in (x, x_hat))
    return -10 * np.log10(np.mean((x - x_hat) ** 2))


def by_first(x, x_hat):
    """Take both pictures for the type of the first."""
    peak = 255 if x.dtype == np.uint8 else 1
    return 10 * np.log10(peak**2 / np.mean((x.astype(float) - x_hat.astype(float)) ** 2))


WRONG = {
    "printed": [
        (75.2, "is not the right"),
        (75.2 + 48.13, "grown still further"),
        (75.2 - 24.07, "half of the way"),
        (75.2 / 255, "are logarithms"),
        (75.2 - 20 * np.log(255), "natural logarithm"),
    ],
    "tenth": [
        ("a", "common to both"),
        ("c", "lottery"),
    ],
    "safe": [
        (wrapping, "wraps around"),
        (by_maximum, "nearly black"),
        (by_first, "a uint8 picture and a floating-point one"),
        (lambda x, x_hat: 10 * np.log10(255**2 / np.mean((x.astype(float) - x_hat.astype(float)) ** 2)), "48 dB"),
        (lambda x, x_hat: 10 * np.log10(np.mean((x.astype(float) - x_hat) ** 2)), "sign is turned"),
    ],
    "unseen": [
        (lambda A, d: np.linalg.pinv(A) @ A @ d, "does see"),
        (lambda A, d: d - A.T @ (A @ d), "rows of A are perpendicular"),
        (lambda A, d: 0 * d, "Zero is unseen"),
        (lambda A, d: np.linalg.svd(A)[2][-1], "not the part of d"),
        (lambda A, d: d, "still sees"),
    ],
}
