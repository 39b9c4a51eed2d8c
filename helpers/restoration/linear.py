"""Linear algebra that several families need: waves, differences, conjugate gradients.

Hestenes and Stiefel 1952 (doi:10.6028/jres.049.044) for conjugate gradients; that a circular operator multiplies each
wave by a number is the convolution theorem; that a symmetric blur with a reflecting border does so with each cosine was
found by Ng, Chan and Tang 1999 (doi:10.1137/S1064827598341384).
"""

import math

import numpy as np

from helpers.operators import Blur, Composition, Identity
from helpers.restoration.common import steps


def energy(x):
    """Return the sum of squares, |x|², added up in double precision."""
    return float(np.sum(np.square(x), dtype=np.float64))


def is_positive(operator):
    """Say whether an operator has no negative weight, so that light can only add."""
    if isinstance(operator, Composition):
        return is_positive(operator.outer) and is_positive(operator.inner)
    return operator.kernel.min() >= 0 if isinstance(operator, Blur) else True


def circular_transfer(operator, shape):
    """Return the factors (H, W // 2 + 1) by which a circular operator multiplies rfft2, or None if it is another."""
    if isinstance(operator, Identity):
        return np.ones((shape[0], shape[1] // 2 + 1))
    if isinstance(operator, Blur) and operator.border == "circular":
        return operator.transfer_function(shape[:2])
    if isinstance(operator, Composition):
        outer, inner = circular_transfer(operator.outer, shape), circular_transfer(operator.inner, shape)
        return None if outer is None or inner is None else outer * inner
    return None


def mirror_transfer(operator, shape):
    """Return the factors (H, W) by which an operator multiplies the cosine transform, or None if it is another.

    The mirror image of a picture beyond its border is what a sum of cosines does there by itself. A kernel that is
    symmetric from left to right and from top to bottom keeps each cosine and changes its height only (Ng, Chan and
    Tang 1999, doi:10.1137/S1064827598341384).
    """
    if isinstance(operator, Identity):
        return np.ones(shape[:2])
    if isinstance(operator, Composition):
        outer, inner = mirror_transfer(operator.outer, shape), mirror_transfer(operator.inner, shape)
        return None if outer is None or inner is None else outer * inner
    if not isinstance(operator, Blur) or operator.border != "reflect":
        return None
    kernel = operator.kernel
    slack = 1e-12 * np.abs(kernel).max()
    odd = kernel.shape[0] % 2 and kernel.shape[1] % 2
    if not odd or max(np.abs(kernel - kernel[::-1]).max(), np.abs(kernel - kernel[:, ::-1]).max()) > slack:
        return None
    down, across = (np.cos(np.pi * np.outer(np.arange(side), np.arange(n) - n // 2) / side)
                    for side, n in zip(shape, kernel.shape, strict=False))
    return down @ kernel @ across.T


def filter_cosines(x, factors):
    """Multiply the cosine transform (DCT-II) of a picture by ``factors``, each channel alone."""
    from scipy import fft

    cosines = fft.dctn(x, axes=(0, 1), norm="ortho")
    cosines *= (factors if x.ndim == 2 else factors[..., None]).astype(x.dtype, copy=False)
    return fft.idctn(cosines, axes=(0, 1), norm="ortho", overwrite_x=True)


def frequencies(shape):
    """Return the vertical and horizontal frequencies of rfft2, in cycles per pixel."""
    return np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]


def fourier(x):
    """Return rfft2 over rows and columns, each channel alone."""
    from scipy import fft  # faster than numpy.fft, and single precision stays single

    return fft.rfft2(x, axes=(0, 1))


def _inverse_fourier(spectrum, shape):
    from scipy import fft

    return fft.irfft2(spectrum, s=shape[:2], axes=(0, 1))


def filter_waves(x, factors):
    """Multiply the spectrum of a picture by ``factors``, each channel alone."""
    spectrum = fourier(x)
    factors = factors.astype(spectrum.dtype if np.iscomplexobj(factors) else spectrum.real.dtype, copy=False)
    return _inverse_fourier(spectrum * (factors if x.ndim == 2 else factors[..., None]), x.shape)


def laplacian(x):
    """Return the sum of the differences to the neighbours, -∇ᵀ ∇ x: beyond the border there is no neighbour."""
    out = np.zeros_like(x)
    difference = x[1:] - x[:-1]
    out[:-1] += difference
    out[1:] -= difference
    difference = x[:, 1:] - x[:, :-1]
    out[:, :-1] += difference
    out[:, 1:] -= difference
    return out


def conjugate_gradients(apply, b, x, tolerance, iterations, name, precondition=None):
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
    for _ in steps(iterations, name):
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


def divide_by_row_sums(operator, shape, prior):
    """Return a preconditioner for Aᵀ A + a prior with diagonal ``prior``: division by the sums of the rows of Aᵀ A.

    Pixels that A sees weakly or not at all move as fast as the others.
    """
    if not is_positive(operator):
        return None
    sums = operator.adjoint(operator.forward(np.ones(shape, np.float32))) + prior
    return lambda residual: residual / sums.astype(residual.dtype, copy=False)
