"""Several answers to each damaged digit, and what they are worth: ``python -m benchmarks.restore_digits``.

Writes book/4-examples/restore-digits.json, which the page "Draw the answers" shows. The first twenty held-out digits
are damaged in the four ways of the league. Every method gives 16 answers to each; the supervised U-Net gives one.
Measured of each digit:

- the PSNR of the mean of the answers, and the mean PSNR of single answers,
- ``error``, the squared error of that mean, beside ``doubt``, what the answers themselves say it should be: (1 + 1/16)
  times their variance. Answers drawn from the true posterior have the two equal on average,
- how often the classifier reads each digit in the answers: these shares are odds, and the digit that is read most
  often is their vote. Of the U-Net, whose answer is one, the classifier's own probabilities are taken.

``--choose`` measures on the last hundred held-out digits instead, prints, and writes nothing: methods and settings were
chosen on these. Name methods and tasks to measure only those. What is in the file already is kept, so a run that was
stopped goes on where it stopped; ``--anew`` forgets it. The file that the page shows is such a one: it has pgdm for all
damages, the GAN and RePaint for hole and half, and ten digits a damage of RePaint, which is slow.
"""

import argparse
import functools
import json
import time
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "book/4-examples/restore-digits.json"
ANSWERS, DIGITS, FIRST_CHOSEN = 16, 20, 400
TOGETHER = 10  # digits that a sampler works on at once
PIECES = ("hole", "half")  # tasks whose answers can be read in several ways
METHODS = {
    "supervised U-Net": None, "GAN": None,
    "pgdm": {}, "repaint": {}, "dps": {},
}


def able(method, task):
    """Tell whether a method can do a task: RePaint puts known pixels in place, so they must be known."""
    return method != "repaint" or task != "noise50"


def answers(method, y, operators, sigma, seed, settings):
    """Return the answers of a method to some digits (N, 28, 28, 1): (N, n, 28, 28, 1)."""
    from helpers import pretrained
    from helpers.league import digit_tasks

    if method == "supervised U-Net":
        return pretrained.shared("restorer").restore(y, operators, sigma)[:, None]
    if method == "GAN":
        found = pretrained.shared("inverter").restore(y, operators, sigma, seed, n=ANSWERS, restarts=ANSWERS)
        return found[:, np.random.default_rng(seed).permutation(ANSWERS)]  # best first: a single one is any of them
    return digit_tasks.answers(y, operators, sigma, ANSWERS, seed, method, **settings)


def row(x_hat, x, label, seconds):
    """Return the marks of some answers (n, 28, 28, 1) to one digit."""
    from helpers import pretrained
    from helpers.metrics import psnr

    judge, n, mean = pretrained.shared("classifier"), len(x_hat), x_hat.mean(axis=0)
    odds = np.bincount(judge.read(x_hat), minlength=10) / n if n > 1 else judge.probabilities(x_hat)[0]
    return {
        "label": int(label), "seconds": round(seconds, 3), "mean": psnr(x, mean),
        "one": float(np.mean([psnr(x, one) for one in x_hat])), "error": float(np.mean((mean - x) ** 2)),
        "doubt": float((1 + 1 / n) * x_hat.var(axis=0, ddof=1).mean()) if n > 1 else None,
        "read one": float(np.mean(judge.read(x_hat) == label)),
        "read mean": bool(judge.read(mean[None])[0] == label), "odds": [round(float(p), 4) for p in odds],
    }


@functools.cache
def damaged(task, first, count):
    """Return digits, labels, and their damage: always that of the whole held-out set."""
    from helpers.images import digits
    from helpers.league import digit_tasks

    _, _, x, labels = digits()
    y, operators, sigma = digit_tasks.damage(x, task)
    some = slice(first, first + count)
    return x[some], labels[some], y[some], operators[some], sigma


def measure(methods, tasks, rows, count, first=0, keep=lambda rows: None, settings=None):
    """Add what is missing to ``rows``, {method: {task: [row, ...]}}, in batches; ``keep(rows)`` after each."""
    for method in methods:
        for task in tasks:
            done = rows.setdefault(method, {}).setdefault(task, []) if able(method, task) else [None] * count
            x, labels, y, operators, sigma = damaged(task, first, count)
            together = 1 if method == "repaint" and task == "missing75" else TOGETHER  # it takes one mask
            while len(done) < count:
                some, started = slice(len(done), min(len(done) + together, count)), time.perf_counter()
                found = answers(method, y[some], operators[some], sigma, first + len(done), settings or METHODS[method])
                seconds = (time.perf_counter() - started) / len(found)
                done += [row(*one, seconds) for one in zip(found, x[some], labels[some], strict=True)]
                keep(rows)
            if able(method, task):
                print(f"{method:17}{task:10}", *(f"{key} {value} " for key, value in summary(done).items()), flush=True)


