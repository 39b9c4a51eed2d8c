"""The panel "turn a knob", in a small book built for real: by keyboard, mouse, touch, from a file, without scripts."""

import base64
import io
import json
import re
from urllib.parse import unquote

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from helpers.live import knobs
from tests import pages
from tests.book.test_build import build, cell
from tests.site.browser import PHONE, WAIT

PAGE = "book/index.html"
PANEL = "#live-knob-1"
BOX = """```{admonition} Turn the degree
:class: live turn-knob

In the built book a slider stands here.
```

"""
BODY = cell("""
    import numpy as np

    from helpers.images import photo
    from helpers.live.knobs import knob
    from helpers.plots import chart, done, show
""") + """```{code-cell} ipython3
---
mystnb:
  image:
    alt: A straight line and a curve that bends ever more
---
def draw(degree):
    t = np.linspace(0, 1, 50)
    ax = chart(xlabel="t", ylim=(0, 1), height=2.7)
    ax.plot(t, t, "k--")
    ax.plot(t, t**degree)
    done()
    return f"degree {degree}: the curve's mean is {np.mean(t**degree):.4f} < 1"

knob(draw, "degree <d>", range(1, 8), start=3)
```

""" + BOX + """```{code-cell} ipython3
---
mystnb:
  image:
    alt: A photographer with a camera on a tripod, ever darker
---
x = photo("camera", size=64)

def darken(factor):
    show([factor * x])
    return f"factor {factor}: mean {np.mean(factor * x):.3f}"

knob(darken, "factor", [0.25, 0.5, 1.0], start=1.0)
```

""" + BOX


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("knobs")
    result = build(folder, BODY)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "_build/html"


def said(page, words, panel=PANEL):
    page.locator(f"{panel} output", has_text=words).wait_for(timeout=WAIT)


def mean(degree):
    return f"degree {degree}: the curve's mean is {np.mean(np.linspace(0, 1, 50) ** degree):.4f} < 1"


def test_before_a_reader_acts_no_state_has_come(site, visit):
    here = visit()
    assert not [url for url in here.sizes if "/knob-" in url]
    assert (site / "_static/live/knob-book-index-1.js").is_file()
    html = (site / PAGE).read_text(encoding="utf-8")
    assert knobs.OPENING not in html, "the states stand in the page"
    soup = BeautifulSoup(html, "html.parser")
    panel = soup.select_one(PANEL)
    assert len(str(panel)) < 8000 and not panel.select(".cell_input"), "the code stays outside"
    assert "def draw(degree)" in panel.find_previous(class_="cell_input").get_text()
    assert not (site / "_static/live/restorer.js").exists(), "no network is needed here"


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (PHONE, "dark"), (320, "light")])
def test_the_keyboard_turns_it(visit, width, theme):
    here = visit(width=width, theme=theme)
    page, before = here.page, here.page.locator(f"{PANEL} img").get_attribute("src")
    knob = page.get_by_role("slider", name="degree <d>")
    assert knob.get_attribute("aria-valuetext") == "3" and page.locator(f"{PANEL} output").inner_text() == mean(3)
    box = page.locator(f"{PANEL} img").bounding_box()
    for _ in range(60):
        page.keyboard.press("Tab")
        if knob.evaluate("one => one === document.activeElement"):
            break
    assert knob.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    for key, degree in (("ArrowRight", 4), ("End", 7), ("ArrowLeft", 6), ("Home", 1)):
        page.keyboard.press(key)
        said(page, mean(degree))
        assert knob.get_attribute("aria-valuetext") == str(degree)
        assert page.locator(f"{PANEL} .live-value").inner_text() == str(degree)
        assert mean(degree) in page.locator(f"{PANEL} img").get_attribute("alt")
    page.wait_for_function(f"document.querySelector('{PANEL} img').complete")
    after = page.locator(f"{PANEL} img").bounding_box()
    assert {key: round(after[key]) for key in box} == {key: round(box[key]) for key in box}, "nothing moves"
    assert not here.faults() + here.accessibility_faults()
    assert knob.bounding_box()["height"] >= 24
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    said(page, mean(3))
    assert page.locator(f"{PANEL} img").get_attribute("src").split("/")[-1] == before.split("/")[-1]


