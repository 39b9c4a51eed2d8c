"""Plausible wrong answers to the exercises of "Trace seventy years of restoration", each with a piece of its hint."""

import numpy as np

WRONG = {
    "one_frequency": [
        (1 / 0.5, "forgets the noise"),
        (0.5 * 12 / (0.5 * 12 + 1), "squared"),
        (12 / 13, "without any blur"),
    ],
    "forget_the_lens": [
        (25.0, "not the loss"),
        (-1.15, "sign"),
        (2.065, "damaged photograph"),
    ],
    "soft_threshold": [
        (lambda c, t: np.where(np.abs(c) > t, c, 0), "hard"),
        (lambda c, t: np.maximum(np.abs(c) - t, 0), "signs are lost"),
        (lambda c, t: np.sign(c) * (np.abs(c) - t), "crossed zero"),
        (lambda c, t: np.maximum(c - t, 0), "negative coefficients"),
    ],
}
