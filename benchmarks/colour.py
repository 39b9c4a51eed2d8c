"""A grey satellite picture, coloured: ``python -m benchmarks.colour``.

Writes book/4-examples/colour.json, whose numbers the page "Draw the answers" shows. The first twenty patches of
Australia and the first twenty of South America, which no training has seen, are made grey, with noise of level 0.01.
Sixteen answers to each come from ``method="ddnm"``. Measured of each patch, in mean squares over pixels and channels:

- ``one``, the error of single answers, and ``mean``, that of their mean,
- ``doubt``, what the answers say of the error of their mean: (1 + 1/16) times their variance, as in
  ``benchmarks.restore_digits``,
- the errors of two rivals that look at one pixel alone: ``line``, the best linear guess of colour from grey on the
  training patches, and ``table``, the mean colour of all their pixels of this grey: there no guess from one grey pixel
  has a smaller error.

All intervals are of 95 %, by a bootstrap over patches. It takes a few minutes.
"""

import json
import time
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "book/4-examples/colour.json"
CONTINENTS, PATCHES, ANSWERS, SIGMA = ("australia", "south-america"), 20, 16, 0.01
TOGETHER = 4  # patches that the sampler works on at once


def rivals(train):
    """Return the two guesses of colour from grey, name → function (..., 1) -> (..., 3), learned from pictures."""
    from helpers.images import earth
    from helpers.operators import LUMA

    colours = train.reshape(-1, 3).astype(np.float64)
    line = np.polynomial.polynomial.polyfit(colours @ LUMA, colours, 1)
    return {"line": lambda y: line[0] + y * line[1], "table": earth.colour_table(train)}


def row(answers, x, y, guesses, seconds):
    """Return the errors of some answers (n, h, w, 3) to one grey picture y (h, w, 1) of x, and of its rivals."""
    n, mean = len(answers), answers.mean(axis=0)
    found = {"one": np.mean((answers - x) ** 2), "mean": np.mean((mean - x) ** 2),
             "doubt": (1 + 1 / n) * answers.var(axis=0, ddof=1).mean(), "seconds": seconds}
    found |= {name: np.mean((guess(y) - x) ** 2) for name, guess in guesses.items()}
    return {name: round(float(value), 7) for name, value in found.items()}


def interval(values):
    """Return the mean of values with its 95 % interval, by the bootstrap over patches."""
    from helpers.metrics import bootstrap_interval

    return [round(float(value), 7) for value in bootstrap_interval(values)]


def summary(rows):
    """Return the numbers that the page shows: mean squares with intervals, and which share of patches beats the table.

    ``gain`` is by how much the error of the mean is below that of the table, patch by patch.
    """
    each = {name: np.array([one[name] for one in rows]) for name in rows[0]}
    found = {name: interval(values) for name, values in each.items() if name != "seconds"}
    found["gain"] = interval(each["table"] - each["mean"])
    found["better than the table"] = interval(each["mean"] < each["table"])
    draws = np.random.default_rng(0).integers(len(rows), size=(2000, len(rows)))
    again = np.sqrt(each["mean"][draws].mean(axis=1) / each["doubt"][draws].mean(axis=1))
    whole = np.sqrt(each["mean"].mean() / each["doubt"].mean())
    found["error to doubt"] = [round(float(value), 3) for value in (whole, *np.quantile(again, [0.025, 0.975]))]
    return found | {"patches": len(rows), "seconds": round(float(np.median(each["seconds"])), 2)}


def measure_continent(name, model, guesses, patches=PATCHES, answers=ANSWERS, steps=None):
    """Return a row for each of the first patches of a continent."""
    from helpers.images import earth
    from helpers.operators import Grey, measure
    from helpers.posterior.samplers import sample

    truths, rng, rows = earth.patches(name, 32)[:patches], np.random.default_rng(0), []
    for first in range(0, patches, TOGETHER):
        some, started = truths[first : first + TOGETHER], time.perf_counter()
        y = np.stack([measure(x, Grey(), SIGMA, rng) for x in some])
        each = np.repeat(y, answers, axis=0)
        drawn = sample(each, Grey(), SIGMA, model, len(each), seed=first, method="ddnm", steps=steps)
        drawn = np.clip(drawn, 0, 1).reshape(len(some), answers, *model.shape)
        seconds = (time.perf_counter() - started) / len(some)
        rows += [row(*one, guesses, seconds) for one in zip(drawn, some, y, strict=True)]
    return rows


def main():
    """Measure, print, and write the file."""
    from helpers import pretrained
    from helpers.files import write_whole
    from helpers.images import earth

    model, guesses = pretrained.load("diffusion-earth"), rivals(earth.patches("train", 32))
    rows = {name: measure_continent(name, model, guesses) for name in CONTINENTS}
    found = {"command": "python -m benchmarks.colour", "sha256": pretrained.card("diffusion-earth")["sha256"],
             "answers": ANSWERS, "sigma": SIGMA, "table": {name: summary(some) for name, some in rows.items()}}
    found["table"]["both"] = summary([one for some in rows.values() for one in some])
    for name, values in found["table"]["both"].items():
        print(name, values)
    text = json.dumps(found | {"rows": rows}, indent=1)
    write_whole(FILE, lambda path: path.write_text(text + "\n", encoding="utf-8"))


if __name__ == "__main__":
    main()
