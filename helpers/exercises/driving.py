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
    """Change: the share of tested pixels whose error exceeds a limit."""
    rng = np.random.default_rng(4)
    x = 20 + 10 * rng.random((12, 15))
    x_hat = x + rng.normal(0, 1, x.shape)
    tested = rng.random(x.shape) < 0.3
    x_hat[~tested] = x[~tested]
    error, limit = x_hat - x, 0.7
    share = number(call(answer, x, x_hat, tested, limit), "the share")
    right = (np.abs(error[tested]) > limit).mean()
    if close(share, right, 1e-6):
        return "Only what was hidden counts. Middlebury reports this share at several limits, for good reason."
    if close(share, 100 * right, 1e-6):
        raise Mistake("This is a percentage, but a share from 0 to 1 is wanted.", "Leave the factor 100 away.")
    if close(share, (np.abs(error) > limit).mean(), 1e-6):
        raise Mistake("The known pixels count too, and they are right for free.", "Select with `tested` first.")
    if close(share, (error[tested] > limit).mean(), 1e-6):
        raise Mistake("Errors that are too small, below minus the limit, are forgotten.", "Take the absolute value.")
    if close(share, 1 - right, 1e-6):
        raise Mistake("This is the share of the good pixels.", "Count the errors *larger* than the limit.")
    if close(share, (np.abs(error[tested]) > limit).sum(), 1e-6):
        raise Mistake("This is a number of pixels, not a share.", "Use the mean instead of the sum.")
    if close(share, (np.abs(error[tested]) > 2).mean(), 1e-6):
        raise Mistake("The limit is always two.", "Use the argument `limit`.")
    raise Mistake(f"For our example the share is {right:.3f}, and yours is {share:.3f}.",
                  "np.abs(x_hat - x)[tested], compared with the limit, then the mean.")


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
