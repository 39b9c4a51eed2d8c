"""Blind deconvolution: the picture and the kernel that blurred it, from the blurred picture alone.

Two steps in turn, from coarse to fine. The picture step keeps strong edges and flattens the rest (Xu, Lu, Xu and Jia
2011, doi:10.1145/2070781.2024208; for deblurring Xu, Zheng and Jia 2013, doi:10.1109/CVPR.2013.147, and Pan, Hu, Su and
Yang 2014, doi:10.1109/CVPR.2014.371); the kernel step is least squares on gradients, as in Cho and Lee 2009
(doi:10.1145/1618452.1618491), over kernels without negative weights.
"""

import math

import numpy as np

from helpers import validation
from helpers.operators import Blur
from helpers.restoration.common import steps
from helpers.restoration.linear import energy
from helpers.restoration.noise import estimate_noise
from helpers.restoration.tv import total_variation

WEIGHT = 0.016  # of an edge against the squared misfit; suits motion of 15 pixels over photos("train")
RIDGE = 0.01  # |k|² against the energy of the edges
LEAST = 0.1  # of a kernel's largest weight: what is less is taken for noise
TURNS = 5  # of picture and kernel at each scale
WINDOW = 512  # pixels: of a larger picture the square with the strongest edges has to do
POINT = 1.2  # pixels: the radius (root mean square) under which a kernel is nearly a point
UNSURE = 0.8  # the kernels of two halves agree less than this: say so


def blind_deconvolution(y, size, sigma=None, *, weight=WEIGHT):
    """Find the picture and the kernel of a blurred picture.

    The kernel comes from :func:`estimate_kernel`, the picture from ``total_variation`` with that kernel and a
    reflecting border.

    Parameters
    ----------
    y : array (H, W) or (H, W, C)
        The blurred picture, in [0, 1].
    size : int
        Side of the square that holds the kernel, odd, at least 3: a little more than the blur is long.
    sigma : float, optional
        Noise level in image units; by default it is estimated.
    weight : float
        How much an edge costs in the picture step of :func:`estimate_kernel`.

    Returns
    -------
    x : array like y
        The picture. Where it lies is anybody's guess: a shift of the picture undoes a shift of the kernel. The
        kernel's centre of mass is put in the middle.
    kernel : array (size, size)
        Its weights are not negative and sum to one.

    Raises
    ------
    TypeError, ValueError
        As :func:`estimate_kernel`.
    """
    if sigma is not None:
        validation.sigma(sigma)
    kernel = estimate_kernel(y, size, weight=weight)
    sigma = estimate_noise(y) if sigma is None else sigma
    return total_variation(y, Blur(kernel, border="reflect"), sigma), kernel


def estimate_kernel(y, size, *, weight=WEIGHT, watch=None):
    """Return a kernel (size, size), float32, that explains the blurred edges of a picture.

    Colours are averaged, and of a picture above 512 × 512 the square with the strongest edges is looked at. Edges
    that lie within half a kernel of the border do not count.

    Parameters
    ----------
    y : array (H, W) or (H, W, C)
        The blurred picture, in [0, 1].
    size : int
        Side of the kernel's square, odd, at least 3, and at most half the shorter side of the picture.
    weight : float
        How much an edge costs, above 0. It falls by a tenth at each turn.
    watch : function, optional
        Called after each scale with (kernel, sharpened picture), both of that scale.

    Raises
    ------
    TypeError, ValueError
        For values that are no picture, a size that is even or does not fit, and a picture without an edge.
    """
    y = _grey(y, "y")
    size = check_size(size, y.shape)
    weight = validation.number(weight, "weight", low=0, open_low=True)
    if watch is not None and not callable(watch):
        raise TypeError(f"watch must be a function of a kernel and a picture, but {validation.brief(watch)} came")
    y = _richest(y, WINDOW)
    kernel = np.zeros((3, 3), np.float32)
    kernel[1] = (0, 0.5, 0.5)
    scales = [size / math.sqrt(2) ** step for step in range(math.ceil(2 * math.log2(size / 3)) + 1)]
    for count in steps(len(scales), "blind_deconvolution"):
        scale = max(scales[-count], 3)
        side = int(scale) // 2 * 2 + 1
        small = _resized(y, [max(round(n * scale / size), 8) for n in y.shape])
        if side != len(kernel):
            kernel = _tidied(np.maximum(_resized(kernel, (side, side)), 0))
        wrapped = wrap(small, side)
        for _ in range(TURNS):
            x = sharp_edges(wrapped, kernel, weight)
            kernel = _tidied(kernel_of_edges(x, wrapped, side, small.shape))
            weight = max(weight / 1.1, 1e-4)
        if watch is not None:
            watch(kernel, x[: small.shape[0], : small.shape[1]])
    return kernel


