"""Plausible wrong answers to the exercises of "Measure what you care about", each with a piece of its hint."""

import numpy as np

WRONG = {
    "unmask": [
        (67 - 10 * np.log10(255), "as a square"),
        (67 + 20 * np.log10(255), "taken off"),
        (67 / 255, "logarithms"),
    ],
    "one_feature": [
        (lambda first, second: (np.mean(first) - np.mean(second)) ** 2 + (np.var(first) - np.var(second)) ** 2,
         "variances"),
        (lambda first, second: (np.mean(first) - np.mean(second)) ** 2, "width"),
        (lambda first, second: np.hypot(np.mean(first) - np.mean(second), np.std(first) - np.std(second)),
         "square root"),
        (lambda first, second: abs(np.mean(first) - np.mean(second)) + abs(np.std(first) - np.std(second)),
         "not squared"),
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
}
