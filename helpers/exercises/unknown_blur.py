"""Exercises of the page "When the blur is unknown"."""

import numpy as np
from scipy.signal import correlate

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair


def same(answer):
    """Understand: which other pair explains the same measurement?"""
    letter = choice(answer, "abc", "the letter")
    if letter == "a":
        raise Mistake("2k and x / 2 do explain y, but this kernel sums to two.", "It has to sum to one.")
    if letter == "c":
        raise Mistake("Turned in opposite directions, the two give another picture.",
                      "Turn both the *same* way, and y turns with them. What about shifts?")
    return ("A shift of the kernel and the opposite one of the picture cannot be seen in y. So blind deconvolution may "
            "choose, and puts the kernel's centre of mass into the middle.")


def threshold(answer):
    """Derive: the hard threshold."""
    d, lam, beta = np.array([-1.0, -0.45, -0.3, -0.05, 0.0, 0.2, 0.35, 0.55, 2.0]), 0.5, 4.0  # edges at ±0.354
    g = array(call(answer, d, lam, beta), d.shape, "what comes back")
    if close(g, np.where(beta * d**2 > lam, d, 0)):
        return ("Kept whole or not at all: the threshold is the root of lambda / beta. While beta grows, weaker and "
                "weaker edges come in.")
    if close(g, np.sign(d) * np.maximum(np.abs(d) - lam / (2 * beta), 0)) or close(
            g, np.sign(d) * np.maximum(np.abs(d) - np.sqrt(lam / beta), 0)):
        raise Mistake("This is a soft threshold: what is kept gets shorter.",
                      "g costs lambda whatever its size, if it is not zero. So which g is the best of these?")
    if close(g, np.where(np.abs(d) > lam / beta, d, 0)):
        raise Mistake("You compare |d| itself with lambda / beta.", "Going to zero costs beta d².")
    if close(g, np.where(beta * d**2 < lam, d, 0)):
        raise Mistake("Here the weak gradients are kept and the strong ones go to zero.",
                      "Zero is cheaper where beta d² is less than lambda.")
    if close(g, np.where(2 * beta * d**2 > lam, d, 0)) or close(g, np.where(beta * d**2 > 2 * lam, d, 0)):
        raise Mistake("Almost: there is a factor 2 too many.", "There is no ½ in front of the square.")
    raise Mistake("This is not the minimum for every d.", "Compare the cost of g = d with the cost of g = 0.")


def repair(answer):
    """Repair: a kernel without negative weights that sums to one."""
    raw = np.array([[-0.2, 0.1, 0.0], [0.3, 0.8, -0.1], [0.0, 0.4, 0.1]])
    k = array(call(answer, raw.copy()), raw.shape, "the kernel")
    cut = np.maximum(raw, 0)
    if close(k, cut / cut.sum()):
        return "A constant picture stays as it is under such a kernel, and light only adds."
    if close(k, np.abs(raw) / np.abs(raw).sum()):
        raise Mistake("The sum is right, but negative weights have turned into light.",
                      "A negative weight is noise: what is the nearest weight that is allowed?")
    if close(k, np.maximum(raw / raw.sum(), 0)):
        raise Mistake("You normalised first and cut afterwards, so the sum is above one.", "The other way round.")
    if close(k, raw / raw.sum()):
        raise Mistake("The sum is one, but some weights are negative: there are the halos.", "np.maximum(k, 0)")
    if close(k, cut / cut.max()) or close(k, np.abs(raw) / raw.max()):
        raise Mistake("The largest weight is one, but it is the sum that has to be.", "Divide by the sum.")
    if close(k, cut):
        raise Mistake("Nothing is negative, but the sum is not one.", "Divide by it.")
    raise Mistake("This is not the cut and normalised kernel.", "np.maximum(k, 0), and then divide by the sum.")


def time(answer):
    """Judge: read the restored clock."""
    hour, minutes = pair(answer, "the hour and the minutes")
    hour, minutes = number(hour, "the hour"), number(minutes, "the minutes")
    if hour in (1, 13) and 15 <= minutes <= 25:
        return (f"At {minutes:g} minutes past one the short hand has to stand {30 + minutes / 2:g} degrees from the "
                "top, and it does. Two hands that agree are a test that no algorithm of this page had built in.")
    if hour in (4, 16, 3, 15) and minutes <= 15:
        raise Mistake("You took the long hand for the short one.", "The long one reaches the ring, and tells minutes.")
    if hour in (2, 14) and 15 <= minutes <= 25:
        raise Mistake("At twenty past two the short hand would stand at 70 degrees.",
                      "It stands at about 40. Which hour has it passed?")
    if hour in (1, 13):
        raise Mistake(f"The long hand does not point to {minutes:g} minutes.",
                      "It points to the lower right, near the 4.")
    raise Mistake(f"{hour:g} hours and {minutes:g} minutes is not what the hands say.",
                  "The short hand points to the upper right, the long one to the lower right.")


def similarity(answer):
    """Stretch: normalised correlation at the best shift."""
    rng = np.random.default_rng(5)
    a, b = np.zeros((7, 7)), np.zeros((7, 7))
    a[1:4, 1:5] = b[:3, :4] = rng.random((3, 4))
    a[0, 0], b[6, 6] = 0.9, 0.7  # meet in a circular correlation at the block's shift, and not in a linear one
    got = number(call(answer, a.copy(), b.copy()), "the similarity")
    size = np.sqrt(np.sum(a**2) * np.sum(b**2))
    if close(got, correlate(a, b).max() / size, 1e-6):
        return "For equal kernels it is 1, wherever they lie; two far-off specks can still fool it a little."
    if close(got, np.sum(a * b) / size, 1e-6):
        raise Mistake("That is the correlation without any shift.", "Try all shifts, and take the largest value.")
    if close(got, correlate(a, b).max(), 1e-6):
        raise Mistake("The largest sum is right, but it is not divided by the two norms.", "np.sqrt(np.sum(a**2))")
    circular = np.fft.ifft2(np.fft.fft2(a) * np.fft.fft2(b).conj()).real.max()
    if close(got, circular / size, 1e-6):
        raise Mistake("Your shifts are circular: what leaves on one side comes in on the other.",
                      "scipy.signal.correlate has zeros outside.")
    if close(got, correlate(a, b[::-1, ::-1]).max() / size, 1e-6):
        raise Mistake("One of the kernels is mirrored: that is a convolution.",
                      "correlate does not mirror, convolve does.")
    raise Mistake("For two kernels that only differ by a shift it should be 1.",
                  "The sum over all pixels, at each shift.")
