"""Plausible wrong answers to the exercises of "Learn the kernels", each with a piece of its hint."""

import numpy as np


def convolve(x, k):
    """Return the layer of the page."""
    (height, width), h = x.shape[:2], len(k)
    framed = np.pad(x, ((h // 2, h // 2), (h // 2, h // 2), (0, 0)))
    return sum(framed[i : i + height, j : j + width] @ k[i, j] for i in range(h) for j in range(h))


def adjoint(g, k):
    """Return the adjoint of the page."""
    return convolve(g, k[::-1, ::-1].swapaxes(2, 3))


def spread(g, first=0):
    """Put g on a grid of twice the size, with zeros between."""
    grid = np.zeros((2 * g.shape[0], 2 * g.shape[1], g.shape[2]))
    grid[first::2, first::2] = g
    return grid


def last_stride_only(sizes, strides):
    """Forget all strides but the one before."""
    side = 1
    for i, size in enumerate(sizes):
        side += (size - 1) * (strides[i - 1] if i else 1)
    return side


def own_stride_too(sizes, strides):
    """Let a layer's own stride widen its view."""
    side, step = 1, 1
    for size, stride in zip(sizes, strides, strict=True):
        step *= stride
        side += (size - 1) * step
    return side


WRONG = {
    "count": [
        (9 * 16 + 3 * 9 * 16 * 16 + 9 * 16, "kernels alone"),
        (9 * 16 + 4 * 9 * 16 * 16 + 9 * 16 + 81, "too many"),
        (9 * 16 * 4 + 9, "each output channel"),
        (45, "one kernel a layer"),
    ],
    "shuffled": [("a", "never knew"), ("b", "renames"), ("d", "3 × 3")],
    "field": [
        (lambda sizes, strides: 1 + sum(size - 1 for size in sizes), "left them out"),
        (lambda sizes, strides: sum((h - 1) * s for h, s in zip(sizes, np.cumprod([1, *strides[:-1]]), strict=True)),
         "too small"),
        (own_stride_too, "own stride"),
        (last_stride_only, "just before"),
        (lambda sizes, strides: np.prod(sizes), "multiplied"),
    ],
    "rescale": [
        (lambda y, sigma, denoise, trained: denoise(y), "as it is"),
        (lambda y, sigma, denoise, trained: denoise(y * sigma / trained) * trained / sigma, "wrong way"),
        (lambda y, sigma, denoise, trained: denoise(y * trained / sigma), "brightness"),
        (lambda y, sigma, denoise, trained: y * trained / sigma, "never asked"),
    ],
    "enlarge": [
        (lambda g, k: adjoint(np.repeat(np.repeat(g, 2, 0), 2, 1), k), "repeated"),
        (lambda g, k: convolve(spread(g), k.swapaxes(2, 3)), "not turned"),
        (lambda g, k: adjoint(spread(g, 1), k), "odd places"),
        (lambda g, k: spread(adjoint(g, k)), "spread it afterwards"),
        (adjoint, "has shape"),
    ],
}
