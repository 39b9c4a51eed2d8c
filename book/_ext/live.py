"""Panels: the trained networks run on the page, in the reader's browser.

A page places one with an admonition behind the cell that draws its first state::

    ```{admonition} Damage a digit yourself
    :class: live restore-digit

    In the built book the digit above can be damaged: …
    ```

The figure of that cell goes into the panel and stays until a reader acts; JupyterLab shows the admonition's words,
paper the figure alone. The second class names the script ``book/_static/live/restore_digit.js``. What the scripts load
when somebody acts is made here, at the end of a build: the weights, the worker's source, the digits.

The panel ``turn-knob`` runs no network: the cell before it calls :func:`helpers.live.knobs.knob`, whose figures for
other values of a knob are taken out of the page and delivered when a reader turns it. A page may have several.
"""

import base64
import json
from html import escape
from pathlib import Path

from docutils import nodes
from pages import boxes
from sphinx.errors import SphinxError
from sphinx.util import logging

from helpers.live import FIRST, PHOTO, kernel, knobs, pack, robots

LOG = logging.getLogger(__name__)
KNOB = "turn-knob"
PANELS = {"restore-digit": "restore_digit.js", "denoise-photo": "denoise_photo.js", "draw-from-noise": "draw.js",
          "mix-styles": "mix.js", KNOB: "knobs.js"}
WORKER = ("engine.js", "gradients.js", "methods.js", "denoise.js", "sampler.js", "robots.js", "stylegan.js",
          "worker.js")


class PanelError(SphinxError):
    """A panel that cannot be placed."""

    category = "Panel error"


class Panel(nodes.General, nodes.Element):
    """A panel with the cell of its first state inside; other formats show that cell."""


def find_places(app, doctree):
    knob_number = 0
    for box in boxes(doctree, "live"):
        kinds = [kind for kind in box["classes"] if kind in PANELS]
        if len(kinds) != 1:
            raise PanelError(f"{app.env.docname}: a panel needs one class of {', '.join(PANELS)}")
        there = app.env.metadata[app.env.docname].setdefault("live", set())
        if kinds[0] in there and kinds[0] != KNOB:
            raise PanelError(f"{app.env.docname}: the panel {kinds[0]!r} stands there twice, and one is enough")
        place = box.parent.index(box)
        cell = box.parent[place - 1] if place else None
        if not isinstance(cell, nodes.container) or "cell" not in cell["classes"]:
            raise PanelError(f"{app.env.docname}: before the panel {kinds[0]!r} must stand the cell that draws it")
        panel = Panel("", kind=kinds[0], title=box.next_node(nodes.title).astext(), name=f"live-{kinds[0]}")
        if kinds[0] == KNOB:
            states = take_states(cell)
            if states is None:  # the cell did not run to its end, or does not call knob: the page goes on without it
                LOG.warning(f"{app.env.docname}: the cell before the panel {KNOB!r} gives no states", location=cell)
                box.parent.remove(box)
                continue
            knob_number += 1
            panel["name"] = f"live-knob-{knob_number}"
            panel["states"] = f"knob-{app.env.docname.replace('/', '-')}-{knob_number}", states
            cell = without_code(cell)
        there.add(kinds[0])
        if cell.parent is not None:
            cell.parent.remove(cell)
        panel += cell
        box.replace_self(panel)
    if any(map(is_states, doctree.findall(nodes.raw))):
        raise PanelError(f"{app.env.docname}: behind a cell that calls knob must stand the panel {KNOB!r}")


def is_states(node):
    return isinstance(node, nodes.raw) and node.astext().startswith(knobs.OPENING)


def take_states(cell):
    """Take the states of a knob out of what its cell shows and return them, or None."""
    found = next(filter(is_states, cell.findall(nodes.raw)), None)
    if found is None:
        return None
    output = found
    while "cell_output" not in output.parent["classes"]:
        output = output.parent
    output.parent.remove(output)
    return json.loads(found.astext().removeprefix(knobs.OPENING).removesuffix(knobs.CLOSING))


def without_code(cell):
    """Leave the code of a cell where it is, and return a cell with what it shows."""
    output = next(part for part in cell if "cell_output" in part["classes"])
    cell.remove(output)
    shown = cell.copy()
    shown += output
    if not cell.children:
        cell.parent.remove(cell)
    return shown


def visit(self, node):
    name, title = node["name"], escape(node["title"])
    if node["kind"] == KNOB:
        script, states = node["states"]
        head = {"script": script} | {key: value for key, value in states.items() if key != "figures"}
        data = f' data-knob="{escape(json.dumps(head, ensure_ascii=False))}"'
        write(self.builder.outdir, script, states["figures"])
    else:
        data = f' data-digit="{FIRST[0]}"'
    self.body.append(f'<section class="live-panel" id="{name}" data-panel="{node["kind"]}"{data}'
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
    """Write what the panels with networks load when a reader acts."""
    there = set().union(*(about.get("live", ()) for about in app.env.metadata.values()))
    if error or app.builder.format != "html" or not there - {KNOB}:
        return
    for name, content in contents().items():
        write(app.outdir, name, content)


def write(site, name, content):
    """Write the script that delivers something to a page of a built site."""
    folder = Path(site, "_static/live")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.js").write_text(pack.script(name, content), encoding="utf-8")


def contents():
    """Return what the scripts of the panels deliver, by name."""
    sources = Path(kernel.SOURCE).parent
    source = "\n".join((sources / name).read_text(encoding="utf-8") for name in WORKER)
    return {"engine-and-methods": {"source": source, "kernel": kernel.packed()}, "digits": digits(),
            "photo": photograph(), "robot-world": robots.content(),
            **{name: pack.shipped(name) for name in pack.SERVED}}


def digits():
    """Return the first held-out digit of each class: its label, and its pixels as bytes in base64."""
    from helpers.images import digits as load

    _, _, x, labels = load()
    first = [x[labels == label][0] for label in range(10)]
    return [{"label": label, "pixels": packed(one)} for label, one in enumerate(first)]


def photograph():
    """Return the photograph that can be denoised, in grey and in colours, each channel as bytes in base64; what the
    noise estimate needs; and from which level on the course takes its network of colours."""
    from helpers.images import photo
    from helpers.league.photographs import COLOUR_FROM
    from helpers.restoration import noise

    pictures = {"grey": [photo(PHOTO)], "colours": photo(PHOTO, color=True).transpose(2, 0, 1)}
    height, width = pictures["grey"][0].shape
    pixels = {kind: [packed(one) for one in channels] for kind, channels in pictures.items()}
    return {"name": PHOTO, "width": width, "height": height, "pixels": pixels, "clipping": noise._clipping(),
            "colourFrom": COLOUR_FROM}


def packed(x):
    """Return pixels in [0, 1] as bytes in base64."""
    return base64.b64encode((255 * x).round().astype("uint8").tobytes()).decode("ascii")


def setup(app):
    app.add_node(Panel, html=(visit, depart), latex=(ignore, ignore), text=(ignore, ignore))
    app.connect("doctree-read", find_places)
    app.connect("html-page-context", add_scripts, priority=400)  # before another extension copies the list of scripts
    app.connect("build-finished", deliver)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
