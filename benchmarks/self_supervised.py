"""One noisy picture and nothing else, beside methods that know more: ``python -m benchmarks.self_supervised``.

Writes book/4-examples/self-supervised.json, which the page "Learn without clean pictures" reads. The eight test
photographs of 256 × 256 pixels, under three kinds of noise:

- ``gaussian``: white, σ = 25/255; the classical methods are told σ,
- ``poisson``: counts of light, white being 10 to 40 photons: how many is drawn for each picture, and told to nobody,
- ``varying``: Gaussian, with σ rising from 5/255 at the left to 55/255 at the right, told to nobody.

Where σ is told to nobody, the classical methods and the supervised network are run twice, with what ``estimate_noise``
says and with the true root mean square of the noise, which they could not know; the better of the two counts. The best
classical method and the supervised network run once more, *by place*: with a level for each place, which again comes
from nothing but the noisy picture. In the file a row is one photograph under one noise: the PSNR of each method in dB.
What is in the file already is kept, so a run that was stopped goes on where it stopped; ``--photos 2`` measures two
photographs only, ``--rivals`` measures the others again and keeps what was learned, ``--anew`` forgets all.
"""

import argparse
import datetime
import json
import time
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "book/4-examples/self-supervised.json"
COMMAND = "python -m benchmarks.self_supervised"
NOISES = ("gaussian", "poisson", "varying")
CLASSICAL = ("dct_shrinkage", "non_local_means", "total_variation", "wavelet_shrinkage")
SIGMA = 25 / 255
LEARNED = ("blind", "blind, strict")
BY_PLACE = ("dct_shrinkage", "supervised")
SQUARE = 64  # pixels: side of the squares whose levels are estimated one by one
LEVELS = np.array([3, 6, 10, 15, 21, 28, 38, 50, 65]) / 255  # at which a method is run that gets a level for each place


def noisy(x, noise, seed):
    """Return x (H, W) under one of the three kinds of noise, float32."""
    rng = np.random.default_rng([seed, NOISES.index(noise)])
    if noise == "poisson":
        photons = np.exp(rng.uniform(np.log(10), np.log(40)))
        y = rng.poisson(photons * x.astype(np.float64)) / photons
    else:
        level = SIGMA if noise == "gaussian" else np.linspace(5, 55, x.shape[1]) / 255
        y = x + level * rng.standard_normal(x.shape)
    return y.astype(np.float32)


def by_place(denoise, y, noise):
    """Return the answer of ``denoise(y, sigma)`` to y (H, W) if it is told how noisy each place is.

    Counts of photons go through Anscombe's transform (1948, doi:10.1093/biomet/35.3-4.246) and back, with the number
    of photons after which ``estimate_noise`` finds the level that the transform promises. Otherwise the level is
    estimated in squares and taken to be linear between their middles; each pixel takes its answer between those at the
    two levels next to its own.
    """
    from scipy.ndimage import zoom

    from helpers.restoration import estimate_noise

    if noise == "poisson":
        def root(photons, counts):
            return (2 * np.sqrt(photons * counts + 3 / 8)).astype(np.float32)

        photons = min(np.geomspace(3, 300, 40), key=lambda some: abs(estimate_noise(root(some, y)) - 1))
        white = root(photons, 1)
        z = white * denoise(root(photons, y) / white, float(1 / white))
        return (z**2 / 4 - 1 / 8) / photons
    squares = [[estimate_noise(y[i : i + SQUARE, j : j + SQUARE]) for j in range(0, y.shape[1], SQUARE)]
               for i in range(0, y.shape[0], SQUARE)]
    level = zoom(np.array(squares), SQUARE, order=1, mode="nearest", grid_mode=True)
    level = level[: y.shape[0], : y.shape[1]].clip(LEVELS[0], LEVELS[-1])
    answers = np.stack([denoise(y, sigma) for sigma in LEVELS])
    low = np.clip(np.searchsorted(LEVELS, level) - 1, 0, len(LEVELS) - 2)
    share = (level - LEVELS[low]) / (LEVELS[low + 1] - LEVELS[low])
    here = np.indices(y.shape)
    return (1 - share) * answers[low, *here] + share * answers[low + 1, *here]


