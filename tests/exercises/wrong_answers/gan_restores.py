"""Plausible wrong answers to the exercises of "Restore with a GAN", each with a piece of its hint."""

import numpy as np


def mean_of(weights, x):
    """Return the weighted sum of some answers."""
    return np.tensordot(weights, x, axes=1)


def ridge(A, r, weight):
    """Return the solution of ridge regression."""
    return np.linalg.solve(A.T @ A + weight * np.eye(A.shape[1]), A.T @ r)


def unsafe(x, loss):
    """Weigh by exp(-loss) without guarding against underflow."""
    with np.errstate(all="ignore"):
        return mean_of(np.exp(-loss) / np.exp(-loss).sum(), x)


WRONG = {
    "price": [
        (4, "twice the price"),
        (0.09, "in units of s"),
        (0.3 / (2 * 0.15**2), "has to be squared"),
        (0.3**2 / (2 * 0.15), "not its square"),
    ],
    "questions": [
        ("a", "looks at y alone"),
        ("c", "A wrong prior"),
    ],
    "agreement": [
        (lambda x_hat, y, mask: np.sqrt(np.mean((x_hat - y) ** 2)), "lost pixels take part"),
        (lambda x_hat, y, mask: np.sqrt(np.mean((mask * (x_hat - y)) ** 2)), "number of all pixels"),
        (lambda x_hat, y, mask: np.mean((x_hat - y)[mask > 0] ** 2), "mean square"),
        (lambda x_hat, y, mask: np.mean(np.abs(x_hat - y)[mask > 0]), "mean absolute"),
        (lambda x_hat, y, mask: np.linalg.norm((x_hat - y)[mask > 0]), "root of a sum"),
        (lambda x_hat, y, mask: np.mean((x_hat - y)[mask > 0]), "cancel"),
    ],
    "weigh": [
        (unsafe, "0 / 0"),
        (lambda x, loss: mean_of(np.exp(loss.min() - loss), x), "sum to one"),
        (lambda x, loss: mean_of(np.exp(loss - loss.max()) / np.exp(loss - loss.max()).sum(), x), "worst answer"),
        (lambda x, loss: x.mean(axis=0), "same weight"),
        (lambda x, loss: x[loss.argmin()], "best answer alone"),
    ],
    "linear": [
        (lambda W, b, m, y, s: ridge(m[:, None] * W, y - m * b, 0), "plain least squares"),
        (lambda W, b, m, y, s: ridge(m[:, None] * W, y - m * b, s), "wrong weight"),
        (lambda W, b, m, y, s: ridge(m[:, None] * W, y - m * b, 2 * s**2), "counts twice"),
        (lambda W, b, m, y, s: ridge(W, y - b, s**2), "lost pixels take part"),
        (lambda W, b, m, y, s: ridge(m[:, None] * W, y, s**2), "shift b"),
    ],
}
