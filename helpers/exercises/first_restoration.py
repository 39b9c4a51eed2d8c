"""Exercises of the page "Restore your first photograph"."""

import functools

import numpy as np

from helpers.exercises.answers import Mistake, call, choice, close, number, pair
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


def wrapped(answer):
    """Repair: a PSNR of 8-bit pictures whose differences wrap around."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 256, (24, 24)).astype(np.uint8)
    near = np.clip(x + rng.normal(0, 12, x.shape), 0, 255).astype(np.uint8)
    for x_hat in (near, rng.permutation(x), 255 - x):
        score = number(call(answer, x, x_hat), "the PSNR")
        error = x.astype(np.float64) - x_hat
        right = 10 * np.log10(255**2 / np.mean(error**2))
        if abs(score - right) < 1e-6:
            continue
        late = (x - x_hat).astype(np.float64)
        squares = (x.astype(np.int16) - x_hat.astype(np.int16)) ** 2
        if abs(score - 10 * np.log10(255**2 / np.mean((x - x_hat) ** 2))) < 1e-6:
            raise Mistake("The score is what it was.", "Change the type of both pictures before you subtract.")
        if abs(score - 10 * np.log10(255**2 / np.mean(late**2))) < 1e-6:
            raise Mistake("The differences were already wrong when their type was changed.",
                          "Convert each picture first, then subtract.")
        if abs(score - 10 * np.log10(255**2 / max(np.mean(squares), 1e-9))) < 1e-6:
            raise Mistake("The differences are right now, but the square of 255 does not fit into 16 bits with a sign.",
                          "Convert to float.")
        if abs(score - right + 20 * np.log10(255)) < 1e-6:
            raise Mistake("The pictures reach to 255, and the peak of this score is 1.", "Keep 255² on top.")
        raise Mistake(f"For two of our pictures the PSNR is {right:.2f} dB, and {score:.2f} came.",
                      "Convert both pictures to float; the rest of the program is right.")
    return "Whole numbers of fixed size wrap around without a word: convert pictures to float before any arithmetic."


def mixture(answer):
    """Derive: the mixture of two restorations with the least mean squared error."""
    for a, b, c in ((0.010, 0.008, 0.006), (0.02, 0.03, -0.004), (0.01, 0.012, 0.0)):
        share = number(call(answer, a, b, c), "the share")
        if close(share, (b - c) / (a + b - 2 * c)):
            continue
        if close(share, (a - c) / (a + b - 2 * c)):
            raise Mistake("This is the share of the second restoration.", "s is the share of the first.")
        if close(share, b / (a + b)):
            raise Mistake("This share would be best if the two errors had nothing in common.",
                          "The term with c depends on s too: differentiate 2 s (1 - s) c.")
        if close(share, (b + c) / (a + b + 2 * c)):
            raise Mistake("The sign of c is reversed.", "The derivative of 2 s (1 - s) c is 2 (1 - 2 s) c.")
        if close(share, 0.5):
            raise Mistake("Half and half is best only if both errors are of one size.", "Let a and b decide.")
        raise Mistake(f"For a = {a}, b = {b} and c = {c} another share has a smaller error.",
                      "Set the derivative of s² a + 2 s (1 - s) c + (1 - s)² b to zero.")
    return "The less the two errors have in common, the more a mixture gains. Ensembles of networks live from this."


@functools.cache
def _hills():
    from skimage.restoration import denoise_tv_chambolle

    x, curves = photo("camera"), {}
    for level in (25, 50):
        noisy = measure(x, Identity(), level / 255, np.random.default_rng(0))
        curves[level] = np.array([psnr(x, denoise_tv_chambolle(noisy, weight=w)) for w in np.geomspace(0.01, 0.5, 20)])
    return curves


def hills(answer):
    """Judge: does one weight of total variation serve three noise levels?"""
    decibels, letter = pair(answer)
    curves = _hills()
    near_the_top = curves[25] > curves[25].max() - 0.4  # as far as a figure with fewer dots may be off
    losses = curves[50].max() - curves[50][near_the_top]
    decibels, letter = number(decibels, "the loss"), choice(letter, "abc", "the sentence")

    def read(value):
        return losses.min() - 0.3 < value < losses.max() + 0.3

    if read(-decibels):
        raise Mistake("The size is right, and a loss is positive.", "Subtract the lower PSNR from the higher one.")
    if decibels > 15:
        raise Mistake("This is a PSNR, not what is lost of it.", "Subtract it from the top of the same curve.")
    if abs(decibels - (curves[25].max() - curves[50].max())) < 0.2:
        raise Mistake("This is how much lower the hill of 50/255 is than that of 25/255.",
                      "Stay on the curve of 50/255, and compare two of its points.")
    if not read(decibels):
        raise Mistake(f"{decibels:.1f} dB is not what that weight loses on the curve of 50/255.",
                      "Find the weight below the top of 25/255; at this weight, how far is 50/255 below its own top?")
    if letter == "b":
        return f"About {losses.mean():.0f} dB lost, by a weight that was the best one for half the noise."
    raise {"a": Mistake("The loss that you have read says the opposite.", "Where is the top of each hill?"),
           "c": Mistake("The hills move the other way.", "Which hill has its top farthest to the right?")}[letter]
