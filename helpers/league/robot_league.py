"""The league of robots: every method on four damages of the same robots. Attributes read right, how far the odds are
off, seconds.

The world holds 10⁶ robots, so each damaged one can be held against the sum over all of them: which attributes the
damage leaves open, and with which odds. A method gives one picture or 16; their attributes are read back. Two methods
know the exact posterior, and show what can be reached: its likeliest robot, and 16 draws of it.
"""

import time
from typing import NamedTuple

import numpy as np

from helpers import metrics, pretrained, restoration, validation
from helpers.images import robots
from helpers.league import robot_tasks
from helpers.league.record import gather, write_rows

TASKS = tuple(robot_tasks.tasks())
ANSWERS = 16  # of a method that draws
ROBOTS = 20  # damaged ones, by default
MODEL = "diffusion-robots"


def _likeliest(exact, seed):
    return robots.from_index(np.array([exact.probabilities.argmax()]))


def _draws(exact, seed):
    return exact.draw(ANSWERS, seed)


def _once(method):
    """Turn a method that gives one picture into one that gives a batch of one."""
    return lambda y, operator, sigma, seed: np.asarray(method(y, operator, sigma))[None]


def _sampler(name):
    def draw(y, operator, sigma, seed):
        from helpers.posterior.samplers import sample

        known = {"prior": robot_tasks.prior()} if name == "gibbs" else {}
        return sample(y, operator, sigma, pretrained.shared(MODEL), ANSWERS, seed, method=name, **known)

    return draw


SAMPLERS = ("pgdm", "repaint", "dps", "twisted", "gibbs")  # as helpers.posterior.samplers calls them
KNOWING = {"exact, likeliest": _likeliest, f"exact, {ANSWERS} draws": _draws}  # (exact, seed) -> attributes (n, 6)
SEEING = {  # (y, operator, sigma, seed) -> pictures (n, 32, 32, 3)
    "as it came": _once(lambda y, operator, sigma: y),
    "biharmonic": _once(restoration.biharmonic),
    "total variation": _once(restoration.total_variation),
    **{name: _sampler(name) for name in SAMPLERS},
}
METHODS = {**KNOWING, **SEEING}
NEEDS_LOSS = ("biharmonic", "repaint")  # these only fill in what is missing


def able(task):
    """Return the names of the methods that can do a task."""
    noisy = validation.choice(task, "task", TASKS) == "noise"
    return [name for name in METHODS if not (noisy and name in NEEDS_LOSS)]


class Row(NamedTuple):
    """One method on one damaged robot."""

    task: str
    method: str
    robot: int
    all_six: float  # share of answers in which all six attributes are read right
    open: float  # of the attributes that the damage leaves open, the share that is read right; NaN if none is
    apart: float  # total variation distance of their counted odds from the exact ones; NaN if none is open
    seconds: float  # for all answers


def run(n=ROBOTS, tasks=None, methods=None, seed=0, progress=False, each=None, crew=None):
    """Play every method that can do it on every task and ``n`` robots; return the list of rows.

    The robots are the first of ``robots.unseen_robots``, ``tasks`` and ``methods`` all by default. All methods meet one
    damaged robot before the next. ``each`` is called with each row as soon as those of a robot are there. ``crew``, of
    ``helpers.workers.hands``, plays; by default this process.
    """
    n = validation.integer(n, "n", low=1)
    seed = validation.seed(seed)
    tasks = list(dict.fromkeys(validation.choice(task, "task", TASKS) for task in (tasks or TASKS)))
    chosen = list(dict.fromkeys(validation.choice(method, "method", METHODS) for method in (methods or METHODS)))
    games = {task: [method for method in chosen if method in able(task)] for task in tasks}
    games = {task: some for task, some in games.items() if some}
    if not games:
        raise ValueError(f"method: none of {', '.join(chosen)} can do {', '.join(tasks)}")
    jobs = [(task, number, robot, some, seed)
            for number, robot in enumerate(robots.unseen_robots(n)) for task, some in games.items()]
    return gather(_play, jobs, "robot", progress, each, crew)


def _play(task, number, robot, methods, seed):
    """Play some methods on one damaged robot; return a row for each."""
    from helpers.posterior.exact import exact_posterior

    y, operator, sigma = robot_tasks.damaged(task, robot, number, seed)
    prior = robot_tasks.prior()
    if set(methods) & set(SAMPLERS):
        pretrained.shared(MODEL)  # loading is not the method's time
    started = time.perf_counter()
    exact = exact_posterior(y, operator, sigma, prior=prior)
    known = time.perf_counter() - started
    rows = []
    for method in methods:
        started = time.perf_counter()
        if method in KNOWING:
            said = KNOWING[method](exact, seed + number)
            seconds = known + time.perf_counter() - started
        else:
            x_hat = SEEING[method](y.copy(), operator, sigma, seed + number)
            seconds = time.perf_counter() - started
            said, _ = robots.read(np.clip(x_hat, 0, 1))
        rows.append(Row(task, method, number, *marks(said, robot, exact), seconds))
    return rows


def marks(said, robot, exact):
    """Return share of answers with all six attributes right, share of the open ones, and distance of their odds.

    ``said`` (n, 6) was read in the answers, ``robot`` (6,) is the truth, ``exact`` its posterior.
    """
    right, apart = said == robot, robot_tasks.distances(exact, said)
    columns = [robots.ATTRIBUTES.index(name) for name in apart]
    if not columns:
        return float(right.all(axis=1).mean()), float("nan"), float("nan")
    return float(right.all(axis=1).mean()), float(right[:, columns].mean()), float(np.mean(list(apart.values())))


def summarise(rows):
    """Return one dictionary for each task and method: the means of a row's marks with 95 % intervals, median seconds.

    ``robots`` says over how many robots the share of ``all_six`` is a mean; ``open robots`` over how many the others
    are: those of which something is open. The nearest odds of a task come first.
    """
    groups = {}
    for row in rows:
        groups.setdefault((row.task, row.method), []).append(row)
    nothing = metrics.Interval(float("nan"), float("nan"), float("nan"))
    table = []
    for (task, method), group in groups.items():
        some = [row for row in group if not np.isnan(row.open)]
        table.append({
            "task": task, "method": method, "robots": len(group), "open robots": len(some),
            "all_six": metrics.bootstrap_interval([row.all_six for row in group]),
            "open": metrics.bootstrap_interval([row.open for row in some]) if some else nothing,
            "apart": metrics.bootstrap_interval([row.apart for row in some]) if some else nothing,
            "seconds": float(np.median([row.seconds for row in group])),
        })
    return sorted(table, key=lambda line: (TASKS.index(line["task"]), np.nan_to_num(line["apart"].mean, nan=np.inf)))


def about(seed=0):
    """Return what a file of rows says of the run: its seed, and the checksum of the weights."""
    return {"seed": seed, "weights": {MODEL: pretrained.card(MODEL)["sha256"]}}


def save(rows, path, seed=0):
    """Write the rows as JSON with the seed and the checksum of the weights: all of it, or nothing."""
    write_rows(rows, path, about(seed))


def notes(lines):
    """Return sentences that say what the columns of the table are."""
    few = sorted({(line["task"], line["open robots"], line["robots"]) for line in lines
                  if line["open robots"] < line["robots"]}, key=lambda one: TASKS.index(one[0]))
    return ["all six: share of answers in which every attribute is read right; open: of the attributes that the exact",
            "posterior leaves open, the share read right; odds off: distance of their counted odds from the exact ones",
            *(f"{task}: something is open of {some} of {all_of_them} robots" for task, some, all_of_them in few)]
