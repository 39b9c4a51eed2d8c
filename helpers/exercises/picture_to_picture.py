"""Exercises of the page "Paint by example: from picture to picture"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def paints(answer):
    """Understand: what do three losses paint where five pictures in nine are dark and four are bright?"""
    picked = choice(answer, "abc", "the answer")
    if picked == "b":
        return "The median goes with the majority, the mean pays each side its share, and a choice is one of the two."
    if picked == "a":
        raise Mistake("The median does not mix.", "Sort the nine values: which one is the fifth?")
    raise Mistake("For squares the best answer is the mean, and it is neither 0.1 nor 0.9.",
                  "Between 0.1 and 0.9 the mean square is smaller than at either end. Which number is the mean?")


def nearest(answer):
    """Repair: the distance of the nearest of k answers."""
    rng = np.random.default_rng(0)
    x, answers = rng.random((4, 6, 5, 3)), rng.random((7, 4, 6, 5, 3))
    found = number(call(answer, x, answers), "the loss")
    far = np.abs(answers - x)
    if close(found, far.mean(axis=(2, 3, 4)).min(axis=0).mean()):
        return "One answer is held to the whole picture. A minimum taken too early lets every pixel pick its own."
    if close(found, far.min(axis=0).mean(), 1e-6):
        raise Mistake("This is the program as it was: each pixel picks an answer of its own.",
                      "First take the mean over height, width and channels, then the minimum over the answers.")
    if close(found, far.mean(axis=(1, 2, 3, 4)).min(), 1e-6):
        raise Mistake("Here one noise is chosen for the whole batch.",
                      "Each picture picks its own answer: keep the axis of the pictures until the minimum is taken.")
    if close(found, far.mean(), 1e-6):
        raise Mistake("This is the mean over all answers.", "Only the nearest answer counts.")
    if close(found, far.mean(axis=(2, 3, 4)).min(axis=0).sum(), 1e-6):
        raise Mistake("This is a sum over the pictures.", "A loss that grows with the batch: take the mean at last.")
    raise Mistake("This is not the mean distance of the nearest answers.",
                  "First a mean over the pixels, then a minimum over the answers, then a mean over the pictures.")


def colours(answer):
    """Derive: the expected number of different colours among k answers."""
    for share, k in ((np.full(9, 1 / 9), 8), (np.array([0.7, 0.2, 0.1]), 3), (np.array([0.5, 0.5]), 1)):
        found = number(call(answer, share, k), "the number of colours")
        right = float(np.sum(1 - (1 - share) ** k))
        if close(found, right, 1e-9):
            continue
        if close(found, len(share) * (1 - (1 - 1 / len(share)) ** k), 1e-9):
            raise Mistake("This takes all colours to be equally likely.", "Let each colour have its own share.")
        if close(found, float(np.sum(k * share)), 1e-9) or close(found, min(k, len(share)), 1e-9):
            raise Mistake("Answers of the same colour are counted twice here.",
                          "Ask of each colour how likely it is to be missing from all k answers.")
        if close(found, float(np.sum((1 - share) ** k)), 1e-9):
            raise Mistake("This is how many are missing.", "Count those that are there.")
        if close(found, float(np.sum(1 - share**k)), 1e-9):
            raise Mistake("share ** k is how likely all k answers have this colour.",
                          "It is missing if none of them has it.")
        raise Mistake("This is not the expected number.",
                      "A colour is missing from k answers with the probability (1 - p)ᵏ. Expectations add up.")
    return "Eight answers show about five and a half of nine colours. For the others the truth pulls at a wrong one."


def mirrored(answer):
    """Change: how much does a painted map depend on where its light comes from?"""
    rng = np.random.default_rng(0)
    y, ramp = rng.random((8, 12, 3)), np.linspace(0, 1, 96).reshape(8, 12, 1) + np.linspace(0, 1, 12)[:, None]

    def paint(y):
        return 0.5 * y + 0.5 * ramp

    found = array(call(answer, paint, y), (8, 12, 3), "the difference")
    right = paint(y[:, ::-1])[:, ::-1] - paint(y)
    if close(found, right):
        return "Where the two differ, the painter does not treat a map and its mirror image alike."
    if close(found, -right):
        raise Mistake("The sign is the wrong one.", "Subtract what is made of y itself from the other.")
    if close(found, paint(y[:, ::-1]) - paint(y), 1e-6) or close(found, paint(y) - paint(y[:, ::-1]), 1e-6):
        raise Mistake("The two pictures show different places at the same pixel.",
                      "Mirror the painted picture back before you compare.")
    if close(np.abs(found), np.abs(paint(y[::-1])[::-1] - paint(y)), 1e-6):
        raise Mistake("This turns north and south around.", "East and west lie along the second axis.")
    if close(found, 0 * right, 1e-6):
        raise Mistake("This is nought everywhere.", "The network has to see the mirrored map, not only you.")
    raise Mistake("This is not the difference of the two paintings.",
                  "Three steps: mirror the map, let it be painted, mirror the answer back. Then subtract.")


def plain(answer):
    """Derive: what does a transposed convolution make of a plain?"""
    for kernel in (np.array([1.0, 2.0, 4.0, 8.0]), np.array([0.25, 0.75, 0.75, 0.25])):
        found = array(call(answer, kernel), (2,), "the two numbers")
        even, odd = kernel[0] + kernel[2], kernel[1] + kernel[3]
        if close(found, [even, odd]):
            continue
        if close(found, [odd, even], 1e-9):
            raise Mistake("The two are exchanged.", "At an even place 2 j + i is even: which i are that?")
        if close(found, [kernel.sum()] * 2, 1e-9):
            raise Mistake("This adds up the whole kernel, as a convolution with stride 1 does.",
                          "With stride 2 only half of the kernel meets at a place.")
        if close(found, [kernel[0] + kernel[1], kernel[2] + kernel[3]], 1e-9):
            raise Mistake("k₀ and k₁ never meet: they lie at neighbouring places.",
                          "Write down all i and j with 2 j + i = 10.")
        raise Mistake("These are not the two numbers.", "Write down all i and j with 2 j + i = 10, and with 11.")
    return "A plain comes out as a plain only if k₀ + k₂ = k₁ + k₃: else there is a lattice."
