"""Plausible wrong answers to the exercises of "Rule a generator by styles", each with a piece of its hint."""

import numpy as np


def own(kernel, style):
    """Return the modulated weights."""
    return kernel * style[:, None]


def replaced(w, other, layers):
    """Return a copy of the styles with some layers replaced."""
    w = w.copy()
    w[:, layers] = other[:, layers]
    return w


def spoilt(w, other, layers):
    """Replace layers in place, as the program of the exercise does."""
    w[:, layers] = other[:, layers]
    return w


def pictures(w, other, layers):
    """Replace along the wrong axis."""
    w = w.copy()
    layers = [k for k in layers if k < len(w)]
    w[layers] = other[layers]
    return w


def with_zeros(values):
    """Take the logarithm of every share, also of nought."""
    share = np.bincount(values, minlength=10) / len(values)
    with np.errstate(all="ignore"):
        return -(share * np.log2(share)).sum()


WRONG = {
    "same": [
        ("a", "something else that is random"),
        ("c", "the mean style"),
    ],
    "lengths": [
        (lambda kernel, style: (own(kernel, style) ** 2).sum(axis=(0, 1, 2)), "squares of the lengths"),
        (lambda kernel, style: 1 / np.sqrt((own(kernel, style) ** 2).sum(axis=(0, 1, 2))), "multiplies by"),
        (lambda kernel, style: np.sqrt((kernel**2).sum(axis=(0, 1, 2))), "no difference"),
        (lambda kernel, style: np.abs(own(kernel, style).sum(axis=(0, 1, 2))), "before they are squared"),
    ],
    "mixed": [
        (spoilt, "changed its argument"),
        (lambda w, other, layers: replaced(other, w, layers), "changed their parts"),
        (pictures, "whole pictures"),
    ],
    "bits": [
        (lambda values: -sum(s * np.log(s) for s in np.unique(values, return_counts=True)[1] / len(values)), "nats"),
        (lambda values: len(np.unique(values)), "counts the values"),
        (with_zeros, "the logarithm of zero"),
        (lambda values: sum(s * np.log2(s) for s in np.unique(values, return_counts=True)[1] / len(values)), "sign"),
    ],
}
