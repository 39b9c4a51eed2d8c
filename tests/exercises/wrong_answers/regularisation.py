"""Plausible wrong answers to the exercises of "Say what you believe", each with a piece of its hint."""

import numpy as np


def cut(whole, half, shift):
    """Return the first 2 · half + 1 rows and columns after a shift."""
    return np.roll(whole, (shift, shift), axis=(0, 1))[: 2 * half + 1, : 2 * half + 1]


def factors(H, r, weight):
    """Return Tikhonov's factor for each wave."""
    return np.conj(H) / (np.abs(H) ** 2 + weight * r)


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
    "shrink": [
        (lambda v, weight: np.where(np.abs(v) > weight, v, 0), "hard thresholding"),
        (lambda v, weight: v - weight * np.sign(v), "change their sign"),
        (lambda v, weight: np.maximum(v - weight, 0), "lose their sign"),
        (lambda v, weight: v / (1 + weight), "same share"),
    ],
}
