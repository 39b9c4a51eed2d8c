"""Plausible wrong answers to the exercises of "Generate digits with a convolutional network", each with a piece of its
hint."""

import numpy as np


def draw(mu, C, n, rng):
    """Return n draws from a Gaussian."""
    return mu + rng.standard_normal((n, len(mu))) @ np.linalg.cholesky(C).T


def scores(z, means, covariances, weight):
    """Return minus the squared distances, minus ``weight`` times log det, for each class and code."""
    rows = []
    for mu, C in zip(means, covariances, strict=True):
        distance = np.sum((z - mu) * np.linalg.solve(C, (z - mu).T).T, axis=1)
        rows.append(-distance - weight * np.linalg.slogdet(C)[1])
    return np.array(rows)


def nearest_mean(z, means, covariances):
    """Return the class whose mean is nearest."""
    return np.argmin(((z - means[:, None]) ** 2).sum(axis=2), axis=0)


LINE = np.array([1, 3, 3, 1]) / 4
BOX = np.outer([0, 1, 1, 0], [0, 1, 1, 0])

WRONG = {
    "overlap": [
        (1.5, "along a line"),
        (4, "side 3"),
        (1, "even pattern"),
        (4 / 9, "fewest over the most"),
        (6, "is not the ratio"),
    ],
    "shuffled": [
        ("b", "for our eyes only"),
        ("c", "told from noise"),
    ],
    "tempered": [
        (lambda mu, C, t, n, rng: draw(mu, t * C, n, rng), "√t"),
        (lambda mu, C, t, n, rng: t * draw(mu, C, n, rng), "mean has shrunk"),
        (lambda mu, C, t, n, rng: draw(mu, C, n, rng), "t has done nothing"),
        (lambda mu, C, t, n, rng: t * draw(0 * mu, C, n, rng), "scatter about the mean"),
        (lambda mu, C, t, n, rng: draw(mu, np.diag(np.diag(t**2 * C)), n, rng), "vary together"),
        (lambda mu, C, t, n, rng: draw(mu, t**4 * C, n, rng), "shrunk by t²"),
    ],
    "interpolate": [
        (LINE, "one row"),
        (np.outer([1, 2, 1], [1, 2, 1]) / 4, "side 4 is wanted"),
        (np.outer(LINE, LINE) / 4, "too dark"),
        (np.ones((4, 4)) / 4, "half from each side"),
        (BOX, "staircase"),
        (np.outer([3, 1, 1, 3], [3, 1, 1, 3]) / 16, "farther pixel counts"),
        (np.outer([1, 2, 2, 1], [1, 2, 2, 1]) / 16, "does not stay constant"),
    ],
    "read": [
        (nearest_mean, "nearest mean"),
        (lambda z, means, covariances: scores(z, means, covariances, 0).argmax(axis=0), "log det C is missing"),
        (lambda z, means, covariances: scores(z, means, covariances, -1).argmax(axis=0), "wrong sign"),
        (lambda z, means, covariances: scores(z, means, covariances, 2).argmax(axis=0), "same weight"),
        (lambda z, means, covariances: scores(z, means, covariances, 1).argmin(axis=0), "least probable"),
        (lambda z, means, covariances: scores(z, means, covariances, 1), "one for each code and class"),
    ],
}
