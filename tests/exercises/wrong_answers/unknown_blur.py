"""Plausible wrong answers to the exercises of "When the blur is unknown", each with its hint's words."""

import numpy as np
from scipy.signal import convolve, correlate


def _norms(a, b):
    return np.sqrt(np.sum(a**2) * np.sum(b**2))


WRONG = {
    "same": [("a", "sums to two"), ("c", "another picture")],
    "threshold": [
        (lambda d, lam, beta: np.sign(d) * np.maximum(np.abs(d) - lam / (2 * beta), 0), "soft threshold"),
        (lambda d, lam, beta: np.where(np.abs(d) > lam / beta, d, 0), "|d| itself"),
        (lambda d, lam, beta: np.where(beta * d**2 < lam, d, 0), "weak gradients are kept"),
        (lambda d, lam, beta: np.where(2 * beta * d**2 > lam, d, 0), "factor 2"),
    ],
    "repair": [
        (lambda k: np.abs(k) / np.abs(k).sum(), "turned into light"),
        (lambda k: np.maximum(k / k.sum(), 0), "cut afterwards"),
        (lambda k: k / k.sum(), "halos"),
        (lambda k: np.maximum(k, 0) / k.max(), "the sum that has to be"),
        (lambda k: np.maximum(k, 0), "Nothing is negative"),
    ],
    "time": [
        ((4, 7), "long hand for the short"),
        ((2, 20), "70 degrees"),
        ((1, 0), "does not point to 0"),
        ((10, 10), "not what the hands say"),
    ],
    "similarity": [
        (lambda a, b: np.sum(a * b) / _norms(a, b), "without any shift"),
        (lambda a, b: correlate(a, b).max(), "not divided"),
        (lambda a, b: np.fft.ifft2(np.fft.fft2(a) * np.fft.fft2(b).conj()).real.max() / _norms(a, b), "circular"),
        (lambda a, b: convolve(a, b).max() / _norms(a, b), "mirrored"),
    ],
}
