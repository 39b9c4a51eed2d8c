"""Plausible wrong answers to the exercises of "Fit by least squares", each with a piece of its hint."""

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev, chebval


def _rows_only(A, y, sigmas):
    return np.linalg.lstsq(A, y / sigmas)[0]


def stretch(t, places):
    return t.min() + (places - places.min()) / max(np.ptp(places), 1e-12) * np.ptp(t)


def own_range(t, y, new, d):
    with np.errstate(all="ignore"):
        scaled = 2 * (new - new.min()) / (new.max() - new.min()) - 1
        return chebval(scaled, Chebyshev.fit(t, y, d).coef)


WRONG = {
    "digits": [
        (1e12, "With QR that would be right"),
        (1e8, "not one digit is left"),
        (1e4, "only eight of them"),
    ],
    "constants": [
        ([2, 10], "changed places"),
        ([10, 10], "do not give the same constant"),
        ([10, 3], "as many samples lie above as below"),
        ([2, 2], "residuals must sum to zero"),
    ],
    "degree": [
        (5, "ten times smaller"),
        (3, "too stiff"),
        (14, "variance for nothing"),
        (29, "through every sample"),
    ],
    "weighted": [
        (lambda A, y, sigmas: np.linalg.lstsq(A, y)[0], "plain least squares"),
        (lambda A, y, sigmas: np.linalg.lstsq(A / sigmas[:, None] ** 2, y / sigmas**2)[0], "weigh too much"),
        (lambda A, y, sigmas: np.linalg.lstsq(A * sigmas[:, None], y * sigmas)[0], "noisy samples weigh most"),
        (_rows_only, "the matrix is not"),
    ],
    "moves": [
        (own_range, "still stretched"),
        (lambda t, y, new, d: own_range(t, y, new, d) if len(new) < 9 else Chebyshev.fit(t, y, d)(new), "not finite"),
        (lambda t, y, new, d: Chebyshev.fit(t, y, d)(np.clip(new, t.min(), t.max())), "moved to the border"),
        (lambda t, y, new, d: chebval(new, Chebyshev.fit(t, y, d).coef), "as they came"),
        (lambda t, y, new, d: Chebyshev.fit(t, y, d - 1)(new), "is off by"),
    ],
}
