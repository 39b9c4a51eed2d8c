"""Classical restoration: from a measurement y = A(x) + n back to a picture, ``method(y, operator, sigma) -> x_hat``.

Each method is one objective and the algorithm that minimises it. The data decide through ``|A x - y|²``; where they
are silent the prior decides, and the methods differ in nothing but the prior:

====================== ======================================= ==================================================
method                 prior                                   algorithm
====================== ======================================= ==================================================
``least_squares``      none                                    conjugate gradients
``tikhonov``           small differences, squared              one division in the Fourier domain, or CG
``wiener``             Gaussian, power falls like 1/f^2.5      one division in the Fourier domain, or CG
``richardson_lucy``    none but x >= 0; noise is Poisson's     expectation maximisation, multiplicative
``total_variation``    few edges                               accelerated primal-dual, stops by the duality gap
``biharmonic``         small curvature                         CG, with multigrid for wide holes
``wavelet_shrinkage``  sparse wavelet coefficients             one transform, thresholds, back
``dct_shrinkage``      sparse cosines in every 8 × 8 patch     the same, on overlapping patches
``non_local_means``    patches repeat                          averages of similar patches
``plug_and_play``      whatever a denoiser believes            half-quadratic splitting
====================== ======================================= ==================================================

All take y as float32 or float64 of shape (H, W) or (H, W, C), as ``operator.forward`` returns it, and give the picture
in the same type. ``sigma`` is the noise level in image units (25/255). With ``report=True`` they return the pair
(x_hat, :class:`Report`). A progress bar appears in a terminal when a run takes more than two seconds.

Default parameters come from a rule whose source is named, or were tuned on ``photos("train")``; no test picture was
looked at.
"""

import functools
import math
from typing import NamedTuple

import numpy as np

from helpers import validation
from helpers.operators import Blur, Composition, Downsample, Identity, Mask, Operator, Radon, norm

MEMORY_LIMIT = 4e9  # bytes: a method that would need more says so before it starts; raise it on a larger machine

# A picture "without noise" is still rounded to 256 grey levels. Half a level takes the place of sigma = 0, which would
# make the data an iron constraint.
ROUNDING = 0.5 / 255


class Report(NamedTuple):
    """What a solver can say about its run."""

    iterations: int
    objective: list  # the value of the objective when it was looked at, in order
    converged: bool = True  # False: the iterations ran out before the stopping rule was met
    weight: float | None = None  # the regularisation weight, given or chosen
    sigma: float | None = None  # the noise level, given or estimated
    gap: float | None = None  # total variation: (objective - lower bound) / objective


# --------------------------------------------------------------------------------------- what all methods share


def _check(name, y, operator, sigma):
    """Check the arguments of a method at its door; return y, sigma and the shape of the picture to find."""
    y = validation.array(y, "y", ranks=(2, 3))
    if y.ndim == 3 and y.shape[2] not in (1, 3):
        raise ValueError(f"y must have one or three channels, but its shape is {y.shape}")
    if not isinstance(operator, Operator):
        raise TypeError(f"operator must be one of helpers.operators, such as Identity(), "
                        f"but {validation.brief(operator)} came")
    sigma = validation.sigma(sigma)
    shape = _picture_shape(operator, y.shape)
    if (needed := _bytes(name, operator, shape, y.itemsize)) > MEMORY_LIMIT:
        raise MemoryError(f"{name} on a picture of shape {shape} needs about {needed / 1e9:.1f} GB, more than "
                          f"helpers.restoration.MEMORY_LIMIT = {MEMORY_LIMIT / 1e9:g} GB")
    operator.adjoint(y)  # raises if y is no measurement of this operator
    for mask in _masks(operator):
        if not mask.any():
            raise ValueError("the mask of the operator knows no pixel: nothing is left to restore from")
    if np.abs(y).max() > _brightest(operator) + 5 * max(sigma, 0.5):
        raise ValueError(f"y spans [{y.min():.3g}, {y.max():.3g}], too much for pictures in [0, 1]: "
                         "divide 0-255 data by 255")
    return y, sigma, shape


def _picture_shape(operator, shape):
    """Return the shape of the pictures of which the operator makes measurements of ``shape``."""
    if isinstance(operator, Composition):
        return _picture_shape(operator.inner, _picture_shape(operator.outer, shape))
    if isinstance(operator, Radon):
        return (operator.size, operator.size, *shape[2:])
    if isinstance(operator, Downsample):
        return (shape[0] * operator.factor, shape[1] * operator.factor, *shape[2:])
    return shape


def _brightest(operator):
    """Return a bound on |A x| for pictures x in [0, 1]."""
    if isinstance(operator, Composition):
        return _brightest(operator.outer) * _brightest(operator.inner)
    if isinstance(operator, Radon):
        return 1.5 * operator.size
    return np.abs(operator.kernel).sum() if isinstance(operator, Blur) else 1


def _masks(operator):
    if isinstance(operator, Composition):
        return _masks(operator.outer) + _masks(operator.inner)
    return [operator.mask] if isinstance(operator, Mask) else []


def _outermost(operator):
    while isinstance(operator, Composition):
        operator = operator.outer
    return operator


def _only_denoises(name, operator):
    if not isinstance(operator, Identity):
        raise ValueError(f"{name} removes noise and nothing else: its operator must be Identity(), but {operator!r} "
                         f"came. plug_and_play(y, operator, sigma, denoiser={name!r}) puts it to other work")


def _steps(iterations, name):
    """Count from 1 to ``iterations``, with a progress bar in a terminal once two seconds have passed."""
    from tqdm import tqdm

    with tqdm(range(1, iterations + 1), desc=name, delay=2, leave=False, disable=None) as bar:
        yield from bar


def _answer(x, y, report, wanted):
    """Return the picture in the type of the measurement, with the report if it is wanted."""
    x = np.ascontiguousarray(x, dtype=y.dtype)
    return (x, report) if wanted else x


