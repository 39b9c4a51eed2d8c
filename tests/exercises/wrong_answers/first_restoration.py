"""Plausible wrong answers to the exercises of "Restore your first photograph", each with a piece of its hint."""

import numpy as np


def peak_255(difference):
    return 10 * np.log10(255**2 / np.mean(difference**2))


WRONG = {
    "halving": [
        (10 * np.log10(2), "its square"),
        (-6.02, "sign"),
        (2.0, "not two decibels"),
    ],
    "best_width": [
        (0.4, "wider"),
        (2.5, "narrower"),
        (0.805, "wider"),  # 0.03 dB under the best: the border is at 0.02
        (0.92, "narrower"),
        (-1, "positive"),
    ],
    "wrapped": [
        (lambda x, x_hat: peak_255(x - x_hat), "what it was"),
        (lambda x, x_hat: peak_255((x - x_hat).astype(float)), "already wrong"),
        (lambda x, x_hat: peak_255(x.astype(np.int16) - x_hat.astype(np.int16)), "16 bits"),
        (lambda x, x_hat: -10 * np.log10(np.mean((x.astype(float) - x_hat) ** 2)), "peak of this score"),
        (lambda x, x_hat: peak_255(np.abs(x.astype(float) - x_hat)) + 1, "For two of our pictures"),
    ],
    "mixture": [
        (lambda a, b, c: (a - c) / (a + b - 2 * c), "second restoration"),
        (lambda a, b, c: b / (a + b), "nothing in common"),
        (lambda a, b, c: (b + c) / (a + b + 2 * c), "sign of c"),
        (lambda a, b, c: 0.5, "one size"),
        (lambda a, b, c: b - c, "another share"),
    ],
    "hills": [
        ((-4.4, "b"), "a loss is positive"),
        ((21.3, "b"), "not what is lost"),
        ((3.3, "b"), "two of its points"),
        ((9.0, "b"), "below its own top"),
        ((4.4, "a"), "says the opposite"),
        ((4.4, "c"), "other way"),
        (4.4, "Two things"),
    ],
}
