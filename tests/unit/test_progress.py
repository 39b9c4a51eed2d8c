"""The page of progress lists what the book holds now, also after a change of another page."""

import pytest
from bs4 import BeautifulSoup

from tests import pages, small_site

TOC = small_site.toc({"1 · First": [("one", ["below"])], "Appendix": ["progress", "two"]})
EXERCISE = """
```{exercise} Change: less < more & "none"
:label: one-change

Do it.
```
"""


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a function that builds the site and returns (pages read, rows of the page of progress)."""
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    files = {"_toc.yml": TOC, "index.md": "# Start\n", "one.md": "# Page one\n" + EXERCISE, "two.md": "# Page two\n",
             "below.md": "# Below\n",
             "progress.md": "# Progress\n\n```{admonition} List\n:class: progress\n\nIn words.\n```\n"}
    source = small_site.write(tmp_path, files)
    settings = {"extensions": ["myst_parser", "sphinx_external_toc", "sphinx_exercise", "progress"]}

    def run():
        read, warnings = small_site.build(tmp_path, settings)
        assert not warnings
        soup = BeautifulSoup((tmp_path / "html/progress.html").read_text(encoding="utf-8"), "html.parser")
        return read, soup

    run.source = source
    return run


def names(soup):
    return [link.get_text() for link in soup.select(".progress-chapter a")]


def test_the_controls_lie_in_no_box_of_the_theme(build):
    """The theme's class "progress" is a bar of one line that hides the buttons below it."""
    _, soup = build()
    button = soup.select_one(".progress-controls .progress-save")
    assert button and not button.find_parents(class_="progress")


def test_every_page_stands_in_the_order_of_the_table_of_contents(build):
    _, soup = build()
    assert [one.get_text().rstrip("¶#") for one in soup.find_all("h2")] == ["1 · First", "Appendix"]
    assert names(soup) == ["Page one", 'Change: less < more & “none”', "Below", "Page two"]
    boxes = soup.select(".progress-chapter input")
    assert [box["data-done"] for box in boxes] == ["page one", "exercise one-change", "page below", "page two"]
    assert boxes[1]["aria-label"].startswith("done: Change: less < more")
    link = soup.find("a", string=lambda text: text and text.startswith("Change"))
    assert link["href"] == "one.html#one-change"
    assert not soup.select(".progress"), "the theme's name for a bar 16 pixels high, which would cut off the buttons"


def test_a_change_elsewhere_shows(build):
    build()
    page = build.source / "one.md"
    page.write_text("# Renamed\n" + EXERCISE.replace("Change: less", "Change: even less"), encoding="utf-8")
    read, soup = build()
    assert read == ["one"] and names(soup)[:2] == ["Renamed", 'Change: even less < more & “none”']
    page.write_text("# Renamed\n", encoding="utf-8")
    assert names(build()[1]) == ["Renamed", "Below", "Page two"]
    assert build()[0] == [], "nothing changed, so nothing is read again"
