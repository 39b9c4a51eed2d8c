"""How much faster two workers restore a folder than one: ``python -m benchmarks.workers``.

Writes book/5-outlook/workers.json, which the page "Count the cost" reads. The same 200 noisy pictures of 256 × 256
pixels are restored by the command that a reader types: with one worker, with two, with two of which one is killed in
mid-run, and (as 0 workers) without that option, in one process that may use all cores. What the workers write must be
the same to the last bit. Seconds are by the clock: "whole" from the start of the command to its end, "pictures" without
the start of the processes and the loading of TensorFlow, which a larger folder does not pay again. Let nothing else run
meanwhile; it takes about ten minutes.
"""

import argparse
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[1] / "book/5-outlook/workers.json"
SIDE = 256  # pixels
SIGMA = 25 / 255


def main():
    """Measure, and write the file."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=200)
    options.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="with 1; 0: one process")
    options.add_argument("--repeats", type=int, default=3, help="of each; the median counts")
    options.add_argument("--method", default="network")
    options.add_argument("--output", type=Path, default=FILE)
    chosen = options.parse_args()
    from helpers.files import write_whole
    from helpers.train import _cores, _processor

    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        _pictures(place / "in", chosen.pictures)
        runs = {count: [] for count in chosen.workers}
        for turn in range(chosen.repeats):
            for count in chosen.workers:  # in turn, so that a slow minute hits all
                runs[count].append(_run(place / "in", place / f"out-{turn}-{count}", count, chosen.method))
                print(f"{count} workers: {json.dumps(runs[count][-1])}", flush=True)
        killed = _run(place / "in", place / "out-killed", 2, chosen.method, kill=True)
        print(f"2 workers, one killed: {json.dumps(killed)}", flush=True)
    alone = {run.pop("sha256") for run in runs.get(0, [])}
    if {run.pop("sha256") for every in runs.values() for run in every if "sha256" in run} != {killed["sha256"]}:
        raise RuntimeError("the results depend on the number of workers")
    if [line for line in killed["said"] if "died" in line] != killed["said"] or len(killed["said"]) != 1:
        raise RuntimeError(f"one death is one line, but {killed['said']} came")
    found = {"command": f"python -m benchmarks.workers --pictures {chosen.pictures} --repeats {chosen.repeats} "
                        f"--workers {' '.join(map(str, chosen.workers))}",
             "date": str(datetime.date.today()), "hardware": f"{_processor()}, {_cores()} cores",
             "versions": {package: version(package) for package in ("tensorflow", "keras", "numpy", "distributed")},
             "pictures": chosen.pictures, "side": SIDE, "method": chosen.method, "repeats": chosen.repeats,
             "one process writes the same": alone == {killed["sha256"]} if alone else None,
             "one of two killed": {"complete and equal": True, "lines about it": len(killed["said"]),
                                   "whole": float(f"{killed['whole']:.4g}")},
             "seconds": {str(count): {kind: float(f"{np.median([run[kind] for run in every]):.4g}")
                                      for kind in every[0]} for count, every in runs.items()}}
    write_whole(chosen.output, lambda path: path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8"))
    for count, seconds in found["seconds"].items():
        ratio = found["seconds"]["1"]["pictures"] / seconds["pictures"]
        whole = found["seconds"]["1"]["whole"] / seconds["whole"]
        print(f"{count} workers: {seconds['pictures']:.1f} s ({ratio:.2f}×), with the start {seconds['whole']:.1f} s "
              f"({whole:.2f}×)")


def _pictures(folder, count):
    """Write noisy squares, cut at chance from the photographs that the course ships."""
    from PIL import Image

    from helpers.images import SPLITS, photo

    folder.mkdir()
    rng = np.random.default_rng(0)
    sources = [photo(name, size=512) for name in SPLITS["train"]]
    for i in range(count):
        top, left = rng.integers(0, 512 - SIDE + 1, 2)
        x = sources[i % len(sources)][top : top + SIDE, left : left + SIDE]
        y = np.clip(x + SIGMA * rng.standard_normal(x.shape), 0, 1)
        Image.fromarray(np.rint(255 * y).astype(np.uint8)).save(folder / f"{i:04d}.png")


def _run(folder, output, count, method, kill=False):
    """Return the seconds of one command, and a digest of all that it wrote; with ``kill``, also what it said."""
    command = [sys.executable, "-m", "helpers", "restore", str(folder), "-o", str(output), "--noise",
               f"{255 * SIGMA:g}", "--method", method, *(["--workers", str(count)] if count else [])]
    names = sorted(path.name for path in folder.iterdir())
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as heard:
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=heard,
                                   env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"})
        if kill:
            _kill_one(running, output, len(names) // 4)
        status = running.wait()
        whole = time.perf_counter() - started
        heard.seek(0)
        lines = [line.strip() for part in heard.read().split("\n") for line in part.split("\r")]
    if status or sorted(path.name for path in output.glob("*.png")) != names:
        raise RuntimeError(f"{' '.join(command)} failed: {lines[-1]}")
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode() + (output / name).read_bytes())
    found = {"whole": whole, "sha256": digest.hexdigest()}
    if kill:
        return found | {"said": [line for line in lines if line and "picture" not in line]}
    # each worker's first pictures wait for TensorFlow, so the clock starts when two a worker are written
    written = sorted((output / name).stat().st_mtime_ns for name in names)
    first = min(2 * max(count, 1), len(written) - 2)
    return found | {"pictures": (written[-1] - written[first]) / 1e9 * len(written) / (len(written) - 1 - first)}


def _kill_one(running, output, after):
    """Kill a worker of a command when so many pictures are written."""
    import psutil

    while len(list(output.glob("*.png"))) < after:
        if running.poll() is not None:
            return
        time.sleep(0.05)
    workers = [one for one in psutil.Process(running.pid).children() if "spawn_main" in " ".join(one.cmdline())]
    workers[0].kill()


if __name__ == "__main__":
    main()
