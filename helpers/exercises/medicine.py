"""Exercises of the page "See inside with few X-rays"."""

import functools

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair
from helpers.images import phantom
from helpers.metrics import psnr
from helpers.operators import Radon, measure


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


def same_dose(answer):
    """Judge: what becomes of a picture when one dose is shared among more views?"""
    views, letter = pair(answer)
    views, letter = number(views, "the number of views"), choice(letter, "abcd", "the sentence")
    if views not in (12, 23, 45, 90, 180, 360):
        raise Mistake(f"{views:g} is none of the six numbers of views.", "Give the number at the dot.")
    curves = {rule: [_score(K, rule) for K in (12, 23, 45, 90, 180, 360)] for rule in ("dose", "light")}
    if views < 90:
        raise Mistake(f"From {views:g} views on a doubling still gains more than half a decibel.",
                      "Read the rise from each dot to the next one.")
    if views == 360:
        raise Mistake("With the same light in each view every doubling gains more than that. This is the other curve.",
                      "Here the noise of a view grows: 0.5 sqrt(K / 180).")
    if views == 180:
        raise Mistake("A smaller number of views has this property already.", "Find the first dot of the level part.")
    if letter == "b":
        return (f"{curves['dose'][3]:.1f}, {curves['dose'][4]:.1f} and {curves['dose'][5]:.1f} dB with 90, 180 and 360 "
                "views of one dose. Only the streaks ask for more views.")
    raise {"a": Mistake("The curve rises first: with few views streaks cover the head.", "What are the first dots?"),
           "c": Mistake("The curve levels off, and no new light comes: the dose is only shared out.",
                        "That sentence belongs to the curve with the same light for each view."),
           "d": Mistake("Each view is noisier, and their mean is not.", "Does the curve fall again at the right?"),
           }[letter]


@functools.cache
def _score(views, rule):
    x, operator = phantom(129), Radon.sparse_view(129, views)
    level = 0.5 * np.sqrt(views / 180) if rule == "dose" else 0.5
    y = measure(x, operator, level, np.random.default_rng(0))
    ramp = np.abs(np.fft.rfftfreq(512))[:, None]
    filtered = np.fft.irfft(ramp * np.fft.rfft(y, 512, axis=0), 512, axis=0)[: len(y)]
    return psnr(x, operator.adjoint(filtered) * np.pi / views)


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
