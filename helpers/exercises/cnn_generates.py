"""Exercises of the page "Generate digits with a convolutional network"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def overlap(answer):
    """Understand: how uneven are the stamps of a kernel of side 5 at stride 2?"""
    ratio = number(answer, "the ratio")
    if close(ratio, 2.25, 0.01):
        return "Nine stamps against four. Both directions count, so the unevenness is squared."
    if close(ratio, 1 / 2.25, 0.01):
        raise Mistake("That is the fewest over the most.", "The question asks for the most over the fewest.")
    if close(ratio, 1.5, 0.01):
        raise Mistake("This is right along a line, and a picture has two directions.",
                      "A pixel gets (stamps of its row) × (stamps of its column).")
    if close(ratio, 4, 0.01):
        raise Mistake("That is the ratio of side 3.", "How many stamps of length 5, two pixels apart, cover a pixel?")
    if close(ratio, 1, 0.01):
        raise Mistake("That would be an even pattern, and 2 does not divide 5.",
                      "Draw a few stamps of length 5 on squared paper, each two squares after the last.")
    raise Mistake(f"{ratio:g} is not the ratio.", "Let stamp(np.ones((8, 8)), np.ones((5, 5)), 2) count for you.")


def shuffled(answer):
    """Understand: does a dense network notice that the pixels were reordered?"""
    picked = choice(answer, "abc")
    if picked == "a":
        return "A dense layer has a weight for each pair of numbers, and no idea which pixels are neighbours."
    if picked == "b":
        raise Mistake("The strokes are torn to pieces for our eyes only.",
                      "Does anything in W x + b change if the columns of W are reordered like the pixels?")
    raise Mistake("They can be told from noise: every digit was shuffled in the same way.",
                  "A pixel that was always black is still always black, at another place.")


def tempered(answer):
    """Change: draw codes whose deviations from the mean are shortened."""
    mu = np.array([3.0, -2.0, 5.0])
    C = np.array([[4.0, 1.5, 0.0], [1.5, 2.0, -0.5], [0.0, -0.5, 1.0]])
    t, n = 0.5, 40000
    found = array(call(answer, mu, C, t, n, np.random.default_rng(0)), (n, 3), "the codes")
    mean, covariance = found.mean(axis=0), np.cov(found.T)

    def spread(factor):
        return close(covariance, factor * C, 0.03)

    if close(mean, t * mu, 0.02):
        raise Mistake("The mean has shrunk as well, and with it the place of the class.",
                      "Shorten the deviations, then add the mean.")
    if not close(mean, mu, 0.02):
        raise Mistake("The codes do not scatter about the mean.", "Add mu to the deviations.")
    if spread(t**2):
        still = array(call(answer, mu, C, 1e-3, n, np.random.default_rng(1)), (n, 3), "the codes")
        if np.abs(still - mu).max() > 0.05:
            raise Mistake("For t = 0.001 some code still lies far from the mean.", "Every deviation is shortened by t.")
        return "Caution costs variety: every sample gets more likely, and the set gets poorer."
    if spread(t):
        raise Mistake("The variance has shrunk by t, so the deviations have shrunk by √t.",
                      "A variance is a mean of squared deviations: multiply C by t².")
    if spread(1):
        raise Mistake("These are ordinary draws: t has done nothing.", "Multiply L ε by t.")
    if spread(t**4):
        raise Mistake("The deviations have shrunk by t².", "If L is multiplied by t, C must be left alone.")
    if close(np.diag(covariance), t**2 * np.diag(C), 0.03):
        raise Mistake("Each number of the code has the right spread, but they no longer vary together.",
                      "Keep the whole of C, with what stands beside its diagonal.")
    raise Mistake("The codes do not have the covariance t² C.", "Compare np.cov(codes.T) with t**2 * C.")


def interpolate(answer):
    """Change: find the kernel with which a transposed convolution interpolates linearly."""
    if np.shape(answer) == (4,):
        raise Mistake("This is one row, and the kernel of a picture has rows and columns.",
                      "np.outer(line, line) multiplies them.")
    if np.shape(answer) == (3, 3):
        raise Mistake("A kernel of side 4 is wanted.",
                      "With side 3 every second new pixel would lie on an old one, and none a quarter of the way.")
    kernel = array(answer, (4, 4), "the kernel")
    line = np.array([1, 3, 3, 1]) / 4
    right = np.outer(line, line)
    if close(kernel, right, 1e-4):
        return "Four stamps for each pixel, and their weights sum to one: no checkerboard, no steps."
    if close(kernel, right / 4, 1e-4):
        raise Mistake("The shape is right, but the picture comes out four times too dark.",
                      "Each new pixel gets 4 of the 16 weights, and those must sum to one.")
    if close(kernel, np.ones((4, 4)) / 4, 1e-4):
        raise Mistake("Constant pictures stay constant, but every pixel takes half from each side.",
                      "A quarter of the way along, the nearer pixel counts three times as much.")
    box = np.zeros((4, 4))
    box[1:3, 1:3] = 1
    if close(kernel, box, 1e-4):
        raise Mistake("This repeats every pixel, so a ramp becomes a staircase.",
                      "The farther neighbour has to give a quarter.")
    flipped = np.array([3, 1, 1, 3]) / 4
    if close(kernel, np.outer(flipped, flipped), 1e-4):
        raise Mistake("The farther pixel counts three times as much as the nearer one.",
                      "The middle of the stamp lies on the old pixel.")
    sums = [kernel[i::2, j::2].sum() for i in range(2) for j in range(2)]
    if not close(sums, np.ones(4), 1e-4):
        raise Mistake("A constant picture does not stay constant.",
                      "The weights kernel[0::2, 0::2] meet in one pixel: they must sum to one, and so must the others.")
    raise Mistake("Constant pictures stay constant, but ramps do not stay ramps.",
                  "Along a line the weights are quarters, symmetric, and largest in the middle.")


def read(answer):
    """Stretch: read codes with the Gaussians that generate them."""
    rng = np.random.default_rng(0)
    means = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    covariances = np.array([[[0.1, 0.0], [0.0, 0.1]], [[4.0, 1.0], [1.0, 3.0]], [[0.5, -0.4], [-0.4, 0.6]]])
    z = 2.5 * rng.standard_normal((400, 2)) + [0.5, 1]
    offsets = z[None] - means[:, None]
    squares = np.einsum("cni,cij,cnj->cn", offsets, np.linalg.inv(covariances), offsets)
    logs = np.linalg.slogdet(covariances)[1][:, None]
    value = call(answer, z, means, covariances)
    if np.shape(value) in ((3, len(z)), (len(z), 3)):
        raise Mistake("These are scores, one for each code and class.", "np.argmax over the classes makes answers.")
    found = array(value, (len(z),), "the answer")

    def share(scores):
        return np.mean(found == np.argmax(scores, axis=0))

    if share(-0.5 * squares - 0.5 * logs) == 1:
        return "The densities that draw codes of each class also tell the classes apart: Bayes' rule, both ways."
    if share(0.5 * squares + 0.5 * logs) > 0.99:
        raise Mistake("These are the least probable classes.", "Mind the sign, or take the largest.")
    if share(-squares) > 0.99:
        raise Mistake("The term with log det C is missing: wide classes take codes away from narrow ones.",
                      "A wide Gaussian is low. Subtract half the logarithm of the determinant.")
    if share(-squares + logs) > 0.99:
        raise Mistake("The determinant has the wrong sign.", "A wide Gaussian is low: its log det lowers the score.")
    if share(-squares - 2 * logs) > 0.99 or share(-0.5 * squares - logs) > 0.99:
        raise Mistake("The two terms do not have the same weight.", "Both carry the factor one half.")
    if share(-(offsets**2).sum(axis=2)) > 0.99:
        raise Mistake("You chose the nearest mean, as if all classes were round and equally wide.",
                      "Measure the distance with the inverse of the class's own C.")
    raise Mistake("Some codes get another class than the most probable one.",
                  "Compute log N(z; μ, C) for one code by hand, with np.linalg.inv and np.linalg.slogdet.")
