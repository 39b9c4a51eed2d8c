"""The results of a league as HTML, from the JSON file that ``python -m helpers league --json`` wrote."""

import json
import re
from html import escape
from math import isnan
from pathlib import Path

from helpers.league import digit_league, photographs, robot_league
from helpers.league.record import rows_of

TEXT = ("Method", "Damage")
COLUMNS = {  # key: (title, digits after the point)
    "psnr": ("PSNR (dB)", 2),
    "ssim": ("SSIM", 3),
    "readable": ("Read right", 2),
    "all_six": ("All six right", 2),
    "open": ("Open ones right", 2),
    "apart": ("Odds off", 2),
    "seconds": ("Seconds", 4),
    "digits": ("Digits", 0),
    "robots": ("Robots", 0),
}
LEAGUES = {  # what a row names: (league, its pictures, the mean of the first table, how its caption calls that)
    "image": (photographs, "photographs", "psnr", "Mean PSNR in dB"),
    "digit": (digit_league, "digits", "psnr", "Mean PSNR in dB"),
    "robot": (robot_league, "robots", "open", "Share of open attributes read right"),
}


class LeagueTable:
    """Two tables: the mean of all methods × damages, and every mean with its interval, and the time.

    The first holds the PSNR; of robots, how many of the attributes that are open were read right.

    A notebook shows an object of this class as HTML. In the built book its columns can be sorted.

    Parameters
    ----------
    path : path of the JSON file of ``python -m helpers league --json``, of photographs, ``--digits`` or ``--robots``

    Raises
    ------
    ValueError
        If the file cannot be read, or holds no rows of a league.
    """

    def __init__(self, path):
        try:
            document = json.loads(Path(path).read_text(encoding="utf-8"))
            kind = next((kind for kind in LEAGUES if kind in document["rows"][0]), "image")
            module, self.name, self.first, self.caption = LEAGUES[kind]
            self.lines = module.summarise(rows_of(document, module.Row))
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise ValueError(f"path {str(path)!r} is no file of a league: {type(error).__name__}: {error}") from None

        played = {line["task"] for line in self.lines}
        self.tasks = [task for task in module.TASKS if task in played]

    def __repr__(self):
        return f"{type(self).__name__} of {self.name}: {len(self.lines)} lines"

    def _repr_html_(self):
        caption = f"{self.caption}, {self.name}: every method on every damage"
        return _overview(self.lines, self.tasks, self.first, caption) + _details(self.lines, self.tasks, self.name)


def _overview(lines, tasks, key, caption):
    """Return the table of one mean: a row for each method, a column for each damage; the best of a column is bold."""
    methods = list(dict.fromkeys(line["method"] for line in lines))
    mean = {(line["method"], line["task"]): line[key].mean for line in lines if not isnan(line[key].mean)}
    best = {task: max((value for (_, other), value in mean.items() if other == task), default=None) for task in tasks}
    rows = []
    for method in methods:
        cells = [_heading(method)]
        for task in tasks:
            value = mean.get((method, task))
            shown = "–" if value is None else f"{value:.2f}"
            shown = f"<strong>{shown}</strong>" if value is not None and value == best[task] else shown
            cells.append(_cell("" if value is None else value, shown))
        rows.append(cells)
    return _table(caption, ["Method", *tasks], rows)


def _details(lines, tasks, name):
    """Return the table of everything measured: a row for each damage and method."""
    measured = [key for key in COLUMNS if key in lines[0]]
    rows = []
    for line in lines:
        cells = [_heading(line["method"]), _cell(line["task"], escape(line["task"]))]
        for key in measured:
            value, style = line[key], f".{COLUMNS[key][1]}f"
            if isinstance(value, tuple) and isnan(value.mean):
                cells.append(_cell("", "–"))
            elif isinstance(value, tuple):
                cells.append(_cell(value.mean, f'{value.mean:{style}} <span class="league-interval">'
                                              f"{value.low:{style}} to {value.high:{style}}</span>"))
            else:
                cells.append(_cell(value, f"{value:{style}}"))
        rows.append(cells)
    titles = ["Method", "Damage", *(COLUMNS[key][0] for key in measured)]
    return _table(f"Everything measured, {name}: means, with 95 % intervals", titles, rows)


def _table(caption, titles, rows):
    """Return a table that scrolls inside its own box, which the keyboard can reach."""
    head = "".join(f'<th scope="col" data-kind="{"text" if title in TEXT else "number"}">{_narrow(title)}</th>'
                   for title in titles)
    body = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return (f'<div class="league" tabindex="0" role="region" aria-label="{escape(caption)}">\n<table>\n'
            f"<caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
            "</table>\n</div>\n")


def _narrow(title):
    """Return a title that may break before its number: nine damages then fit the width of a page."""
    return re.sub(r"(?<=[a-z])(?=\d)", "<wbr>", escape(title))


def _heading(text):
    return f'<th scope="row" data-value="{escape(text)}">{escape(text)}</th>'


def _cell(value, shown):
    return f'<td data-value="{value}">{shown}</td>'
