"""What a reader's machine may do to a page: each fault is named with page and line, and the rest of the book is built.

A small book, with the settings of the real one, is built as ``make book`` builds it and then as ``make test`` does.
"""

import json
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from tests import pages
from tests.book.test_build import HEADER, cell

HIDDEN = "```{{code-cell}} ipython3\n:tags: [remove-cell]\n{}\n```\n\n"
LIMIT = 12  # seconds for a cell: a busy machine imports slowly
PAGES = {
    "index": "A text.\n\n" + cell("print('all is', 6 * 7)"),
    "claim": "Before.\n\n" + cell("late = [8, 7]\nprint('shown')") + HIDDEN.format(
        "from myst_nb import glue\nassert late[0] == 8\nassert min(late) < 8 and max(late) < 8\nglue('late', late[0])")
        + "The rest says {glue:text}`late`.\n\n" + cell("print('the end')"),
    "deep": cell("""
        def mean(values):
            assert len(values) > 2, "too few"
            return sum(values) / len(values)


        print("mean", mean([1, 2]), mean([3, 4]))
    """),
    "raises": cell("print('one')") + cell("y = 1\nraise ValueError('a bad thing')") + cell("print('never')"),
    "dies": cell("print('alive')") + cell("import os, sys\nprint('last words', file=sys.__stderr__)\nos._exit(3)"),
    "hangs": cell("print('go')\nimport time\n\ntime.sleep(600)"),
    "loud": cell("import sys\n\nprint('a library warns', file=sys.stderr)"),
    "slow": cell("import time\n\ntime.sleep(1.5)\nprint('done')"),
}
EXPECTED = {  # page: line of the file that holds the culprit, and words of the note
    "claim": ("assert min(late)", "does not hold", "max(late) < 8", "max(late) = 8"),
    "deep": ("assert len(values)", "does not hold", "len(values) > 2", "len(values) = 2"),
    "raises": ("raise ValueError", "This cell stopped", "ValueError: a bad thing"),
    "dies": ("import os, sys", "the kernel died", "last words"),
    "hangs": ("print('go')", "was stopped", f"{LIMIT} seconds"),
}


def make_site(folder):
    (folder / "book").mkdir(parents=True)
    for name, body in PAGES.items():
        (folder / f"book/{name}.md").write_text(HEADER + body, encoding="utf-8")
    others = "".join(f"  - file: book/{name}\n" for name in PAGES if name != "index")
    (folder / "_toc.yml").write_text(f"format: jb-book\nroot: book/index\nchapters:\n{others}", encoding="utf-8")
    config = (pages.ROOT / "_config.yml").read_text(encoding="utf-8")
    limited = re.sub(r"^  timeout: \d+", f"  timeout: {LIMIT}", config, flags=re.M)
    assert limited != config
    (folder / "_config.yml").write_text(limited, encoding="utf-8")
    for name in ("_static", "_ext"):
        shutil.copytree(pages.ROOT / "book" / name, folder / "book" / name)
    (folder / "book/references.bib").touch()


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    log = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr)
    ran = set(re.findall(r"Executed notebook in [\d.]+ seconds: book/(\w+)", log))
    return SimpleNamespace(code=done.returncode, log=log, ran=ran)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The small book as a reader builds it, twice, and then as ``make test`` does."""
    folder = tmp_path_factory.mktemp("execution") / "site"
    make_site(folder)
    reader = run(pages.READERS_BUILD, folder)
    shown = {name: BeautifulSoup((folder / f"_build/html/book/{name}.html").read_bytes(), "html.parser")
             for name in PAGES}
    again = run(pages.READERS_BUILD, folder)
    strict = run(pages.BUILD, folder)
    return SimpleNamespace(folder=folder, reader=reader, shown=shown, again=again, strict=strict)


def culprit(name):
    lines = (HEADER + PAGES[name]).splitlines()
    return next(i for i, line in enumerate(lines, 1) if EXPECTED[name][0] in line)


def test_the_reader_gets_the_book(site):
    assert site.reader.code == 0, site.reader.log
    assert site.reader.ran == set(PAGES)
    for name, words in {"index": "all is 42", "slow": "done", "loud": "a library warns"}.items():
        assert words in site.shown[name].get_text() and not site.shown[name].select(".claim")


@pytest.mark.parametrize("name", EXPECTED)
def test_each_fault_is_named_with_page_and_line_and_noted_on_the_page(site, name):
    _, *words = EXPECTED[name]
    (told,) = [line for line in site.reader.log.splitlines() if f"book/{name}.md:{culprit(name)}: WARNING" in line]
    (box,) = site.shown[name].select("div.admonition.claim")
    for word in words:
        assert word in told and word in box.get_text(), (word, told, box.get_text())


def test_a_page_with_a_false_claim_is_whole(site):
    text = site.shown["claim"].get_text()
    assert "shown" in text and "The rest says 8" in text and "the end" in text
    assert text.index("shown") < text.index("does not hold") < text.index("The rest says")
    assert "mean 1.5 3.5" in site.shown["deep"].get_text(), "the function goes on after its false claim"


def test_a_page_that_stopped_shows_what_ran(site):
    assert "one" in site.shown["raises"].get_text() and "alive" in site.shown["dies"].get_text()
    assert not site.shown["raises"].select(".traceback")


def test_the_notes_are_counted_at_the_end(site):
    assert f"Noted on this machine: {len(EXPECTED)}, on {len(EXPECTED)} of the pages" in site.reader.log


def test_a_second_build_tries_only_the_broken_pages_again(site):
    """A false claim is the machine's answer and is kept; what raised, died or hung may have been an accident."""
    assert site.again.code == 0 and site.again.ran == {"raises", "dies", "hangs"}
    for name in EXPECTED:
        assert f"book/{name}.md:{culprit(name)}: WARNING" in site.again.log


