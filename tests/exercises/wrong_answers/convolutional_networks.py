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


def back_through(W1, W2, x, b, gate):
    """Return both gradients, with a gate of one's own between the layers."""
    a = W1 @ x
    h = np.maximum(a, 0)
    error = W2 @ h - b
    return np.outer(gate(a, W2.T @ error), x), np.outer(error, h)


WRONG = {
    "count": [
        (9 * 16 + 3 * 9 * 16 * 16 + 9 * 16, "kernels alone"),
        (9 * 16 + 4 * 9 * 16 * 16 + 9 * 16 + 81, "too many"),
        (9 * 16 * 4 + 9, "each output channel"),
        (45, "one kernel a layer"),
    ],
    "shuffled": [("a", "never knew"), ("b", "renames"), ("d", "3 × 3")],
    "bend": [
        (lambda W1, W2, x, b: back_through(W1, W2, x, b, lambda a, g: g), "as it was"),
        (lambda W1, W2, x, b: back_through(W1, W2, x, b, lambda a, g: np.maximum(g, 0)), "gradient itself"),
        (lambda W1, W2, x, b: back_through(W1, W2, x, b, lambda a, g: g * np.maximum(a, 0)), "hidden values"),
        (lambda W1, W2, x, b: back_through(W1, W2, x, b, lambda a, g: g * (a < 0)), "should be closed"),
        (lambda W1, W2, x, b: back_through(W1, W2, x, b, lambda a, g: g * (a > 0))[::-1], "has shape"),
        (lambda W1, W2, x, b: back_through(W1, W2, x, b, lambda a, g: g * np.sign(a)), "by differences"),
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
