"""The panel "mix styles": by mouse, keyboard and touch, on a site of one page with all that the panel delivers."""

import re
from urllib.request import urlopen

import numpy as np
import pytest

from helpers.live import first
from tests import small_site
from tests.site.browser import PHONE, WAIT, altered, press, said, with_another_sum, without_simd

PANEL = ".live-panel"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return small_site.with_panel(tmp_path_factory.mktemp("mix"), "mix-styles", "Mix the styles of two robots")


def pictures(page):
    """Return the five pictures as they stand on the page (5, 32, 32, 3), in [0, 1]."""
    numbers = page.locator(f"{PANEL} canvas").evaluate_all(
        "all => all.map(one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data])")
    return np.reshape(numbers, (5, 32, 32, 4))[..., :3] / 255


def same(page, **question):
    return np.abs(pictures(page) - first.robots_of_styles(**question)).max() < 0.51 / 255 + 1e-4


def test_before_a_reader_acts_the_page_is_light_and_complete(visit):
    here = visit()
    loaded = [url for url in here.sizes if "/live/" in url]
    assert sorted(url.split("/live/")[1].split("?")[0] for url in loaded) == ["live.js", "mix.js"]
    assert sum(len(urlopen(url).read()) for url in loaded) < 40_000
    assert here.page.locator(f"{PANEL} img").is_visible()
    assert not here.page.locator(f"{PANEL} canvas").first.is_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (PHONE, "dark")])
def test_two_robots_are_mixed_by_keyboard(visit, width, theme):
    here = visit(width=width, theme=theme)
    page = here.page
    press(page, "Draw")
    told = said(page, "nearest")
    assert re.match(r"Layers 0, 1 and 2 of B, the others of A\. The robot nearest to the mixture is 0\.\d{3} away"
                    r"( \(above 0\.06: no robot\))?\. Shared with A alone: .+; with B alone: .+\.", told)
    assert same(page) and not page.locator(f"{PANEL} img").is_visible()
    rows = page.locator(".live-told tbody tr").all_inner_texts()
    assert [one.split()[0] for one in rows] == ["colour", "body", "head", "accessory", "eyes", "mouth", "distance"]
    layer = page.get_by_role("checkbox", name="5 (16 × 16)")
    layer.focus()
    page.keyboard.press("Space")
    said(page, "^Layers 0, 1, 2 and 5 of B")
    assert layer.is_checked() and same(page, second=[0, 1, 2, 5])
    assert layer.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.get_by_role("slider", name="From A to B").focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('.live-panel canvas[aria-label*=\" 0 %\"]')", timeout=WAIT)
    at_a = pictures(page)
    np.testing.assert_array_equal(at_a[3], at_a[0])
    np.testing.assert_array_equal(at_a[4], at_a[0])
    assert not here.faults() + here.accessibility_faults()
    small = page.locator(f"{PANEL} :is(button, label, input)").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).filter(box => box.height && Math.min(box.width, "
        "box.height) < 24).length")
    assert small == 0


def test_all_layers_of_one_are_that_one_and_other_seeds_other_robots(visit):
    page = visit().page
    for layer in (0, 1, 2):
        page.get_by_role("checkbox").nth(layer).uncheck()
    said(page, "^All layers of A")
    np.testing.assert_array_equal(*pictures(page)[:2])
    page.get_by_label("Seed of robot A").fill("7")
    page.get_by_label("Seed of robot A").press("Tab")
    page.locator("canvas[aria-label='Robot A, seed 7']").wait_for(timeout=WAIT)
    before = pictures(page)
    assert same(page, seeds=[7, 4], second=[])
    press(page, "New noise")
    page.wait_for_function("""before => {
        const one = document.querySelector('.live-panel canvas').getContext('2d').getImageData(0, 0, 32, 32).data;
        return before.some((value, i) => value !== one[i + Math.floor(i / 3)]);
    }""", arg=np.rint(255 * before[0]).astype(int).ravel().tolist(), timeout=WAIT)
    assert same(page, seeds=[7, 4], second=[], noise=2)
    page.get_by_label("Seed of robot B").fill("-5")
    press(page, "Two others")
    page.locator("canvas[aria-label='Robot A, seed 9']").wait_for(timeout=WAIT)
    assert page.get_by_label("Seed of robot B").input_value() == "2"


def test_the_newest_of_many_questions_counts(visit):
    """Truncation to nought, on the way to which the slider passes all that lies before; and the mean style is one."""
    page = visit().page
    press(page, "Draw")
    said(page, "nearest")
    page.get_by_role("checkbox").nth(3).check()
    page.get_by_role("slider", name="Truncation").focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("""() => {
        const all = [...document.querySelectorAll('.live-panel canvas')].map(
            (one) => one.getContext('2d').getImageData(0, 0, 32, 32).data.join());
        return all.every((one) => one === all[0]);
    }""", timeout=WAIT)
    said(page, "^Layers 0, 1, 2 and 3 of B.*Shared with A alone: nothing; with B alone: nothing")


def test_from_a_file_by_touch_and_without_motion(browser, site):
    context = browser.new_context(reduced_motion="reduce", has_touch=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((site / "index.html").as_uri())
    page.get_by_role("checkbox", name="5 (16 × 16)").tap()
    said(page, "^Layers 0, 1, 2 and 5 of B")
    context.close()
    assert not errors


@pytest.mark.parametrize(("change", "why"), [
    (None, "the file stylegan-robots.js could not be loaded"),
    (with_another_sum, "the weights are damaged"),
])
def test_what_is_missing_or_damaged_is_named_and_can_be_tried_again(browser, address, change, why):
    page = altered(browser, address, "stylegan-robots", change)
    press(page, "Draw")
    said(page, f"The network cannot run here: {why}")
    assert page.locator(f"{PANEL} img").is_visible()
    page.unroute_all()
    press(page, "Draw")
    said(page, "nearest to the mixture")
    page.context.close()


def test_without_fast_arithmetic_it_draws_slowly(browser, address):
    page = altered(browser, address, "engine-and-methods", without_simd)
    press(page, "Draw")
    said(page, "Slowly: this browser has no fast arithmetic")
    said(page, "nearest to the mixture")
    page.context.close()
