"""Plausible wrong answers to the exercises of "See inside with few X-rays", each with a piece of its hint."""

import numpy as np


def kernel(n, centre=0.25, sign=-1, both_sides=True):
    h = np.zeros(n)
    h[0] = centre
    for k in range(1, n // 2 + 1, 2):
        h[k] = sign / (np.pi * k) ** 2
        if both_sides:
            h[n - k] = h[k]
    return h


WRONG = {
    "dose": [
        (2, "grows with its square root"),
        (np.sqrt(2), "other side"),
        (0.25, "less light"),
    ],
    "same_dose": [
        ((45, "b"), "still gains more"),
        ((360, "c"), "the other curve"),
        ((180, "b"), "smaller number"),
        ((90, "a"), "rises first"),
        ((90, "c"), "levels off"),
        ((90, "d"), "their mean is not"),
        ((100, "b"), "none of the six"),
    ],
    "ramp": [
        (lambda n: np.abs(np.fft.rfftfreq(n)), "plain ramp"),
        (lambda n: kernel(n), "neither the kernel"),
        (lambda n: np.fft.rfft(kernel(n, both_sides=False)).real, "left half"),
        (lambda n: np.fft.rfft(kernel(n, centre=0)).real, "centre is missing"),
        (lambda n: np.fft.rfft(kernel(n)), "real part"),
        (lambda n: np.fft.rfft(kernel(n, sign=1)).real, "wrong sign"),
    ],
}
