"""Exercises of the page "Estimate the error you cannot see"."""

import functools

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import photo
from helpers.operators import Blur, Identity, measure


def factor(answer):
    """Understand: the factor at which SURE is lowest."""
    c = number(answer, "c")
    if close(c, 0.8, 1e-3):
        return "1 − σ² / mean y²: Wiener's gain, with the power of the truth read off the measurement."
    if close(c, 5 / 6, 1e-3):
        raise Mistake("This takes 0.05 for the power of the truth, but it is that of y, noise included.",
                      "Minimise SURE: it contains nothing but y and σ.")
    if close(c, 0.9, 1e-3):
        raise Mistake("A factor 2 is missing: the price is 2σ² times the slope.", "Each slope is c.")
    if close(c, 0.2, 1e-3):
        raise Mistake("This is 1 − c.", "The misfit is (1 − c)² times the mean of y².")
    if close(c, 1, 1e-3):
        raise Mistake("c = 1 has the smallest misfit, and its error is all of σ².", "Add the price, 2σ²c.")
    raise Mistake(f"At c = {c:.4g} SURE is {0.05 * (1 - c) ** 2 + 0.02 * c - 0.01:.4g}, and it can be lower.",
                  "SURE is 0.05 (1 − c)² + 2 · 0.01 c − 0.01. Where does its derivative vanish?")


def _same(got, expected, tolerance=1e-8):
    return abs(got - expected) < tolerance  # absolute: an estimate of an error may be zero


def _smooth(v):
    return sum(np.roll(v, s, a) for s in (-1, 1) for a in (0, 1)) / 8 + v / 2


def black_box(answer):
    """Repair: Monte-Carlo SURE."""
    rng = np.random.default_rng(4)
    y, b, sigma = rng.random((40, 40)) + 0.2 * rng.standard_normal((40, 40)), rng.choice([-1.0, 1.0], (40, 40)), 0.2
    cases = {"returns y": lambda v: v.copy(), "averages neighbours": _smooth,
             "returns half of y": lambda v: v / 2}
    for name, denoise in cases.items():
        got = number(call(answer, denoise, y, sigma, b, 0.01), "the estimate")
        misfit, slope = np.mean((denoise(y) - y) ** 2), np.mean(b * denoise(b))
        if _same(got, misfit + 2 * sigma**2 * slope - sigma**2):
            continue
        flat = np.mean(denoise(b))
        if _same(got, misfit + sigma**2 * slope - sigma**2):
            raise Mistake(f"For a denoiser that {name} the price for following the noise is only half of what it is.",
                          "In the formula it is 2σ² times the mean slope.")
        if _same(got, misfit + 2 * sigma**2 * flat - sigma**2):
            raise Mistake(f"For a denoiser that {name} the price nearly vanishes: the signs of b cancel in the mean.",
                          "Multiply the difference by b before you take the mean.")
        if _same(got, misfit + sigma**2 * flat - sigma**2):
            raise Mistake("Nothing has changed yet.", "Compare with the two formulas, term by term.")
        if _same(got, misfit + 2 * sigma**2 * slope):
            raise Mistake("The last term, −σ², has gone.", "It makes up for the noise that the misfit contains.")
        if _same(got, misfit + 2 * sigma**2 * slope * 0.01 - sigma**2):
            raise Mistake("The difference has not been divided by ε.", "A slope is a difference over a step.")
        raise Mistake(f"For a denoiser that {name} the estimate is {got:.4f}, expected "
                      f"{misfit + 2 * sigma**2 * slope - sigma**2:.4f}.",
                      "Misfit, plus 2σ² times the mean of b · difference / ε, minus σ².")
    return "With b in the product and the 2 in place the box is honest: for h(y) = y it says σ²."


@functools.cache
def _walk():
    """Return misfit (in squared image units) and the share of waves left over, after 1, 2, … 300 steps."""
    x, A = photo("motorcycle", size=128), Blur.gaussian(1.6)
    Y = np.fft.fft2(measure(x, A, 0.02, np.random.default_rng(0)))
    H = np.fft.fft2(A.forward(np.pad([[1.0]], (0, 127))))
    power, keep = np.abs(Y) ** 2 / x.size**2, 1 - np.abs(H) ** 2
    left = [keep**t for t in range(1, 301)]
    return np.array([np.sum(one**2 * power) for one in left]), np.array([one.mean() for one in left])


