"""The book's scripts on small pages: readers keep their ticks from one edition to the next, leagues sort as numbers."""

import json
import re
import shutil

import pytest
from playwright.sync_api import sync_playwright

from helpers import league
from helpers.league import LeagueTable
from tests import pages
from tests.site import browser as look

STATIC = pages.ROOT / "book/_static"
KEY = "image-course-progress"  # of every edition: under another name readers would lose their ticks
OLD = """exercise first-restoration-halving done
page book/1-background/art done
quiz quiz-half-the-noise right 2
quiz quiz-other wrong 1"""
HEADER = "Image Generation and Restoration: my progress"


@pytest.fixture(scope="module")
def browser():
    path = look.executable()
    if path is None:
        pytest.skip("no Chromium, Chrome or Edge on this machine: install one, or name it in the variable CHROMIUM")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Return a function that shows HTML with one of the book's scripts; the storage can be filled before."""
    server, address = look.serve(tmp_path)
    context = browser.new_context()
    errors = []

    def show(body, script, stored=None):
        shutil.copy(STATIC / script, tmp_path)
        html = f'<!doctype html><meta charset="utf-8"><title>t</title><body>{body}<script src={script}></script>'
        (tmp_path / "page.html").write_text(html, encoding="utf-8")
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        if stored is not None:
            (tmp_path / "empty.html").write_text("<!doctype html><title>t</title>")
            page.goto(f"{address}/empty.html")
            page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, stored])
        page.goto(f"{address}/page.html")
        return page

    yield show
    context.close()
    server.shutdown()
    assert not errors


def stored(page):
    """Return all that the browser remembers, by key."""
    return page.evaluate("Object.fromEntries(Object.entries(localStorage))")


# ------------------------------------------------------------------------------------------------- progress


BOXES = """<input type="checkbox" data-done="page book/1-background/art">
<input type="checkbox" data-done="page book/new">
<div class="exercise" id="first-restoration-halving"></div><div class="exercise" id="another"></div>
<div class="quiz" id="quiz-half-the-noise">
<input type="radio" name="quiz-half-the-noise" value="1" data-verdict="wrong">
<input type="radio" name="quiz-half-the-noise" value="2" data-verdict="right"></div>"""


def test_every_script_remembers_under_the_one_name_that_readers_browsers_know():
    named = {path.name: set(re.findall(r'["\'`](image-course[\w-]*)["\'`]', path.read_text(encoding="utf-8")))
             for path in STATIC.glob("*.js")}
    assert {name for found in named.values() for name in found} == {KEY} and named["progress.js"] == {KEY}


def test_what_an_earlier_edition_remembered_is_ticked(visit):
    page = visit(BOXES, "progress.js", OLD)
    done = page.eval_on_selector_all("input[data-done]:checked", "all => all.map(one => one.dataset.done)")
    assert sorted(done) == ["exercise first-restoration-halving", "page book/1-background/art"]
    assert page.locator("input[data-verdict]:checked").get_attribute("value") == "2"
    assert stored(page) == {KEY: OLD}, "and looking at a page changes nothing"


def test_a_new_tick_is_added_to_the_old_ones_in_the_same_words(visit):
    page = visit(BOXES, "progress.js", OLD)
    page.locator("[data-done='page book/new']").check()
    page.locator("[data-done='exercise another']").check()
    page.locator("[data-done='exercise first-restoration-halving']").uncheck()
    page.locator("input[data-verdict=wrong]").check()
    assert stored(page) == {KEY: "exercise another done\npage book/1-background/art done\npage book/new done\n"
                                 "quiz quiz-half-the-noise wrong 1\nquiz quiz-other wrong 1"}


