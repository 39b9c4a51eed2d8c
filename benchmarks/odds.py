"""Are the odds right? Samplers against the exact posterior of damaged robots: ``python -m benchmarks.odds``.

Writes book/4-examples/odds.json, whose table the page "Diffusion restores" shows. Sixty robots without a held-out pair,
drawn from the same 810,000 as those of the training, are damaged in four ways. For each, every method gives 16 answers;
their attributes are read back and counted. Beside the counts stands the exact posterior, a sum over all robots of the
world. Reported for the attributes that the damage leaves open:

- how far the counted odds are from the exact ones, in total variation, with the distance that 16 draws *of the exact
  posterior* have (the floor: so far off are honest answers, and hardly any sampler of independent ones comes nearer),
- the share of answers that are impossible: no robot at all, or one that the measurement rules out or that has a pair
  held out,
- of all values to which about 30 % were given, how often they were true; and so for each tenth.

All intervals are of 95 %, by a bootstrap over damaged robots. Seconds are those of one core, for 16 answers: each
damaged robot is the work of one process with one thread. All of it takes about an hour on two cores.

``--prior`` measures no sampler but the model, with nothing damaged: of each robot all attributes but one are told, and
16 pictures show what the model makes of that one. The exact odds are even, among the values that no held-out pair
excludes. It takes a few minutes.

Name methods to measure only those; what is in the file already is kept, so a run that was stopped goes on where it
stopped. ``--anew`` forgets it, and so do new weights.
"""

import argparse
import datetime
import functools
import json
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from helpers.league.robot_tasks import ROBOT, RULED_OUT, damaged, distances, prior, tasks

FILE = Path(__file__).parents[1] / "book/4-examples/odds.json"
METHODS = ("exact", "twisted", "pgdm", "repaint", "dps", "direct", "gibbs")
ROBOTS, ANSWERS = 60, 16
UNTOLD = ("accessory", "eyes", "mouth")  # the attributes that the damages leave open most often
ONLY = {"repaint": ("strip", "half", "missing75"), "direct": ("noise",)}  # tasks of methods that do not know all


def answers(method, exact, damage, model, seed):
    """Return the attributes of a method's answers (16, 6), and how far each is from the robot that was read."""
    from helpers.images import robots
    from helpers.posterior.samplers import sample

    if method == "exact":
        return exact.draw(ANSWERS, seed), np.zeros(ANSWERS)
    known = {"prior": prior()} if method == "gibbs" else {}  # the others learned theirs in training
    return robots.read(np.clip(sample(*damage, model, ANSWERS, seed=seed, method=method, **known), 0, 1))


def row(method, exact, damage, model, robot, number):
    """Return what one method makes of one damaged robot."""
    from helpers.images import robots

    started = time.perf_counter()
    counted, far = answers(method, exact, damage, model, number)
    seconds = time.perf_counter() - started
    impossible = (far > ROBOT) | (exact.probabilities[tuple(counted.T)] < RULED_OUT)
    apart = distances(exact, counted)
    return {
        "robot": number, "seconds": round(seconds, 3), "impossible": float(impossible.mean()),
        "distance": {name: round(float(value), 4) for name, value in apart.items()},
        "said": {name: np.bincount(counted[:, k], minlength=10).tolist()
                 for k, name in enumerate(robots.ATTRIBUTES) if name in apart},
        "truth": {name: int(robot[k]) for k, name in enumerate(robots.ATTRIBUTES) if name in apart},
    }


def one(job):
    """Return what some methods make of one robot, {method: row}; the exact posterior serves all of them."""
    from helpers.posterior.exact import exact_posterior

    task, number, robot, methods = job
    damage = damaged(task, robot, number)
    exact = exact_posterior(*damage, prior=prior())
    return {method: row(method, exact, damage, _model(), robot, number) for method in methods}


@functools.cache
def _model():
    from helpers import pretrained

    return pretrained.load("diffusion-robots")


