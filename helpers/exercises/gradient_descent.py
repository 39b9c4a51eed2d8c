"""Exercises of the page "Walk downhill, and mind the step"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number
from helpers.images import photo
from helpers.operators import Blur, measure


def longest_step(answer):
    """Understand: the step-size bound of gradient descent for an operator of norm 3."""
    eta_max = number(answer, "the bound")
    if close(eta_max, 2 / 9, 1e-3):
        return "L is the square of the norm, 9, so every step below 2/9 converges. Double A, and quarter the step."
    if close(eta_max, 2 / 3, 1e-2):
        raise Mistake("This is 2 divided by the norm itself.", "The second derivative is A' A: A acts twice.")
    if close(eta_max, 1 / 9, 1e-2):
        raise Mistake("A step of 1/9 is safe, but it is not the bound.", "How long may a step be that overshoots?")
    if close(eta_max, 18, 1e-2):
        raise Mistake("Steep bowls want short steps, and this one grows with L.", "Divide by L.")
    raise Mistake(f"{eta_max:.4g} is not the bound.", "It is 2 / L with the largest eigenvalue L of A' A.")


def stop_in_time(answer):
    """Change: the first step at which the residual is below the noise level."""
    steps = number(answer, "the number of steps")
    residuals = _residuals()
    first = int(np.argmax(residuals < 0.02))
    if steps == first:
        return f"After {first} steps what is left unexplained is as small as the noise. No truth was needed for that."
    if steps == first - 1:
        raise Mistake(f"One step early: after {first - 1} steps the residual is still above 0.02.",
                      "Number 0 of the path is the black picture, before any step.")
    if steps == first + 1:
        raise Mistake(f"One step late: after {first} steps the residual is below 0.02 already.",
                      "Number 0 of the path is the black picture, before any step.")
    if steps == 0:
        raise Mistake("Black explains nothing.", "np.argmax gives 0 if no residual is below the noise: walk further.")
    if steps < first:
        raise Mistake(f"After {steps:.0f} steps the residual is still above the noise.",
                      "Is it eta = 1, and np.std and not the sum of squares?")
    raise Mistake(f"By step {steps:.0f} the residual has long been below the noise, and noise is being fitted.",
                  "Look for the first step below 0.02, not for the last or the best.")


def _residuals():
    """Return the residuals of the exercise after 0, 1, 2, … 40 steps."""
    motorcycle, blur = photo("motorcycle", size=128), Blur.motion(9, 30)
    y = measure(motorcycle, blur, 0.02, np.random.default_rng(0))
    x_hat, residuals = np.zeros_like(motorcycle), []
    for _ in range(41):
        residual = blur.forward(x_hat) - y
        residuals.append(np.std(residual))
        x_hat = x_hat - blur.adjoint(residual)
    return np.array(residuals)


def unfair(answer):
    """Stretch: an unbiased gradient from rows drawn with unequal probabilities."""
    rng = np.random.default_rng(3)
    X, b, w = rng.standard_normal((6, 3)), rng.standard_normal(6), rng.standard_normal(3)
    p = np.array([0.3, 0.25, 0.2, 0.12, 0.08, 0.05])
    single = X * (X @ w - b)[:, None]
    rows = np.array([4, 0, 0, 2])
    got = array(call(answer, X, b, w, rows, p), (3,), "the estimate")
    right = np.mean(single[rows] / (6 * p[rows, None]), axis=0)
    if close(got, right, 1e-6):
        return ("Averaged over all draws the probabilities cancel, and the full gradient is left. "
                "Only the variance depends on p.")
    if close(got, single[rows].mean(axis=0), 1e-6):
        raise Mistake("This is the ordinary minibatch gradient: it leans towards the rows that are drawn often.",
                      "Divide each row's gradient by its probability.")
    if close(got, np.mean(single[rows] * 6 * p[rows, None], axis=0), 1e-6):
        raise Mistake("Rows that are drawn often count even more here.", "Divide by the probability, do not multiply.")
    if close(got, 6 * right, 1e-6):
        raise Mistake("The average is N times the gradient.", "With p = 1/N the weight of a row must be 1.")
    if close(got, 4 * right, 1e-6):
        raise Mistake("This sums over the drawn rows.", "Take their mean, or the step grows with the batch.")
    raise Mistake("On average this is not the full gradient.",
                  "Weigh the gradient of each drawn row with 1 / (N p_i), then take the mean.")
