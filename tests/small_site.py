"""Build a site of a few pages, to see what one of the book's Sphinx extensions makes of them."""

import io

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils


def build(folder, settings, builder="html"):
    """Build ``folder/source`` into ``folder/BUILDER``; return the pages that were read, and the warnings."""
    warnings, read = io.StringIO(), []
    with patch_docutils(), docutils_namespace():
        app = Sphinx(folder / "source", None, folder / builder, folder / "doctrees", builder,
                     confoverrides={"html_theme": "basic"} | settings, status=None, warning=warnings)
        app.connect("source-read", lambda app, name, text: read.append(name))
        app.build()
    return read, warnings.getvalue()
