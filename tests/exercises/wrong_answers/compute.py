"""Plausible wrong answers to the exercises of "Count the cost", each with a piece of its hint."""

import numpy as np


def rounded(w, step):
    """Return w rounded to multiples of a step."""
    return np.round(w / step) * step


def sizes(w):
    """Return the largest size of each output channel."""
    return np.abs(w).max(axis=(0, 1, 2))


WRONG = {
    "doubled": [
        (2, "first and the last layer only"),
        (8, "stay as they are"),
        (1, "cannot stay"),
        (3, "is not the factor"),
    ],
    "pruned": [
        ("a", "not their number"),
        ("b", "another way of storing"),
    ],
    "separable": [
        (lambda P, h, C, D: P * h**2 * C * D, "ordinary convolution"),
        (lambda P, h, C, D: P * h**2 * C, "second step is missing"),
        (lambda P, h, C, D: P * C * D, "first step is missing"),
        (lambda P, h, C, D: P * h**2 * C * P * C * D, "add up"),
        (lambda P, h, C, D: P * h * C + P * C * D, "has h × h weights"),
        (lambda P, h, C, D: P * h**2 * C**2 + P * C * D, "looks at all C channels"),
        (lambda P, h, C, D: P * h**2 + P * C * D, "there are C"),
    ],
    "exponent": [
        (lambda N, seconds: np.polyfit(np.log(N), np.log(seconds), 1), "two numbers"),
        (lambda N, seconds: np.polyfit(np.log(N), np.log(seconds), 1)[1], "the constant"),
        (lambda N, seconds: np.polyfit(np.log(seconds), np.log(N), 1)[0], "exchanged"),
        (lambda N, seconds: np.polyfit(N, seconds, 1)[0], "ordinary axes"),
        (lambda N, seconds: np.polyfit(np.log(N), seconds, 1)[0], "Only N"),
        (lambda N, seconds: np.polyfit(N, np.log(seconds), 1)[0], "Only the seconds"),
        (lambda N, seconds: np.log(seconds[-1] / seconds[0]) / np.log(N[-1] / N[0]), "joins the first"),
    ],
    "quantise": [
        (lambda w: np.round(w / (sizes(w) / 127)), "without their step"),
        (lambda w: rounded(w, np.abs(w).max() / 127), "shares one step"),
        (lambda w: rounded(w, np.abs(w).max(axis=(0, 1, 3), keepdims=True) / 127), "comes in has its own step"),
        (lambda w: np.trunc(w / (sizes(w) / 127)) * (sizes(w) / 127), "cut off"),
        (lambda w: rounded(w, w.max(axis=(0, 1, 2)) / 127), "np.abs first"),
        (lambda w: rounded(w, sizes(w) / 255), "divided by 255"),
        (lambda w: w, "as it came"),
    ],
}
