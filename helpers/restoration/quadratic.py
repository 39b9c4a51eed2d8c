"""Quadratic objectives, whose minimum solves linear equations: least squares, Tikhonov, Wiener.

Tikhonov 1963 and Wiener 1949; the weights after Bertero and Boccacci 1998 (doi:10.1887/0750304359), the spectrum of
photographs after Field 1987 (doi:10.1364/JOSAA.4.002379).
"""

import math

import numpy as np

from helpers import validation
from helpers.restoration.common import ROUNDING, Report, answer, check, stopping
from helpers.restoration.linear import (
    circular_transfer,
    conjugate_gradients,
    divide_by_row_sums,
    energy,
    filter_cosines,
    filter_waves,
    fourier,
    frequencies,
    laplacian,
    mirror_transfer,
)
from helpers.restoration.noise import estimate_noise


def least_squares(y, operator, sigma=0.0, *, tolerance=1e-4, iterations=200, report=False):
    """Minimise ½ |A x - y|²: believe the measurement and nothing else.

    Conjugate gradients on the normal equations Aᵀ A x = Aᵀ y, from x = 0, so that among many minimisers the
    smallest is found. Where A hardly lets a direction pass, the noise in it comes back amplified: that is what the
    other methods are for.

    Parameters
    ----------
    y, operator
        The measurement and its operator.
    sigma : float
        Not used: least squares does not ask how noisy y is.
    tolerance : float
        Stop when |Aᵀ (y - A x)| <= tolerance · |Aᵀ y|.
    iterations : int
        At most so many steps. Stopping early is itself a regularisation: noise is fitted last.
    report : bool
        Also return a :class:`Report`.

    Raises
    ------
    ValueError, TypeError, MemoryError
        For a measurement that does not fit the operator, a mask that knows no pixel, bad numbers, too large a
        picture. The same holds for every method of this package.

    >>> import numpy as np
    >>> from helpers.operators import Downsample
    >>> least_squares(np.full((2, 2), 0.5), Downsample(2))
    array([[0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5]])
    """
    y, sigma, shape = check("least_squares", y, operator, sigma)
    tolerance, iterations = stopping(tolerance, iterations)
    x, values, converged = conjugate_gradients(
        lambda x: operator.adjoint(operator.forward(x)), operator.adjoint(y), np.zeros(shape, y.dtype),
        tolerance, iterations, "least_squares")
    objective = [0.5 * energy(y) + value for value in values]
    return answer(x, y, Report(len(values) - 1, objective, converged, sigma=sigma), report)


# The mean of |∇x|² over the pixels of photos("train"), both directions together. It gives Tikhonov's weight: under the
# prior exp(-½ τ |∇x|²) its mean is 1 / τ, and the maximum a posteriori estimate has weight = sigma² τ.
GRADIENT_ENERGY = 0.0114


