"""``{league-table}``: the results of a league, from the JSON file that ``python -m helpers league --json`` wrote.

Two tables: the mean PSNR of all methods × damages, and every mean with its interval, time and memory. Both are plain
HTML; ``league.js`` makes their columns sortable.
"""

import json
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from helpers import digit_league, league

TEXT = ("Method", "Damage")
COLUMNS = {  # key: (title, digits after the point)
    "psnr": ("PSNR (dB)", 2),
    "ssim": ("SSIM", 3),
    "readable": ("Read right", 2),
    "seconds": ("Seconds", 4),
    "peak_mb": ("Memory (MB)", 0),
}


class LeagueTable(SphinxDirective):
    """One league, from the file named as argument, which lies beside the page."""

    required_arguments = 1

    def run(self):
        path = Path(self.env.doc2path(self.env.docname)).parent / self.arguments[0]
        self.env.note_dependency(str(path))
        rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
        module, name = (digit_league, "digits") if "digit" in rows[0] else (league, "photographs")
        lines = module.summarise([module.Row(**row) for row in rows])
        return [nodes.raw("", overview(lines, module.TASKS, name) + details(lines, module.TASKS, name), format="html")]


def overview(lines, tasks, name):
    """Return the table of mean PSNR: a row for each method, a column for each damage; the best of a column is bold."""
    methods = list(dict.fromkeys(line["method"] for line in lines))
    mean = {(line["method"], line["task"]): line["psnr"].mean for line in lines}
    best = {task: max(value for (_, other), value in mean.items() if other == task) for task in tasks}
    rows = []
    for method in methods:
        cells = [heading(method)]
        for task in tasks:
            value = mean.get((method, task))
            shown = "–" if value is None else f"{value:.2f}"
            shown = f"<strong>{shown}</strong>" if value == best[task] else shown
            cells.append(cell("" if value is None else value, shown))
        rows.append(cells)
    return table(f"Mean PSNR in dB, {name}: every method on every damage", ["Method", *tasks], rows)


def details(lines, tasks, name):
    """Return the table of everything measured: a row for each damage and method."""
    measured = [key for key in COLUMNS if key in lines[0]]
    rows = []
    for line in lines:
        cells = [heading(line["method"]), cell(line["task"], escape(line["task"]))]
        for key in measured:
            value, style = line[key], f".{COLUMNS[key][1]}f"
            if isinstance(value, tuple):
                cells.append(cell(value.mean, f'{value.mean:{style}} <span class="league-interval">'
                                              f"{value.low:{style}} to {value.high:{style}}</span>"))
            else:
                cells.append(cell(value, f"{value:{style}}"))
        rows.append(cells)
    titles = ["Method", "Damage", *(COLUMNS[key][0] for key in measured)]
    return table(f"Everything measured, {name}: means, with 95 % intervals", titles, rows)


def table(caption, titles, rows):
    """Return a table that scrolls inside its own box, which the keyboard can reach."""
    head = "".join(f'<th scope="col" data-kind="{"text" if title in TEXT else "number"}">{escape(title)}</th>'
                   for title in titles)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (f'<div class="league" tabindex="0" role="region" aria-label="{escape(caption)}">\n<table>\n'
            f"<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
            "</table>\n</div>\n")


def heading(text):
    return f'<th scope="row" data-value="{escape(text)}">{escape(text)}</th>'


def cell(value, shown):
    return f'<td data-value="{value}">{shown}</td>'


def setup(app):
    app.add_directive("league-table", LeagueTable)
    app.add_css_file("league.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