def rivals(x, noise, seed):
    """Return what the other methods make of one photograph, {method: PSNR}, and the σ that were told."""
    from helpers import pretrained, restoration
    from helpers.operators import Identity

    def denoiser(name):
        if name == "supervised":
            return pretrained.shared("denoiser")
        return lambda y, sigma: getattr(restoration, name)(y, Identity(), sigma)

    y = noisy(x, noise, seed)
    if noise == "gaussian":
        told = (SIGMA,)
    else:
        told = (float(restoration.estimate_noise(y)), float(np.sqrt(np.mean((y - x) ** 2))))
    scores = {name: max(_score(x, denoiser(name)(y, sigma)) for sigma in told) for name in (*CLASSICAL, "supervised")}
    if noise != "gaussian":
        scores |= {f"{name}, by place": _score(x, by_place(denoiser(name), y, noise)) for name in BY_PLACE}
    return scores, [round(sigma, 5) for sigma in told]


def learned(x, noise, seed):
    """Return the PSNR of the two answers of the network that learns from one picture, and its seconds of processor."""
    from helpers.models.self_supervised import learn

    y = noisy(x, noise, seed)
    started = time.process_time()
    network = learn(y, "blind", seed=seed)
    score = _score(x, network(y))
    seconds = time.process_time() - started
    return dict(zip(LEARNED, (score, _score(x, network.blind(y))), strict=True)), round(seconds, 1)


def _score(x, answer):
    from helpers.metrics import psnr

    return round(float(psnr(x, np.clip(answer, 0, 1))), 3)


def summary(rows):
    """Return what the page reads, {noise: {...}}: means over photographs, the margin over the best classical method.

    The best classical method is that with the highest mean.
    """
    found = {}
    for noise in NOISES:
        scores = [row["psnr"] for row in rows.get(noise, {}).values()]
        if not scores:
            continue
        means = {name: round(float(np.mean([one[name] for one in scores])), 2) for name in scores[0]
                 if all(name in one for one in scores)}
        best = max(CLASSICAL, key=means.get)
        margins = [one["blind"] - one[best] for one in scores]
        found[noise] = {"photos": len(scores), "mean": means, "best_classical": best,
                        "margin": round(float(np.mean(margins)), 2), "worst": round(min(margins), 2)}
    return found


def main():
    """Measure what is missing, and write the file after every row."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--photos", type=int, default=8, help="so many of the test photographs, by default all 8")
    options.add_argument("--rivals", action="store_true", help="measure them again, and keep what was learned")
    options.add_argument("--anew", action="store_true", help="forget what the file has")
    options.add_argument("--file", type=Path, default=FILE, help="by default the one that the page reads")
    chosen = options.parse_args()
    from helpers.files import write_whole
    from helpers.images import SPLITS, photo

    known = chosen.file.exists() and not chosen.anew
    rows = json.loads(chosen.file.read_text(encoding="utf-8"))["rows"] if known else {}
    for seed, name in enumerate(SPLITS["test"][: chosen.photos]):
        for noise in NOISES:
            row = rows.setdefault(noise, {}).get(name)
            if row is not None and not chosen.rivals:
                continue
            if row is None:
                ours, seconds = learned(photo(name), noise, seed)
            else:
                ours, seconds = {key: row["psnr"][key] for key in LEARNED}, row["processor_seconds"]
            others, told = rivals(photo(name), noise, seed)
            row = rows[noise][name] = {"psnr": others | ours, "told": told, "processor_seconds": seconds}
            print(f"{noise:9} {name:10} {row}", flush=True)
            found = {"command": COMMAND, "date": str(datetime.date.today()), "summary": summary(rows), "rows": rows}
            text = json.dumps(found, indent=1) + "\n"
            write_whole(chosen.file, lambda path, text=text: path.write_text(text, encoding="utf-8"))
    for noise, line in summary(rows).items():
        print(f"{noise:9} {line}")


if __name__ == "__main__":
    main()
