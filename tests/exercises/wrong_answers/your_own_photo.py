"""Plausible wrong answers to the exercises of "Restore a photo of your own", each with a piece of its hint."""

import numpy as np

from helpers import league
from helpers.images import photo
from helpers.metrics import psnr


def seams(y, denoise, size, margin):
    """Forget the margin."""
    x_hat = np.empty_like(y)
    for i in range(0, y.shape[0], size):
        for j in range(0, y.shape[1], size):
            x_hat[i : i + size, j : j + size] = denoise(y[i : i + size, j : j + size])
    return x_hat


def shifted(y, denoise, size, margin):
    """Keep the margin at the top and on the left in place of the tile."""
    x_hat = np.empty_like(y)
    for i in range(0, y.shape[0], size):
        for j in range(0, y.shape[1], size):
            part = denoise(y[max(i - margin, 0) : i + size + margin, max(j - margin, 0) : j + size + margin])
            tile = x_hat[i : i + size, j : j + size]
            tile[...] = part[: tile.shape[0], : tile.shape[1]]
    return x_hat


def true_report(x, task, first, second):
    """Return what the check measures again."""
    truth, y, operator, _ = league.damage(x, task)
    one, other = (league.METHODS[name].restore(y, operator, league.TASKS[task].sigma) for name in (first, second))
    height, width = (side // 4 for side in truth.shape)
    error = (np.clip(one, 0, 1) - truth)[: 4 * height, : 4 * width] ** 2
    tiles = error.reshape(4, height, 4, width).mean(axis=(1, 3))
    return {"picture": x, "task": task, "first": first, "second": second,
            "gain": psnr(truth, np.clip(one, 0, 1)) - psnr(truth, np.clip(other, 0, 1)),
            "misfit": np.sqrt(np.mean((operator.forward(one) - y) ** 2)),
            "worst": tuple(int(k) for k in np.unravel_index(tiles.argmax(), tiles.shape))}


X = photo("coffee", size=128)
LINE = "restore print.png -o large.png --noise auto --mask dust.png --lost black --scale 2 --compare"
REPORT = true_report(X, "denoise25", "Wiener", "total variation")

WRONG = {
    "reduced": [
        (5, "the level is its root"),
        (20, "reduces independent noise"),
        (40, "sum of four"),
        (10 / 255, "units of 1/255"),
    ],
    "truth": [
        ("a", "with the truth"),
        ("b", "structure of the truth"),
    ],
    "words": [
        ("print.png -o large.png --noise auto", "name of the command"),
        ("restore print.png --noise auto", "refuses this line"),
        ("restore print.png -o large.png --strength auto", "refuses this line"),
        ("restore print.png -o print.png --noise auto", "writes print.png"),
        (LINE.replace(" --noise auto", ""), "taken for picture"),
        (LINE.replace("auto", "25"), "says 25"),
        (LINE.replace(" --mask dust.png --lost black", ""), "not given as a mask"),
        (LINE.replace(" --lost black", ""), "would ask"),
        (LINE.replace("--lost black", "--lost white"), "keeps the dust"),
        (LINE.replace(" --scale 2", ""), "1 times as wide"),
        (LINE.replace("--scale 2", "--scale 4"), "4 times as wide"),
        (LINE.replace(" --compare", ""), "No sheet"),
        (LINE + " --blur gaussian:1", "Nobody asked for --blur"),
    ],
    "shots": [
        (lambda first, second: np.std(first - second), "two shots made it"),
        (lambda first, second: np.std(first - second) / 2, "variances add"),
        (lambda first, second: np.var(first - second) / 2, "a variance"),
        (lambda first, second: np.std(first), "scene itself"),
    ],
    "tiles": [
        (seams, "seams"),
        (shifted, "first tile is right"),
        (lambda y, denoise, size, margin: y, "Nothing was denoised"),
    ],
    "report": [
        (X, "dictionary"),
        (REPORT | {"picture": 255 * X}, "between 0 and 1"),
        (REPORT | {"picture": 0 * X + 0.5}, "nearly of one colour"),
        (REPORT | {"task": "denoise20"}, "for the task"),
        (REPORT | {"first": "biharmonic"}, "for the first method"),
        (REPORT | {"second": "Wiener"}, "with itself"),
        (REPORT | {"gain": -REPORT["gain"]}, "reversed"),
        (REPORT | {"gain": REPORT["gain"] + 0.2}, "We measure a gain"),
        (REPORT | {"misfit": REPORT["misfit"] ** 2}, "A misfit of"),
        (REPORT | {"worst": (1, 4)}, "is no tile"),
        (REPORT | {"worst": ((REPORT["worst"][0] + 1) % 4, REPORT["worst"][1])}, "Another tile"),
    ],
}
