"""Linear operators A of the measurement model y = A(x) + n, each with its exact adjoint.

Every operator has ``forward(x)``, ``adjoint(y)`` and a ``name``, works on one image of shape (H, W) or (H, W, C)
(each channel alone; but :class:`Grey` mixes them), keeps float32 and float64 apart, and obeys ``<A x, y> == <x, A^T
y>``. Because solvers apply operators to residuals and gradients, any finite values are welcome here: only
:func:`measure` insists on [0, 1].
Operators compose with ``@``: ``Downsample(2) @ Blur.gaussian(1)`` blurs first.

The same objects work inside a network: given a Keras or TensorFlow tensor, ``forward`` and ``adjoint`` take a batch
(N, H, W, C) and return a tensor, on whatever device it lies, and gradients pass through. Nothing is imported for it.
"""

import math
import sys

import numpy as np

from helpers import validation
from helpers.shadow import shadow_before

LUMA = 0.299, 0.587, 0.114  # of red, green and blue in grey: ITU-R BT.601, as PIL and MATLAB weigh them


class Operator:
    """What all operators share: checks at the door, composition with ``@``, a readable ``repr``."""

    name = "operator"

    def forward(self, x):
        """Return A x for an image x of shape (H, W) or (H, W, C), or for a tensor (N, H, W, C)."""
        if _is_tensor(x):
            _check_batch(x, "x")
            self._check_input(tuple(x.shape[1:]))
            return self._forward_tensor(x, _ops())
        x = validation.array(x, "x", ranks=(2, 3))
        self._check_input(x.shape)
        return self._forward(x)

    def adjoint(self, y):
        """Return A^T y, an array or tensor shaped like the images that ``forward`` takes."""
        if _is_tensor(y):
            _check_batch(y, "y")
            self._check_output(tuple(y.shape[1:]))
            return self._adjoint_tensor(y, _ops())
        y = validation.array(y, "y", ranks=(2, 3))
        self._check_output(y.shape)
        return self._adjoint(y)

    def _check_input(self, shape):
        """Raise if ``forward`` cannot take an image of this shape."""

    def _check_output(self, shape):
        """Raise if ``adjoint`` cannot take a measurement of this shape."""

    def _forward_tensor(self, x, ops):
        raise NotImplementedError(f"the operator {self.name} takes arrays only: it has no form inside the graph")

    def _adjoint_tensor(self, y, ops):
        raise NotImplementedError(f"the operator {self.name} takes arrays only: it has no form inside the graph")

    def __matmul__(self, inner):
        if not isinstance(inner, Operator):
            return NotImplemented
        return Composition(self, inner)

    def __repr__(self):
        return f"<{self.name}>"


class Identity(Operator):
    """A x = x: nothing but noise damages the picture."""

    name = "identity"

    def _forward(self, x):
        return x.copy()

    _adjoint = _forward

    def _forward_tensor(self, x, ops):
        return x

    _adjoint_tensor = _forward_tensor


class Composition(Operator):
    """A x = outer(inner(x)); its adjoint runs the other way round."""

    def __init__(self, outer, inner):
        self.outer, self.inner = _operator(outer, "outer"), _operator(inner, "inner")
        self.name = f"{outer.name} after {inner.name}"

    def _forward(self, x, ops=np):
        return self.outer.forward(self.inner.forward(x))

    def _adjoint(self, y, ops=np):
        return self.inner.adjoint(self.outer.adjoint(y))

    _forward_tensor, _adjoint_tensor = _forward, _adjoint


