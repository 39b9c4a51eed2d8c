"""Plausible wrong answers to the exercises of "Step outside the training set", each with a piece of its hint."""

import numpy as np

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
}
