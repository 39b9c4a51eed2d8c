"""Exercises of the page "Step outside the training set"."""

import numpy as np

from helpers import pretrained
from helpers.exercises.answers import Mistake, array, call, choice, close, number
from helpers.images import photos
from helpers.metrics import bootstrap_interval, psnr


def four(answer):
    """Understand: how often does the range of four calibrated answers hold the truth?"""
    share = number(answer, "the share")
    if close(share, 0.6, 0.01):
        return "Two of five ranks lie outside. Even a calibrated method misses often with four answers."
    if close(share, 1, 0.001):
        raise Mistake("The range of a few answers does not always hold the truth.",
                      "The truth may be smaller than all four, or larger.")
    if close(share, 0.8, 0.01):
        raise Mistake("You left out one end only.", "The truth can be the smallest of the five, or the largest.")
    if close(share, 0.5, 0.01):
        raise Mistake("You counted the answers alone.", "With the truth there are five draws, and so five ranks.")
    raise Mistake(f"{share:g} is not the share.", "Put n = 4 and k = 1 into the formula of the ranks.")


def claim(answer):
    """Understand: which noise level to claim if lost texture is worse than grain?"""
    value = choice(answer, "abc", "the claim")
    if value == "a":
        return "What is still there can be removed later. What was removed cannot come back."
    if value == "b":
        raise Mistake("The middle loses least by PSNR on average, but PSNR is not what you fear.",
                      "If the noise is 15/255, what does a claim of 25/255 take away?")
    raise Mistake("The highest claim leaves least grain and takes most texture.",
                  "Which of the two did you fear?")


def inside(answer):
    """Change: the share of truths between their smallest and largest draws."""
    truth = np.array([0.0, 0.5, 1.0, 0.2, 0.9, 0.4, 0.7, 0.1])
    draws = np.array([[0.0, 0.1, 0.2], [0.1, 0.4, 0.3], [0.2, 0.5, 0.9], [0.5, 0.1, 0.4],
                      [0.8, 0.2, 0.9], [0.3, 0.6, 0.5], [0.6, 0.65, 0.6], [0.2, 0.3, 0.0]])
    value = call(answer, truth, draws)
    low, high = draws.min(axis=1), draws.max(axis=1)
    held = (low <= truth) & (truth <= high)
    if np.ndim(value) == 1 and np.shape(value) == truth.shape:
        raise Mistake("This is a yes or no for each truth.", "Average them with np.mean.")
    share = number(value, "the share")
    if close(share, held.mean(), 1e-6):
        return "A dozen characters of NumPy, and a method's doubt can be tested."
    if close(share, held.sum(), 1e-6):
        raise Mistake("This is a count, and a share is wanted.", "Use np.mean in place of np.sum.")
    if close(share, ((low < truth) & (truth < high)).mean(), 1e-6):
        raise Mistake("A truth that equals an end is left out.", "Compare with <= on both sides.")
    if close(share, ((draws.min() <= truth) & (truth <= draws.max())).mean(), 1e-6):
        raise Mistake("All truths are compared with one common range.",
                      "Each truth has its own draws: take the minimum over axis 1.")
    raise Mistake("This is not the share.", "Count the truths with low <= truth <= high, and divide by their number.")


