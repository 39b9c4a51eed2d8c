"""Run the whole book as other machines would, and list every claim that moved: ``make sturdy``.

Other processors round differently. Some of them are simulated here: one without AVX-512, one with the oldest kernels
of all libraries, others with one thread and with eight. Then the pages that train networks run again and again with
their initial weights moved by 1e-7, which is what rounding does to them in the end. Nothing is written into the book.

    python book/_ext/sturdy.py [--only VARIANT …] [--pages PART …] [--perturbed 10]
"""

import argparse
import re
import sys
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parent))
from execution import cores, read, run_pages

ROOT = Path(__file__).parents[2]
OLDER_NUMPY = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
VARIANTS = {
    "without AVX-512": {"ONEDNN_MAX_CPU_ISA": "AVX2", "OPENBLAS_CORETYPE": "Haswell"},
    "oneDNN off, old BLAS": {"TF_ENABLE_ONEDNN_OPTS": "0", "OPENBLAS_CORETYPE": "Nehalem"},
    "1 thread": {"TF_NUM_INTRAOP_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "8 threads": {"TF_NUM_INTRAOP_THREADS": "8", "OPENBLAS_NUM_THREADS": "2"},
}
TRAINS = re.compile(r"^\s*(?:import keras|from keras)|helpers\.models import .*\bkeras\b", re.M)


def disabled(wanted):
    """Return those of NumPy's features that this processor has and NumPy lets one switch off."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return " ".join(name for name in wanted.split() if name in __cpu_dispatch__ and __cpu_features__.get(name))


def pages(parts=()):
    """Return the pages with code in the table of contents, or those whose path contains one of the parts."""
    toc = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    names = [yaml.safe_load(toc)["root"], *re.findall(r"- file: (\S+)", toc)]
    found = [ROOT / f"{name}.md" for name in names]
    return [page for page in found if read(page) is not None and any(part in str(page) for part in parts or [""])]


def longest_first(some):
    return sorted(
        some, key=lambda page: -len(re.findall(r"keras|helpers\.(?:models|pretrained)", page.read_text("utf-8")))
    )


def variants(chosen, perturbed):
    """Yield name, environment variables, IPython extensions, and whether only the pages that train are meant."""
    for name, variables in VARIANTS.items():
        if not chosen or name in chosen:
            extra = {"NPY_DISABLE_CPU_FEATURES": disabled(OLDER_NUMPY)} if "threads" not in name else {}
            yield name, variables | {k: v for k, v in extra.items() if v}, ("claims",), False
    for seed in range(perturbed):
        yield f"weights moved, seed {seed}", {"COURSE_PERTURB": str(seed)}, ("claims", "perturbed"), True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="*", default=[], choices=list(VARIANTS), help="some of the simulated processors"
    )
    parser.add_argument("--pages", nargs="*", default=[], help="only pages whose path contains one of these")
    parser.add_argument("--perturbed", type=int, default=10, help="runs with moved weights (10)")
    parser.add_argument("--timeout", type=int, default=1200, help="seconds that a cell may take (1200)")
    options = parser.parse_args()
    book, moved, runs = longest_first(pages(options.pages)), [], 0
    for name, variables, extensions, training in variants(options.only, options.perturbed):
        chosen = [page for page in book if not training or TRAINS.search(page.read_text(encoding="utf-8"))]
        started = time.perf_counter()

        def report(page, run, name=name):
            for note in run.notes:
                line = f"{page.relative_to(ROOT)}:{note.line}: {note.title}: {'; '.join(note.text.splitlines())}"
                moved.append(f"{name}: {line}")
                print(f"    {line}", flush=True)

        print(f"{name}: {len(chosen)} pages, {min(cores(), len(chosen))} at a time", flush=True)
        run_pages(chosen, options.timeout, variables=variables, extensions=extensions, report=report)
        runs += len(chosen)
        print(f"    {time.perf_counter() - started:.0f} s", flush=True)
    print(f"\n{len(moved)} claims moved in {runs} runs of pages.", *moved, sep="\n  ")
    return bool(moved)


if __name__ == "__main__":
    sys.exit(main())
