"""Exercises of the page "Learn without clean pictures"."""

import functools

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import photo
from helpers.metrics import psnr

SIGMA = 25 / 255


def floor(answer):
    """Understand: the quality that a blind loss stands for."""
    got = number(answer, "the PSNR")
    loss, noise = 0.0115, SIGMA**2
    right = -10 * np.log10(loss - noise)
    if abs(got - right) < 0.1:
        return "The loss is the error plus σ², and σ² is most of it: no blind network can push its loss below that."
    if abs(got + 10 * np.log10(loss)) < 0.1:
        raise Mistake("This takes the loss for the error, but its target is noisy too.", "Take off σ² first.")
    if abs(got + 10 * np.log10(loss + noise)) < 0.1:
        raise Mistake("σ² has been added to the loss, which contains it already.", "The error is the smaller number.")
    if close(got, loss - noise, 0.05):
        raise Mistake("That is the mean squared error.", "In decibels: −10 log10 of it.")
    if abs(got + 20 * np.log10(loss - noise)) < 0.1:
        raise Mistake("20 log10 is for the root of the mean square.", "This is a mean square: −10 log10.")
    raise Mistake(f"Not {got:.4g} dB.", "Loss = error + σ², with σ = 25/255. What is the error, and what in decibels?")


def share(answer):
    """Derive: how much of the pixel itself to give back."""
    for loss, sigma in ((0.0125, SIGMA), (0.02, 0.1), (0.05, 0.2), (0.0101, 0.1)):
        got = number(call(answer, loss, sigma), "the weight")
        error, noise = loss - sigma**2, sigma**2
        right = error / loss
        if abs(got - right) < 1e-6:
            continue
        if abs(got - noise / loss) < 1e-6:
            raise Mistake("This is the weight of the prediction, 1 − w.",
                          "The worse the prediction, the more of y: w must rise with its error.")
        if abs(got - loss / (loss + noise)) < 1e-6:
            raise Mistake("This takes the loss for the error of the prediction.",
                          "The loss contains the noise of y: s² = L − σ².")
        if abs(got - error / noise) < 1e-6:
            raise Mistake("This is s²/σ², which may even be above 1.",
                          "Minimise (1 − w)² s² + w² σ²: the derivative has both terms.")
        if abs(got - np.sqrt(error) / (np.sqrt(error) + sigma)) < 1e-6:
            raise Mistake("The weights go by variances and not by standard deviations.",
                          "Minimise (1 − w)² s² + w² σ².")
        raise Mistake(f"For L = {loss:g} and σ = {sigma:.4g} the weight is {got:.4g}, expected {right:.4g}.",
                      "With s² = L − σ², minimise (1 − w)² s² + w² σ² over w.")
    return "w = 1 − σ²/L: a loss that is hardly above σ² says that the prediction needs no help from the pixel."


def leak(answer):
    """Repair: a blind pass that sees its own pixel."""
    rng = np.random.default_rng(3)
    ramp = np.add.outer(np.linspace(0.2, 0.6, 24), np.linspace(0, 0.1, 28))
    noisy = ramp + 0.1 * rng.standard_normal(ramp.shape)

    def keep(v):
        return 0.5 * v + 0.1

    def smooth(v):
        return sum(np.roll(v, s, a) for s in (-1, 1) for a in (0, 1)) / 8 + v / 2

    got = array(call(answer, keep, ramp), ramp.shape, "the answer")
    if np.abs(got - keep(ramp))[2:-2, 2:-2].max() > 0.01:
        raise Mistake("For a picture without noise the answer is not what the denoiser makes of it.",
                      "Each pixel of x comes from denoise(…), in the pass in which it was hidden.")
    if np.abs(got - keep(ramp)).max() > 0.02:
        raise Mistake("At the border the answer is far from the picture.", "neighbours(y) knows what to do there.")
    for denoise in (keep, smooth):
        before = array(call(answer, denoise, noisy), ramp.shape, "the answer")
        for place in ((7, 9), (10, 10), (0, 13), (23, 23)):
            other = noisy.copy()
            other[place] += 1
            moved = array(call(answer, denoise, other), ramp.shape, "the answer")[place] - before[place]
            if abs(moved) > 1e-9:
                where = "at the border" if place in ((0, 13), (23, 23)) else "in the middle"
                raise Mistake(f"A pixel {where} was made brighter by 1, and the answer there moved by {moved:.3f}.",
                              "What hides a pixel must not contain it.")
    return "Not by the last bit. The leak was a ninth of the pixel, and a loss against y rewards whoever uses it."


