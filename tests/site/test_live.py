"""The panel "damage and restore a digit": by mouse, keyboard and touch, from a file, and where something is missing."""

import base64
import re
from urllib.request import urlopen

import numpy as np
import pytest

from tests.site.browser import PHONE, SITE, WAIT

PAGE = "book/index.html"
PANEL = ".live-panel"
SETTLED = re.compile(r"^With .*four draws of the diffusion model")
SOME_LOST = r"/^With \d+ of 784/.test(document.querySelector('.live-status').textContent)"


def press(page, name):
    page.locator(PANEL).get_by_role("button", name=name, exact=True).click()


def settled(page):
    """Return what the status says when all answers are there."""
    page.wait_for_function("pattern => new RegExp(pattern).test(document.querySelector('.live-status').textContent)",
                           arg=SETTLED.pattern, timeout=WAIT)
    return page.locator(".live-status").inner_text()


def lost(page):
    return int(re.search(r"With (\d+) of 784", settled(page))[1])


def test_before_a_reader_acts_the_page_is_light_and_complete(visit, address):
    here = visit()
    here.page.wait_for_load_state("networkidle")
    loaded = [url for url in here.sizes if "/live/" in url]
    scripts = sum(len(urlopen(url).read()) for url in loaded)
    assert not [url for url in loaded if re.search("restorer|engine|gan|vae|diffusion", url)], loaded
    panel = len(here.page.locator(PANEL).evaluate("one => one.outerHTML"))
    assert scripts + panel < 150_000
    assert here.page.locator(f"{PANEL} img").is_visible() and not here.page.locator(".live-board").is_visible()
    assert here.page.locator(f"{PANEL} img").get_attribute("alt")


def test_without_scripts_and_on_paper_the_figure_stands_alone(browser, address, visit):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    assert page.locator(f"{PANEL} img").is_visible() and page.locator(f"{PANEL} button").count() == 0
    context.close()
    page = visit().page
    press(page, "Hole")
    assert not page.locator(f"{PANEL} img").is_visible()
    page.emulate_media(media="print")
    assert page.locator(f"{PANEL} img").is_visible() and not page.locator(f"{PANEL} button").first.is_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (PHONE, "light"), (320, "dark")])
def test_a_hole_is_filled(visit, width, theme):
    here = visit(width=width, theme=theme)
    press(here.page, "Hole")
    assert lost(here.page) == 196
    words = here.page.locator(".live-reading").all_inner_texts()
    assert len(words) == 7 and all(re.match(r"reads \d \(\d+ %\)", one) for one in words), words
    assert not here.faults() + here.accessibility_faults()
    small = here.page.locator(f"{PANEL} :is(button, label, .live-board)").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).filter(box => Math.min(box.width, box.height) < 24).length")
    assert small == 0


def test_another_digit_gives_other_answers(visit):
    page = visit().page
    page.get_by_role("button", name="a handwritten 7").click()
    press(page, "Scatter")
    assert "reads as 7" in settled(page)
    assert page.get_by_role("button", name="a handwritten 7").get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="a handwritten 1").click()
    page.wait_for_function("document.querySelector('.live-status').textContent.includes('reads as 1')", timeout=WAIT)


def test_mouse_wipes_and_draws(visit):
    page = visit().page
    press(page, "Blank sheet")
    box = page.locator(".live-board").bounding_box()
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 240, steps=5)
    page.mouse.up()
    assert "nothing lost" in settled(page) and "reads as 1" in settled(page)
    page.get_by_role("radio", name="wipe").check()
    page.mouse.move(box["x"] + 20, box["y"] + 140)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 140, steps=3)
    page.mouse.up()
    page.wait_for_function(SOME_LOST, timeout=WAIT)
    assert 60 < lost(page) < 140


def test_keyboard_alone_is_enough(visit):
    page = visit().page
    page.locator(f"{PANEL} button").first.focus()
    page.keyboard.press("Enter")
    press(page, "Whole again")
    page.locator(f"{PANEL} button").first.focus()
    board = page.locator(".live-board")
    for _ in range(30):
        page.keyboard.press("Tab")
        if board.evaluate("one => one === document.activeElement"):
            break
    assert board.evaluate("one => one === document.activeElement && one.matches(':focus-visible')")
    assert board.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("Shift+ArrowDown")
    page.wait_for_function(SOME_LOST, timeout=WAIT)
    assert 15 < lost(page) < 50
    said = page.locator(f"{PANEL} [aria-live=polite]:not([role])")
    assert said.inner_text() == "row 18, column 14: lost"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert re.fullmatch(r"row 18, column 17: (ink|empty)", said.inner_text())


