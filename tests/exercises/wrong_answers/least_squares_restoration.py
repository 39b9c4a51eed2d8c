"""Plausible wrong answers to the exercises of "Restore a photograph by least squares", each with its hint's words."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg


def _solve(left1, left2, right1, right2):
    """Return a solver of (left1 + left2 A'A) x = right1 y1 + right2 A'y2, its weights functions of the noise level."""

    def two_exposures(y1, sigma1, y2, sigma2, A):
        def M(v):
            x = v.reshape(y1.shape)
            return (left1(sigma1) * x + left2(sigma2) * A.adjoint(A.forward(x))).ravel()

        b = right1(sigma1) * y1 + right2(sigma2) * A.adjoint(y2)
        operator = LinearOperator((y1.size, y1.size), matvec=M, dtype=float)
        return cg(operator, b.ravel(), rtol=1e-10, maxiter=1000)[0].reshape(y1.shape)

    return two_exposures


def _one(sigma):
    return 1.0


def _inverse(sigma):
    return 1 / sigma


def _square(sigma):
    return sigma**2


def _precision(sigma):
    return sigma**-2


WRONG = {
    "samples": [
        (0.3**2 / 0.01**2, "a constant"),
        (3 * 0.3**2 / 0.01**2, "needless parabola"),
        (0.3**2 * 2 / 0.01, "its root is 0.1"),
        (0.3 * 2 / 0.01, "variances"),
    ],
    "shaken_back": [
        (lambda y: (y + np.roll(y, 1, axis=1) + np.roll(y, 2, axis=1)) / 3, "to the right again"),
        (lambda y: y + np.roll(y, -1, axis=1) + np.roll(y, -2, axis=1), "three times as bright"),
        (lambda y: (y + np.roll(y, -1, axis=0) + np.roll(y, -2, axis=0)) / 3, "sideways"),
        (lambda y: np.roll(y, -1, axis=1), "no inverse"),
        (lambda y: (y + np.roll(y, -1, axis=1) + np.roll(y, 1, axis=1)) / 3, "only one way"),
    ],
    "width": [
        ((1.6, "a"), "needs the truth"),
        ((2.8, "c"), "largest"),
        ((1.4, "c"), "not smallest"),
        ((1.0, "a"), "far from the true width"),
        ((1.0, "b"), "below 1"),
        (1.0, "Two things"),
    ],
    "two_exposures": [
        (_solve(_one, _one, _one, _one), "count the same"),
        (_solve(_inverse, _inverse, _inverse, _inverse), "not far enough"),
        (_solve(_square, _square, _square, _square), "larger weight"),
        (_solve(_precision, _precision, _one, _one), "on both sides"),
        (lambda y1, sigma1, y2, sigma2, A: y1, "as it was"),
    ],
}
