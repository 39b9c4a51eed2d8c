"""Exercises of the page "Repaint a photograph: style as what appears together"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close


def tells(answer):
    """Understand: what do two maps with the same Gram matrix have in common?"""
    picked = choice(answer, "abc", "the answer")
    if picked == "b":
        return "The diagonal holds the mean squares. All else is about pairs of channels, and nothing is about places."
    if picked == "a":
        raise Mistake("The sum over the places does not care about their order.",
                      "Think of the shuffled map, whose Gram matrix was the same.")
    raise Mistake("The mean of a single channel stands in no entry.",
                  "A channel with the values 0 and 5 has the mean square of one with 3 and 4, and another mean.")


def gram(answer):
    """Repair: the Gram matrix of features with the channels last."""
    a = np.random.default_rng(0).random((5, 7, 4))
    found = array(call(answer, a), (4, 4), "the Gram matrix")
    places = a.reshape(-1, 4)
    if close(found, places.T @ places / 35):
        return "A shape that fits proves nothing: after a reshape ask which number went where."
    scrambled = a.reshape(4, -1)
    if close(found, scrambled @ scrambled.T / 35, 1e-6):
        raise Mistake("This is the program as it was: its rows mix the channels.",
                      "In an array (H, W, C) the channels of one place lie side by side. Keep the last axis whole.")
    if close(found, places.T @ places, 1e-6):
        raise Mistake("This is a sum over the places: a larger picture would have a larger style.",
                      "Divide by the number of places.")
    if close(found, places.T @ places / 4, 1e-6) or close(found, places.T @ places / (35 * 4), 1e-6):
        raise Mistake("The number of channels is in the divisor.", "Divide by the number of places alone, 35 here.")
    if close(found, np.cov(places.T, bias=True), 1e-6) or close(found, np.cov(places.T), 1e-6):
        raise Mistake("This is the covariance: the means were taken away.",
                      "The Gram matrix multiplies the features as they are.")
    raise Mistake("This is not the mean product of each two channels.",
                  "Make one row for each place, then multiply the transpose with the rows and divide by their number.")


def slope(answer):
    """Derive: the gradient of the squared distance of two Gram matrices by the features."""
    rng = np.random.default_rng(0)
    a, T = rng.random((9, 4)), rng.random((4, 4))
    T = (T + T.T) / 2
    rest = a.T @ a / 9 - T
    found = array(call(answer, a, T), (9, 4), "the slope")
    if close(found, 4 / 9 * a @ rest):
        return "One matrix for all places: where the features are too often together, all places hear it."
    if close(found, 2 / 9 * a @ rest, 1e-6):
        raise Mistake("Half of it is missing.", "In G = aᵀ a / N the features stand twice, and both move.")
    if close(found, 4 * a @ rest, 1e-6):
        raise Mistake("The number of places is missing.", "G is a mean: one place moves it by one N-th.")
    if close(found, -4 / 9 * a @ rest, 1e-6):
        raise Mistake("This points downhill.", "The slope points uphill; the descent subtracts it.")
    if close(found, 4 / 9 * a @ (a.T @ a - T), 1e-6):
        raise Mistake("Inside the brackets G is a sum and not a mean.", "Divide aᵀ a by N there, too.")
    raise Mistake("This is not the derivative.",
                  "Move a by d: G moves by (dᵀ a + aᵀ d) / N, and J by twice the product of that with G - T.")


def colours(answer):
    """Change: brightness of the painted picture, colours of the photograph."""
    rng = np.random.default_rng(0)
    photo, painted = 0.3 + 0.4 * rng.random((6, 5, 3)), 0.3 + 0.4 * rng.random((6, 5, 3))
    weights = np.array([0.299, 0.587, 0.114])
    found = array(call(answer, photo.copy(), painted.copy()), (6, 5, 3), "the picture")
    brighter = ((painted - photo) @ weights)[..., None]
    if close(found, np.clip(photo + brighter, 0, 1), 1e-5):
        bright = np.full((6, 5, 3), 0.95)
        edge = array(call(answer, bright * [1, 0.5, 0.5], bright), (6, 5, 3), "the picture")
        if edge.max() > 1 + 1e-6 or edge.min() < -1e-6:
            raise Mistake("A pixel left [0, 1].", "Clip the result.")
        return "The strokes are in the brightness: without the orange it is a cat again, in petals."
    if close(found, np.clip(painted - brighter, 0, 1), 1e-5):
        raise Mistake("This has the brightness of the photograph and the colours of the painted picture.",
                      "Begin with the photograph, and add what the painted picture is brighter.")
    if close(found, np.clip(photo + (painted - photo).mean(-1, keepdims=True), 0, 1), 1e-5):
        raise Mistake("Here the three colours weigh alike.", "Green counts more than blue: use the three weights.")
    if close(found, np.clip(np.repeat((painted @ weights)[..., None], 3, -1), 0, 1), 1e-5):
        raise Mistake("This is the painted picture in grey.", "Add its brightness to the photograph's colours.")
    if close(found, np.clip(photo + (painted @ weights)[..., None], 0, 1), 1e-5):
        raise Mistake("The photograph's own brightness is still in it.",
                      "Add only by how much the painted picture is brighter.")
    raise Mistake("These are not the colours of one with the brightness of the other.",
                  "The same number goes to all three channels of a pixel: the difference of brightness.")


def epsilon(answer):
    """Derive: by what factor the answer of an instance normalisation changes with the contrast of its map."""
    cases = [(0.5, 0.04, 1e-6), (0.5, 0.04, 0.01), (0.1, 0.3, 0.002), (3.0, 1e-4, 1e-3), (1.0, 0.2, 0.1)]
    found = array([call(answer, *case) for case in cases], (5,), "the factors")
    a, v, e = np.array(cases).T
    if close(found, a * np.sqrt((v + e) / (a**2 * v + e)), 1e-8):
        return ("Beside a spread of 0.2 an epsilon of 1e-6 leaves hardly a trace of the contrast. Only where the "
                "variance is far below epsilon does the contrast pass.")
    if close(found, np.ones(5), 1e-8):
        raise Mistake("So it would be without epsilon.", "Put v + epsilon under the root before and after, and divide.")
    if close(found, np.sqrt((v + e) / (a**2 * v + e)), 1e-6):
        raise Mistake("This is how the divisor changes.", "What is divided has become a times as large, too.")
    if close(found, a * np.sqrt((v + e) / (a * v + e)), 1e-6):
        raise Mistake("Here the variance grows as the contrast does.", "A variance is a mean of squares.")
    if close(found, a * (v + e) / (a**2 * v + e), 1e-6):
        raise Mistake("A root is missing.", "The layer divides by the root of variance and epsilon.")
    if close(found, np.sqrt((a**2 * v + e) / (v + e)) / a, 1e-6):
        raise Mistake("This is the factor from the map with the other contrast to the first one.", "Turn it over.")
    raise Mistake("This is not the factor.",
                  "Write the answer for a map of variance v, then for a times this map, and divide the second by it.")


def neighbours(answer):
    """Repair: a normalisation that looks at the other pictures of the batch."""
    rng = np.random.default_rng(0)
    a = rng.normal([[[1, 2, 3]]], 1, (4, 6, 5, 3)) * np.array([1, 2, 5, 0.5])[:, None, None, None] + 1
    found = array(call(answer, a.copy()), a.shape, "the maps")

    def over(mean, std):
        return (a - a.mean(mean, keepdims=True)) / a.std(std, keepdims=True)

    if close(found, over((1, 2), (1, 2)), 1e-5):
        return "Now a photograph is painted in the same way whoever is beside it, and a batch may have one picture."
    if close(found, over((0, 1, 2), (0, 1, 2)), 1e-5):
        raise Mistake("This is the program as it was: mean and spread are those of the whole batch.",
                      "Which axes belong to one map of one picture? keepdims=True keeps the others in their place.")
    if close(found, over((1, 2, 3), (1, 2, 3)), 1e-5):
        raise Mistake("All channels of a picture share a mean and a spread.",
                      "Each map is normalised alone: leave the last axis out as well.")
    if close(found, over((1, 2), (0, 1, 2)), 1e-5) or close(found, over((0, 1, 2), (1, 2)), 1e-5):
        raise Mistake("One of the two still comes from the whole batch.", "Mean and spread both need the axes 1 and 2.")
    if close(found, over(0, 0), 1e-5):
        raise Mistake("Here each place is normalised over the batch.", "Take the mean over the places of a picture.")
    raise Mistake("The maps do not have the mean 0 and the spread 1, each for itself.",
                  "Take mean and std over rows and columns, the axes 1 and 2, with keepdims=True.")
