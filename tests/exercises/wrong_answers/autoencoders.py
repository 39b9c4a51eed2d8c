"""Plausible wrong answers to the exercises of "Squeeze a digit into a few numbers", each with a piece of its hint."""

import numpy as np


def largest_out(w):
    """Return log mean exp without the largest log-weight."""
    return np.log(np.mean(np.exp(w - np.max(w))))


def plain(w):
    """Return log mean exp as it is written, which underflows."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.log(np.mean(np.exp(w)))


WRONG = {
    "gap": [
        ("a", "always errs"),
        ("b", "other divergence"),
        ("d", "very unlikely"),
    ],
    "divergence": [
        (lambda m, s: np.sum(m**2 + s**2 - 1 - np.log(s**2), axis=1), "twice"),
        (lambda m, s: 0.5 * np.sum(m**2 + s**2 - 1 - np.log(s), axis=1), "that of the standard deviation"),
        (lambda m, s: 0.5 * np.sum(m**2 + s - 1 - np.log(s), axis=1), "for the variance"),
        (lambda m, s: 0.5 * np.sum(m**2 + s**2 - np.log(s**2), axis=1), "-1 in the sum"),
        (lambda m, s: 0.5 * np.sum(m**2 + s**2 - 1 - np.log(s**2)), "over all pictures"),
        (lambda m, s: 0.5 * (m**2 + s**2 - 1 - np.log(s**2)), "each number of the code"),
    ],
    "noise": [
        (lambda x, x_hat: np.mean((x - x_hat) ** 2), "square root"),
        (lambda x, x_hat: np.mean(np.abs(x - x_hat)), "mean absolute error"),
        (lambda x, x_hat: np.std(x - x_hat), "subtracted the mean"),
        (lambda x, x_hat: np.sqrt(np.mean(np.sum((x - x_hat) ** 2, axis=1))), "whole picture"),
    ],
    "survivors": [
        (lambda values, tau, beta, K: int(np.sum(values > beta * tau**2)), "than the code has"),
        (lambda values, tau, beta, K: min(K, int(np.sum(values > tau**2))), "does not depend on β"),
        (lambda values, tau, beta, K: min(K, int(np.sum(values > beta * tau))), "with a standard deviation"),
        (lambda values, tau, beta, K: min(K, int(np.sum(values > tau**2 / beta))), "should be fewer"),
    ],
    "tighter": [
        (lambda w: np.mean(w), "ELBO itself"),
        (plain, "no finite number"),
        (lambda w: np.max(w) + np.log(np.sum(np.exp(w - np.max(w)))), "of the sum"),
        (lambda w: np.max(w), "best of the draws"),
        (largest_out, "never put back"),
    ],
}
