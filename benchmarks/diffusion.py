"""What looks, noise levels, new noise and guidance buy: ``python -m benchmarks.diffusion``.

Writes book/3-algorithms/diffusion.json, which the page "Walk from noise to pictures" reads: two thousand digits for
each setting are too many for a page. Every setting draws from the same noise, the same number of digits of each class.
It takes about a quarter of an hour on two cores.
"""

import json
import sys
from pathlib import Path

import numpy as np

from helpers import pretrained, validation
from helpers.files import write_whole
from helpers.images import digits
from helpers.league import digit_tasks
from helpers.models.diffusion import SAMPLERS, evaluations

FILE = Path(__file__).parents[1] / "book/3-algorithms/diffusion.json"
LOOKS = (3, 5, 9, 17, 33, 65)
GUIDANCE = (0.0, 1.0, 1.5, 2.0, 3.0, 5.0)
STEPS = 9  # of Heun's method, where guidance is measured


def main(samples=2000):
    """Measure all settings and write the file; ``samples`` is a multiple of ten."""
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
        print(sampler, f"guidance {guidance:g}", *(f"{key} {value:.4g}" for key, value in found.items()), flush=True)
        return found

    found = {"sha256": pretrained.card("diffusion-digits")["sha256"], "samples": len(asked),
             "read right of held-out digits": float(np.mean(judge.read(x_test) == y_test)),
             "samplers": {name: [measure((looks + sampler.order - 1) // sampler.order, name) for looks in LOOKS]
                          for name, sampler in SAMPLERS.items()},
             "guidance": {f"{guidance:g}": measure(STEPS, "heun", guidance) for guidance in GUIDANCE}}
    write_whole(FILE, lambda path: path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8"))


def variety(x, labels):
    """Return how far two digits of one class are apart on average: root mean square over pixels, then the mean."""
    apart = []
    for label in np.unique(labels):
        same = x[labels == label].reshape(np.sum(labels == label), -1).astype(np.float64)
        squares = (same**2).sum(1)
        squares = np.maximum(squares[:, None] + squares - 2 * same @ same.T, 0) / same.shape[1]
        apart.append(np.sqrt(squares)[np.triu_indices(len(same), 1)].mean())
    return float(np.mean(apart))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