def interval(values):
    """Return the mean of values with its 95 % interval, by the bootstrap over digits."""
    from helpers.metrics import bootstrap_interval

    return [round(float(value), 4) for value in bootstrap_interval(values)]


def summary(rows):
    """Return the numbers that the page shows of one method on one task."""
    truth = np.eye(10)[[one["label"] for one in rows]]
    odds = np.array([one["odds"] for one in rows])
    found = {key: interval([one[key] for one in rows]) for key in ("mean", "one", "read one", "read mean")}
    found["read by vote"] = interval(truth[np.arange(len(rows)), odds.argmax(axis=1)])
    found["score"] = interval(np.square(odds - truth).sum(axis=1))
    if rows[0]["doubt"] is not None:
        error, doubt = (np.array([one[key] for one in rows]) for key in ("error", "doubt"))
        draws = np.random.default_rng(0).integers(len(rows), size=(2000, len(rows)))
        again = np.sqrt(error[draws].mean(axis=1) / doubt[draws].mean(axis=1))
        found["error to doubt"] = [round(float(value), 3) for value in (
            np.sqrt(error.mean() / doubt.mean()), *np.quantile(again, [0.025, 0.975]))]
    found["digits"], found["seconds"] = len(rows), round(float(np.median([one["seconds"] for one in rows])), 2)
    return found


def calibration(rows):
    """Return of odds said in five ranges: mean of what was said, how often it was true, and how many were said."""
    said = np.concatenate([one["odds"] for one in rows])
    true = np.concatenate([np.eye(10)[one["label"]] for one in rows])
    bins = np.digitize(said, [0.03, 0.2, 0.5, 0.8, 0.97])
    return [[round(float(said[bins == k].mean()), 4), round(float(true[bins == k].mean()), 4), int((bins == k).sum())]
            for k in range(6) if (bins == k).any()]


def main():
    """Measure what is missing, and write the file."""
    from helpers import pretrained
    from helpers.files import write_whole
    from helpers.league.digit_tasks import TASKS

    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("methods", nargs="*", help=f"of {', '.join(METHODS)}; by default all")
    options.add_argument("--tasks", nargs="*", choices=list(TASKS), default=list(TASKS))
    options.add_argument("--digits", type=int, default=DIGITS, help=f"digits a task, by default {DIGITS}")
    options.add_argument("--anew", action="store_true", help="forget what these methods have in the file")
    options.add_argument("--choose", action="store_true", help="on other digits, printed alone")
    options.add_argument("--settings", type=json.loads, help="for --choose: a method's settings as JSON")
    asked = options.parse_args()
    if unknown := set(asked.methods) - set(METHODS):
        options.error(f"unknown method {sorted(unknown)[0]!r}: choose from {', '.join(METHODS)}")
    methods = asked.methods or list(METHODS)
    if asked.choose:
        measure(methods, asked.tasks, {}, asked.digits, FIRST_CHOSEN, settings=asked.settings)
        return
    sha256 = pretrained.card("diffusion-digits")["sha256"]
    old = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    rows = old["rows"] if old.get("sha256") == sha256 else {}
    if asked.anew:
        rows = {method: of for method, of in rows.items() if method not in methods}

    def keep(rows):
        found = {"command": "python -m benchmarks.restore_digits", "sha256": sha256, "answers": ANSWERS}
        found["table"] = {method: {task: summary(some) for task, some in of.items() if some}
                          for method, of in rows.items()}
        lost = {method: [one for task in PIECES for one in of.get(task, [])] for method, of in rows.items()}
        found["calibration"] = {method: calibration(some) for method, some in lost.items() if some}
        text = json.dumps({**found, "rows": rows})
        write_whole(FILE, lambda path: path.write_text(text + "\n", encoding="utf-8"))

    measure(methods, asked.tasks, rows, asked.digits, keep=keep)


if __name__ == "__main__":
    main()
