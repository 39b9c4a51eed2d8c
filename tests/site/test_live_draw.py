"""The panel "draw from noise": by mouse and keyboard, on a site of one page with all that the panel delivers."""

import re
from urllib.request import urlopen

import numpy as np
import pytest

from helpers.images import robots
from tests import small_site
from tests.site.browser import PHONE, WAIT, altered, said, with_another_sum, without_simd

PANEL = ".live-panel"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return small_site.with_panel(tmp_path_factory.mktemp("draw"), "draw-from-noise", "Draw from noise")


def draw(page):
    page.get_by_role("button", name="Draw", exact=True).click()


def robot(page, words):
    page.get_by_role("radio", name="a robot, by words").check()
    page.get_by_label("What it looks like").fill(words)
    page.get_by_label("What it looks like").press("Enter")


def pixels(page, which):
    """Return the numbers of one of the two large canvases."""
    return np.array(page.locator(".live-large").nth(which).evaluate(
        "one => [...one.getContext('2d').getImageData(0, 0, one.width, one.height).data]"))


def when_underway(page, action):
    """Do something in the page as soon as two steps are done: a fast machine would be ready before it is told."""
    page.wait_for_function(f"""() => {{
        if (document.querySelector('.live-go').textContent !== 'Stop') return false;
        if (document.querySelector('progress').value < 1) return false;
        {action}
        return true;
    }}""", timeout=WAIT)


def test_before_a_reader_acts_the_page_is_light_and_complete(visit):
    here = visit()
    loaded = [url for url in here.sizes if "/live/" in url]
    assert sorted(url.split("/live/")[1].split("?")[0] for url in loaded) == ["draw.js", "live.js"]
    assert sum(len(urlopen(url).read()) for url in loaded) < 40_000
    assert here.page.locator(f"{PANEL} img").is_visible() and not here.page.locator(".live-large").first.is_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (PHONE, "dark")])
