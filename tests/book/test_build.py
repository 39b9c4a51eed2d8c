"""The build catches what it must, and survives what a reader's machine may do to it. Small books, built for real."""

import json
import os
import shutil
import subprocess
import sys
import textwrap

import pytest

from tests import pages
from tests.notebooks import executed

HEADER = "---\njupytext:\n  text_representation:\n    extension: .md\n    format_name: myst\n" \
         "kernelspec:\n  display_name: Python 3\n  language: python\n  name: python3\n---\n\n# A page\n\n"


def cell(code):
    return f"```{{code-cell}} ipython3\n{textwrap.dedent(code).strip()}\n```\n\n"


DATA = cell("""
    from helpers.images import digits, glyphs, photo
    from helpers.plots import show

    show(digits().x_test[:3])
    show(glyphs(3).x)
    show(photo("camera"))
""")


def build(folder, body, repository="", **environment):
    """Build a book of one page, with the settings of the real one, and return the finished process."""
    (folder / "book").mkdir(parents=True)
    (folder / "book/index.md").write_text(HEADER + body, encoding="utf-8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: book/index\n", encoding="utf-8")
    config = (pages.ROOT / "_config.yml").read_text(encoding="utf-8")
    (folder / "_config.yml").write_text(config.replace('url: ""', f'url: "{repository}"'), encoding="utf-8")
    for name in ("_static", "_ext"):
        shutil.copytree(pages.ROOT / "book" / name, folder / "book" / name)
    (folder / "book/references.bib").touch()
    return rebuild(folder, **environment)


def rebuild(folder, **environment):
    return subprocess.run(pages.BUILD, cwd=folder, env=os.environ | environment, capture_output=True, text=True)


def test_a_changed_sentence_runs_nothing_again(tmp_path):
    first = build(tmp_path / "site", "A sentence.\n\n" + cell("6 * 7"))
    assert first.returncode == 0 and "Executed notebook" in first.stdout + first.stderr
    page = tmp_path / "site/book/index.md"
    page.write_text(page.read_text(encoding="utf-8").replace("A sentence.", "Another one."), encoding="utf-8")
    second = rebuild(tmp_path / "site")
    assert second.returncode == 0 and "Executed notebook" not in second.stdout + second.stderr
    html = (tmp_path / "site/_build/html/book/index.html").read_text(encoding="utf-8")
    assert "Another one." in html and "42" in html


def test_warning_on_standard_error_stops_the_build(tmp_path):
    loud = build(tmp_path, cell("import sys\nprint('careful', file=sys.stderr)"))
    assert loud.returncode != 0


@pytest.mark.parametrize("damage", ["missing", "cannot be made", "half-written", "cannot be written"])
def test_cache_folder_in_any_state(tmp_path, damage):
    """The digits' cache may be missing, impossible, corrupt or read-only: the book builds."""
    cache = tmp_path / "cache"
    if damage == "cannot be made":
        cache.write_text("a file where the folder should be")
    elif damage == "half-written":
        cache.mkdir()
        (cache / "digits-v1.npz").write_bytes(b"PK\x03\x04 cut off here")
    elif damage == "cannot be written":
        cache = "/proc/image-course"  # not even root can write here
    result = build(tmp_path / "site", DATA, IMAGE_COURSE_CACHE=str(cache))
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_network(tmp_path):
    """With every connection but those on this machine refused, and an empty cache, the book builds."""
    (tmp_path / "sitecustomize.py").write_text(textwrap.dedent("""
        import socket

        connect, lookup = socket.socket.connect, socket.getaddrinfo

        def only_here(host):
            if host not in ("localhost", "127.0.0.1", "::1", "", None, "0.0.0.0"):
                raise OSError(f"no network: {host}")

        def guarded_connect(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                only_here(address[0])
            return connect(self, address)

        def guarded_lookup(host, *rest, **named):
            only_here(host)
            return lookup(host, *rest, **named)

        socket.socket.connect, socket.getaddrinfo = guarded_connect, guarded_lookup
    """))
    environment = {"PYTHONPATH": str(tmp_path), "IMAGE_COURSE_CACHE": str(tmp_path / "empty")}
    guard = "import socket; socket.create_connection(('pypi.org', 443), timeout=5)"
    blocked = subprocess.run([sys.executable, "-c", guard], env=os.environ | environment, capture_output=True,
                             text=True)
    assert "no network" in blocked.stderr, "the guard itself must work"
    result = build(tmp_path / "site", DATA, **environment)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_button_leads_nowhere(tmp_path):
    """Launch and repository buttons appear only once a host has set repository.url."""
    course = "https://github.com/someone/course"
    sites = {}
    for name, repository in (("plain", ""), ("hosted", course)):
        result = build(tmp_path / name, cell("1 + 1"), repository)
        assert result.returncode == 0, result.stdout + result.stderr
        sites[name] = (tmp_path / name / "_build/html/book/index.html").read_text(encoding="utf-8")
    places = ("mybinder.org", "github.com")
    assert not any(place in sites["plain"] for place in places)
    assert all(place in sites["hosted"] for place in places) and course in sites["hosted"]


@pytest.mark.parametrize("change", ["nothing", "text", "figure", "first run"])
def test_second_run_notices_whatever_changed(tmp_path, change):
    """nbval, as `make test` runs it, passes a true notebook and fails one whose stored output was altered or lost."""
    true = executed.path(pages.ROOT / "book/1-background/first-restoration.md")
    notebook = json.loads(true.read_text(encoding="utf-8"))
    notebook["cells"] = [one for one in notebook["cells"] if one["cell_type"] == "code"][:3]
    outputs = [output for one in notebook["cells"] for output in one["outputs"]]
    if change == "text":
        stream = next(output for output in outputs if output["output_type"] == "stream")
        stream["text"] = [line.replace("2", "3") for line in stream["text"]]
    elif change == "figure":
        figure = next(output["data"] for output in outputs if "image/png" in output.get("data", {}))
        figure["image/png"] = figure["image/png"].replace("A", "B", 1)
    elif change == "first run":
        notebook["cells"][0].update(execution_count=None, outputs=[])
    (tmp_path / "page.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.notebooks.strict", "--nbval", "--nbval-current-env",
         "-c", os.devnull, "--rootdir", str(tmp_path), str(tmp_path / "page.ipynb")],
        cwd=pages.ROOT, capture_output=True, text=True,
    )
    assert result.returncode == (change != "nothing"), result.stdout[-2000:]
    assert change != "first run" or "no first run to compare with" in result.stdout