def widen(answer):
    """Stretch: the smallest factor on the spreads that covers the wanted share of errors."""
    errors = np.array([0.3, 0.1, 0.8, 0.2, 0.6, 0.05, 0.5, 0.9, 0.4, 0.7])
    spreads = np.array([0.1, 0.2, 0.4, 0.2, 0.1, 0.1, 0.2, 0.1, 0.2, 0.2])
    level = 0.75
    q = number(call(answer, errors, spreads, level), "the factor")
    ratios = np.sort(errors / spreads)
    right = ratios[int(np.ceil(level * len(ratios))) - 1]
    if close(q, right, 1e-6):
        array(call(answer, errors[:4], spreads[:4], 0.5), (), "the factor")
        return "This is the idea of conformal prediction: let known errors set the width of unknown ones."
    if close(q, np.sort(errors)[7] / spreads.mean(), 1e-6) or close(q, np.sort(errors)[7], 1e-6):
        raise Mistake("The errors are sorted without their spreads.", "Divide each error by its own spread first.")
    if close(q, ratios[-1], 1e-6):
        raise Mistake("This factor covers all cases, and only a share of them is asked for.",
                      "Sort the quotients and stop at the wanted share.")
    if close(q, level, 1e-6):
        raise Mistake("The wanted share itself is no factor.", "The factor is one of the sorted quotients.")
    if np.mean(errors <= q * spreads) < level:
        raise Mistake("With this factor too few errors are covered.",
                      "Round the number of covered cases up, with np.ceil.")
    raise Mistake("A smaller factor would do.", "Take the sorted quotient number ⌈level · N⌉.")


def breaks(answer):
    """Project: a noise under which a method without training beats the network."""
    if not isinstance(answer, dict) or set(answer) != {"noise", "rival", "interval", "worst"}:
        raise Mistake("A dictionary with the four entries noise, rival, interval and worst is wanted.",
                      "The comment in the cell shows its form.")
    test = photos("test", size=128)
    lead = np.array([_lead(answer, x, np.random.default_rng(i)) for i, x in enumerate(test.values())])
    right, interval = np.array(bootstrap_interval(lead)[1:]), array(answer["interval"], (2,), "the interval")
    allowed = 0.02 + 0.12 * np.ptp(right)
    if np.abs(interval - right).max() > allowed:
        if np.abs(interval + right[::-1]).max() <= allowed:
            raise Mistake("The sign is reversed: this is the lead of the rival.", "Subtract the PSNR of the rival.")
        if np.abs(interval - [lead.min(), lead.max()]).max() <= allowed:
            raise Mistake("This is the range of the eight leads, and not how sure their mean is.",
                          "bootstrap_interval of the eight leads.")
        raise Mistake(f"We repeat your experiment and find {right[0]:+.2f} to {right[1]:+.2f} dB; the report says "
                      f"{interval[0]:+.2f} to {interval[1]:+.2f}.", "Scale each noise to σ, and tell σ to both.")
    if answer["worst"] != (worst := list(test)[int(np.argmin(lead))]):
        raise Mistake(f"{answer['worst']!r} is not where the network does worst against the rival.",
                      "Take the smallest of the eight leads, with its sign.")
    if right[1] >= 0:
        raise Mistake(f"The report is right, and the network is not beaten for sure: {right[0]:+.2f} to "
                      f"{right[1]:+.2f} dB.", "Look for noise that neighbours share.")
    usual = np.mean([_lead(answer | {"noise": _gaussian}, x, np.random.default_rng(i))
                     for i, x in enumerate(test.values())])
    return (f"The report can be repeated, and the worst is {worst}. Under Gaussian noise the network leads the same "
            f"rival by {usual:+.2f} dB: tell both.")


def _gaussian(shape, rng):
    return rng.standard_normal(shape)


def _lead(answer, x, rng):
    """Return the network's lead over the rival in decibels, on one photograph under the reader's noise."""
    sigma = 25 / 255
    n = array(call(answer["noise"], x.shape, rng), x.shape, "the noise")
    if n.std() == 0:
        raise Mistake("The noise is the same everywhere.", "It must vary from place to place to be scaled to σ.")
    y = (x + sigma * n / n.std()).astype(np.float32)
    if y.min() < -1 or y.max() > 2:
        raise Mistake(f"The noisy picture spans {y.min():.1f} to {y.max():.1f}.", "Choose noise without such outliers.")
    x_hat = array(call(answer["rival"], y, sigma, seconds=30), x.shape, "the rival's picture")
    return psnr(x, pretrained.shared("denoiser")(y, sigma)) - psnr(x, x_hat)
