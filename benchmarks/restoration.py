"""Ours beside scikit-image's and Pillow's, in turn, in one process: ``python -m benchmarks.restoration``.

Quality is the mean PSNR over the eight test photographs at 256 × 256; scikit-image gets its best setting for each
task, found by looking at the truth on these very pictures, which we do not allow ourselves. Times are medians.
``--large`` adds how biharmonic inpainting grows with the picture, and every method on 4096 × 4096 pixels.
"""

import argparse
import subprocess
import sys
import threading
import time
from functools import partial

import numpy as np

from helpers import league, metrics, restoration
from helpers.images import photos
from helpers.league import peers
from helpers.operators import Mask

ROUNDS = 5


def skimage_tv(y, operator, sigma, factor, eps=2e-4):
    """Denoise as scikit-image does, with a weight proportional to sigma."""
    from skimage.restoration import denoise_tv_chambolle

    return denoise_tv_chambolle(y, weight=factor * sigma, eps=eps)


def skimage_wiener(y, operator, sigma, balance):
    """Deblur as scikit-image does, with the given balance."""
    from skimage.restoration import wiener

    return wiener(y, operator.kernel, balance, clip=False)


# task: (ours by name, the peers' candidates by name: the best of them by PSNR is the peer)
RACES = [
    ("denoise25", {"total variation": restoration.total_variation}, {
        f"skimage TV, weight {factor} σ, eps {eps:g}": partial(skimage_tv, factor=factor, eps=eps)
        for factor in (0.7, 0.8, 0.9, 1.0, 1.1) for eps in (2e-4, 2e-5)
    }),
    ("deblur", {"Wiener": restoration.wiener, "total variation": restoration.total_variation}, {
        **{f"skimage Wiener, balance {balance}": partial(skimage_wiener, balance=balance)
           for balance in (0.003, 0.01, 0.03, 0.1)},
        "skimage unsupervised Wiener": peers.unsupervised_wiener,
    }),
    ("missing50", {
        "biharmonic": restoration.biharmonic, "total variation": restoration.total_variation,
        "plug-and-play DCT": restoration.plug_and_play,
    }, {"skimage biharmonic": peers.biharmonic}),
    ("superres2", {"total variation": restoration.total_variation, "plug-and-play DCT": restoration.plug_and_play},
     {"Pillow bicubic": peers.bicubic}),
]


def compare(task, ours, candidates, pictures):
    """Return a line (name, PSNR, seconds) for the best peer and for each of ours, all timed in turn."""
    games = [league.damage(x, task) for x in pictures]
    quality = {name: np.mean([metrics.psnr(x, method(y, operator, sigma)) for x, y, operator, sigma in games])
               for name, method in (ours | candidates).items()}
    peer = max(candidates, key=quality.get)
    entries = {peer: candidates[peer]} | ours
    times = {name: [] for name in entries}
    for _ in range(ROUNDS):
        for _, y, operator, sigma in games[:3]:
            for name, method in entries.items():
                started = time.perf_counter()
                method(y, operator, sigma)
                times[name].append(time.perf_counter() - started)
    return [(name, quality[name], float(np.median(times[name]))) for name in entries]


def main():
    """Print every race as ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--large", action="store_true", help="large pictures too: minutes and gigabytes")
    chosen = options.parse_args()
    pictures = list(photos("test").values())
    print(f"{'task':<11} {'method':<38} {'PSNR':>6} {'gain':>6} {'seconds':>8} {'time ratio':>10}")
    for task, ours, candidates in RACES:
        lines = compare(task, ours, candidates, pictures)
        _, peer_psnr, peer_seconds = lines[0]
        for name, quality, seconds in lines:
            print(f"{task:<11} {name:<38} {quality:6.2f} {quality - peer_psnr:+6.2f} {seconds:8.3f} "
                  f"{seconds / peer_seconds:9.2f}×", flush=True)
    if chosen.large:
        grow()
        enlarge()


def grow():
    """Print the time of biharmonic inpainting against the number of pixels, and against n log n."""
    restoration.biharmonic(np.zeros((8, 8)), Mask.block((8, 8), 2))  # the first call loads scipy.ndimage
    print(f"\n{'biharmonic, 50 % missing':<26} {'seconds':>8} {'ns / (n log2 n)':>16}")
    for size in (256, 512, 1024, 2048):
        x = photo_of(size)
        operator = Mask.random(x.shape, 0.5, np.random.default_rng(0))
        y = operator.forward(x)
        seconds = np.inf
        for _ in range(3):  # the least of three: others share the machine
            started = time.perf_counter()
            restoration.biharmonic(y, operator)
            seconds = min(seconds, time.perf_counter() - started)
        scale = x.size * np.log2(x.size)
        print(f"{size:>4} × {size:<19} {seconds:8.2f} {1e9 * seconds / scale:16.1f}", flush=True)


def photo_of(size):
    """Return a test photograph, enlarged to ``size``."""
    from PIL import Image

    return np.asarray(Image.fromarray(photos("test", 512)["camera"]).resize((size, size), Image.Resampling.BICUBIC))


def enlarge(size=4096):
    """Run every method of the league on one large picture, each in a process of its own, and print its peak memory."""
    print(f"\n{f'{size} × {size}':<14} {'method':<28} {'seconds':>8} {'peak MB':>8}")
    for task in ("denoise25", "deblur", "missing50", "superres2", "tomography"):
        for method in league.able(task):
            if method.startswith(("skimage", "Pillow", "as it came")):
                continue
            code = f"from benchmarks.restoration import one_large; one_large({task!r}, {method!r}, {size})"
            result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            answer = result.stdout.strip() or (result.stderr.strip().splitlines() or [f"exit {result.returncode}"])[-1]
            print(f"{task:<14} {method:<28} {answer}", flush=True)


class PeakMemory:
    """How far the memory of this process rises while a block runs, in megabytes, looked at every millisecond.

    A process keeps what it was given and uses it again, so the number means something only for one large call in a
    process of its own.
    """

    def __enter__(self):
        import psutil

        self._resident = lambda: psutil.Process().memory_info().rss
        self._start = self._highest = self._resident()
        self._done = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()
        return self

    def _watch(self):
        while not self._done.wait(0.001):
            self._highest = max(self._highest, self._resident())

    def __exit__(self, *_):
        self._done.set()
        self._watcher.join()
        self.megabytes = (max(self._highest, self._resident()) - self._start) / 1e6


def one_large(task, method, size):
    """Restore one large picture and print seconds and peak memory, or why it cannot be done."""
    x = np.clip(photo_of(size), 0, 1)
    play = league.METHODS[method].restore
    small = league.damage(x[:64, :64], task)
    play(*small[1:])
    _, y, operator, sigma = league.damage(x, task)
    del x
    try:
        with PeakMemory() as memory:
            started = time.perf_counter()
            play(y, operator, sigma)
            seconds = time.perf_counter() - started
    except MemoryError as error:
        print(f"refused: {error}")
    else:
        print(f"{seconds:8.1f} {memory.megabytes:8.0f}")


if __name__ == "__main__":
    main()
