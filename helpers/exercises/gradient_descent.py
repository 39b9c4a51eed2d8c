"""Exercises of the page "Walk downhill, and mind the step"."""

import functools

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair
from helpers.images import photo
from helpers.operators import Blur, Identity, measure


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


def momentum_lost(answer):
    """Repair: a heavy ball whose two points are one array."""
    rng = np.random.default_rng(11)
    H = np.diag([1.0, 0.3, 0.05])
    goal, start = rng.standard_normal(3), rng.standard_normal(3)
    eta, beta, steps = 0.8, 0.6, 12

    def walk(beta, sign=1, start_moves=False):
        w = start.copy()
        before = 0 * w if start_moves else w
        for _ in range(steps):
            w, before = w + sign * beta * (w - before) - eta * H @ (w - goal), w
        return w

    given = start.copy()
    got = array(call(answer, lambda w: H @ (w - goal), given, eta, beta, steps), (3,), "the last point")
    if close(got, walk(beta), 1e-6):
        return "One array, two names: in NumPy += and slices never copy. The ball rolls now, and the start is safe."
    if close(got, walk(0), 1e-6):
        raise Mistake("These are still the steps of gradient descent.",
                      "w - before must be the last move. Which line makes both names mean one array?")
    if close(got, walk(beta, -1), 1e-6):
        raise Mistake("The momentum pulls backwards.", "It adds beta times the last move: w minus before.")
    if close(got, walk(beta, start_moves=True), 1e-6):
        raise Mistake("The first step has a momentum already, away from zero.", "At the start nothing has moved yet.")
    raise Mistake("The last point is not that of the heavy ball.",
                  "Change no more than the two lines that follow `move = …`.")


def how_much(answer):
    """Judge: which momentum is best if only L is known?"""
    beta, letter = pair(answer)
    beta, letter = number(beta, "β"), choice(letter, "abc", "the sentence")
    if not 0 <= beta < 1:
        raise Mistake(f"β = {beta:g} lies outside the figure.", "Let it run from 0 to 0.98.")
    distances = {b: _distance(b) for b in np.round(np.arange(0, 0.99, 0.01), 2)}
    best = min(distances, key=distances.get)
    times = _distance(beta) / distances[best]
    if times > 10:
        side = "too slow" if beta < best else "swinging still"
        raise Mistake(f"With β = {beta:.2f} the walk is {side}: after 150 steps it is {times:.0f} times as far from "
                      "the solution as with the best one.",
                      "Take small steps of β where the curve goes down steeply." if beta < best
                      else "Look for the bottom of the valley, a little farther left.")
    if letter == "b":
        return f"A narrow valley near β = {best:.2f}: its place depends on μ, which is why one tries several."
    raise {"a": Mistake("At the right end the curve rises again.", "Compare β = 0.98 with β = 0.87."),
           "c": Mistake("At the right end the walk is far, and still nearer than its start.",
                        "Draw a level line at the distance of the start.")}[letter]


@functools.cache
def _distance(beta):
    """Return the distance from the solution after 150 steps of the page's heavy ball with a step of 1 / L."""
    hessian, c = _bowl()
    solution, L = np.linalg.solve(hessian, c), np.linalg.eigvalsh(hessian)[-1]
    w = before = np.zeros(len(c))
    for _ in range(150):
        w, before = w + beta * (w - before) - (hessian @ w - c) / L, w
    return float(np.linalg.norm(w - solution))


@functools.cache
def _bowl():
    """Return H and X' b / N of the page's 25 weights."""
    x = photo("china", size=100).astype(np.float64)
    y = measure(x, Identity(), 0.1, np.random.default_rng(0))
    X = np.lib.stride_tricks.sliding_window_view(y - 0.5, (5, 5)).reshape(-1, 25)
    b = x[2:-2, 2:-2].ravel() - 0.5
    return X.T @ X / len(b), X.T @ b / len(b)
