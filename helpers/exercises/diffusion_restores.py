"""Exercises of the page "Draw the answers: diffusion restores"."""

import functools
from itertools import pairwise

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair


def price(answer):
    """Derive: what the mean of K draws loses against the posterior mean, in decibels."""
    for K in (1, 4, 16):
        found, right = number(call(answer, K), "the loss"), 10 * np.log10(1 + 1 / K)
        if close(found, right, 1e-4):
            continue
        if close(found, -right, 1e-4):
            raise Mistake("The sign is turned around.", "A loss of 3 dB is the number 3.")
        if close(found, 1 + 1 / K, 1e-4):
            raise Mistake("This is the ratio of the two errors, not yet in decibels.",
                          "10 log₁₀ of a ratio of squares.")
        if close(found, 2 * right, 1e-4):
            raise Mistake("Twice too much: 20 log₁₀ belongs to ratios of amplitudes.",
                          "The mean squared error is a square already.")
        if close(found, np.log(1 + 1 / K), 1e-4):
            raise Mistake("The natural logarithm stands where the decimal one belongs.", "np.log10.")
        if K > 1 and close(found, 10 * np.log10(2) / K, 1e-4):
            raise Mistake("You divided the decibels by K.", "Divide the variance by K, then take the logarithm.")
        if K > 1 and close(found, 10 * np.log10(1 + 1 / np.sqrt(K)), 1e-4):
            raise Mistake("The mean of K draws scatters too much: this is its standard deviation, not its variance.",
                          "The variance of a mean of K independent draws is the K-th part.")
        if K > 1 and close(found, 10 * np.log10(1 + 1 / (K - 1)), 1e-4):
            raise Mistake("K − 1 belongs to estimates of a variance.", "Here the true variance is divided by K.")
        raise Mistake(f"For K = {K} this is not the loss.",
                      "E‖x − mean of K‖² = E‖x − x̂‖² + E‖x̂ − mean of K‖². How large is each, in units of the first?")
    return "10 log₁₀(1 + 1/K): 3 dB for one answer, a quarter of a decibel for sixteen."


def left(answer):
    """Derive: the spread of the clean pixel around the guess."""
    for s, sigma in ((0.3, 0.2), (0.1, 2.0)):
        found, right = number(call(answer, s, sigma), "the spread"), s * sigma / np.hypot(s, sigma)
        if close(found, right, 1e-5):
            continue
        wrong = {
            right**2: ("This is the variance r².", "The spread is its root."),
            s**2 / (s**2 + sigma**2): ("This is Wiener's gain, the share of x in the guess.",
                                       "The variance that is left is the gain times σ²."),
            sigma: ("This is the noise in x.", "The guess is better than x: how much does it remove?"),
            s: ("This is the spread before x was seen.", "x says something about the pixel."),
            np.hypot(s, sigma): ("This is the spread of the noisy pixel.", "What is asked is the clean one, given x."),
            s * sigma / (s + sigma): ("The root was taken term by term.",
                                      "Precisions add: 1/r² = 1/s² + 1/σ². Take the root at the end."),
            s * sigma**2 / (s**2 + sigma**2): ("One factor too many of σ² / (s² + σ²).",
                                               "r² is s² times σ² / (s² + σ²): take the root of the whole."),
        }
        for value, (message, hint) in wrong.items():
            if close(found, value, 1e-5):
                raise Mistake(message, hint)
        raise Mistake(f"For s = {s} and σ = {sigma} this is not the spread.", "1/r² = 1/s² + 1/σ².")
    return "1/r² = 1/s² + 1/σ²: under strong noise the prior's spread is left, under weak noise σ."


