"""Plausible wrong answers to the exercises of "Train the same network four ways", each with a piece of its hint."""

import numpy as np


def fall(t, T):
    return (1 + np.cos(np.pi * (t - 1) / T)) / 2


def remember(g, memory, beta):
    memory["u"] = beta * memory.get("u", 0) + g
    return memory["u"]


WRONG = {
    "halfway": [
        (6, "worse end"),
        (4, "as low as 4"),
        (10, "sum of both"),
    ],
    "orders": [
        (4, "second place"),
        (16, "several places"),
        (6, "pairs that can be swapped"),
        (23, "network itself"),
    ],
    "warm_up": [
        (lambda t, T, warm: fall(t, T), "nothing warms up"),
        (lambda t, T, warm: t / warm if t <= warm else fall(t, T), "jumps"),
        (lambda t, T, warm: t / warm if t <= warm else fall(t - warm, T), "does not come down"),
        (lambda t, T, warm: t / warm if t <= warm else fall(t - warm + 1, T - warm), "one step ahead"),
        (lambda t, T, warm: (t - 1) / warm if t <= warm else fall(t - warm, T - warm), "is wasted"),
    ],
    "misled": [
        (lambda a, b: np.mean(a[:, None] > b) + np.mean(a[:, None] == b) / 2, "other way round"),
        (lambda a, b: min(np.mean(a[:, None] > b), np.mean(b[:, None] > a)), "Ties are not counted"),
        (lambda a, b: np.mean(a[:, None] >= b), "full win"),
        (lambda a, b: np.mean(b[:, None] > a) + np.mean(a[:, None] == b) / 2, "better method wins"),
    ],
    "nesterov": [
        (lambda g, memory, t, beta=0.9: remember(g, memory, beta), "plain momentum"),
        (lambda g, memory, t, beta=0.9: beta * remember(g, memory, beta), "newest gradient"),
        (lambda g, memory, t, beta=0.9: g + remember(g, memory, beta), "counts in full"),
        (lambda g, memory, t, beta=0.9: g * (1 + beta), "Nothing is remembered"),
    ],
}
