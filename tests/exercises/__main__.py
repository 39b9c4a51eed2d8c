"""Run pages as a reader would and prove their exercises: ``python -m tests.exercises book/1-background/waves.md``.

The proof does the same in the second run of every notebook (``tests/notebooks/strict.py``); this is for the author of
one page.
"""

import os
import sys
from pathlib import Path

import matplotlib

from tests import pages
from tests.exercises.proof import prove, run


def main(page):
    """Run a page, its exercises too."""
    names = {"__name__": "__main__"}
    os.chdir(page.parent)
    for i, cell in enumerate(pages.code_cells(page)):
        exercise = pages.exercise_of(cell)
        run(cell.source, f"<{page.stem}, cell {i}>", names)
        if exercise:
            prove(page, exercise.name, names)
            print(f"{exercise.name}: proved")


if __name__ == "__main__":
    matplotlib.use("Agg")
    for argument in [Path(one).resolve() for one in sys.argv[1:]]:
        main(argument)
