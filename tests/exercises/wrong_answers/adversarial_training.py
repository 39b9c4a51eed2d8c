"""Plausible wrong answers to the exercises of "Let two networks play", each with a piece of its hint."""

import numpy as np


def at_once(u, v, tau, steps):
    """Take plain steps, both players at once."""
    for _ in range(steps):
        u, v = u + tau * v, v - tau * u
    return u, v


def alternating(u, v, tau, steps):
    """Let v step first, and u see the new v."""
    for _ in range(steps):
        v = v - tau * u
        u = u + tau * v
    return u, v


def from_the_trial(u, v, tau, steps):
    """Step on from the trial place."""
    for _ in range(steps):
        u_trial, v_trial = u + tau * v, v - tau * u
        u, v = u_trial + tau * v_trial, v_trial - tau * u_trial
    return u, v


def one_step(u, v, tau, steps):
    """Look ahead, but only once."""
    u_trial, v_trial = u + tau * v, v - tau * u
    return u + tau * v_trial, v - tau * u_trial


def naive(logits, saturating):
    """Compute D first, which is rounded to 0 or 1."""
    with np.errstate(all="ignore"):
        D = 1 / (1 + np.exp(-logits))
        return np.mean(np.log(1 - D)) if saturating else np.mean(-np.log(D))


def padded(logits, saturating):
    """Keep D away from 0 and 1, so that its logarithm is finite."""
    with np.errstate(all="ignore"):
        D = np.clip(1 / (1 + np.exp(-logits)), 1e-7, 1 - 1e-7)
    return np.mean(np.log(1 - D)) if saturating else np.mean(-np.log(D))


def stable(logits, saturating):
    """Return the right losses, one for each picture."""
    return -np.logaddexp(0, logits) if saturating else np.logaddexp(0, -logits)


WRONG = {
    "walks_back": [
        ((0, "b"), "level for ever"),
        ((0.1, "c"), "run away"),
        ((-0.1, "a"), "ends lower"),
        ((-0.5, "b"), "neither falls nor rises"),
        ((-0.5, "c"), "Two of the lines fall"),
        ((-0.5, "d"), "level line"),
    ],
    "apart": [
        (-np.log(4), "both distributions are equal"),
        (np.log(2), "not yet the value"),
        (np.log(4), "Subtract log 4"),
        (1, "cannot be positive"),
    ],
    "density": [
        (lambda D, p_G: D / (1 - D), "ratio of the two densities"),
        (lambda D, p_G: p_G * (1 - D) / D, "on its head"),
        (lambda D, p_G: p_G * D, "too small"),
    ],
    "cost": [
        (naive, "±1000"),
        (padded, "has become flat"),
        (stable, "one number for each picture"),
        (lambda logits, saturating: stable(logits, not saturating).mean(), "exchanged"),
        (lambda logits, saturating: stable(logits, False).mean(), "the same number"),
        (lambda logits, saturating: stable(logits, saturating).sum(), "the sum"),
        (lambda logits, saturating: np.mean(np.logaddexp(0, logits if saturating else -logits)), "run away"),
    ],
    "look_ahead": [
        (at_once, "runs away from the saddle"),
        (from_the_trial, "Go back"),
        (alternating, "circle for ever"),
        (one_step, "after one step"),
    ],
}