def tikhonov(y, operator, sigma, *, weight=None, tolerance=1e-5, iterations=500, report=False):
    """Minimise ½ |A x - y|² + ½ weight |∇x|²: believe that neighbouring pixels differ little.

    Tikhonov 1963, with differences of neighbouring pixels as ∇. Where A is circular, ∇ wraps around the border too,
    and one division in the Fourier domain is the exact answer; elsewhere ∇ stays inside the picture. There a symmetric
    blur with a reflecting border is divided in the cosine domain, and for all others conjugate gradients solve
    (Aᵀ A + weight ∇ᵀ ∇) x = Aᵀ y.

    Parameters
    ----------
    y, operator, sigma
        The measurement, its operator and its noise level.
    weight : float, optional
        At least 0. By default sigma² / ``GRADIENT_ENERGY``, the maximum a posteriori rule for Gaussian noise and
        Gaussian differences (Bertero and Boccacci 1998, chapter 7, doi:10.1887/0750304359).
    tolerance, iterations
        Stop when the residual of the equations has fallen to ``tolerance`` times its first value.
    report : bool
        Also return a :class:`Report`.
    """
    y, sigma, shape = check("tikhonov", y, operator, sigma)
    tolerance, iterations = stopping(tolerance, iterations)
    if weight is None:
        weight = max(sigma, ROUNDING) ** 2 / GRADIENT_ENERGY
    weight = validation.number(weight, "weight", low=0)

    transfer = circular_transfer(operator, shape)
    if transfer is not None:
        down, across = frequencies(shape)
        roughness = 4 * np.sin(np.pi * down) ** 2 + 4 * np.sin(np.pi * across) ** 2  # ∇ᵀ ∇ in the Fourier basis
        x = filter_waves(y, _divide(transfer.conj(), np.abs(transfer) ** 2 + weight * roughness))
        residual, slopes = operator.forward(x) - y, energy(filter_waves(x, np.sqrt(roughness)))
        objective = [0.5 * energy(residual) + 0.5 * weight * slopes]
        return answer(x, y, Report(0, objective, weight=weight, sigma=sigma), report)

    transfer = mirror_transfer(operator, shape)
    if transfer is not None:
        down, across = (4 * np.sin(np.pi * np.arange(side) / (2 * side)) ** 2 for side in shape[:2])
        roughness = down[:, None] + across  # ∇ᵀ ∇ in the basis of cosines
        x = filter_cosines(y, _divide(transfer, transfer**2 + weight * roughness))
        objective = [0.5 * energy(operator.forward(x) - y) - 0.5 * weight * float(np.vdot(x, laplacian(x)))]
        return answer(x, y, Report(0, objective, weight=weight, sigma=sigma), report)

    def normal(x):
        return operator.adjoint(operator.forward(x)) - weight * laplacian(x)

    precondition = divide_by_row_sums(operator, shape, 4 * weight) if weight > 0 else None
    x, values, converged = conjugate_gradients(
        normal, operator.adjoint(y), np.zeros(shape, y.dtype), tolerance, iterations, "tikhonov", precondition)
    objective = [0.5 * energy(y) + value for value in values]
    return answer(x, y, Report(len(values) - 1, objective, converged, weight, sigma), report)


# Photographs have a power spectrum amplitude / f^EXPONENT with an exponent between 2 and 3 (Field 1987,
# doi:10.1364/JOSAA.4.002379; Torralba and Oliva 2003, doi:10.1088/0954-898X/14/3/302). This exponent restores
# photos("train") best, and this is the geometric mean of their amplitudes, for operators that hide the spectrum.
EXPONENT = 2.5
AMPLITUDE = 1e-4


