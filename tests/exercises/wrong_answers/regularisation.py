"""Plausible wrong answers to the exercises of "Say what you believe", each with a piece of its hint."""

import numpy as np
from scipy.ndimage import gaussian_filter

from helpers.exercises.regularisation import _gains
from helpers.metrics import bootstrap_interval, psnr


def cut(whole, half, shift):
    """Return the first 2 · half + 1 rows and columns after a shift."""
    return np.roll(whole, (shift, shift), axis=(0, 1))[: 2 * half + 1, : 2 * half + 1]


def factors(H, r, weight):
    """Return Tikhonov's factor for each wave."""
    return np.conj(H) / (np.abs(H) ** 2 + weight * r)


def score(method, weight, pairs):
    return np.mean([psnr(x, method(y, weight)) for x, y in pairs])


def chosen(method, weights, pairs):
    return max(weights, key=lambda weight: score(method, weight, pairs))


def two_cases(v, weight, delta, border, inside=None, outside=None):
    inside = v * delta / (delta + weight) if inside is None else inside
    outside = v - weight * np.sign(v) if outside is None else outside
    return np.where(np.abs(v) <= border, inside, outside)


def soft(v, sigma):
    return gaussian_filter(v, 3 * sigma)


GAINS = _gains(soft, "blur")
NOT_AT_ALL = bootstrap_interval(_gains(np.multiply, "blur"))[1:]

WRONG = {
    "doubled": [
        (2, "like σ itself"),
        (0.25, "trusts it more"),
        (1, "not the prior alone"),
    ],
    "kernel": [
        (lambda H, r, weight, half: np.fft.ifft2(factors(H, r, weight)).real, "full size"),
        (lambda H, r, weight, half: cut(np.fft.ifft2(factors(H, r, weight)).real, half, 0), "in the corner"),
        (lambda H, r, weight, half: cut(np.fft.ifft2(factors(H, r, weight)).real, half, half)[:-1, :-1], "even size"),
        (lambda H, r, weight, half: cut(np.fft.ifft2(np.conj(factors(H, r, weight))).real, half, half), "bar over H"),
        (lambda H, r, weight, half: cut(np.fft.ifft2(factors(H, 1, weight)).real, half, half), "all waves alike"),
        (lambda H, r, weight, half: cut(np.fft.ifft2(factors(H, r, weight)), half, half), "complex"),
    ],
    "report": [
        (lambda method, weights, train, test: np.mean([max(psnr(x, method(y, weight)) for weight in weights)
                                                       for x, y in test]), "likes best"),
        (lambda method, weights, train, test: score(method, chosen(method, weights, test), test), "have chosen it"),
        (lambda method, weights, train, test: score(method, chosen(method, weights, train), train), "that chose"),
        (lambda method, weights, train, test: chosen(method, weights, train), "chosen weight"),
        (lambda method, weights, train, test: score(method, chosen(method, weights, train + test), train + test),
         "not the honest mean"),
    ],
    "huber": [
        (lambda v, weight, delta: two_cases(v, weight, delta, delta), "wrong place"),
        (lambda v, weight, delta: np.sign(v) * np.maximum(np.abs(v) - weight, 0), "absolute value"),
        (lambda v, weight, delta: v * delta / (delta + weight), "of the parabola"),
        (lambda v, weight, delta: two_cases(v, weight, delta, delta + weight, v / (1 + weight)), "width"),
        (lambda v, weight, delta: two_cases(v, weight, delta, delta + weight, None, v - weight), "away from zero"),
        (lambda v, weight, delta: v, "not the minimum"),
    ],
    "prior": [
        ((soft, (2.0, 3.0)), "We repeat"),
        ((soft, -np.array(bootstrap_interval(GAINS)[1:])[::-1]), "reversed"),
        ((soft, (GAINS.min(), GAINS.max())), "how sure their mean is"),
        ((np.multiply, NOT_AT_ALL), "does not restore"),
        ((lambda v, sigma: v[:-1], (0.0, 1.0)), "has shape"),
        (soft, "Two things"),
    ],
}
