"""Plausible wrong answers to the exercises of "Paint what the words say", each with a piece of its hint."""

import numpy as np


def weights(q, k):
    return np.exp(q @ k.T / np.sqrt(q.shape[1]))


def normal(a):
    return a / a.sum(axis=-1, keepdims=True)


def logs(p, t):
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.log(p) / t
        return np.exp(odds - odds.mean()) / np.exp(odds - odds.mean()).sum()


WRONG = {
    "bag": [
        ("a", "different words"),
        ("c", "differ in some word"),
    ],
    "attention": [
        (lambda q, k, v: (normal(weights(q, k)) * np.tri(len(q))) @ v, "is missing"),
        (lambda q, k, v: normal(weights(q, k)) @ v, "comes after"),
        (lambda q, k, v: normal(weights(q, k) * np.tri(len(q)).T) @ v, "the future"),
        (lambda q, k, v: normal(np.exp(q @ k.T / np.sqrt(q.shape[1]) * np.tri(len(q)))) @ v, "still has a weight"),
        (lambda q, k, v: normal(np.exp(q @ k.T) * np.tri(len(q))) @ v, "factor"),
        (lambda q, k, v: normal(np.exp(q @ k.T / 2) * np.tri(len(q))) @ v, "where d is 4 only"),
    ],
    "best_of": [
        (lambda q, n: 1 - (1 - q.mean()) ** n, "equally hard"),
        (lambda q, n: np.mean(q**n), "all n pictures are right"),
        (lambda q, n: np.mean((1 - q) ** n), "nothing right"),
        (lambda q, n: np.minimum(1, n * q).mean(), "counted twice"),
    ],
    "cooled": [
        (lambda p, t: p ** (1 / t), "add up to 1"),
        (lambda p, t: p**t / (p**t).sum(), "less likely"),
        (lambda p, t: np.exp(p / t) / np.exp(p / t).sum(), "logarithms of odds"),
        (lambda p, t: p / t / (p / t).sum(), "changes nothing"),
        (logs, "NaN or infinite"),
    ],
}
