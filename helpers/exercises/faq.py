"""Exercises of the page "Questions, and an experiment for each answer"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


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


def tenth(answer):
    """Understand: what to do with a small difference under one noise."""
    picked = choice(answer, "abc")
    if picked == "b":
        return "A paired comparison. What the noise does to both falls out of the difference."
    if picked == "a":
        raise Mistake("The spread of each score is mostly common to both, so it does not bound their difference.",
                      "If the noise is hard for one method, is it easy for the other?")
    raise Mistake("The best of ten is a lottery, and with noises of their own the luck differs.",
                  "Let both methods see the same noises.")


def safe(answer):
    """Change: a PSNR for uint8 and floating-point pictures alike."""
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
