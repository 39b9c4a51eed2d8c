"""Plausible wrong answers to the exercises of "The league", each with a piece of its hint."""

import numpy as np


def means(values, resamples, seed):
    """Return the means of resamples drawn with replacement."""
    draws = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    return values[draws].mean(axis=1)


def apart(a, b, resamples, seed):
    """Draw the pictures of both methods separately."""
    return np.quantile(means(a, resamples, seed) - means(b, resamples, seed + 1), [0.025, 0.975])


WRONG = {
    "overlap": [("a", "on every single picture"), ("c", "hung on a few pictures")],
    "hole": [
        (15, "hole alone"),
        (15 - 10 * np.log10(40), "must rise"),
        (15 + 20 * np.log10(40), "before squaring"),
        (600, "do not multiply"),
        (15 + np.log(40), "lost its factor"),
    ],
    "wins": [
        (lambda scores: np.bincount(np.argmax(scores, axis=1), minlength=4), "counts"),
        (lambda scores: np.bincount(np.argmin(scores, axis=1), minlength=4) / len(scores), "losers"),
        (lambda scores: np.bincount(np.argmax(scores, axis=1)) / len(scores), "never wins"),
        (lambda scores: scores.argmax(axis=1), "for each picture"),
    ],
    "interval": [
        (apart, "drawn apart"),  # as the program does that is to be repaired
        (lambda a, b, resamples, seed: np.quantile(a - b, [0.025, 0.975]), "single differences"),
        (lambda a, b, resamples, seed: np.quantile(means(b - a, resamples, seed), [0.025, 0.975]), "sign"),
        (lambda a, b, resamples, seed: np.quantile(means(a - b, resamples, seed), [0.05, 0.95]), "too narrow"),
        (lambda a, b, resamples, seed: np.quantile(means(a - b, resamples, 0), [0.025, 0.975]), "counts for nothing"),
        (lambda a, b, resamples, seed: np.quantile(means(a - b, resamples, None), [0.025, 0.975]), "two answers"),
    ],
    "carried": [
        ((0.507, "b"), "all eight"),
        ((-0.266, "b"), "turned round"),
        ((0.285, "b"), "median"),
        ((0.4, "b"), "seven others"),
        ((0.266, "a"), "hangs on it"),
        ((0.266, "c"), "does not hold zero"),
    ],
}