def stop(answer):
    """Change: the number of steps that GCV chooses."""
    steps = number(answer, "the number of steps")
    misfit, left = _walk()
    score = misfit / left**2
    best = 1 + int(np.argmin(score))
    if steps == best:
        return (f"After {best} steps hidden pixels are foretold best, less than 0.1 dB below the best stop of all. "
                "The noise level was not asked for.")
    if steps == best - 1:
        raise Mistake("One step too few.", "np.argmin counts from 0, and the first entry belongs to one step.")
    if steps == 1 + int(np.argmax(misfit < 0.02**2)):
        raise Mistake("This is where the misfit falls to σ²: the discrepancy principle, which was told σ.",
                      "Divide the misfit by (1 − tr K / N)² and look for the lowest score.")
    if steps >= 300:
        raise Mistake("The misfit always wants more steps, divided by 1 − tr K / N or not.",
                      "GCV divides it by the square, (1 − tr K / N)².")
    if not 1 <= steps <= 300 or steps != int(steps):
        raise Mistake(f"{steps:g} is no number of steps between 1 and 300.", "It is 1 plus the place of the minimum.")
    raise Mistake(f"After {steps:.0f} steps the score is {score[int(steps) - 1] / score.min():.5f} times the lowest.",
                  "1 − K is (1 − |H|²)^t for each wave; its mean is 1 − tr K / N.")


@functools.cache
def _hard():
    """Return the two curves of the exercise for t / σ = 0, 0.05, … 5."""
    import pywt

    def details(picture):
        _, *levels = pywt.wavedec2(picture, "sym4", "periodization", 4)
        return np.concatenate([band.ravel() for level in levels for band in level])

    x, sigma = photo("camera").astype(float), 25 / 255
    z = details(measure(x, Identity(), sigma, np.random.default_rng(0))) / sigma
    w = details(x) / sigma
    steps = np.linspace(0, 5, 101)
    estimate = [np.mean(np.where(abs(z) > t, 0, z) ** 2) + 2 * np.mean(abs(z) > t) - 1 for t in steps]
    error = [np.mean((np.where(abs(z) > t, z, 0) - w) ** 2) for t in steps]
    return steps, np.array(estimate), np.array(error)


def jump(answer):
    """Change: where the naive estimate of hard thresholding and the error are lowest."""
    got = array(answer, (2,), "the two thresholds")
    steps, _, error = _hard()
    right = np.array([np.sqrt(2), steps[error.argmin()]])
    if (abs(got - right) < [0.08, 0.16]).all():
        return "√2 σ in every picture, and far too low: a jump costs 2σ² t times the density there, and SURE missed it."
    if (abs(got[::-1] - right) < [0.08, 0.16]).all():
        raise Mistake("The two are exchanged.", "First the estimate, then the error.")
    if (abs(got * 255 / 25 - right) < [0.08, 0.16]).all():
        raise Mistake("These are thresholds in image units.", "Divide by σ.")
    if abs(got[1] - right[1]) < 0.16:
        raise Mistake(f"The error is right. The estimate is not lowest at {got[0]:.3g}.",
                      "Misfit: what is set to zero, squared. Price: 2σ² times the share of survivors.")
    if abs(got[0] - right[0]) < 0.08:
        raise Mistake(f"The estimate is right. The error is not lowest at {got[1]:.3g}.",
                      "Keep what is above t unchanged, without moving it by t, and compare with the clean details.")
    raise Mistake("Neither is where the lowest point lies.", "Draw both curves against t / σ from 0 to 5, step 0.05.")


def coloured(answer):
    """Stretch: SURE with a probe that is a draw of the noise."""
    rng = np.random.default_rng(6)
    y, white = rng.random((48, 48)), rng.standard_normal((48, 48))
    for b in (0.3 * _smooth(white), 0.1 * white):
        for denoise in (_smooth, lambda v: 0.7 * v):
            got = number(call(answer, denoise, y, b, 0.05), "the estimate")
            misfit, price, noise = np.mean((denoise(y) - y) ** 2), np.mean(b * denoise(b)), np.mean(b**2)
            if _same(got, misfit + 2 * price - noise) or _same(got, misfit + 2 * price - np.var(b)):
                continue
            if _same(got, misfit + price - noise):
                raise Mistake("The price is only half of what it is.", "It is 2/N times the trace.")
            if _same(got, misfit + 2 * price):
                raise Mistake("The misfit contains the noise, and nothing has been taken off for it.",
                              "Subtract the mean square of the noise; b shows it.")
            if _same(got, misfit + 2 * noise * price - noise):
                raise Mistake("The price was multiplied by σ² once more.", "b has the size of the noise already.")
            sign = np.sign(b)
            if _same(got, misfit + 2 * noise * np.mean(sign * denoise(sign)) - noise):
                raise Mistake("A probe of signs asks for tr J.", "For tr(C J) send b itself through the denoiser.")
            raise Mistake(f"The estimate is {got:.5f}, expected {misfit + 2 * price - noise:.5f}.",
                          "Misfit, plus 2 · mean of b · (h(y + ε b) − h(y)) / ε, minus the mean of b².")
    return "One more draw of the noise stands for its whole covariance: size, colour and all."
