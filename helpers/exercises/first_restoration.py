"""Exercises of the page "Restore your first photograph"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number
from helpers.images import photo
from helpers.metrics import psnr
from helpers.operators import Identity, measure


def halving(answer):
    """Understand: what happens to the PSNR when the noise level halves?"""
    gain = number(answer, "the gain in decibels")
    if close(gain, 20 * np.log10(2), 0.02):
        return ("Half the noise is a quarter of the squared error, and 10 log10(4) is about 6.02 dB. "
                "Six decibels for each halving: a rule worth keeping.")
    if close(gain, 10 * np.log10(2), 0.02):
        raise Mistake("3 dB is what you gain when the mean *squared* error halves.",
                      "Halving sigma does more than that to its square.")
    if close(gain, -20 * np.log10(2), 0.02):
        raise Mistake("The size is right, the sign is not.", "Is a higher PSNR better or worse?")
    if close(gain, 2, 0.02):
        raise Mistake("Twice as good is not two decibels.", "Put sigma and sigma / 2 into -20 log10(sigma).")
    raise Mistake(f"{gain:.2f} dB is not the gain.", "Compute -20 log10(sigma / 2) minus -20 log10(sigma).")


def best_width(answer):
    """Change: find the Gaussian width that restores the noisy photograph best."""
    from scipy.ndimage import gaussian_filter

    width = number(answer, "the width")
    if width <= 0:
        raise Mistake("A Gaussian needs a positive width.", "Try widths between 0.3 and 3 pixels.")
    x = photo("camera")
    y = measure(x, Identity(), 25 / 255, np.random.default_rng(0))
    widths = np.linspace(0.3, 3, 109)
    scores = np.array([psnr(x, gaussian_filter(y, w)) for w in widths])
    best, score = widths[scores.argmax()], psnr(x, gaussian_filter(y, width))
    if score > scores.max() - 0.02:  # as the exercise promises
        return f"With this width the PSNR is {score:.2f} dB: less blur leaves noise, more blur takes the picture away."
    if width < best:
        raise Mistake(f"This width reaches {score:.2f} dB, and more is possible: too much noise is left.",
                      "Try a wider Gaussian.")
    raise Mistake(f"This width reaches {score:.2f} dB, and more is possible: the picture itself is blurred away.",
                  "Try a narrower Gaussian.")


def blend(answer):
    """Stretch: mix two restorations so that the mixture beats both."""
    rng = np.random.default_rng(5)
    x = rng.random((24, 24)).astype(np.float32)
    first = x + 0.1 * rng.standard_normal(x.shape).astype(np.float32)
    second = x + 0.1 * rng.standard_normal(x.shape).astype(np.float32)
    mixed = array(call(answer, first, second, 0.25), x.shape, "the mixture")
    if close(mixed, 0.25 * first + 0.75 * second, 1e-4):
        return ("Errors that do not agree partly cancel, so a mixture can beat both of its parts. "
                "Ensembles of networks live from the same arithmetic.")
    if close(mixed, 0.75 * first + 0.25 * second, 1e-4):
        raise Mistake("The weights are the other way round.", "`share` is the share of the first picture.")
    if close(mixed, 0.25 * first + second, 1e-4):
        raise Mistake("The weights do not sum to one, so the mixture is too bright.",
                      "If the first picture gets `share`, how much is left for the second?")
    if close(mixed, 0.5 * first + 0.5 * second, 1e-4):
        raise Mistake("This is the plain average: `share` changes nothing.", "Use `share` as a weight.")
    raise Mistake("This is not the weighted mean of the two pictures.", "share · first + (1 - share) · second")


def clipping(answer):
    """Understand: why are estimates clipped before they are compared?"""
    letter = choice(answer, "abc")
    if letter == "b":
        return "A screen shows -0.1 as black, so an honest error counts it as black too."
    if letter == "a":
        raise Mistake("Clipping takes no noise away inside the range.", "What can a screen do with a value of 1.2?")
    raise Mistake("The logarithm is of the mean squared error, which is never negative.",
                  "What can a screen do with a value of 1.2?")
