"""Denoisers: shrink small coefficients of wavelets or cosines, or average patches that look alike.

Chang, Yu and Vetterli 2000 (doi:10.1109/83.862633); Yu and Sapiro 2011 (doi:10.5201/ipol.2011.ys-dct); Buades, Coll
and Morel 2005 (doi:10.1109/CVPR.2005.38).
"""

import functools
import math

import numpy as np

from helpers import validation
from helpers.operators import Identity
from helpers.restoration.common import Report, answer, check
from helpers.restoration.linear import energy


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

    y, sigma, _ = check("wavelet_shrinkage", y, operator, sigma)
    _only_denoises("wavelet_shrinkage", operator)
    validation.choice(wavelet, "wavelet", pywt.wavelist(kind="discrete"))
    if not pywt.Wavelet(wavelet).orthogonal:
        raise ValueError(f"wavelet {wavelet!r} is not orthogonal, so white noise would not stay white")
    levels = validation.integer(levels, "levels", low=1, high=8)
    shrink = functools.partial(_shrink_wavelets, sigma=sigma, wavelet=wavelet, levels=levels)
    x = y.copy() if sigma == 0 else _on_independent_colours(shrink, y)
    return answer(x, y, Report(0, [], sigma=sigma), report)


def _shrink_wavelets(plane, sigma, wavelet, levels):
    import pywt

    margins = [_margin(size, 2**levels) for size in plane.shape]
    coefficients = pywt.swt2(np.pad(plane, margins, mode="symmetric"), wavelet, levels, norm=True, trim_approx=True)
    for level, subbands in zip(range(levels, 0, -1), coefficients[1:], strict=True):
        noise = (sigma / 2**level) ** 2  # norm=True divides the transform of each level by two
        for subband in subbands:
            signal = max(energy(subband) / subband.size - noise, 0.0)
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
    y, sigma, _ = check("dct_shrinkage", y, operator, sigma)
    _only_denoises("dct_shrinkage", operator)
    patch = validation.integer(patch, "patch", low=2, high=32)
    threshold = validation.number(threshold, "threshold", low=0)
    shrink = functools.partial(_shrink_cosines, patch=patch, threshold=threshold * sigma)
    x = y.copy() if sigma == 0 else _on_independent_colours(shrink, y)
    return answer(x, y, Report(0, [], sigma=sigma), report)


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
    y, sigma, _ = check("non_local_means", y, operator, sigma)
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
    return answer(x, y, Report(0, [], sigma=sigma), report)


def _only_denoises(name, operator):
    if not isinstance(operator, Identity):
        raise ValueError(f"{name} removes noise and nothing else: its operator must be Identity(), but {operator!r} "
                         f"came. plug_and_play(y, operator, sigma, denoiser={name!r}) puts it to other work")
