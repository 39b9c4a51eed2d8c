"""Run the pages of the book side by side before Sphinx reads them, and mark each claim that does not hold.

Pages that the cache lacks run in as many kernels as the machine has cores, the longest first. A false ``assert``, a
cell that raises, one that takes too long, a kernel that dies: each becomes a note at its place on the page and a
warning that names page and line. With ``-W``, as in ``make test``, a warning is an error; in ``make book`` the rest is
built and the notes are listed at the end.
"""

import asyncio
import json
import os
import re
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from kernel.claims import NOTE
from myst_nb.core.read import read_myst_markdown_notebook
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from sockets import sockets
from sphinx.util import logging

LOG = logging.getLogger(__name__)
ROUNDING = (
    "Other processors round differently, and so may other versions of a library. What the text says here was "
    "true where the book was written; on this machine the run says otherwise."
)
MEMORY = 1.5e9  # bytes that a page with networks may need
STARTS = 3  # a kernel that says no first word is started again
SILENT = ("before replying", "didn't respond")  # what nbclient says of such a kernel
ANSWER = 60  # seconds that a kernel has for its first word
KERNEL = Path(__file__).parent / "kernel"  # what the kernels import


class Note(NamedTuple):
    """What a reader should know about one cell: its page's line, a headline, the details, and what to make of them."""

    line: int
    title: str
    text: str
    advice: str = "What comes after this cell was not run. The other pages are not touched by it."


class Run(NamedTuple):
    """A page that was run: the notebook with its outputs, the seconds, the notes, and whether it came to its end."""

    notebook: object
    seconds: float
    notes: list
    whole: bool


# ------------------------------------------------------------------------------------------------ running pages


def read(page):
    """Return the notebook of a page, as Sphinx will read it, or None if nothing runs there."""
    text = Path(page).read_text(encoding="utf-8")
    if not text.startswith("---\njupytext:"):
        return None
    return read_myst_markdown_notebook(text, add_source_map=True, path=page)


def cores():
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def workers():
    """Return how many pages may run at once: as many as there are cores, and as memory allows."""
    return max(1, min(cores(), int(psutil.virtual_memory().available / MEMORY)))