def _circular_transfer(operator, shape):
    """Return the factors (H, W // 2 + 1) by which a circular operator multiplies rfft2, or None if it is another."""
    if isinstance(operator, Identity):
        return np.ones((shape[0], shape[1] // 2 + 1))
    if isinstance(operator, Blur) and operator.border == "circular":
        return operator.transfer_function(shape[:2])
    if isinstance(operator, Composition):
        outer, inner = _circular_transfer(operator.outer, shape), _circular_transfer(operator.inner, shape)
        return None if outer is None or inner is None else outer * inner
    return None


def _frequencies(shape):
    """Return the vertical and horizontal frequencies of rfft2, in cycles per pixel."""
    return np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]


def _fourier(x):
    from scipy import fft  # faster than numpy.fft, and single precision stays single

    return fft.rfft2(x, axes=(0, 1))


def _inverse_fourier(spectrum, shape):
    from scipy import fft

    return fft.irfft2(spectrum, s=shape[:2], axes=(0, 1))


def _filter(x, factors):
    """Multiply the spectrum of a picture by ``factors``, each channel alone."""
    spectrum = _fourier(x)
    factors = factors.astype(spectrum.dtype if np.iscomplexobj(factors) else spectrum.real.dtype, copy=False)
    return _inverse_fourier(spectrum * (factors if x.ndim == 2 else factors[..., None]), x.shape)


def _conjugate_gradients(apply, b, x, tolerance, iterations, name, precondition=None):
    """Solve M x = b for a symmetric, positive semidefinite M given as ``apply(x)``, starting from x.

    Hestenes and Stiefel 1952 (doi:10.6028/jres.049.044); with a preconditioner, Saad 2003, algorithm 9.1
    (doi:10.1137/1.9780898718003). Stops when |b - M x| <= tolerance · |b|, in the norm of the preconditioner.

    Returns x, the values of ½ xᵀ M x - bᵀ x relative to the first, one more than iterations, and whether it stopped
    by its rule.
    """
    if precondition is None:
        precondition = np.asarray
    x = x.copy()
    residual = b - apply(x)
    z = precondition(residual)
    direction, slope, slope_before = np.zeros_like(b), float(np.vdot(residual, z)), math.inf
    target = tolerance**2 * float(np.vdot(b, precondition(b)))
    values = [0.0]
    for _ in _steps(iterations, name):
        if slope <= target:
            break
        direction *= slope / slope_before
        direction += z
        image = apply(direction)
        curvature = float(np.vdot(direction, image))
        if curvature <= 0:  # what is left of the residual is rounding error
            break
        length = slope / curvature
        image *= length
        residual -= image
        x += np.multiply(direction, length, out=image)  # image has served: no new memory
        values.append(values[-1] - 0.5 * length * slope)
        z = precondition(residual)
        slope_before, slope = slope, float(np.vdot(residual, z))
    return x, values, slope <= target


def _divide_by_row_sums(operator, shape, prior):
    """Return a preconditioner for Aᵀ A + a prior with diagonal ``prior``: division by the sums of the rows of Aᵀ A.

    Pixels that A sees weakly or not at all move as fast as the others.
    """
    if not _is_positive(operator):
        return None
    sums = operator.adjoint(operator.forward(np.ones(shape, np.float32))) + prior
    return lambda residual: residual / sums.astype(residual.dtype, copy=False)


# --------------------------------------------------------------------------------------- quadratic objectives


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
        picture. The same holds for every method of this module.

    >>> import numpy as np
    >>> from helpers.operators import Downsample
    >>> least_squares(np.full((2, 2), 0.5), Downsample(2))
    array([[0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5, 0.5]])
    """
    y, sigma, shape = _check("least_squares", y, operator, sigma)
    tolerance, iterations = _stopping(tolerance, iterations)
    x, values, converged = _conjugate_gradients(
        lambda x: operator.adjoint(operator.forward(x)), operator.adjoint(y), np.zeros(shape, y.dtype),
        tolerance, iterations, "least_squares")
    objective = [0.5 * _energy(y) + value for value in values]
    return _answer(x, y, Report(len(values) - 1, objective, converged, sigma=sigma), report)


# The mean of |∇x|² over the pixels of photos("train"), both directions together. It gives Tikhonov's weight: under the
# prior exp(-½ τ |∇x|²) its mean is 1 / τ, and the maximum a posteriori estimate has weight = sigma² τ.
GRADIENT_ENERGY = 0.0114


def tikhonov(y, operator, sigma, *, weight=None, tolerance=1e-5, iterations=500, report=False):
    """Minimise ½ |A x - y|² + ½ weight |∇x|²: believe that neighbouring pixels differ little.

    Tikhonov 1963, with differences of neighbouring pixels as ∇. Where A is circular, ∇ wraps around the border too,
    and one division in the Fourier domain is the exact answer; elsewhere ∇ stays inside the picture and conjugate
    gradients solve (Aᵀ A + weight ∇ᵀ ∇) x = Aᵀ y.

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
    y, sigma, shape = _check("tikhonov", y, operator, sigma)
    tolerance, iterations = _stopping(tolerance, iterations)
    if weight is None:
        weight = max(sigma, ROUNDING) ** 2 / GRADIENT_ENERGY
    weight = validation.number(weight, "weight", low=0)

    transfer = _circular_transfer(operator, shape)
    if transfer is not None:
        down, across = _frequencies(shape)
        roughness = 4 * np.sin(np.pi * down) ** 2 + 4 * np.sin(np.pi * across) ** 2  # ∇ᵀ ∇ in the Fourier basis
        x = _filter(y, _divide(transfer.conj(), np.abs(transfer) ** 2 + weight * roughness))
        residual, slopes = operator.forward(x) - y, _energy(_filter(x, np.sqrt(roughness)))
        objective = [0.5 * _energy(residual) + 0.5 * weight * slopes]
        return _answer(x, y, Report(0, objective, weight=weight, sigma=sigma), report)

    def normal(x):
        return operator.adjoint(operator.forward(x)) - weight * _laplacian(x)

    precondition = _divide_by_row_sums(operator, shape, 4 * weight) if weight > 0 else None
    x, values, converged = _conjugate_gradients(
        normal, operator.adjoint(y), np.zeros(shape, y.dtype), tolerance, iterations, "tikhonov", precondition)
    objective = [0.5 * _energy(y) + value for value in values]
    return _answer(x, y, Report(len(values) - 1, objective, converged, weight, sigma), report)


def _laplacian(x):
    """Return the sum of the differences to the neighbours, -∇ᵀ ∇ x: beyond the border there is no neighbour."""
    out = np.zeros_like(x)
    difference = x[1:] - x[:-1]
    out[:-1] += difference
    out[1:] -= difference
    difference = x[:, 1:] - x[:, :-1]
    out[:, :-1] += difference
    out[:, 1:] -= difference
    return out


def _energy(x):
    return float(np.sum(np.square(x), dtype=np.float64))


def _divide(a, b):
    """Return a / b, and 0 where b is 0: a frequency that neither data nor prior speaks about stays empty."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape, np.result_type(a, b)), where=b != 0)


def _stopping(tolerance, iterations):
    return (validation.number(tolerance, "tolerance", low=0), validation.integer(iterations, "iterations", low=1))


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
    y, given, shape = _check("wiener", y, operator, 0.0 if sigma is None else sigma)
    tolerance, iterations = _stopping(tolerance, iterations)
    transfer = _circular_transfer(operator, shape)
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

    if transfer is not None:
        x = _filter(y, _divide(transfer.conj() * spectrum, np.abs(transfer) ** 2 * spectrum + sigma**2))
        return _answer(x, y, Report(0, [], sigma=sigma), report)

    doubt = sigma**2 / np.maximum(spectrum, 1e-12 * spectrum.max())

    def normal(x):
        return operator.adjoint(operator.forward(x)) + _filter(x, doubt)

    precondition = _divide_by_row_sums(operator, shape, float(np.mean(doubt)))
    x, values, converged = _conjugate_gradients(
        normal, operator.adjoint(y), np.zeros(shape, y.dtype), tolerance, iterations, "wiener", precondition)
    objective = [0.5 * _energy(y) + value for value in values]
    return _answer(x, y, Report(len(values) - 1, objective, converged, sigma=sigma), report)


def _power_law(shape):
    """Return 1 / f^EXPONENT for the waves of rfft2."""
    power = np.hypot(*_frequencies(shape))
    power[0, 0] = 1
    power **= -EXPONENT
    # The mean brightness is anything in [0, 1]: its mean square is 1/3, and norm="ortho" multiplies it by H · W.
    power[0, 0] = shape[0] * shape[1] / (3 * AMPLITUDE)
    return power


def _fit_spectrum(y, transfer, sigma):
    """Return the amplitude of the power law, and sigma where it is None, under which y is most likely.

    The waves of y are nearly independent, with variances V = |H|² amplitude / f^EXPONENT + sigma². Whittle's
    likelihood says: minimise the sum of log V + |Y|² / V.
    """
    from scipy.optimize import minimize

    power = np.abs(_fourier(y)) ** 2 / (y.shape[0] * y.shape[1])
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


def estimate_noise(y, operator=None):
    """Estimate the level of white noise in y from its finest details, where noise outweighs the picture.

    The median absolute diagonal Haar coefficient of 2 × 2 cells, divided by 0.6745, its value for standard Gaussian
    noise (Donoho and Johnstone 1994, doi:10.1093/biomet/81.3.425). Where ``operator`` ends with a mask, only cells
    that are known whole count.

    Returns
    -------
    float
        In image units; 0 where no cell is left to look at.
    """
    y = validation.array(y, "y", ranks=(2, 3))
    detail = (y[:-1, :-1] - y[1:, :-1] - y[:-1, 1:] + y[1:, 1:]) / 2
    last = _outermost(operator)
    if isinstance(last, Mask):
        known = last.mask
        detail = detail[known[:-1, :-1] & known[1:, :-1] & known[:-1, 1:] & known[1:, 1:]]
    return float(np.median(np.abs(detail)) / 0.6745) if detail.size else 0.0


# --------------------------------------------------------------------------------------- Poisson noise


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
    y, sigma, shape = _check("richardson_lucy", y, operator, sigma)
    tolerance, iterations = _stopping(tolerance, iterations)
    if not _is_positive(operator):
        raise ValueError(f"operator {operator!r} has negative weights, but Richardson-Lucy needs light that only adds")
    light = np.maximum(y, 0)
    least = np.finfo(y.dtype).eps * max(float(light.max()), 1e-6)  # below it a Fourier transform rounds to anything
    reach = operator.adjoint(np.ones_like(y))  # how much of each pixel's light arrives
    seen = reach > 1e-6 * reach.max()
    x = np.full(shape, light.sum(dtype=np.float64) / reach.sum(dtype=np.float64), y.dtype)
    known = max(np.count_nonzero(operator.forward(np.ones_like(x)) > 0), 1)
    objective, converged, step = [], False, 0
    for step in _steps(iterations, "richardson_lucy"):
        expected = np.maximum(operator.forward(x), least)
        objective.append(_divergence(light, expected))
        if sigma > 0 and _energy(expected - light) <= known * sigma**2:
            converged, step = True, step - 1
            break
        gain = np.divide(operator.adjoint(light / expected), reach, out=np.ones_like(x), where=seen)
        new = x * np.maximum(gain, 0)  # the Fourier transform may round a zero to a tiny negative number
        change = np.linalg.norm(new - x)
        x = new
        if change <= tolerance * np.linalg.norm(x):
            converged = True
            break
    return _answer(x, y, Report(step, objective, converged, sigma=sigma), report)


def _divergence(light, expected):
    ratio = np.where(light > 0, light / expected, 1)
    return float(np.sum(light * np.log(ratio) - light + expected, dtype=np.float64))


def _is_positive(operator):
    """Say whether an operator has no negative weight, so that light can only add."""
    if isinstance(operator, Composition):
        return _is_positive(operator.outer) and _is_positive(operator.inner)
    return operator.kernel.min() >= 0 if isinstance(operator, Blur) else True


# --------------------------------------------------------------------------------------- total variation


def total_variation(y, operator, sigma, *, weight=None, tolerance=0.02, iterations=500, report=False):
    """Minimise ½ |A x - y|² + weight · TV(x) over pictures x in [0, 1]: believe in few edges, however high.

    Rudin, Osher and Fatemi 1992 (doi:10.1016/0167-2789(92)90242-F), isotropic. TV(x) is the sum over all 2 × 2 cells
    of the length of the gradient there, measured by all four differences in the cell: with the usual two, a mirrored
    picture would have another total variation. In colour the length is taken over the channels together, so edges
    stay in one place (Bresson and Chan 2008, doi:10.3934/ipi.2008.2.455).

    The algorithm is Chambolle and Pock's primal-dual method (2011, doi:10.1007/s10851-010-0251-1): for A = I the
    accelerated one (algorithm 2), elsewhere algorithm 1 with the data term dualised as well, as Sidky, Jørgensen and
    Pan do for tomography (2012, doi:10.1088/0031-9155/57/10/3065). It needs nothing of A but forward and adjoint.

    Parameters
    ----------
    y, operator, sigma
        The measurement, its operator and its noise level.
    weight : float, optional
        Above 0. By default c · sigma · |A| where |A| is the mean gain of A for white noise: the weight must outweigh
        the noise that Aᵀ hands back (Bickel, Ritov and Tsybakov 2009, doi:10.1214/08-AOS620). c = 0.8, in colour
        1.2, suits ``photos("train")``.
    tolerance : float
        Stop when the duality gap proves the objective to be within this fraction of its minimum.
    iterations : int
        At most so many steps.
    report : bool
        Also return a :class:`Report` with objective and relative gap.
    """
    y, sigma, shape = _check("total_variation", y, operator, sigma)
    tolerance, iterations = _stopping(tolerance, iterations)
    if isinstance(operator, Mask) and operator.mask.all():
        operator = Identity()
    if weight is not None:
        weight = validation.number(weight, "weight", low=0, open_low=True)
    else:
        weight = (0.8 if math.prod(shape[2:]) == 1 else 1.2) * (
            sigma if isinstance(operator, Identity) else max(sigma, ROUNDING) * _gain(operator, shape))
    if weight == 0:  # no noise, no damage
        return _answer(np.clip(y, 0, 1), y, Report(0, [0.0], weight=0.0, sigma=sigma, gap=0.0), report)
    solver = _denoise_by_tv if isinstance(operator, Identity) else _invert_by_tv
    x, steps, objective, gap = solver(y, operator, shape, weight, tolerance, iterations)
    return _answer(x, y, Report(steps, objective, gap <= tolerance, weight, sigma, gap), report)


class _Cells:
    """The gradient G of total variation: the four differences in every 2 × 2 cell of pixels.

    The picture gets a frame of copied pixels, so that every pixel lies in four cells, and becomes one long row of
    w = W + 2 pixels after w pixels: the neighbour below stands w places on, and each difference of the whole picture
    is one subtraction of two contiguous arrays, which is four times as fast as slicing rows. The cell of a pixel has
    it as its upper left corner. Colour pictures are (3, row), differences (4, channels, row).

    TV(x) = Σ √½ |G x|, where ½ is there because a cell holds each direction twice, and |G|² <= 16. Cells in the frame
    lie half outside and count half: a step has a total variation of its height times its length.
    """

    scale = math.sqrt(0.5)
    squared_norm = 16

    def __init__(self, shape, dtype, pictures):
        self.height, self.width = shape[0] + 2, shape[1] + 2
        self.channels, self.dtype, self.shape = (shape[2] if len(shape) == 3 else 1), dtype, shape
        # All memory at once, for p, the differences to the right and downwards, two helpers and so many pictures: the
        # system hands out one large block six times as fast as many small ones.
        memory = np.zeros((8 + pictures, self.channels, self.height * self.width), dtype)
        self.p, (self.across, self.down), self.pictures = memory[:4], memory[4:6], memory[8:]
        self.length, self.square = memory[6:8, 0]
        self.share = np.ones(memory.shape[2], dtype)
        for border in (np.s_[0], np.s_[-2], np.s_[:, 0], np.s_[:, -2]):
            self.grid(self.share)[border] = 0.5

    def grid(self, row):
        """Show a long row as the framed picture that it is."""
        return row.reshape(*row.shape[:-1], self.height, self.width)

    def inside(self, row):
        """Show the picture (channels, H, W) without its frame."""
        return self.grid(row)[:, 1:-1, 1:-1]

    def write(self, x, row):
        """Copy a picture into a long row."""
        self.inside(row)[...] = np.moveaxis(x.reshape(*x.shape[:2], -1), 2, 0)

    def read(self, row):
        """Copy a picture out of a long row."""
        return np.ascontiguousarray(np.moveaxis(self.inside(row), 0, 2)).reshape(self.shape)

    def renew_frame(self, x):
        """Copy the border of x to its frame."""
        picture = self.grid(x)
        picture[:, 0], picture[:, -1] = picture[:, 1], picture[:, -2]
        picture[:, :, 0], picture[:, :, -1] = picture[:, :, 1], picture[:, :, -2]

    def smooth(self, x):
        """Replace x by its means over 3 × 3 pixels with weights 1 2 1, as pairs of pairs."""
        self.renew_frame(x)
        w, pairs = self.width, self.across
        np.add(x[:, 1:], x[:, :-1], out=pairs[:, 1:])
        np.add(pairs[:, 1:], pairs[:, :-1], out=x[:, :-1])
        np.add(x[:, w:], x[:, :-w], out=pairs[:, w:])
        np.add(pairs[:, w:], pairs[:, :-w], out=x[:, :-w])
        x *= 1 / 16

    def differences(self, x):
        """Write the differences of x to its neighbours on the right and below. The frame of x is renewed."""
        self.renew_frame(x)
        w = self.width
        np.subtract(x[:, 1:], x[:, :-1], out=self.across[:, :-1])
        np.subtract(x[:, w:], x[:, :-w], out=self.down[:, :-w])
        return self.across, self.down

    def add_gradient(self, x, p):
        """Add G x to p."""
        w, (across, down) = self.width, self.differences(x)
        p[0] += across
        p[1][:, :-w] += across[:, w:]
        p[2] += down
        p[3][:, :-1] += down[:, 1:]
        cells = self.grid(p)  # the last row and the last column of the frame are no cell's upper left corner
        cells[..., -1, :] = 0
        cells[..., -1] = 0

    def transposed_gradient(self, p, out):
        """Write Gᵀ p to ``out``: each pixel gets what its cells say, with their signs."""
        w, picture, across, down = self.width, self.grid(out), self.across, self.down
        across[:, :w], down[:, 0] = p[0][:, :w], p[2][:, 0]
        np.add(p[0][:, w:], p[1][:, :-w], out=across[:, w:])
        np.add(p[2][:, 1:], p[3][:, :-1], out=down[:, 1:])
        out[:, 0] = -across[:, 0]
        np.subtract(across[:, :-1], across[:, 1:], out=out[:, 1:])
        out -= down
        out[:, w:] += down[:, :-w]
        # the frame copies the border, so what it gets belongs to the border
        picture[:, 1] += picture[:, 0]
        picture[:, -2] += picture[:, -1]
        picture[:, :, 1] += picture[:, :, 0]
        picture[:, :, -2] += picture[:, :, -1]
        picture[:, 0], picture[:, -1], picture[:, :, 0], picture[:, :, -1] = 0, 0, 0, 0

    def lengths(self, p):
        """Return |p| in every cell, over its four differences and all channels."""
        parts = p.reshape(-1, p.shape[-1])
        np.multiply(parts[0], parts[0], out=self.length)
        for part in parts[1:]:
            np.multiply(part, part, out=self.square)
            self.length += self.square
        return np.sqrt(self.length, out=self.length)

    def shorten(self, p, radius):
        """Shorten p in every cell to at most its ``radius``: the projection onto what TV allows its dual variable."""
        factor = self.lengths(p)
        np.maximum(factor, radius, out=factor)
        np.divide(radius, factor, out=factor)
        for part in p.reshape(-1, p.shape[-1]):
            part *= factor

    def total_variation(self, x):
        """Return TV(x)."""
        w, (across, down) = self.width, self.differences(x)
        across *= across
        down *= down
        square = across + down
        square[:, :-w] += across[:, w:]
        square[:, :-1] += down[:, 1:]
        length = np.sqrt(square.sum(axis=0))
        length *= self.share
        return self.scale * float(self.grid(length)[:-1, :-1].sum(dtype=np.float64))


def _denoise_by_tv(y, operator, shape, weight, tolerance, iterations):
    """Minimise ½ |x - y|² + weight TV(x), x in [0, 1], by Chambolle and Pock's algorithm 2.

    The saddle point of ½ |x - y|² + <G x, p> over x and |p| <= weight √½: p climbs, x descends, and because the
    objective is strongly convex the steps of x may shrink so that the gap falls like 1 / steps².
    """
    cells = _Cells(shape, y.dtype, pictures=4)
    radius = (weight * cells.scale) * cells.share
    p, (data, x, ahead, force) = cells.p, cells.pictures
    cells.write(y, data)
    # First guess: the dual variable points along the gradient of the smoothed picture.
    ahead[...] = data
    cells.smooth(ahead)
    cells.add_gradient(ahead, p)
    cells.shorten(p, radius)
    cells.transposed_gradient(p, force)
    np.subtract(data, force, out=x)
    np.clip(x, 0, 1, out=x)
    tau = 0.6  # the step of x
    step_p = 1 / (cells.squared_norm * tau)  # the longest that convergence allows
    np.multiply(x, step_p, out=ahead)
    objective, look = [], 10
    for step in _steps(iterations, "total_variation"):
        cells.add_gradient(ahead, p)
        cells.shorten(p, radius)
        cells.transposed_gradient(p, force)
        # x <- argmin over [0, 1] of ½ |x - y|² + <x, force> + |x - x_before|² / (2 tau); ``ahead`` holds the new x
        np.subtract(data, force, out=ahead)
        ahead *= tau
        ahead += x
        ahead *= 1 / (1 + tau)
        np.clip(ahead, 0, 1, out=ahead)
        x, ahead = ahead, x
        if step in (look, iterations):
            gap = _denoising_gap(cells, x, p, force, data, weight, objective)
            if gap <= tolerance:
                break
            look = _next_look(step, gap, tolerance)
        theta = 1 / math.sqrt(1 + 2 * tau)
        tau, step_p = tau * theta, step_p / theta
        # ``ahead`` holds x before; look ahead by the step just taken: step_p times x + theta (x - x before)
        ahead *= -theta * step_p
        np.multiply(x, (1 + theta) * step_p, out=force)
        ahead += force
    return cells.read(x), step, objective, gap


def _denoising_gap(cells, x, p, force, data, weight, objective):
    """Return the relative duality gap of x and p, where force = Gᵀ p.

    For any allowed p, no x in [0, 1] has an objective under the minimum of ½ |x - y|² + <x, force>.
    """
    primal = 0.5 * _energy(cells.inside(x) - cells.inside(data)) + weight * cells.total_variation(x)
    force, data = cells.inside(force), cells.inside(data)
    lowest = np.clip(data - force, 0, 1)
    dual = 0.5 * _energy(lowest - data) + float(np.sum(lowest * force, dtype=np.float64))
    objective.append(primal)
    return _relative_gap(primal, dual)


def _relative_gap(primal, dual):
    return max(primal - dual, 0.0) / primal if primal > 0 else 0.0


def _next_look(step, gap, tolerance):
    """Say when to look at the gap again: looking costs a step, and the gap falls about like 1 / steps²."""
    return step + min(max(math.ceil(step * (math.sqrt(gap / max(tolerance, 1e-12)) - 1)), 1), 50)


def _invert_by_tv(y, operator, shape, weight, tolerance, iterations):
    """Minimise ½ |A x - y|² + weight TV(x), x in [0, 1], by Chambolle and Pock's algorithm 1.

    The saddle point of <A x - y, q> - ½ |q|² + <G x, p> over x, q and |p| <= weight √½. Because x is bounded, the
    gap is finite whatever p and q are.
    """
    cells = _Cells(shape, y.dtype, pictures=1)
    radius = (weight * cells.scale) * cells.share
    p, (row,), q = cells.p, cells.pictures, np.zeros_like(y)
    squared_norm = _squared_norm(operator, shape)
    # Steps that need about equally many iterations for deblurring, inpainting and super-resolution of photographs
    # in [0, 1]; 16 step_p + |A|² step_q = 1 / tau is the longest that convergence allows.
    tau = 20.0 / max(squared_norm, 1.0)
    step_p = 0.5 / (cells.squared_norm * tau)
    step_q = 0.5 / (max(squared_norm, 1e-12) * tau)
    x = np.clip(_first_guess(y, operator, ROUNDING), 0, 1)
    ahead = x
    objective, look = [], 20
    for step in _steps(iterations, "total_variation"):
        cells.write(ahead * step_p, row)
        cells.add_gradient(row, p)
        cells.shorten(p, radius)
        q = (q + step_q * (operator.forward(ahead) - y)) / (1 + step_q)
        cells.transposed_gradient(p, row)
        force = cells.read(row) + operator.adjoint(q)
        before, x = x, np.clip(x - tau * force, 0, 1)
        ahead = 2 * x - before
        if step in (look, iterations):
            cells.write(x, row)
            primal = 0.5 * _energy(operator.forward(x) - y) + weight * cells.total_variation(row)
            # the least of <x, force> over [0, 1] takes x = 1 where the force is negative
            dual = float(np.minimum(force, 0).sum(dtype=np.float64)) - 0.5 * _energy(q) - float(np.vdot(q, y))
            objective.append(primal)
            gap = _relative_gap(primal, dual)
            if gap <= tolerance:
                break
            look = _next_look(step, gap, tolerance)
    return x, step, objective, gap


def _first_guess(y, operator, sigma):
    """Return a smooth picture that explains y: where iterations start."""
    if isinstance(operator, Mask):
        return biharmonic(y, operator)
    weight = 2 * max(sigma, ROUNDING) ** 2 / GRADIENT_ENERGY  # a start a little smoother than Tikhonov's own answer
    return tikhonov(y, operator, sigma, weight=weight, tolerance=1e-3, iterations=50)


def _gain(operator, shape):
    """Return the root mean square gain of A for white noise, |A|_F / √(H · W).

    The noise is random signs that no flip and no transposition changes, so a flipped operator has the same gain.
    """
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in shape[:2])
    size = max(rows.max(), columns.max()) + 1
    signs = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), (size, size))
    signs = np.triu(signs) + np.triu(signs, 1).T
    noise = signs[np.ix_(rows, columns)]
    return math.sqrt(_energy(operator.forward(noise)) / noise.size)


def _squared_norm(operator, shape):
    """Return a bound on |A|², the largest eigenvalue of Aᵀ A."""
    if _is_positive(operator):  # Schur's test: a matrix without negative entries has no eigenvalue over its row sums
        return float(operator.adjoint(operator.forward(np.ones(shape[:2], np.float32))).max())
    transfer = _circular_transfer(operator, shape)
    if transfer is not None:
        return float(np.abs(transfer).max() ** 2)
    return 1.1 * norm(operator, shape[:2], iterations=30) ** 2  # power iteration comes from below


# --------------------------------------------------------------------------------------- biharmonic inpainting


def biharmonic(y, operator, sigma=0.0, *, tolerance=1e-5, iterations=2000, report=False):
    """Fill lost pixels so that the picture curves as little as possible: minimise |Δ x|², known pixels kept.

    The minimum solves the biharmonic equation ΔΔx = 0 at every unknown pixel, with the five-point Laplacian and the
    border mirrored: exactly the equations of ``skimage.restoration.inpaint_biharmonic`` (Damelin and Hoang 2018,
    doi:10.1155/2018/3950312). They are solved by conjugate gradients without ever writing down the matrix; wide holes,
    for which those need as many steps as the hole is wide, squared, get a multigrid preconditioner. As there, the
    result stays within the range of the known pixels.

    Parameters
    ----------
    y : picture
        The known pixels; what stands at the unknown ones does not matter.
    operator : Mask
        Which pixels are known.
    sigma : float
        Not used: known pixels are kept as they are, noise and all.
    tolerance, iterations
        Stop when the residual of the equations has fallen to ``tolerance`` times its first value.
    report : bool
        Also return a :class:`Report`; its objective is ½ |Δ x|².

    Raises
    ------
    ValueError
        For an operator that is no mask.
    """
    if isinstance(operator, Operator) and not isinstance(operator, Mask):
        raise ValueError(f"biharmonic fills holes and nothing else: its operator must be a Mask, but {operator!r} came")
    y, sigma, _ = _check("biharmonic", y, operator, sigma)
    tolerance, iterations = _stopping(tolerance, iterations)
    known = operator.mask if y.ndim == 2 else operator.mask[..., None]
    if known.all():
        return _answer(y.copy(), y, Report(0, [], sigma=sigma), report)
    unknown = (~known).astype(y.dtype)
    start = y * known
    height = y.shape[0]
    rows = max(2**15 * height // y.size, 4)

    def bend(x):
        """Return ΔΔx at the unknown pixels, by strips of rows that stay in the processor's cache."""
        bent = np.empty_like(x)
        for top in range(0, height, rows):
            bottom, first = min(top + rows, height), max(top - 2, 0)  # ΔΔ looks two rows up and two down
            strip = _laplacian(_laplacian(x[first : bottom + 2]))
            np.multiply(strip[top - first : bottom - first], unknown[top:bottom], out=bent[top:bottom])
        return bent

    precondition = _Multigrid.for_mask(operator.mask) if _widest_hole(operator.mask) > WIDE_HOLE else None
    x, values, converged = _conjugate_gradients(
        bend, -bend(start), np.zeros_like(y), tolerance, iterations, "biharmonic", precondition)
    objective = [0.5 * _energy(_laplacian(start)) + value for value in values]
    seen = y[operator.mask]  # (known pixels,) or (known pixels, channels)
    x = np.where(known, y, np.clip(x, seen.min(axis=0), seen.max(axis=0)))
    return _answer(x, y, Report(len(values) - 1, objective, converged, sigma=sigma), report)


WIDE_HOLE = 8  # pixels to the border of a hole from which on multigrid pays


def _widest_hole(mask):
    """Return the largest distance, in steps to the eight neighbours, from an unknown pixel to a known one."""
    from scipy import ndimage

    return int(ndimage.distance_transform_cdt(~mask, metric="chessboard").max())


class _Multigrid:
    """One V-cycle of multigrid for ΔΔ on the unknown pixels, as a preconditioner: an approximate inverse.

    Conjugate gradients remove fast waves of the error at once and slow waves hardly at all; on a grid with every
    second pixel the slow waves are fast. So: smooth, hand the remaining error to the coarser grid, add its
    correction, smooth again (Briggs, Henson and McCormick 2000, doi:10.1137/1.9780898719505). The coarse grid is
    every second pixel of every second row, as far as unknown; the coarse equations are those of Galerkin, Pᵀ M P, with
    bilinear interpolation P.
    """

    def __init__(self, matrix, unknown):
        from scipy import sparse
        from scipy.sparse.linalg import splu

        self.matrix = matrix
        coarse = unknown[::2, ::2]
        if matrix.shape[0] <= 1000 or not coarse.any():
            self.solve = splu(sparse.csc_array(matrix)).solve
            return
        self.solve = self._cycle
        i, j = np.nonzero(unknown)
        number = np.full(coarse.shape, -1)  # of each coarse pixel
        number[coarse] = np.arange(np.count_nonzero(coarse))
        # An odd row lies between two coarse rows, an even row on one, which then comes twice. Beyond the border the
        # picture is its mirror image, and the last coarse row comes twice.
        number = np.pad(number, (0, 1), mode="edge")
        columns = np.concatenate([number[(i + down) // 2, (j + right) // 2] for down in (0, 1) for right in (0, 1)])
        rows, inside = np.tile(np.arange(i.size), 4), columns >= 0
        self.prolong = sparse.csr_array((np.full(np.count_nonzero(inside), 0.25), (rows[inside], columns[inside])),
                                        shape=(i.size, np.count_nonzero(coarse)))
        self.restrict = sparse.csr_array(self.prolong.T)
        self.diagonal = matrix.diagonal()
        # damped Jacobi: 4/3 over the largest eigenvalue of D⁻¹ M, here bounded by its row sums (Gershgorin)
        self.damping = 4 / 3 / float((abs(matrix).sum(axis=1) / self.diagonal).max())
        self.coarser = _Multigrid(sparse.csr_array(self.restrict @ matrix @ self.prolong), coarse)

    @classmethod
    def for_mask(cls, mask):
        """Return the preconditioner as a function of a picture that is zero at the known pixels."""
        unknown = ~mask
        laplacian = _laplacian_rows(unknown)
        cycle = cls(laplacian @ laplacian.T, unknown)

        def precondition(residual):
            picture = np.zeros_like(residual)
            for channel in np.ndindex(residual.shape[2:]):
                where = (unknown, *channel)
                picture[where] = cycle.solve(residual[where].astype(np.float64))
            return picture

        return precondition

    def _smooth(self, x, b):
        for _ in range(2):
            x = x + self.damping * (b - self.matrix @ x) / self.diagonal
        return x

    def _cycle(self, b):
        x = self._smooth(np.zeros_like(b), b)
        x = x + self.prolong @ self.coarser.solve(self.restrict @ (b - self.matrix @ x))
        return self._smooth(x, b)


def _laplacian_rows(unknown):
    """Return the rows of the Laplacian that belong to unknown pixels, a sparse matrix (unknown pixels, all pixels)."""
    from scipy.sparse import csr_array

    (height, width), (i, j) = unknown.shape, np.nonzero(unknown)
    rows, columns, values = [], [], []
    for down, right in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        neighbour = (i + down >= 0) & (i + down < height) & (j + right >= 0) & (j + right < width)
        row, here = np.flatnonzero(neighbour), (i * width + j)[neighbour]
        rows += [row, row]
        columns += [here + down * width + right, here]
        values += [np.ones(row.size), -np.ones(row.size)]
    entries = np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))
    return csr_array(entries, shape=(i.size, height * width))


# --------------------------------------------------------------------------------------- denoisers


def wavelet_shrinkage(y, operator, sigma, *, wavelet="haar", levels=4, report=False):
    """Denoise by shrinking wavelet coefficients: a picture has few large ones, noise has many small ones.

    The stationary wavelet transform, which is the average over all shifts of the ordinary one (Coifman and Donoho
    1995, doi:10.1007/978-1-4612-2544-7_9); in each subband the soft threshold sigma² / sigma_x of BayesShrink (Chang,
    Yu and Vetterli 2000, doi:10.1109/83.862633), where sigma_x² is what the noise does not explain of the subband's
    variance. Colours are made independent first: brightness and two colour differences.

    Parameters
    ----------
    y : picture (H, W) or (H, W, C)
    operator : Identity
        Wavelets alone undo no blur and fill no holes; :func:`plug_and_play` with ``denoiser="wavelet_shrinkage"`` does.
    sigma : float
        The noise level; 0 returns y.
    wavelet : str
        An orthogonal wavelet of PyWavelets. Haar's, the shortest, is symmetric: mirrored pictures get mirrored answers.
    levels : int
        How many times the resolution is halved.
    report : bool
        Also return a :class:`Report`.

    Raises
    ------
    ValueError
        For an operator that is not the identity, or a wavelet that is unknown or not orthogonal.
    """
    import pywt

    y, sigma, _ = _check("wavelet_shrinkage", y, operator, sigma)
    _only_denoises("wavelet_shrinkage", operator)
    validation.choice(wavelet, "wavelet", pywt.wavelist(kind="discrete"))
    if not pywt.Wavelet(wavelet).orthogonal:
        raise ValueError(f"wavelet {wavelet!r} is not orthogonal, so white noise would not stay white")
    levels = validation.integer(levels, "levels", low=1, high=8)
    shrink = functools.partial(_shrink_wavelets, sigma=sigma, wavelet=wavelet, levels=levels)
    x = y.copy() if sigma == 0 else _on_independent_colours(shrink, y)
    return _answer(x, y, Report(0, [], sigma=sigma), report)


def _shrink_wavelets(plane, sigma, wavelet, levels):
    import pywt

    margins = [_margin(size, 2**levels) for size in plane.shape]
    coefficients = pywt.swt2(np.pad(plane, margins, mode="symmetric"), wavelet, levels, norm=True, trim_approx=True)
    for level, subbands in zip(range(levels, 0, -1), coefficients[1:], strict=True):
        noise = (sigma / 2**level) ** 2  # norm=True divides the transform of each level by two
        for subband in subbands:
            signal = max(_energy(subband) / subband.size - noise, 0.0)
            if signal == 0:
                subband[...] = 0
            else:
                subband -= np.clip(subband, -noise / math.sqrt(signal), noise / math.sqrt(signal))
    (top, _), (left, _) = margins
    x = pywt.iswt2(coefficients, wavelet, norm=True)
    return x[top : top + plane.shape[0], left : left + plane.shape[1]]


def _margin(size, multiple):
    """Return how much to add on both sides, at least ``multiple``, alike if it can be, to reach a multiple."""
    total = -(-(size + 2 * multiple) // multiple) * multiple - size
    return total // 2, total - total // 2


# Brightness, red against blue, green against both: orthonormal, so white noise stays white (Yu and Sapiro 2011).
_INDEPENDENT_COLOURS = np.array([[1, 1, 1], [1, 0, -1], [0.5, -1, 0.5]]) / np.sqrt([[3], [2], [1.5]])


def _on_independent_colours(denoise_plane, y):
    """Denoise a grey picture, or each of the three planes into which a rotation of colour space turns a picture."""
    if y.ndim == 2:
        return denoise_plane(y)
    rotation = _INDEPENDENT_COLOURS.astype(y.dtype) if y.shape[2] == 3 else np.ones((1, 1), y.dtype)
    planes = np.moveaxis(y @ rotation.T, 2, 0)
    return np.stack([denoise_plane(np.ascontiguousarray(plane)) for plane in planes], axis=2) @ rotation


def dct_shrinkage(y, operator, sigma, *, patch=8, threshold=2.7, report=False):
    """Denoise every overlapping patch by dropping its small cosine coefficients, and average.

    Yu and Sapiro 2011 (doi:10.5201/ipol.2011.ys-dct). A patch of a picture is the sum of few cosines, its noise of all
    of them. A patch that needed fewer cosines counts more, like 1 / (number kept), because less noise is left in it
    (Guleryuz 2007, IEEE Transactions on Image Processing 16(12)).

    Parameters
    ----------
    y : picture (H, W) or (H, W, C)
    operator : Identity
    sigma : float
        The noise level; 0 returns y.
    patch : int
        Side of the patches in pixels.
    threshold : float
        Coefficients under ``threshold`` · sigma are dropped. 2.7 suits ``photos("train")``.
    report : bool
        Also return a :class:`Report`.

    Raises
    ------
    ValueError
        For an operator that is not the identity.
    """
    y, sigma, _ = _check("dct_shrinkage", y, operator, sigma)
    _only_denoises("dct_shrinkage", operator)
    patch = validation.integer(patch, "patch", low=2, high=32)
    threshold = validation.number(threshold, "threshold", low=0)
    shrink = functools.partial(_shrink_cosines, patch=patch, threshold=threshold * sigma)
    x = y.copy() if sigma == 0 else _on_independent_colours(shrink, y)
    return _answer(x, y, Report(0, [], sigma=sigma), report)


def _shrink_cosines(plane, patch, threshold):
    from scipy import fft

    margin = patch - 1
    framed = np.pad(plane, margin, mode="symmetric")
    total, weights = np.zeros_like(framed), np.zeros_like(framed)
    height, width = plane.shape[0] + margin, plane.shape[1] + margin  # so many patches down and across
    rows = max(2**12 // width, 1)  # a strip of patches at a time stays in the processor's cache
    places = [(i, j) for i in range(patch) for j in range(patch)]
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        patches = np.empty((patch, patch, bottom - top, width), plane.dtype)
        for i, j in places:
            patches[i, j] = framed[top + i : bottom + i, j : j + width]
        patches = fft.dctn(patches, axes=(0, 1), norm="ortho", overwrite_x=True)
        large = np.abs(patches) >= threshold
        large[0, 0] = True  # the mean of the patch stays
        weight = 1 / large.sum(axis=(0, 1), dtype=plane.dtype)
        patches *= large
        patches *= weight
        patches = fft.idctn(patches, axes=(0, 1), norm="ortho", overwrite_x=True)
        for i, j in places:
            total[top + i : bottom + i, j : j + width] += patches[i, j]
            weights[top + i : bottom + i, j : j + width] += weight
    total /= weights
    return total[margin:-margin, margin:-margin]


def non_local_means(y, operator, sigma, *, patch=7, reach=6, strength=0.7, report=False):
    """Denoise each pixel by the mean of the pixels around which the picture looks alike.

    scikit-image's fast implementation of Buades, Coll and Morel 2005 (doi:10.1109/CVPR.2005.38), following Froment
    2014 (doi:10.5201/ipol.2014.120).
    Its patches reach one pixel less to one side, so a mirrored picture gets a slightly other answer.

    Parameters
    ----------
    y : picture (H, W) or (H, W, C)
    operator : Identity
    sigma : float
        The noise level; 0 returns y.
    patch, reach : int
        Side of the patches compared, and how far apart they may lie, in pixels.
    strength : float
        Patches whose distance is ``strength`` · sigma still count for 1/e: h = strength · sigma in the paper. 0.7 and
        the patch of 7 suit ``photos("train")``.
    report : bool
        Also return a :class:`Report`.

    Raises
    ------
    ValueError
        For an operator that is not the identity.
    """
    y, sigma, _ = _check("non_local_means", y, operator, sigma)
    _only_denoises("non_local_means", operator)
    patch = validation.integer(patch, "patch", low=1)
    reach = validation.integer(reach, "reach", low=1)
    strength = validation.number(strength, "strength", low=0, open_low=True)
    x = y.copy()
    if sigma > 0 and min(y.shape[:2]) > 1:  # scikit-image drops axes of length one, and takes colours for pixels
        from skimage.restoration import denoise_nl_means

        colour = y.shape[2:] == (3,)
        x = denoise_nl_means(y if colour else y.reshape(y.shape[:2]), patch_size=patch, patch_distance=reach,
                             h=strength * sigma, sigma=sigma, fast_mode=True, channel_axis=2 if colour else None)
        x = x.reshape(y.shape)
    return _answer(x, y, Report(0, [], sigma=sigma), report)


# --------------------------------------------------------------------------------------- plug and play

# Where the schedule of plug-and-play begins, and where it ends if y has less noise; both suit photos("train"). DPIR
# begins at 49/255, but its first guess is worse.
MOST_NOISE, LEAST_NOISE = 25 / 255, 2.5 / 255

DENOISERS = {"dct_shrinkage": dct_shrinkage, "wavelet_shrinkage": wavelet_shrinkage,
             "non_local_means": non_local_means, "total_variation": total_variation}


def plug_and_play(y, operator, sigma, *, denoiser="dct_shrinkage", iterations=20, trust=0.23, report=False):
    """Restore with whatever a denoiser knows about pictures: in turn obey the data and denoise.

    Half-quadratic splitting with the schedule of Zhang et al. 2021, DPIR (doi:10.1109/TPAMI.2021.3088914). The
    picture is first allowed much noise, sigma_1 = 25/255, then less and less, in even ratios, down to sigma. Each step:

        x <- argmin |A x - y|² / sigma² + trust |x - z|² / sigma_k²        (the data step)
        z <- denoise(x, sigma_k)                                           (the prior)

    The data step is exact: a division in the Fourier domain for circular operators, pixel by pixel for masks, a
    projection for downsampling; conjugate gradients elsewhere. A last data step ends the run.

    Parameters
    ----------
    y, operator, sigma
        The measurement, its operator and its noise level. For the identity the denoiser's answer is returned.
    denoiser : name or function
        One of ``DENOISERS``, or any ``denoise(y, sigma) -> x_hat`` on pictures of this shape.
    iterations : int
        How many steps the schedule has: the method stops when the allowed noise has come down to sigma.
    trust : float
        How much the denoiser counts against the data. 0.23 is DPIR's, and suits ``photos("train")``.
    report : bool
        Also return a :class:`Report`; its objective is ½ |A x - y|² after each denoising.

    Raises
    ------
    TypeError, ValueError
        For a denoiser that is unknown, cannot be called, or returns another shape or values that are not finite.
    """
    y, sigma, shape = _check("plug_and_play", y, operator, sigma)
    iterations = validation.integer(iterations, "iterations", low=1)
    trust = validation.number(trust, "trust", low=0, open_low=True)
    denoise = _denoiser(denoiser)
    if isinstance(operator, Identity) or (isinstance(operator, Mask) and operator.mask.all()):
        x = denoise(y, sigma)
        return _answer(x, y, Report(1, [0.5 * _energy(x - y)], sigma=sigma), report)
    noise = max(sigma, ROUNDING)
    last = max(sigma, LEAST_NOISE)
    data_step = _data_step(y, operator, shape)
    x = _first_guess(y, operator, sigma)
    objective = []
    for step in _steps(iterations, "plug_and_play"):
        allowed = last * (max(MOST_NOISE, last) / last) ** ((iterations - step) / max(iterations - 1, 1))
        weight = trust * noise**2 / allowed**2
        x = denoise(data_step(x, weight), allowed)
        objective.append(0.5 * _energy(operator.forward(x) - y))
    return _answer(data_step(x, weight), y, Report(iterations, objective, sigma=sigma), report)


def _denoiser(denoiser):
    """Return ``denoise(y, sigma)`` from a name or a function; what it gives is checked."""
    if isinstance(denoiser, str):
        method = DENOISERS[validation.choice(denoiser, "denoiser", DENOISERS)]
        # a data step may overshoot [0, 1], but a method at its door takes what overshoots far for 0-255 data
        return lambda y, sigma: method(np.clip(y, -1, 2), Identity(), sigma)
    if not callable(denoiser):
        raise TypeError(f"denoiser must be a name or a function denoise(y, sigma), "
                        f"but {validation.brief(denoiser)} came")

    def checked(y, sigma):
        x = validation.array(denoiser(y, sigma), "what the denoiser returned").astype(y.dtype, copy=False)
        validation.same_shape(x, "what the denoiser returned", y, "its input")
        return x

    return checked


def _data_step(y, operator, shape):
    """Return the function (z, weight) -> argmin |A x - y|² + weight |x - z|²."""
    backwards = operator.adjoint(y)
    transfer = _circular_transfer(operator, shape)
    if transfer is not None:
        squared = np.abs(transfer) ** 2
        return lambda z, weight: _filter(backwards + weight * z, 1 / (squared + weight))
    if isinstance(operator, Mask):
        known = operator.mask if y.ndim == 2 else operator.mask[..., None]
        return lambda z, weight: np.where(known, (y + weight * z) / (1 + weight), z)
    if isinstance(operator, Downsample):  # A Aᵀ = I / factor², so the inverse is known (Woodbury's identity)
        return lambda z, weight: z + operator.adjoint(y - operator.forward(z)) / (1 / operator.factor**2 + weight)

    def by_conjugate_gradients(z, weight):
        x, _, _ = _conjugate_gradients(
            lambda x: operator.adjoint(operator.forward(x)) + weight * x, backwards + weight * z, z,
            tolerance=1e-4, iterations=50, name="data step")
        return x

    return by_conjugate_gradients


# --------------------------------------------------------------------------------------- memory

# How many arrays of the size of the picture a method holds at its peak, measured at 1024 × 1024 and rounded up.
_ARRAYS = {
    "least_squares": 12, "tikhonov": 15, "wiener": 17, "richardson_lucy": 13, "total_variation": 24, "biharmonic": 11,
    "wavelet_shrinkage": 25, "dct_shrinkage": 6, "non_local_means": 12, "plug_and_play": 28,
}


def peak_memory(method, operator, shape):
    """Estimate the bytes that a method holds at its peak while it restores a float32 picture of ``shape``.

    ``method`` is one of this module's methods or its name. Above ``MEMORY_LIMIT`` the method raises ``MemoryError``
    before it starts.
    """
    name = validation.choice(getattr(method, "__name__", method), "method", _ARRAYS)
    return _bytes(name, operator, shape, 4)


def _bytes(name, operator, shape, itemsize):
    needed = _ARRAYS[name] * math.prod(shape) * itemsize
    if name == "biharmonic" and isinstance(operator, Mask) and _widest_hole(operator.mask) > WIDE_HOLE:
        needed += 850 * np.count_nonzero(~operator.mask)  # multigrid's sparse matrices
    if isinstance(operator, Radon):
        needed += 200 * operator.size**2  # the shadow of every pixel for one angle
    return needed
