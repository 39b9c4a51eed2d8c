"""Pages page after page and side by side, in turn: ``python -m benchmarks.build``.

Every page of the book runs from its source, with no cache: first one at a time with all cores to itself, then as many
at once as there are cores, each with its share of the threads, as `make book` runs them. The report gives the seconds
of both and their ratio, and names a page whose printed text differs between the two. Let nothing else run meanwhile; on
two cores it takes about a quarter of an hour. Name parts of pages to measure only those.
"""

import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "book/_ext"))
from execution import run_pages, workers
from sturdy import longest_first, pages

TIMEOUT = 1200
MEASURED = re.compile(r"\d+(?:\.\d+)? ?(?:ms|s|seconds|µs)\b")  # what a clock said differs from run to run


def main():
    """Run all pages both ways and print the report."""
    book = longest_first(pages(sys.argv[1:]))
    seconds, runs = {}, {}
    for name, at_once in {"page after page": 1, "side by side": workers()}.items():
        started = time.perf_counter()
        runs[name] = run_pages(book, TIMEOUT, at_once)
        seconds[name] = time.perf_counter() - started
        print(f"{name:<16} {at_once} at once {seconds[name]:8.1f} s", flush=True)
    alone, beside = runs.values()
    print(f"\n{'page':<42} {'alone, s':>9} {'beside, s':>10}")
    for page in sorted(book, key=lambda page: -alone[page].seconds):
        same = "" if _printed(alone[page]) == _printed(beside[page]) else "  prints another text"
        print(f"{page.parent.name + '/' + page.stem:<42} {alone[page].seconds:9.1f} {beside[page].seconds:10.1f}{same}")
    first, second = seconds.values()
    print(f"\nside by side is {first / second:.2f} times as fast as page after page")


def _printed(run):
    """Return what the cells of a page printed, without what a clock measured."""
    texts = [output.get("text", "") for cell in run.notebook.cells for output in cell.get("outputs", [])]
    return MEASURED.sub("", "".join(texts))


if __name__ == "__main__":
    main()
