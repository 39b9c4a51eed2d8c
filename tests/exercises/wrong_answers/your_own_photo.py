"""Plausible wrong answers to the exercises of "Restore a photo of your own", each with a piece of its hint."""

import numpy as np


def seams(y, denoise, size, margin):
    """Forget the margin."""
    x_hat = np.empty_like(y)
    for i in range(0, y.shape[0], size):
        for j in range(0, y.shape[1], size):
            x_hat[i : i + size, j : j + size] = denoise(y[i : i + size, j : j + size])
    return x_hat


def shifted(y, denoise, size, margin):
    """Keep the margin at the top and on the left in place of the tile."""
    x_hat = np.empty_like(y)
    for i in range(0, y.shape[0], size):
        for j in range(0, y.shape[1], size):
            part = denoise(y[max(i - margin, 0) : i + size + margin, max(j - margin, 0) : j + size + margin])
            tile = x_hat[i : i + size, j : j + size]
            tile[...] = part[: tile.shape[0], : tile.shape[1]]
    return x_hat


WRONG = {
    "reduced": [
        (5, "the level is its root"),
        (20, "reduces independent noise"),
        (40, "sum of four"),
        (10 / 255, "units of 1/255"),
    ],
    "truth": [
        ("a", "with the truth"),
        ("b", "structure of the truth"),
    ],
    "shots": [
        (lambda first, second: np.std(first - second), "two shots made it"),
        (lambda first, second: np.std(first - second) / 2, "variances add"),
        (lambda first, second: np.var(first - second) / 2, "a variance"),
        (lambda first, second: np.std(first), "scene itself"),
    ],
    "tiles": [
        (seams, "seams"),
        (shifted, "first tile is right"),
        (lambda y, denoise, size, margin: y, "Nothing was denoised"),
    ],
}
