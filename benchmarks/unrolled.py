"""An algorithm whose steps are learned, for one blur: ``python -m benchmarks.unrolled [--steps 120] [--rival 1500]``.

Six steps of plug-and-play with the shipped denoiser become a network (``helpers.models.unrolled``), and their schedule
is learned on photographs of ``photos("train")``, blurred as the league's task `deblur` blurs. Beside it stands a
network of the same size that was trained for the same damage: the denoiser's own U-Net, which goes on from the
denoiser's weights and is shown blurred pictures. Both, plug-and-play and total variation then restore the test
photographs, 256 × 256, as damaged in training and otherwise. Seconds are those of this machine with nothing else to
do, and are taken in turn, picture by picture.

Results are kept in ``book/3-algorithms/unrolled.json``, from where the page takes schedule and table. About ten minutes
on two cores.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from helpers import metrics, pretrained, restoration
from helpers.files import write_whole
from helpers.images import photos
from helpers.league.photographs import TASKS
from helpers.models.unrolled import Splitting
from helpers.operators import Blur, measure
from helpers.restoration.tv import first_guess

RESULTS = Path(__file__).parents[1] / "book/3-algorithms/unrolled.json"
A, SIGMA = Blur.gaussian(1.6), TASKS["deblur"].sigma
STEPS = 6
BEGIN = restoration.even_schedule(SIGMA, STEPS, least_noise=4 / 255)  # of three ends the best for six steps
CASES = {"as trained": (A, SIGMA), "narrower blur": (Blur.gaussian(1.0), SIGMA),
         "moving camera": (Blur.motion(9, 30), SIGMA), "another border": (Blur.gaussian(1.6, border="reflect"), SIGMA),
         "noise × 3": (A, 3 * SIGMA)}


def patches(pictures, count, side, rng):
    """Return clean and blurred patches of pictures and a first guess, each (count, side, side, 1)."""
    found = []
    for _ in range(count):
        x = pictures[rng.integers(len(pictures))]
        i, j = (rng.integers(length - side + 1) for length in x.shape)
        x = np.rot90(x[i : i + side, j : j + side], rng.integers(4))
        y = measure(x, A, SIGMA, rng)
        found.append((x, y, first_guess(y, A, SIGMA)))
    return (np.stack(part)[..., None].astype(np.float32) for part in zip(*found, strict=True))


def distance(x_hat, x):
    """Return the mean logarithm of each picture's squared error: PSNR but for a factor."""
    return tf.reduce_mean(tf.math.log(tf.reduce_mean((x_hat - x) ** 2, [1, 2, 3])))


def learn(network, inputs, steps, rate, batch, side, seed=0):
    """Train a network on patches; ``inputs(y, guess)`` is what it is shown."""
    pictures, rng = list(photos("train", size=None).values()), np.random.default_rng(seed)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))
    adam.build(network.trainable_variables)

    @tf.function(autograph=False)
    def step(x, y, guess):
        with tf.GradientTape() as tape:
            loss = distance(network(inputs(y, guess)), x)
        adam.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    for _ in tqdm(range(steps), desc=network.name, disable=None):
        step(*map(tf.constant, patches(pictures, batch, side, rng)))


def told(y):
    """Return y with the noise level as a second channel, as the denoiser's network is told it."""
    return tf.concat([y, tf.fill(tf.shape(y), SIGMA)], -1)


def learned_schedule(steps):
    """Return the schedule (STEPS, 2) that training finds."""
    side = 96
    network = Splitting(A, SIGMA, pretrained.load("denoiser").network, BEGIN, (side, side))
    learn(network, lambda y, guess: (y, guess), steps, rate=0.1, batch=6, side=side)
    return network.schedule


def trained_rival(steps):
    """Return ``restore(y)`` of the denoiser's network, trained on for the blur."""
    rival = pretrained.load("denoiser")
    rival.network.trainable = True
    learn(rival.network, lambda y, guess: told(y), steps, rate=5e-4, batch=8, side=96)
    return lambda y: rival(y, SIGMA)


def play(methods):
    """Return PSNR per case, method and test photograph, and the seconds of each method."""
    scores, seconds = {}, {name: [] for name in methods}
    for case, (operator, sigma) in CASES.items():
        for i, x in enumerate(photos("test").values()):
            y = measure(x, operator, sigma, np.random.default_rng(i))
            for name, restore in methods.items():
                begun = time.perf_counter()
                x_hat = restore(y, operator, sigma)
                if case == "as trained":
                    seconds[name].append(time.perf_counter() - begun)
                scores.setdefault(case, {}).setdefault(name, []).append(round(metrics.psnr(x, x_hat), 3))
    return scores, {name: float(np.median(values)) for name, values in seconds.items()}


def main():
    """Learn, play, keep the results and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=120, help="of training, for the schedule")
    parser.add_argument("--rival", type=int, default=1500, help="of training, for the rival")
    wanted = parser.parse_args()
    schedule, rival, denoiser = learned_schedule(wanted.steps), trained_rival(wanted.rival), pretrained.load("denoiser")
    print("schedule:", *(f"({255 * allowed:.2f} / 255, {trust:.3f})" for allowed, trust in schedule))
    methods = {
        "as it came": lambda y, operator, sigma: y,
        "total variation": restoration.total_variation,
        "plug-and-play": lambda y, operator, sigma: restoration.plug_and_play(y, operator, sigma, denoiser=denoiser),
        "six even steps": lambda y, operator, sigma: restoration.plug_and_play(
            y, operator, sigma, denoiser=denoiser, schedule=BEGIN),
        "six learned steps": lambda y, operator, sigma: restoration.plug_and_play(
            y, operator, sigma, denoiser=denoiser, schedule=schedule),
        "U-Net": lambda y, operator, sigma: rival(y),
    }
    scores, seconds = play(methods)
    text = json.dumps({"schedule": np.round(schedule, 6).tolist(), "steps": wanted.steps, "rival": wanted.rival,
                       "denoiser": pretrained.card("denoiser")["sha256"], "psnr": scores, "seconds": seconds}, indent=1)
    write_whole(RESULTS, lambda path: path.write_text(text + "\n", encoding="utf-8"))
    print(f"{'':18}" + "".join(f"{case:>16}" for case in CASES) + f"{'seconds':>10}")
    for name in methods:
        print(f"{name:18}" + "".join(f"{np.mean(scores[case][name]):16.2f}" for case in CASES)
              + f"{seconds[name]:10.2f}")


if __name__ == "__main__":
    main()
