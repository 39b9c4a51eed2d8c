"""Exercises of the page "See inside with few X-rays"."""

import functools

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import phantom
from helpers.metrics import psnr
from helpers.operators import Radon


def dose(answer):
    """Understand: how many times more photons halve the relative noise?"""
    factor = number(answer, "the factor")
    if close(factor, 4):
        return "The relative noise is one over the root of the count: half the noise costs four times the light."
    if close(factor, 2):
        raise Mistake("Twice the light lowers the relative noise only by a factor of 1.41.",
                      "The noise of a count grows with its square root: it grows too, only slower.")
    if close(factor, np.sqrt(2)):
        raise Mistake("The square root stands on the other side.",
                      "If the noise falls with the root of the count, the count must rise with the square.")
    if close(factor, 0.25) or close(factor, 0.5):
        raise Mistake("With less light the relative noise grows.", "Compute sqrt(m) / m for m = 100 and for m = 25.")
    raise Mistake(f"{factor:g} is not the factor.", "Compute sqrt(m) / m for m = 100; which m has half of it?")


@functools.cache
def _score(views):
    x = phantom(129)
    operator = Radon.sparse_view(129, views)
    ramp = np.abs(np.fft.rfftfreq(512))[:, None]
    y = operator.forward(x)
    filtered = np.fft.irfft(ramp * np.fft.rfft(y, 512, axis=0), 512, axis=0)[: len(y)]
    return psnr(x, operator.adjoint(filtered) * np.pi / views)


def fewest_views(answer):
    """Change: the smallest number of views for 24 dB without noise."""
    views = number(answer, "the number of views")
    if views != round(views) or not 1 <= views <= 1000:
        raise Mistake("A number of views is a whole number, from 1 to some hundreds.", "Loop over range(20, 80).")
    score = _score(round(views))
    smaller = [fewer for fewer in range(20, min(round(views), 60)) if _score(fewer) >= 24]
    if score < 24:
        raise Mistake(f"With these views the PSNR is {score:.2f} dB: still below 24 dB.", "Take more views.")
    if smaller:
        raise Mistake("A smaller number of views reaches 24 dB too.", "Search from below; stop at the first success.")
    return f"{score:.2f} dB, and always less with fewer views. There was no noise at all: these are streaks alone."


def ramp(answer):
    """Stretch: the transform of the sampled ramp kernel."""
    n = 64
    k = np.minimum(np.arange(n), n - np.arange(n))
    odd = k % 2 == 1
    kernel = np.zeros(n)
    kernel[0] = 0.25
    kernel[odd] = -1 / (np.pi * k[odd]) ** 2
    value = call(answer, n)
    if np.iscomplexobj(value):
        raise Mistake("The transform of a symmetric kernel is real.", "Take the real part with .real.")
    if np.shape(value) == (n,):
        raise Mistake(f"There are {n} numbers, but rfft of {n} real numbers gives {n // 2 + 1}.",
                      "Return the transform (np.fft.rfft), and neither the kernel nor np.fft.fft.")
    value = array(value, (n // 2 + 1,), "the filter")
    right = np.fft.rfft(kernel).real
    if close(value, right, 1e-6):
        return ("This is the filter that the library uses. At frequency zero it is small and positive, where the plain "
                "ramp is zero, and that saves the mean brightness.")
    if close(value, np.abs(np.fft.rfftfreq(n)), 1e-6):
        raise Mistake("This is the plain ramp again.", "Build the kernel h first, then transform it.")
    one_sided = np.where(np.arange(n) <= n // 2, kernel, 0)
    if close(value, np.fft.rfft(one_sided).real, 1e-6):
        raise Mistake("The left half of the kernel is missing.", "h at index n - k equals h at index k.")
    no_centre = kernel.copy()
    no_centre[0] = 0
    if close(value, np.fft.rfft(no_centre).real, 1e-6):
        raise Mistake("The kernel's centre is missing.", "Set kernel[0] = 1 / 4.")
    wrong_sign = np.abs(kernel)
    if close(value, np.fft.rfft(wrong_sign).real, 1e-6):
        raise Mistake("The odd entries have the wrong sign.", "The kernel takes away what the neighbours smeared in.")
    raise Mistake("This is not the transform of the kernel.",
                  "Print the kernel for n = 8: 0.25, -0.101, 0, -0.011, 0, -0.011, 0, -0.101.")
