"""Exercises of the page "Restore a photograph by least squares"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair
from helpers.operators import Blur, measure


def samples(answer):
    """Understand: how many samples until the error of a fitted line is 0.01?"""
    count = number(answer, "the number of samples")
    if close(count, 1800, 1e-3):
        return ("1,800: each of the two coefficients takes sigma² / N. "
                "One more digit of accuracy would need a hundred times as many.")
    if close(count, 900, 1e-3):
        raise Mistake("900 samples would do for a constant.", "A line has degree 1. How many coefficients are that?")
    if close(count, 2700, 1e-3):
        raise Mistake("2,700 samples are what the needless parabola costs.", "A line has two coefficients, not three.")
    if close(count, 18, 1e-3):
        raise Mistake("With 18 samples the mean *squared* error is 0.01, and its root is 0.1.",
                      "Square the 0.01 first.")
    if close(count, 60, 1e-3):
        raise Mistake("The noise enters squared: the formula is about variances.", "sigma² (d + 1) / N = 0.01²")
    raise Mistake(f"{count:g} samples are not the answer.", "Solve sigma² (d + 1) / N = 0.01² for N, with d = 1.")


def shaken_back(answer):
    """Change: the adjoint of a camera that moved to the right."""
    rng = np.random.default_rng(2)
    y = rng.standard_normal((6, 9))
    back = array(call(answer, y), y.shape, "what comes back")
    shifted = {step: np.roll(y, step, axis=1) for step in (-2, -1, 0, 1, 2)}
    expected = (shifted[0] + shifted[-1] + shifted[-2]) / 3
    if close(back, expected):
        return ("<A x, y> equals <x, A'y> for every x and y. Only a kernel that is its own mirror image "
                "may take the forward blur for its adjoint.")
    if close(back, (shifted[0] + shifted[1] + shifted[2]) / 3):
        raise Mistake("This is the forward blur once more: it moves to the right again.",
                      "Pixel j of x went into the pixels j, j + 1 and j + 2 of y. Collect from there.")
    if close(back, 3 * expected):
        raise Mistake("The directions are right, but everything comes back three times as bright.",
                      "The adjoint keeps the weights: each was a third.")
    if close(back, (np.roll(y, -1, axis=0) + np.roll(y, -2, axis=0) + y) / 3):
        raise Mistake("This moves up and down, but the camera moved sideways.", "Columns are axis 1.")
    if close(back, shifted[-1]):
        raise Mistake("One shift back undoes the mean motion, but the adjoint is no inverse.",
                      "It has three terms, as the blur has.")
    if close(back, (shifted[-1] + shifted[0] + shifted[1]) / 3):
        raise Mistake("This spreads to both sides, but the camera moved only one way.",
                      "Pixel j of x went into the pixels j, j + 1 and j + 2 of y.")
    raise Mistake("<A x, y> and <x, A'y> differ for random x and y.",
                  "Which three pixels of y hold a third of pixel j of x?")


def width(answer):
    """Judge: does the misfit tell the width of the blur?"""
    tried, letter = pair(answer, "the width, and the letter")
    tried, letter = number(tried, "the width"), choice(letter, "abc", "the letter")
    if abs(tried - 1.6) < 0.05:
        raise Mistake("At 1.6 the PSNR is best, and that needs the truth.", "Look at the lowest point of the misfit.")
    if abs(tried - 2.8) < 0.05:
        raise Mistake("At 2.8 the misfit is largest.", "np.argmin, not np.argmax.")
    if abs(tried - 1.0) > 0.005:
        raise Mistake(f"The misfit is not smallest at {tried:g}.",
                      "np.linalg.norm(A.forward(x_hat) - y), with the kernel of the restoration in A.")
    if letter == "a":
        raise Mistake("It is smallest at the narrowest kernel that you tried, far from the true width.",
                      "The misfit rises from left to right. What is special about it at 1.6?")
    if letter == "b":
        raise Mistake("At the true width the misfit is below 1, since a fit takes a share of the noise.",
                      "At which width does your curve cross 1?")
    return "A narrow kernel is easy to please. What tells a kernel is a prior that prefers sharp pictures to soft ones."


def two_exposures(answer):
    """Stretch: weighted least squares from a noisy picture and a blurred one."""
    blur, shape = Blur.gaussian(1.2), (24, 20)
    rng = np.random.default_rng(4)
    x = 0.5 + 0.4 * np.sin(np.arange(24)[:, None] / 3) * np.cos(np.arange(20) / 2)
    sigma1, sigma2 = 0.2, 0.02
    y1 = x + sigma1 * rng.standard_normal(shape)
    y2 = measure(x, blur, sigma2, rng)
    x_hat = array(call(answer, y1, sigma1, y2, sigma2, blur), shape, "the restored picture")

    H = blur.transfer_function(shape)
    Y1, Y2 = np.fft.rfft2(y1), np.fft.rfft2(y2)

    def fused(weight1, weight2, right1=None, right2=None):
        right1, right2 = (weight1 if right1 is None else right1), (weight2 if right2 is None else right2)
        spectrum = (right1 * Y1 + right2 * H.conj() * Y2) / (weight1 + weight2 * np.abs(H) ** 2)
        return np.fft.irfft2(spectrum, s=shape)

    if close(x_hat, y1, 1e-9):
        raise Mistake("This is the sharp picture as it was.", "Add the terms of the long exposure, on both sides.")
    if close(x_hat, fused(sigma1**-2, sigma2**-2), 1e-3):
        error, first = np.sqrt(np.mean((x_hat - x) ** 2)), np.sqrt(np.mean((y1 - x) ** 2))
        return (f"The error is {error:.3f}, against {first:.3f} in the sharp picture alone. "
                "Dividing by the variance lets each picture speak as loudly as it can be trusted.")
    if close(x_hat, fused(1, 1), 1e-3):
        raise Mistake("Both pictures count the same here, but one is ten times as noisy.",
                      "Divide each square by the variance of its noise.")
    if close(x_hat, fused(1 / sigma1, 1 / sigma2), 1e-3):
        raise Mistake("The weights go in the right direction, but not far enough.",
                      "Divide by the variance sigma², not by sigma.")
    if close(x_hat, fused(sigma1**2, sigma2**2), 1e-3) or close(x_hat, fused(sigma1, sigma2), 1e-3):
        raise Mistake("The noisy picture got the larger weight.", "Divide by the variance instead of multiplying.")
    if close(x_hat, fused(sigma1**-2, sigma2**-2, 1, 1), 1e-2):
        raise Mistake("The left side of the equations carries the weights, the right side does not.",
                      "Each picture has one weight, and it stands on both sides.")
    raise Mistake("This picture is not the minimum of the weighted sum.",
                  "Is the gradient zero? (x - y1) / sigma1² + A'(A x - y2) / sigma2² = 0. 100 steps are enough.")