class Blur(Operator):
    """A x = kernel * x, a convolution computed with the fast Fourier transform.

    Parameters
    ----------
    kernel : array (h, w)
        Any kernel with finite values, not all zero; its centre is the pixel (h // 2, w // 2). A kernel that sums
        to one keeps the mean brightness.
    border : "circular" or "reflect"
        What stands outside the picture: its other side (then A is diagonal in the Fourier basis), or its mirror
        image with the edge pixel repeated.

    Raises
    ------
    ValueError
        For a zero, empty or non-finite kernel and for an unknown border.
    """

    def __init__(self, kernel, border="circular"):
        self.kernel = validation.array(kernel, "kernel", ranks=(2,)).astype(np.float64)
        if not self.kernel.any():
            raise ValueError("kernel is zero everywhere: such a blur erases the picture")
        self.border = validation.choice(border, "border", ("circular", "reflect"))
        self.name = f"{self.kernel.shape[0]}×{self.kernel.shape[1]} blur, {border} border"
        self._transfer_functions, self._kept = {}, {}

    @classmethod
    def gaussian(cls, width, border="circular"):
        """Blur with a Gaussian of standard deviation ``width`` pixels, cut at four standard deviations."""
        width = validation.number(width, "width", low=0, open_low=True)
        distance = np.arange(-math.ceil(4 * width), math.ceil(4 * width) + 1)
        profile = np.exp(-0.5 * (distance / width) ** 2)
        kernel = np.outer(profile, profile)
        return cls(kernel / kernel.sum(), border)

    @classmethod
    def motion(cls, length, angle=0.0, border="circular"):
        """Blur along a line of ``length`` pixels at ``angle`` degrees (0 is horizontal, 90 vertical)."""
        length = validation.integer(length, "length", low=1)
        angle = np.deg2rad(validation.number(angle, "angle"))
        half = math.ceil(length / 2)
        steps = (np.arange(16 * length) + 0.5) / 16 - length / 2  # 16 points for each pixel of length
        rows, columns = -steps * np.sin(angle) + half, steps * np.cos(angle) + half
        kernel = np.zeros((2 * half + 1, 2 * half + 1))
        np.add.at(kernel, (np.rint(rows).astype(int), np.rint(columns).astype(int)), 1.0)
        return cls(kernel / kernel.sum(), border)

    def transfer_function(self, shape):
        """Return the Fourier transform (rfft2) of the kernel on a circular grid of ``shape`` (H, W)."""
        shape = _shape(shape)
        if shape not in self._transfer_functions:
            wrapped = np.zeros(shape)
            rows = (np.arange(self.kernel.shape[0]) - self.kernel.shape[0] // 2) % shape[0]
            columns = (np.arange(self.kernel.shape[1]) - self.kernel.shape[1] // 2) % shape[1]
            np.add.at(wrapped, np.ix_(rows, columns), self.kernel)  # a kernel larger than the picture folds over
            self._transfer_functions = {shape: np.fft.rfft2(wrapped)}  # the last shape only: solvers stay on one
        return self._transfer_functions[shape]

    def _filter(self, x, conjugate):
        from scipy import fft  # three times as fast as numpy.fft, and single precision stays single

        size = x.shape[:2]
        if self.border == "reflect":  # zeros beyond the margins change nothing that is kept, and may save much time
            size = tuple(fft.next_fast_len(side, real=True) for side in size)
        spectrum = fft.rfft2(x, s=size, axes=(0, 1))
        transfer = self._transfer_function(size, spectrum.dtype, conjugate)
        spectrum *= transfer if x.ndim == 2 else transfer[..., None]
        return fft.irfft2(spectrum, s=size, axes=(0, 1), overwrite_x=True)[: x.shape[0], : x.shape[1]]

    def _transfer_function(self, shape, dtype, conjugate):
        """Return the transfer function or its conjugate in the wanted precision, kept for the next call."""
        if self._kept.get("shape") != shape:
            self._kept = {"shape": shape}
        if (dtype, conjugate) not in self._kept:
            transfer = self.transfer_function(shape)
            self._kept[dtype, conjugate] = (transfer.conj() if conjugate else transfer).astype(dtype, copy=False)
        return self._kept[dtype, conjugate]

    def _margins(self):
        return self.kernel.shape[0] // 2, self.kernel.shape[1] // 2

    def _forward(self, x):
        if self.border == "circular":
            return self._filter(x, conjugate=False)
        (top, left), (height, width) = self._margins(), x.shape[:2]
        padded = x[_mirror(height, top)][:, _mirror(width, left)]
        return self._filter(padded, conjugate=False)[top : top + height, left : left + width]

    def _adjoint(self, y):
        if self.border == "circular":
            return self._filter(y, conjugate=True)
        (top, left), (height, width) = self._margins(), y.shape[:2]
        margins = [(top, top), (left, left)] + [(0, 0)] * (y.ndim - 2)
        spread = self._filter(np.pad(y, margins), conjugate=True)
        return _fold(_fold(spread, height, top, 0), width, left, 1)

    def _filter_tensor(self, x, conjugate, ops):
        size = tuple(x.shape[1:3])
        transfer = np.fft.fft2(np.fft.irfft2(self.transfer_function(size), s=size))
        transfer = transfer.conj() if conjugate else transfer
        planes = ops.transpose(x, (0, 3, 1, 2))  # Keras transforms the last two axes
        real, imaginary = ops.fft2((planes, ops.zeros_like(planes)))
        a, b = (ops.cast(ops.convert_to_tensor(part), x.dtype) for part in (transfer.real, transfer.imag))
        filtered, _ = ops.ifft2((real * a - imaginary * b, real * b + imaginary * a))
        return ops.transpose(filtered, (0, 2, 3, 1))

    def _forward_tensor(self, x, ops):
        if self.border == "circular":
            return self._filter_tensor(x, False, ops)
        (top, left), (height, width) = self._margins(), x.shape[1:3]
        padded = ops.take(ops.take(x, _mirror(height, top), axis=1), _mirror(width, left), axis=2)
        return self._filter_tensor(padded, False, ops)[:, top : top + height, left : left + width]

    def _adjoint_tensor(self, y, ops):
        if self.border == "circular":
            return self._filter_tensor(y, True, ops)
        (top, left), (height, width) = self._margins(), y.shape[1:3]
        spread = self._filter_tensor(ops.pad(y, ((0, 0), (top, top), (left, left), (0, 0))), True, ops)
        rows, columns = (ops.cast(ops.convert_to_tensor(np.eye(size)[_mirror(size, margin)]), y.dtype)
                         for size, margin in ((height, top), (width, left)))
        return ops.einsum("nrsc,rh,sw->nhwc", spread, rows, columns)  # each pixel of the margin onto the one it copied


def _mirror(size, margin):
    """Return for each pixel of a padded axis the index of the pixel it copies: 1 0 | 0 1 2 3 | 3 2."""
    position = np.arange(-margin, size + margin) % (2 * size)
    return np.where(position < size, position, 2 * size - 1 - position)


def _fold(padded, size, margin, axis):
    """Add every pixel of the margins back onto the pixel it copied: the adjoint of mirroring one axis."""
    padded = np.moveaxis(padded, axis, 0)
    folded = padded[margin : margin + size].copy()
    copies = [*range(margin), *range(margin + size, len(padded))]
    for copy, source in zip(copies, _mirror(size, margin)[copies], strict=True):
        folded[source] += padded[copy]
    return np.moveaxis(folded, 0, axis)


class Mask(Operator):
    """A x = mask · x: the pixels where ``mask`` is false are lost (set to zero).

    Parameters
    ----------
    mask : boolean array (H, W)
        True where the pixel is known.
    """

    def __init__(self, mask):
        values = validation.array(mask, "mask", ranks=(2,))
        if not np.isin(values, (0, 1)).all():
            raise ValueError("mask must hold only true and false (1 and 0)")
        self.mask = values.astype(bool)
        self.name = f"mask, {self.mask.mean():.0%} known"

    @classmethod
    def random(cls, shape, known, rng):
        """Keep each pixel with probability ``known``, drawn from the generator ``rng``."""
        known = validation.number(known, "known", low=0, high=1)
        return cls(validation.generator(rng).random(_shape(shape)) < known)

    @classmethod
    def block(cls, shape, size):
        """Lose a centred square of ``size`` × ``size`` pixels."""
        height, width = _shape(shape)
        size = validation.integer(size, "size", low=1, high=min(height, width))
        mask = np.ones((height, width), bool)
        top, left = (height - size) // 2, (width - size) // 2
        mask[top : top + size, left : left + size] = False
        return cls(mask)

    @classmethod
    def half(cls, shape, lost="bottom"):
        """Lose the "top", "bottom", "left" or "right" half."""
        height, width = _shape(shape)
        lost = validation.choice(lost, "lost", ("top", "bottom", "left", "right"))
        rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
        known = {"top": rows >= height // 2, "bottom": rows < height // 2,
                 "left": columns >= width // 2, "right": columns < width // 2}[lost]
        return cls(np.broadcast_to(known, (height, width)))

    def _check_input(self, shape):
        if shape[:2] != self.mask.shape:
            raise ValueError(f"mask has shape {self.mask.shape}, expected {shape[:2]} like the image")

    _check_output = _check_input

    def _forward(self, x):
        return x * (self.mask if x.ndim == 2 else self.mask[..., None])

    _adjoint = _forward

    def _forward_tensor(self, x, ops):
        return x * ops.cast(ops.convert_to_tensor(self.mask[..., None]), x.dtype)

    _adjoint_tensor = _forward_tensor


class Downsample(Operator):
    """A x = the mean of each ``factor`` × ``factor`` square: what a camera with larger pixels records.

    The averaging is the anti-aliasing. Height and width must be multiples of ``factor``.
    """

    def __init__(self, factor):
        self.factor = validation.integer(factor, "factor", low=1)
        self.name = f"downsample ×{self.factor}"

    def _check_input(self, shape):
        if shape[0] % self.factor or shape[1] % self.factor:
            raise ValueError(f"x has shape {shape}, expected a height and a width divisible by the "
                             f"factor {self.factor}")

    def _forward(self, x):
        rows = sum(x[i :: self.factor] for i in range(self.factor))  # slices: ten times as fast as reshape and mean
        return sum(rows[:, j :: self.factor] for j in range(self.factor)) / x.dtype.type(self.factor**2)

    def _adjoint(self, y):
        spread = y.repeat(self.factor, axis=0).repeat(self.factor, axis=1)
        return spread / y.dtype.type(self.factor**2)

    def _forward_tensor(self, x, ops):
        height, width, channels = x.shape[1:]
        squares = (-1, height // self.factor, self.factor, width // self.factor, self.factor, channels)
        return ops.mean(ops.reshape(x, squares), axis=(2, 4))

    def _adjoint_tensor(self, y, ops):
        return ops.repeat(ops.repeat(y, self.factor, axis=1), self.factor, axis=2) / self.factor**2


class Grey(Operator):
    """A x = a picture in colour (H, W, 3) seen in grey, (H, W, 1): the sum of its channels, weighted by ``LUMA``.

    Pictures that the course reads in grey are weighed alike.
    """

    name = "grey"

    def _check_input(self, shape, name="x", channels=3):
        if shape[2:] != (channels,):
            raise ValueError(f"{name} has shape {shape}, expected (H, W, {channels}): colour goes in, grey comes out")

    def _check_output(self, shape):
        self._check_input(shape, "y", 1)

    def _forward(self, x, ops=np):
        return sum(weight * x[..., k : k + 1] for k, weight in enumerate(LUMA))

    def _adjoint(self, y, ops=np):
        return ops.concatenate([weight * y for weight in LUMA], axis=-1)

    _forward_tensor, _adjoint_tensor = _forward, _adjoint


class Radon(Operator):
    """A x = the shadows of x: one parallel projection for each angle, as in computed tomography.

    Each pixel is a small square. Its shadow falls on at most three detector cells, and each cell gets the part of the
    square that lies over it; the adjoint (back-projection) gathers with exactly the same weights. Detector cells are
    one pixel wide; the detector is long enough for the diagonal.

    Parameters
    ----------
    size : int
        Height and width of the square pictures.
    angles : array (number of angles,)
        In degrees; 0 sums along the columns.

    Notes
    -----
    ``forward`` returns shape (detector cells, number of angles), the layout of ``skimage.transform.radon``.
    """

    def __init__(self, size, angles):
        self.size = validation.integer(size, "size", low=1)
        self.angles = validation.array(angles, "angles", ranks=(1,)).astype(np.float64)
        self.cells = 2 * math.ceil(self.size / math.sqrt(2)) + 1
        self.name = f"tomography, {len(self.angles)} angles"
        self._kept = None

    @classmethod
    def sparse_view(cls, size, views):
        """Spread ``views`` angles evenly over half a turn."""
        views = validation.integer(views, "views", low=1)
        return cls(size, np.arange(views) * 180.0 / views)

    def _check_input(self, shape):
        if shape[:2] != (self.size, self.size):
            raise ValueError(f"x has shape {shape}, expected ({self.size}, {self.size}) like the scanner")

    def _check_output(self, shape):
        if shape[:2] != (self.cells, len(self.angles)):
            raise ValueError(f"y has shape {shape}, expected ({self.cells}, {len(self.angles)}) like the detector")

    def _projection(self, angle):
        """Return the sparse matrix (cells, pixels) of one projection."""
        from scipy.sparse import csr_array

        cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
        coordinates = np.arange(self.size) - (self.size - 1) / 2
        position = (coordinates[None, :] * cosine - coordinates[:, None] * sine).ravel() + (self.cells - 1) / 2
        nearest = np.rint(position).astype(np.int32)
        offset = position - nearest
        left, right = (shadow_before(edge, abs(cosine), abs(sine)) for edge in (-0.5 - offset, offset - 0.5))
        shares = np.concatenate([left, 1 - left - right, right])
        rows = np.concatenate([nearest - 1, nearest, nearest + 1])
        pixels = np.tile(np.arange(position.size, dtype=np.int32), 3)
        lit = shares > 0
        return csr_array((shares[lit], (rows[lit], pixels[lit])), shape=(self.cells, position.size))

    def _blocks(self):
        """Yield the matrices of projections, one above the other: all in one that is kept if there is room for it.

        If there is none, yield one for each angle, made anew for each use.
        """
        from scipy.sparse import vstack

        if self._kept is not None:
            yield self._kept
        elif self.size**2 * len(self.angles) <= LARGEST_KEPT:
            self._kept = vstack([self._projection(angle) for angle in self.angles], format="csr")
            yield self._kept
        else:
            yield from map(self._projection, self.angles)

    def _forward(self, x):
        pixels = x.reshape(self.size**2, -1)
        shadows = np.concatenate([block @ pixels for block in self._blocks()])
        y = shadows.reshape(len(self.angles), self.cells, *x.shape[2:]).swapaxes(0, 1)
        return y.astype(x.dtype, order="C")

    def _adjoint(self, y):
        shadows = y.swapaxes(0, 1).reshape(len(self.angles) * self.cells, -1)
        x, done = np.zeros((self.size**2, shadows.shape[1])), 0
        for block in self._blocks():
            x += block.T @ shadows[done : done + block.shape[0]]
            done += block.shape[0]
        return x.reshape(self.size, self.size, *y.shape[2:]).astype(y.dtype)

    def _weights(self):
        """Return all weights at once: (share, cell of the sinogram, pixel), each of shape (number of weights,)."""
        if self.size**2 * len(self.angles) > LARGEST_KEPT:
            raise ValueError(f"{self.name} of {self.size} × {self.size} pixels has too many weights to enter a graph")
        (matrix,) = (block.tocoo() for block in self._blocks())
        rows, pixels = matrix.coords
        angle, cell = np.divmod(rows, self.cells)
        return matrix.data, cell * len(self.angles) + angle, pixels

    def _gather(self, values, shares, sources, targets, count, ops):
        """Return for each of ``count`` targets the sum of its sources' values, each times its share."""
        spread = ops.take(values, sources, axis=0) * ops.cast(ops.convert_to_tensor(shares[:, None]), values.dtype)
        return ops.segment_sum(spread, targets.astype(np.int32), num_segments=count)

    def _forward_tensor(self, x, ops):
        shares, cells, pixels = self._weights()
        flat = ops.reshape(ops.transpose(x, (1, 2, 0, 3)), (self.size**2, -1))
        y = self._gather(flat, shares, pixels, cells, self.cells * len(self.angles), ops)
        return ops.transpose(ops.reshape(y, (self.cells, len(self.angles), -1, x.shape[3])), (2, 0, 1, 3))

    def _adjoint_tensor(self, y, ops):
        shares, cells, pixels = self._weights()
        flat = ops.reshape(ops.transpose(y, (1, 2, 0, 3)), (self.cells * len(self.angles), -1))
        x = self._gather(flat, shares, cells, pixels, self.size**2, ops)
        return ops.transpose(ops.reshape(x, (self.size, self.size, -1, y.shape[3])), (2, 0, 1, 3))


class Stack(Operator):
    """One operator for each picture of a batch: the n-th acts on the n-th, on arrays (N, H, W, C) and on tensors.

    Parameters
    ----------
    operators : list of Operator
        All must give measurements of one shape, as masks do.
    """

    def __init__(self, operators):
        self.operators = [_operator(one, f"operators[{i}]") for i, one in enumerate(operators)]
        if not self.operators:
            raise ValueError("operators is empty")
        self.name = f"{len(self.operators)} operators, the first {self.operators[0].name}"

    def forward(self, x):
        """Return A_n x_n for every picture of a batch (N, H, W, C)."""
        return self._each(x, "x", "forward")

    def adjoint(self, y):
        """Return A_n^T y_n for every measurement of a batch."""
        return self._each(y, "y", "adjoint")

    def _each(self, batch, name, way):
        tensors = _is_tensor(batch)
        if tensors:
            _check_batch(batch, name)
        else:
            batch = validation.array(batch, name, ranks=(4,))
        if batch.shape[0] is not None and batch.shape[0] != len(self.operators):
            raise ValueError(f"{name} has {batch.shape[0]} pictures, expected {len(self.operators)} like operators")
        if not tensors:
            return np.stack([getattr(one, way)(x) for one, x in zip(self.operators, batch, strict=True)])
        if all(isinstance(one, Mask) for one in self.operators):  # one product instead of N
            for one in self.operators:
                one._check_input(tuple(batch.shape[1:]))
            masks = np.stack([one.mask for one in self.operators])[..., None]
            return batch * _ops().cast(_ops().convert_to_tensor(masks), batch.dtype)
        return _ops().concatenate([getattr(one, way)(batch[i : i + 1]) for i, one in enumerate(self.operators)])


def _is_tensor(value):
    """Tell whether a value is a tensor of Keras or its backend, without importing either."""
    keras = sys.modules.get("keras")
    return hasattr(keras, "ops") and (keras.ops.is_tensor(value) or isinstance(value, keras.KerasTensor))


def _ops():
    return sys.modules["keras"].ops


def _check_batch(tensor, name):
    if len(tensor.shape) != 4:
        raise ValueError(f"{name} is a tensor of shape {tuple(tensor.shape)}, expected a batch (N, H, W, C)")
    if "float" not in str(tensor.dtype):
        raise TypeError(f"{name} must hold floating-point numbers, but its type is {tensor.dtype}")


LARGEST_KEPT = 2**24  # pixels times angles: about half a gigabyte of weights


def measure(x, operator, sigma, rng):
    """Return y = A(x) + sigma · n with standard Gaussian noise n.

    Parameters
    ----------
    x : image, (H, W) or (H, W, C) in [0, 1]
    operator : Operator
    sigma : float
        Noise level in image units: 25/255 is what papers call "σ = 25". Zero adds no noise. Where the operator is
        a mask, or ends with one, only known pixels are noisy.
    rng : numpy.random.Generator
    """
    x = validation.image(x, "x")
    sigma = validation.sigma(sigma)
    validation.generator(rng)
    y = _operator(operator).forward(x)
    noise = sigma * rng.standard_normal(y.shape)
    last = operator
    while isinstance(last, Composition):
        last = last.outer
    if isinstance(last, Mask):
        noise = last.forward(noise)
    return (y + noise).astype(y.dtype)


def measure_photons(x, operator, peak, rng):
    """Return y = Poisson(peak · A(x)) / peak: light counted photon by photon, as in microscopy and astronomy.

    ``peak`` is the expected number of photons in a white pixel. The variance of y is A(x) / peak: dark pictures
    are the noisy ones.
    """
    x = validation.image(x, "x")
    peak = validation.number(peak, "peak", low=0, high=1e15, open_low=True)
    validation.generator(rng)
    light = _operator(operator).forward(x)
    if light.min() < -1e-6:
        raise ValueError(f"operator gives negative light (down to {light.min():.3g}), which no photon can count")
    return (rng.poisson(peak * np.maximum(light, 0)) / peak).astype(light.dtype)


def norm(operator, shape, iterations=100, seed=0):
    """Estimate the largest singular value of an operator on images of ``shape`` by power iteration.

    The estimate approaches the true norm from below, so add a little before using it as a step-size bound.
    """
    iterations = validation.integer(iterations, "iterations", low=1)
    _shape(shape)
    x = np.random.default_rng(validation.seed(seed)).standard_normal(shape)
    x /= np.linalg.norm(x)
    squared = 0.0
    for _ in range(iterations):
        x = _operator(operator).adjoint(operator.forward(x))
        squared = float(np.linalg.norm(x))
        if squared == 0:
            return 0.0
        x /= squared
    return math.sqrt(squared)


def _operator(value, name="operator"):
    if not isinstance(value, Operator):
        raise TypeError(f"{name} must be one of helpers.operators, such as Identity(), "
                        f"but {validation.brief(value)} came")
    return value


def _shape(value):
    if not isinstance(value, tuple) or len(value) not in (2, 3):
        raise TypeError(f"shape must be (H, W) or (H, W, C), but {validation.brief(value)} came")
    return tuple(validation.integer(side, "shape", low=1) for side in value)[:2]
