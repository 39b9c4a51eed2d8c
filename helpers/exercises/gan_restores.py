"""Exercises of the page "Restore with a GAN: search for the digit behind the damage"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def price(answer):
    """Understand: what does one known pixel that is off by two s add to the loss?"""
    cost = number(answer, "the price")
    if close(cost, 2, 1e-3):
        return "Two: as much as the prior asks for a z of length 2."
    if close(cost, 4, 1e-3):
        raise Mistake("That is the squared error in units of s², twice the price.",
                      "Under the fraction stands 2 s².")
    if close(cost, 0.3**2, 1e-3) or close(cost, 0.3**2 / 2, 1e-3):
        raise Mistake("The error is not measured in units of s.", "Divide the squared error by 2 s².")
    if close(cost, 0.3 / (2 * 0.15**2), 1e-3) or close(cost, 1, 1e-3):
        raise Mistake("The error has to be squared.", "The numerator is 0.3².")
    if close(cost, 0.3**2 / (2 * 0.15), 1e-3):
        raise Mistake("The denominator holds s and not its square.", "Under the fraction stands 2 s².")
    raise Mistake(f"{cost:g} is not the price.", "Put 0.3 and 0.15 into the context term.")


def questions(answer):
    """Understand: what does it prove if a restorer listens to y and agrees with it?"""
    picked = choice(answer, "abc", "the answer")
    if picked == "b":
        return "Both questions are about y. The lost pixels are not in y."
    if picked == "a":
        raise Mistake("No test that looks at y alone can see the lost pixels.",
                      "How many different answers for the 5 passed both questions?")
    raise Mistake("A wrong prior passes both questions just as well.",
                  "A generator that draws nothing but eights could agree with the two arcs of the 5.")


def agreement(answer):
    """Change: the root mean square of the error over the known pixels."""
    rng = np.random.default_rng(0)
    x_hat = rng.random((28, 28))
    mask = np.ones((28, 28))
    mask[8:20, 5:22] = 0
    y = mask * np.clip(x_hat + 0.2 * rng.standard_normal((28, 28)) + 0.05, 0, 1)
    found = number(call(answer, x_hat, y, mask), "the agreement")
    known = mask > 0
    error = x_hat - y
    if close(found, np.sqrt(np.mean(error[known] ** 2)), 1e-6):
        return "A number in image units that a black picture cannot win, and that a larger hole does not improve."
    if close(found, np.sqrt(np.mean(error**2)), 1e-6):
        raise Mistake("The lost pixels take part: there y is 0 because nothing was measured.",
                      "Pick the known pixels before you take the mean.")
    if close(found, np.sqrt(np.mean((mask * error) ** 2)), 1e-6):
        raise Mistake("The sum is right, but it is divided by the number of all pixels.",
                      "A larger hole would make every answer look better. Divide by the number of known pixels.")
    if close(found, np.mean(error[known] ** 2), 1e-6):
        raise Mistake("This is the mean square, in squared image units.", "One root is missing.")
    if close(found, np.mean(np.abs(error[known])), 1e-6):
        raise Mistake("This is the mean absolute error.", "Square, take the mean, take the root.")
    if close(found, np.sqrt(np.sum(error[known] ** 2)), 1e-6):
        raise Mistake("This is the root of a sum: it grows with the number of known pixels.", "Take a mean instead.")
    if close(abs(found), abs(np.mean(error[known])), 1e-6):
        raise Mistake("Errors of opposite sign cancel here.", "Square them before you take the mean.")
    raise Mistake("This is not the root mean square over the known pixels.",
                  "Pick the known pixels of both pictures, subtract, square, take the mean, take the root.")


def weigh(answer):
    """Change: the mean of answers with the weights exp(-J), safe for large losses."""
    rng = np.random.default_rng(0)
    x = rng.random((5, 28, 28, 1))
    small = np.array([1.5, 0.2, 3.0, 0.9, 1.1])
    large = small + 5000

    def right(loss):
        weights = np.exp(loss.min() - loss)
        return np.tensordot(weights / weights.sum(), x, axes=1)

    found = array(call(answer, x, small), (28, 28, 1), "the mean")
    if any(close(found, np.tensordot(np.exp(shift - small), x, axes=1), 1e-6) for shift in (0, small.min())):
        raise Mistake("The weights do not sum to one.", "Divide them by their sum.")
    if close(found, np.tensordot(np.exp(small) / np.exp(small).sum(), x, axes=1), 1e-6):
        raise Mistake("The worst answer gets the largest weight.", "A small loss is a good one: mind the sign.")
    if close(found, x.mean(axis=0), 1e-6):
        raise Mistake("All answers have the same weight.", "Use the losses: the weight is exp(-loss).")
    if close(found, np.tensordot(small / small.sum(), x, axes=1), 1e-6):
        raise Mistake("The losses themselves are no weights.", "Take exp(-loss) first.")
    if close(found, x[small.argmin()], 1e-6):
        raise Mistake("This is the best answer alone.", "With losses as close as 0.2 and 0.9 the others count too.")
    if not close(found, right(small), 1e-6):
        raise Mistake("This is not the weighted mean.", "Weights exp(-loss), divided by their sum, times the answers.")
    with np.errstate(all="ignore"):
        value = call(answer, x, large)
    if not np.isfinite(np.asarray(value, np.float64)).all():
        raise Mistake("For losses around 5000 all weights become 0, and 0 / 0 is no number.",
                      "Subtract the smallest loss from all of them first.")
    if not close(array(value, (28, 28, 1), "the mean"), right(large), 1e-6):
        raise Mistake("For large losses the mean comes out differently.",
                      "The same number added to all losses must change nothing.")
    return "Only differences of losses count. This trick is in every softmax that you will ever meet."


def linear(answer):
    """Derive: the z that minimises the loss for a linear generator."""
    rng = np.random.default_rng(0)
    W, b = rng.standard_normal((30, 6)), rng.standard_normal(30)
    m = np.ones(30)
    m[10:18] = 0
    y, s = m * (W @ rng.standard_normal(6) + b + 0.3 * rng.standard_normal(30)), 1.4
    found = array(call(answer, W, b, m, y, s), (6,), "the best z")

    def solve(A, r, weight):
        return np.linalg.solve(A.T @ A + weight * np.eye(6), A.T @ r)

    A = m[:, None] * W
    if close(found, solve(A, y - m * b, s**2), 1e-6):
        return "One valley, one formula. Everything else on this page is the price of a generator that can draw."
    if close(found, solve(A, y - m * b, 0), 1e-6):
        raise Mistake("The prior is missing: this is plain least squares.", "The gradient of the prior is z itself.")
    if close(found, solve(A, y - m * b, s), 1e-6) or close(found, solve(A, y - m * b, 1), 1e-6):
        raise Mistake("The prior has the wrong weight.",
                      "Multiply the whole gradient by s²: what stands before z then?")
    if close(found, solve(A, y - m * b, 2 * s**2), 1e-6):
        raise Mistake("The prior counts twice.",
                      "The derivative of |z|²/2 is z, and that of |r|²/(2 s²) has no 2 left.")
    if close(found, solve(W, y - m * b, s**2), 1e-6) or close(found, solve(W, y - b, s**2), 1e-6):
        raise Mistake("The lost pixels take part, as if a 0 had been measured there.",
                      "Multiply the rows of W and the entries of b by the mask.")
    if close(found, solve(A, y, s**2), 1e-6):
        raise Mistake("The shift b is forgotten.", "What z has to explain is y - m b.")
    raise Mistake("This is not the bottom of the bowl.",
                  "With A = m[:, None] * W solve (AᵀA + s² I) z = Aᵀ (y - m b).")