def kernel_agreement(y, size, *, kernel=None, weight=WEIGHT):
    """Return how far two halves of a picture, each on its own, agree about the kernel: 1 means fully.

    The number is the :func:`kernel_correlation` of the two kernels. Halves that agree may still be wrong together;
    halves that do not cannot both be right. The picture is cut along the longer extent of ``kernel``, since a cut
    across the motion parts more of what belongs together; without a kernel, across its own longer side.

    The other arguments are those of :func:`estimate_kernel`. A half must be twice as long as the kernel, or
    ``ValueError`` is raised.
    """
    y = _richest(_grey(y, "y"), WINDOW)
    size = check_size(size, y.shape)
    axis = int(np.argmax(y.shape))
    if kernel is not None:
        spread = _spread(_kernel(kernel, "kernel"))
        axis = int(spread[0] > spread[1])
        if y.shape[axis] // 2 < 2 * size:
            axis = 1 - axis
    halves = np.array_split(y, 2, axis)
    check_size(size, halves[1].shape)
    one, other = (estimate_kernel(half, size, weight=weight) for half in halves)
    return kernel_correlation(one, other)


def kernel_correlation(one, other):
    """Return the largest normalised correlation of two kernels over all shifts by whole pixels: 1 where they are equal.

    (Hu and Yang 2012, doi:10.1007/978-3-642-33715-4_5, call it kernel similarity.)
    """
    from scipy import signal

    one, other = _kernel(one, "one"), _kernel(other, "other")
    return float(signal.fftconvolve(one, other[::-1, ::-1]).max() / math.sqrt(energy(one) * energy(other)))