def measure(methods, found, keep, n=ROBOTS, workers=None):
    """Add what is missing to ``found``, {method: {task: [row, ...]}}, robot by robot; all tasks grow together.

    ``keep(found)`` is called after every robot.
    """
    from helpers.images import robots

    jobs = []
    for number, robot in enumerate(robots.unseen_robots(n)):
        for task in tasks():
            wanted = [method for method in methods
                      if task in ONLY.get(method, tasks())
                      and number not in [old["robot"] for old in found.get(method, {}).get(task, [])]]
            if wanted:
                jobs.append((task, number, robot, wanted))
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for (task, number, _, _), rows in zip(jobs, pool.map(one, jobs), strict=True):
            for method, new in rows.items():
                found.setdefault(method, {}).setdefault(task, []).append(new)
            keep(found)
            print(task, number, {method: np.round(list(new["distance"].values()), 2).tolist()
                                 for method, new in rows.items()}, flush=True)


def own_odds(model, n=ROBOTS):
    """Return what a model makes of an attribute that it is not told, {attribute: [row, ...]}: one for each robot.

    A row's ``floor`` is the distance from the exact odds that 16 draws of them have, ``distance`` that of the model's.
    """
    from helpers.images import robots

    found, known = {}, robots.unseen_robots(n)
    for name in UNTOLD:
        k = robots.ATTRIBUTES.index(name)
        told = np.repeat(known, ANSWERS, axis=0)
        told[:, k] = -1
        read, _ = robots.read(model.sample(len(told), k, label=told))
        rng, found[name] = np.random.default_rng(k), []
        for number, (robot, answers) in enumerate(zip(known, read[:, k].reshape(n, ANSWERS), strict=True)):
            even = prior()[tuple(np.where(np.arange(6) == k, slice(None), robot))].astype(float)
            even /= even.sum()
            draws = rng.choice(len(even), ANSWERS, p=even)
            said, chance = (np.bincount(some, minlength=len(even)) for some in (answers, draws))
            floor, distance = (0.5 * np.abs(counts / ANSWERS - even).sum() for counts in (chance, said))
            found[name].append({"robot": number, "distance": round(float(distance), 4),
                                "floor": round(float(floor), 4), "said": said.tolist()})
    return found


def interval(values, seed=0):
    """Return the mean of values and the ends of its 95 % interval, by the bootstrap: 2,000 draws of as many robots."""
    if not len(values):
        return [None] * 3
    drawn = np.random.default_rng(seed).choice(values, (2000, len(values))).mean(axis=1)
    return [round(float(v), 4) for v in (np.mean(values), *np.quantile(drawn, [0.025, 0.975]))]


def summary(rows, floor):
    """Return the numbers that the page shows of one method on one task.

    ``floor`` holds the rows of the exact posterior's own draws, for the same robots: the excess is the mean of the
    differences, robot by robot.
    """
    own = {old["robot"]: np.mean(list(old["distance"].values())) for old in floor if old["distance"]}
    distance = {new["robot"]: np.mean(list(new["distance"].values())) for new in rows if new["distance"]}
    return {
        "robots": len(distance), "distance": interval(list(distance.values())),
        "excess": interval([value - own[number] for number, value in distance.items()]),
        "impossible": interval([new["impossible"] for new in rows]),
        "seconds": round(float(np.median([new["seconds"] for new in rows])), 2),
    }


def calibration(rows):
    """Return for each tenth of said odds: mean of what was said, how often it was true, and how many were said."""
    said, true = [], []
    for new in rows:
        for name, counts in new["said"].items():
            said += [count / ANSWERS for count in counts]
            true += [value == new["truth"][name] for value in range(len(counts))]
    said, true = np.array(said), np.array(true)
    tenth = np.minimum((said * 10).astype(int), 9)
    return [[round(float(said[tenth == k].mean()), 4), round(float(true[tenth == k].mean()), 4),
             int((tenth == k).sum())] for k in range(10) if (tenth == k).any()]


