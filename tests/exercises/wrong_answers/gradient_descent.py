"""Plausible wrong answers to the exercises of "Walk downhill, and mind the step", each with a piece of its hint."""

import numpy as np


def gradients(X, b, w, rows):
    return X[rows] * (X[rows] @ w - b[rows])[:, None]


WRONG = {
    "longest_step": [
        (2 / 3, "norm itself"),
        (1 / 9, "not the bound"),
        (18, "grows with L"),
    ],
    "stop_in_time": [
        (7, "One step early"),
        (9, "One step late"),
        (0, "walk further"),
        (99, "noise is being fitted"),
    ],
    "unfair": [
        (lambda X, b, w, rows, p: gradients(X, b, w, rows).mean(axis=0), "leans towards"),
        (lambda X, b, w, rows, p: np.mean(gradients(X, b, w, rows) * len(b) * p[rows, None], axis=0), "do not mult"),
        (lambda X, b, w, rows, p: np.mean(gradients(X, b, w, rows) / p[rows, None], axis=0), "N times"),
        (lambda X, b, w, rows, p: np.sum(gradients(X, b, w, rows) / (len(b) * p[rows, None]), axis=0), "mean"),
    ],
}