def test_the_proof_is_strict_also_about_what_an_earlier_build_found(site):
    assert site.strict.code != 0
    for name in EXPECTED:
        assert f"book/{name}.md:{culprit(name)}: WARNING" in site.strict.log


def test_a_librarys_warning_is_reported_and_in_the_proof_an_error(tmp_path):
    make_site(tmp_path)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/loud\n", encoding="utf-8")
    reader = run(pages.READERS_BUILD, tmp_path)
    assert reader.code == 0 and "stderr was found in the cell outputs" in reader.log
    (tmp_path / "book/loud.md").write_text(HEADER + "Another text.\n\n" + PAGES["loud"], encoding="utf-8")
    assert run(pages.BUILD, tmp_path).code != 0


# ------------------------------------------------------------------------------------------------ pages side by side


@pytest.fixture
def execution(monkeypatch):
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    import execution

    return execution


def outputs(run):
    """Return what the cells of a page printed, in order."""
    return [output["text"] for cell in run.notebook.cells for output in cell.get("outputs", [])]


def test_pages_run_at_the_same_time_and_give_what_they_give_alone(execution, tmp_path):
    """Counted, not timed: each page waits until the other has begun, which it never does page after page."""
    meet = """
        import pathlib, time

        folder = pathlib.Path({folder!r})
        (folder / {mine!r}).touch()
        for _ in range(600):
            if (folder / {other!r}).exists():
                break
            time.sleep(0.1)
        print("met" if (folder / {other!r}).exists() else "alone", 6 * 7)
    """
    found = []
    for name, mine, other in [("a", "one", "two"), ("b", "two", "one")]:
        page = tmp_path / f"{name}.md"
        page.write_text(HEADER + cell(meet.format(folder=str(tmp_path), mine=mine, other=other)), encoding="utf-8")
        found.append(page)
    together = execution.run_pages(found, 120, at_once=2)
    assert [outputs(together[page]) for page in found] == [["met 42\n"]] * 2
    apart = execution.run_pages(found, 120, at_once=1)
    assert [outputs(apart[page]) for page in found] == [["met 42\n"]] * 2


def test_kernels_take_no_ports(execution, tmp_path):
    """Two programs may be given the same port in the same moment; files of one's own cannot be mixed up."""
    page = tmp_path / "a.md"
    page.write_text(HEADER + cell("""
        import json
        from ipykernel import get_connection_info
        print(json.loads(get_connection_info())["transport"])
    """), encoding="utf-8")
    assert outputs(execution.run_pages([page], 60)[page]) == ["ipc\n"]


