"""Exercises of the page "Rule a generator by styles"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def same(answer):
    """Understand: what do pictures share whose styles were truncated to nought?"""
    picked = choice(answer, "abc", "the answer")
    if picked == "b":
        return "One style for all. The noise was not truncated: what it decides still differs from picture to picture."
    if picked == "a":
        raise Mistake("Truncation moves the styles, and there is something else that is random.",
                      "Which two things enter a layer from outside?")
    raise Mistake("At truncation 0 every style is the mean style, whatever z was.",
                  "Put ψ = 0 into the formula: what is left of w?")


def lengths(answer):
    """Derive: by what is each output channel divided?"""
    rng = np.random.default_rng(0)
    for side, entering, leaving in ((3, 4, 6), (1, 5, 2)):
        kernel, style = rng.standard_normal((side, side, entering, leaving)), rng.standard_normal(entering)
        found = array(call(answer, kernel, style), (leaving,), "the lengths")
        right = np.sqrt(((kernel * style[:, None]) ** 2).sum(axis=(0, 1, 2)))
        if close(found, right, 1e-9):
            continue
        if close(found, right**2, 1e-6):
            raise Mistake("These are the squares of the lengths.", "A standard deviation is a root of a variance.")
        if close(found, 1 / right, 1e-6):
            raise Mistake("This is what one multiplies by.", "Asked is for the length itself, the divisor.")
        if close(found, np.sqrt((kernel**2).sum(axis=(0, 1, 2))), 1e-6):
            raise Mistake("The style makes no difference here.",
                          "Scale each input channel of the kernel by its style first.")
        if close(found, np.sqrt((kernel**2 * style[:, None]).sum(axis=(0, 1, 2)).clip(0)), 1e-6):
            raise Mistake("The style is not squared.", "The weight is s · k, and its square has both squared.")
        if close(found, np.abs((kernel * style[:, None]).sum(axis=(0, 1, 2))), 1e-6):
            raise Mistake("Here the weights are added before they are squared.",
                          "Variances of independent numbers add up; so do the squares of the weights.")
        raise Mistake("These are not the lengths of the modulated kernels.",
                      "For each output channel: the root of the sum of (s · k)² over rows, columns and input channels.")
    return "Each output channel is divided by the length of all the weights that lead to it."


def mixed(answer):
    """Repair: a mixing of styles that spoils the first robot."""
    rng = np.random.default_rng(0)
    w, other = rng.standard_normal((2, 5, 6, 3))
    for layers in ([1, 4], [0], [0, 1, 2, 3, 4, 5]):
        found = array(call(answer, w, other, layers), (5, 6, 3), "the styles")
        right = w.copy()
        right[:, layers] = other[:, layers]
        if close(found, right, 1e-9):
            continue
        turned = other.copy()
        turned[:, layers] = w[:, layers]
        if close(found, turned, 1e-9):
            raise Mistake("The two robots have changed their parts.", "The named layers come from `other`.")
        pictures = w.copy()
        pictures[[k for k in layers if k < 5]] = other[[k for k in layers if k < 5]]
        if close(found, pictures, 1e-9):
            raise Mistake("This replaces whole pictures.", "The first axis counts pictures, the second one layers.")
        raise Mistake("These are not the styles of the mixed robots.",
                      "Start from a copy of w, and replace the named layers of all pictures by those of `other`.")
    return "A name is not a copy: without one, every later mix starts from a robot that is mixed already."


def bits(answer):
    """Change: the entropy of one attribute."""
    for values in (np.arange(10).repeat(3), np.array([4, 4, 4, 4]), np.array([0, 0, 1, 2])):
        found = number(call(answer, values), "the entropy")
        share = np.unique(values, return_counts=True)[1] / len(values)
        right = float(-(share * np.log2(share)).sum())
        if abs(found - right) < 1e-5:  # a small number inside the logarithm does no harm
            continue
        if close(found, right * np.log(2), 1e-6):
            raise Mistake("This is the entropy in nats.", "Use the logarithm to the base 2: np.log2.")
        if close(found, -right, 1e-6):
            raise Mistake("The sign is the wrong one.", "The logarithm of a share is negative.")
        if close(found, float(len(share)), 1e-6):
            raise Mistake("This counts the values that occur.", "A value that is rare should count for less.")
        raise Mistake("This is not the entropy.", "Minus the sum of share · log₂ share over the values that occur.")
    return "Ten values evenly make log₂ 10 ≈ 3.32 bits, one value alone makes none."
