"""The league: every restoration method on every damage, over the same pictures, as one table.

A task says how a picture is damaged; a method is one line of ``METHODS``. Rows of scikit-image stand beside ours.
"""

import json
import os
import platform
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers import images, metrics, restoration, validation
from helpers.operators import Blur, Downsample, Identity, Mask, Operator, Radon, measure

# --------------------------------------------------------------------------------------------- tasks


class Task(NamedTuple):
    """One damage: what it does, its operator for a picture of a given shape, and its noise level."""

    what: str
    operator: Callable[[tuple, np.random.Generator], Operator]
    sigma: float
    kind: str  # methods name the kinds of task that they can do


def _missing(known):
    return lambda shape, rng: Mask.random(shape[:2], known, rng)


TASKS = {
    "denoise15": Task("noise σ = 15/255", lambda shape, rng: Identity(), 15 / 255, "denoise"),
    "denoise25": Task("noise σ = 25/255", lambda shape, rng: Identity(), 25 / 255, "denoise"),
    "denoise50": Task("noise σ = 50/255", lambda shape, rng: Identity(), 50 / 255, "denoise"),
    "deblur": Task("Gaussian blur 1.6, noise σ = 2.55/255", lambda shape, rng: Blur.gaussian(1.6), 2.55 / 255, "deblur"),
    "missing50": Task("half of the pixels lost", _missing(0.5), 0.0, "inpaint"),
    "missing80": Task("80 % of the pixels lost", _missing(0.2), 0.0, "inpaint"),
    "block": Task("a hole of 40 × 40 pixels", lambda shape, rng: Mask.block(shape[:2], min(40, *shape[:2])), 0.0,
                  "inpaint"),
    "superres2": Task("the mean of each 2 × 2 square", lambda shape, rng: Downsample(2), 0.0, "superres"),
    "tomography": Task("60 projections", lambda shape, rng: Radon.sparse_view(shape[0], 60), 0.0, "tomography"),
}
KINDS = ("denoise", "deblur", "inpaint", "superres", "tomography")


def damage(x, task, seed=0):
    """Damage a picture as a task does: return ``(x, y, operator, sigma)``, with x cropped where the task needs it.

    ``superres2`` needs even sides, ``tomography`` a square: what stands over at the edges is cut off. The same seed
    damages pictures of one shape in the same way.
    """
    x = validation.image(x, "x")
    task = TASKS[validation.choice(task, "task", TASKS)]
    height, width = x.shape[:2]
    if task.kind == "superres":
        height, width = height // 2 * 2, width // 2 * 2
    if task.kind == "tomography":
        height = width = min(height, width)
    if not height or not width:
        raise ValueError(f"x has shape {x.shape}, too small for {task.what}")
    top, left = (x.shape[0] - height) // 2, (x.shape[1] - width) // 2
    x = x[top : top + height, left : left + width]
    rng = np.random.default_rng(validation.seed(seed))
    operator = task.operator(x.shape, rng)
    return x, measure(x, operator, task.sigma, rng), operator, task.sigma