def wiener(y, operator, sigma=None, *, spectrum=None, tolerance=1e-5, iterations=500, report=False):
    """Return the linear estimate with the least mean squared error, if pictures were Gaussian with a known spectrum.

    The prior says that x is a sum of waves, each with a random amplitude of variance S(f). The estimate is then
    (Aᵀ A + sigma² C⁻¹)⁻¹ Aᵀ y, where C multiplies the spectrum by S (Wiener 1949). Where A is circular with transfer
    function H this is one multiplication for each wave, by  H* S / (|H|² S + sigma²);  elsewhere conjugate gradients
    do the inversion.

    Parameters
    ----------
    y, operator
        The measurement and its operator.
    sigma : float or None
        The noise level; None estimates it. Where A is circular, sigma and the amplitude of S are those that make y
        most likely (Whittle's likelihood: 1953, doi:10.1007/BF02590998); elsewhere see :func:`estimate_noise`.
    spectrum : array (H, W // 2 + 1), optional
        S, for the waves of ``rfft2`` with ``norm="ortho"``. By default amplitude / f^2.5, the amplitude fitted to y
        (A circular) or that of the training photographs (elsewhere).
    tolerance, iterations
        Where conjugate gradients work: stop when the residual of their equations has fallen to ``tolerance`` times
        its first value.
    report : bool
        Also return a :class:`Report`; its ``sigma`` is the estimated one where none was given.
    """
    y, given, shape = check("wiener", y, operator, 0.0 if sigma is None else sigma)
    tolerance, iterations = stopping(tolerance, iterations)
    transfer = circular_transfer(operator, shape)
    if spectrum is not None:
        spectrum = validation.array(spectrum, "spectrum", ranks=(2,))
        validation.same_shape(spectrum, "spectrum", np.empty((shape[0], shape[1] // 2 + 1)), "the rfft2 of x")
        if spectrum.min() < 0:
            raise ValueError(f"spectrum must not be negative, but its least value is {spectrum.min():.3g}")
    if sigma is not None:
        sigma = max(given, ROUNDING)
    elif transfer is None or spectrum is not None:
        sigma = max(estimate_noise(y, operator), ROUNDING)
    if spectrum is None:
        amplitude = AMPLITUDE
        if transfer is not None:
            amplitude, sigma = _fit_spectrum(y, transfer, sigma)
        spectrum = amplitude * _power_law(shape)
        # The mean brightness is anything in [0, 1], however flat the picture: its mean square is 1/3, and norm="ortho"
        # multiplies it by H · W.
        spectrum[0, 0] = shape[0] * shape[1] / 3

    if transfer is not None:
        x = filter_waves(y, _divide(transfer.conj() * spectrum, np.abs(transfer) ** 2 * spectrum + sigma**2))
        return answer(x, y, Report(0, [], sigma=sigma), report)

    doubt = sigma**2 / np.maximum(spectrum, 1e-12 * spectrum.max())

    def normal(x):
        return operator.adjoint(operator.forward(x)) + filter_waves(x, doubt)

    precondition = divide_by_row_sums(operator, shape, float(np.mean(doubt)))
    x, values, converged = conjugate_gradients(
        normal, operator.adjoint(y), np.zeros(shape, y.dtype), tolerance, iterations, "wiener", precondition)
    objective = [0.5 * energy(y) + value for value in values]
    return answer(x, y, Report(len(values) - 1, objective, converged, sigma=sigma), report)


def _divide(a, b):
    """Return a / b, and 0 where b is 0: a frequency that neither data nor prior speaks about stays empty."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape, np.result_type(a, b)), where=b != 0)


def _power_law(shape):
    """Return 1 / f^EXPONENT for the waves of rfft2, and 1 for the mean brightness, about which the law says nothing."""
    power = np.hypot(*frequencies(shape))
    power[0, 0] = 1
    power **= -EXPONENT
    return power


def _fit_spectrum(y, transfer, sigma):
    """Return the amplitude of the power law, and sigma where it is None, under which y is most likely.

    The waves of y are nearly independent, with variances V = |H|² amplitude / f^EXPONENT + sigma². Whittle's
    likelihood says: minimise the sum of log V + |Y|² / V.
    """
    from scipy.optimize import minimize

    power = np.abs(fourier(y)) ** 2 / (y.shape[0] * y.shape[1])
    power = power.reshape(*power.shape[:2], -1).mean(axis=2).astype(np.float64)
    visible = np.abs(transfer) ** 2 * _power_law(y.shape)
    copies = np.full(power.shape, 2.0)  # rfft2 leaves out the second of two opposite waves
    copies[:, 0] = 1
    if y.shape[1] % 2 == 0:
        copies[:, -1] = 1
    # the mean brightness says nothing about the amplitude
    power, visible, copies = power.ravel()[1:], visible.ravel()[1:], copies.ravel()[1:]
    if power.size == 0 or power.max() < 1e-12:  # one pixel or one grey: nothing to fit
        return AMPLITUDE, ROUNDING if sigma is None else sigma

    def unlikeliness(logarithms):
        noise = sigma if sigma is not None else math.exp(np.clip(logarithms[-1], math.log(ROUNDING), 1))
        variance = math.exp(np.clip(logarithms[0], -25, 5)) * visible + noise**2
        return float(np.average(np.log(variance) + power / variance, weights=copies))

    # Nelder and Mead's simplex needs no derivatives; a hundredth of a logarithm is one percent.
    simplex = np.log([[AMPLITUDE], [10 * AMPLITUDE]]) if sigma is not None else np.log(
        [[AMPLITUDE, 0.03], [10 * AMPLITUDE, 0.03], [AMPLITUDE, 0.1]])
    best = minimize(unlikeliness, simplex[0], method="Nelder-Mead",
                    options={"initial_simplex": simplex, "xatol": 0.01, "fatol": 1e-7, "maxfev": 200}).x
    return math.exp(np.clip(best[0], -25, 5)), (
        sigma if sigma is not None else math.exp(np.clip(best[-1], math.log(ROUNDING), 1)))
