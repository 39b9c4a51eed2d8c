"""Plausible wrong answers to the exercises of "Questions about networks", each with a piece of its hint."""

import numpy as np


def entropy(shares):
    """Return the entropy in nats."""
    p = shares[shares > 0]
    return -np.sum(p * np.log(p))


def straight(n, error, target):
    """Fit a line to the numbers themselves."""
    slope, intercept = np.polyfit(n, error, 1)
    return (target - intercept) / slope


def power(n, error, target):
    """Return the logarithm of the right answer."""
    slope, intercept = np.polyfit(np.log(n), np.log(error), 1)
    return (np.log(target) - intercept) / slope


WRONG = {
    "grey": [
        (1, "most probable"),
        (0.3, "negative"),
        (0.5, "equally probable"),
    ],
    "classes": [
        (entropy, "not yet a number"),
        (lambda shares: np.exp(-entropy(shares)), "sign of the entropy"),
        (lambda shares: np.sum(shares > 0), "occur at all"),
    ],
    "needed": [
        (straight, "power is no line"),
        (power, "logarithm of the number"),
    ],
}
