"""scikit-image and Pillow on the tasks of the league, each as ``method(y, operator, sigma) -> x_hat``.

They stand beside our own methods in every table. Their parameters are proportional to sigma, with factors chosen on
the ``train`` photographs.
"""

import numpy as np

from helpers.operators import Blur, Downsample, Identity, Mask, Radon


def _expect(operator, kind, job):
    if not isinstance(operator, kind):
        raise ValueError(f"operator {operator.name!r} is not for {job}")


def _channels(y):
    return None if y.ndim == 2 else -1


def tv_chambolle(y, operator, sigma):
    """Denoise with ``skimage.restoration.denoise_tv_chambolle``."""
    from skimage.restoration import denoise_tv_chambolle

    _expect(operator, Identity, "denoising")
    return denoise_tv_chambolle(y, weight=0.9 * sigma, eps=2e-5, channel_axis=_channels(y))


def nl_means(y, operator, sigma):
    """Denoise with ``skimage.restoration.denoise_nl_means`` in its fast mode."""
    from skimage.restoration import denoise_nl_means

    _expect(operator, Identity, "denoising")
    return denoise_nl_means(y, patch_size=5, patch_distance=6, h=0.7 * sigma, sigma=sigma, fast_mode=True,
                            channel_axis=_channels(y))


def wavelet(y, operator, sigma):
    """Denoise with ``skimage.restoration.denoise_wavelet``, BayesShrink."""
    from skimage.restoration import denoise_wavelet

    _expect(operator, Identity, "denoising")
    return denoise_wavelet(y, sigma=sigma, wavelet="db2", channel_axis=_channels(y))


def wiener(y, operator, sigma):
    """Deblur with ``skimage.restoration.wiener``: a Laplacian prior, whose weight is not told the noise level."""
    from skimage.restoration import wiener

    _expect(operator, Blur, "deblurring")
    return _each_channel(lambda plane: wiener(plane, operator.kernel, 0.03, clip=False), y)


def unsupervised_wiener(y, operator, sigma):
    """Deblur with ``skimage.restoration.unsupervised_wiener``, which estimates the noise level itself."""
    from skimage.restoration import unsupervised_wiener

    _expect(operator, Blur, "deblurring")
    return _each_channel(lambda plane: unsupervised_wiener(plane, operator.kernel, clip=False, rng=0)[0], y)


def biharmonic(y, operator, sigma):
    """Inpaint with ``skimage.restoration.inpaint_biharmonic``."""
    from skimage.restoration import inpaint_biharmonic

    _expect(operator, Mask, "inpainting")
    return inpaint_biharmonic(y, ~operator.mask, channel_axis=_channels(y))


def bicubic(y, operator, sigma):
    """Enlarge with Pillow's bicubic interpolation."""
    from PIL import Image

    _expect(operator, Downsample, "super-resolution")
    size = (y.shape[1] * operator.factor, y.shape[0] * operator.factor)
    return _each_channel(
        lambda plane: np.asarray(Image.fromarray(plane.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)), y)


def filtered_back_projection(y, operator, sigma):
    """Reconstruct with ``skimage.transform.iradon``, ramp filter."""
    from skimage.transform import iradon

    _expect(operator, Radon, "tomography")
    return _each_channel(lambda plane: iradon(_about_pixel(plane, operator), operator.angles, circle=False,
                                              output_size=operator.size), y)


def _about_pixel(y, operator):
    """Move projections about the centre of the picture to projections about pixel size // 2, as iradon wants them."""
    from scipy.ndimage import fourier_shift

    offset = operator.size // 2 - (operator.size - 1) / 2
    moved = np.empty_like(y, np.float64)
    for j, angle in enumerate(np.deg2rad(operator.angles)):
        along = offset * (np.sin(angle) - np.cos(angle))
        moved[:, j] = np.fft.ifft(fourier_shift(np.fft.fft(y[:, j]), along)).real
    return moved


def _each_channel(restore, y):
    if y.ndim == 2:
        return restore(y)
    return np.stack([restore(y[..., c]) for c in range(y.shape[2])], axis=-1)
