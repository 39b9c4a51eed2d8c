"""The learning map draws each chapter's pages, and a line from each page to those that build on it."""

import pytest
from bs4 import BeautifulSoup

from tests import pages, small_site

TOC = small_site.toc({"1 · First": ["one", "two", "first/quiz"], "2 · Second": ["three"], "Appendix": ["glossary"]})
LONG = "Restore with a GAN: search for the digit behind the damage"


def page(title, question, minutes, first):
    return (f"# {title}\n\n:::{{admonition}} Before you start\n**The question.** {question}\n\n"
            f"**Read first:** {first}\n\n**Time:** {minutes} minutes to read.\n:::\n")


@pytest.fixture
def soup(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    files = {"_toc.yml": TOC, "index.md": "# Start\n\n```{admonition} Map\n:class: learning-map\n\nIn words.\n```\n",
             "one.md": page("One & only", "Is it *so*?", 10, "nothing."),
             "two.md": page("Two", "And this?", 15, "[One](one.md)."),
             "first/quiz.md": "# Quiz\n",
             "three.md": page(LONG, "And then?", 20, "[One](one.md) and [the second](two.md)."),
             "glossary.md": "# Glossary\n"}
    small_site.write(tmp_path, files)
    settings = {"extensions": ["myst_parser", "sphinx_external_toc", "learning_map"],
                "myst_enable_extensions": ["colon_fence"]}
    _, warnings = small_site.build(tmp_path, settings)
    assert not warnings
    return BeautifulSoup((tmp_path / "html/index.html").read_text(encoding="utf-8"), "html.parser")


def test_the_list_says_the_same_as_the_drawing(soup):
    drawn = [(a["href"], " ".join(t.get_text() for t in a.find_all("tspan"))) for a in soup.select("svg a")]
    listed = [(a["href"], a.get_text()) for a in soup.select("details li > a:first-child")]
    assert drawn == listed == [("one.html", "One & only"), ("two.html", "Two"), ("three.html", LONG)]
    assert [one.get_text() for one in soup.find_all("summary")] == ["1 · First", "2 · Second"]


def test_the_words_for_jupyterlab_are_gone(soup):
    assert "In words" not in soup.get_text()


def test_each_page_tells_its_question_time_and_what_comes_before(soup):
    one, two, three = soup.select("details li")
    assert "Is it so?" in one.get_text() and "10 minutes" in one.get_text() and "after" not in one.get_text()
    assert "15 minutes · after One & only" in two.get_text()
    assert "20 minutes · after One & only, Two" in three.get_text()


def test_no_line_repeats_what_another_line_says(soup):
    """Three needs one and two, and two needs one: a line from one to three would add nothing."""
    assert [(one["data-from"], one["data-to"]) for one in soup.select("svg path")] == [("one", "two"), ("two", "three")]
    assert [(one["data-page"], one["data-first"]) for one in soup.select("svg a")] == [
        ("one", ""), ("two", "one"), ("three", "two")]


def test_labels_lie_inside_their_boxes(soup):
    for link in soup.select("svg a"):
        box, lines = link.find("rect"), link.find_all("tspan")
        top, height = float(box["y"]), float(box["height"])
        assert all(top + 8 < float(line["y"]) < top + height - 4 for line in lines)
        assert all(len(line.get_text()) <= 16 for line in lines)
