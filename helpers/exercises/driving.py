"""Exercises of the page "Fill the holes in a depth map"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number


def one_pixel(answer):
    """Understand: how far does a disparity of 10 move when it is read as 9?"""
    metres = number(answer, "the distance in metres")
    focal_times_baseline, offset = 994.978 * 0.193001, 31.086
    right = focal_times_baseline * (1 / (9 + offset) - 1 / (10 + offset))
    if close(metres, right, 0.02):
        return "About 12 cm for one pixel, and the step grows with the square of the depth."
    if close(metres, -right, 0.02):
        raise Mistake("The size is right, the sign is not.", "A smaller disparity is farther away.")
    if close(metres, 1000 * right, 0.02) or close(metres, 100 * right, 0.02):
        raise Mistake("That is the answer in another unit.", "The question asks for metres.")
    if close(metres, focal_times_baseline * (1 / 9 - 1 / 10), 0.02):
        raise Mistake("The offset between the picture centres is missing.", "Add 31.086 pixels to each disparity.")
    if close(metres, focal_times_baseline / (1 + offset), 0.02):
        raise Mistake("This is the depth of a thing with a disparity of one pixel.",
                      "Take the difference of two depths, not the depth of a difference.")
    raise Mistake(f"{metres:.3f} m is not the difference.", "depth(9) - depth(10)")


def bad_share(answer):
    """Repair: a share of wrong pixels that forgets the empty ones and divides by all."""
    rng = np.random.default_rng(4)
    x = 20 + 10 * rng.random((12, 15))
    x_hat = x + rng.normal(0, 1, x.shape)
    tested = rng.random(x.shape) < 0.3
    x_hat[~tested] = x[~tested]
    empty = tested & (rng.random(x.shape) < 0.2)
    with_holes = np.where(empty, np.nan, x_hat)
    limit = 0.7

    def wrong(estimate, selected=tested):
        return 1 - (np.abs(estimate - x)[selected] <= limit).mean()

    share = number(call(answer, x, x_hat, tested, limit), "the share")
    if not close(share, wrong(x_hat), 1e-6):
        if close(share, 100 * wrong(x_hat), 1e-6):
            raise Mistake("This is a percentage, but a share from 0 to 1 is wanted.", "Leave the factor 100 away.")
        if close(share, wrong(x_hat, np.ones_like(tested)), 1e-6) or close(share, wrong(x_hat) * tested.mean(), 1e-6):
            raise Mistake("Pixels outside the test still make the share smaller, and they are right for free.",
                          "Divide by the number of tested pixels.")
        if close(share, ((x_hat - x)[tested] > limit).mean(), 1e-6):
            raise Mistake("Errors that are too small, below minus the limit, are forgotten.",
                          "Take the absolute value.")
        if close(share, 1 - wrong(x_hat), 1e-6):
            raise Mistake("This is the share of the good pixels.", "Take it away from 1.")
        if close(share, (np.abs(x_hat - x)[tested] > limit).sum(), 1e-6):
            raise Mistake("This is a number of pixels, not a share.", "Use the mean instead of the sum.")
        if close(share, (np.abs(x_hat - x)[tested] > 2).mean(), 1e-6):
            raise Mistake("The limit is always two.", "Use the argument `limit`.")
        raise Mistake(f"For a method without gaps the share is {wrong(x_hat):.3f}, and yours is {share:.3f}.",
                      "np.abs(x_hat - x)[tested], compared with the limit, then the mean.")
    share = number(call(answer, x, with_holes, tested, limit), "the share")
    if close(share, wrong(with_holes), 1e-6):
        return "No answer is a wrong answer: a score that forgets this rewards a method for its gaps."
    if close(share, (np.abs(with_holes - x)[tested] > limit).mean(), 1e-6):
        raise Mistake("The first fault is mended. A method that leaves tested pixels empty still gets them right.",
                      "NaN > limit is false, and so is NaN <= limit. Which of the two may be false?")
    if close(share, wrong(with_holes, tested & ~empty), 1e-6):
        raise Mistake("Empty pixels are left out of the test, so a method may choose what it is asked.",
                      "Count them as wrong.")
    raise Mistake(f"For a method that leaves pixels empty the share is {wrong(with_holes):.3f}, and yours is "
                  f"{share:.3f}.", "Count the tested pixels that are right, then take the share away from 1.")


def background(answer):
    """Stretch: fill a row's gaps from the farther side."""
    gap = np.nan
    row = np.array([gap, 5.0, gap, gap, 9.0, gap, 3.0, 8.0, gap, gap])
    right = np.array([5.0, 5, 5, 5, 9, 3, 3, 8, 8, 8])
    value = call(answer, row)
    if np.shape(value) == row.shape and np.isnan(np.asarray(value, np.float64)).any():
        filled = np.asarray(value, np.float64)
        if np.isnan(filled[[0, -1]]).any():
            raise Mistake("The gaps at the ends of the row stay open.",
                          "There only one side is known; np.fmin ignores a NaN, np.minimum does not.")
        raise Mistake("Some gaps stay open.", "Carry the last known value along until the next known pixel.")
    value = array(value, row.shape, "the filled row")
    if close(value, right, 1e-6):
        return "No slope, and the guess falls on the side that is hidden more often: the background."
    known = np.isfinite(row)
    if not close(value[known], row[known], 1e-6):
        raise Mistake("Known pixels were changed.", "A measurement stays; only NaN is filled.")
    if close(value, [5, 5, 9, 9, 9, 9, 3, 8, 8, 8], 1e-6):
        raise Mistake("This takes the larger disparity, which is the nearer thing.", "Far means a small disparity.")
    if close(value, [5, 5, 5, 5, 9, 9, 3, 8, 8, 8], 1e-6):
        raise Mistake("This always takes the left neighbour.", "Walk from the right side too, and compare.")
    if close(value, [5, 5, 9, 9, 9, 3, 3, 8, 8, 8], 1e-6):
        raise Mistake("This always takes the right neighbour.", "Walk from the left side too, and compare.")
    indices = np.arange(len(row))
    if close(value, np.interp(indices, indices[known], row[known]), 1e-6):
        raise Mistake("This is linear interpolation: the slope that does not exist.",
                      "Take one of the two values, and nothing in between.")
    raise Mistake("The row is not filled from behind.", f"For {row} the answer is {right}.")
