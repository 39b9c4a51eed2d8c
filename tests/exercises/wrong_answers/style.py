"""Plausible wrong answers to the exercises of "Repaint a photograph", each with a piece of its hint."""

import numpy as np

WEIGHTS = np.array([0.299, 0.587, 0.114])


def rows(a):
    """Return one row for each place."""
    return a.reshape(-1, a.shape[-1])


def scrambled(a):
    """Return what the page's broken program returns."""
    mixed = a.reshape(a.shape[-1], -1)
    return mixed @ mixed.T / mixed.shape[1]


def rest(a, T):
    """Return the Gram matrix without its target."""
    return a.T @ a / len(a) - T


WRONG = {
    "tells": [
        ("a", "does not care about their order"),
        ("c", "stands in no entry"),
    ],
    "gram": [
        (scrambled, "mix the channels"),
        (lambda a: rows(a).T @ rows(a), "a sum over the places"),
        (lambda a: rows(a).T @ rows(a) / a.size, "number of channels"),
        (lambda a: np.cov(rows(a).T, bias=True), "covariance"),
    ],
    "slope": [
        (lambda a, T: 2 / len(a) * a @ rest(a, T), "Half of it"),
        (lambda a, T: 4 * a @ rest(a, T), "number of places"),
        (lambda a, T: -4 / len(a) * a @ rest(a, T), "downhill"),
        (lambda a, T: 4 / len(a) * a @ (a.T @ a - T), "a sum and not a mean"),
    ],
    "colours": [
        (lambda photo, painted: photo + ((painted - photo) @ WEIGHTS)[..., None], "left [0, 1]"),
        (lambda photo, painted: np.clip(painted - ((painted - photo) @ WEIGHTS)[..., None], 0, 1), "of the painted"),
        (lambda photo, painted: np.clip(photo + (painted - photo).mean(-1, keepdims=True), 0, 1), "weigh alike"),
        (lambda photo, painted: np.repeat((painted @ WEIGHTS)[..., None], 3, -1), "in grey"),
        (lambda photo, painted: np.clip(photo + (painted @ WEIGHTS)[..., None], 0, 1), "own brightness"),
    ],
    "epsilon": [
        (lambda a, v, epsilon: 1.0, "without epsilon"),
        (lambda a, v, epsilon: np.sqrt((v + epsilon) / (a**2 * v + epsilon)), "how the divisor changes"),
        (lambda a, v, epsilon: a * np.sqrt((v + epsilon) / (a * v + epsilon)), "mean of squares"),
        (lambda a, v, epsilon: a * (v + epsilon) / (a**2 * v + epsilon), "A root is missing"),
    ],
    "neighbours": [
        (lambda a: (a - a.mean((0, 1, 2))) / a.std((0, 1, 2)), "as it was"),
        (lambda a: (a - a.mean((1, 2, 3), keepdims=True)) / a.std((1, 2, 3), keepdims=True), "All channels"),
        (lambda a: (a - a.mean((1, 2), keepdims=True)) / a.std((0, 1, 2)), "One of the two"),
        (lambda a: (a - a.mean(0)) / a.std(0), "each place"),
    ],
}
