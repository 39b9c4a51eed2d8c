"""What a league has found so far: rows as they come, what was left out, and all of it as JSON."""

import contextlib
import json
import math
import sys
import time
from pathlib import Path
from typing import NamedTuple

from helpers.files import write_whole
from helpers.workers import Alone, Failed, in_order


class LeftOut(NamedTuple):
    """A picture that could not take part, in one task or (``task`` is "") in any, and why.

    Where only one method could not do it, ``method`` names this one.
    """

    image: str
    task: str
    reason: str
    method: str = ""


class Record:
    """Keep rows as they come, and write them to a file now and then, so that a run that is broken off loses nothing.

    Parameters
    ----------
    path : path, optional
        The JSON file. It is written whole or not at all, and not before there is a row.
    about : dict
        What stands in the file before the rows.
    every : float
        Seconds between two writings; the last comes from :meth:`write`.
    """

    def __init__(self, path=None, about=None, every=10.0):
        self.path, self.about, self.every = path, about or {}, every
        self.rows, self.left_out = [], []
        self.written = time.monotonic()

    def row(self, row):
        """Take one more row. A disk that is full now may have room at the end: only the last writing must succeed."""
        self.rows.append(row)
        if time.monotonic() - self.written >= self.every:
            with contextlib.suppress(ValueError):
                self.write(complete=False)

    def skip(self, left_out):
        """Take note of what was left out, once."""
        if left_out not in self.left_out:
            self.left_out.append(left_out)

    def write(self, complete=True):
        """Write what there is."""
        self.written = time.monotonic()
        if self.path is not None and self.rows:
            write_rows(self.rows, self.path, {**self.about, "complete": complete,
                                              "left out": [one._asdict() for one in self.left_out]})


def gather(play, jobs, unit, progress=False, each=None, crew=None):
    """Let a crew play every job, ``play(*job) -> rows``; return all rows, in the order of the jobs.

    ``each`` is called with every row as soon as those of its job, and of all jobs before, are there. ``crew``, of
    ``helpers.workers.hands``, is by default this process.
    """
    from tqdm import tqdm

    rows = []
    with tqdm(total=len(jobs), disable=not progress, unit=unit, file=Unheard()) as bar:
        for _, found in in_order((crew or Alone()).map(play, jobs)):
            if isinstance(found, Failed):
                raise found.error
            for row in found:
                rows.append(row)
                if each is not None:
                    each(row)
            bar.update()
    return rows


class Unheard:
    """Standard error for progress bars: when nobody listens any more, the work goes on."""

    def __getattr__(self, name):
        return getattr(sys.stderr, name)

    def write(self, text):
        """Write, if somebody listens."""
        with contextlib.suppress(OSError):
            sys.stderr.write(text)

    def flush(self):
        """Flush, if somebody listens."""
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def write_rows(rows, path, about):
    """Write a dictionary and, under "rows", the rows as JSON: all of it, or nothing.

    JSON knows neither NaN nor infinity: null is written for an SSIM that a small picture does not have, for the PSNR of
    a picture without any error, and for the odds of a robot of which nothing is open. :func:`rows_of` turns them back.
    """
    plain = [{key: None if isinstance(value, float) and not math.isfinite(value) else value
              for key, value in row._asdict().items()} for row in rows]
    text = json.dumps({**about, "rows": plain}, indent=1, allow_nan=False)
    write_whole(path, lambda temporary: Path(temporary).write_text(text + "\n", encoding="utf-8"))


def rows_of(document, kind):
    """Return the rows of a file as objects of the class ``kind``."""
    missing = {"psnr": math.inf, "ssim": math.nan, "open": math.nan, "apart": math.nan}
    return [kind(**{key: missing[key] if value is None else value for key, value in row.items()})
            for row in document["rows"]]
