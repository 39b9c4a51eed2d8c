"""Exercises of the page "The league: every method on every damage"."""

import json
from pathlib import Path

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number, pair


def overlap(answer):
    """Understand: overlapping intervals of two methods on the same pictures."""
    picked = choice(answer, "abc", "the conclusion")
    if picked == "b":
        return "Pairs first. The spread of the pictures cancels in the differences, and what is left is the methods'."
    if picked == "a":
        raise Mistake("The network's interval overlapped too, and it was ahead on every single picture.",
                      "What part of each interval is the difficulty of the pictures, which both methods share?")
    raise Mistake("A higher mean alone says little: in tomography it hung on a few pictures.",
                  "Which interval would tell you how sure the difference is?")


def hole(answer):
    """Understand: the PSNR of a picture that is exact outside a hole."""
    decibels = number(answer, "the PSNR")
    if close(decibels, 15 + 10 * np.log10(40), 0.005):
        return "About 31 dB for a hole filled badly. Ask what a decibel was averaged over."
    if close(decibels, 15, 0.005):
        raise Mistake("15 dB is the PSNR of the hole alone.", "The error is averaged over all the pixels.")
    if close(decibels, 15 - 10 * np.log10(40), 0.005):
        raise Mistake("The mean error falls, so the PSNR must rise.", "Mind the minus sign before the logarithm.")
    if close(decibels, 15 + 20 * np.log10(40), 0.005):
        raise Mistake("You divided the error by 40 before squaring it.",
                      "It is the *squared* error whose mean falls to a fortieth.")
    if close(decibels, 600, 0.005):
        raise Mistake("Decibels do not multiply.", "A factor on the squared error is a sum in decibels.")
    if close(decibels, 15 + np.log10(40), 0.005) or close(decibels, 15 + np.log(40), 0.005):
        raise Mistake("The logarithm has lost its factor.", "A decibel is ten times a logarithm of base 10.")
    raise Mistake(f"{decibels:g} dB is not it.", "Write the squared error of the hole, divide by 40, and go back.")


def wins(answer):
    """Change: the share of pictures on which each method is the best."""
    scores = np.array([[30.0, 31.0, 20.0, 10.0], [25.0, 24.0, 20.0, 9.0], [28.0, 29.0, 27.0, 8.0],
                       [22.0, 23.0, 29.0, 7.0], [21.0, 26.0, 25.0, 6.0]])
    value = call(answer, scores)
    if np.shape(value) == (3,):
        raise Mistake("The last method never wins, and it is missing.", "Give np.bincount its minlength.")
    if np.shape(value) == (5,):
        raise Mistake("This has one number for each picture, and one for each method is wanted.",
                      "Count how often each column is the winner.")
    found = array(value, (4,), "the shares")
    right = np.array([1, 3, 1, 0]) / 5
    if close(found, right, 1e-6):
        return "A ranking by votes. It forgets by how much a method wins; the mean forgets how often."
    if close(found, 5 * right, 1e-6):
        raise Mistake("These are counts, and shares are wanted.", "Divide by the number of pictures.")
    if close(found, np.bincount(np.argmin(scores, axis=1), minlength=4) / 5, 1e-6):
        raise Mistake("You counted the losers.", "Higher is better here, so look for the largest.")
    if close(found, 5 * right / 4, 1e-6):
        raise Mistake("The shares do not sum to one: you divided by the number of methods.",
                      "How many pictures are there? It is the number of rows.")
    if close(found, np.bincount(np.argmax(scores, axis=0), minlength=4)[:4] / 5, 1e-6):
        raise Mistake("This is the best picture of each method.", "Each row is a picture: argmax along axis 1.")
    raise Mistake("These are not the shares of wins.", "Find the best column in each row, and count the columns.")


