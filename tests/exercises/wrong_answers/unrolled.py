"""Plausible wrong answers to the exercises of "Unroll the loop", each with a piece of its hint."""

import numpy as np

from helpers.exercises.unrolled import _problem, _soft


def forward(order=None, first_threshold=False, first_matrix=False, sign=1.0):
    def run(y, B, M, t):
        z = np.zeros(B.shape[1])
        for k in range(len(t)):
            m, s = M[0 if first_matrix else k], t[0 if first_threshold else k]
            z = order(z, m, s, B, y) if order else _soft(z - sign * m.T @ (B @ z - y), s)
        return z

    return run


def computed(layers=10, factor=0.7, first=0.8, pseudo=True):
    """Estimate by a pseudo-inverse and falling thresholds."""
    B = _problem(1, 0, 0)[0]
    M = 2 * np.linalg.pinv(B).T if pseudo else 3 * B

    def estimate(y):
        z = np.zeros((len(y), 60))
        for k in range(layers):
            z = _soft(z - (z @ B.T - y) @ M, first * factor**k)
        return z

    return estimate


def fista(y, lam=0.2):
    """Estimate by a hundred steps with one large weight: good where the noise is loud."""
    B = _problem(1, 0, 0)[0]
    L, s = np.linalg.norm(B, 2) ** 2, 1.0
    z = ahead = np.zeros((len(y), 60))
    for _ in range(100):
        new = _soft(ahead - (ahead @ B.T - y) @ B / L, lam / L)
        s_next = (1 + np.sqrt(1 + 4 * s**2)) / 2
        ahead, z, s = new + (s - 1) / s_next * (new - z), new, s_next
    return z


WRONG = {
    "count": [
        ((18_010, 54_010), "exchanged"),
        ((54_000, 18_000), "thresholds are missing"),
        ((5_401, 1_801), "one layer of each"),
        ((36_010, 18_010), "second count is right"),
        ((54_010, 36_010), "first count is right"),
        ((1, 2), "Neither"),
    ],
    "slope": [
        (lambda v, t, g: np.sum(g * np.sign(v) * (abs(v) > t)), "turned round"),
        (lambda v, t, g: -np.sum(g * np.sign(v)), "below the threshold"),
        (lambda v, t, g: -np.sum(g * (abs(v) > t)), "other way"),
        (lambda v, t, g: -np.mean(g * np.sign(v) * (abs(v) > t)), "mean"),
        (lambda v, t, g: 0.0, "small change of t"),
    ],
    "forward": [
        (forward(lambda z, m, s, B, y: _soft(z, s) - m.T @ (B @ z - y)), "Nothing has changed"),
        (forward(lambda z, m, s, B, y: _soft(z, s) - m.T @ (B @ _soft(z, s) - y)), "before the step"),
        (forward(first_threshold=True), "first threshold"),
        (forward(first_matrix=True), "first matrix"),
        (forward(sign=-1.0), "uphill"),
        (forward(sign=0.5), "small example"),
    ],
    "back": [
        (lambda g, eta, A: g - eta * A.forward(A.adjoint(g)), "wrong order"),
        (lambda g, eta, A: g + eta * A.adjoint(A.forward(g)), "wrong sign"),
        (lambda g, eta, A: -eta * A.adjoint(A.forward(g)), "Half of the way"),
        (lambda g, eta, A: g - A.adjoint(A.forward(g)), "size of the step"),
        (lambda g, eta, A: g, "operator is missing"),
        (lambda g, eta, A: g - eta * A.forward(A.forward(g)), "forward map is applied twice"),
        (lambda g, eta, A: g - eta * A.adjoint(A.adjoint(g)), "adjoint map is applied twice"),
        (lambda g, eta, A: g - eta * A.adjoint(g), "Along one direction"),
    ],
    "deeper": [
        ((0.8, 0.7), "far below the noise"),
        ((0.5, 0.8), "far below the noise"),  # what suited ten layers
        ((0.8, 0.95), "still cuts"),
        ((0.03, 0.97), "first steps"),
        ((0.8, 1.4), "no pair"),
    ],
    "loud": [
        (computed(), "loud noise"),
        (fista, "soft noise too"),
        (computed(layers=2, factor=1.0), "noise level of its own"),
        (computed(pseudo=False), "zero everywhere"),
    ],
}
