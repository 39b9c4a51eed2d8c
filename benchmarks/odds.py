"""Are the odds right? Samplers against the exact posterior of damaged robots: ``python -m benchmarks.odds``.

Writes book/4-examples/odds.json, whose table the page "Diffusion restores" shows. Sixty robots that training never
showed are damaged in four ways. For each, every method gives 16 answers; their attributes are read back and counted.
Beside the counts stands the exact posterior, a sum over all robots of the world. Reported for the attributes that the
damage leaves open:

- how far the counted odds are from the exact ones, in total variation, with the distance that 16 draws *of the exact
  posterior* have (the floor: no sampler of 16 answers can be expected below it),
- the share of answers that are impossible: no robot at all, or one that the measurement rules out,
- of all values to which about 30 % were given, how often they were true; and so for each tenth.

Name methods to measure only those; what is in the file already is kept, so a run that was stopped goes on where it
stopped. ``--anew`` forgets it.
"""

import argparse
import datetime
import json
import time
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "book/4-examples/odds.json"
METHODS = ("exact", "twisted", "pgdm", "repaint", "dps")
ROBOTS, ANSWERS = 60, 16
OPEN = 0.95  # an attribute is open if no value has a larger probability than this
ROBOT = 0.06  # root mean square distance from the nearest robot, above which a picture shows none
RULED_OUT = 1e-6  # of probability
SIZE = (32, 32)
MASKS = ("strip", "half", "missing75")  # tasks that "repaint" knows


def tasks():
    """Return the four damages: name → (operator for a robot's random generator, σ)."""
    from helpers.operators import Identity, Mask

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


def damaged(task, robot, number):
    """Return measurement, operator and σ of one robot: the same for every method."""
    from helpers.images import robots

    make, sigma = tasks()[task]
    rng = np.random.default_rng([number, list(tasks()).index(task)])
    operator = make(rng)
    y = operator.forward(robots.render(robot))
    return (y + operator.forward(sigma * rng.standard_normal(y.shape))).astype(np.float32), operator, sigma


def distances(exact, counted):
    """Return the total variation distance of each attribute's counted odds from the exact ones, where it is open."""
    from helpers.images import robots

    found = {}
    for column, name in enumerate(robots.ATTRIBUTES):
        odds = exact.odds(name)
        if odds.max() < OPEN:
            shares = np.bincount(counted[:, column], minlength=10) / len(counted)
            found[name] = 0.5 * np.abs(shares - odds).sum()
    return found


def answers(method, exact, damage, model, seed):
    """Return the attributes of a method's answers (16, 6), and how far each is from the robot that was read."""
    from helpers.images import robots
    from helpers.posterior.samplers import sample

    if method == "exact":
        return exact.draw(ANSWERS, seed), np.zeros(ANSWERS)
    return robots.read(np.clip(sample(*damage, model, ANSWERS, seed=seed, method=method), 0, 1))


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


def measure(methods, model, found, keep, n=ROBOTS):
    """Add what is missing to ``found``, {method: {task: [row, ...]}}; the exact posterior serves all methods at once.

    ``keep(found)`` is called after every robot.
    """
    from helpers.images import robots
    from helpers.posterior.exact import exact_posterior

    prior = robots.allowed(robots.from_index(np.arange(robots.WORLD))).reshape((robots.CHOICES,) * 6)
    for task in tasks():
        for number, robot in enumerate(robots.unseen_robots(n)):
            wanted = [method for method in methods
                      if (method != "repaint" or task in MASKS)
                      and number not in [old["robot"] for old in found.get(method, {}).get(task, [])]]
            if not wanted:
                continue
            damage = damaged(task, robot, number)
            exact = exact_posterior(*damage, prior=prior)
            for method in wanted:
                found.setdefault(method, {}).setdefault(task, []).append(
                    row(method, exact, damage, model, robot, number))
            keep(found)
            print(task, number, {method: np.round(list(found[method][task][-1]["distance"].values()), 2).tolist()
                                 for method in wanted}, flush=True)


def interval(values, seed=0):
    """Return the mean of values and the ends of its 95 % interval, by the bootstrap: 2,000 draws of as many robots."""
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


def main():
    """Measure what is missing, and write the file."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("methods", nargs="*", choices=[[], *METHODS], help="by default all")
    options.add_argument("--anew", action="store_true", help="forget what these methods have in the file")
    options.add_argument("--robots", type=int, default=ROBOTS, help=f"robots a task, by default {ROBOTS}")
    options.add_argument("--file", type=Path, default=FILE, help="by default the one that the page reads")
    chosen = options.parse_args()
    from helpers import pretrained
    from helpers.files import write_whole

    rows = json.loads(chosen.file.read_text(encoding="utf-8"))["rows"] if chosen.file.exists() else {}
    methods = ["exact", *(method for method in chosen.methods or METHODS if method != "exact")]
    if chosen.anew:
        rows = {method: old for method, old in rows.items() if method not in methods}

    def keep(rows):
        found = {"command": "python -m benchmarks.odds", "date": str(datetime.date.today()), "answers": ANSWERS}
        found["table"] = {method: {task: summary(some, rows["exact"][task]) for task, some in of.items()}
                          for method, of in rows.items()}
        found["calibration"] = {method: calibration([row for some in of.values() for row in some])
                                for method, of in rows.items()}
        text = json.dumps({**found, "rows": rows})
        write_whole(chosen.file, lambda path: path.write_text(text + "\n", encoding="utf-8"))

    measure(methods, pretrained.load("diffusion-robots"), rows, keep, chosen.robots)
    for method, of in json.loads(chosen.file.read_text(encoding="utf-8"))["table"].items():
        for task, line in of.items():
            print(f"{method:9}{task:11}" + "".join(f"  {name} {value}" for name, value in line.items()))


if __name__ == "__main__":
    main()