def test_a_digit_is_drawn_and_its_way_scrubbed_by_keyboard(visit, width, theme):
    here = visit(width=width, theme=theme)
    page = here.page
    draw(page)
    assert re.search(r"^9 steps, 17 runs of the network\. The classifier reads 7 \(\d+ %\)", said(page, "reads"))
    assert not page.locator(f"{PANEL} img").is_visible()
    assert page.locator(".live-strip canvas").count() == 10
    np.testing.assert_array_equal(pixels(page, 0), pixels(page, 1))  # no noise is left
    scrub = page.get_by_label("Step of the walk")
    assert scrub.get_attribute("aria-valuetext") == "the end: no noise is left"
    page.get_by_role("button", name="Draw", exact=True).focus()
    page.keyboard.press("Tab")
    assert scrub.evaluate("one => one === document.activeElement && one.matches(':focus-visible')")
    assert scrub.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Home")
    assert scrub.get_attribute("aria-valuetext") == "step 1 of 9, noise level 40.0"
    first, belief = pixels(page, 0).reshape(-1, 4)[:, 0], pixels(page, 1).reshape(-1, 4)[:, 0]
    assert first.std() > 80 and belief.std() < 60
    page.keyboard.press("ArrowRight")
    assert scrub.get_attribute("aria-valuetext").startswith("step 2 of 9")
    page.locator(".live-strip canvas").nth(5).click()
    assert scrub.get_attribute("aria-valuetext").startswith("step 6 of 9")
    assert not here.faults() + here.accessibility_faults()
    small = page.locator(f"{PANEL} :is(button, label, select, input, summary)").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).filter(box => box.height && Math.min(box.width, "
        "box.height) < 24).length")
    assert small == 0


def test_another_knob_another_picture(visit):
    page = visit().page
    draw(page)
    said(page, "reads 7")
    before = pixels(page, 1)
    page.get_by_label("Which digit").select_option("4")
    assert "34 runs" in said(page, "reads 4")
    page.get_by_role("slider", name="Guidance").fill("1")
    said(page, "17 runs")
    page.get_by_label("Method").select_option("ddpm")
    said(page, "9 runs")
    page.get_by_role("slider", name="Steps").fill("12")
    assert said(page, "12 runs").startswith("12 steps")
    four = pixels(page, 1)
    page.get_by_role("button", name="Other noise").click()
    assert page.get_by_label("Seed of the noise").input_value() == "10"
    page.wait_for_function("document.querySelector('.live-go').textContent === 'Draw'", timeout=WAIT)
    assert (before != four).any() and (pixels(page, 1) != four).any()


def test_a_robot_by_words(visit):
    here = visit(width=PHONE, theme="dark")
    page = here.page
    robot(page, "a green robot with a moustache")
    told = said(page, "The nearest of the million")
    assert "Asked for: a green robot with a moustache. The nearest of the million is a green robot with" in told
    assert told.endswith("All that was asked for came.") and float(re.search(r"([\d.]+) away", told)[1]) < 0.03
    green = pixels(page, 1).reshape(-1, 4)[:, :3].mean(axis=0)
    assert green[1] > max(green[0], green[2])
    page.get_by_text("The words it knows").click()
    assert page.get_by_text("Robots by Zikri Kader, robohash, CC BY.").is_visible()
    assert "two-toothed mouth" in page.locator(f"{PANEL} details").inner_text()
    assert not here.faults() + here.accessibility_faults()
    for words, why in (("a gren robot", "did you mean 'green'"), ("a red green robot", "two things of the colour"),
                       ("a head", "do not say which head")):
        robot(page, words)
        page.get_by_role("alert").get_by_text(why).wait_for(timeout=WAIT)
        with pytest.raises(ValueError) as refused:
            robots.parse(words)
        assert page.get_by_role("alert").inner_text().lower().rstrip(".") == str(refused.value)
        assert said(page, "drawn") == "Nothing is drawn."
        assert page.get_by_label("What it looks like").get_attribute("aria-invalid") == "true"
    assert not here.accessibility_faults()
    page.get_by_label("Step of the walk").press("Home")  # the last picture and its way are still there
    assert (pixels(page, 0) != pixels(page, 1)).any()
    robot(page, "a hat, owl eyes")
    said(page, "Asked for: a robot with a hat and owl eyes")
    assert page.get_by_label("What it looks like").get_attribute("aria-invalid") is None


def test_a_second_action_gives_up_the_first_and_stop_stops(visit):
    page = visit().page
    page.get_by_role("slider", name="Steps").fill("36")
    when_underway(page, "const one = document.querySelector('.live-panel select'); one.value = '8'; "
                        "one.dispatchEvent(new Event('change'));")
    said(page, "^The last picture is given up. Drawing another …")
    assert said(page, "reads").startswith("36 steps, 142 runs of the network. The classifier reads 8")
    page.get_by_role("button", name="Other noise").click()
    when_underway(page, "document.querySelector('.live-go').click();")
    assert re.search(r"Stopped after \d+ of 36 steps: the strip shows the way so far", said(page, "Stopped"))
    assert page.locator(".live-strip canvas").count() < 37
    page.get_by_label("Step of the walk").press("Home")
    draw(page)
    said(page, "reads 8")


def test_from_a_file_by_touch_and_without_motion(browser, site):
    context = browser.new_context(reduced_motion="reduce", has_touch=True)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((site / "index.html").as_uri())
    page.evaluate("""() => { window.most = 0; new MutationObserver(() => {
        if (document.querySelector('.live-go').textContent === 'Stop')
            window.most = Math.max(window.most, document.querySelectorAll('.live-strip canvas').length);
    }).observe(document.querySelector('.live-panel'), { subtree: true, childList: true }); }""")
    page.get_by_role("button", name="Draw", exact=True).tap()
    said(page, "reads 7")
    assert page.evaluate("window.most") == 0
    page.locator(".live-strip canvas").nth(2).tap()
    assert page.get_by_label("Step of the walk").get_attribute("aria-valuetext").startswith("step 3 of 9")
    context.close()
    assert not errors


@pytest.mark.parametrize(("change", "why"), [
    (None, "the file diffusion-digits.js could not be loaded"),
    (with_another_sum, "the weights are damaged"),
])
def test_what_is_missing_or_damaged_is_named_and_can_be_tried_again(browser, address, change, why):
    page = altered(browser, address, "diffusion-digits", change)
    draw(page)
    said(page, f"The network cannot run here: {why}")
    assert page.locator(f"{PANEL} img").is_visible()
    page.unroute_all()
    draw(page)
    said(page, "reads 7")
    page.context.close()


def test_without_fast_arithmetic_it_draws_slowly(browser, address):
    page = altered(browser, address, "engine-and-methods", without_simd)
    draw(page)
    said(page, "Slowly: this browser has no fast arithmetic")
    said(page, "reads 7")
    page.context.close()
