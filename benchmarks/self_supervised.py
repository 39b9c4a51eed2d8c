"""One noisy picture and nothing else, beside methods that know more: ``python -m benchmarks.self_supervised``.

Writes book/4-examples/self-supervised.json, which the page "Learn without clean pictures" reads. The eight test
photographs of 256 × 256 pixels, under three kinds of noise:

- ``gaussian``: white, σ = 25/255; the classical methods are told σ,
- ``poisson``: counts of light, white being 10 to 40 photons: how many is drawn for each picture, and told to nobody,
- ``varying``: Gaussian, with σ rising from 5/255 at the left to 55/255 at the right, told to nobody.

Where σ is told to nobody, the classical methods and the supervised network are run twice, with what ``estimate_noise``
says and with the true root mean square of the noise, which they could not know; the better of the two counts. In the
file a row is one photograph under one noise: the PSNR of each method in dB. What is in the file already is kept, so a
run that was stopped goes on where it stopped; ``--photos 2`` measures two photographs only, ``--anew`` forgets.
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


def measure(x, noise, seed):
    """Return the row of one photograph: {method: PSNR}, the σ that were told, and the seconds of processor time."""
    from helpers import metrics, pretrained, restoration
    from helpers.models.self_supervised import learn
    from helpers.operators import Identity

    def score(answer):
        return float(metrics.psnr(x, np.clip(answer, 0, 1)))

    y = noisy(x, noise, seed)
    if noise == "gaussian":
        told = (SIGMA,)
    else:
        told = (float(restoration.estimate_noise(y)), float(np.sqrt(np.mean((y - x) ** 2))))
    scores = {name: max(score(getattr(restoration, name)(y, Identity(), sigma)) for sigma in told)
              for name in CLASSICAL}
    scores["supervised"] = max(score(pretrained.shared("denoiser")(y, sigma)) for sigma in told)
    started = time.process_time()
    learned = learn(y, "blind", seed=seed)
    scores["blind"] = score(learned(y))
    seconds = time.process_time() - started
    scores["blind, strict"] = score(learned.blind(y))
    return {"psnr": {name: round(one, 3) for name, one in scores.items()},
            "told": [round(sigma, 5) for sigma in told], "processor_seconds": round(seconds, 1)}


def summary(rows):
    """Return what the page reads, {noise: {...}}: means over photographs, the margin over the best classical method.

    The best classical method is that with the highest mean.
    """
    found = {}
    for noise in NOISES:
        scores = [row["psnr"] for row in rows.get(noise, {}).values()]
        if not scores:
            continue
        means = {name: round(float(np.mean([one[name] for one in scores])), 2) for name in scores[0]}
        best = max(CLASSICAL, key=means.get)
        margins = [one["blind"] - one[best] for one in scores]
        found[noise] = {"photos": len(scores), "mean": means, "best_classical": best,
                        "margin": round(float(np.mean(margins)), 2), "worst": round(min(margins), 2)}
    return found


def main():
    """Measure what is missing, and write the file after every row."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--photos", type=int, default=8, help="so many of the test photographs, by default all 8")
    options.add_argument("--anew", action="store_true", help="forget what the file has")
    options.add_argument("--file", type=Path, default=FILE, help="by default the one that the page reads")
    chosen = options.parse_args()
    from helpers.files import write_whole
    from helpers.images import SPLITS, photo

    known = chosen.file.exists() and not chosen.anew
    rows = json.loads(chosen.file.read_text(encoding="utf-8"))["rows"] if known else {}
    for seed, name in enumerate(SPLITS["test"][: chosen.photos]):
        for noise in NOISES:
            if name in rows.get(noise, {}):
                continue
            row = rows.setdefault(noise, {})[name] = measure(photo(name), noise, seed)
            print(f"{noise:9} {name:10} {row}", flush=True)
            found = {"command": COMMAND, "date": str(datetime.date.today()), "summary": summary(rows), "rows": rows}
            text = json.dumps(found, indent=1) + "\n"
            write_whole(chosen.file, lambda path, text=text: path.write_text(text, encoding="utf-8"))
    for noise, line in summary(rows).items():
        print(f"{noise:9} {line}")


if __name__ == "__main__":
    main()