def aligned_psnr(x, x_hat, rim=16, reach=3):
    """Return the PSNR in dB of a picture that may lie a few whole pixels beside the truth, without its rim.

    Only what lies ``rim`` pixels inside counts; of all shifts up to ``reach`` pixels the best one. Both are what blind
    deconvolution needs: shifts of picture and kernel cannot be told apart, and beyond the border nobody knows what
    was blurred in.
    """
    x, x_hat = validation.array(x, "x", ranks=(2, 3)), validation.array(x_hat, "x_hat", ranks=(2, 3))
    validation.same_shape(x_hat, "x_hat", x, "x")
    rim = validation.integer(rim, "rim", low=0, high=(min(x.shape[:2]) - 1) // 2)
    reach = validation.integer(reach, "reach", low=0, high=rim)
    height, width = x.shape[:2]
    inside = np.clip(x_hat[rim : height - rim, rim : width - rim], 0, 1)
    shifts = range(-reach, reach + 1)
    least = min(np.mean((x[rim + i : height - rim + i, rim + j : width - rim + j] - inside) ** 2, dtype=np.float64)
                for i in shifts for j in shifts)
    return math.inf if least == 0 else float(-10 * np.log10(least))


def kernel_radius(kernel):
    """Return the root-mean-square distance, in pixels, of a kernel's weights from their centre of mass.

    >>> import numpy as np
    >>> kernel_radius(np.array([[0.5, 0.0, 0.5]]))
    1.0
    """
    return math.sqrt(sum(_spread(_kernel(kernel, "kernel"))))


# --------------------------------------------------------------------------------------------- the two steps


def sharp_edges(y, kernel, weight, *, factor=2.0, last=1e3):
    """Minimise |k * x - y|² + weight · (how many pixels of x have a gradient) for a circular blur.

    Half-quadratic splitting, Xu et al. 2011 (doi:10.1145/2070781.2024208): in turn, gradients below √(weight / β) are
    set to zero, and x is fitted to y and to these gradients with weight β, which doubles each time. The problem is not
    convex, and what is found need not be its minimum.
    """
    from scipy import fft

    shape = y.shape
    H = Blur(kernel).transfer_function(shape).astype(np.complex64)
    right, down = (Blur(d).transfer_function(shape).astype(np.complex64)
                   for d in (np.array([[1.0, -1.0, 0.0]]), np.array([[1.0], [-1.0], [0.0]])))
    data, power, rough = H.conj() * fft.rfft2(y), np.abs(H) ** 2, np.abs(right) ** 2 + np.abs(down) ** 2
    x, beta = y, 2 * weight
    while beta < last:
        across, along = gradient(x)
        strong = across**2 + along**2 > weight / beta
        wanted = right.conj() * fft.rfft2(across * strong) + down.conj() * fft.rfft2(along * strong)
        x = fft.irfft2((data + beta * wanted) / (power + beta * rough), s=shape)
        beta *= factor
    return x


def kernel_of_edges(x, y, size, inside, *, ridge=RIDGE, iterations=60):
    """Minimise |k * ∇x - ∇y|² + ridge · |∇x|² · |k|² over kernels (size, size) without negative weights.

    Only gradients of x in the part ``inside`` (height, width) count, half a kernel away from its border: what is
    blurred from there lies inside y. All that the problem needs of the pictures is how ∇x correlates with itself and
    with ∇y, so the steps (accelerated projected gradients, Beck and Teboulle 2009, doi:10.1137/080716542) are cheap.
    """
    from scipy import fft

    shape, half = x.shape, size // 2
    keep = np.zeros(shape, np.float32)
    keep[half : inside[0] - half - 1, half : inside[1] - half - 1] = 1
    itself, with_y = 0, 0
    for dx, dy in zip(gradient(x), gradient(y), strict=True):
        spectrum = fft.rfft2(dx * keep)
        itself = itself + np.abs(spectrum) ** 2
        with_y = with_y + spectrum.conj() * fft.rfft2(dy)
    itself, with_y = fft.irfft2(itself, s=shape), fft.irfft2(with_y, s=shape)
    edges = float(itself[0, 0])
    if edges <= 1e-12:
        raise ValueError("y shows no edge, and without one no kernel can be told")
    b = np.roll(with_y, (half, half), (0, 1))[:size, :size] / edges
    R = np.roll(itself, (size - 1, size - 1), (0, 1))[: 2 * size - 1, : 2 * size - 1] / edges
    grid = (fft.next_fast_len(3 * size, real=True),) * 2
    R = fft.rfft2(R, s=grid)
    k = z = np.full((size, size), 1 / size**2, np.float32)
    step, t = 1 / (np.abs(R).max() + ridge), 1.0
    for _ in range(iterations):
        Rz = fft.irfft2(R * fft.rfft2(z, s=grid), s=grid)[size - 1 : 2 * size - 1, size - 1 : 2 * size - 1]
        k, before = np.maximum(z - step * (Rz + ridge * z - b), 0), k
        t, t_before = (1 + math.sqrt(1 + 4 * t * t)) / 2, t
        z = k + (t_before - 1) / t * (k - before)
    return k


def gradient(x):
    """Return the differences to the right-hand and to the lower neighbour, each (H, W), over a circular border."""
    return np.roll(x, -1, 1) - x, np.roll(x, -1, 0) - x


def wrap(y, margin):
    """Continue a picture by ``margin`` pixels to the right and below, so that its other side follows without a step.

    The mirror image beyond one end fades into the mirror image before the other.
    """
    for axis in (0, 1):
        y = np.moveaxis(y, axis, 0)
        fade = ((np.arange(margin, dtype=np.float32) + 0.5) / margin)[:, None]
        y = np.concatenate([y, (1 - fade) * y[::-1][:margin] + fade * y[:margin][::-1]])
        y = np.moveaxis(y, 0, axis)
    return y


# --------------------------------------------------------------------------------------------- helpers


def check_size(size, shape, name="size"):
    """Return the side of a kernel that fits into a picture of this shape, or raise."""
    size = validation.integer(size, name, low=3)
    if size % 2 == 0:
        raise ValueError(f"{name} must be odd, so that a kernel has a middle, but {size} came: say {size + 1}")
    if size > min(shape[:2]) // 2:
        raise ValueError(f"{name} {size} is too large for a picture of {shape[0]} × {shape[1]} pixels: a kernel may be "
                         "half as long as the shorter side")
    return size


def _grey(y, name):
    y = validation.image(y, name, slack=0.5).astype(np.float32)
    y = y if y.ndim == 2 else y.mean(axis=2)
    if float(np.ptp(y)) == 0:
        raise ValueError(f"{name} shows no edge, and without one no kernel can be told: all its pixels are equal")
    return y


def _kernel(value, name):
    kernel = validation.array(value, name, ranks=(2,)).astype(np.float64)
    if kernel.min() < 0 or kernel.sum() <= 0:
        raise ValueError(f"{name} is a kernel: it must not have negative weights, nor be zero everywhere")
    return kernel


def _richest(y, side):
    """Return the part of a picture, at most side × side, with the strongest edges."""
    from scipy import ndimage

    if max(y.shape) <= side:
        return y
    height, width = (min(n, side) for n in y.shape)
    strength = sum(d * d for d in gradient(y))
    strength[-1], strength[:, -1] = 0, 0
    strength = ndimage.uniform_filter(strength, (height, width), mode="constant")
    rows, columns = (slice(n // 2, n // 2 + total - n + 1) for n, total in zip((height, width), y.shape, strict=True))
    top, left = np.unravel_index(np.argmax(strength[rows, columns]), strength[rows, columns].shape)
    return y[top : top + height, left : left + width]


def _resized(x, shape):
    """Resample a picture or kernel to another shape, anti-aliased where it shrinks."""
    from PIL import Image

    if x.shape == tuple(shape):
        return x
    way = Image.Resampling.LANCZOS if shape[0] < x.shape[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(x.astype(np.float32)).resize((shape[1], shape[0]), way))


def _tidied(kernel):
    """Take away faint weights and small islands, put the centre of mass into the middle, let the sum be one."""
    from scipy import ndimage

    kernel = np.where(kernel < LEAST * kernel.max(), 0, kernel)
    if not kernel.any():
        raise ValueError("y shows no edge, and without one no kernel can be told")
    islands, count = ndimage.label(kernel, np.ones((3, 3)))
    mass = ndimage.sum_labels(kernel, islands, range(1, count + 1))
    kernel = np.where(np.isin(islands, 1 + np.flatnonzero(mass >= LEAST * mass.max())), kernel, 0)
    middle = np.array(ndimage.center_of_mass(kernel))
    kernel = _moved(kernel, np.rint(np.array(kernel.shape) // 2 - middle).astype(int))
    return kernel / kernel.sum()


def _spread(kernel):
    """Return the variances of a kernel's weights downwards and to the right, in squared pixels."""
    weights = kernel / kernel.sum()
    places = np.indices(kernel.shape)
    middle = (places * weights).sum(axis=(1, 2))
    return ((places - middle[:, None, None]) ** 2 * weights).sum(axis=(1, 2))


def _moved(x, shift):
    """Shift an array by whole pixels; zeros come in."""
    reach = np.abs(shift).max()
    padded = np.roll(np.pad(x, reach), shift, (0, 1))
    return padded[reach : reach + x.shape[0], reach : reach + x.shape[1]]
