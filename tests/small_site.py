"""Build a site of a few pages, to see what one of the book's Sphinx extensions makes of them."""

import io

import yaml
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils


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
