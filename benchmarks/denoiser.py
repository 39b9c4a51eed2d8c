"""The photo denoiser beside BM3D and the classical ones: ``python -m benchmarks.denoiser``.

PSNR on the eight test photographs, seconds, and what large pictures cost. BM3D is measured where the package ``bm3d``
is installed (it is for non-commercial use and no dependency of the course).
"""

import importlib.util
import json
import subprocess
import sys
import time

import numpy as np

from helpers import metrics, pretrained, restoration
from helpers.images import photos
from helpers.operators import Identity


def main():
    """Print the table of methods and the cost of large pictures, each of those in a process of its own."""
    if len(sys.argv) > 1:
        print(json.dumps(_large(int(sys.argv[1]))))
        return
    denoise = pretrained.shared("denoiser")
    methods = {"network": denoise}
    if importlib.util.find_spec("bm3d"):
        import bm3d

        methods["BM3D"] = lambda y, sigma: bm3d.bm3d(y, sigma)
    for classical in (restoration.dct_shrinkage, restoration.non_local_means, restoration.total_variation):
        methods[classical.__name__] = lambda y, sigma, method=classical: method(y, Identity(), sigma)
    print(f"{'method':<18} {'σ = 15':>8} {'σ = 25':>8} {'σ = 50':>8} {'s, 256 × 256':>13}")
    for name, method in methods.items():
        scores, seconds = [], []
        for level in (15, 25, 50):
            one_level = []
            for x in photos("test").values():
                y = x + level / 255 * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
                started = time.perf_counter()
                x_hat = method(y, level / 255)
                seconds.append(time.perf_counter() - started)
                one_level.append(metrics.psnr(x, np.clip(x_hat, 0, 1)))
            scores.append(np.mean(one_level))
        row = " ".join(f"{score:8.2f}" for score in scores)
        print(f"{name:<18} {row} {np.median(seconds):13.3f}", flush=True)
    print(f"\n{'network on':<18} {'seconds':>8} {'peak GB of the process':>24}")
    for side in (256, 1024, 2048, 4096):
        command = [sys.executable, "-m", "benchmarks.denoiser", str(side)]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        print(f"{side:>4} × {side:<11} {result['seconds']:8.2f} {result['gigabytes']:24.2f}", flush=True)


def _large(side):
    import resource

    denoise = pretrained.shared("denoiser")
    y = np.random.default_rng(0).random((side, side), np.float32)
    denoise(y[:256, :256], 0.1)  # the first call builds the graph
    started = time.perf_counter()
    denoise(y, 0.1)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


if __name__ == "__main__":
    main()
