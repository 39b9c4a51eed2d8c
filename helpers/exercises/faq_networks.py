"""Exercises of the page "Questions about networks"."""

import numpy as np

from helpers.exercises.answers import Mistake, call, close, number


def grey(answer):
    """Understand: the value with the least expected squared error."""
    value = number(answer, "the value")
    if close(value, 0.7, 0.001):
        return "The mean. A squared error is a request for grey wherever the model is not sure."
    if close(value, 1, 0.001):
        raise Mistake("White is the most probable value, but it is wrong by a whole unit in three cases of ten.",
                      "A squared error punishes few large errors more than many small ones.")
    if close(value, 0.3, 0.001):
        raise Mistake("That is the mean of the negative.", "White is 1, with probability 0.7.")
    if close(value, 0.5, 0.001):
        raise Mistake("That would be best if both were equally probable.", "Weigh 1 and 0 with their probabilities.")
    raise Mistake(f"{value:g} does not have the least error.", "Try a few values of v in 0.7 (1 - v)² + 0.3 v².")


def classes(answer):
    """Change: the effective number of classes."""
    p = np.array([0.5, 0.25, 0.125, 0.125, 0.0])
    entropy = -np.sum(p[:4] * np.log(p[:4]))
    found = number(call(answer, p), "the effective number")
    if close(found, np.exp(entropy), 1e-4):
        return "A generator that neglects a class cannot hide it behind a few samples."
    if close(found, entropy, 1e-4):
        raise Mistake("This is the entropy, not yet a number of classes.", "Take its exponential.")
    if close(found, np.exp(-entropy), 1e-4):
        raise Mistake("The sign of the entropy is lost: the result is under one class.", "Mind the minus.")
    if close(found, 4, 1e-4):
        raise Mistake("You counted the classes that occur at all.", "A class with a small share must count less.")
    if close(found, np.exp(entropy / np.log(2)), 1e-4):
        raise Mistake("The logarithm is to the base two, and the exponential to the base e.", "Use np.log.")
    raise Mistake(f"{found:.3f} is not the effective number.", "It is exp of -sum p log p, over all p above zero.")


def needed(answer):
    """Stretch: extrapolate a power law."""
    n = np.array([30.0, 100.0, 300.0, 1000.0])
    error = 2.0 * n**-0.5
    target = 0.02
    found = number(call(answer, n, error, target), "the number of examples")
    if close(found, 10000, 1e-3):
        return "Half the error costs four times the data here. Compare that with what a better prior costs."
    if close(found, np.log(10000), 1e-3):
        raise Mistake("This is the logarithm of the number.", "Take the exponential.")
    line = np.polyfit(n, error, 1)
    if close(found, (target - line[1]) / line[0], 1e-3):
        raise Mistake("You fitted a line to the numbers themselves, and a power is no line.",
                      "Take the logarithm of n and of error first.")
    half = np.polyfit(np.log(n), error, 1)
    if close(found, np.exp((target - half[1]) / half[0]), 1e-3):
        raise Mistake("Only n went through the logarithm.", "Take the logarithm of the error and of the target too.")
    raise Mistake(f"{found:.4g} is not where the line meets the target.",
                  "log target = slope · log n + intercept: solve it for log n.")
