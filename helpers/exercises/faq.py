"""Exercises of the page "Questions, and an experiment for each answer"."""

import numpy as np
from scipy.stats import norm

from helpers import restoration
from helpers.exercises.answers import Mistake, array, call, choice, close, number
from helpers.images import photo
from helpers.metrics import psnr
from helpers.operators import Identity, measure


def printed(answer):
    """Understand: repair a PSNR that was computed with the peak 255 for pictures in [0, 1]."""
    value = number(answer, "the PSNR")
    shift = 20 * np.log10(255)
    if abs(value - (75.2 - shift)) < 0.1:
        return "A little over 27 dB. Whenever a PSNR looks too good to be true, subtract 48 and look again."
    if abs(value - (75.2 + shift)) < 0.1:
        raise Mistake("The number has grown still further.", "A peak of 255 in place of 1 has added 48 dB: subtract.")
    if abs(value - (75.2 - shift / 2)) < 0.1:
        raise Mistake("You took off 24 dB, and that is half of the way.",
                      "The peak is squared, so it is 20 log10, not 10 log10.")
    if abs(value - 75.2 / 255) < 0.01:
        raise Mistake("Decibels are logarithms: a factor on the pictures is a difference of decibels.",
                      "Do not divide, subtract.")
    if abs(value - (75.2 - 20 * np.log(255))) < 0.2:
        raise Mistake("This is the natural logarithm.", "Decibels take the logarithm to the base ten: np.log10.")
    raise Mistake(f"{value:g} dB is not the right PSNR.", "Write the formula once with peak 255 and once with peak 1.")


def scans(answer):
    """Derive: how many scans bring the share of right verdicts to p?"""
    for d, p in ((0.4, 0.9), (0.05, 0.95), (1.5, 0.99)):
        found = number(call(answer, d, p), "the number of scans")
        z = norm.ppf(p)
        if close(found, (2 * z / d) ** 2, 1e-3):
            continue
        if close(found, 2 * z / d, 1e-3):
            raise Mistake("With this the detectability grows like n itself.",
                          "n equal parts in one vector: what is the root of a sum of n equal squares?")
        if close(found, (z / d) ** 2, 1e-3):
            raise Mistake("A factor of four is missing.", "The share is Φ of half the detectability.")
        if close(found, (2 * norm.ppf((1 + p) / 2) / d) ** 2, 1e-3):
            raise Mistake("This asks for both tails of the Gaussian.", "Φ(√n d' / 2) = p has one: invert it as it is.")
        if close(found, (2 * z) ** 2 / d, 1e-3) or close(found, 2 * z**2 / d**2, 1e-3):
            raise Mistake("Not all of the equation was squared.", "√n = 2 Φ⁻¹(p) / d': square the whole right side.")
        raise Mistake(f"For d' = {d} and p = {p} your formula gives {found:.4g} scans, with which the share would be "
                      f"{norm.cdf(np.sqrt(max(found, 0)) * d / 2):.3f}.", "Solve Φ(√n d' / 2) = p for n.")
    return "Half the contrast takes four times the scans, and four times the dose: faint things are dear."


