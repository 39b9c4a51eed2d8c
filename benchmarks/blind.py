"""Blind deconvolution of the test photographs: ``python -m benchmarks.blind [--sigma 1] [--size 21] [--photo NAME]``.

Each photograph at 256 × 256 is moved by 15 pixels in two directions, with a reflecting border and noise of level
``--sigma`` (in 255ths), and once not blurred at all. Then the kernel is found in a square of 21 pixels, and the picture
restored by total variation with it and with the true kernel.

PSNR is taken 16 pixels inside the border and over the best shift by whole pixels up to 3, of the blurred picture too.
Seconds are of the processor, with one thread. Results are kept in ``benchmarks/blind.json``: what stands there is not
done again, so a run that was stopped goes on; ``--again`` begins anew.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

from helpers import restoration
from helpers.files import write_whole
from helpers.images import SPLITS, photo
from helpers.operators import Blur, measure

RESULTS = Path(__file__).with_suffix(".json")
KERNELS = {"30°": (15, 30), "100°": (15, 100), "none": (1, 0)}


def one(name, kernel, level, size):
    """Return a row of the table: one photograph, one kernel."""
    x, true = photo(name), Blur.motion(*KERNELS[kernel], border="reflect")
    y = measure(x, true, level / 255, np.random.default_rng(0))
    start = time.process_time()
    x_hat, found = restoration.blind_deconvolution(y, size)
    seconds = time.process_time() - start
    told = restoration.total_variation(y, true, level / 255)
    psnr = restoration.aligned_psnr
    return {"photo": name, "kernel": kernel, "sigma": level, "size": size, "blurred": psnr(x, y),
            "restored": psnr(x, x_hat), "told": psnr(x, told),
            "correlation": restoration.kernel_correlation(found, true.kernel),
            "agreement": restoration.kernel_agreement(y, size, kernel=found),
            "radius": restoration.kernel_radius(found), "seconds": seconds}


def table(rows):
    """Print the rows, and means over the photographs."""
    keys = ("blurred", "restored", "told", "correlation", "agreement", "radius", "seconds")
    print(f"{'':24}" + "".join(f"{key:>12}" for key in keys))
    for kernel in KERNELS:
        some = [row for row in rows if row["kernel"] == kernel]
        for row in some:
            print(f"{row['photo']:>12} {kernel:>11}" + "".join(f"{row[key]:12.2f}" for key in keys))
        if some:
            print(f"{'mean of ' + str(len(some)):>12} {kernel:>11}"
                  + "".join(f"{np.mean([row[key] for row in some]):12.2f}" for key in keys) + "\n")


def main():
    """Measure what is not there yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sigma", type=float, default=1.0, help="noise level in 255ths")
    parser.add_argument("--size", type=int, default=21, help="side of the kernel's square")
    parser.add_argument("--photo", action="append", choices=SPLITS["test"], help="default: all eight")
    parser.add_argument("--again", action="store_true", help="forget what is kept")
    wanted = parser.parse_args()
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() and not wanted.again else []
    asked = {"sigma": wanted.sigma, "size": wanted.size}
    for name in wanted.photo or SPLITS["test"]:
        for kernel in KERNELS:
            key = {"photo": name, "kernel": kernel, **asked}
            if not any(key.items() <= row.items() for row in rows):
                rows.append(one(name, kernel, wanted.sigma, wanted.size))
                text = json.dumps(rows, indent=1, ensure_ascii=False)
                write_whole(RESULTS, lambda path, text=text: path.write_text(text + "\n", encoding="utf-8"))
    table([row for row in rows if asked.items() <= row.items()])


if __name__ == "__main__":
    main()
