"""Plausible wrong answers to the exercises of "Step outside the training set", each with a piece of its hint."""

import numpy as np

from helpers import pretrained
from helpers.images import photos
from helpers.metrics import bootstrap_interval, psnr
from helpers.operators import Identity
from helpers.restoration import total_variation


def rows(shape, rng):
    """Return noise that the pixels of a row share."""
    return rng.standard_normal((shape[0], 1)) * np.ones(shape)


def variation(y, sigma):
    """Return y denoised by total variation."""
    return total_variation(y, Identity(), sigma)


def leads(noise):
    """Return the leads of the network over total variation under a noise."""
    found = []
    for i, x in enumerate(photos("test", size=128).values()):
        n = noise(x.shape, np.random.default_rng(i))
        y = (x + 25 / 255 * n / n.std()).astype(np.float32)
        found.append(psnr(x, pretrained.shared("denoiser")(y, 25 / 255)) - psnr(x, variation(y, 25 / 255)))
    return np.array(found)


def true_report(noise, found):
    """Return what the check measures again."""
    return {"noise": noise, "rival": variation, "interval": bootstrap_interval(found)[1:],
            "worst": list(photos("test"))[int(found.argmin())]}


def white(shape, rng):
    """Return the noise that the network was trained for."""
    return rng.standard_normal(shape)


LEADS = leads(rows)
REPORT, MILD = true_report(rows, LEADS), true_report(white, leads(white))

WRONG = {
    "four": [(1, "does not always"), (0.8, "one end only"), (0.5, "answers alone")],
    "claim": [("b", "not what you fear"), ("c", "most texture")],
    "inside": [
        (lambda truth, draws: (draws.min(axis=1) <= truth) & (truth <= draws.max(axis=1)), "yes or no"),
        (lambda truth, draws: np.sum((draws.min(axis=1) <= truth) & (truth <= draws.max(axis=1))), "a count"),
        (lambda truth, draws: np.mean((draws.min(axis=1) < truth) & (truth < draws.max(axis=1))), "equals an end"),
        (lambda truth, draws: np.mean((draws.min() <= truth) & (truth <= draws.max())), "common range"),
    ],
    "widen": [
        (lambda errors, spreads, level: np.sort(errors)[7], "without their spreads"),
        (lambda errors, spreads, level: np.max(errors / spreads), "covers all cases"),
        (lambda errors, spreads, level: np.sort(errors / spreads)[int(level * len(errors)) - 1], "too few"),
        (lambda errors, spreads, level: level, "no factor"),
    ],
    "breaks": [
        (rows, "dictionary"),
        (REPORT | {"interval": -np.array(REPORT["interval"])[::-1]}, "reversed"),
        (REPORT | {"interval": (LEADS.min(), LEADS.max())}, "range of the eight"),
        (REPORT | {"interval": (1.0, 2.0)}, "We repeat"),
        (REPORT | {"worst": list(photos("test"))[int(LEADS.argmax())]}, "does worst"),
        (REPORT | {"noise": lambda shape, rng: np.ones(shape)}, "the same everywhere"),
        (REPORT | {"noise": lambda shape, rng: rng.standard_t(1.5, shape)}, "outliers"),
        (MILD, "not beaten for sure"),
    ],
}
