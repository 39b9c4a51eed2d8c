"""Four ways to damage a robot, and what its exact posterior says of it: which attributes are open, with which odds."""

import functools

import numpy as np

from helpers import validation
from helpers.images import robots
from helpers.operators import Identity, Mask

SIZE = (32, 32)
OPEN = 0.95  # an attribute is open if no value has a larger probability than this
ROBOT = 0.06  # root mean square distance from the nearest robot, above which a picture shows none
RULED_OUT = 1e-6  # of probability


def tasks():
    """Return the four damages: name → (operator for a robot's random generator, σ)."""

    def strip(rng):
        mask = np.ones(SIZE, bool)
        top = rng.integers(4, 18)
        mask[top : top + 10] = False
        return Mask(mask)

    return {
        "strip": (strip, 0.05),
        "half": (lambda rng: Mask.half(SIZE, ("top", "bottom", "left", "right")[rng.integers(4)]), 0.05),
        "missing75": (lambda rng: Mask.random(SIZE, 0.25, rng), 0.25),
        "noise": (lambda rng: Identity(), 0.5),
    }


def damaged(task, robot, number, seed=0):
    """Return measurement, operator and σ of one robot: the same for every method.

    Parameters
    ----------
    task : a key of :func:`tasks`
    robot : array of int (6,)
    number, seed : int
        The same two damage a robot in the same way.
    """
    make, sigma = tasks()[validation.choice(task, "task", tasks())]
    rng = np.random.default_rng([number, list(tasks()).index(task), validation.seed(seed)])
    operator = make(rng)
    y = operator.forward(robots.render(robot))
    return (y + operator.forward(sigma * rng.standard_normal(y.shape))).astype(np.float32), operator, sigma


def open_attributes(exact):
    """Return the attributes that a posterior leaves open, and their odds: name → (10,)."""
    odds = {name: exact.odds(name) for name in robots.ATTRIBUTES}
    return {name: values for name, values in odds.items() if values.max() < OPEN}


def distances(exact, counted):
    """Return the total variation distance of each attribute's counted odds from the exact ones, where it is open."""
    found = {}
    for name, odds in open_attributes(exact).items():
        shares = np.bincount(counted[:, robots.ATTRIBUTES.index(name)], minlength=robots.CHOICES) / len(counted)
        found[name] = 0.5 * np.abs(shares - odds).sum()
    return found


@functools.cache
def prior():
    """Return 1 for each robot that training may show, 0 for those with a pair held out: what the model learns."""
    return robots.allowed(robots.from_index(np.arange(robots.WORLD))).reshape((robots.CHOICES,) * 6)
