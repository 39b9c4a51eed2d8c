"""Exercises of the page "Generate digits with a convolutional network"."""

from functools import cache

import numpy as np

from helpers import pretrained
from helpers.exercises.answers import Mistake, array, call, choice, close, number
from helpers.images import digits
from helpers.metrics import frechet_distance


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
    """Derive: the kernel with which a transposed convolution interpolates linearly, for every stride."""
    for s in (2, 3, 4):
        value = call(answer, s)
        if np.shape(value) == (2 * s,):
            raise Mistake("This is one row, and the kernel of a picture has rows and columns.",
                          "np.outer(line, line) multiplies them.")
        if np.shape(value) == (2 * s - 1, 2 * s - 1):
            raise Mistake(f"For s = {s} a kernel of side {2 * s} is wanted.",
                          "The middle of a stamp of even side lies between two new pixels: k + 1/2 - s from pixel k.")
        kernel = array(value, (2 * s, 2 * s), f"the kernel for s = {s}")
        line = 1 - np.abs(np.arange(2 * s) + 0.5 - s) / s
        right = np.outer(line, line)
        if close(kernel, right, 1e-4):
            continue
        if close(kernel, right / s**2, 1e-4):
            raise Mistake(f"The shape is right, but the picture comes out {s**2} times too dark.",
                          "Each new pixel gets two stamps along a line: which two weights must sum to one?")
        if close(kernel, np.ones((2 * s, 2 * s)) / 4, 1e-4):
            raise Mistake("This takes half from each side everywhere: constant pictures stay constant, ramps do not.",
                          "The nearer old pixel counts more.")
        if close(kernel, np.outer(line > 0.5, line > 0.5), 1e-4):
            raise Mistake("This repeats each pixel: a staircase, not a ramp.", "Weights fall with the distance.")
        if close(kernel, np.outer(1 - line, 1 - line), 1e-4):
            raise Mistake("The farther pixel counts more than the nearer one.", "The weight is 1 minus the distance.")
        if close(kernel, np.maximum(1 - np.hypot(*np.meshgrid(1 - line, 1 - line)), 0), 1e-4):
            raise Mistake("This is a cone. Linear interpolation treats rows and columns one after the other.",
                          "Multiply the weights of the row and of the column.")
        stamped = [kernel[i::s, j::s].sum() for i in range(s) for j in range(s)]
        if not close(stamped, np.ones(s * s), 1e-4):
            raise Mistake(f"For s = {s} a constant picture does not stay constant.",
                          f"The entries that fall on one new pixel, kernel[i::{s}, j::{s}], must sum to one.")
        raise Mistake(f"For s = {s} this is not the kernel.", "Old pixels are s new ones apart: divide distances by s.")
    return "Four stamps for each pixel, and their weights sum to one: no checkerboard, no steps, at any stride."


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


def density(answer):
    """Project: a sampler of digits, with what was measured on its samples."""
    from helpers.league import digit_tasks

    if not isinstance(answer, dict) or set(answer) != {"sample", "floors", "rarest", "nearest"}:
        raise Mistake("A dictionary with the four entries sample, floors, rarest and nearest is wanted.",
                      "The comment in the cell shows its form.")
    drawn = [_digits(call(answer["sample"], n, seed, seconds=60), n) for n, seed in ((1000, 0), (1000, 0), (200, 1))]
    if not np.array_equal(drawn[0], drawn[1]):
        raise Mistake("Two calls with one seed give two sets of digits.", "Make the generator from the seed, inside.")
    if np.array_equal(drawn[0][:200], drawn[2]):
        raise Mistake("Two seeds give the same digits.", "Hand the seed to np.random.default_rng.")
    near, (held_out, floor, new) = _to_training(drawn[0]), _held_out()
    if abs(number(answer["nearest"], "the distance") - near) > 0.02 * near + 0.01:
        raise Mistake(f"The median distance to the nearest training digit is {near:.2f}, and not "
                      f"{answer['nearest']:.3g}.", "Each of the first 200 samples against all training digits.")
    judge = pretrained.shared("classifier")
    rarest = judge.coverage(drawn[0]).min()
    if abs(number(answer["rarest"], "the share") - rarest) > 0.0015:
        raise Mistake(f"The rarest class has a share of {rarest:.3f}, and not {answer['rarest']:.3g}.",
                      "judge.coverage gives ten shares; take the smallest.")
    floors = frechet_distance(judge.features(drawn[0]), held_out) / floor
    if abs(number(answer["floors"], "the distance") / floors - 1) > 0.02:
        raise Mistake(f"We draw your thousand digits and find {floors:.1f} floors; the report says "
                      f"{answer['floors']:.1f}.", "digit_tasks.sample_quality(sample(1000, 0), judge).multiple")
    if near < 0.75 * new:
        raise Mistake(f"These are copies: {near:.1f} from a training digit, where new digits are {new:.1f} away.",
                      "A density that follows every single code hands out the training set.")
    if floors > 150:
        raise Mistake(f"The report is right, and with {floors:.0f} floors these are no digits yet.",
                      "Look at them. Where do the codes of real digits lie?")
    low, high = digit_tasks.multiple_interval(drawn[0], judge, resamples=100)[1:]
    return (f"The report can be repeated: {floors:.1f} floors, and {low:.1f} to {high:.1f} with other "
            f"held-out digits; {near:.1f} from the nearest training digit, where new digits are {new:.1f}.")


@cache
def _held_out():
    """Return the features of the held-out digits, the floor, and how far these digits are from the training set.

    The floor is the distance of the features of real training digits from them.
    """
    x_train, _, x_test, _ = digits()
    judge = pretrained.shared("classifier")
    held_out = judge.features(x_test)
    return held_out, frechet_distance(judge.features(x_train), held_out), _to_training(x_test)


def _to_training(x):
    """Return the median distance of the first 200 digits to the nearest training digit."""
    from scipy.spatial.distance import cdist

    x_train = digits().x_train
    return float(np.median(cdist(x[:200].reshape(200, -1), x_train.reshape(len(x_train), -1)).min(axis=1)))


def _digits(x, n):
    x = array(x, name="the digits").reshape(-1, 28, 28)
    if len(x) != n:
        raise Mistake(f"{n} digits were asked for, and {len(x)} came.", "The first argument is their number.")
    if x.min() < -0.5 or x.max() > 1.5:
        raise Mistake(f"The digits span {x.min():.3g} to {x.max():.3g}.", "Pixels lie between 0 and 1.")
    return x.astype(np.float32)
