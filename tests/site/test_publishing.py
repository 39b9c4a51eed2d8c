"""What a hosted book needs, in a small book built for real: notebooks, tags, sitemap, lost readers, print."""

import threading
import xml.etree.ElementTree as ElementTree
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from tests import pages
from tests.book.test_build import build, cell
from tests.site import browser as look
from tests.site.browser import Visit

BODY = """:::{admonition} Before you start
:class: tip

**The question.** Can a *small* book be published?

**Time:** 5 minutes to read.
:::

The answer follows.

$$ a = b $$ (small-equation)

By {eq}`small-equation` we know.

""" + cell("""
    from helpers.images import photo
    from helpers.plots import show

    show(photo("camera", size=64), alt="A photographer with a camera on a tripod")
""") + """:::{hint}
:class: dropdown
A folded hint.
:::
"""
ADDRESS = "https://example.org/course/"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    result = build(folder, BODY, BOOK_ADDRESS="")
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "_build/html"


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosted")
    result = build(folder, BODY, BOOK_ADDRESS=ADDRESS)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "_build/html"


def tags(site):
    soup = BeautifulSoup((site / "book/index.html").read_bytes(), "html.parser")
    return {tag.get("property") or tag.get("name"): tag["content"] for tag in soup.find_all("meta", content=True)}


def test_notebook_opens_runs_and_reads_as_plain_markdown(plain):
    path = plain / "_sources/book/index.ipynb"
    html = (plain / "book/index.html").read_text(encoding="utf-8")
    assert "index.ipynb" in html, "the download button must offer the notebook"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    text = "\n".join(one.source for one in notebook.cells if one.cell_type == "markdown")
    assert "requirements.txt" in notebook.cells[0].source and "helpers" in notebook.cells[0].source
    assert ":::" not in text and "{eq}" not in text and "<summary>Hint</summary>" in text
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()


@pytest.mark.parametrize("page", pages.notebooks(), ids=lambda page: page.stem)
def test_every_page_has_its_notebook(page):
    path = pages.ROOT / "_build/html/_sources" / page.relative_to(pages.ROOT).with_suffix(".ipynb")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    text = "\n".join(one.source for one in notebook.cells if one.cell_type == "markdown")
    assert "{glue" not in text and "\n:::" not in text


def test_tags_describe_the_page_and_invent_no_address(plain):
    found = tags(plain)
    assert found["description"] == found["og:description"] == "Can a small book be published?"
    assert found["og:title"] == "A page"
    assert not {"og:url", "og:image"} & set(found)
    assert not (plain / "sitemap.xml").exists()


def test_tags_and_sitemap_with_an_address(hosted):
    found = tags(hosted)
    assert found["og:url"] == ADDRESS + "book/index.html"
    assert (hosted / found["og:image"].removeprefix(ADDRESS)).is_file()
    urls = [one.text for one in ElementTree.parse(hosted / "sitemap.xml").iter() if one.tag.endswith("loc")]
    assert urls == [ADDRESS + "book/index.html"]


class Host(SimpleHTTPRequestHandler):
    """Serves a site under /course/ and its 404.html at every address that holds nothing, as hosts do."""

    def translate_path(self, path):
        return str(self.server.site / path.removeprefix("/course/").split("?")[0])

    def send_error(self, code, *rest):
        body = (self.server.site / "404.html").read_bytes()
        self.send_response(code)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def test_lost_reader_finds_home_from_any_depth(plain, browser):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.site = Path(plain)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    visit = Visit(browser, address, "course/no/such/page.html")
    assert not visit.foreign and not visit.accessibility_faults()
    visit.page.wait_for_function("document.getElementById('home').getAttribute('href') === '/course/index.html'")
    visit.close()
    server.shutdown()


def test_a_page_prints_with_text_and_figure(plain, browser, tmp_path):
    """On paper: no navigation, the figure, and what is folded on the screen."""
    server, address = look.serve(plain)
    visit = Visit(browser, address, "book/index.html")
    visit.page.emulate_media(media="print")
    assert not visit.page.locator(".bd-sidebar-primary").is_visible()
    assert visit.page.locator(".cell_output img").is_visible()
    assert visit.page.get_by_text("A folded hint.").is_visible()
    printed = visit.page.pdf()
    visit.close()
    server.shutdown()
    assert printed.startswith(b"%PDF") and b"/Subtype /Image" in printed and b"/Font" in printed