def put_back(answer):
    """Repair: known pixels that are put in without noise."""
    rng = np.random.default_rng(0)
    x, y, noise, mask = *rng.standard_normal((3, 6, 5)), (rng.random((6, 5)) < 0.5).astype(float)
    sigma = 0.7
    found = array(call(answer, x, y, mask, sigma, noise), (6, 5), "the picture")
    hints = {
        "right": (mask * (y + sigma * noise) + (1 - mask) * x, None, None),
        "nothing": (mask * y + (1 - mask) * x, "Nothing has changed yet.",
                    "The network is told that all pixels have noise of level σ. Which of these have?"),
        "everywhere": (mask * y + (1 - mask) * x + sigma * noise, "The lost pixels get noise twice.",
                       "x has its noise already: add it to y alone."),
        "lost": (mask * y + (1 - mask) * (x + sigma * noise), "The noise is added to the lost pixels.",
                 "They have it already. The known ones lack it."),
        "inverted": (mask * x + (1 - mask) * (y + sigma * noise), "The mask is turned around.",
                     "It is 1 where y is known."),
        "unit": (mask * (y + noise) + (1 - mask) * x, "The noise has level 1, whatever σ is.", "Scale it by σ."),
        "square": (mask * (y + sigma**2 * noise) + (1 - mask) * x, "The noise is scaled by σ², its variance.",
                   "noise has spread one, and should get the spread σ."),
        "mean": (mask * (y + x) / 2 + (1 - mask) * x, "Known pixels are a mean of y and x now.",
                 "They should be y under noise of level σ."),
    }
    for name, (value, message, hint) in hints.items():
        if close(found, value, 1e-9):
            if name == "right":
                return "All pixels now lie on one level. A network is sure of what it was trained for, and of no more."
            raise Mistake(message, hint)
    raise Mistake("The known pixels are not y under noise of level σ, or the lost ones are not those of x.",
                  "mask * (what is known, with its noise) + (1 − mask) * x.")


SPREAD, NOISE, SEEN = 0.31, 0.3, 0.9


@functools.cache
def strengths():
    """Return strengths of the guidance, and the spread of the pixels drawn with them as a share of the true one."""
    levels, found = np.append(np.geomspace(10, 0.005, 200), 0), []
    strength = np.geomspace(0.1, 16, 100)
    for g in strength:
        variance = levels[0] ** 2
        for t, after in pairwise(levels):
            k = SPREAD**2 / (SPREAD**2 + t**2)
            slope = k - g * t**2 * k**2 / (k * t**2 + NOISE**2)  # of the told guess, in x
            kept = (after / t) ** 2
            variance = (slope + kept * (1 - slope)) ** 2 * variance + (1 - kept) * after**2
        found.append(np.sqrt(variance))
    return strength, np.array(found) * np.hypot(SPREAD, NOISE) / (SPREAD * NOISE)


def strength(answer):
    """Judge: guidance that is exaggerated."""
    share, letter = pair(answer, "the share of the true spread at g = 4, and the letter")
    share, letter = number(share, "the share"), choice(letter, "abcd", "the letter")
    right = float(np.interp(4, *strengths()))
    if abs(share / right - 1) > 0.12:
        if abs(share / (right * SPREAD * NOISE / np.hypot(SPREAD, NOISE)) - 1) < 0.12:
            raise Mistake("This is the spread itself.", "Divide it by the true one, s σ_y / √(s² + σ_y²).")
        if abs(share / np.interp(1, *strengths()) - 1) < 0.12:
            raise Mistake("This is the share at g = 1, where it is nearly right.", "Read the curve at g = 4.")
        if abs(share / right**2 - 1) < 0.12:
            raise Mistake("This is a ratio of variances.", "The spread is the standard deviation: np.std.")
        raise Mistake(f"At g = 4 the drawn pixels have not {share:.2f} times the true spread.",
                      "Draw many pixels (20,000), take their np.std, and divide by s σ_y / √(s² + σ_y²).")
    if letter == "a":
        raise Mistake("That they lie near y is no proof that they are right.",
                      "The true posterior lies between y and the prior's mean, and is wider.")
    if letter == "c":
        raise Mistake("Look at the curve again: with larger g the pixels become more alike.",
                      "Plot the spread against g, with a line where it is true.")
    if letter == "d":
        raise Mistake("At each step the slope is multiplied by g, and the next step begins where this one ended.",
                      "Which g gives the spread of the true posterior?")
    return "Exaggerated guidance believes the measurement more than it deserves, and its answers agree too well."


