"""Exercises of the page "Measure what you care about"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import photos
from helpers.metrics import bootstrap_interval, psnr
from helpers.operators import Identity, measure


def unmask(answer):
    """Understand: what was a PSNR of 67 dB that was computed with the wrong data range?"""
    found = number(answer, "the PSNR")
    extra = 20 * np.log10(255)
    if close(found, 67 - extra, 0.005):
        return ("18.87 dB: noise of level 0.114 scores the same. "
                "Check any score against -20 log10(sigma) before you trust it.")
    if close(found, 67 - extra / 2, 0.005):
        raise Mistake("You took off 10 log10(255), but max stands in the formula as a square.",
                      "10 log10(255²) is 20 log10(255).")
    if close(found, 67 + extra, 0.005):
        raise Mistake("You added what should be taken off.", "Is 255 larger or smaller than the true max?")
    if close(found, 67 / 255, 0.005):
        raise Mistake("Decibels are logarithms: a factor inside becomes a difference outside.",
                      "Subtract 10 log10 of the factor.")
    raise Mistake(f"{found:.2f} dB is not the true score.", "Take 10 log10(255² / 1²) off 67.")


def one_feature(answer):
    """Understand: the squared Fréchet distance of two sets of one feature."""
    rng = np.random.default_rng(6)
    first, second = rng.normal(1, 2, 40), rng.normal(2.5, 0.8, 60)
    found = number(call(answer, first, second), "the distance")
    gap = first.mean() - second.mean()
    s1, s2 = first.std(ddof=1), second.std(ddof=1)
    if close(found, gap**2 + (s1 - s2) ** 2, 0.05):  # a variance over n differs by less
        return "Where the clouds lie, and how wide they are. Nothing else about them enters: not even their shape."
    if close(found, gap**2 + (s1**2 - s2**2) ** 2, 0.05):
        raise Mistake("You subtracted the variances.", "The points travel the difference of the standard deviations.")
    if close(found, gap**2, 0.01):
        raise Mistake("Two clouds with one mean may still differ in width.", "Add the second square.")
    if close(found, np.sqrt(gap**2 + (s1 - s2) ** 2), 0.02):
        raise Mistake("This is the distance itself; the squared one is wanted.", "Leave out the square root.")
    if close(found, abs(gap) + abs(s1 - s2), 0.02):
        raise Mistake("Both terms are there, but not squared.", "Square each difference before you add.")
    raise Mistake("This is not the squared Fréchet distance.", "(m1 - m2)² + (s1 - s2)²")


def rival(answer):
    """Change: the paired interval of the median filter against the Gaussian."""
    from scipy.ndimage import gaussian_filter, median_filter

    interval = array(answer, (2,), "the interval")
    scores = np.zeros((2, 8))
    for i, x in enumerate(photos("test", size=128).values()):
        y = measure(x, Identity(), 20 / 255, np.random.default_rng(i))
        scores[:, i] = psnr(x, gaussian_filter(y, 1.0)), psnr(x, median_filter(y, 3))
    gaussian, median = (bootstrap_interval(values) for values in scores)
    right = np.array(bootstrap_interval(scores[1] - scores[0])[1:])

    def near(expected):
        return np.abs(interval - expected).max() < 0.12

    if near(right):
        return (f"From {interval[0]:.1f} to {interval[1]:.1f} dB, and zero lies inside. "
                "A difference that may be zero is a finding too: it says that eight photographs are too few.")
    if near(-right[::-1]):
        raise Mistake("The sign is reversed: this is Gaussian minus median.", "Subtract `scores[0]` from the rival's.")
    if near(median[1:]):
        raise Mistake("This is the interval of the median filter alone.", "Subtract photograph by photograph first.")
    if near((median.low - gaussian.high, median.high - gaussian.low)):
        raise Mistake("You subtracted one interval from the other, so the difficulty of the photographs counts twice.",
                      "Subtract photograph by photograph first, then bootstrap the eight differences.")
    if interval[0] > interval[1]:
        raise Mistake("The low end lies above the high end.", "Hand over (low, high) of one bootstrap interval.")
    raise Mistake("This is not the interval of the gain.",
                  "Is the noise level 20/255, the seed of photograph i equal to i, and the median 3 pixels wide?")


def matched(answer):
    """Stretch: the gain that gives an estimate the variance of the truth."""
    variance = np.array([0.01, 0.3, 1.0, 5.0])
    for sigma in (0.2, 0.7):
        found = array(call(answer, variance, sigma), (4,), "the gain")
        wiener = variance / (variance + sigma**2)
        if close(found, np.sqrt(wiener)):
            continue
        if close(found, wiener):
            raise Mistake("This is the gain g of the MMSE: the estimate varies less than the truth.",
                          "Multiplying by a gain multiplies the variance by its square.")
        if close(found, np.sqrt(1 / wiener)) or close(found, 1 / wiener):
            raise Mistake("With this gain the estimate varies more than y, noise and all.",
                          "y - m varies too much already: must the gain be above or below 1?")
        if close(found, np.sqrt(variance / (variance + sigma))):
            raise Mistake("Almost: sigma is a standard deviation, and variances are added.", "Square sigma.")
        if close(found, np.ones(4)):
            raise Mistake("A gain of 1 keeps the noise, so the estimate varies more than the truth.",
                          "Solve gain² · (variance + sigma²) = variance.")
        raise Mistake("The variance of the estimate is not that of the truth.",
                      "Solve gain² · (variance + sigma²) = variance.")
    return "Half-way between keeping y and shrinking it: the least error that a natural look costs a Gaussian."
