"""Poisson noise, the noise of counted light: Richardson-Lucy.

Richardson 1972 (doi:10.1364/JOSA.62.000055) and Lucy 1974 (doi:10.1086/111605).
"""

import numpy as np

from helpers.restoration.common import Report, answer, check, steps, stopping
from helpers.restoration.linear import energy, is_positive


def richardson_lucy(y, operator, sigma=0.0, *, tolerance=1e-3, iterations=200, report=False):
    """Maximise the likelihood of y under Poisson noise: x <- x · Aᵀ(y / A x) / Aᵀ 1.

    Richardson 1972 (doi:10.1364/JOSA.62.000055) and Lucy 1974 (doi:10.1086/111605). Each step keeps x non-negative
    and, where A keeps the light (Aᵀ 1 = 1), the sum of x equal to the sum of y. The start is one even grey. The more
    steps, the sharper and the noisier: the stopping rule is the regularisation.

    Parameters
    ----------
    y, operator
        A measurement of light, and an operator without negative weights. Negative values of y, which only noise
        that is not Poisson's can make, count as zero.
    sigma : float
        Stop as soon as |A x - y| <= sigma · √n, which is the size of the noise (the discrepancy principle, Morozov
        1966). 0 leaves that to ``tolerance``.
    tolerance : float
        Stop when a step changes x by less than ``tolerance`` times |x|.
    iterations : int
        At most so many steps.
    report : bool
        Also return a :class:`Report`; its objective is the Kullback-Leibler divergence of A x from y.
    """
    y, sigma, shape = check("richardson_lucy", y, operator, sigma)
    tolerance, iterations = stopping(tolerance, iterations)
    if not is_positive(operator):
        raise ValueError(f"operator {operator!r} has negative weights, but Richardson-Lucy needs light that only adds")
    light = np.maximum(y, 0)
    least = np.finfo(y.dtype).eps * max(float(light.max()), 1e-6)  # below it a Fourier transform rounds to anything
    reach = operator.adjoint(np.ones_like(y))  # how much of each pixel's light arrives
    seen = reach > 1e-6 * reach.max()
    x = np.full(shape, light.sum(dtype=np.float64) / reach.sum(dtype=np.float64), y.dtype)
    known = max(np.count_nonzero(operator.forward(np.ones_like(x)) > 0), 1)
    objective, converged, step = [], False, 0
    for step in steps(iterations, "richardson_lucy"):
        expected = np.maximum(operator.forward(x), least)
        objective.append(_divergence(light, expected))
        if sigma > 0 and energy(expected - light) <= known * sigma**2:
            converged, step = True, step - 1
            break
        gain = np.divide(operator.adjoint(light / expected), reach, out=np.ones_like(x), where=seen)
        new = x * np.maximum(gain, 0)  # the Fourier transform may round a zero to a tiny negative number
        change = np.linalg.norm(new - x)
        x = new
        if change <= tolerance * np.linalg.norm(x):
            converged = True
            break
    return answer(x, y, Report(step, objective, converged, sigma=sigma), report)


def _divergence(light, expected):
    ratio = np.where(light > 0, light / expected, 1)
    return float(np.sum(light * np.log(ratio) - light + expected, dtype=np.float64))