def tenth(answer):
    """Judge: three curves over ten seeds, one beside another and one across it."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise Mistake("A letter and a number are wanted.", 'Hand over both, for example ("a", 5).')
    picked, ahead = choice(answer[0], "abc", "the letter"), number(answer[1], "the number of seeds")
    differences = _weights(0.6) - _weights(0.8)
    if ahead == np.sum(_weights(0.75) > _weights(0.8)):
        raise Mistake("So often 0.75 σ is ahead.", "Compare the curves of 0.6 σ and of 0.8 σ.")
    if ahead == np.sum(differences < 0):
        raise Mistake("So often 0.6 σ is behind.", "Count the seeds with the larger PSNR.")
    if ahead != np.sum(differences > 0):
        raise Mistake(f"0.6 σ is not ahead under {ahead:g} seeds.", "np.sum(np.greater(one, other)) counts them.")
    if picked == "a":
        raise Mistake("The spread of each score is mostly common to all three, so it does not bound their differences.",
                      "Draw the differences to 0.8 σ: is that of 0.75 σ ever below zero?")
    if picked == "c":
        raise Mistake("The curve of 0.6 σ crosses the other, and its mean is lower by a hundredth of a decibel only.",
                      "Is zero inside the interval of these ten differences?")
    return "A paired comparison. What the noise does to all three falls out of the differences."


def _weights(factor):
    x, A, sigma = photo("camera", size=128), Identity(), 25 / 255
    noisy = (measure(x, A, sigma, np.random.default_rng(seed)) for seed in range(10))
    return np.array([psnr(x, restoration.total_variation(y, A, sigma, weight=factor * sigma)) for y in noisy])


def safe(answer):
    """Repair: a PSNR for uint8 and floating-point pictures alike."""
    rng = np.random.default_rng(0)
    whole = rng.integers(0, 256, (12, 9)).astype(np.uint8)
    other = np.clip(whole + rng.integers(-40, 41, whole.shape), 0, 255).astype(np.uint8)
    expected = -10 * np.log10(np.mean((whole / 255 - other / 255) ** 2))
    dark = (whole > 128).astype(np.uint8)  # uint8 whose largest value is 1: nearly black
    pairs = {"two floating-point pictures": (whole / 255, other / 255), "two uint8 pictures": (whole, other),
             "a uint8 picture and a floating-point one": (whole, other / 255),
             "a floating-point picture and a uint8 one": (whole / 255, other)}
    for what, (x, x_hat) in pairs.items():
        found = number(call(answer, x, x_hat), f"the PSNR of {what}")
        if abs(found - expected) < 1e-3:
            continue
        if abs(found + expected) < 1e-3:
            raise Mistake("The sign is turned: a small error must give a large number.", "Begin with -10 * np.log10.")
        with np.errstate(over="ignore"):
            if x.dtype == x_hat.dtype == np.uint8 and abs(found - 10 * np.log10(
                    255**2 / np.mean((x - x_hat) ** 2))) < 1e-2:
                raise Mistake("uint8 wraps around: 3 - 5 gives 254 here.", "Convert each picture before you subtract.")
        for peak in (1.0, 255.0):
            if abs(found - (expected + 20 * np.log10(peak) * (1 if x.dtype != np.uint8 else -1))) < 1e-3 and peak > 1:
                raise Mistake(f"For {what} the answer is off by 48 dB.",
                              "The peak and the range must fit: divide uint8 pictures by 255, and no others.")
        raise Mistake(f"For {what} the answer is {found:.2f} dB, and {expected:.2f} dB would be right.",
                      "Look at x.dtype and x_hat.dtype one by one.")
    found = number(call(answer, dark, np.zeros_like(dark)), "the PSNR of two nearly black uint8 pictures")
    if abs(found + 10 * np.log10(np.mean((dark / 255) ** 2))) > 1e-3:
        raise Mistake("A nearly black uint8 picture, with values 0 and 1, was taken for one in [0, 1].",
                      "Let the dtype decide, not the largest value.")
    return "The type decides for each picture by itself, and the subtraction comes last."


def classes(answer):
    """Change: the effective number of classes."""
    p = np.array([0.5, 0.25, 0.125, 0.125, 0.0])
    entropy = -np.sum(p[:4] * np.log(p[:4]))
    found = number(call(answer, p), "the effective number")
    if close(found, np.exp(entropy), 1e-4):
        return "A generator that neglects a class cannot hide it behind a few samples."
    if close(found, entropy, 1e-4):
        raise Mistake("This is the entropy, not yet a number of classes.", "Take its exponential.")
    if close(found, np.exp(-entropy), 1e-4):
        raise Mistake("The sign of the entropy is lost: the result is under one class.", "Mind the minus.")
    if close(found, 4, 1e-4):
        raise Mistake("You counted the classes that occur at all.", "A class with a small share must count less.")
    if close(found, np.exp(entropy / np.log(2)), 1e-4):
        raise Mistake("The logarithm is to the base two, and the exponential to the base e.", "Use np.log.")
    raise Mistake(f"{found:.3f} is not the effective number.", "It is exp of -sum p log p, over all p above zero.")


def unseen(answer):
    """Stretch: the part of a change that a matrix cannot see."""
    rng = np.random.default_rng(0)
    A = rng.standard_normal((4, 9))
    d = rng.standard_normal(9)
    seen = np.linalg.pinv(A) @ A @ d
    found = array(call(answer, A, d), (9,), "the unseen part")
    if close(found, d - seen, 1e-6):
        return "A picture plus this has the same measurement. Nothing but a prior can tell the two apart."
    if close(found, seen, 1e-6):
        raise Mistake("This is the part that A does see.", "Subtract it from d.")
    if close(found, d - A.T @ A @ d, 1e-6):
        raise Mistake("A.T undoes A only if the rows of A are perpendicular and of length one.",
                      "Use least squares in place of A.T.")
    if np.abs(found).max() < 1e-9:
        raise Mistake("Zero is unseen, but d has a larger unseen part.", "Only the seen part may be taken away from d.")
    if np.abs(A @ found).max() < 1e-6:
        raise Mistake("A does not see it, but it is not the part of d.",
                      "The rest, d - unseen, must be perpendicular to it: take the shortest least-squares solution.")
    raise Mistake("A still sees something of it.", "A @ unseen(A, d) must be zero.")
