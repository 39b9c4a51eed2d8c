"""Plausible wrong answers to the exercises of "Generate images by rule and by chance", each with part of its hint."""

import numpy as np


def _grain(horizontal, vertical, halves=2):
    def grain(z, beta, ratio):
        f = np.fft.fftfreq(z.shape[-1], 1 / z.shape[-1])
        f = np.hypot(f[:, None] * (ratio if vertical else 1), f * (ratio if horizontal else 1))
        f[0, 0] = np.inf
        gain = f ** (-beta / halves)
        gain /= np.sqrt(np.mean(gain**2))
        return np.fft.ifft2(gain * np.fft.fft2(z)).real

    return grain


WRONG = {
    "halfway": [
        (0.5, "*variance*"),
        (1.0, "do not average"),
        (np.sqrt(2), "without the halves"),
    ],
    "twin": [
        ("a", "bell-shaped"),
        ("c", "phases are gone"),
    ],
    "grain": [
        (_grain(horizontal=False, vertical=True), "up and down"),
        (_grain(horizontal=False, vertical=False), "changes nothing"),
        (_grain(horizontal=True, vertical=False, halves=1), "amplitude squared"),
        (lambda z, beta, ratio: 3 * _grain(horizontal=True, vertical=False)(z, beta, ratio), "contrast"),
    ],
    "favourite": [
        (lambda neighbours, J, h: 1 / (1 + np.exp(-(J * neighbours + h))), "factor 2"),
        (lambda neighbours, J, h: 1 / (1 + np.exp(-2 * J * neighbours - h)), "only once"),
        (lambda neighbours, J, h: 1 / (1 + np.exp(2 * (J * neighbours + h))), "of black"),
        (lambda neighbours, J, h: 1 / (1 + np.exp(-2 * J * (neighbours + h))), "multiplied by J"),
    ],
    "takes_over": [
        ((0.13, "a"), "waves per picture"),
        ((110, "a"), "far below"),
        ((15, "a"), "clearly the stronger"),
        ((34, "b"), "goes on below"),
        ((34, "c"), "level"),
    ],
}
