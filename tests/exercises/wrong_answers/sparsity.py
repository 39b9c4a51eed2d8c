"""Plausible wrong answers to the exercises of "Shrink what is small", each with a piece of its hint."""

import numpy as np

from helpers.exercises.sparsity import _success

V = np.array([-2, -0.3, 0.5, 0.8, 4])


def soft(v, threshold):
    return np.sign(v) * np.maximum(abs(v) - threshold, 0)


def length(v):
    return max(np.linalg.norm(v), 1e-12)


def steps(B, b, lam, steps, gradient=1.0, threshold=1.0):
    z = np.zeros(B.shape[1])
    for _ in range(steps):
        z = np.clip(soft(z - B.T @ (B @ z - b) * gradient, lam * threshold), -1e6, 1e6)
    return z


def inverse_L(B):
    return 1 / np.linalg.norm(B, 2) ** 2


WRONG = {
    "shrink": [
        (V * (abs(V) > 0.5), "hard thresholding"),
        (V - 0.5, "Negative numbers"),
        (np.sign(V) * (abs(V) - 0.5), "crossed zero"),
        (V / 1.5, "what squares do"),
        (np.zeros(5), "At least one"),
    ],
    "group": [
        (lambda v, lam: soft(v, lam), "on its own"),
        (lambda v, lam: v / (1 + lam), "squared length"),
        (lambda v, lam: v * (1 - lam / length(v)), "turned round"),
        (lambda v, lam: v * max(length(v) - lam, 0), "divided by its length"),
    ],
    "fista": [
        (lambda B, b, lam, n: steps(B, b, lam, n), "not the minimum"),
        (lambda B, b, lam, n: steps(B, b, lam, n, inverse_L(B), 1.0), "another function"),
        (lambda B, b, lam, n: steps(B, b, 100 * lam, n, inverse_L(B), 1.0), "coefficients are zero"),
    ],
    "rho": [(1.0, "neither has moved"), (0.0005, "hardly a coefficient"), (0.1, "none of the three")],
    "count": [
        (lambda m, draws: draws * _success(m, draws), "counts the draws"),
        (lambda m, draws: _success(20, draws), "does not depend"),
        (lambda m, draws: 1 - _success(m, draws), "here they hurt"),
        (lambda m, draws: _success(m + 4, draws), "For 17 equations"),
    ],
}
