"""A lesson in the browser: one of its figures stands at its top, and exercises do not answer themselves.

The figure at the top is the one whose cell is tagged ``cover``, or else the first. In JupyterLab the page is as it is
written.
"""

import math
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

PHONE = 340  # pixels: what a phone has for a chart
LEGIBLE = 9  # pixels: smaller lettering cannot be read
STEP = 4  # rem, of 16 pixels: the style sheet knows charts of so many widths
NOT_YET = "… Not yet."  # how helpers.exercises.check answers three dots


class PutFigureFirst(SphinxPostTransform):
    """Copy the cover of a lesson to the place between its title and its opening box."""

    default_priority = 50  # when each output has become what this builder shows

    def run(self, **kwargs):
        opening = next((box for box in self.document.findall(nodes.admonition)
                        if box.next_node(nodes.title) is not None
                        and box.next_node(nodes.title).astext() == "Before you start"), None)
        picture = opening is not None and cover(self.document)
        if picture:
            place = nodes.container("", picture.deepcopy(), classes=["cover"])
            opening.parent.insert(opening.parent.index(opening), place)


def cover(document):
    """Return the image of the cell that is tagged ``cover``, or the first image of any cell, or None."""
    first = None
    for cell in document.findall(nodes.container):
        if "cell" in cell["classes"]:
            image = cell.next_node(nodes.image)
            if image is not None and "tag_cover" in cell["classes"]:
                return image
            first = first or image
    return first


def mark_wide_charts(app, doctree):
    """Give a chart whose lettering would be too small on a phone the class of a width at which it can be read.

    There it scrolls instead of shrinking further.
    """
    for image in doctree.findall(nodes.image):
        if image["uri"].endswith(".svg"):
            path = Path(app.srcdir, image["uri"])  # as Sphinx has noted it by now: from the folder of the book
            width = legible_width(path.read_text(encoding="utf-8")) if path.exists() else 0
            if width > PHONE:
                image["classes"] += ["wide", f"wide-{math.ceil(width / 16 / STEP) * STEP}"]


def legible_width(svg):
    """Return the pixels that a chart must be wide for its smallest lettering to be read; 0 for one without any."""
    points = re.search(r'<svg[^>]* width="([\d.]+)pt"', svg)
    sizes = [100 * float(size) for size in re.findall(r"scale\(([\d.]+) -[\d.]+\)", svg)]
    return LEGIBLE * float(points[1]) / min(sizes) if points and sizes else 0


def clear_exercises(app, doctree):
    """Take away what the cell of an exercise says before anybody has answered: here nobody can."""
    for cell in list(doctree.findall(nodes.container)):
        if "tag_exercise" in cell.get("classes", []):
            for output in list(cell.findall(nodes.container)):
                if "cell_output" in output.get("classes", []) and output.astext().strip().startswith(NOT_YET):
                    output.parent.remove(output)


def setup(app):
    app.connect("doctree-read", clear_exercises)
    app.connect("doctree-read", mark_wide_charts)
    app.add_post_transform(PutFigureFirst)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
