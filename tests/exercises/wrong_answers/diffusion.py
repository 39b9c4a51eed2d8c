"""Plausible wrong answers to the exercises of "Walk from noise to pictures", each with a piece of its hint."""

from itertools import pairwise

import numpy as np

from helpers.exercises.diffusion import _heun


def wrong_heun(**settings):
    return lambda denoise, x, sigmas: _heun(denoise, x, sigmas, **settings)


def met(read, wanted):
    return (read == wanted) | (wanted == -1)


def climb(sign=1.0, over=True, noise=0.0, ahead=False):
    def encode(denoise, x, sigmas):
        rng = np.random.default_rng()
        for now, after in pairwise(sigmas):
            x = x + sign * (after - now) * (x - denoise(x, after if ahead else now)) / (now if over else 1)
            x = x + noise * np.sqrt(after**2 - now**2) * rng.standard_normal(x.shape)
        return x

    return encode


WRONG = {
    "two": [
        (lambda x, sigma, a: a * np.tanh(2 * (a @ x) / sigma**2), "too sure"),
        (lambda x, sigma, a: a * np.tanh((a @ x) / sigma), "σ² belongs"),
        (lambda x, sigma, a: a * np.sign(a @ x), "nearer picture"),
        (lambda x, sigma, a: -a * np.tanh((a @ x) / sigma**2), "other picture"),
        (lambda x, sigma, a: np.full(len(x), np.tanh((a @ x) / sigma**2)), "in each pixel alike"),
        (lambda x, sigma, a: a * (a @ x) / (a @ a + sigma**2), "weighed by their probabilities"),
    ],
    "velocity": [
        (lambda z, t, denoise: (z - denoise(z, t / (1 - t))) / t, "gets z itself"),
        (lambda z, t, denoise: (z - denoise(z / (1 - t), t)) / t, "told the noise level t"),
        (lambda z, t, denoise: (denoise(z / (1 - t), t / (1 - t)) - z) / t, "from noise to picture"),
        (lambda z, t, denoise: (z / (1 - t) - denoise(z / (1 - t), t / (1 - t))) * (1 - t) / t, "dx/dσ"),
        (lambda z, t, denoise: (z - denoise(z / (1 - t), t / (1 - t))) / (1 - t), "not the mean"),
    ],
    "heun": [
        (wrong_heun(second=lambda D, x, there, now, after: (there - D(x, after)) / after), "Nothing has changed"),
        (wrong_heun(second=lambda D, x, there, now, after: (x - D(x, after)) / after), "at the old point"),
        (wrong_heun(second=lambda D, x, there, now, after: (there - D(there, now)) / now), "told the old noise level"),
        (wrong_heun(second=lambda D, x, there, now, after: (there - D(there, after)) / now), "divided by the old"),
        (wrong_heun(both=0.0), "Euler"),
        (wrong_heun(both=1.0), "Only the slope of the end"),
        (wrong_heun(begin=True), "where the trial step ended"),
        (wrong_heun(both=-0.5), "not Heun's method"),
    ],
    "begin": [((100.0, "a"), "largest level"), ((0.3, "b"), "there is better"), ((1.9, "a"), "grows again"),
              ((1.9, "b"), "below the best"), ((1.9, "d"), "two ends"), ((-1.0, "c"), "positive")],
    "encode": [
        (climb(sign=-1.0), "hardly moved"),
        (climb(noise=1.0), "Two calls"),
        (climb(ahead=True), "do not belong together"),
        (climb(over=False), "should end near"),
        (lambda denoise, x, sigmas: climb()(denoise, 1 - x, sigmas), "turned around"),
    ],
    "by_chance": [
        (lambda v: 2 / v, "counted twice"), (lambda v: (1 - 1 / v) ** 2, "no such pair"),
        (lambda v: 1 / v**2, "both pairs"), (lambda v: 1 / v, "one kind of pair"),
        (lambda v: 1 - (1 - 1 / v**2) ** 2, "named beforehand"),
        (lambda v: 100 - 100 * (1 - 1 / v) ** 2, "per cent"), (lambda v: 1 / 3, "not the share"),
    ],
    "as_asked": [
        (lambda read, far, wanted: np.mean(met(read, wanted).all(axis=1)), "show no robot are counted"),
        (lambda read, far, wanted: np.mean((read == wanted).all(axis=1) & (far < 0.03)), "left open is counted"),
        (lambda read, far, wanted: np.mean((read == wanted).all(axis=1)), "and pictures that show no"),
        (lambda read, far, wanted: np.mean(met(read, wanted)), "not of pictures"),
        (lambda read, far, wanted: np.mean(met(read, wanted)[far < 0.03].all(axis=1)), "left the count"),
        (lambda read, far, wanted: 100 * np.mean(met(read, wanted).all(axis=1) & (far < 0.03)), "per cent"),
        (lambda read, far, wanted: 0.5, "not the share"),
    ],
}