def test_a_file_that_an_earlier_edition_saved_is_understood(visit, tmp_path):
    controls = """<div class="progress-controls" hidden><progress></progress><p class="progress-all"></p>
    <p class="progress-forgets" hidden></p>
    <button class="progress-save">s</button><button class="progress-load">l</button>
    <button class="progress-forget">f</button><input type="file"><p class="progress-said"></p></div>"""
    page = visit(BOXES + controls, "progress.js")
    (tmp_path / "saved.txt").write_text(f"{HEADER}\n{OLD}\n")
    page.locator("input[type=file]").set_input_files(tmp_path / "saved.txt")
    page.get_by_text("Loaded 4 entries.").wait_for()
    assert stored(page) == {KEY: OLD}
    with page.expect_download() as download:
        page.locator(".progress-save").click()
    download.value.save_as(tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_text() == f"{HEADER}\n{OLD}\n"


def test_the_learning_map_shows_what_progress_remembers(visit):
    body = """<div class="learning-map"><svg>
    <a href="#" data-page="book/1-background/art" data-first=""><tspan>Art</tspan></a>
    <a href="#" data-page="book/new" data-first="book/1-background/art"><tspan>New</tspan></a></svg></div>"""
    page = visit(body, "learning_map.js", OLD)
    assert page.locator("a.done").count() == 1
    assert page.locator("a.done").get_attribute("data-page") == "book/1-background/art"


# ------------------------------------------------------------------------------------------ sorting a league


PSNR = {"Alpha": 9.5, "Beta": 10.25, "Gamma": 100.0, "Delta": -2.0, "Epsilon": None, "Zeta": 30.125}
SECONDS = {"Alpha": 0.00001, "Beta": 12.0, "Gamma": 2.5, "Delta": 100.0, "Epsilon": 0.5, "Zeta": 9.0}


@pytest.fixture
def table(visit, tmp_path):
    """A league of six methods; one of them did not play the second damage."""
    rows = []
    for method in PSNR:
        values = {"method": method, "image": "x", "ssim": 0.5, "seconds": SECONDS[method]}
        rows.append({"task": "deblur", "psnr": 20.0} | values)
        if PSNR[method] is not None:
            rows.append({"task": "denoise25", "psnr": PSNR[method]} | values)
    rows = [{field: row.get(field, 1.0) for field in league.Row._fields} for row in rows]
    (tmp_path / "league.json").write_text(json.dumps({"rows": rows}))
    return visit(LeagueTable(tmp_path / "league.json")._repr_html_(), "league.js")


def column(page, which, title):
    """Return the names of the methods from top to bottom after each of two clicks on a heading, and what aria says."""
    head = page.locator("table").nth(which).locator("thead th", has_text=title).first
    found = []
    for _ in range(2):
        head.get_by_role("button").click()
        names = page.locator("table").nth(which).locator("tbody tr th").all_inner_texts()
        found.append((head.get_attribute("aria-sort"), names))
    assert page.locator("table").nth(which).locator("[aria-sort]").count() == 1
    return found


def test_numbers_sort_as_numbers_and_dashes_stand_last(table):
    """As text, 9.50 would stand above 30.13, and 100 below both; a dash is no number, not even zero."""
    played = sorted((method for method in PSNR if PSNR[method] is not None), key=PSNR.get)
    assert column(table, 0, "denoise25") == [("descending", [*played[::-1], "Epsilon"]),
                                             ("ascending", [*played, "Epsilon"])]


def test_small_and_large_seconds_sort_as_numbers(table):
    """Also those that Python writes with an exponent."""
    (_, down), (_, up) = column(table, 1, "Seconds")
    expected = sorted(SECONDS, key=SECONDS.get)
    assert list(dict.fromkeys(up)) == expected and list(dict.fromkeys(down)) == expected[::-1]


def test_a_menu_shows_the_rows_of_one_damage(table):
    """Above the table of details alone: the other has the damages as its columns."""
    assert table.locator("select").count() == 1
    rows = table.locator("table").nth(1).locator("tbody tr:visible")
    everything = rows.count()
    table.locator("select").select_option("denoise25")
    shown = rows.locator("td:first-of-type").all_inner_texts()
    assert shown == ["denoise25"] * (len(PSNR) - 1)
    column(table, 1, "Method")  # sorting keeps the choice
    assert rows.count() == len(PSNR) - 1
    table.locator("select").select_option("all damages")
    assert rows.count() == everything == 2 * len(PSNR) - 1


def test_names_sort_as_names(table):
    assert column(table, 0, "Method") == [("ascending", sorted(PSNR)), ("descending", sorted(PSNR)[::-1])]


def test_equal_rows_keep_the_order_of_the_sort_before(table):
    (_, names), _ = column(table, 0, "Method")
    head = table.locator("table").nth(0).locator("thead th", has_text="deblur").first
    head.get_by_role("button").click()
    assert table.locator("table").nth(0).locator("tbody tr th").all_inner_texts() == names[::-1]
