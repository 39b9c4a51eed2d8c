"""Exercises of the page "Fit by least squares, and know what you assumed"."""

import numpy as np
from numpy.polynomial.chebyshev import Chebyshev, chebval, chebvander

from helpers.exercises.answers import Mistake, array, call, close, number


def digits(answer):
    """Understand: how large may the condition number be for the normal equations to keep four digits?"""
    condition = number(answer, "the condition number")
    if 5e5 <= condition <= 2e6:
        return ("The normal equations square it to 1e12, and 1e-16 times 1e12 leaves four digits. "
                "QR works on A itself and could afford 1e12.")
    if 5e11 <= condition <= 2e12:
        raise Mistake("With QR that would be right.", "The normal equations do not solve with A, but with A'A.")
    if 5e7 <= condition <= 2e8:
        raise Mistake("With 1e8 the square is 1e16, and not one digit is left.", "Keep four of the sixteen digits.")
    if condition < 1:
        raise Mistake("A condition number is never below 1.", "It is the largest singular value over the smallest.")
    if 5e3 <= condition <= 2e4:
        raise Mistake("You may spend twelve digits, and 1e4 spends only eight of them.",
                      "Four digits are to be kept, not lost.")
    raise Mistake(f"{condition:g} is not the limit.", "Solve 1e-16 · κ² = 1e-4 for κ.")


def constants(answer):
    """Understand: the constant that least squares and least absolute deviations fit to five samples."""
    values = array(answer, (2,), "the two constants")
    samples = np.array([1, 2, 2, 3, 42.0])
    if close(values, [samples.mean(), np.median(samples)], 1e-3):
        return ("Mean and median. The one wild sample drags the mean to 10, where no sample is at all, "
                "and the median does not notice it.")
    if close(values, [np.median(samples), samples.mean()], 1e-3):
        raise Mistake("Both numbers are right, and they have changed places.", "Least squares comes first.")
    if close(values[0], samples.mean(), 1e-3):
        if close(values[1], samples.mean(), 1e-3):
            raise Mistake("The two methods do not give the same constant here.",
                          "If you lower the second constant a little from 10, four absolute values fall and one rises.")
        raise Mistake("The first constant is right, the second is not.",
                      "At the best one, as many samples lie above as below.")
    if close(values[1], np.median(samples), 1e-3):
        raise Mistake("The second constant is right, the first is not.",
                      "Set the derivative of the sum of squares to zero: the residuals must sum to zero.")
    raise Mistake("Neither constant is right.", "Compute both sums for a few constants, and look for the lowest.")


def degree(answer):
    """Change: the best degree for held-out data when the noise level is 0.03."""
    chosen = number(answer, "the degree")
    if chosen != round(chosen) or chosen < 0:
        raise Mistake("A degree is a whole number from 0 upward.", "np.argmin gives the place of the smallest error.")
    t, fine = np.linspace(-1, 1, 30), np.linspace(-1, 1, 300)
    if chosen > 28:
        raise Mistake("With that many coefficients the fit passes through every sample, noise and all.",
                      "Judge the fits by held-out data, not by the samples themselves.")
    errors = []
    for d in range(29):
        fit = chebvander(fine, d) @ np.linalg.pinv(chebvander(t, d))
        bias = fit @ np.sin(4 * t) - np.sin(4 * fine)
        errors.append(np.mean(bias**2) + 0.03**2 * np.mean(np.sum(fit**2, axis=1)))
    chosen, best = int(chosen), int(np.argmin(errors))
    if errors[chosen] < 1.05 * errors[best]:
        return (f"At degree {chosen} the mean held-out error is {np.sqrt(errors[chosen]):.3f}. Less noise pays for "
                "two more coefficients.")
    if chosen == 5:
        raise Mistake("5 was best for noise of level 0.3. The noise is ten times smaller now.",
                      "Variance is cheaper, so some more bias can be bought off.")
    if chosen < best:
        raise Mistake(f"Degree {chosen} is still too stiff: most of its error is bias.", "Try a higher degree.")
    raise Mistake(f"Degree {chosen} pays variance for nothing: the bias was gone before.", "Try a lower degree.")


def weighted(answer):
    """Derive: maximum likelihood when each sample has its own known noise level."""
    rng = np.random.default_rng(3)
    A = chebvander(np.linspace(-1, 1, 25), 2)
    sigmas = np.where(np.arange(25) % 2, 0.05, 1.0)
    y = A @ [0.5, -1, 0.7] + sigmas * rng.standard_normal(25)
    a = array(call(answer, A, y, sigmas), (3,), "the coefficients")

    def solve(weights):
        return np.linalg.lstsq(weights[:, None] * A, weights * y)[0]

    if close(a, solve(1 / sigmas), 1e-6):
        return ("A sample with a twentieth of the noise weighs four hundred times as much in the sum of squares. "
                "Maximum likelihood knows whom to trust.")
    if close(a, solve(np.ones(25)), 1e-6):
        raise Mistake("This is plain least squares: the noise levels change nothing.",
                      "Multiply each equation by a number that depends on its sigma.")
    if close(a, solve(1 / sigmas**2), 1e-6):
        raise Mistake("The precise samples weigh too much: the rows are squared once more inside least squares.",
                      "1 / sigma² belongs before the squared residual. What belongs before the residual?")
    if close(a, solve(sigmas), 1e-6):
        raise Mistake("The noisy samples weigh most now.",
                      "Should you trust a sample more, or less, if its sigma is large?")
    if close(a, np.linalg.lstsq(A, y / sigmas)[0], 1e-6):
        raise Mistake("The right-hand side is scaled, but the matrix is not.",
                      "Both sides of an equation must be divided by the same number.")
    raise Mistake("These coefficients do not minimise the negative log-likelihood.",
                  "Divide row i of A, and y_i, by sigmas[i]; then solve by least squares.")


def moves(answer):
    """Repair: a polynomial fit that scales new places by themselves."""
    rng = np.random.default_rng(7)
    t = np.sort(rng.uniform(2, 9, 40))
    y = np.sin(t) + 0.05 * rng.standard_normal(40)
    fit = Chebyshev.fit(t, y, 6)
    for new in (np.linspace(5, 8, 9), np.array([4.2]), np.array([3.0, 9.5])):
        with np.errstate(all="ignore"):
            curve = np.asarray(call(answer, t, y, new, 6))
        if curve.dtype.kind == "f" and not np.isfinite(curve).all():
            raise Mistake(f"For the new places {new} the answer is not finite.",
                          "A single place has no range of its own. Whose range should count?")
        curve = array(curve, new.shape, "the curve")
        if close(curve, fit(new), 1e-6):
            continue
        stretched = t.min() + (new - new.min()) / max(np.ptp(new), 1e-12) * np.ptp(t)
        if close(curve, fit(stretched), 1e-6):
            raise Mistake("The new places are still stretched to their own range.",
                          "Use the smallest and the largest sample place for both.")
        if close(curve, fit(np.clip(new, t.min(), t.max())), 1e-6):
            raise Mistake("Inside the samples all is right. A place outside is moved to the border.",
                          "A scaled place may lie outside of -1 and 1; do not clip it.")
        if len(new) == 9 and close(curve, chebval(new, fit.coef), 1e-6):
            raise Mistake("The fit uses scaled places, and the curve is asked at places as they came.",
                          "Scale both in the same way.")
        raise Mistake(f"For new places from {new.min():.1f} to {new.max():.1f} the curve is off by "
                      f"{np.abs(curve - fit(new)).max():.2g}.", "Scale with t.min() and t.max() in both lines.")
    return "The scale is a part of the model. What a fit has learned from its data goes with it to all new data."
