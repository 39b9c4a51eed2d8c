"""Exercises of the page "Four times finer: what a loss asks for"."""

import numpy as np

from helpers import pretrained
from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair
from helpers.operators import Downsample


def sharp(answer):
    """Understand: what does agreement with the measurement say about fine detail?"""
    picked = choice(answer, "abc", "the answer")
    if picked == "c":
        return "Agreement is the least one may ask. The measurement cannot vouch for what it did not see."
    if picked == "a":
        raise Mistake("The shuffled cat agrees with y, too, and its fine detail is none of the cat's.",
                      "How many of 16 numbers does y know?")
    raise Mistake("Among the pictures that agree with y is the truth itself, whose error is zero.",
                  "To agree is not to be near: the shuffled cat agrees.")


def shuffle(answer):
    """Repair: sixteen channels become the 4 × 4 pixels of their place."""
    h = np.random.default_rng(0).random((3, 5, 16))
    found = array(call(answer, h.copy()), (12, 20), "the picture")
    squares = h.reshape(3, 5, 4, 4)
    if close(found, squares.transpose(0, 2, 1, 3).reshape(12, 20), 1e-9):
        return "Whenever a reshape is meant to move numbers, a transpose is missing."
    if close(found, h.reshape(12, 20), 1e-9):
        raise Mistake("This is the program as it was: a square of one place lies in a row.",
                      "Split the 16 channels into 4 × 4; the row in the square comes before the column of the place.")
    if close(found, squares.transpose(0, 3, 1, 2).reshape(12, 20), 1e-9):
        raise Mistake("Each square is mirrored at its diagonal: rows and columns inside it are exchanged.",
                      "The channels go row after row: axis 2 is the row inside the square.")
    if close(found, squares.transpose(2, 0, 3, 1).reshape(12, 20), 1e-9):
        raise Mistake("The rows inside the squares come before the places: sixteen small pictures side by side.",
                      "First the row of the place, then the row inside its square.")
    raise Mistake("The pixels are not where they belong.",
                  "The order of the axes is: row of the place, row in the square, column of the place, column in it.")


def price(answer):
    """Derive: expected squared errors of the mean and of a draw."""
    cases = [(0.5, 1.0), (0.1, 0.6), (0.3, 2.0), (0.9, 0.7)]
    found = array([call(answer, *case) for case in cases], (4, 2), "the two errors")
    p, d = np.array(cases).T
    spread = p * (1 - p) * d**2
    if close(found, np.stack([spread, 2 * spread], 1), 1e-9):
        return "Twice the error, for every p and d: the draw pays the variance once for the truth and once for itself."
    if close(found, np.stack([2 * spread, spread], 1), 1e-9):
        raise Mistake("The two have changed places.", "The error of the mean comes first.")
    if close(found, np.stack([spread, spread], 1), 1e-9):
        raise Mistake("Truth and draw can differ in two ways.",
                      "The truth is 0 and the draw d, or the truth is d and the draw 0.")
    if close(found[:, 0], spread, 1e-9) and close(found[:, 1], p * d**2, 1e-9):
        raise Mistake("The second one does not always answer with 0.", "It is right where truth and draw are the same.")
    if close(found, np.stack([p * (1 - p) * d, 2 * p * (1 - p) * d], 1), 1e-9):
        raise Mistake("These are not squared errors.", "An error of d counts d².")
    if close(found[:, 0], np.minimum(p, 1 - p) * d**2, 1e-9):
        raise Mistake("The first one need not answer with 0 or d.",
                      "Which number c has the smallest p (d - c)² + (1 - p) c²?")
    raise Mistake("These are not the two expected errors.",
                  "Write each as a sum over the cases: its probability times its squared error.")


def sixteen(answer):
    """Change: enlarge twice, and agree with what was given each time."""
    y = np.random.default_rng(0).random((2, 3, 3)).round(1)
    seen = []

    def f(x):
        seen.append(np.array(x))
        fine = 0.05 * (np.arange(4 * len(x)) % 4)[:, None, None]
        return 0.7 * np.asarray(x).repeat(4, 0).repeat(4, 1) + 0.1 + fine

    found = array(call(answer, f, y.copy()), (32, 48, 3), "the large picture")
    if len(seen) != 2:
        raise Mistake(f"f was called {'once' if len(seen) == 1 else f'{len(seen)} times'}.", "Enlarge twice by 4.")

    def to(x, factor):
        return x + (y - Downsample(factor).forward(x)).repeat(factor, 0).repeat(factor, 1)

    first = f(y)
    if seen[1].min() < 0 or seen[1].max() > 1:
        raise Mistake("f was given numbers outside [0, 1].", "Clip before the second call.")
    if close(found, to(f(np.clip(to(first, 4), 0, 1)), 16), 1e-6):
        return "The last answer has 256 pixels for each one given, and their mean is all that was measured."
    if close(found, f(f(y)), 1e-6):
        raise Mistake("Nothing was made to agree.", "After each call add to each square what its mean is off.")
    if close(found, f(np.clip(to(first, 4), 0, 1)), 1e-6):
        raise Mistake("The last answer does not agree with y.", "At the last size a square has 16 × 16 pixels.")
    if close(found, to(f(np.clip(first, 0, 1)), 16), 1e-6):
        raise Mistake("The answer in the middle was not made to agree.", "Correct it before it is enlarged again.")
    middle = np.clip(to(first, 4), 0, 1)
    large = f(middle)
    if close(found, large + (middle - Downsample(4).forward(large)).repeat(4, 0).repeat(4, 1), 1e-6):
        raise Mistake("The last answer agrees with the one in the middle, of which 15 numbers in 16 were guessed.",
                      "Compare it with y, by Downsample(16).")
    raise Mistake("The large picture is not what two steps should give.",
                  "Enlarge by 4 and correct by Downsample(4), clip, enlarge by 4 and correct by Downsample(16).")


def wall(answer):
    """Judge: the pattern that the feature network lays on a flat wall."""
    period, strength = pair(answer, "the period in pixels, and the strength in grey levels")
    period, strength = number(period, "the period"), number(strength, "the strength")
    flat, middle = np.full((48, 48, 3), 0.5, np.float32), np.s_[64:128, 64:128]
    a = pretrained.shared("sr-feature")(flat)[middle]
    true = 255 * a[..., 1].std()
    if close(255 * strength, true, 0.1):
        raise Mistake("This is the strength for pictures in [0, 1].", "Multiply by 255.")
    right = next((k for k in (1, 2, 4) if np.abs(a[:, k:, 1] - a[:, :-k, 1]).max() < 1e-5), None)
    right = right or 4  # where arithmetic is coarser: the side of a square
    if period != right:
        if period in (16, 32, 48, 64):
            raise Mistake("This is the size of what you looked at.", "How far away does the same row begin again?")
        if period > right and period % right == 0:
            raise Mistake("There it comes again, but not for the first time.", "Look nearer.")
        raise Mistake("The pattern does not come again at that distance.",
                      "One pixel of y became a square. Which pattern must stand in the next square?")
    if not close(strength, true, 0.1):
        other = 255 * pretrained.shared("sr-pixel")(flat)[middle][..., 1].std()
        if close(strength, other, 0.1):
            raise Mistake("This is the pattern of the pixel network.", "The feature network is asked for.")
        raise Mistake("The period is right, and the strength is not.",
                      "Take the standard deviation of the green channel in [64:128, 64:128], times 255.")
    return "A flat input shows what a network adds of itself. Try it on any network that you are about to trust."
