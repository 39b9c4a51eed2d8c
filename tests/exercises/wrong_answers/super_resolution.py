"""Plausible wrong answers to the exercises of "Four times finer", each with a piece of its hint."""

import numpy as np

from helpers.operators import Downsample


def squares(h):
    """Return the channels of each place as its square."""
    return h.reshape(*h.shape[:2], 4, 4)


def sheet(h, order):
    """Return the squares in another order of their axes."""
    return squares(h).transpose(order).reshape(4 * h.shape[0], 4 * h.shape[1])


def agree(x, y, factor):
    """Return x, made to agree with y."""
    return x + (y - Downsample(factor).forward(x)).repeat(factor, 0).repeat(factor, 1)


def middle(f, y):
    """Return the first of two answers as it should be."""
    return np.clip(agree(f(y), y, 4), 0, 1)


def by_the_middle(f, y):
    """Enlarge twice, and make the last answer agree with the one in the middle."""
    x = middle(f, y)
    return agree(f(x), x, 4)


WRONG = {
    "sharp": [
        ("a", "The shuffled cat agrees"),
        ("b", "the truth itself"),
    ],
    "shuffle": [
        (lambda h: h.reshape(4 * h.shape[0], 4 * h.shape[1]), "as it was"),
        (lambda h: sheet(h, (0, 3, 1, 2)), "mirrored at its diagonal"),
        (lambda h: sheet(h, (2, 0, 3, 1)), "sixteen small pictures"),
    ],
    "price": [
        (lambda p, d: (p * (1 - p) * d**2, p * (1 - p) * d**2), "differ in two ways"),
        (lambda p, d: (p * (1 - p) * d**2, p * d**2), "always answer with 0"),
        (lambda p, d: (2 * p * (1 - p) * d**2, p * (1 - p) * d**2), "changed places"),
        (lambda p, d: (min(p, 1 - p) * d**2, 2 * p * (1 - p) * d**2), "need not answer"),
        (lambda p, d: (p * (1 - p) * d, 2 * p * (1 - p) * d), "not squared"),
    ],
    "sixteen": [
        (lambda f, y: f(f(y)), "Nothing was made to agree"),
        (lambda f, y: f(y).repeat(4, 0).repeat(4, 1), "called once"),
        (lambda f, y: f(middle(f, y)), "last answer does not agree with y"),
        (lambda f, y: agree(f(np.clip(f(y), 0, 1)), y, 16), "in the middle was not made"),
        (lambda f, y: agree(f(agree(f(y), y, 4)), y, 16), "outside [0, 1]"),
        (by_the_middle, "of which 15 numbers in 16"),
    ],
    "wall": [
        ((64, 0.5), "size of what you looked at"),
        ((8, 0.5), "not for the first time"),
        ((3, 0.5), "does not come again"),
        ((4, 200.0), "the strength is not"),
    ],
}
