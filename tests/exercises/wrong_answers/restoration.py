"""Plausible wrong answers to the exercises of "Ask what the measurement cannot tell", each with a piece of its hint."""

import numpy as np
from scipy.ndimage import convolve, correlate

from helpers.operators import Downsample

WRONG = {
    "unseen": [
        (256, "does fix"),
        (64 * 64 - 16, "more measured numbers"),
        (15, "single square"),
        (0, "something is unseen"),
    ],
    "threshold": [
        (0.001, "amplified noise"),
        (0.5, "thrown away"),
        (-0.1, "negative"),
    ],
    "consistent": [
        (lambda other, y, factor: other + Downsample(factor).adjoint(y - Downsample(factor).forward(other)),
         "too faintly"),
        (lambda other, y, factor: np.kron(y, np.ones((factor, factor))), "forgotten"),
        (lambda other, y, factor: other + np.kron(Downsample(factor).forward(other) - y, np.ones((factor, factor))),
         "wrong way"),
    ],
    "majority": [
        (lambda candidates, weights: weights @ candidates, "grey"),
        (lambda candidates, weights: candidates[weights.argmax()], "MAP"),
        (lambda candidates, weights: np.round(candidates.mean(axis=0)), "improbable"),
    ],
    "flip": [
        (lambda r, kernel: convolve(r, kernel, mode="wrap"), "forward again"),
        (lambda r, kernel: convolve(r, kernel[::-1], mode="wrap"), "one axis only"),
        (lambda r, kernel: convolve(r, kernel.T, mode="wrap"), "transposed"),
        (lambda r, kernel: correlate(r, kernel), "mirrored now"),
        (lambda r, kernel: convolve(r, kernel[::-1, ::-1], mode="constant"), "inner products"),
    ],
}
