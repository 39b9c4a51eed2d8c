"""The book in one file: every page once, links that stay inside, and plain words when something is missing."""

import importlib
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests import pages

PAGE = """<html><body><nav>menu</nav><article class="bd-article">
<h1 id="top">{title}</h1><details><summary>Hint</summary>folded</details>
<img src="{up}_images/a.png" loading="lazy"><a href="#top">here</a>
<a href="{other}#top">there</a><a href="genindex.html">away</a><a href="https://example.org">far</a>
</article><script>alert(1)</script></body></html>"""


@pytest.fixture
def pdf(monkeypatch):
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    return importlib.import_module("pdf")


@pytest.fixture
def root(tmp_path):
    site = tmp_path / "_build/html/book"
    (site / "part").mkdir(parents=True)
    (site / "index.html").write_text(PAGE.format(title="First", up="../", other="part/two.html"), encoding="utf-8")
    (site / "part/two.html").write_text(PAGE.format(title="Second", up="../../", other="../index.html"),
                                        encoding="utf-8")
    (tmp_path / "_toc.yml").write_text("root: book/index\nchapters:\n  - file: book/part/two\n", encoding="utf-8")
    return tmp_path


def test_pages_become_one_document(pdf, root):
    soup = BeautifulSoup(pdf.together(root / "_build/html", ["book/index", "book/part/two"]), "html.parser")
    assert [one.get_text() for one in soup.find_all("h1")] == ["First", "Second"]
    assert [one["id"] for one in soup.find_all("h1")] == ["page0-top", "page1-top"], "anchors stay apart"
    assert {one["src"] for one in soup.find_all("img")} == {"../_images/a.png"}
    links = [[one.get("href") for one in article.find_all("a")] for article in soup.find_all("article")]
    assert links == [["#page0-top", "#page1-top", None, "https://example.org"],
                     ["#page1-top", "#page0-top", None, "https://example.org"]]
    assert all(one.has_attr("open") for one in soup.find_all("details")), "paper cannot unfold"
    assert not soup.find("script") and not soup.find("nav")


def test_without_a_browser_it_says_what_to_install(pdf, root, monkeypatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    assert "needs Chromium" in pdf.main(root)


def test_without_the_book_it_says_which_page_is_missing(pdf, root, monkeypatch):
    monkeypatch.setenv("CHROMIUM", "/bin/true")
    (root / "_build/html/book/part/two.html").unlink()
    assert pdf.main(root) == "book/part/two is not built: run make book first"


def test_a_browser_that_fails_leaves_nothing_behind(pdf, root, monkeypatch):
    def fail(page, browser):
        assert page.is_file()
        raise RuntimeError("no")

    monkeypatch.setenv("CHROMIUM", "/bin/true")
    monkeypatch.setattr(pdf, "print_pdf", fail)
    with pytest.raises(RuntimeError):
        pdf.main(root)
    assert not list(Path(root).rglob("whole-book.html")) and not list(Path(root).rglob("*.pdf"))
