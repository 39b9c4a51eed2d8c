"""Exercises of the page "Walk from noise to pictures: diffusion"."""

import functools
from itertools import pairwise

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair

WEIGHTS, MEANS, SPREADS = np.array([0.6, 0.4]), np.array([[0.1, 0.8], [0.9, 0.3]]), np.array([0.2, 0.1])


def _denoise(x, sigma):
    """Return the perfect guess for points (n, 2) of a mixture of two round Gaussians."""
    total = SPREADS**2 + sigma**2
    fit = np.log(WEIGHTS) - np.log(total) - np.square(x[:, None] - MEANS).sum(-1) / (2 * total)
    share = np.exp(fit - fit.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    kept = SPREADS**2 / total
    return (share @ kept)[:, None] * x + (share * (1 - kept)) @ MEANS


def _points(n=6):
    return 0.5 + np.random.default_rng(3).standard_normal((n, 2))


def two(answer):
    """Derive: the perfect denoiser of two opposite pictures."""
    rng = np.random.default_rng(0)
    a, x = rng.standard_normal((2, 5))
    for sigma in (1.7, 0.6):
        found, along = array(call(answer, x, sigma, a), (5,), "the guess"), a @ x
        if close(found, a * np.tanh(along / sigma**2), 1e-6):
            continue
        if close(found, a * np.tanh(2 * along / sigma**2), 1e-6):
            raise Mistake("The guess is too sure: the argument of tanh is twice what it should be.",
                          "With two pictures softmax gives 1 / (1 + exp(−d)) for a difference d, and "
                          "2 / (1 + exp(−d)) − 1 = tanh(d / 2).")
        if close(found, a * np.tanh(along / sigma), 1e-6) or close(found, a * np.tanh(along / (2 * sigma)), 1e-6):
            raise Mistake("σ stands where σ² belongs.",
                          "The Gaussian has the squared distance over 2σ² in its exponent.")
        if close(found, a * np.sign(along), 1e-6):
            raise Mistake("This is the nearer picture, the likelier of the two.",
                          "The mean weighs both by their probability.")
        if close(found, -a * np.tanh(along / sigma**2), 1e-6):
            raise Mistake("This points to the other picture.", "If x resembles a, the guess should too.")
        if close(found, np.full(5, np.tanh(along / sigma**2)), 1e-6):
            raise Mistake("This is the weight of a less that of −a, in each pixel alike.",
                          "Multiply the picture by it.")
        raise Mistake(f"For σ = {sigma} this is not the mean of the two pictures, weighed by their probabilities.",
                      "w₊ a − w₋ a with w± ∝ exp(−‖x ∓ a‖² / 2σ²). What of the squares do both have in common?")
    return "tanh(⟨a, x⟩ / σ²): under strong noise nearly 0, the mean of both; under weak noise a decision."


def velocity(answer):
    """Derive: the velocity of flow matching, from a denoiser."""
    z = _points()
    for t in (0.8, 0.3):
        found = array(call(answer, z, t, _denoise), z.shape, "the velocity")
        clean = _denoise(z / (1 - t), t / (1 - t))
        if close(found, (z - clean) / t, 1e-6):
            continue
        if close(found, (z - _denoise(z, t / (1 - t))) / t, 1e-6) or close(found, (z - _denoise(z, t)) / t, 1e-6):
            raise Mistake("The denoiser gets z itself.", "It expects x₀ + σε, and z is (1 − t) times that.")
        if close(found, (z - _denoise(z / (1 - t), t)) / t, 1e-6):
            raise Mistake("The denoiser is told the noise level t.", "After the division by 1 − t it is larger.")
        if close(found, -(z - clean) / t, 1e-6):
            raise Mistake("This is x₀ − ε: it points from noise to picture.",
                          "t grows towards the noise, and so does the derivative of z.")
        if close(found, (z / (1 - t) - clean) / (t / (1 - t)), 1e-6):
            raise Mistake("This is the guess of ε alone, the slope dx/dσ.",
                          "The derivative of z by t is ε − x₀: take the guess of x₀ off.")
        raise Mistake(f"For t = {t} this is not the mean of ε − x₀ given z.",
                      "Ask D for the mean of x₀. Then solve z = (1 − t) x₀ + t ε for the mean of ε.")
    return "u = (z − D) / t. Who has a denoiser has the velocity, and the other way round: one network, two names."


def _heun(denoise, x, sigmas, second=lambda denoise, x, there, now, after: (there - denoise(there, after)) / after,
          both=0.5, begin=False):
    for now, after in pairwise(sigmas):
        slope = (x - denoise(x, now)) / now
        there = x + (after - now) * slope
        if after > 0:
            slope = (1 - both) * slope + both * second(denoise, x, there, now, after)
        x = (there if begin else x) + (after - now) * slope
    return x


def heun(answer):
    """Repair: a second look that looks at the wrong place."""
    x, sigmas = 0.5 + 3 * _points(), [3.0, 1.2, 0.5, 0.2, 0.0]
    found = array(call(answer, _denoise, x, sigmas), x.shape, "the end of the walk")
    variants = {
        "nothing": {"second": lambda D, x, there, now, after: (there - D(x, after)) / after},
        "start": {"second": lambda D, x, there, now, after: (x - D(x, after)) / after},
        "now": {"second": lambda D, x, there, now, after: (there - D(there, now)) / now},
        "over": {"second": lambda D, x, there, now, after: (there - D(there, after)) / now},
        "euler": {"both": 0.0}, "last": {"both": 1.0}, "twice": {"begin": True},
    }
    if close(found, _heun(_denoise, x, sigmas), 1e-6):
        return "Both slopes now belong to the way that is walked, and twice the looks leave a quarter of the error."
    hints = {
        "nothing": ("Nothing has changed yet.", "At which point is the second look taken, and with which noise level?"),
        "start": ("The second look is taken at the old point, as if it had the new noise level.",
                  "It belongs to the end of the trial step: there."),
        "now": ("The second look is told the old noise level.", "The trial step has brought the noise down to after."),
        "over": ("The second slope is divided by the old noise level.", "There the noise is as strong as after."),
        "euler": ("There is no second look any more: this is Euler's method.", "Keep the mean of both slopes."),
        "last": ("Only the slope of the end is used.", "Take the mean of both slopes."),
        "twice": ("The corrected step begins where the trial step ended.", "It begins at x: the trial is thrown away."),
    }
    for name, (message, hint) in hints.items():
        if close(found, _heun(_denoise, x, sigmas, **variants[name]), 1e-6):
            raise Mistake(message, hint)
    raise Mistake("This is not Heun's method.",
                  "Trial step; slope at its end; a step from x with the mean of both. Only one argument is wrong.")


@functools.cache
def _by_the_start():
    """Return starting levels, and the error of the spread after 20 looks of DDIM from there."""
    highest, found = np.geomspace(0.3, 100, 200), []
    for top in highest:
        gone = np.log1p((2 * top) ** 2)
        t = np.linspace((np.sqrt(0.1**2 + 2 * 19.9 * gone) - 0.1) / 19.9, 0, 21)
        x = top
        for now, after in pairwise(np.sqrt(np.expm1(0.1 * t + 19.9 * t**2 / 2)) / 2):
            x += (after - now) * x * now / (0.31**2 + now**2)
        found.append(abs(x / 0.31 - 1))
    return highest, np.array(found)


def begin(answer):
    """Judge: from which noise level a walk of twenty looks should begin."""
    level, letter = pair(answer, "the level, and the letter")
    level, letter = number(level, "the level"), choice(letter, "abcd", "the letter")
    highest, error = _by_the_start()
    best = highest[error.argmin()]
    if level <= 0:
        raise Mistake("A noise level is positive.", "Begin at levels between 0.3 and 100.")
    if not 0.75 < level / best < 1.33:
        if level > 30:
            raise Mistake("The largest level that you tried is not the best one.",
                          "The start for level h is 0.5 + h ε: scale the noise, and the levels with it.")
        lost = np.interp(np.log(level), np.log(highest), error)
        raise Mistake(f"From σ = {level:.3g} the spread is off by about {lost:.1%}, and there is better.",
                      "diffusion.levels('ddim', 20, highest) gives the levels from there down. Try many.")
    if letter == "a":
        raise Mistake("The error grows again beyond the best level, and noise is all there is at each of them.",
                      "What are the looks spent on up there?")
    if letter == "b":
        raise Mistake("The error grows below the best level too, where all steps are short.",
                      "How wide is the true density of noisy pixels at such a level, and how wide is your start?")
    if letter == "d":
        raise Mistake("The two ends of the curve say otherwise.", "Look at 0.3, at 2 and at 100.")
    return "Two errors with one dial: a start that is not yet noise, and looks spent where nothing is decided."


def encode(answer):
    """Stretch: walk up, from pixels to their noise."""
    def cloud(x, sigma):
        return 0.5 + 0.31**2 / (0.31**2 + sigma**2) * (x - 0.5)

    x, sigmas = np.array([[0.2], [0.45], [1.1]]), np.geomspace(0.01, 40, 2000)
    found = array(call(answer, cloud, x, sigmas), x.shape, "the noise")
    def arrived(levels):
        return 0.5 + (x - 0.5) * np.hypot(0.31, levels[-1]) / np.hypot(0.31, levels[0])

    right = arrived(sigmas)
    if close(found, right, 0.01):
        coarse, euler = np.geomspace(0.05, 5, 8), x  # long steps show at which end a slope was taken
        for now, after in pairwise(coarse):
            euler = euler + (after - now) * (euler - cloud(euler, now)) / now
        found = array(call(answer, cloud, x, coarse), x.shape, "the noise after seven long steps")
        if np.abs(found - arrived(coarse)).max() > 1.01 * np.abs(euler - arrived(coarse)).max():
            raise Mistake("With small steps this arrives, and with long ones it goes astray: a picture and the level "
                          "that the denoiser is told do not belong together.",
                          "x stands at the level now: denoise(x, now), divided by now.")
        return "No chance was needed: each picture has its one noise, and the walk down leads back to it."
    if np.abs(found).max() < 2:
        raise Mistake("The pixels have hardly moved from where they were, or went the other way.",
                      "The step is (after − now) · (x − D) / now, with after larger than now.")
    again = array(call(answer, cloud, x, sigmas), x.shape, "the noise")
    if not np.array_equal(found, again):
        raise Mistake("Two calls give two noises.", "Add no noise: go up the same slope that the walk goes down.")
    if found[0] > found[1]:
        raise Mistake("The order of the pixels is turned around.", "Without new noise two ways never cross.")
    raise Mistake(f"A pixel of brightness 1.1 should end near {right[2, 0]:.1f}, and yours ends at {found[2, 0]:.1f}.",
                  "Every pixel keeps its distance from the mean in proportion to √(0.31² + σ²).")


def by_chance(answer):
    """Derive: how many robots have a pair held out, if each attribute is drawn for itself."""
    for values in (10, 4):
        v = float(values)
        found, right = number(call(answer, values), "the share"), 1 - (1 - 1 / v) ** 2
        if close(found, right, 1e-6):
            continue
        if close(found, 2 / v, 1e-6):
            raise Mistake("Robots that have both kinds of pair are counted twice.",
                          "Ask for the share that has neither of the two, and take it from 1.")
        if close(found, (1 - 1 / v) ** 2, 1e-6):
            raise Mistake("This is the share that has no such pair.", "Take it from 1.")
        if close(found, 1 / v**2, 1e-6):
            raise Mistake("This is the share that has both pairs.", "At least one of the two is asked for.")
        if close(found, 1 / v, 1e-6):
            raise Mistake("This counts one kind of pair only.",
                          "Colour and head can be a pair held out, and head and accessory.")
        if close(found, 1 - (1 - 1 / v**2) ** 2, 1e-6) or close(found, 2 / v**2, 1e-6):
            raise Mistake("1 in v² is the odds of one pair that is named beforehand, such as red with an egg head.",
                          "Each colour has a head that is held out: given the colour, how likely is that head?")
        if close(found, 100 * right, 1e-6):
            raise Mistake("This is the share in per cent.", "Return a number between 0 and 1.")
        raise Mistake(f"With {values} values this is not the share.",
                      "Given the head, both the colour and the accessory avoid one value of v, each for itself.")
    return "1 − (1 − 1/v)²: 19 % of a million robots. Who draws fewer has learned more than the parts."


def as_asked(answer):
    """Change: count the samples that are robots, and have all that the caption asked for."""
    rng = np.random.default_rng(5)
    read = rng.integers(0, 10, (40, 6))
    asked = np.where(rng.random((40, 6)) < 0.5, read, -1)
    asked[0] = -1  # nothing asked for: every robot will do
    asked[1:9] = read[1:9]
    asked[3:7, 4] = (read[3:7, 4] + 1) % 10
    asked[7, 0], asked[12, 2] = (read[7, 0] + 1) % 10, (read[12, 2] + 5) % 10
    far = np.where(np.arange(40) % 7 == 1, 0.05, 0.02) + 0.005 * rng.random(40)
    met, robot = (asked == read) | (asked == -1), far < 0.03
    found = number(call(answer, read, far, asked), "the share")
    if close(found, np.mean(met.all(axis=1) & robot), 1e-9):
        return "A share to be trusted: the pictures were judged by search through the whole world, not by a network."
    wrong = {
        np.mean(met.all(axis=1)): ("Pictures that show no robot are counted.", "Ask that far is below 0.03, too."),
        np.mean((asked == read).all(axis=1) & robot): ("What was left open is counted as wrong.",
                                                       "Where wanted is −1, every value will do."),
        np.mean((asked == read).all(axis=1)): ("What was left open is counted as wrong, and pictures that show no "
                                               "robot as right.", "Both −1 and far have a say."),
        np.mean(met & robot[:, None]): ("This is the share of attributes, not of pictures.",
                                        "A picture counts if all of its six are met: .all(axis=1)."),
        np.mean(met): ("This is the share of attributes, not of pictures.",
                       "A picture counts if all of its six are met: .all(axis=1)."),
        np.mean((met.all(axis=1) & robot)[robot]): ("Pictures that show no robot have left the count altogether.",
                                                    "They were drawn, and came out wrong: divide by all."),
        100 * np.mean(met.all(axis=1) & robot): ("This is the share in per cent.", "Return a number in 0 … 1."),
    }
    for value, (message, hint) in wrong.items():
        if close(found, value, 1e-9):
            raise Mistake(message, hint)
    raise Mistake(f"Of the pictures of this test, {found:.3f} is not the share that is as asked.",
                  "For each picture: is far below 0.03, and is each attribute read as wanted, or wanted as −1?")
