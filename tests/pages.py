"""Read the pages of the book as tests need them: the table of contents, cells, exercises and solutions."""

import re
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import jupytext
import yaml

ROOT = Path(__file__).parents[1]
READERS_BUILD = [shutil.which("jupyter-book", path=Path(sys.executable).parent), "build", "-n", "."]  # as `make book`
BUILD = [*READERS_BUILD[:-1], "-W", "--keep-going", "."]


class Exercise(NamedTuple):
    """One exercise of a page."""

    name: str  # "first_restoration.halving", as given to check()
    label: str  # "first-restoration-halving", as given to the exercise directive
    stub: str  # the code of its cell, without the call of check()
    answer: str  # the expression handed to check()


@cache
def pages():
    """Return the paths of all pages in the table of contents, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [ROOT / f"{toc['root']}.md", *(ROOT / f"{name}.md" for name in _files(toc))]


def _files(entry):
    for part in entry.get("parts", []) + entry.get("chapters", []) + entry.get("sections", []):
        if "file" in part:
            yield part["file"]
        yield from _files(part)


def is_notebook(page):
    """Tell whether a page has code that runs."""
    return page.read_text(encoding="utf-8").startswith("---\njupytext:")


def notebooks():
    """Return the pages with code that runs."""
    return [page for page in pages() if is_notebook(page)]


def lessons():
    """Return the pages that teach: all notebooks but the landing page, which has no exercises."""
    return [page for page in notebooks() if page != pages()[0]]


@cache
def cells(page):
    """Return the cells of a page."""
    return jupytext.read(page).cells


def code_cells(page):
    """Return the code cells of a page."""
    return [cell for cell in cells(page) if cell.cell_type == "code"]


def exercise_of(cell):
    """Return the Exercise whose stub stands in a code cell, or None."""
    match = re.search(r'^check\(\s*"([\w.]+)",\s*(.+)\)\s*$', cell.source, re.M)
    if match is None:
        return None
    name = match[1]
    return Exercise(name, re.sub(r"[._]", "-", name), cell.source[: match.start()], match[2])


def exercises(page):
    """Return the exercises of a page."""
    return [found for cell in code_cells(page) if (found := exercise_of(cell))]


def solution(page, exercise):
    """Return the code of the hidden solution of an exercise."""
    text = page.read_text(encoding="utf-8")
    match = re.search(rf":::\{{solution\}} {exercise.label}\n(.*?)\n:::\n", text + "\n", re.S)
    assert match, f"{page.name}: no solution for {exercise.label}"
    code = re.search(r"```python\n(.*?)```", match[1], re.S)
    assert code, f"{page.name}: the solution of {exercise.label} holds no Python"
    return code[1]
