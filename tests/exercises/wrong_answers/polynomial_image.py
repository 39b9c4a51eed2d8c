"""Plausible wrong answers to the exercises of "Generate an image from a polynomial", each with a piece of its hint."""

import numpy as np
from numpy.polynomial.chebyshev import chebvander
from scipy.fft import dctn, idctn


def _centres(size):
    return (2 * np.arange(size) + 1) / size - 1


def _surface(x, d, old, new):
    solve = np.linalg.pinv(chebvander(old, d))
    return chebvander(new, d) @ solve @ x @ solve.T @ chebvander(new, d).T


def _transposed(x, d, size):
    return _surface(x.T, d, _centres(len(x)), _centres(size))


def _border(x, d, size):
    return _surface(x, d, np.linspace(-1, 1, len(x)), np.linspace(-1, 1, size))


def _as_printed(x, d, size):
    return _surface(x, d, np.linspace(-1, 1, len(x)), _centres(size))


def _two_rules(x, d, size):
    return _surface(x, d, _centres(len(x)), np.linspace(-1, 1, size))


def _clipped(x, d, size):
    return np.clip(_surface(x, d, _centres(len(x)), _centres(size)), 0, 1)


def _signed(x, count):
    a = dctn(x, norm="ortho")
    return idctn(np.where(a >= np.sort(a.ravel())[-count], a, 0), norm="ortho")


def _small_ones(x, count):
    a = dctn(x, norm="ortho")
    return idctn(np.where(np.abs(a) < np.sort(np.abs(a).ravel())[-count], a, 0), norm="ortho")


def _no_way_back(x, count):
    a = dctn(x, norm="ortho")
    return np.where(np.abs(a) >= np.sort(np.abs(a).ravel())[-count], a, 0)


WRONG = {
    "price": [
        (1200, "more than 20"),
        (441, "one channel"),
        (63, "combined, not added"),
    ],
    "denoise": [
        (10, "lost the flower"),
        (200, "copy the noise"),
        (40.5, "whole number"),
    ],
    "enlarge": [
        (_as_printed, "still magnified"),
        (_transposed, "diagonal"),
        (_border, "on the border"),
        (_two_rules, "the drawing does not"),
        (_clipped, "clipped"),
    ],
    "keep_largest": [
        (_signed, "positive"),
        (_small_ones, "kept the small ones"),
        (_no_way_back, "not the picture"),
    ],
}
