"""What looks, noise levels, new noise and guidance buy: ``python -m benchmarks.diffusion [digits or robots]``.

Writes book/3-algorithms/diffusion.json and diffusion-robots.json beside it, which the page "Walk from noise to
pictures" reads: so many samples of each setting are too many for a page. Digits are compared with real ones, two
thousand for each setting, all from the same noise and equally many of each class. Robots are read: is a sample a robot
of the world, and are all six attributes as asked for? That takes two hundred each. It takes about a quarter of an hour
for the digits on two cores, and a few minutes for the robots.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from helpers import pretrained, validation
from helpers.files import write_whole
from helpers.images import digits, robots
from helpers.league import digit_tasks
from helpers.models.diffusion import SAMPLERS, evaluations

FOLDER = Path(__file__).parents[1] / "book/3-algorithms"
LOOKS = (3, 5, 9, 17, 33, 65)
GUIDANCE = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
STEPS = 9  # of Heun's method, where guidance is measured
ROBOT_LOOKS = LOOKS[1:5]
ROBOT = 0.03  # root mean square distance from the nearest robot, up to which a picture shows one


def measure_digits(samples=2000):
    """Return the numbers of all settings for digits; ``samples`` is a multiple of ten."""
    model, judge = pretrained.load("diffusion-digits"), pretrained.load("classifier")
    asked = np.arange(validation.integer(samples, "samples", low=10)) % 10
    x_test, y_test = digits()[2:]
    real = variety(x_test, y_test)

    def measure(steps, sampler, guidance=1.0):
        x = model.sample(len(asked), 0, asked, steps, sampler, guidance)
        quality = digit_tasks.sample_quality(x, judge)
        found = {"looks": evaluations(sampler, steps, guidance), "multiple of the floor": quality.multiple,
                 "read as asked": float(np.mean(judge.read(x) == asked)), "variety": variety(x, asked) / real,
                 "brightness": float(x.mean()), "brightness of the first fifty": float(x[:50].mean())}
        tell(sampler, guidance, found)
        return found

    return {"sha256": pretrained.card("diffusion-digits")["sha256"], "samples": len(asked),
            "read right of held-out digits": float(np.mean(judge.read(x_test) == y_test)),
            "samplers": {name: [measure(_steps(sampler, looks), name) for looks in LOOKS]
                         for name, sampler in SAMPLERS.items()},
            "guidance": {f"{guidance:g}": measure(STEPS, "heun", guidance) for guidance in GUIDANCE}}


def measure_robots(samples=200):
    """Return the numbers of all settings for robots: ``samples`` are drawn without a caption, as many with captions of
    pairs that training showed, and as many of pairs held out."""
    model = pretrained.load("diffusion-robots")
    asked = {"as asked": robots.draw_robots(samples, 2), "as asked, pairs held out":
             robots.draw_robots(samples, 2, "held-out")}

    def measure(steps, sampler, guidance=1.0, untold=True):
        found = {"looks": evaluations(sampler, steps, guidance)}
        if untold:
            read, far = robots.read(model.sample(samples, 0, None, steps, sampler))
            found |= {"robots": float(np.mean(far < ROBOT)), "distance": float(np.median(far)),
                      "robots with a pair held out": float(np.mean((far < ROBOT) & ~robots.allowed(read)))}
        for name, attributes in asked.items():
            read, far = robots.read(model.sample(samples, 1, attributes, steps, sampler, guidance))
            found |= {name: float(np.mean((read == attributes).all(axis=1))),
                      name + ", distance": float(np.median(far))}
        tell(sampler, guidance, found)
        return found

    return {"sha256": pretrained.card("diffusion-robots")["sha256"], "samples": samples,
            "samplers": {name: [measure(_steps(sampler, looks), name) for looks in ROBOT_LOOKS]
                         for name, sampler in SAMPLERS.items()},
            "guidance": {f"{guidance:g}": measure(STEPS, "heun", guidance, untold=False)
                         for guidance in GUIDANCE[1:]}}


def tell(sampler, guidance, found):
    """Print the numbers of one setting as soon as they are there."""
    print(sampler, f"guidance {guidance:g}", *(f"{key} {value:.4g}" for key, value in found.items()), flush=True)


def _steps(sampler, looks):
    return (looks + sampler.order - 1) // sampler.order


def variety(x, labels):
    """Return how far two digits of one class are apart on average: root mean square over pixels, then the mean."""
    apart = []
    for label in np.unique(labels):
        same = x[labels == label].reshape(np.sum(labels == label), -1).astype(np.float64)
        squares = (same**2).sum(1)
        squares = np.maximum(squares[:, None] + squares - 2 * same @ same.T, 0) / same.shape[1]
        apart.append(np.sqrt(squares)[np.triu_indices(len(same), 1)].mean())
    return float(np.mean(apart))


WORLDS = {"digits": (measure_digits, "diffusion.json"), "robots": (measure_robots, "diffusion-robots.json")}


def main(worlds, samples=None):
    """Measure the settings of some worlds and write their files."""
    for world in worlds:
        measure, file = WORLDS[world]
        text = json.dumps(measure(*([] if samples is None else [samples])), indent=1) + "\n"
        write_whole(FOLDER / file, lambda path, text=text: path.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("worlds", nargs="*", help="digits, robots; by default both")
    options.add_argument("--samples", type=int, help="of each setting")
    chosen = options.parse_args()
    main([validation.choice(world, "world", WORLDS) for world in chosen.worlds or WORLDS], chosen.samples)
