"""Plausible wrong answers to the exercises of "Generate digits with a convolutional network", each with a piece of its
hint."""

from functools import cache

import numpy as np
from scipy.spatial.distance import cdist

from helpers import pretrained
from helpers.images import digits
from helpers.league import digit_tasks


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


def line(s):
    """Return the weights of linear interpolation along a line."""
    return 1 - abs(np.arange(2 * s) + 0.5 - s) / s


def square(weights):
    """Return a function that makes a kernel of the weights along a line."""
    return lambda s: np.outer(weights(s), weights(s))


def given(n, seed):
    """Hand out training digits."""
    return digits()[0][np.random.default_rng(seed).permutation(4500)[:n]]


def restless(n, seed):
    """Draw without the seed."""
    return np.random.default_rng().random((n, 28, 28))


def deaf(n, seed):
    """Draw the same noise for every seed."""
    return np.random.default_rng(0).random((n, 28, 28)).astype(np.float32)


def noise(n, seed):
    """Draw noise."""
    return np.random.default_rng(seed).random((n, 28, 28)).astype(np.float32)


@cache
def measured(sample):
    """Return a true report."""
    judge, x, train = pretrained.shared("classifier"), sample(1000, 0), digits()[0].reshape(4500, -1)
    quality = digit_tasks.sample_quality(x, judge)
    near = np.median(cdist(x[:200].reshape(200, -1), train).min(axis=1))
    return {"sample": sample, "floors": quality.multiple, "rarest": quality.coverage.min(), "nearest": near}


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
        (line, "one row"),
        (square(lambda s: line(s)[:-1]), "a kernel of side"),
        (square(lambda s: line(s) / s), "too dark"),
        (lambda s: np.ones((2 * s, 2 * s)) / 4, "half from each side"),
        (square(lambda s: line(s) > 0.5), "staircase"),
        (square(lambda s: 1 - line(s)), "farther pixel counts"),
        (square(lambda s: line(s) ** 2), "does not stay constant"),
        (lambda s: np.maximum(1 - np.hypot(*np.meshgrid(1 - line(s), 1 - line(s))), 0), "a cone"),
    ],
    "read": [
        (nearest_mean, "nearest mean"),
        (lambda z, means, covariances: scores(z, means, covariances, 0).argmax(axis=0), "log det C is missing"),
        (lambda z, means, covariances: scores(z, means, covariances, -1).argmax(axis=0), "wrong sign"),
        (lambda z, means, covariances: scores(z, means, covariances, 2).argmax(axis=0), "same weight"),
        (lambda z, means, covariances: scores(z, means, covariances, 1).argmin(axis=0), "least probable"),
        (lambda z, means, covariances: scores(z, means, covariances, 1), "one for each code and class"),
    ],
    "density": [
        (noise, "dictionary"),
        ({"sample": restless, "floors": 1, "rarest": 0, "nearest": 9}, "Two calls with one seed"),
        ({"sample": deaf, "floors": 1, "rarest": 0, "nearest": 9}, "Two seeds give the same"),
        ({"sample": lambda n, seed: noise(1000, seed), "floors": 1, "rarest": 0, "nearest": 9}, "asked for"),
        ({"sample": lambda n, seed: 255 * noise(n, seed), "floors": 1, "rarest": 0, "nearest": 9}, "span 0"),
        ({"sample": given, "floors": 40.0, "rarest": measured(given)["rarest"],
          "nearest": measured(given)["nearest"]}, "We draw your thousand"),
        (measured(given) | {"rarest": 0.099}, "The rarest class"),
        (measured(given) | {"nearest": 5.0}, "median distance"),
        (measured(given), "These are copies"),
        (measured(noise), "no digits yet"),
    ],
}
