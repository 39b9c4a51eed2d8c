"""An algorithm whose steps are learned: ``python -m benchmarks.unrolled [--steps 120] [--rival 1500] [--only TASK]``.

Six steps of plug-and-play with the shipped denoiser become a network (``helpers.models.unrolled``), and their schedule
is learned on photographs of ``photos("train")``, damaged as the league's task `deblur` damages; and another one for
`tomography`, on pieces of 64 × 64 pixels with as many views for each pixel of a side. Beside it stands a
network of the same size that was trained for the same damage: the denoiser's own U-Net, which goes on from the
denoiser's weights and is shown blurred pictures. All of these, plug-and-play and total variation then restore the test
photographs, 256 × 256, as damaged in training and otherwise. Seconds are those of this machine with nothing else to
do, and are taken in turn, picture by picture.

Results are kept in ``book/3-algorithms/unrolled.json``, from where the page takes schedule and table. About ten minutes
on two cores.
"""

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from helpers import metrics, pretrained, restoration
from helpers.files import write_whole
from helpers.images import photos
from helpers.league.photographs import TASKS as LEAGUE
from helpers.models import adam_for
from helpers.models.unrolled import Splitting
from helpers.operators import Blur, Operator, Radon, measure
from helpers.restoration.tv import first_guess

RESULTS = Path(__file__).parents[1] / "book/3-algorithms/unrolled.json"
STEPS = 6


class Task(NamedTuple):
    """What is trained for: operator and noise of pieces of a size, where it begins, and the damages of the test."""

    operator: Operator
    sigma: float
    side: int
    batch: int
    begin: list
    cases: dict  # from a name to operator and sigma


A, SIGMA = Blur.gaussian(1.6), LEAGUE["deblur"].sigma
TASKS = {
    "deblur": Task(A, SIGMA, 96, 6, restoration.even_schedule(SIGMA, STEPS), {
        "as trained": (A, SIGMA), "narrower blur": (Blur.gaussian(1.0), SIGMA),
        "moving camera": (Blur.motion(9, 30), SIGMA),
        "another border": (Blur.gaussian(1.6, border="reflect"), SIGMA), "noise × 3": (A, 3 * SIGMA)}),
    "tomography": Task(Radon.sparse_view(64, 15), 0.0, 64, 4, restoration.even_schedule(0.0, STEPS), {
        "as trained": (Radon.sparse_view(256, 60), 0.0), "half the views": (Radon.sparse_view(256, 30), 0.0)}),
}


def patches(pictures, task, count, rng):
    """Return pieces of pictures, their measurements and a first guess, each a batch with a last axis of 1."""
    found = []
    for _ in range(count):
        x = pictures[rng.integers(len(pictures))]
        i, j = (rng.integers(length - task.side + 1) for length in x.shape)
        x = np.rot90(x[i : i + task.side, j : j + task.side], rng.integers(4))
        y = measure(x, task.operator, task.sigma, rng)
        found.append((x, y, first_guess(y, task.operator, task.sigma)))
    return (np.stack(part)[..., None].astype(np.float32) for part in zip(*found, strict=True))


def distance(x_hat, x):
    """Return the mean logarithm of each picture's squared error: PSNR but for a factor."""
    return tf.reduce_mean(tf.math.log(tf.reduce_mean((x_hat - x) ** 2, [1, 2, 3])))


def learn(network, task, inputs, steps, rate, seed=0):
    """Train a network on pieces of photographs; ``inputs(y, guess)`` is what it is shown."""
    pictures, rng = list(photos("train", size=None).values()), np.random.default_rng(seed)
    adam = adam_for(network, keras.optimizers.schedules.CosineDecay(rate, steps))

    @tf.function(autograph=False)
    def step(x, y, guess):
        with tf.GradientTape() as tape:
            loss = distance(network(inputs(y, guess)), x)
        adam.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    for _ in tqdm(range(steps), desc=network.name, disable=None):
        step(*map(tf.constant, patches(pictures, task, task.batch, rng)))


