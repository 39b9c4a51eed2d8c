"""Plausible wrong answers to the exercises of "Walk downhill, and mind the step", each with a piece of its hint."""

import numpy as np


def gradients(X, b, w, rows):
    return X[rows] * (X[rows] @ w - b[rows])[:, None]


def ball(grad, w, eta, beta, steps, before=None):
    before = w if before is None else before
    for _ in range(steps):
        w, before = w + beta * (w - before) - eta * grad(w), w
    return w


def as_it_was(grad, w, eta, beta, steps):
    before = w
    for _ in range(steps):
        move = beta * (w - before) - eta * grad(w)
        before = w
        w += move
    return w


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
    "momentum_lost": [
        (as_it_was, "changed its argument"),
        (lambda grad, w, eta, beta, steps: as_it_was(grad, w.copy(), eta, beta, steps), "still the steps"),
        (lambda grad, w, eta, beta, steps: ball(grad, w, eta, -beta, steps), "backwards"),
        (lambda grad, w, eta, beta, steps: ball(grad, w, eta, beta, steps, 0 * w), "nothing has moved yet"),
        (lambda grad, w, eta, beta, steps: ball(grad, w, eta, beta, steps - 1), "not that of the heavy ball"),
    ],
    "how_much": [
        ((0.5, "b"), "too slow"),
        ((0.97, "b"), "swinging still"),
        ((1.2, "b"), "outside the figure"),
        ((0.87, "a"), "rises again"),
        ((0.87, "c"), "nearer than its start"),
    ],
}
