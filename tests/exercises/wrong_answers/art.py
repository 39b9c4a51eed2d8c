"""Plausible wrong answers to the exercises of "Grow a texture from a sample", each with a piece of its hint."""

import numpy as np


def greedy(error):
    """Walk down, each time to the cheapest of three: it runs into the wall."""
    cut = [int(np.argmin(error[0]))]
    for row in error[1:]:
        left = max(cut[-1] - 1, 0)
        cut.append(left + int(np.argmin(row[left : cut[-1] + 2])))
    return np.array(cut)


WRONG = {
    "four_draws": [
        (10 * np.log10(2), "single draw"),
        (10 * np.log10(4), "fourfold"),
        (-0.969, "sign"),
        (1.25, "ratio"),
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
