"""Plug and play: any denoiser as a prior, by half-quadratic splitting.

Zhang et al. 2021, DPIR (doi:10.1109/TPAMI.2021.3088914).
"""

import numpy as np

from helpers import validation
from helpers.operators import Composition, Downsample, Identity, Mask
from helpers.restoration.common import ROUNDING, Report, answer, check, steps
from helpers.restoration.linear import (
    circular_transfer,
    conjugate_gradients,
    energy,
    filter_cosines,
    filter_waves,
    mirror_transfer,
)
from helpers.restoration.shrinkage import dct_shrinkage, non_local_means, wavelet_shrinkage
from helpers.restoration.tv import first_guess, total_variation

# Where the schedule of plug-and-play begins, and where it ends if y has less noise; both suit photos("train"). DPIR
# begins at 49/255, but its first guess is worse.
MOST_NOISE, LEAST_NOISE = 25 / 255, 2.5 / 255

DENOISERS = {"dct_shrinkage": dct_shrinkage, "wavelet_shrinkage": wavelet_shrinkage,
             "non_local_means": non_local_means, "total_variation": total_variation}


def plug_and_play(y, operator, sigma, *, denoiser="dct_shrinkage", iterations=20, trust=0.23, least_noise=LEAST_NOISE,
                  turns=False, schedule=None, report=False):
    """Restore with whatever a denoiser knows about pictures: in turn obey the data and denoise.

    Half-quadratic splitting with the schedule of Zhang et al. 2021, DPIR (doi:10.1109/TPAMI.2021.3088914). The
    picture is first allowed much noise, sigma_1 = 25/255, then less and less, in even ratios, down to sigma. Each step:

        x <- argmin |A x - y|² / sigma² + trust |x - z|² / sigma_k²        (the data step)
        z <- denoise(x, sigma_k)                                           (the prior)

    The data step is exact: a division in the Fourier domain for circular operators, in the cosine domain for symmetric
    blurs with a reflecting border, pixel by pixel for masks, a projection for downsampling (and what a mask leaves of
    it); conjugate gradients elsewhere. A last data step ends the run.

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
    least_noise : float
        Where the schedule ends if y has less noise than that.
    turns : bool
        Show the denoiser the picture turned or mirrored, in another of the eight ways at each step, as DPIR does: what
        it does to one direction alone then averages out.
    schedule : array (K, 2), optional
        The whole schedule, in place of iterations, trust and least_noise: for each of K steps sigma_k and its trust.
        ``python -m benchmarks.unrolled`` learns one.
    report : bool
        Also return a :class:`Report`; its objective is ½ |A x - y|² after each denoising.

    Raises
    ------
    TypeError, ValueError
        For a schedule that is no (K, 2) array of numbers above zero; for a denoiser that is unknown, cannot be called,
        or returns another shape or values that are not finite.
    """
    y, sigma, shape = check("plug_and_play", y, operator, sigma)
    noise = max(sigma, ROUNDING)
    if schedule is None:
        schedule = even_schedule(sigma, iterations, trust, least_noise)
    schedule = _checked(schedule)
    validation.flag(turns, "turns")
    denoise = checked_denoiser(denoiser)
    if isinstance(operator, Identity) or (isinstance(operator, Mask) and operator.mask.all()):
        x = denoise(y, sigma)
        return answer(x, y, Report(1, [0.5 * energy(x - y)], sigma=sigma), report)
    obey = data_step(y, operator, shape)
    x = first_guess(y, operator, sigma)
    objective = []
    for step in steps(len(schedule), "plug_and_play"):
        allowed, trust = schedule[step - 1]
        weight = trust * noise**2 / allowed**2
        x = obey(x, weight)
        x = _turned_back(denoise(_turned(x, step), allowed), step) if turns else denoise(x, allowed)
        objective.append(0.5 * energy(operator.forward(x) - y))
    return answer(obey(x, weight), y, Report(len(schedule), objective, sigma=sigma), report)


def even_schedule(sigma, iterations=20, trust=0.23, least_noise=LEAST_NOISE):
    """Return the schedule (iterations, 2) of :func:`plug_and_play`: sigma_k falls in even ratios, one trust for all."""
    sigma = validation.sigma(sigma)
    iterations = validation.integer(iterations, "iterations", low=1)
    trust = validation.number(trust, "trust", low=0, open_low=True)
    last = max(sigma, validation.number(least_noise, "least_noise", low=0, high=1, open_low=True))
    ratio = max(MOST_NOISE, last) / last
    return [(last * ratio ** ((iterations - step) / max(iterations - 1, 1)), trust)
            for step in range(1, iterations + 1)]


def _checked(schedule):
    schedule = validation.array(schedule, "schedule", ranks=(2,))
    if schedule.shape[1] != 2 or schedule.min() <= 0:
        raise ValueError("schedule must hold two numbers above zero for each step, (K, 2), but its shape is "
                         f"{schedule.shape} and its smallest number {schedule.min():.3g}")
    return schedule.tolist()


def _turned(x, way):
    """Return a picture in one of the eight ways in which a square can lie."""
    x = np.rot90(x, way)
    return np.ascontiguousarray(x[:, ::-1] if way // 4 % 2 else x)


def _turned_back(x, way):
    """Undo :func:`_turned`."""
    return np.ascontiguousarray(np.rot90(x[:, ::-1] if way // 4 % 2 else x, -way))


def checked_denoiser(denoiser):
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


def data_step(y, operator, shape):
    """Return the function (z, weight) -> argmin |A x - y|² + weight |x - z|²."""
    backwards = operator.adjoint(y)
    transfer = circular_transfer(operator, shape)
    if transfer is not None:
        squared = np.abs(transfer) ** 2
        return lambda z, weight: filter_waves(backwards + weight * z, 1 / (squared + weight))
    transfer = mirror_transfer(operator, shape)
    if transfer is not None:
        return lambda z, weight: filter_cosines(backwards + weight * z, 1 / (transfer**2 + weight))
    if isinstance(operator, Mask):
        known = operator.mask if y.ndim == 2 else operator.mask[..., None]
        return lambda z, weight: np.where(known, (y + weight * z) / (1 + weight), z)
    masked = isinstance(operator, Composition) and isinstance(operator.outer, Mask)
    small = operator.inner if masked else operator
    if isinstance(small, Downsample):  # A Aᵀ = I / factor², known pixels apart: the inverse is known (Woodbury)
        return lambda z, weight: z + operator.adjoint(y - operator.forward(z)) / (1 / small.factor**2 + weight)

    def by_conjugate_gradients(z, weight):
        x, _, _ = conjugate_gradients(
            lambda x: operator.adjoint(operator.forward(x)) + weight * x, backwards + weight * z, z,
            tolerance=1e-4, iterations=50, name="data step")
        return x

    return by_conjugate_gradients