def test_the_picked_digit_shows_in_forced_colours(browser, address):
    context = browser.new_context(forced_colors="active")
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    page.get_by_role("button", name="a handwritten 3").click()
    widths = page.locator(".live-pick").evaluate_all("all => all.map(one => getComputedStyle(one).borderTopWidth)")
    assert widths == ["3px" if digit == 3 else "1px" for digit in range(10)]
    context.close()


def test_a_second_finger_draws_no_line(visit):
    page = visit().page
    press(page, "Whole again")
    settled(page)
    page.locator(".live-board").evaluate("""one => {
        const box = one.getBoundingClientRect();
        one.setPointerCapture = () => {};  // the events are made, and no pointer is there
        const event = (type, at, isPrimary) => one.dispatchEvent(new PointerEvent(type, { isPrimary, button: 0,
            pointerId: isPrimary ? 1 : 2, clientX: box.left + at, clientY: box.top + at, bubbles: true }));
        event("pointerdown", 30, true);
        event("pointermove", 250, false);
        event("pointerup", 250, false);
        event("pointermove", 60, true);
        event("pointerup", 60, true);
    }""")
    page.wait_for_function(SOME_LOST, timeout=WAIT)
    assert 15 < lost(page) < 40


def test_a_finger_wipes(browser, address):
    context = browser.new_context(has_touch=True, viewport={"width": PHONE, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    page.get_by_role("button", name="a handwritten 3").tap()
    page.get_by_role("button", name="Whole again").tap()
    page.locator(".live-board").tap(position={"x": 140, "y": 140})
    page.wait_for_function(SOME_LOST, timeout=WAIT)
    assert 5 < lost(page) < 20
    context.close()


def test_the_newest_question_counts(visit):
    page = visit().page
    press(page, "Hole")
    page.locator(".live-reading", has_text="on its way").first.wait_for(timeout=WAIT)
    press(page, "Noise")
    assert "noise of level 0.5" in settled(page)


def test_no_motion_where_none_is_wanted(browser, address):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{address}/{PAGE}")
    page.evaluate("""() => { window.walked = 0; new MutationObserver(() => {
        window.walked += document.querySelector('.live-panel').textContent.includes('on its way');
    }).observe(document.querySelector('.live-panel'), { subtree: true, childList: true, characterData: true }); }""")
    press(page, "Hole")
    settled(page)
    assert page.evaluate("window.walked") == 0
    context.close()


def test_the_browser_gives_the_numbers_of_keras(visit):
    from helpers import pretrained
    from helpers.images import digits
    from helpers.league import digit_tasks

    y, operators, sigma = digit_tasks.damage(digits().x_test[:1], "hole")
    expected = pretrained.shared("restorer").restore(y, operators, sigma)
    found = visit().page.evaluate("""([y, mask]) => new Promise((resolve, reject) => {
        const models = ["classifier", "restorer"], ready = new Set();
        let worker;
        live.computer(models, (message) => {
            if (message.do === "failed") reject(new Error(message.why));
            if (message.do === "answer") resolve([...message.pictures]);
            if (message.do === "ready" && ready.add(message.name).size === 2) worker.postMessage({
                do: "restore", number: 1, y: Float32Array.from(y), mask: Float32Array.from(mask), sigma: 0 });
        }).then((made) => { worker = made; });
    })""", [y.ravel().tolist(), operators[0].mask.ravel().astype(float).tolist()])
    np.testing.assert_allclose(np.array(found).reshape(expected.shape), expected, rtol=0, atol=1e-4)


def test_from_a_file(browser):
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((SITE / PAGE).as_uri())
    press(page, "Lower half")
    assert lost(page) == 392
    context.close()
    assert not errors


def altered(browser, address, name, change):
    """Return a page for which the text of one delivered script is changed, or None of it comes."""
    page = browser.new_context().new_page()

    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, body=change(response.text()))

    page.route(f"**/live/{name}.js", (lambda route: route.abort()) if change is None else answer)
    page.goto(f"{address}/{PAGE}")
    press(page, "Hole")
    return page


def test_damaged_weights_are_named_and_the_others_answer(browser, address):
    def damage(text):
        numbers = re.search(r'"numbers":"([^"]{4})', text)
        other = base64.b64encode(bytes(255 - byte for byte in base64.b64decode(numbers[1]))).decode()
        return text[: numbers.start(1)] + other + text[numbers.end(1) :]

    page = altered(browser, address, "restorer", damage)
    page.get_by_text("One network is missing (restorer: the weights are damaged").wait_for(timeout=WAIT)
    page.locator(".live-card", has_text="VAE").get_by_text(re.compile(r"reads \d")).wait_for(timeout=WAIT)
    page.context.close()


def cut_short(text):
    return text[: len(text) // 2]


@pytest.mark.parametrize(("name", "change", "said"), [
    ("vae", None, "One network is missing (vae: the file vae.js could not be loaded)"),
    ("vae", cut_short, "One network is missing (vae: the file vae.js is damaged)"),
    ("classifier", None, "The networks cannot run here: the file classifier.js could not be loaded"),
    ("engine-and-methods", None, "The networks cannot run here: the file engine-and-methods.js could not be loaded"),
    ("engine-and-methods", cut_short, "The networks cannot run here: the file engine-and-methods.js is damaged"),
    ("engine-and-methods", lambda text: text.replace("class Products", "class ?"), "The networks cannot run here: "),
])
def test_a_missing_or_damaged_file_is_named(browser, address, name, change, said):
    """What can go on does; otherwise the figure is there again."""
    page = altered(browser, address, name, change)
    page.get_by_text(said).wait_for(timeout=WAIT)
    if name == "vae":
        assert "four draws of the diffusion model" in settled(page) and said in settled(page)
    assert page.locator(f"{PANEL} img").is_visible() == (name != "vae")
    page.context.close()


def test_digits_that_do_not_come_are_named(browser, address):
    page = browser.new_context().new_page()
    page.route("**/live/digits.js", lambda route: route.abort())
    page.goto(f"{address}/{PAGE}")
    page.get_by_text("The panel cannot begin: the file digits.js could not be loaded.").wait_for(timeout=WAIT)
    assert page.locator(f"{PANEL} img").is_visible()
    page.context.close()


def test_what_failed_once_can_be_tried_again(browser, address):
    page = altered(browser, address, "engine-and-methods", None)
    page.get_by_text("The networks cannot run here").wait_for(timeout=WAIT)
    page.unroute_all()
    press(page, "Lower half")
    assert lost(page) == 392 and page.locator(".live-board").is_visible()
    page.context.close()


def forbidding(browser, address, policy):
    """Return a page that comes with a content security policy."""
    page = browser.new_context().new_page()

    def answer(route):
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy": policy})

    page.route(f"**/{PAGE}", answer)
    page.goto(f"{address}/{PAGE}")
    press(page, "Hole")
    return page


def test_where_workers_are_forbidden_the_figure_stays(browser, address):
    page = forbidding(browser, address, "worker-src 'none'")
    page.get_by_text("The networks cannot run here").wait_for(timeout=WAIT)
    assert page.locator(f"{PANEL} img").is_visible()
    page.context.close()


def test_where_webassembly_is_forbidden_the_answers_come_slowly(browser, address):
    page = forbidding(browser, address, "script-src 'self' 'unsafe-inline' blob:")
    answers_slowly(page)


@pytest.mark.parametrize("change", [
    lambda text: re.sub(r'"kernel":"[^"]*"', '"kernel":"AGFzbQ=="', text),
    lambda text: text.replace('"source":"', '"source":"delete self.WebAssembly;', 1),
], ids=["no SIMD", "no WebAssembly"])
def test_without_fast_arithmetic_the_answers_come_slowly(browser, address, change):
    answers_slowly(altered(browser, address, "engine-and-methods", change))


def answers_slowly(page):
    page.get_by_text("no fast arithmetic").wait_for(timeout=WAIT)
    page.locator(".live-card", has_text="U-Net").get_by_text(re.compile(r"reads \d")).wait_for(timeout=WAIT)
    page.context.close()
