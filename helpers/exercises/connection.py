"""Exercises of the page "Turn a generator into a restorer"."""

import numpy as np

from helpers.exercises.answers import Mistake, NotYet, array, call, close, number


def draws_needed(answer):
    """Derive: how many posterior draws does an average need to come within some decibels of the mean?"""
    for loss in (0.1, 0.5, 1.0, 3.1):
        ratio = 10 ** (loss / 10)
        exact = 1 / (ratio - 1)
        count = number(call(answer, loss), "the number of draws")
        if count == np.ceil(exact):
            continue
        if abs(count - exact) < 1 and exact > 1:
            raise Mistake(f"For a loss of {loss} dB the number is {exact:.2f} before rounding, and {count:g} came.",
                          "A part of a draw cannot be averaged, and fewer draws lose more: round up.")
        if count == np.ceil(1 / (10 ** (loss / 20) - 1)):
            raise Mistake(f"{count:g} draws for {loss} dB: the loss was taken for one of amplitudes.",
                          "PSNR is ten times the logarithm of the squared error.")
        if count in (np.ceil(1 / ratio), np.ceil(ratio)):
            raise Mistake("The error of the mean itself is missing: no number of draws removes it.",
                          "The squared error is 1 + 1/K, not 1/K.")
        if count == np.ceil(1 / (np.exp(loss / 10) - 1)) or count == np.ceil(1 / (np.exp(loss) - 1)):
            raise Mistake("Decibels are made with the logarithm to base ten.", "Undo it with 10 ** (loss / 10).")
        if count == np.ceil(2 / (ratio - 1)):
            raise Mistake(f"{count:g} draws for {loss} dB is twice too many.",
                          "In units of the mean's error, the scatter of one draw is 1, and together they are 2.")
        raise Mistake(f"For a loss of {loss} dB {np.ceil(exact):.0f} draws are needed, and {count:g} came.",
                      "Solve 10 log10(1 + 1/K) = loss for K, and round up.")
    return "1 + 1/K times the squared error: the mean of many draws is the posterior mean."


def with_mirrors(answer):
    """Change: double the patches with their left-right mirror images."""
    patches = np.random.default_rng(6).random((5, 64))
    value = array(call(answer, patches), name="the result")
    if value.shape == (5, 64):
        raise Mistake("As many patches came back as went in: shape (5, 64), expected (10, 64).",
                      "Join the patches and their mirror images with np.concatenate.")
    value = array(value, (10, 64), "the result")
    squares = patches.reshape(-1, 8, 8)
    if _same_rows(value, patches, squares[:, :, ::-1]):
        return "You doubled the patches with something you know about the world, and no generator knew it."
    if _same_rows(value, patches, squares[:, ::-1, ::-1]):
        raise Mistake("These are turned by half a turn: left and right are swapped, and so are top and bottom.",
                      "Reverse the columns of the 8 × 8 patch only, not the whole row of 64 numbers.")
    if _same_rows(value, patches, squares[:, ::-1]):
        raise Mistake("These are upside down.", "In (n, 8, 8) the rows are axis 1 and the columns are axis 2.")
    if _same_rows(value, patches, squares.transpose(0, 2, 1)):
        raise Mistake("These are transposed: rows have become columns.", "Reverse the order of the columns instead.")
    if _same_rows(value, patches, patches):
        raise Mistake("Every patch stands there twice, and none is mirrored.",
                      "Reverse the columns of the second half.")
    raise Mistake("The result does not hold the patches and their mirror images.",
                  "reshape to (n, 8, 8), [:, :, ::-1], and reshape back to (n, 64).")


def _same_rows(value, *parts):
    """Tell whether ``value`` holds the rows of all parts, in any order."""
    expected = np.concatenate([part.reshape(-1, 64) for part in parts])
    return close(value[np.lexsort(value.T)], expected[np.lexsort(expected.T)], 1e-6)


def posterior(answer):
    """Stretch: posterior mean and covariance for any linear damage."""
    rng = np.random.default_rng(7)
    root = rng.standard_normal((5, 5))
    A, mu, C, y, sigma = rng.standard_normal((3, 5)), rng.random(5), root @ root.T, rng.random(3), 0.3
    value = call(answer, y, A, mu, C, sigma)
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise Mistake("Two things are wanted: the mean and the covariance.", "End with return x_hat, P.")
    if value[0] is ... or value[1] is ...:
        raise NotYet("The mean or the covariance is still three dots.")
    x_hat, P = array(value[0], (5,), "x_hat"), array(value[1], (5, 5), "P")

    def solution(noise=sigma**2, shift=A @ mu, start=mu):
        gain = C @ A.T @ np.linalg.inv(A @ C @ A.T + noise * np.eye(3))
        return start + gain @ (y - shift), C - gain @ A @ C

    right_hat, right_P = solution()
    if close(x_hat, right_hat, 1e-6) and close(P, right_P, 1e-6):
        return "Mean and covariance for noise, gaps, blur and enlargement alike: one prior, any linear damage."
    if close(x_hat, solution(shift=0)[0], 1e-6):
        raise Mistake("The prior expects to measure A mu, and only the surprise y - A mu should move x_hat.",
                      "Subtract A @ mu from y.")
    if close(x_hat, solution(start=0)[0], 1e-6):
        raise Mistake("The correction is right, but it is not added to the mean.", "x_hat = mu + ...")
    if close(x_hat, solution(noise=sigma)[0], 1e-6):
        raise Mistake("The noise enters as sigma, and covariances add.", "Use sigma**2.")
    if close(x_hat, solution(noise=0)[0], 1e-6):
        raise Mistake("This believes the measurement completely: the noise is missing.", "Add sigma**2 · I inside.")
    if close(x_hat, right_hat, 1e-6) and close(P, C, 1e-6):
        raise Mistake("The mean is right, but the covariance is still that of the prior.",
                      "A measurement reduces uncertainty: subtract gain @ A @ C.")
    if close(x_hat, right_hat, 1e-6):
        raise Mistake("The mean is right, the covariance is not.", "P = C - gain @ A @ C, with the same gain.")
    raise Mistake("The mean is not the posterior mean.",
                  "gain = C Aᵀ (A C Aᵀ + sigma² I)⁻¹, x_hat = mu + gain (y - A mu)")
