"""The learning map: the chapters, their pages and what to read before each, drawn from the pages themselves.

It takes the place of an admonition with the class ``learning-map``, whose words JupyterLab shows instead. Hover or
focus of a page marks the way to it (``learning_map.js``, which also colours what the reader has done).
"""

import html
import textwrap

from docutils import nodes
from pages import boxes, chapters, plain, read

WIDTH, COLUMNS, NODE, HEIGHT, ROW = 800, 6, 122, 74, 112  # pixels
TITLE = 26  # room above a chapter's first row
LINE, CHARACTERS = 15, 16  # of a label: pixels from line to line, and how many letters fit


class LearningMap(nodes.General, nodes.Element):
    """The place of the map: it is drawn when every page has been read."""


def find_place(app, doctree):
    for box in boxes(doctree, "learning-map"):
        box.replace_self(LearningMap())
        app.env.metadata[app.env.docname]["learning-map"] = True


def draw_again(app, env):
    """Name the page with the map: it is written anew in every build, since it tells of all others."""
    return [page for page, about in env.metadata.items() if "learning-map" in about]


def fill(app, doctree, name):
    for node in list(doctree.findall(LearningMap)):
        known = app.env.found_docs
        parts = [(caption, [read(page, app.env.doc2path(page)) for page in pages if page in known])
                 for caption, pages in chapters(app.srcdir)]
        parts = [(caption, [page for page in pages if not page.name.endswith("/quiz")]) for caption, pages in parts]
        parts = [(caption, pages) for caption, pages in parts if pages]
        titles = {page.name: app.env.titles[page.name].astext() for _, pages in parts for page in pages}

        def link(page):
            return html.escape(app.builder.get_relative_uri(name, page))

        text = f'<div class="learning-map">{picture(parts, titles, link)}{listing(parts, titles, link)}</div>'
        node.replace_self(nodes.raw("", text if parts else "", format="html"))


def listing(parts, titles, link):
    """Return the map as lists, one for each chapter: whoever sees no picture reads the same."""
    out = []
    for caption, pages in parts:
        out.append(f'<details open><summary>{html.escape(caption)}</summary><ol>')
        for page in pages:
            before = ", ".join(f'<a href="{link(one)}">{html.escape(titles[one])}</a>'
                               for one in page.first if one in titles)
            facts = " · ".join(filter(None, [f"{page.minutes} minutes" if page.minutes else "",
                                             f"after {before}" if before else ""]))
            question = f"<br>{html.escape(plain(page.question))}" if page.question else ""
            facts = f'<br><span class="facts">{facts}</span>' if facts else ""
            out.append(f'<li><a href="{link(page.name)}"><strong>{html.escape(titles[page.name])}</strong></a>'
                       f"{question}{facts}</li>")
        out.append("</ol></details>")
    return "".join(out)


def picture(parts, titles, link):
    """Return the map as a drawing: a box for each page, a line from each page to those that build on it."""
    boxes, places, top = [], {}, 0
    for caption, pages in parts:
        boxes.append(f'<text class="chapter" x="0" y="{top + 15}">{html.escape(caption)}</text>')
        for i, page in enumerate(pages):
            left = (WIDTH - NODE) / (COLUMNS - 1) * (i % COLUMNS)
            places[page.name] = left, top + TITLE + ROW * (i // COLUMNS)
        top += TITLE + ROW * (1 + (len(pages) - 1) // COLUMNS)
    lines = []
    for _, pages in parts:
        for page in pages:
            first = [one for one in needed(page, parts) if one in places]
            lines += [line(places[one], places[page.name], one, page.name) for one in first]
            left, high = places[page.name]
            words = textwrap.wrap(titles[page.name], CHARACTERS)
            middle = high + HEIGHT / 2 + 4 - LINE / 2 * (len(words) - 1)
            spans = "".join(f'<tspan x="{left + NODE / 2:.0f}" y="{middle + LINE * j:.0f}">{html.escape(word)}</tspan>'
                            for j, word in enumerate(words))
            boxes.append(f'<a href="{link(page.name)}" data-page="{page.name}" data-first="{" ".join(first)}">'
                         f'<rect x="{left:.1f}" y="{high}" width="{NODE}" height="{HEIGHT}" rx="6"/>'
                         f"<text>{spans}</text></a>")
    return (f'<svg viewBox="-2 0 {WIDTH + 4} {top - ROW + HEIGHT + 26}" role="group" '
            'aria-label="Map of the course: the same pages as in the lists below">' + "".join(lines + boxes) + "</svg>")


def needed(page, parts):
    """Return what to read first, without what those pages already ask for."""
    by_name = {one.name: one for _, pages in parts for one in pages}

    def below(name, seen):
        for one in by_name[name].first if name in by_name else []:
            if one not in seen:
                seen.add(one)
                below(one, seen)
        return seen

    return [one for one in page.first if not any(one in below(other, set()) for other in page.first if other != one)]


def line(start, end, one, page):
    """Return a curve from the foot of one box to the head of another, or along the foot of a shared row."""
    ends = f'data-from="{one}" data-to="{page}"'
    (x0, y0), (x1, y1) = (start[0] + NODE / 2, start[1] + HEIGHT), (end[0] + NODE / 2, end[1])
    if start[1] == end[1]:
        y1 += HEIGHT
        return f'<path {ends} d="M{x0:.0f} {y0} C{x0:.0f} {y0 + 22} {x1:.0f} {y1 + 22} {x1:.0f} {y1}"/>'
    bend = max(24, (y1 - y0) / 2)
    return f'<path {ends} d="M{x0:.0f} {y0} C{x0:.0f} {y0 + bend:.0f} {x1:.0f} {y1 - bend:.0f} {x1:.0f} {y1}"/>'


def setup(app):
    app.add_node(LearningMap)
    app.connect("doctree-read", find_place)
    app.connect("env-updated", draw_again)
    app.connect("doctree-resolved", fill)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
