"""Plausible wrong answers to the exercises of "Estimate the error you cannot see", each with a piece of its hint."""

import numpy as np

from helpers.exercises.choosing import _hard, _walk

MISFIT, LEFT = _walk()
STEPS, ESTIMATE, ERROR = _hard()
LOWEST = float(STEPS[ERROR.argmin()])


def box(product=True, two=2.0, last=1.0, step=True):
    def black_box(denoise, y, sigma, b, epsilon):
        x_hat = denoise(y)
        difference = denoise(y + epsilon * b) - x_hat
        slope = np.mean(b * difference if product else difference) / (epsilon if step else 1)
        return np.mean((x_hat - y) ** 2) + two * sigma**2 * slope - last * sigma**2

    return black_box


def coloured(two=2.0, last=1.0, sigma=False, signs=False):
    def coloured_sure(denoise, y, b, epsilon):
        x_hat, noise = denoise(y), np.mean(b**2)
        b = np.sign(b) if signs else b
        price = two * np.mean(b * (denoise(y + epsilon * b) - x_hat)) / epsilon
        return np.mean((x_hat - y) ** 2) + price * (noise if sigma or signs else 1) - last * noise

    return coloured_sure


WRONG = {
    "factor": [(5 / 6, "noise included"), (0.9, "factor 2"), (0.2, "1 − c"), (1.0, "smallest misfit"),
               (0.5, "can be lower")],
    "black_box": [
        (box(two=1.0), "half of what it is"),
        (box(product=False), "signs of b cancel"),
        (box(product=False, two=1.0), "Nothing has changed"),
        (box(last=0.0), "has gone"),
        (box(step=False), "divided by ε"),
        (box(two=-2.0), "expected"),
    ],
    "stop": [
        (int(np.argmin(MISFIT / LEFT**2)), "One step too few"),
        (1 + int(np.argmax(MISFIT < 0.02**2)), "discrepancy"),
        (1 + int(np.argmin(MISFIT / LEFT)), "always wants more"),
        (0.5, "no number of steps"),
        (250, "times the lowest"),
    ],
    "jump": [
        ((LOWEST, np.sqrt(2)), "exchanged"),
        ((np.sqrt(2) * 25 / 255, LOWEST * 25 / 255), "image units"),
        ((0.5, LOWEST), "The error is right"),
        ((1.4, 1.5), "The estimate is right"),
        ((5.0, 0.0), "Neither"),
    ],
    "coloured": [
        (coloured(two=1.0), "half of what it is"),
        (coloured(last=0.0), "taken off"),
        (coloured(sigma=True), "once more"),
        (coloured(signs=True), "asks for tr J"),
        (coloured(two=-2.0), "expected"),
    ],
}
