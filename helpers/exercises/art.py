"""Exercises of the page "Grow a texture from a sample"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, close, number


def choose(answer):
    """Repair: the inner step of the sampler."""
    rng = np.random.default_rng(5)
    known = np.array([True, True, True, True, False, False, True, False, False])
    weight = np.array([1, 2, 1, 2, 4, 2, 1, 2, 1], float)
    patch = np.where(known, 0.5 + 0.05 * rng.standard_normal(9), 0.0)
    windows = rng.random((90, 9))
    windows[:20] = 0.1  # dark: near to the zeros that stand for unknown pixels
    right, dark, turned = {41, 57, 83}, {24, 33, 60}, {70}
    for places, error, fill in ((right, 0.01, 0.9), (dark, 0.2, 0.0), (turned, 0.5, 0.0)):
        for k in places:
            windows[k] = np.where(known, patch + error * rng.choice([-1, 1], 9), fill)
    windows[75] = np.where(known, patch, 0.9)  # as near as the right ones to who forgets the weights
    windows[75, 1] += 0.022

    seen = {_window(call(answer, windows, patch, known, weight, np.random.default_rng(seed)), 90) for seed in range(40)}
    if seen == right:
        return "The mask keeps the unknown from counting, and the dice fall among the windows that fit."
    if seen <= {0, 1, 2}:
        raise Mistake("Only the first windows of the sample are ever chosen.",
                      "rng.integers(len(fits)) is a place in the list `fits`. Which window stands at that place?")
    if seen <= dark:
        raise Mistake("Dark windows are chosen: pixels that nobody knows still count, as if they were black.",
                      "Weigh them with zero: known * weight.")
    if seen & turned and seen <= dark | turned:
        raise Mistake("The mask is turned round: windows are compared where nothing is known.",
                      "`known` is true where the pixel is known.")
    if seen == right | {75}:
        raise Mistake("All known pixels count alike.", "Near pixels count more: known * weight.")
    if seen < right:
        raise Mistake("The same window comes out for every seed.",
                      "All windows within the factor 1.1 fit about equally well: let rng choose among them.")
    raise Mistake("A window that does not fit the known pixels was chosen.",
                  "The distance counts the known pixels only, and 1.1 times the smallest distance is the border.")


def _window(number_of_window, count):
    k = number(number_of_window, "the number of the window")
    if k != round(k) or not 0 <= k < count:
        raise Mistake("This is not the number of a window.", f"Whole numbers from 0 to {count - 1} are wanted.")
    return int(k)


def contrast_gap(answer):
    """Change: compare the contrast inside the hole."""
    rng = np.random.default_rng(3)
    known = np.ones((20, 20), bool)
    known[6:14, 4:15] = False
    x = rng.random((20, 20))
    x_hat = np.where(known, x, 0.5 + 0.3 * (x - 0.5) + 0.02 * rng.standard_normal(x.shape))
    gap = number(call(answer, x, x_hat, known), "the gap")
    right = x_hat[~known].std() - x[~known].std()
    if close(gap, right, 1e-3) or close(gap, x_hat[~known].std(ddof=1) - x[~known].std(ddof=1), 1e-3):
        return "One more number judges the fills. Each statistic sees one side of a texture."
    if close(gap, -right, 1e-3):
        raise Mistake("The size is right, the sign is not.", "Estimate minus truth, so that too flat is negative.")
    if abs(gap) < 1e-9:
        raise Mistake("The gap is zero: outside the hole the two pictures are the same.",
                      "`known` is true outside the hole. Which symbol turns a mask round?")
    if close(gap, x_hat.std() - x.std(), 1e-3):
        raise Mistake("This compares the whole pictures.", "Select the pixels of the hole with x[~known].")
    if close(gap, x_hat[~known].var() - x[~known].var(), 1e-3):
        raise Mistake("These are variances.", "The standard deviation is np.std.")
    if close(gap, (x_hat - x)[~known].std(), 1e-3):
        raise Mistake("This is the standard deviation of the error, which depends on every single pixel.",
                      "Take one standard deviation of each picture, then subtract.")
    raise Mistake("This is not the difference of the two standard deviations.",
                  "np.std(x_hat[~known]) and np.std(x[~known]).")


def seam(answer):
    """Stretch: the minimum-error cut of image quilting."""
    rng = np.random.default_rng(7)
    errors = [_with_trap()] + [rng.random(shape) for shape in ((6, 5), (12, 7), (9, 1), (1, 6))]
    for error in errors:
        rows, columns = error.shape
        cut = array(call(answer, error), (rows,), "the cut")
        if not np.array_equal(cut, np.rint(cut)) or cut.min() < 0 or cut.max() >= columns:
            raise Mistake("The cut leaves the picture.", f"Whole numbers from 0 to {columns - 1} are wanted.")
        cut = cut.astype(int)
        if np.abs(np.diff(cut)).max(initial=0) > 1:
            raise Mistake("The cut jumps by more than one column between two rows.",
                          "The cheapest pixel of each row alone is not enough: it must be next to the one above.")
        total, best = error[np.arange(rows), cut].sum(), _cheapest(error)
        if total > best + 1e-9:
            if np.array_equal(cut[::-1], _greedy(error[::-1])) or np.array_equal(cut, _greedy(error)):
                raise Mistake(f"A greedy walk costs {total:.2f} here, and {best:.2f} is possible.",
                              "Add up the costs from the top first, then walk back from the bottom.")
            raise Mistake(f"This cut costs {total:.2f}, and {best:.2f} is possible.",
                          "Is the way back taken through the *summed* costs, and is the order top to bottom?")
    return "The cheapest of all cuts, found by visiting each pixel once. Image quilting needs nothing more."


def _with_trap():
    """Return errors where the cheapest start leads to an expensive wall."""
    error = np.full((6, 7), 0.5)
    error[0, 1], error[1:, :4] = 0.0, 2.0
    error[0, 5] = 0.1
    return error


def _cheapest(error):
    cost = error[0]
    for row in error[1:]:
        padded = np.pad(cost, 1, constant_values=np.inf)
        cost = row + np.minimum(np.minimum(padded[:-2], padded[1:-1]), padded[2:])
    return cost.min()


def _greedy(error):
    cut = [int(np.argmin(error[0]))]
    for row in error[1:]:
        left = max(cut[-1] - 1, 0)
        cut.append(left + int(np.argmin(row[left : cut[-1] + 2])))
    return np.array(cut)
