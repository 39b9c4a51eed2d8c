"""Panels: the trained networks run on the page, in the reader's browser.

A page places one with an admonition behind the cell that draws its first state::

    ```{admonition} Damage a digit yourself
    :class: live restore-digit

    In the built book the digit above can be damaged: …
    ```

The figure of that cell goes into the panel and stays until a reader acts; JupyterLab shows the admonition's words,
paper the figure alone. The second class names the script ``book/_static/live/restore_digit.js``. What the scripts load
when somebody acts is made here, at the end of a build: the weights, the worker's source, the digits.
"""

import base64
from html import escape
from pathlib import Path

from docutils import nodes
from pages import boxes
from sphinx.errors import SphinxError

from helpers.live import FIRST, kernel, pack

PANELS = {"restore-digit": "restore_digit.js"}
WORKER = ("engine.js", "methods.js", "worker.js")


class PanelError(SphinxError):
    """A panel that cannot be placed."""

    category = "Panel error"


class Panel(nodes.General, nodes.Element):
    """A panel with the cell of its first state inside; other formats show that cell."""


def find_places(app, doctree):
    for box in boxes(doctree, "live"):
        kinds = [kind for kind in box["classes"] if kind in PANELS]
        if len(kinds) != 1:
            raise PanelError(f"{app.env.docname}: a panel needs one class of {', '.join(PANELS)}")
        there = app.env.metadata[app.env.docname].setdefault("live", set())
        if kinds[0] in there:
            raise PanelError(f"{app.env.docname}: the panel {kinds[0]!r} stands there twice, and one is enough")
        there.add(kinds[0])
        place = box.parent.index(box)
        cell = box.parent[place - 1] if place else None
        if not isinstance(cell, nodes.container) or "cell" not in cell["classes"]:
            raise PanelError(f"{app.env.docname}: before the panel {kinds[0]!r} must stand the cell that draws it")
        panel = Panel("", kind=kinds[0], title=box.next_node(nodes.title).astext())
        box.parent.remove(cell)
        panel += cell
        box.replace_self(panel)


def visit(self, node):
    name, title = f"live-{node['kind']}", escape(node["title"])
    self.body.append(f'<section class="live-panel" id="{name}" data-panel="{node["kind"]}" data-digit="{FIRST[0]}"'
                     f' aria-labelledby="{name}-title"><p class="live-title" id="{name}-title">{title}</p>'
                     '<div class="live-before">')


def depart(self, node):
    self.body.append("</div></section>\n")


def ignore(self, node):
    """Other formats show the cell that is inside."""


def add_scripts(app, page, template, context, doctree):
    """Only a page with a panel loads its scripts."""
    for kind in sorted(app.env.metadata.get(page, {}).get("live", ())):
        app.add_css_file("live/live.css")
        app.add_js_file("live/live.js", loading_method="defer")
        app.add_js_file(f"live/{PANELS[kind]}", loading_method="defer")


def deliver(app, error):
    """Write what the panels load when a reader acts."""
    if error or app.builder.format != "html" or not any(about.get("live") for about in app.env.metadata.values()):
        return
    folder = Path(app.outdir, "_static/live")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents().items():
        (folder / f"{name}.js").write_text(pack.script(name, content), encoding="utf-8")


def contents():
    """Return what the scripts of the panels deliver, by name."""
    sources = Path(kernel.SOURCE).parent
    source = "\n".join((sources / name).read_text(encoding="utf-8") for name in WORKER)
    return {"engine-and-methods": {"source": source, "kernel": kernel.packed()}, "digits": digits(),
            **{name: pack.shipped(name) for name in pack.SERVED}}


def digits():
    """Return the first held-out digit of each class: its label, and its pixels as bytes in base64."""
    from helpers.images import digits as load

    _, _, x, labels = load()
    first = [x[labels == label][0] for label in range(10)]
    return [{"label": label, "pixels": base64.b64encode((255 * one).round().astype("uint8").tobytes()).decode("ascii")}
            for label, one in enumerate(first)]


def setup(app):
    app.add_node(Panel, html=(visit, depart), latex=(ignore, ignore), text=(ignore, ignore))
    app.connect("doctree-read", find_places)
    app.connect("html-page-context", add_scripts, priority=400)  # before another extension copies the list of scripts
    app.connect("build-finished", deliver)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
