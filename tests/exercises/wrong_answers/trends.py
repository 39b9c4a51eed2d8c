"""Plausible wrong answers to the exercises of "What came after", each with a piece of its hint."""

import numpy as np


def pull(S, gap):
    """Return minus the inverse of S times each row."""
    return -np.linalg.solve(S, gap.T).T


WRONG = {
    "steps": [("b", "less rounding"), ("c", "posterior mean")],
    "gaussian": [
        (lambda x, sigma, mu, C: -pull(C + sigma**2 * np.eye(3), x - mu), "away from the mean"),
        (lambda x, sigma, mu, C: pull(C + sigma * np.eye(3), x - mu), "Square it"),
        (lambda x, sigma, mu, C: pull(C, x - mu), "clean points"),
        (lambda x, sigma, mu, C: pull(C + sigma**2, x - mu), "every entry"),
        (lambda x, sigma, mu, C: -(x - mu) @ (C + sigma**2 * np.eye(3)), "instead of dividing"),
    ],
    "saving": [
        (lambda N, K, steps: (N / K) ** 2, "decoder is free"),
        (lambda N, K, steps: (steps * K**2 + K * N) / (steps * N**2), "on its head"),
        (lambda N, K, steps: N**2 / (K**2 + K * N), "at every step"),
        (lambda N, K, steps: N / K, "square of its size"),
    ],
    "ddim": [
        (lambda x, x_hat, now, after: x_hat, "all the way"),
        (lambda x, x_hat, now, after: x_hat + after * (x - x_hat), "unit size"),
        (lambda x, x_hat, now, after: x_hat + now / after * (x - x_hat), "stronger"),
        (lambda x, x_hat, now, after: x + after / now * (x_hat - x), "exchanged"),
    ],
}