def learned_schedule(task, steps):
    """Return the schedule (STEPS, 2) that training finds."""
    denoiser = pretrained.load("denoiser").network
    network = Splitting(task.operator, task.sigma, denoiser, task.begin, (task.side, task.side))
    learn(network, task, lambda y, guess: (y, guess), steps, rate=0.1)
    return network.schedule


def trained_rival(task, steps):
    """Return the denoiser's network, trained on for one blur, as ``restore(y, operator, sigma)``: it hears neither."""
    rival = pretrained.load("denoiser")
    rival.network.trainable = True
    learn(rival.network, task._replace(batch=8),
          lambda y, guess: tf.concat([y, tf.fill(tf.shape(y), task.sigma)], -1), steps, rate=5e-4)
    return lambda y, operator, sigma: rival(y, task.sigma)


def contestants(name, schedule, rival_steps):
    """Return ``restore(y, operator, sigma)`` by name."""
    task, denoiser = TASKS[name], pretrained.load("denoiser")

    def steps_of(given):
        return lambda y, operator, sigma: restoration.plug_and_play(
            y, operator, sigma, denoiser=denoiser, schedule=given)

    ours = {"plug-and-play": steps_of(None), "six even steps": steps_of(task.begin),
            "six learned steps": steps_of(schedule)}
    if name == "tomography":
        return {"least squares": restoration.least_squares, **ours}
    less = [(allowed, 0.1) for allowed, _ in task.begin]  # lets the denoiser count less, and was not trained
    return {"as it came": lambda y, operator, sigma: y, "total variation": restoration.total_variation, **ours,
            "even, c = 0.1": steps_of(less), "U-Net": trained_rival(task, rival_steps)}


def play(cases, methods):
    """Return PSNR per case, method and test photograph, and the median seconds of each method in the first case."""
    scores, seconds = {}, {name: [] for name in methods}
    for case, (operator, sigma) in cases.items():
        for i, x in enumerate(photos("test").values()):
            y = measure(x, operator, sigma, np.random.default_rng(i))
            for name, restore in methods.items():
                begun = time.perf_counter()
                x_hat = restore(y, operator, sigma)
                if case == next(iter(cases)):
                    seconds[name].append(time.perf_counter() - begun)
                scores.setdefault(case, {}).setdefault(name, []).append(round(metrics.psnr(x, x_hat), 3))
    return scores, {name: float(np.median(values)) for name, values in seconds.items()}


def main():
    """Learn, play, keep the results and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=120, help="of training, for a schedule")
    parser.add_argument("--rival", type=int, default=1500, help="of training, for the rival")
    parser.add_argument("--only", choices=TASKS, help="one task; the other's results stay")
    wanted = parser.parse_args()
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if wanted.only else {}
    kept["denoiser"] = pretrained.card("denoiser")["sha256"]
    for name, task in TASKS.items():
        if wanted.only not in (None, name):
            continue
        schedule = np.round(learned_schedule(task, wanted.steps), 6).tolist()  # as it is kept
        print(f"{name}:", *(f"({255 * allowed:.2f} / 255, {trust:.3f})" for allowed, trust in schedule), flush=True)
        scores, seconds = play(task.cases, contestants(name, schedule, wanted.rival))
        kept[name] = {"schedule": schedule, "steps": wanted.steps, "psnr": scores, "seconds": seconds}
        if "U-Net" in seconds:
            kept[name]["steps of the U-Net"] = wanted.rival
        text = json.dumps(kept, indent=1)
        write_whole(RESULTS, lambda path, text=text: path.write_text(text + "\n", encoding="utf-8"))
        print(f"{'':18}" + "".join(f"{case:>16}" for case in task.cases) + f"{'seconds':>10}")
        for method in seconds:
            print(f"{method:18}" + "".join(f"{np.mean(scores[case][method]):16.2f}" for case in task.cases)
                  + f"{seconds[method]:10.2f}")


if __name__ == "__main__":
    main()