def interval(answer):
    """Repair: a bootstrap interval that draws the pictures of both methods apart."""
    rng = np.random.default_rng(3)
    hard = 6 * rng.standard_normal(12)
    a = 30 + hard + 0.3 * rng.standard_normal(12)
    b = 29 + hard + 0.3 * rng.standard_normal(12)
    resamples = 4000
    found = array(call(answer, a, b, resamples, 0), (2,), "the interval")
    again = array(call(answer, a, b, resamples, 0), (2,), "the interval")
    if not np.array_equal(found, again):
        raise Mistake("Two calls with one seed give two answers.", "Make the generator from the seed, inside.")
    d = a - b
    draws = np.random.default_rng(1).integers(12, size=(resamples, 12))
    right = np.quantile(d[draws].mean(axis=1), [0.025, 0.975])
    scale = right[1] - right[0]
    if np.abs(found - right).max() < 0.05 * scale:
        if np.array_equal(found, array(call(answer, a, b, resamples, 1), (2,), "the interval")):
            raise Mistake("Two seeds give one and the same interval: the seed counts for nothing.",
                          "Hand the seed to np.random.default_rng.")
        return "Picture by picture. Half of a decibel can be sure, though single pictures differ by ten."
    if np.abs(-found[::-1] - right).max() < 0.05 * scale:
        raise Mistake("The sign is turned round.", "The difference is a minus b.")
    if np.abs(found[::-1] - right).max() < 0.05 * scale:
        raise Mistake("The ends are exchanged.", "The lower quantile comes first.")
    if np.abs(found - np.quantile(d, [0.025, 0.975])).max() < 0.05 * scale:
        raise Mistake("These are quantiles of the single differences: how pictures scatter, not how sure the mean is.",
                      "Take the mean of each resample, then the quantiles of those means.")
    if found[1] - found[0] > 4 * scale:
        raise Mistake("The interval is far too wide: the pictures of a and of b were drawn apart.",
                      "Subtract first, or use one draw of positions for both.")
    if found[1] - found[0] < 0.92 * scale and found[0] > right[0]:
        raise Mistake("The interval is too narrow.",
                      "Two quantiles that hold 95 % between them: 2.5 % and 97.5 %. And draw with replacement.")
    raise Mistake("This is not the interval.", "Resample the differences with replacement and take quantiles of means.")


def carried(answer):
    """Judge: a mean that one photograph carries to about half."""
    mean, letter = pair(answer, "the mean, and the letter")
    mean, letter = number(mean, "the mean"), choice(letter, "abc", "the letter")
    lead = _lead("denoise25", "DCT shrinkage", "non-local means")
    rest = np.mean([value for name, value in lead.items() if name != "brick"])
    if abs(mean - np.mean(list(lead.values()))) < 0.003:
        raise Mistake("This is the mean of all eight.", "Leave the photograph `brick` out.")
    if abs(mean + rest) < 0.003:
        raise Mistake("The sign is turned round.", "The lead is that of DCT shrinkage over non-local means.")
    if abs(mean - np.median(list(lead.values()))) < 0.003:
        raise Mistake("This is the median of all eight.", "The mean of the seven others is wanted.")
    if abs(mean - rest) > 0.003:
        raise Mistake(f"{mean:.3g} dB is not the mean of the seven others.", "In which place does `brick` stand?")
    if letter == "a":
        raise Mistake("One of the eight dots lies far from the others, and the mean hangs on it.",
                      "On how many photographs is the lead half a decibel or more?")
    if letter == "c":
        raise Mistake("The interval of all eight does not hold zero.", "Print bootstrap_interval(lead).")
    return "A wall that repeats itself, and one method that cannot use it: a mean of eight is easily carried by one."


def _lead(task, one, other):
    """Return the lead of one method over another in decibels, photograph by photograph, from the stored table."""
    rows = json.loads((Path(__file__).parents[2] / "book/5-outlook/league-photos.json").read_text())["rows"]
    a, b = ({row["image"]: row["psnr"] for row in rows if (row["task"], row["method"]) == (task, method)}
            for method in (one, other))
    return {image: a[image] - b[image] for image in a}