def dark(answer):
    """Understand: a map of spread that is dark."""
    if choice(answer, "abc", "the letter") == "b":
        return "Agreement among answers is a statement of the model about itself. Only a known truth can test it."
    if answer.strip().lower() == "a":
        raise Mistake("Then the letter of this page would have come back as a letter.",
                      "Whom do the answers ask about the lost pixels?")
    raise Mistake("A sampler can be exact and its answers agree: where the data or the prior leave no choice.",
                  "What would a wrong prior, without any doubt, look like on the map?")


def floor(answer):
    """Derive: how far K draws of the exact odds are from them, on the average."""
    for odds, K in ((np.array([0.5, 0.3, 0.2]), 16), (np.array([0.9, 0.1]), 4), (np.array([1.0, 0.0]), 16)):
        found, right = number(call(answer, odds, K), "the distance"), 0.5 * _apart(odds, K).sum()
        if abs(found - right) < 0.004:  # leaves room for a simulation
            continue
        wrong = {
            2 * right: ("This is the sum of the differences.",
                        "An answer that is changed counts at two values: take half of the sum."),
            0.5 * np.sqrt(odds * (1 - odds) / K).sum(): (
                "These are standard deviations.", "What is asked is the mean of the absolute difference: smaller."),
            0.5 * _apart(odds, 1).sum(): ("This is the distance of one draw.", "Count K of them."),
            0.5 * K * _apart(odds, K).sum(): ("These are differences of counts.", "Divide the counts by K."),
            _apart(odds, K).mean(): ("This is the mean over the values.", "The distance is half of the sum."),
        }
        for value, (message, hint) in wrong.items():
            if abs(found - value) < 0.004:
                raise Mistake(message, hint)
        if found < 0.004:
            raise Mistake("The odds are met in the mean, and yet no single set of K draws meets them.",
                          "Take the absolute value first, then the mean.")
        raise Mistake(f"For the odds {odds} and {K} draws the distance is not {found:.3f}.",
                      "How often a value is drawn is binomial; a generator's multinomial draws all counts at once.")
    return "So far off are honest answers, drawn one by one: with four times as many about half as far."


def _apart(odds, K):
    """Return for each value the mean absolute difference of its share in K draws from its odds."""
    from scipy.stats import binom

    counts = np.arange(K + 1)[:, None]
    return (binom.pmf(counts, K, odds) * np.abs(counts / K - odds)).sum(axis=0)


def world(answer):
    """Understand: the posterior of which world a sampler is held against."""
    count, letter = pair(answer, "the number of accessories, and the letter")
    count, letter = number(count, "the number of accessories"), choice(letter, "abc", "the letter")
    if count == 7:
        raise Mistake("That is the number with the prior of the page.", "Leave prior=… away.")
    if count == 10:
        raise Mistake("Two accessories reach into the half that was seen, and would have been noticed.",
                      "Count those with more than 0.001.")
    if count != 8:
        raise Mistake(f"{count:g} accessories is not what the odds say.",
                      'np.sum(exact_posterior(y, half, sigma).odds("accessory") > 0.001)')
    if letter == "a":
        raise Mistake("Then a model that learned everything that it was shown would still be found wrong.",
                      "Which robots has nobody told it about?")
    if letter == "c":
        raise Mistake("One accessory has odds of nothing in one of them, and of 1 in 8 in the other.",
                      "Which of them could a model know that was trained without that pair?")
    return "A sampler is judged under the prior that it was given to learn. Whether that is right is another matter."
