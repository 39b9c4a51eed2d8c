"""How many robots does it take to invent one? ``python -m benchmarks.copies``.

Writes book/3-algorithms/copies.json, which the page "Walk from noise to pictures" shows. One small network is trained
four times, by as many steps from the same first weights: on 100, 1,000, 10,000 and 100,000 robots, each set the
beginning of the next. It is told no attributes. A thousand samples of each are read, and counted as

- a copy: a robot of the training set,
- new: a robot of the world that was not in it,
- no robot: farther than 0.06 from every one, root mean square over pixels.

Beside them stands what a model would copy by chance that drew all allowed robots alike, and the error of the denoiser
on robots of the training set and on robots of none. All intervals are of 95 %. It takes about three quarters of an hour
on two cores; a run that was stopped goes on where it stopped, and what is in the file already is kept.
"""

import json
from pathlib import Path

import numpy as np

from helpers.files import write_whole
from helpers.images import robots
from helpers.images.cache import cache_folder
from helpers.models import worlds
from helpers.models.diffusion import Training
from helpers.recipes import Recipe
from helpers.training import Loop

FILE = Path(__file__).parents[1] / "book/3-algorithms/copies.json"
SIZES = (100, 1000, 10000, 100000)
SAMPLES = 1000
ROBOT = 0.06  # root mean square distance from the nearest robot, above which a picture shows none
SIGMA = 0.3  # at which the errors are compared


def recipe(size):
    """Return the recipe of the network that sees only ``size`` robots."""
    return Recipe(
        what=f"diffusion model of {size} robots", model="diffusion.Diffusion",
        data=f"the first {size} of helpers.images.robots.training_robots",
        steps=6000, batch=64, learning_rate=1e-3, epoch=max(1, size // 64), betas=(0.9, 0.99), final=0.02,
        precision="mixed_bfloat16", look=0,
        options={"world": _world(size), "drop": 1.0, "noise": (-0.5, 1.3),
                 "network": {"widths": (32, 64, 96), "down": (1, 1, 1), "up": (1, 1)}})


def _world(size):
    """Name the world of the first ``size`` training robots, where the training will look for it."""

    class Few(worlds.Robots):
        """Robots on white, of which only some are ever shown."""

        def __init__(self, judge=None):
            super().__init__(judge)
            self.numbers = robots.index(robots.training_robots(size)).astype(np.int32)

    name = f"{size} robots"
    worlds.WORLDS[name] = Few
    return name


def count(x, size):
    """Return the shares of copies, new robots and pictures without a robot among samples, and the samples read."""
    read, far = robots.read(np.clip(x, 0, 1))
    known = np.isin(robots.index(read), robots.index(robots.training_robots(size)))
    robot = far <= ROBOT
    return {"copies": robot & known, "new": robot & ~known, "no robot": ~robot}


def interval(yes):
    """Return a share and the ends of its 95 % interval, by Wilson's formula."""
    n, share, z = len(yes), float(np.mean(yes)), 1.96
    middle, half = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = ((middle + side * half) / (1 + z**2 / n) for side in (-1, 1))
    return [round(float(value), 4) for value in (share, max(low, 0.0), min(high, 1.0))]


def error(model, attributes):
    """Return the root mean square error of the denoised pictures of some robots, at one noise level."""
    x = robots.render(attributes)
    noise = np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
    return round(float(np.sqrt(np.mean((model.denoise(x + SIGMA * noise, SIGMA) - x) ** 2))), 5)


def measure(size, checkpoint=None):
    """Train on ``size`` robots and return what the page shows; None if the run was stopped."""
    loop = Loop(lambda: Training(recipe(size)), recipe(size))
    if not loop.run(checkpoint):
        return None
    with loop.averaged():
        model = loop.training.ready
        shares = count(model.sample(SAMPLES, 0, sampler="heun", steps=9), size)
        errors = {"training": error(model, robots.training_robots(min(size, 500))),
                  "unseen": error(model, robots.unseen_robots(500))}
    return {"size": size, **{name: interval(yes) for name, yes in shares.items()}, "error": errors,
            "loss": [round(float(value), 4) for value in np.array(loop.curve)[-20:, 1:].mean(0)],
            "processor minutes": round(loop.processor_minutes, 1)}


def main():
    """Train and count what is missing in the file."""
    allowed = int(robots.allowed(robots.from_index(np.arange(robots.WORLD))).sum())
    settings = recipe(SIZES[0]).fingerprint() | {"samples": SAMPLES}
    found = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    rows = found["rows"] if found.get("recipe") == settings else []
    for size in SIZES:
        if any(row["size"] == size for row in rows):
            continue
        row = measure(size, cache_folder() / "training" / f"copies-{size}.npz")
        if row is None:
            raise SystemExit(f"stopped while {size} robots were learned: the same command goes on from there")
        rows.append(row)
        print(row, flush=True)
        text = json.dumps({"recipe": settings, "allowed": allowed, "rows": rows}, indent=1) + "\n"
        write_whole(FILE, lambda path, text=text: path.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    main()
