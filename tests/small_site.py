"""Build a site of a few pages, to see what one of the book's Sphinx extensions makes of them."""

import io
import sys

import numpy as np
import yaml
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from tests import pages

PANEL = """{title}
{line}

.. container:: cell cell_output

   .. image:: figure.png
      :alt: A grey figure that stands there until somebody acts.

.. admonition:: {title}
   :class: live {name}

   Words for other formats.
"""


def toc(parts):
    """Return the text of _toc.yml: a part for each (caption, pages), where a page may be (page, pages below it)."""
    def entry(page):
        if isinstance(page, str):
            return {"file": page}
        return {"file": page[0], "sections": [entry(below) for below in page[1]]}

    parts = [{"caption": caption, "chapters": [entry(page) for page in inside]} for caption, inside in parts.items()]
    return yaml.safe_dump({"format": "jb-book", "root": "index", "parts": parts}, sort_keys=False)


def write(folder, files):
    """Write the files, from name to text, into ``folder/source``, and return that folder."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    for name, text in files.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text, encoding="utf-8")
    return source


def build(folder, settings, builder="html"):
    """Build ``folder/source`` into ``folder/BUILDER``; return the pages that were read, and the warnings."""
    warnings, read = io.StringIO(), []
    with patch_docutils(), docutils_namespace():
        app = Sphinx(folder / "source", None, folder / builder, folder / "doctrees", builder,
                     confoverrides={"html_theme": "basic"} | settings, status=None, warning=warnings)
        app.connect("source-read", lambda app, name, text: read.append(name))
        app.build()
    return read, warnings.getvalue()


def with_panel(folder, name, title):
    """Build a site of one page in the book's theme, a figure and the panel ``name`` with it; return its folder."""
    extensions, static = pages.ROOT / "book/_ext", pages.ROOT / "book/_static"
    if str(extensions) not in sys.path:
        sys.path.insert(0, str(extensions))
    files = write(folder, {"index.rst": PANEL.format(name=name, title=title, line="=" * len(title)), "conf.py": ""})
    Image.fromarray(np.full((60, 200), 128, np.uint8)).save(files / "figure.png")
    _, warnings = build(folder, {
        "extensions": ["live"], "html_theme": "sphinx_book_theme", "html_title": title, "language": "en",
        "html_context": {"default_mode": "auto"}, "html_favicon": str(static / "favicon.svg"),
        "html_static_path": [str(static)], "html_css_files": ["course.css"]})
    assert not warnings
    return folder / "html"