def test_each_state_is_the_figure_that_the_page_draws(visit, site):
    """The curve of the first degree is a straight line; the picture of half the light has half the grey levels."""
    page = visit().page
    page.locator(f"{PANEL} input").press("Home")
    said(page, mean(1))
    svg = unquote(page.locator(f"{PANEL} img").get_attribute("src")).removesuffix("#figure.svg")
    begin = next(site.joinpath("_images").glob("*.svg")).read_text(encoding="utf-8")
    assert len(svg.split("\n")) > 100 and re.findall(r"<svg[^>]*>", svg) == re.findall(r"<svg[^>]*>", begin)
    page.locator("#live-knob-2 input").press("ArrowLeft")
    said(page, "factor 0.5: mean", "#live-knob-2")
    source = page.locator("#live-knob-2 img").get_attribute("src")
    half = np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).convert("LA"))
    whole = np.asarray(Image.open(next(site.joinpath("_images").glob("*.png"))).convert("LA"))
    inside = whole[..., 1] == 255
    assert half.shape == whole.shape and inside.sum() > 64**2
    assert abs(half[inside][:, 0].astype(float) - whole[inside][:, 0] / 2).max() <= 1


def test_the_words_are_those_of_python(site):
    head = json.loads(BeautifulSoup((site / PAGE).read_bytes(), "html.parser").select_one(PANEL)["data-knob"])
    assert head == {"script": "knob-book-index-1", "label": "degree <d>", "values": list("1234567"), "start": 2,
                    "words": [mean(degree) for degree in range(1, 8)]}


def test_mouse_and_finger_turn_it(visit, browser, address):
    page = visit().page
    box = page.locator(f"{PANEL} input").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2)
    said(page, mean(7))
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] / 2, steps=9)
    page.mouse.up()
    said(page, mean(1))
    context = browser.new_context(has_touch=True, viewport={"width": PHONE, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    page.locator(f"{PANEL} input").tap(position={"x": 3, "y": 12})
    said(page, mean(1))
    context.close()


def test_without_scripts_the_figure_and_its_words_stand_alone(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    assert page.locator(f"{PANEL} img").is_visible() and page.locator(f"{PANEL} input").count() == 0
    assert mean(3) in page.locator(PANEL).inner_text()
    context.close()


def test_on_paper_the_state_is_printed_and_no_slider(visit):
    page = visit().page
    page.locator(f"{PANEL} input").press("End")
    said(page, mean(7))
    page.emulate_media(media="print")
    assert page.locator(f"{PANEL} img").is_visible() and not page.locator(f"{PANEL} input").is_visible()
    assert page.locator(f"{PANEL} output").is_visible()


def test_from_a_file(browser, site):
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((site / PAGE).as_uri())
    page.locator(f"{PANEL} input").press("End")
    said(page, mean(7))
    assert page.locator(f"{PANEL} img").evaluate("one => one.decode().then(() => one.naturalWidth)") > 100
    context.close()
    assert not errors


def test_in_forced_colours_the_knob_is_seen(browser, address):
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    knob = page.locator(f"{PANEL} input")
    assert knob.evaluate("one => getComputedStyle(one).appearance") == "auto", "drawn by the browser in its colours"
    knob.focus()
    knob.press("ArrowRight")
    assert knob.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    context.close()


@pytest.mark.parametrize("damage", [None, lambda text: text[: len(text) // 2]], ids=["missing", "cut short"])
def test_states_that_do_not_come_are_named(browser, address, damage):
    page = browser.new_context().new_page()

    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, body=damage(response.text()))

    page.route("**/knob-book-index-1.js", answer if damage else lambda route: route.abort())
    page.goto(f"{address}/{PAGE}")
    knob = page.locator(f"{PANEL} input")
    knob.press("ArrowRight")
    said(page, "The other figures did not come: the file knob-book-index-1.js")
    assert knob.input_value() == "2" and knob.get_attribute("aria-valuetext") == "3", "back at what is shown"
    if damage is None:  # what came damaged is in the browser's cache
        page.unroute_all()
        knob.press("End")
        said(page, mean(7))
    page.context.close()


def test_what_the_knobs_of_the_book_bring_is_light():
    """About a megabyte each when a reader acts, and before that a few kilobytes."""
    site = pages.ROOT / "_build/html"
    found = [section for page in pages.notebooks() if "turn-knob" in page.read_text(encoding="utf-8")
             for section in BeautifulSoup((site / page.relative_to(pages.ROOT).with_suffix(".html")).read_bytes(),
                                          "html.parser").select('[data-panel="turn-knob"]')]
    assert len(found) >= 6
    for section in found:
        script = site / f"_static/live/{json.loads(section['data-knob'])['script']}.js"
        assert len(str(section)) < 15_000 and script.stat().st_size < 1_500_000, script.name
