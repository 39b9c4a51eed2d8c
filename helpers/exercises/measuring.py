"""Exercises of the page "Measure what you care about"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import photos
from helpers.metrics import bootstrap_interval, frechet_distance, psnr
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


def roots(answer):
    """Repair: the Fréchet distance of sets whose covariances do not commute."""
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(6)
    first, second = (rng.normal(size=(n, 4)) @ rng.normal(size=(4, 4)) + n / 100 for n in (50, 70))
    found = number(call(answer, first, second), "the distance")
    C, S = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    gap = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
    half = sqrtm(C).real
    right = frechet_distance(first, second)
    if close(found, right, 1e-4):
        return "Only where two matrices commute is the root of their product the product of their roots."
    if close(found, gap + np.trace(C + S - 2 * half @ sqrtm(S).real), 1e-4):
        raise Mistake("The distance is what it was.", "Multiply first, then take the root: sqrtm(C @ S).")
    if close(found, right - gap, 1e-4):
        raise Mistake("The distance of the means is missing.", "Only the line with the roots was wrong.")
    if close(found, gap + np.trace(C + S - half @ sqrtm(S).real), 1e-4) or close(
            found, gap + np.trace(C + S - sqrtm(C @ S).real), 1e-4):
        raise Mistake("The factor 2 before the root is missing.", "Compare with the formula of the page.")
    elementwise = np.sqrt(np.abs(C * S)), np.sqrt(np.abs(C @ S)), np.sqrt(np.maximum(C @ S, 0))
    if any(close(found, gap + np.trace(C + S - 2 * root), 1e-4) for root in elementwise):
        raise Mistake("This takes the root of each entry by itself, and no matrix root.",
                      "A matrix root, multiplied by itself, gives the matrix: scipy.linalg.sqrtm.")
    raise Mistake(f"For two of our sets the distance is {right:.3f}, and {found:.3f} came.",
                  "Replace the product of the two roots by the root of the product.")


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
    """Derive: the gain that gives an estimate the variance of the truth."""
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


def claim(answer):
    """Project: a comparison of two denoisers that somebody else can repeat."""
    wanted = {"first", "second", "sigma", "interval", "worst"}
    if not isinstance(answer, dict) or set(answer) != wanted:
        raise Mistake("A dictionary with the five entries first, second, sigma, interval and worst is wanted.",
                      "The comment in the cell shows its form.")
    sigma = number(answer["sigma"], "the noise level")
    if not 1 / 255 <= sigma <= 0.5:
        raise Mistake(f"A noise level of {sigma:g} was claimed.", "Give σ as a share of the range: 20 / 255.")
    test = photos("test", size=128)
    gains = _gains(answer, sigma, test.values())
    right, interval = np.array(bootstrap_interval(gains)[1:]), array(answer["interval"], (2,), "the interval")
    allowed = 0.02 + 0.12 * np.ptp(right)

    def near(expected):
        return np.abs(interval - expected).max() < allowed

    if not near(right):
        if near(-right[::-1]):
            raise Mistake("The sign is reversed: this is second minus first.", "Subtract the PSNR of `second`.")
        if near(gains.mean() + np.array([-2, 2]) * gains.std()) or near((gains.min(), gains.max())):
            raise Mistake("This is how far the eight photographs scatter, and not how sure their mean is.",
                          "bootstrap_interval of the eight differences.")
        raise Mistake(f"We repeat your experiment and find {right[0]:+.2f} to {right[1]:+.2f} dB; the claim says "
                      f"{interval[0]:+.2f} to {interval[1]:+.2f}.",
                      "Pair photograph by photograph: the same noise for both, from default_rng(i).")
    worst = list(test)[int(np.argmin(gains))]
    if answer["worst"] != worst:
        raise Mistake(f"{answer['worst']!r} is not the photograph where `first` does worst against `second`.",
                      "Take the smallest of the eight differences, with its sign.")
    again = _gains(answer, sigma, test.values(), seed=100).mean()
    elsewhere = _gains(answer, sigma, photos("train", size=128).values()).mean()
    sure = "Zero lies inside: eight photographs do not settle it." if right[0] < 0 < right[1] else "Zero lies outside."
    return (f"The claim can be repeated. {sure} With other noise the mean is {again:+.2f} dB, and on the training "
            f"photographs {elsewhere:+.2f}: tell both.")


def _gains(claimed, sigma, pictures, seed=0):
    """Return first minus second in decibels for each picture."""
    gains = []
    for i, x in enumerate(pictures):
        y = measure(x, Identity(), sigma, np.random.default_rng(seed + i))
        answers = [array(call(claimed[name], y, sigma, seconds=30), x.shape, f"the answer of {name}")
                   for name in ("first", "second")]
        gains.append(np.subtract(*(psnr(x, np.clip(x_hat, 0, 1)) for x_hat in answers)))
    return np.array(gains)