def run_pages(pages, timeout, at_once=None, variables=(), extensions=("claims",), report=lambda page, run: None):
    """Run pages side by side and return a dictionary from page to :class:`Run`.

    Parameters
    ----------
    pages : list of Path
        In the order in which they start.
    timeout : int
        Seconds that one cell may take.
    at_once : int, optional
        Pages that run at the same time; by default :func:`workers`. They share the cores between them.
    variables : dict, optional
        Environment variables of the kernels, over those of this process.
    extensions : names of IPython extensions in the folder ``kernel``
    report : function of a page and its Run, called when it ends
    """
    at_once = min(at_once or workers(), max(1, len(pages)))
    path = os.pathsep.join(filter(None, [str(KERNEL), os.environ.get("PYTHONPATH")]))
    environment = (
        {"TF_NUM_INTRAOP_THREADS": str(max(1, cores() // at_once))}
        | os.environ
        | {"PYTHONPATH": path}
        | dict(variables)
    )

    async def all_of_them():
        free = asyncio.Semaphore(at_once)
        runs = {}

        async def one(page):
            async with free:
                runs[page] = await _run(page, timeout, environment, extensions)
                report(page, runs[page])

        await asyncio.gather(*(one(page) for page in pages))
        return runs

    return asyncio.run(all_of_them())


async def _run(page, timeout, environment, extensions):
    notebook = read(page)
    text = Path(page).read_text(encoding="utf-8").splitlines()
    reached, stopped = 0, None

    def note_cell(cell, cell_index):
        nonlocal reached
        reached = cell_index

    async def execute(complaints, folder):
        for start in range(1, STARTS + 1):
            client = NotebookClient(
                notebook,
                config=sockets(f"{folder}/{start}"),
                startup_timeout=ANSWER,
                timeout=timeout,
                kernel_name=notebook.metadata.get("kernelspec", {}).get("name", "python3"),
                resources={"metadata": {"path": str(Path(page).parent)}},
                record_timing=False,
                on_cell_start=note_cell,
                extra_arguments=[f"--ext={name}" for name in extensions],
            )
            try:
                return await client.async_execute(env=environment, stderr=complaints)
            except RuntimeError as error:
                if start == STARTS or not any(words in str(error) for words in SILENT):
                    raise

    started = time.perf_counter()
    with tempfile.TemporaryFile() as complaints, tempfile.TemporaryDirectory(prefix="page-") as folder:
        try:
            await execute(complaints, folder)
        except CellExecutionError as error:
            stopped = Note(
                _line(notebook, text, reached, _failing_line(notebook.cells[reached])),
                "This cell stopped",
                f"{error.ename}: {error.evalue}",
            )
        except CellTimeoutError:
            stopped = Note(
                _line(notebook, text, reached), "This cell was stopped", f"It had not ended after {timeout} seconds."
            )
        except DeadKernelError:
            complaints.seek(0)
            last = [
                line
                for line in complaints.read().decode(errors="replace").splitlines()
                if line.strip() and not line.startswith("[IPKernelApp]")
            ][-3:]
            stopped = Note(
                _line(notebook, text, reached),
                "Here the kernel died",
                "\n".join(last) or "It left no word; often there is too little memory.",
            )
        except Exception as error:  # no kernel, for example: the other pages run all the same
            stopped = Note(
                _line(notebook, text, reached), "This page could not run", f"{type(error).__name__}: {error}"
            )
    notes = [*_take_claims(notebook, text), *filter(None, [stopped])]
    return Run(notebook, time.perf_counter() - started, notes, stopped is None)


def _take_claims(notebook, text):
    """Take the notes of false claims, and tracebacks, out of the cells' outputs; return the former."""
    notes = {}
    for index, cell in enumerate(notebook.cells):
        outputs = cell.get("outputs", [])
        for output in outputs:
            if NOTE in output.get("data", {}):
                claim = output["data"][NOTE]
                line = _line(notebook, text, index, claim["line"])
                found = f"\nfound: {claim['found']}" if claim["found"] else ""
                notes.setdefault(
                    line, Note(line, "This claim does not hold on this machine", claim["claim"] + found, ROUNDING)
                )
        if cell.cell_type == "code":
            cell.outputs = [one for one in outputs if NOTE not in one.get("data", {}) and one["output_type"] != "error"]
    return list(notes.values())


def _line(notebook, text, index, within=1):
    """Return the line of the page, from 1, in which a line of a cell stands."""
    fence = notebook.metadata["source_map"][index]  # from 0
    source = notebook.cells[index].source.splitlines() or [""]
    first = next((i for i in range(fence + 1, len(text)) if text[i] == source[0]), fence)
    return first + within


def _failing_line(cell):
    """Return the line of a cell, from 1, in which it raised."""
    traceback = "\n".join("\n".join(output["traceback"]) for output in cell.outputs if output["output_type"] == "error")
    lines = re.findall(r"^-+> (\d+)", re.sub(r"\x1b\[[\d;]*m", "", traceback), re.M)
    return int(lines[0]) if lines else 1


# ------------------------------------------------------------------------------------------------ what Sphinx calls


class Records:
    """What is known of the last run of each page, in a file beside the cache."""

    def __init__(self, env):
        self.cache = get_cache(env.mystnb_config.execution_cache_path)
        self.path = Path(env.mystnb_config.execution_cache_path).parent / "claims.json"
        self.pages = json.loads(self.path.read_text(encoding="utf-8")) if self.path.is_file() else {}

    def notes(self, name):
        return [Note(*note) for note in self.pages.get(name, {}).get("notes", [])]

    def keep(self, name, path, run):
        """Keep a run: the notebook for Sphinx to find, the rest here."""
        bundle = CacheBundleIn(run.notebook, str(path), data={"execution_seconds": run.seconds})
        self.cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        self.pages[name] = {"seconds": run.seconds, "whole": run.whole, "notes": run.notes}
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps(self.pages, indent=1), encoding="utf-8")
        temporary.replace(self.path)

    def seconds(self, name, path):
        """Return how long a page took, or else a guess: what trains or loads networks takes longest."""
        if name in self.pages:
            return self.pages[name]["seconds"]
        text = Path(path).read_text(encoding="utf-8")
        return len(re.findall(r"\bkeras\b|helpers\.(?:models|pretrained)", text)) * 10 + len(text) / 1e4

    def cached(self, notebook):
        try:
            return self.cache.match_cache_notebook(notebook)
        except KeyError:
            return None


def try_broken_pages_again(app, env, added, changed, removed):
    if env.mystnb_config.execution_mode != "cache":
        return []
    pages = Records(env).pages
    return [name for name in pages if not pages[name]["whole"] and name in env.found_docs]


def run_before_reading(app, env, names):
    """Run those pages that Sphinx is about to read and the cache lacks."""
    if env.mystnb_config.execution_mode != "cache":
        return
    records, missing = Records(env), {}
    for name in names:
        path = Path(env.doc2path(name))
        notebook = read(path)
        if notebook is not None:
            whole = records.pages.get(name, {}).get("whole", True)
            if not whole or records.cached(notebook) is None:
                missing[path] = name
    order = sorted(missing, key=lambda path: -records.seconds(missing[path], path))

    def report(path, run):
        nonlocal done
        done += 1
        records.keep(missing[path], path, run)
        LOG.info("Executed notebook in %.1f seconds: %s (%d of %d)", run.seconds, missing[path], done, len(order))

    done = 0
    if order:
        LOG.info("running %d pages, %d at a time", len(order), min(workers(), len(order)))
        run_pages(order, env.mystnb_config.execution_timeout, report=report)
    _forget(records, env.found_docs)


def _forget(records, known):
    for name in set(records.pages) - set(known):
        del records.pages[name]


def show_notes(app, name, source):
    """Put each note after its cell: in the text, before it is parsed."""
    notes = Records(app.env).notes(name) if app.env.mystnb_config.execution_mode == "cache" else []
    lines = source[0].splitlines()
    for note in sorted(notes, reverse=True):
        end = next(
            (i for i in range(note.line, len(lines)) if re.match(r"(`{3,}|~{3,})\s*$", lines[i])), len(lines) - 1
        )
        box = [
            f":::{{admonition}} {note.title}",
            ":class: warning claim",
            "",
            "```text",
            *note.text.splitlines(),
            "```",
            "",
            note.advice,
            ":::",
        ]
        lines[end + 1 : end + 1] = ["", *box, ""]
    source[0] = "\n".join(lines) + "\n"


def list_notes(app, exception):
    """Warn of every note, with page and line: an error under ``-W``, a list for a reader."""
    if exception is not None or app.env.mystnb_config.execution_mode != "cache":
        return
    records = Records(app.env)
    notes = [
        (name, note) for name in sorted(records.pages) if name in app.env.found_docs for note in records.notes(name)
    ]
    for name, note in notes:
        LOG.warning("%s: %s", note.title, "; ".join(note.text.splitlines()), location=(name, note.line), type="claims")
    if notes:
        pages = len({name for name, _ in notes})
        LOG.info(
            "Noted on this machine: %d, on %d of the pages. The lines above name each, and the page says it at its "
            "place. Everything else was built as it should be.",
            len(notes),
            pages,
        )


def setup(app):
    app.connect("env-get-outdated", try_broken_pages_again)
    app.connect("env-before-read-docs", run_before_reading)
    app.connect("source-read", show_notes)
    app.connect("build-finished", list_notes)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
