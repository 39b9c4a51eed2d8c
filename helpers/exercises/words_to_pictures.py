"""Exercises of the page "Paint what the words say: from captions to pictures"."""

import numpy as np

from helpers.exercises.answers import Mistake, array, call, choice, close, number


def bag(answer):
    """Understand: what can a chooser that adds its words up tell apart?"""
    picked = choice(answer, "abc", "the answer")
    if picked == "b":
        return "A sum does not know in which order its terms came. Which colour goes with which head is order alone."
    if picked == "a":
        raise Mistake("A cone in one caption and a barrel in the other are different words.",
                      "Two sums are equal if the captions have the same words. Which pair of captions has?")
    raise Mistake("Most captions differ in some word, and then their sums can differ.",
                  "Two sums are equal if the captions have the same words. Which pair of captions has?")


def attention(answer):
    """Repair: attention that does not look ahead."""
    for t, d in ((5, 4), (7, 9)):
        _attention(answer, t, d)
    return "Each row is a mean over the past: its weights add up to 1, and nothing that comes later counts."


def _attention(answer, t, d):
    """Judge attention over a line of t places with queries of length d."""
    q, k, v = np.random.default_rng(0).standard_normal((3, t, d))
    found = array(call(answer, q, k, v), (t, d), "the attention")
    scores, past = q @ k.T / np.sqrt(d), np.tri(t, dtype=bool)

    def normal(weights, axis=-1):
        return weights / weights.sum(axis=axis, keepdims=True)

    if close(found, normal(np.exp(scores) * past) @ v):
        return
    if close(found, (normal(np.exp(scores)) * past) @ v, 1e-6):
        raise Mistake("The first row has little weight left: what the mask took away is missing.",
                      "The weights of a row are to add up to 1. Mask the scores before the softmax.")
    if close(found, normal(np.exp(scores)) @ v, 1e-6):
        raise Mistake("Every place sees what comes after it.", "Where column j > row i, the weight is to be 0.")
    if close(found, normal(np.exp(scores) * past.T) @ v, 1e-6):
        raise Mistake("This looks at the future and not at the past.", "Row i may see the columns j ≤ i.")
    if close(found, normal(np.exp(scores * past)) @ v, 1e-6):
        raise Mistake("A score of 0 still has a weight, exp(0) = 1.", "The masked scores have to be minus infinity.")
    if d != 4 and close(found, normal(np.exp(q @ k.T / 2) * past) @ v, 1e-6):
        raise Mistake("This divides by 2, which is the root of d where d is 4 only.",
                      "The length of a query is q.shape[1]. Divide the scores by its root.")
    if close(found, normal(np.exp(q @ k.T) * past) @ v, 1e-6):
        raise Mistake("The factor 1 / √d is missing.", "Divide the scores by the root of the length of a query.")
    raise Mistake("This is not softmax(q kᵀ / √d) v over the past.",
                  "Set the scores of later columns to minus infinity, then the softmax along each row, then times v.")


def best_of(answer):
    """Derive: how many captions get a right picture among n?"""
    for q, n in ((np.array([0.7, 0.5]), 1), (np.array([1.0, 0.0, 0.5]), 3), (np.array([0.9, 0.2, 0.05, 0.6]), 8)):
        found = number(call(answer, q, n), "the share")
        if close(found, float(np.mean(1 - (1 - q) ** n)), 1e-9):
            continue
        if close(found, float(1 - (1 - q.mean()) ** n), 1e-9):
            raise Mistake("This takes every caption to be equally hard.",
                          "Find the chance of each caption first, and take the mean at last.")
        if close(found, float(np.mean(q**n)), 1e-9):
            raise Mistake("This is the chance that all n pictures are right.", "One right picture is enough.")
        if close(found, float(np.mean((1 - q) ** n)), 1e-9):
            raise Mistake("This is the share that gets nothing right.", "Count the others.")
        if close(found, float(np.mean(np.minimum(1, n * q))), 1e-9) or close(found, float(np.mean(n * q)), 1e-9):
            raise Mistake("Two right pictures of one caption are counted twice here.",
                          "Ask how likely it is that all n are wrong.")
        raise Mistake("This is not the expected share.", "A caption gets nothing if all n pictures are wrong.")
    return "Drawing more helps where the chance is middling. A caption with chance 0 stays wrong, however often drawn."


def cooled(answer):
    """Change: odds at a temperature."""
    for p, t in ((np.array([0.8, 0.2]), 0.5), (np.array([0.5, 0.3, 0.2]), 2.0), (np.array([0.7, 0.3, 0.0]), 1.0)):
        found = array(call(answer, p, t), p.shape, "the probabilities")
        right = p ** (1 / t) / (p ** (1 / t)).sum()
        if close(found, right, 1e-9):
            continue
        if close(found, p ** (1 / t), 1e-9):
            raise Mistake("These do not add up to 1.", "Divide by their sum.")
        if close(found, p**t / (p**t).sum(), 1e-9):
            raise Mistake("This makes the likely less likely where it should be likelier.",
                          "The power is 1 / t: below a temperature of 1 it is above 1.")
        if close(found, np.exp(p / t) / np.exp(p / t).sum(), 1e-9):
            raise Mistake("This takes the probabilities themselves for the logarithms of odds.",
                          "exp(log p / t) is p ** (1 / t).")
        if close(found, p, 1e-9):
            raise Mistake("The temperature changes nothing here.", "To divide all of them by t is undone by the sum.")
        raise Mistake("These are not the odds at that temperature.", "Raise them to the power of 1 / t, and normalise.")
    return "At a half, 4 to 1 becomes 16 to 1; at two, 2 to 1. The order never changes."