@functools.cache
def _shots():
    """Return the picture of the two last exercises, and noise that is white and shared along the rows."""
    x = photo("motorcycle", size=128).astype(float)
    white = np.random.default_rng(0).standard_normal((128, 129))
    return x, SIGMA * white[:, 1:], SIGMA * (white[:, 1:] + white[:, :-1]) / np.sqrt(2)


def _foretold(y, hide):
    """Return the weights (49,) of the best filter of 7 × 7 pixels without those of ``hide``, and its answer."""
    framed = np.pad(y, 3, mode="reflect")
    V = np.lib.stride_tricks.sliding_window_view(framed, (7, 7)).reshape(-1, 49)
    use = np.setdiff1d(np.arange(49), hide)
    w = np.zeros(49)
    w[use] = np.linalg.solve(V[:, use].T @ V[:, use], V[:, use].T @ y.ravel())
    return w, (V @ w).reshape(y.shape)


@functools.cache
def _found():
    """Return what the two last exercises ask for: two sums of weights, and a gain in decibels."""
    x, white, shared = _shots()
    sums = tuple(float(_foretold(x + n, 24)[0][[23, 25]].sum()) for n in (white, shared))
    one, three = (psnr(x, _foretold(x + shared, hide)[1]) for hide in (24, [23, 24, 25]))
    return sums, float(three - one)


def noise_filter(answer):
    """Judge: what a blind filter learns from noise that pixels share along a row."""
    got, right = array(answer, (2,), "the two sums"), np.array(_found()[0])
    if (abs(got - right) < 0.02 * abs(right)).all():
        return (f"From {right[0]:.2f} to {right[1]:.2f}: the filter leans on the two pixels that share the noise. "
                "It foretells y better, and x worse.")
    if (abs(got[::-1] - right) < 0.02 * abs(right)).all():
        raise Mistake("The two are exchanged.", "First white noise, then the shared one.")
    if (abs(2 * got - right) < 0.03 * abs(right)).all():
        raise Mistake("This is one of the two neighbours.", "Add the weights left and right of the middle.")
    if abs(got[0] - right[0]) < 0.02 * abs(right[0]):
        raise Mistake("The first is right.", "For the second, fit the filter anew to the picture with shared noise.")
    raise Mistake("These are not the weights beside the middle.",
                  "With the middle left out, what was entry 25 of the window is entry 24 of w.")


def wider(answer):
    """Change: hide the neighbours that share the noise."""
    got, right = number(answer, "the gain"), _found()[1]
    if abs(got - right) < 0.02 * abs(right):
        return f"{right:.2f} dB, for two pixels fewer to look at. The blind spot must be as wide as the noise is."
    if abs(got + right) < 0.02 * abs(right):
        raise Mistake("The sign is wrong.", "PSNR with three hidden, minus PSNR with one hidden.")
    if got > 15:
        raise Mistake("This looks like a PSNR.", "Give the difference of the two.")
    if got < 0:
        raise Mistake("Hiding them helps.", "Hide what lies left and right of the middle, and not above and below.")
    raise Mistake(f"The gain is not {got:.3f} dB.", "Leave entries 23, 24 and 25 of the 49 out, and fit to y itself.")
