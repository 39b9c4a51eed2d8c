"""Plausible wrong answers to the exercises of "Squeeze a digit into a few numbers", each with a piece of its hint."""

import numpy as np


def largest_out(w):
    """Return log mean exp without the largest log-weight."""
    return np.log(np.mean(np.exp(w - np.max(w))))


def plain(w):
    """Return log mean exp as it is written, which underflows."""
    with np.errstate(divide="ignore", over="ignore"):
        return np.log(np.mean(np.exp(w)))


def parts(x, x_hat, m, s, tau):
    """Return the two parts of the bound of each picture."""
    return -np.sum((x - x_hat) ** 2, axis=1) / (2 * tau**2), 0.5 * np.sum(m**2 + s**2 - 1 - np.log(s**2), axis=1)


def halved(m, s):
    return 0.5 * np.sum(m**2 + s**2 - 1 - np.log(s), axis=1)


WRONG = {
    "gap": [
        ("a", "always errs"),
        ("b", "other divergence"),
        ("d", "very unlikely"),
    ],
    "bill": [
        (lambda x, x_hat, m, s, tau: parts(x, x_hat, m, s, tau)[0] / 784 - halved(m, s), "what it was"),
        (lambda x, x_hat, m, s, tau: parts(x, x_hat, m, s, tau)[0] - halved(m, s), "error is mended"),
        (lambda x, x_hat, m, s, tau: np.dot([1 / 784, -1], parts(x, x_hat, m, s, tau)), "divergence is mended"),
        (lambda x, x_hat, m, s, tau: np.dot([1 / 784, -1 / 3], parts(x, x_hat, m, s, tau)), "Both are means"),
        (lambda x, x_hat, m, s, tau: np.dot([1, 1], parts(x, x_hat, m, s, tau)), "should pay it"),
        (lambda x, x_hat, m, s, tau: np.dot([-1, 1], parts(x, x_hat, m, s, tau)), "the loss"),
        (lambda x, x_hat, m, s, tau: np.sum(np.dot([1, -1], parts(x, x_hat, m, s, tau))), "for all pictures"),
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
