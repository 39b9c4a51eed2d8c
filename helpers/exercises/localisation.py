"""Exercises of the page "Find yourself in a damaged picture"."""

import math

import numpy as np

from helpers.exercises.answers import Mistake, array, call, number


def trials(answer):
    """Understand: how many random samples does RANSAC need?"""
    for share, sample, confidence in [(0.5, 2, 0.99), (0.3, 4, 0.95), (0.8, 2, 0.999)]:
        exact = math.log(1 - confidence) / math.log(1 - share**sample)
        count = number(call(answer, share, sample, confidence), "the number of trials")
        if count == math.ceil(exact):
            continue
        given = f"For a share of {share}, samples of {sample} and a confidence of {confidence}"
        if count == math.ceil(math.log(confidence) / math.log(1 - share**sample)):
            raise Mistake(f"{given}, {count:g} trials make sure of failure, not of success.",
                          "All trials *fail* with probability 1 - confidence.")
        if count == math.ceil(math.log(1 - confidence) / math.log(1 - share)):
            raise Mistake(f"{given}, {count:g} trials would do if one right match were enough.",
                          "All matches of the sample must be right: share to the power of sample.")
        if count == math.ceil(math.log(1 - confidence) / math.log(1 - (1 - share) ** sample)):
            raise Mistake(f"{given}, your formula counts samples in which every match is wrong.",
                          "`share` is the share of *right* matches: what does it give to the power of sample?")
        if abs(count - exact) < 1:
            raise Mistake(f"{given}, {count:g} is the right size, but not rounded up.",
                          "Rounding down or to the nearest stops too early: use np.ceil.")
        raise Mistake(f"{given}, {math.ceil(exact)} trials are needed, not {count:g}.",
                      "Solve (1 - share**sample)**N = 1 - confidence for N.")
    return ("Half right and two at a time: 17 trials are enough for 99 percent. "
            "With few right matches and a large sample the number explodes.")


def clear(answer):
    """Change: Lowe's ratio test."""
    rng = np.random.default_rng(3)
    distances = rng.integers(20, 120, (40, 55)).astype(np.float64)
    ratio = 0.9
    ordered = np.sort(distances, axis=1)
    expected = ordered[:, 0] < ratio * ordered[:, 1]
    value = np.asarray(call(answer, distances, ratio))
    if value.shape == (55,):
        raise Mistake("One answer came for each keypoint of the map.",
                      "One is wanted for each keypoint of the view: sort along axis=1, each row by itself.")
    kept = array(value, (40,), "the answer") != 0
    if np.array_equal(kept, expected):
        return ("An answer that has no rival is worth more than an answer that is near. "
                "Lowe found that a ratio of 0.8 removes most wrong matches and few right ones.")
    if np.array_equal(kept, ~expected):
        raise Mistake("Exactly the unclear matches are kept.",
                      "Clear means: the first is *less* than ratio times the second.")
    if np.array_equal(kept, ratio * ordered[:, 0] < ordered[:, 1]) or kept.all():
        raise Mistake("Nearly every match passes, so this tests nothing.",
                      "The ratio belongs to the second smallest distance, not to the smallest.")
    if np.array_equal(kept, ordered[:, 0] < ratio * ordered[:, -1]):
        raise Mistake("The nearest is compared with the farthest.",
                      "Its rival is the second smallest: column 1 after sorting.")
    if np.array_equal(kept, distances[:, 0] < ratio * distances[:, 1]):
        raise Mistake("The first two columns are compared as they came.",
                      "Sort each row first: np.sort(distances, axis=1).")
    raise Mistake(f"{int((kept != expected).sum())} of 40 keypoints are judged wrongly.",
                  "Sort each row; compare column 0 with ratio times column 1.")


def shift(answer):
    """Stretch: RANSAC for a translation."""
    rng = np.random.default_rng(11)
    p = rng.uniform(0, 300, 90) + 1j * rng.uniform(0, 300, 90)
    b = 40 - 25j
    q = p + b + rng.normal(0, 0.3, 90) + 1j * rng.normal(0, 0.3, 90)
    wrong = rng.permutation(90)[:55]
    q[wrong] += rng.uniform(20, 260, 55) + 1j * rng.uniform(20, 260, 55)
    value = np.asarray(call(answer, p, q, np.random.default_rng(0)))
    if value.ndim or value.dtype.kind not in "iufc" or not np.isfinite(value):
        raise Mistake(f"One complex number is wanted, but a {type(value[()]).__name__} of shape {value.shape} came.",
                      "Return the shift b alone, without the inliers.")
    found = complex(value)
    shifts = q - p
    if abs(found - b) < 0.5:
        return ("55 of 90 matches were wrong, and you were off by less than half a pixel. "
                "One match decides a candidate, so even few right ones are found fast.")
    if abs(found + b) < 0.5:
        raise Mistake("The size is right, but the shift points backwards.", "q = p + b, so b is q minus p.")
    if abs(found - shifts.mean()) < 0.01:
        raise Mistake("This is the mean over all matches, and more than half of them are wrong.",
                      "Count who agrees with a candidate, then average over the crowd only.")
    medians = np.median(shifts.real) + 1j * np.median(shifts.imag), np.median(shifts)
    if min(abs(found - median) for median in medians) < 0.01:
        raise Mistake("The median survives wrong matches only while they are fewer than half.",
                      "Here 55 of 90 are wrong: look for agreement, not for the middle.")
    if np.abs(shifts - found).min() < 1e-6:
        raise Mistake("This is the shift of a single match, and not one of the right ones.",
                      "Keep the candidate with the *largest* number of matches within two pixels.")
    raise Mistake(f"The shift is off by {abs(found - b):.1f} pixels.",
                  "Try each match as a candidate, count the others within two pixels, and keep the largest crowd.")
