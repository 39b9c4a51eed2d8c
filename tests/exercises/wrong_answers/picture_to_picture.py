"""Plausible wrong answers to the exercises of "Paint by example", each with a piece of its hint."""

import numpy as np


def far(x, answers):
    """Return the distance of every pixel of every answer."""
    return np.abs(answers - x)


WRONG = {
    "paints": [
        ("a", "does not mix"),
        ("c", "neither 0.1 nor 0.9"),
    ],
    "nearest": [
        (lambda x, answers: far(x, answers).min(axis=0).mean(), "an answer of its own"),
        (lambda x, answers: far(x, answers).mean(axis=(1, 2, 3, 4)).min(), "for the whole batch"),
        (lambda x, answers: far(x, answers).mean(), "over all answers"),
        (lambda x, answers: far(x, answers).mean(axis=(2, 3, 4)).min(axis=0).sum(), "a sum over the pictures"),
    ],
    "colours": [
        (lambda share, k: len(share) * (1 - (1 - 1 / len(share)) ** k), "equally likely"),
        (lambda share, k: float(k * share.sum()), "counted twice"),
        (lambda share, k: ((1 - share) ** k).sum(), "are missing"),
        (lambda share, k: (1 - share**k).sum(), "all k answers"),
    ],
    "mirrored": [
        (lambda paint, y: paint(y[:, ::-1]) - paint(y), "different places"),
        (lambda paint, y: paint(y[::-1])[::-1] - paint(y), "north and south"),
        (lambda paint, y: paint(y) - paint(y), "nought everywhere"),
        (lambda paint, y: paint(y) - paint(y[:, ::-1])[:, ::-1], "sign"),
    ],
    "plain": [
        (lambda kernel: (kernel[1] + kernel[3], kernel[0] + kernel[2]), "exchanged"),
        (lambda kernel: [kernel.sum()] * 2, "whole kernel"),
        (lambda kernel: (kernel[0] + kernel[1], kernel[2] + kernel[3]), "never meet"),
        (lambda kernel: (kernel[0], kernel[1]), "not the two numbers"),
    ],
}
