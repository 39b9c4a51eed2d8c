"""The league of digits: every method on four damages of the same digits. PSNR, share still read as the true digit,
seconds."""

import time
import warnings
from typing import NamedTuple

import numpy as np

from helpers import metrics, pretrained, restoration, validation
from helpers.images import digits
from helpers.league import digit_tasks
from helpers.league.digit_tasks import TASKS
from helpers.league.record import gather, write_rows


def _as_it_came(y, operators, sigma):
    """Do nothing: what a method has to beat."""
    return y


def _supervised(y, operators, sigma):
    return pretrained.shared("restorer").restore(y, operators, sigma)


def _inversion(**settings):
    return lambda y, operators, sigma: pretrained.shared("inverter").restore(y, operators, sigma, **settings)


ANSWERS = 8  # whose mean is a row: half as many as the page "Draw the answers" takes, for half its time
TOGETHER = 160  # pictures that the diffusion model draws at once


def _diffusion(answers):
    """Return the method that hands over the mean of so many answers of ΠGDM: of the samplers that page compares, it
    comes nearest in PSNR, and more of its answers are read right than of the other one's for lost pixels."""
    def restore(y, operators, sigma):
        step = max(TOGETHER // answers, 1)
        some = [digit_tasks.answers(y[first : first + step], operators[first : first + step], sigma, answers, first)
                for first in range(0, len(y), step)]
        return np.concatenate(some).mean(axis=1)

    return restore


METHODS = {
    "as it came": _as_it_came,
    "biharmonic": digit_tasks.one_by_one(restoration.biharmonic),
    "total variation": digit_tasks.one_by_one(restoration.total_variation),
    "plug-and-play DCT": digit_tasks.one_by_one(restoration.plug_and_play),
    "supervised U-Net": _supervised,
    "encoder alone": _inversion(steps=0),
    "GAN inversion": _inversion(),
    "GAN inversion, random starts": _inversion(start="random", restarts=5, steps=60),
    "diffusion, one answer": _diffusion(1),
    f"diffusion, mean of {ANSWERS}": _diffusion(ANSWERS),
}
NEEDS_LOSS = ("biharmonic",)  # these only fill in what is missing


def able(task):
    """Return the names of the methods that can do a task."""
    noisy = TASKS[validation.choice(task, "task", TASKS)].sigma > 0
    return [name for name in METHODS if not (noisy and name in NEEDS_LOSS)]


class Row(NamedTuple):
    """One method on one damaged digit; ``readable`` is 1.0 if the classifier still reads the true digit."""

    task: str
    method: str
    digit: int
    psnr: float
    readable: float
    seconds: float


def read_digits(path):
    """Read digits from an .npz file: ``x`` of uint8 (N, 28, 28) and ``y`` of labels (N,); return images and labels."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            x, y = archive["x"], archive["y"]
            if not (isinstance(x, np.ndarray) and isinstance(y, np.ndarray)):  # NumPy gives the bytes of what is none
                raise ValueError("x or y is no array")
    except FileNotFoundError:
        raise ValueError(f"digits {str(path)!r}: there is no such file") from None
    except KeyError as error:
        missing = error.args[0].split()[0]
        raise ValueError(f"digits {str(path)!r} holds no array {missing!r}: it needs x and y") from None
    except Exception as error:
        raise ValueError(f"digits {str(path)!r} cannot be read as an .npz file: {error}") from None
    if x.dtype != np.uint8 or x.ndim != 3 or x.shape[1:] != (28, 28) or not len(x):
        raise ValueError(f"digits: x must be uint8 of shape (N, 28, 28), but {x.dtype} of shape {x.shape} came")
    if y.shape != (len(x),) or y.dtype.kind not in "iu" or y.min() < 0 or y.max() > 9:
        raise ValueError(f"digits: y must hold {len(x)} whole numbers from 0 to 9, "
                         f"but {y.dtype} of shape {y.shape} came")
    return _white_on_black(x)[..., None] / np.float32(255), y.astype(np.int64)


def _white_on_black(x):
    """Return digits as MNIST has them, 0 … 255 and white on black; what had to be changed is said as a warning.

    Digits of 0 and 1 are black and white. Digits whose rim is bright nearly everywhere are dark on white paper. A
    grey ground is no digit of MNIST's, and is said.
    """
    from helpers.images import PictureNote

    highest = int(x.max())
    if highest == 1:
        warnings.warn("digits: x holds only 0 and 1, which are taken for black and white", PictureNote, stacklevel=3)
        x = x * np.uint8(255)
    elif highest < 64:
        raise ValueError(f"digits: x spans 0 … {highest}, too dark for 0 … 255: multiply it by 255 / {highest}"
                         if highest else "digits: x is black everywhere")
    rim = np.ones((28, 28), bool)
    rim[2:-2, 2:-2] = False
    if np.mean(x[:, rim] > 127) > 0.9:
        warnings.warn("digits: x is dark on white, and was turned into white on black", PictureNote, stacklevel=3)
        x = 255 - x
    ground = np.percentile(x[:, rim], 10)
    if ground > 32:
        warnings.warn(f"digits: x stands on grey, about {ground:.0f} of 255, where every model expects black: few will "
                      "be read. Stretch the contrast first", PictureNote, stacklevel=3)
    return x


def run(x=None, labels=None, tasks=None, methods=None, seed=0, progress=False, each=None, crew=None):
    """Play every method that can do it on every task and digit; return the list of rows.

    ``x`` (N, 28, 28, 1) and ``labels`` (N,) are the held-out 500 by default, ``tasks`` and ``methods`` all. ``each`` is
    called with each row as soon as it is there: those of one method on one task come together. ``crew``, of
    ``helpers.workers.hands``, plays; by default this process.
    """
    if x is None:
        _, _, x, labels = digits()
    tasks = list(dict.fromkeys(validation.choice(task, "task", TASKS) for task in (tasks or TASKS)))
    chosen = list(dict.fromkeys(validation.choice(method, "method", METHODS) for method in (methods or METHODS)))
    games = [(task, method) for task in tasks for method in chosen if method in able(task)]
    if not games:
        raise ValueError(f"method: none of {', '.join(chosen)} can do {', '.join(tasks)}")
    return gather(_game, [(x, labels, *game, seed) for game in games], "game", progress, each, crew)


def _game(x, labels, task, method, seed):
    """Play one method on one damage of all digits; return a row for each."""
    read = pretrained.shared("classifier").read
    y, operators, sigma = digit_tasks.damage(x, task, seed)
    METHODS[method](y[:2], operators[:2], sigma)  # libraries and weights load on first use: not the method's time
    started = time.perf_counter()
    x_hat = np.clip(METHODS[method](y, operators, sigma), 0, 1)
    seconds = (time.perf_counter() - started) / len(x)
    right = read(x_hat) == labels
    return [Row(task, method, i, metrics.psnr(x[i], x_hat[i]), float(right[i]), seconds) for i in range(len(x))]


def summarise(rows):
    """Return one dictionary for each task and method: mean PSNR and readable share with 95 % intervals, seconds a
    digit.

    The best PSNR of a task comes first.
    """
    groups = {}
    for row in rows:
        groups.setdefault((row.task, row.method), []).append(row)
    table = [{"task": task, "method": method, "digits": len(group),
              "psnr": metrics.bootstrap_interval([min(row.psnr, 100.0) for row in group]),
              "readable": metrics.bootstrap_interval([row.readable for row in group]),
              "seconds": group[0].seconds}
             for (task, method), group in groups.items()]
    order = list(TASKS)
    return sorted(table, key=lambda line: (order.index(line["task"]), -line["psnr"].mean))


def about(seed=0):
    """Return what a file of rows says of the run: its seed, and the checksums of the weights."""
    return {"seed": seed, "weights": {name: pretrained.card(name)["sha256"] for name in pretrained.names()}}


def save(rows, path, seed=0):
    """Write the rows as JSON with the seed and the checksums of the weights: all of it, or nothing."""
    write_rows(rows, path, about(seed))
