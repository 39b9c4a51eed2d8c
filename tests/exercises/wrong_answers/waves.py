"""Plausible wrong answers to the exercises of "See what a blur does to waves", each with a piece of its hint."""

import numpy as np
from skimage.transform import resize

from helpers.images import photo
from helpers.metrics import psnr


def shifted(x, kernel, roll=0):
    placed = np.zeros_like(x)
    placed[: kernel.shape[0], : kernel.shape[1]] = kernel
    half = [roll * (side // 2) for side in kernel.shape]
    return np.fft.ifft2(np.fft.fft2(np.roll(placed, half, axis=(0, 1))) * np.fft.fft2(x)).real


def score(middle, order):
    x = photo("camera").astype(float)
    half = np.fft.ifft2(np.fft.fft2(x) * np.exp(-1j * np.pi * np.add.outer(*2 * [np.fft.fftfreq(256)]))).real
    points = half[2::4, 2::4] if middle else x[::4, ::4]
    return psnr(x, np.clip(resize(points, x.shape, order=order, mode="edge", anti_aliasing=False), 0, 1))


def halved(x, slow):
    return np.fft.ifft2(np.fft.fft2(x) * slow).real[::2, ::2]


def f(x):
    return abs(np.fft.fftfreq(len(x)))


WRONG = {
    "alias": [(0.9, "above 0.5"), (-0.1, "size is right"), (0.225, "more cycles"), (0.45, "old pixel"),
              (0.05, "distance to 0.5"), (0.4, "whole cycles away")],
    "one_per_cent": [
        (lambda s: np.sqrt(np.log(10) / 2) / (np.pi * s), "a tenth"),
        (lambda s: np.sqrt(np.log(100)) / (np.pi * s), "under the root"),
        (lambda s: np.sqrt(np.log(100) / 2) * s / np.pi, "denominator"),
        (lambda s: np.log(100) / 2 / (np.pi * s) ** 2, "f squared"),
        (lambda s: 1 / s, "solve for f"),
    ],
    "moves": [
        (shifted, "still lies"),
        (lambda x, kernel: shifted(x, kernel, 1), "twice as far"),
        (lambda x, kernel: np.roll(shifted(x, kernel), (-(kernel.shape[0] // 2),) * 2, axis=(0, 1)), "own half"),
    ],
    "shift": [(score(False, 1) - score(True, 1), "a cost is positive"), (score(False, 1), "not what they cost"),
              (score(True, 3) - score(False, 3), "another rule"), (0.5, "not what this gives")],
    "reduce": [
        (lambda x: x[::2, ::2], "aliases and all"),
        (lambda x: halved(x, np.outer(f(x) <= 0.25, f(x) <= 0.25)), "exactly 0.25"),
        (lambda x: halved(x, np.outer(f(x) < 0.5, f(x) < 0.5)), "between 0.25 and 0.5"),
        (lambda x: halved(x, np.hypot(f(x)[:, None], f(x)) < 0.25), "round limit"),
        (lambda x: halved(x, np.outer(f(x) < 0.25, f(x) < 0.25)) / 4, "factor of four"),
    ],
    "judge": [("a", "are false"), ("c", "in their place"), ("d", "stays confused")],
}