@pytest.mark.parametrize("words", ["Kernel died before replying to kernel_info", "Kernel didn't respond in 60 seconds"])
@pytest.mark.parametrize("deaths", [2, 3])
def test_a_kernel_without_a_first_word_is_started_again(execution, tmp_path, monkeypatch, deaths, words):
    page = tmp_path / "a.md"
    page.write_text(HEADER + cell("print(6 * 7)"), encoding="utf-8")
    left = [RuntimeError(words)] * deaths
    start = execution.NotebookClient.async_start_new_kernel_client

    async def start_or_die(client):
        if left:
            raise left.pop()
        return await start(client)

    monkeypatch.setattr(execution.NotebookClient, "async_start_new_kernel_client", start_or_die)
    run = execution.run_pages([page], 60)[page]
    if deaths < execution.STARTS:
        assert run.whole and outputs(run) == ["42\n"]
    else:
        assert not run.whole and run.notes[0].title == "This page could not run"


def test_the_longest_page_starts_first(execution, tmp_path):
    started = []
    for name, seconds in {"a": 1, "b": 30, "c": 5}.items():
        (tmp_path / f"{name}.md").write_text(HEADER + cell("1"), encoding="utf-8")
        started.append((name, seconds))
    cache = tmp_path / "cache"
    env = SimpleNamespace(mystnb_config=SimpleNamespace(execution_cache_path=cache, execution_mode="cache",
                                                        execution_timeout=60),
                          doc2path=lambda name: str(tmp_path / f"{name}.md"), found_docs={"a", "b", "c"})
    records = execution.Records(env)
    records.pages = {name: {"seconds": seconds, "whole": True, "notes": []} for name, seconds in started}
    records.path.write_text(json.dumps(records.pages))
    order = []

    def note_order(paths, *_, **__):
        order.extend(path.stem for path in paths)

    execution.run_pages, kept = note_order, execution.run_pages
    try:
        execution.run_before_reading(None, env, ["a", "b", "c"])
    finally:
        execution.run_pages = kept
    assert order == ["b", "c", "a"]


def test_threads_are_shared_between_pages(execution, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    page = tmp_path / "a.md"
    page.write_text(HEADER + cell("import os\n\nprint(os.environ['TF_NUM_INTRAOP_THREADS'])"), encoding="utf-8")
    monkeypatch.setattr(execution, "cores", lambda: 8)
    assert outputs(execution.run_pages([page], 60)[page]) == ["8\n"]
    assert outputs(execution.run_pages([page], 60, variables={"TF_NUM_INTRAOP_THREADS": "3"})[page]) == ["3\n"]


# ------------------------------------------------------------------------------------------------ make sturdy


def test_sturdy_lists_every_claim_that_moves_under_another_processor(tmp_path):
    """A claim about the threads, one about weights moved by 1e-7, and one that holds everywhere."""
    make_site(tmp_path)
    toc = "format: jb-book\nroot: book/index\nchapters:\n  - file: book/threads\n  - file: book/trains\n"
    (tmp_path / "_toc.yml").write_text(toc, encoding="utf-8")
    threads = "import os\n\nassert os.environ.get('TF_NUM_INTRAOP_THREADS') != '8'\nassert 1 + 1 == 2"
    trains = "import tensorflow\nimport keras\n\nlayer = keras.layers.Dense(3, kernel_initializer='ones')\n" \
             "layer.build((2, 3))\n" \
             "moved = abs(layer.kernel.numpy() - 1)\nassert moved.max() == 0\nassert moved.max() < 1e-5"
    (tmp_path / "book/threads.md").write_text(HEADER + cell(threads), encoding="utf-8")
    (tmp_path / "book/trains.md").write_text(HEADER + cell(trains), encoding="utf-8")
    command = [sys.executable, "book/_ext/sturdy.py", "--only", "1 thread", "8 threads", "--perturbed", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    summary = done.stdout.split("\n\n")[-1]
    assert summary.startswith("3 claims moved in 8 runs of pages.")
    assert summary.count("8 threads: book/threads.md:17: ") == 1 and "1 thread:" not in summary
    for seed in (0, 1):
        assert summary.count(f"weights moved, seed {seed}: book/trains.md:21: ") == 1


def test_sturdy_says_so_when_nothing_moves(tmp_path):
    make_site(tmp_path)
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\n", encoding="utf-8")
    command = [sys.executable, "book/_ext/sturdy.py", "--only", "oneDNN off, old BLAS", "--perturbed", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 claims moved in 1 runs of pages." in done.stdout
