"""Plausible wrong answers to the exercises of "Grow a texture from a sample", each with a piece of its hint."""

import numpy as np


def greedy(error):
    """Walk down, each time to the cheapest of three: it runs into the wall."""
    cut = [int(np.argmin(error[0]))]
    for row in error[1:]:
        left = max(cut[-1] - 1, 0)
        cut.append(left + int(np.argmin(row[left : cut[-1] + 2])))
    return np.array(cut)


def fitting(windows, patch, weight):
    """Return the numbers of the windows that fit a patch."""
    distance = (windows - patch) ** 2 @ weight
    return np.flatnonzero(distance <= 1.1 * distance.min())


WRONG = {
    "choose": [
        (lambda w, p, known, weight, rng: rng.integers(len(fitting(w, p, weight))), "first windows"),
        (lambda w, p, known, weight, rng: rng.choice(fitting(w, p, weight)), "as if they were black"),
        (lambda w, p, known, weight, rng: fitting(w, p, known * weight)[0], "for every seed"),
        (lambda w, p, known, weight, rng: rng.choice(fitting(w, p, ~known * weight)), "turned round"),
        (lambda w, p, known, weight, rng: rng.choice(fitting(w, p, known * 1.0)), "count alike"),
        (lambda w, p, known, weight, rng: rng.integers(len(w)), "does not fit"),
        (lambda w, p, known, weight, rng: w[rng.choice(fitting(w, p, known * weight)), 4], "not the number"),
    ],
    "contrast_gap": [
        (lambda x, x_hat, known: np.std(x_hat[known]) - np.std(x[known]), "turns a mask round"),
        (lambda x, x_hat, known: np.std(x[~known]) - np.std(x_hat[~known]), "sign"),
        (lambda x, x_hat, known: np.std(x_hat) - np.std(x), "whole pictures"),
        (lambda x, x_hat, known: np.std((x_hat - x)[~known]), "of the error"),
    ],
    "seam": [
        (greedy, "greedy"),
        (lambda error: np.argmin(error, axis=1), "jumps"),
        (lambda error: np.full(len(error), np.argmin(error.sum(axis=0))), "is possible"),
    ],
}
