"""Plausible wrong answers to the exercises of "What came after", each with a piece of its hint."""

import numpy as np


def left(sigma, C):
    """Return the covariance of the clean point, given the noisy one."""
    return C - C @ np.linalg.solve(C + sigma**2 * np.eye(len(C)), C)


WRONG = {
    "shortcut": [("a", "without any doubt"), ("b", "spread 1 in every direction"), ("d", "For a Gaussian prior")],
    "variance": [
        (lambda sigma, C, a, noise: a @ left(sigma, C) @ a, "measurement is missing"),
        (lambda sigma, C, a, noise: noise + a @ left(sigma, C) @ a, "variances add"),
        (lambda sigma, C, a, noise: noise**2 + a @ C @ a, "before x is known"),
        (lambda sigma, C, a, noise: noise**2 + sigma**2 * a @ a, "without any prior"),
        (lambda sigma, C, a, noise: noise**2 + a @ left(sigma**0.5, C) @ a, "σ² belongs"),
        (lambda sigma, C, a, noise: noise**2 + sigma**2 / (1 + sigma**2), "ΠGDM"),
        (lambda sigma, C, a, noise: noise**2 - a @ left(sigma, C) @ a, "and yours"),
    ],
    "saving": [
        (lambda N, K, steps: (N / K) ** 2, "decoder is free"),
        (lambda N, K, steps: (steps * K**2 + K * N) / (steps * N**2), "on its head"),
        (lambda N, K, steps: N**2 / (K**2 + K * N), "at every step"),
        (lambda N, K, steps: N / K, "square of its size"),
    ],
}
