"""Exercises of the page "Train the same network four ways"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number


def halfway(answer):
    """Understand: the largest value of a convex loss halfway between 4 and 6."""
    value = number(answer, "the largest value")
    if close(value, 5, 1e-6):
        return "At most the mean of both ends. One point above its chord, and a loss is not convex."
    if close(value, 6, 1e-6):
        raise Mistake("It cannot be higher than the worse end, but convexity promises more.",
                      "Draw the straight line between the two ends, and read it in the middle.")
    if close(value, 4, 1e-6):
        raise Mistake("It can be as low as 4, and lower. The largest value is wanted.",
                      "A convex function lies on its chord or below it.")
    if close(value, 10, 1e-6):
        raise Mistake("This is the sum of both ends, not their mean.", "Each end counts half.")
    raise Mistake(f"{value:g} is not the height of the chord in the middle.", "Put s = 1/2 into (1 - s) 4 + s 6.")


def orders(answer):
    """Understand: how many orders do four hidden units have?"""
    count = number(answer, "the number of orders")
    if close(count, 24, 1e-6):
        return "Four factorial: 24 rows of weights, one function. None of them is nearer to the truth than another."
    if close(count, 4, 1e-6):
        raise Mistake("Four units can stand first, but then the second place is still open.",
                      "Multiply by the choices that are left for each further place.")
    if close(count, 16, 1e-6) or close(count, 256, 1e-6):
        raise Mistake("Here the same unit could stand in several places, and another would be lost.",
                      "A unit that has a place is no longer to be had for the next.")
    if close(count, 6, 1e-6):
        raise Mistake("Six is the number of pairs that can be swapped, or the orders of three units.",
                      "Swaps can follow each other. Count whole orders of four.")
    if close(count, 23, 1e-6):
        raise Mistake("This leaves out the network itself.", "The order that changes nothing counts, too.")
    raise Mistake(f"{count:g} is not the number of orders.", "Try two units, then three, and see the pattern.")


def warm_up(answer):
    """Change: a learning rate that rises in a line and then falls along a cosine."""
    T = 40

    def rates(warm):
        return array([number(call(answer, t, T, warm), "the rate") for t in range(1, T + 1)], (T,), "the rates")

    def right(warm, shift=1, wave=None):
        steps = np.arange(1, T + 1)
        fall = (1 + np.cos(np.pi * (steps - shift - warm) / (wave or T - warm))) / 2
        return np.where(steps <= warm, steps / max(warm, 1), fall)

    found = rates(10)
    steps = np.arange(1, T + 1)
    if close(found, right(10), 1e-6):
        try:
            plain = rates(0)
        except Mistake as mistake:
            raise Mistake(f"With a warm-up it is right, but not for warm = 0. {mistake.message}",
                          "Do not divide by warm where there is nothing to warm up.") from None
        if not close(plain, right(0), 1e-6):
            raise Mistake("With a warm-up it is right, but for warm = 0 it is not the plain cosine.",
                          "No step of t = 1, 2, … may count as warm-up then.")
        return "Gentle first, then bold, then calm. Most large networks of today are trained with this shape."
    cosine = (1 + np.cos(np.pi * (steps - 1) / T)) / 2
    if close(found, cosine, 1e-6):
        raise Mistake("This is the plain cosine: nothing warms up.", "Ask first whether t <= warm.")
    if close(found, np.where(steps <= 10, steps / 10, cosine), 1e-6):
        raise Mistake("After the warm-up the rate jumps: the cosine began at step 1, while nobody looked.",
                      "Count the steps since the end of the warm-up.")
    if close(found, right(10, wave=T), 1e-6):
        raise Mistake("The cosine does not come down: it is stretched over T steps, and fewer are left.",
                      "Only T - warm steps remain.")
    if close(found, right(10, shift=0), 1e-6):
        raise Mistake("The cosine is one step ahead: at t = warm + 1 the rate should still be 1.",
                      "As in the formula of the page, subtract 1 from t.")
    if close(found, np.where(steps <= 10, (steps - 1) / 10, right(10)), 1e-6):
        raise Mistake("The first step has rate 0, and is wasted.", "While it warms up, the rate is t / warm.")
    raise Mistake("These are not the rates asked for.", "Draw them for warm = 10: a ramp, then half a wave.")


def misled(answer):
    """Change: the share of pairs of single seeds in which the worse method wins."""
    a, b = np.array([0.5, 0.7, 0.6, 0.2]), np.array([0.65, 0.9, 0.6, 0.8, 0.1])
    found = number(call(answer, a, b), "the share")
    swapped = number(call(answer, b, a), "the share")
    wins, ties = np.mean(a[:, None] > b), np.mean(a[:, None] == b)
    right = wins + ties / 2
    if close(found, right, 1e-6) and close(swapped, right, 1e-6):
        return "Compute it before you believe one run against one run. At one half, they told you nothing."
    if close(found, right, 1e-6):
        raise Mistake("It is right if a is the method with the lower mean, and wrong the other way round.",
                      "Sort the two by their means first.")
    if close(found, wins, 1e-6):
        raise Mistake("Ties are not counted.", "Add half of the share of pairs that are equal.")
    if close(found, wins + ties, 1e-6):
        raise Mistake("A tie counts as a full win of the worse method.", "A tie counts half.")
    if close(found, 1 - right, 1e-6):
        raise Mistake("This is how often the better method wins.", "Turn the comparison round.")
    if close(found, 20 * right, 1e-6):
        raise Mistake("This is the number of pairs, and their share is wanted.", "Divide by the number of pairs.")
    raise Mistake("This is not the share of misleading pairs.",
                  "low[:, None] > high has one entry for each pair. Take its mean.")


def nesterov(answer):
    """Stretch: Nesterov's momentum as Keras writes it."""
    rng = np.random.default_rng(0)
    gradients, beta = rng.standard_normal((4, 2, 3)), 0.8
    memory, found = {}, []

    def run():
        for t, g in enumerate(gradients, start=1):
            found.append(answer(g.copy(), memory, t, beta))
        return None if any(step is None or step is ... for step in found) else np.array(found)

    run.__name__ = getattr(answer, "__name__", "your function")
    steps = array(call(run) if callable(answer) else call(answer), gradients.shape, "the steps")

    def rule(step, keep=lambda u, g: beta * u + g):
        u, out = np.zeros((2, 3)), []
        for g in gradients:
            before, u = u, keep(u, g)
            out.append(step(g, u, before))
        return np.array(out)

    if close(steps, rule(lambda g, u, before: g + beta * u), 1e-6):
        return "One look ahead, for a single multiplication. SGD(nesterov=True) of Keras takes these steps."
    if close(steps, rule(lambda g, u, before: u), 1e-6):
        raise Mistake("This is plain momentum.", "The step is g + beta * u, with the new u.")
    if close(steps, rule(lambda g, u, before: beta * u), 1e-6):
        raise Mistake("The step leaves out the newest gradient.", "Add g to beta * u.")
    if close(steps, rule(lambda g, u, before: g + u), 1e-6):
        raise Mistake("The new u counts in full.", "Multiply it by beta before you add g.")
    if close(steps, gradients * (1 + beta), 1e-6) or close(steps, gradients, 1e-6):
        raise Mistake("Nothing is remembered from one step to the next.", 'Keep u in memory["u"].')
    raise Mistake("These are not Nesterov's steps.", "First u = beta * u + g, then the step g + beta * u.")
