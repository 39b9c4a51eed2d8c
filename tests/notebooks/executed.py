"""Collect the executed notebooks of the book, whole, from the cache that the build left: ``_build/executed``.

What the build writes to ``_build/jupyter_execute`` is not enough: a page that came from the cache stands there without
outputs, so that nbval would compare nothing, and a page that was just run stands there without its glued numbers.
"""

import shutil

import nbformat
from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook

from tests import pages

FOLDER = pages.ROOT / "_build/executed"


def path(page):
    """Return where the executed notebook of a page lies."""
    return FOLDER / page.relative_to(pages.ROOT).with_suffix(".ipynb")


def collect():
    """Write the executed notebook of every page; raise ``KeyError`` for a page that the build has not run."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    cache = get_cache(pages.ROOT / "_build/.jupyter_cache")
    for page in pages.notebooks():
        text = page.read_text(encoding="utf-8")
        _, notebook = cache.merge_match_into_notebook(read_myst_markdown_notebook(text, path=page))
        path(page).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path(page))


if __name__ == "__main__":
    collect()
