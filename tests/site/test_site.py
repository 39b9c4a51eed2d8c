"""The built book in a headless browser: every page, on a desktop and a phone, light and dark."""

import io

import pytest
from bs4 import BeautifulSoup
from PIL import Image

from tests import pages
from tests.site.browser import Visit, broken_links, faults_by_look, serve

SITE = pages.ROOT / "_build/html"
PATHS = [str(page.relative_to(pages.ROOT).with_suffix(".html")) for page in pages.pages()]
LESSONS = [str(page.relative_to(pages.ROOT).with_suffix(".html")) for page in pages.lessons()]


@pytest.fixture(scope="module")
def address():
    server, address = serve(SITE)
    yield address
    server.shutdown()


@pytest.mark.parametrize("path", [*PATHS, "search.html", "genindex.html"])
def test_page(browser, tab, address, path):
    """No console error, no foreign request, no sideways scroll, alt texts, nothing serious for axe-core.

    On a desktop no code or formula is cut, and a lesson begins with a figure; in the dark all can be read; on a phone
    also the lettering of charts.
    """
    faults = faults_by_look(browser, address, path, tab, lesson=path in LESSONS)
    assert not faults, "\n".join(faults)


def test_dark_mode_is_dark_and_leaves_pictures_alone(browser, address):
    visit = Visit(browser, address, "book/1-background/first-restoration.html", theme="dark")
    background = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    picture = visit.page.locator(".cell_output img").first
    assert sum(int(part) for part in background.strip("rgb()").split(",")) < 150
    assert picture.evaluate("one => getComputedStyle(one).filter") == "none"
    visit.close()


def test_charts_are_light_on_dark_pages(browser, address):
    """The same file is shown dark on light and light on dark: only its colours are turned."""
    shown = {}
    for theme in ("light", "dark"):
        visit = Visit(browser, address, "book/1-background/first-restoration.html", theme=theme)
        chart = visit.page.locator(".cell_output img[src$='.svg']").first
        picture = Image.open(io.BytesIO(chart.screenshot())).convert("L")
        shown[theme] = sum(picture.getdata()) / (picture.width * picture.height)
        visit.close()
    assert shown["light"] > 200 and shown["dark"] < 60, shown


def test_an_unanswered_exercise_shows_its_task_alone(browser, address):
    visit = Visit(browser, address, "book/1-background/first-restoration.html")
    cells = visit.page.locator(".tag_exercise")
    assert cells.count() >= 3 and "check(" in cells.first.inner_text()
    assert "Not yet" not in visit.page.locator(".bd-article").inner_text()
    visit.close()


def test_the_map_marks_the_way_to_a_page_and_colours_what_is_done(browser, address):
    visit = Visit(browser, address, "book/index.html")
    link = visit.page.locator(".learning-map svg a[data-first]:not([data-first=''])").first
    before = link.get_attribute("data-first").split()
    assert visit.page.locator(".learning-map .on-the-way").count() == 0
    for reach in (link.focus, link.hover):
        reach()
        marked = visit.page.eval_on_selector_all(
            ".learning-map a.on-the-way", "all => all.map(one => one.dataset.page)")
        assert {*before, link.get_attribute("data-page")} <= set(marked)
        visit.page.evaluate("document.activeElement.blur()")
    done = before[0]
    visit.page.evaluate("name => localStorage.setItem('image-course-progress', `page ${name} done`)", done)
    visit.page.reload(wait_until="networkidle")
    coloured = visit.page.eval_on_selector_all(".learning-map a.done", "all => all.map(one => one.dataset.page)")
    assert coloured == [done]
    visit.close()


def test_formulas_are_typeset(browser, address):
    visit = Visit(browser, address, "book/1-background/first-restoration.html")
    assert visit.page.locator("mjx-container").count() > 3
    assert any("mathjax" in url for url in visit.sizes), "MathJax must come from the book"
    visit.close()


def test_pictures_are_pixel_exact_on_a_desktop(browser, address):
    """A row of three photographs is shown at its own size, not resampled by the browser."""
    visit = Visit(browser, address, "book/1-background/first-restoration.html", width=1600)
    sizes = visit.page.eval_on_selector_all(
        ".cell_output img", "all => all.map(one => [one.naturalWidth, one.getBoundingClientRect().width])")
    visit.close()
    rows = [(natural, shown) for natural, shown in sizes if natural <= 812]
    assert rows and all(abs(natural - shown) < 1 for natural, shown in rows), sizes


def test_no_internal_link_is_broken():
    assert not broken_links(SITE)


def test_navigation_leads_through_the_whole_book():
    """From the first page, “next” visits every page of the table of contents in its order."""
    seen = [PATHS[0]]
    while following := BeautifulSoup((SITE / seen[-1]).read_bytes(), "html.parser").select("a.right-next"):
        seen.append((SITE / seen[-1]).parent.joinpath(following[0]["href"]).resolve().relative_to(SITE).as_posix())
    assert seen == PATHS
