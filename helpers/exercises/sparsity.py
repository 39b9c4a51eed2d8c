"""Exercises of the page "Shrink what is small"."""

from functools import cache

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number


def _soft(v, threshold):
    return np.sign(v) * np.maximum(abs(v) - threshold, 0)


def shrink(answer):
    """Understand: soft thresholding of five numbers."""
    v = np.array([-2, -0.3, 0.5, 0.8, 4])
    got = array(answer, (5,), "the five results")
    if close(got, _soft(v, 0.5), 1e-6):
        return "Zeros for what is small, and half a unit less for all that is kept: the bias of the ℓ1 norm."
    if close(got, v * (abs(v) > 0.5), 1e-6) or close(got, v * (abs(v) >= 0.5), 1e-6):
        raise Mistake("This is hard thresholding: it keeps or kills.", "Soft thresholding also shrinks what it keeps.")
    if close(got, v - 0.5, 1e-6):
        raise Mistake("Negative numbers move up, not down.", "Towards zero is up for them.")
    if close(got, np.sign(v) * (abs(v) - 0.5), 1e-6):
        raise Mistake("A number has crossed zero.", "What is smaller than λ becomes zero and stops there.")
    if close(got, v / 1.5, 1e-6) or close(got, v / 2, 1e-6):
        raise Mistake("Dividing by one number is what squares do: nothing becomes zero.", "Subtract λ from the size.")
    raise Mistake("At least one of the five is not right.", "Size minus 0.5, but not below zero; then the old sign.")


def group(answer):
    """Derive: the prox of the length of a vector."""
    lam = 0.8
    for v in (np.array([3.0, -4.0]), np.array([0.3, 0.4]), np.array([1.0, 2.0, -2.0]), np.zeros(2)):
        length = np.linalg.norm(v)
        got = array(call(answer, v, lam), v.shape, "the shrunk vector")
        right = v * max(length - lam, 0) / max(length, 1e-12)
        if np.abs(got - right).max() < 1e-6:
            continue
        if close(got, _soft(v, lam), 1e-6):
            raise Mistake("This shrinks each coordinate on its own: the prox of ‖v‖₁, not of the length.",
                          "The result must point in the direction of v.")
        if close(got, v / (1 + lam), 1e-6) or close(got, v / (1 + 2 * lam), 1e-6):
            raise Mistake("This is the prox of the squared length.", "Without the square, the length loses λ itself.")
        if close(got, v * (1 - lam / max(length, 1e-12)), 1e-6):
            raise Mistake(f"A vector of length {length:.2g}, shorter than λ, was turned round.",
                          "A length cannot become negative: stop at zero.")
        if close(got, v * max(length - lam, 0), 1e-6):
            raise Mistake("The direction v has not been divided by its length.", "v / ‖v‖ has length one.")
        raise Mistake(f"For v = {v} and λ = {lam} the result is {np.round(got, 3)}, expected {np.round(right, 3)}.",
                      "Keep the direction; the length becomes max(‖v‖ − λ, 0).")
    return "A pixel's pair of differences is kept or removed as a whole: that is what makes total variation round."


def fista(answer):
    """Repair: FISTA without the step length."""
    B, b, lam = _lasso()
    L = np.linalg.norm(B, 2) ** 2
    got = array(call(answer, B, b, lam, 3000), (30,), "the result")
    if close(got, _minimum(lam), 1e-3):
        return "The step belongs to both halves: a gradient step of 1/L and a threshold of λ/L."
    if not got.any() or close(got, np.zeros(30), 1e-9):
        raise Mistake("All coefficients are zero.", "Is the threshold λ/L, and not λ or λ L?")
    if close(got, _minimum(lam * L), 1e-3):
        raise Mistake("It settles now, but on the minimum of another function, with a weight L times as large.",
                      "In a step of length 1/L the threshold is λ/L.")
    raise Mistake("After 3,000 steps this is not the minimum.", "Divide the gradient by L = np.linalg.norm(B, 2)**2.")


def _lasso():
    rng = np.random.default_rng(1)
    return rng.standard_normal((12, 30)), rng.standard_normal(12), 0.05


@cache
def _minimum(lam):
    (B, b, _), z = _lasso(), np.zeros(30)
    L = np.linalg.norm(B, 2) ** 2
    for _ in range(20_000):
        z = _soft(z - B.T @ (B @ z - b) / L, lam / L)
    return z


def rho(answer):
    """Change: the best of three parameters of ADMM."""
    chosen = number(answer, "ρ")
    if chosen == 0.02:
        return "A middle ρ lets both copies move and keeps them together. The minimum is the same for all three."
    if chosen == 1:
        raise Mistake("ρ = 1 ties the copies together tightly: after ten steps neither has moved far.",
                      "Compare J after ten steps, not the distance between u and z.")
    if chosen == 0.0005:
        raise Mistake("ρ = 0.0005 shrinks with a threshold λ/ρ = 2, which leaves hardly a coefficient at first.",
                      "Compare J after ten steps.")
    raise Mistake(f"{chosen:g} is none of the three.", "Choose 0.0005, 0.02 or 1.")


def count(answer):
    """Stretch: how often the smallest sum of absolute values is exactly right."""
    expected = {m: _success(m, 12) for m in (8, 14, 17, 20)}
    got = {m: number(call(answer, m, 12, seconds=60), f"the share for {m} equations") for m in expected}
    if all(abs(got[m] - expected[m]) < 1e-9 for m in expected):
        return "From nearly never to nearly always in a dozen equations: the phase transition of compressed sensing."
    if all(abs(got[m] - 12 * expected[m]) < 1e-9 for m in expected):
        raise Mistake("This counts the draws.", "Divide by their number: a share lies between 0 and 1.")
    if got[8] == got[14] == got[20]:
        raise Mistake("The share does not depend on the number of equations.", "Replace the 20 of recover by m.")
    if got[20] < got[8]:
        raise Mistake("More equations help, and here they hurt.", "Count the draws that are right, not the others.")
    raise Mistake(f"For 17 equations and 12 draws the share is {expected[17]:.3f}, and {got[17]:.3f} came.",
                  "Seed each draw with its number i, and draw the matrix, the places and the values in this order.")


@cache
def _success(m, draws):
    from scipy.optimize import linprog

    right = []
    for i in range(draws):
        rng = np.random.default_rng(i)
        B, truth = rng.standard_normal((m, 60)), np.zeros(60)
        truth[rng.choice(60, 5, replace=False)] = rng.standard_normal(5)
        split = linprog(np.ones(120), A_eq=np.hstack([B, -B]), b_eq=B @ truth).x
        right.append(abs(split[:60] - split[60:] - truth).max() < 1e-6)
    return float(np.mean(right))
