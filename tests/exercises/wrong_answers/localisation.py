"""Plausible wrong answers to the exercises of "Find yourself in a damaged picture", each with a piece of its hint."""

import numpy as np
from scipy.ndimage import gaussian_filter

from helpers.exercises.localisation import _gains


def _trials(share, sample, confidence, round_up=True):
    exact = np.log(1 - confidence) / np.log(1 - share**sample)
    return np.ceil(exact) if round_up else exact


def _wrong_axis(distances, ratio):
    ordered = np.sort(distances, axis=0)
    return ordered[0] < ratio * ordered[1]


def _row_wise(compare):
    def clear(distances, ratio):
        ordered = np.sort(distances, axis=1)
        return compare(ordered, ratio)

    return clear


def soft(width):
    return lambda noisy, sigma: gaussian_filter(noisy, width)


def gains(restore, over_total_variation):
    measured = [_gains(restore, name, (0, 1)) for name in ("rocket", "coffee", "astronaut")]
    return np.array(measured)[..., int(over_total_variation)]


WRONG = {
    "trials": [
        (lambda share, sample, confidence: _trials(share, 1, confidence), "power of sample"),
        (lambda share, sample, confidence: _trials(share, sample, 1 - confidence), "make sure of failure"),
        (lambda share, sample, confidence: _trials(1 - share, sample, confidence) if share != 0.5
         else _trials(share, sample, confidence), "every match is wrong"),
        (lambda share, sample, confidence: int(_trials(share, sample, confidence, False)), "rounded up"),
    ],
    "clear": [
        (_wrong_axis, "axis=1"),
        (_row_wise(lambda ordered, ratio: ordered[:, 0] >= ratio * ordered[:, 1]), "less"),
        (_row_wise(lambda ordered, ratio: ratio * ordered[:, 0] < ordered[:, 1]), "not to the smallest"),
        (_row_wise(lambda ordered, ratio: ordered[:, 0] < 0.1 * ordered[:, 1]), "judged wrongly"),
        (lambda distances, ratio: distances[:, 0] < ratio * distances[:, 1], "Sort each row first"),
    ],
    "shift": [
        (lambda p, q, rng: (q - p).mean(), "mean over all"),
        (lambda p, q, rng: np.median((q - p).real) + 1j * np.median((q - p).imag), "median"),
        (lambda p, q, rng: 25j - 40, "backwards"),
        (lambda p, q, rng: (q - p)[np.argmax(np.abs(q - p))], "single match"),
    ],
    "project": [
        ((soft(1), np.full((3, 2), 40)), "not what your function does"),
        ((soft(1), gains(soft(1), over_total_variation=False)), "over the noisy view"),
        ((soft(4), gains(soft(4), over_total_variation=True)), "not practised on"),
        ((lambda noisy, sigma: noisy[:-1], np.zeros((3, 2))), "has shape"),
        (soft(1), "Two things"),
    ],
}
