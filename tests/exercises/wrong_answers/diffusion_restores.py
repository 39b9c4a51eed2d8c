"""Plausible wrong answers to the exercises of "Draw the answers", each with a piece of its hint."""

import numpy as np

from helpers.exercises.diffusion_restores import NOISE, SPREAD, _apart, strengths

AT_4 = float(np.interp(4, *strengths()))
TRUE = SPREAD * NOISE / np.hypot(SPREAD, NOISE)

WRONG = {
    "price": [
        (lambda K: -10 * np.log10(1 + 1 / K), "sign"),
        (lambda K: 1 + 1 / K, "not yet in decibels"),
        (lambda K: 20 * np.log10(1 + 1 / K), "Twice too much"),
        (lambda K: np.log(1 + 1 / K), "natural logarithm"),
        (lambda K: 10 * np.log10(2) / K, "divided the decibels"),
        (lambda K: 10 * np.log10(1 + 1 / np.sqrt(K)), "not its variance"),
        (lambda K: 10 * np.log10(1 + 1 / (K - 1)) if K > 1 else 10 * np.log10(2), "K − 1"),
        (lambda K: 10 * np.log10(K), "this is not the loss"),
    ],
    "left": [
        (lambda s, sigma: s**2 * sigma**2 / (s**2 + sigma**2), "variance r²"),
        (lambda s, sigma: s**2 / (s**2 + sigma**2), "Wiener's gain"),
        (lambda s, sigma: sigma, "noise in x"),
        (lambda s, sigma: s, "before x was seen"),
        (lambda s, sigma: np.hypot(s, sigma), "noisy pixel"),
        (lambda s, sigma: s * sigma / (s + sigma), "term by term"),
        (lambda s, sigma: s * sigma**2 / (s**2 + sigma**2), "One factor too many"),
        (lambda s, sigma: s * sigma, "not the spread"),
    ],
    "put_back": [
        (lambda x, y, mask, sigma, noise: mask * y + (1 - mask) * x, "Nothing has changed"),
        (lambda x, y, mask, sigma, noise: mask * y + (1 - mask) * x + sigma * noise, "noise twice"),
        (lambda x, y, mask, sigma, noise: mask * y + (1 - mask) * (x + sigma * noise), "added to the lost"),
        (lambda x, y, mask, sigma, noise: mask * x + (1 - mask) * (y + sigma * noise), "turned around"),
        (lambda x, y, mask, sigma, noise: mask * (y + noise) + (1 - mask) * x, "level 1"),
        (lambda x, y, mask, sigma, noise: mask * (y + sigma**2 * noise) + (1 - mask) * x, "its variance"),
        (lambda x, y, mask, sigma, noise: mask * (y + x) / 2 + (1 - mask) * x, "mean of y and x"),
        (lambda x, y, mask, sigma, noise: x, "not y under noise"),
    ],
    "strength": [
        ((AT_4, "a"), "no proof"), ((AT_4, "c"), "more alike"), ((AT_4, "d"), "multiplied by g"),
        ((AT_4 * TRUE, "b"), "spread itself"), ((float(np.interp(1, *strengths())), "b"), "at g = 1"),
        ((AT_4**2, "b"), "ratio of variances"), ((1.6, "b"), "times the true spread"),
    ],
    "dark": [("a", "would have come back"), ("c", "can be exact")],
    "floor": [
        (lambda odds, K: _apart(odds, K).sum(), "sum of the differences"),
        (lambda odds, K: 0.5 * np.sqrt(odds * (1 - odds) / K).sum(), "standard deviations"),
        (lambda odds, K: 0.5 * _apart(odds, 1).sum(), "one draw"),
        (lambda odds, K: 0.5 * K * _apart(odds, K).sum(), "differences of counts"),
        (lambda odds, K: _apart(odds, K).mean(), "mean over the values"),
        (lambda odds, K: 0.0, "no single set"), (lambda odds, K: 0.4, "is not 0.400"),
    ],
    "world": [((7, "b"), "prior of the page"), ((10, "b"), "reach into the half"), ((9, "b"), "not what the odds"),
              ((8, "a"), "still be found wrong"), ((8, "c"), "1 in 8")],
}
