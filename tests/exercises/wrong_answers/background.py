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
    "left_over": [
        (lambda H, S, noise: S * (noise / (np.abs(H) ** 2 * S + noise)) ** 2, "Add the noise"),
        (lambda H, S, noise: noise * (np.abs(H) * S / (np.abs(H) ** 2 * S + noise)) ** 2, "Add the picture"),
        (lambda H, S, noise: np.abs(H) ** 2 * S * noise / (np.abs(H) ** 2 * S + noise), "blurred"),
        (lambda H, S, noise: S * noise / (np.abs(H) * S + noise), "squared"),
        (lambda H, S, noise: S / (np.abs(H) ** 2 * S + noise), "unit of S"),
    ],
}