def kept(rows, low=0.2, high=0.4, seed=0):
    """Return of all values that were said with a probability between two: the mean of what was said, how often it was
    true, with the ends of the interval, and how many were said."""
    sums = []  # of each damaged robot: how many, what was said of them, how many were true
    for new in rows:
        said = [(count / ANSWERS, value == new["truth"][name])
                for name, counts in new["said"].items() for value, count in enumerate(counts)]
        said = np.array([(1, share, true) for share, true in said if low <= share < high]).reshape(-1, 3)
        sums.append(said.sum(axis=0))
    sums = np.array(sums)
    count, said, true = sums.sum(axis=0)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(2000, len(sums)))
    again = sums[drawn].sum(axis=1)
    ends = np.quantile(again[:, 2] / np.maximum(again[:, 0], 1), [0.025, 0.975])
    return {"said": round(said / max(count, 1), 4), "count": int(count),
            "true": [round(float(value), 4) for value in (true / max(count, 1), *ends)]}


def main():
    """Measure what is missing, and write the file."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("methods", nargs="*", choices=[[], *METHODS], help="by default all")
    options.add_argument("--anew", action="store_true", help="forget what these methods have in the file")
    options.add_argument("--robots", type=int, default=ROBOTS, help=f"robots a task, by default {ROBOTS}")
    options.add_argument("--file", type=Path, default=FILE, help="by default the one that the page reads")
    options.add_argument("--workers", type=int, help="processes, by default one for each core")
    options.add_argument("--prior", action="store_true", help="measure the model's own odds, and nothing else")
    chosen = options.parse_args()
    from helpers import pretrained
    from helpers.files import write_whole

    sha256 = pretrained.card("diffusion-robots")["sha256"]
    before = json.loads(chosen.file.read_text(encoding="utf-8")) if chosen.file.exists() else {"rows": {}}
    methods = ["exact", *(method for method in chosen.methods or METHODS if method != "exact")]
    forgotten = methods if chosen.anew else METHODS[1:] if before.get("sha256") != sha256 else ()
    if chosen.prior:
        own = own_odds(_model(), chosen.robots)
        before["prior"] = {"sha256": sha256, "rows": own, "table": {
            name: {of: interval([row[of] for row in some]) for of in ("distance", "floor")}
            | {"excess": interval([row["distance"] - row["floor"] for row in some])} for name, some in own.items()}}
        write_whole(chosen.file, lambda path: path.write_text(json.dumps(before) + "\n", encoding="utf-8"))
        print(json.dumps(before["prior"]["table"], indent=1))
        return
    rows = {method: old for method, old in before["rows"].items() if method not in forgotten}

    def keep(rows):
        found = {"command": "python -m benchmarks.odds", "date": str(datetime.date.today()), "answers": ANSWERS,
                 "sha256": sha256}
        if before.get("prior", {}).get("sha256") == sha256:
            found["prior"] = before["prior"]
        found["table"] = {method: {task: summary(some, rows["exact"][task]) for task, some in of.items()}
                          for method, of in rows.items()}
        every = {method: [row for some in of.values() for row in some] for method, of in rows.items()}
        found["calibration"] = {method: calibration(some) for method, some in every.items()}
        found["said with about 30 %"] = {method: kept(some) for method, some in every.items()}
        text = json.dumps({**found, "rows": rows})
        write_whole(chosen.file, lambda path: path.write_text(text + "\n", encoding="utf-8"))

    measure(methods, rows, keep, chosen.robots, chosen.workers)
    for method, of in json.loads(chosen.file.read_text(encoding="utf-8"))["table"].items():
        for task, line in of.items():
            print(f"{method:9}{task:11}" + "".join(f"  {name} {value}" for name, value in line.items()))


if __name__ == "__main__":
    main()
