"""The panel "your photo" on a page of its own: files of all kinds, the line, the noise level, and what is said."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from helpers import pretrained
from helpers.images import photo
from helpers.league import photographs
from helpers.metrics import psnr
from helpers.restoration import estimate_noise
from tests import small_site
from tests.site.browser import PHONE, WAIT, altered, press, said, without_simd

PANEL = ".live-panel"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return small_site.with_panel(tmp_path_factory.mktemp("photo"), "denoise-photo", "Denoise a photograph of your own")


def answer(page):
    return said(page, "It took")


def choose(page, *files):
    page.locator(f"{PANEL} input[type=file]").set_input_files(
        [{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in files])


def png(x, mode=None, form="PNG", **options):
    """Return an array in [0, 1] as the bytes of a picture file."""
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * np.clip(x, 0, 1)).astype(np.uint8), mode).save(file, form, **options)
    return file.getvalue()


def file(x, name="mine.png", **options):
    return name, "image/png", png(x, **options)


def shown(page):
    """Return the canvas of the panel as an array (H, W, 4) in [0, 1]: both pictures and the line."""
    pixels, width = page.locator(".live-screen").evaluate(
        "one => [[...one.getContext('2d').getImageData(0, 0, one.width, one.height).data], one.width]")
    return np.reshape(pixels, (-1, width, 4)).astype(np.float32) / 255


def move(page, share):
    page.locator("input[id$=line]").evaluate(
        "(one, share) => { one.value = share; one.dispatchEvent(new Event('input')); }", share)


CAT = photo("cat", 96)[8:80, 10:90]  # 72 × 80: no side needs the other's frame
COFFEE = photo("coffee", 96, color=True)[:45, :50]


def grain(x, level, seed=0):
    return x + level / 255 * np.random.default_rng(seed).standard_normal(x.shape)


# ------------------------------------------------------------------------------------------------- what it is made for


def test_before_a_reader_acts_the_page_is_light_and_complete(visit):
    here = visit()
    loaded = [url for url in here.sizes if "/live/" in url]
    assert sorted(re.findall(r"/live/(\w+\.js)", " ".join(loaded))) == ["denoise_photo.js", "live.js"]
    assert here.page.locator(f"{PANEL} img").is_visible() and not here.page.locator(".live-screen").is_visible()
    assert "stays on your machine" in here.page.locator(".live-status").inner_text()


def test_without_scripts_and_on_paper_the_figure_stands_alone(browser, address, visit):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/index.html")
    assert page.locator(f"{PANEL} img").is_visible() and page.locator(f"{PANEL} button").count() == 0
    context.close()
    page = visit().page
    choose(page, file(CAT))
    answer(page)
    assert not page.locator(f"{PANEL} img").is_visible()
    page.emulate_media(media="print")
    assert page.locator(f"{PANEL} img").is_visible()
    assert not page.locator(f"{PANEL} :is(button, canvas, input)").first.is_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (PHONE, "dark"), (320, "light")])
def test_the_photograph_of_the_course(visit, width, theme):
    """It begins as the figure does: under noise of 25, which is estimated, and its PSNR is told before and after."""
    here = visit(width=width, theme=theme)
    press(here.page, "The course's photograph")
    text = answer(here.page)
    assert "stays on your machine" in here.page.locator(PANEL).inner_text()
    numbers = re.search(r"cat: 256 × 256, grey, noise of level 25 added. Told σ = (\S+), estimated. .*: "
                        r"(\S+) dB before, (\S+) dB after", text)
    level, before, after = map(float, numbers.groups())
    assert 23 < level < 28 and abs(before + 20 * np.log10(25 / 255)) < 0.3 and after > before + 8
    assert not here.faults() + here.accessibility_faults()
    sizes = here.page.locator(f"{PANEL} :is(button, label, input)").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => [box.width, box.height])")
    assert np.min([size for size in sizes if size[0]]) >= 24


@pytest.mark.parametrize("colours", [False, True])
def test_a_photograph_of_ones_own_is_denoised_as_the_library_does_it(visit, tmp_path, colours):
    x = COFFEE if colours else CAT
    y = np.rint(255 * grain(x, 20).clip(0, 1)).astype(np.float32) / np.float32(255)
    page = visit().page
    choose(page, file(y))
    text = answer(page)
    height, width = y.shape[:2]
    assert f"mine: {width} × {height}, {'three colours, ' if colours else 'grey. Told'}" in text
    assert float(re.search(r"σ = (\S+), estimated", text)[1]) == pytest.approx(255 * estimate_noise(y), abs=0.06)
    assert "nobody can tell" in text and "dB" not in text
    with page.expect_download() as download:
        press(page, "Save the result as PNG")
    assert download.value.suggested_filename == "mine-denoised.png"
    assert "mine-denoised.png" in said(page, "Handed")
    download.value.save_as(tmp_path / "saved.png")
    saved = np.asarray(Image.open(tmp_path / "saved.png"), np.float32)
    expected = np.rint(255 * photographs.denoiser(y)(y, estimate_noise(y)).clip(0, 1))
    assert saved.shape == (height, width, 4) and (saved[..., 3] == 255).all()
    assert np.abs(saved[..., :3] - (expected if colours else expected[..., None])).max() <= 1


def asked_for(here):
    """Return the names of the networks that a page has loaded."""
    return sorted(re.findall(r"/live/(denoiser[\w-]*)\.js", " ".join(here.sizes)))


def test_the_network_for_colours_is_the_courses_choice_or_the_readers(visit):
    """At 25 and at 5 the panel takes the network that the library takes; a reader may take either; each comes once."""
    here = visit()
    choices = [("as the course chooses", 25), ("as the course chooses", 5), ("one colour after the other", 25),
               ("that of colours", 5)]
    page, y = here.page, np.rint(255 * grain(COFFEE, 20).clip(0, 1)).astype(np.float32) / np.float32(255)
    choose(page, file(y))
    answer(page)
    move(page, 0)
    for choice, level in choices:
        page.get_by_label(choice).check()
        page.locator("input[id$=told]").evaluate(
            "(one, level) => { one.value = level; one.dispatchEvent(new Event('input')); }", level)
        network = {"one": pretrained.shared("denoiser"), "that": pretrained.shared("denoiser-colour")}.get(
            choice.split()[0], photographs.denoiser(y))
        said(page, rf"Told σ = {level}\.0\..*It took")
        expected = network(y, level / 255).clip(0, 1)
        assert np.abs(shown(page)[..., :3] - expected).max() <= 1.01 / 255, (choice, level)
    assert asked_for(here) == ["denoiser", "denoiser-colour"]


def test_a_network_comes_when_it_is_first_needed(visit):
    here = visit()
    choose(here.page, file(CAT))
    answer(here.page)
    here.page.get_by_label("that of colours").check()  # of a grey photograph nothing changes
    assert asked_for(here) == ["denoiser"] and "Denoising" not in here.page.locator(".live-status").inner_text()
    here = visit()
    here.page.get_by_label("that of colours").check()
    press(here.page, "The same in colours")
    text = answer(here.page)
    assert asked_for(here) == ["denoiser-colour"]
    before, after = map(float, re.search(
        r"cat: 256 × 256, three colours, all together, noise of level 25 added. .*: (\S+) dB before, (\S+) dB after",
        text).groups())
    assert abs(before + 20 * np.log10(25 / 255)) < 0.3
    move(here.page, 0)
    assert psnr(photo("cat", color=True), shown(here.page)[..., :3]) == pytest.approx(after, abs=0.1) and after > before


def test_noise_is_added_and_taken_away_again(visit):
    page = visit().page
    choose(page, file(CAT))
    assert "added" not in answer(page)
    page.get_by_label("Noise of level").fill("40")
    press(page, "Add noise")
    text = said(page, "noise of level 40 added.*It took")
    before, after = map(float, re.search(r"(\S+) dB before, (\S+) dB after", text).groups())
    assert abs(before + 20 * np.log10(40 / 255)) < 0.6 and after > before + 4
    for share, value in ((100, before), (0, after)):
        move(page, share)
        assert psnr(CAT, shown(page)[..., 0]) == pytest.approx(value, abs=0.1)
    for wrong in ("", "0", "500"):
        page.get_by_label("Noise of level").fill(wrong)
        press(page, "Add noise")
        assert f'"{wrong}" is no such number' in said(page, "Noise of level 1 to 100")
    press(page, "No added noise")
    assert "dB" not in said(page, "^mine: 80 × 72, grey. Told .*It took")


def test_the_network_is_told_what_the_slider_says(visit):
    page = visit().page
    choose(page, file(grain(CAT, 20)))
    answer(page)
    told, own = page.locator("input[id$=told]"), page.get_by_role("checkbox")
    move(page, 0)
    rough = [shown(page)[..., 0].std()]
    for level in (0, 70):
        told.focus()
        page.keyboard.press("Home")
        for _ in range(level // 10):
            page.keyboard.press("PageUp")
        text = said(page, rf"Told σ = {level}\.0[ .].*It took")
        assert ("trained up to 55" in text) == (level > 55) and not own.is_checked()
        assert told.get_attribute("aria-valuetext") == f"{level} grey levels of 255"
        rough.append(shown(page)[..., 0].std())
    assert rough[1] > rough[0] > rough[2]
    own.check()
    said(page, "estimated.*It took")


def test_the_line_moves_by_mouse_finger_and_keyboard(visit):
    page = visit().page
    choose(page, file(grain(CAT, 25)))
    answer(page)
    line, middle = page.locator("input[id$=line]"), shown(page)[..., 0]
    move(page, 100)
    before = shown(page)[..., 0]
    move(page, 0)
    after = shown(page)[..., 0]
    assert np.array_equal(middle[:, :36], before[:, :36]) and np.array_equal(middle[:, 44:], after[:, 44:])
    assert before.std() > after.std() and line.get_attribute("aria-valuetext") == "0 % before, 100 % after"
    line.focus()
    page.keyboard.press("ArrowRight")
    assert line.input_value() == "1" and line.evaluate("one => one.matches(':focus-visible')")
    box = page.locator(".live-screen").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 30, steps=3)
    page.mouse.up()
    page.mouse.move(box["x"], box["y"])
    assert line.input_value() == "75"
    assert "left 75 %" in page.locator(".live-screen").get_attribute("aria-label")


def test_keyboard_alone_is_enough(visit):
    page = visit().page
    page.evaluate("""document.querySelector("input[type=file]").addEventListener("click", (event) => {
        event.preventDefault();  // no dialogue opens here, but it would
        window.asked = event.isTrusted || navigator.userActivation.isActive;
    })""")
    page.get_by_role("button", name="Choose a photograph").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("window.asked", timeout=WAIT)
    choose(page, file(CAT))
    answer(page)
    page.get_by_role("button", name="Choose a photograph").focus()
    reached = []
    for _ in range(11):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => { const one = document.activeElement, style = getComputedStyle(one); "
                                     "return [one.closest('label')?.innerText || one.labels?.[0]?.innerText || "
                                     "one.innerText, style.outlineStyle]; }"))
    assert [style for _, style in reached] == ["solid"] * 11
    words = " | ".join(name.strip() for name, _ in reached)
    for name in ("The course's", "in colours", "all of it", "as the course", "Noise of level", "Add", "No added",
                 "told", "estimated", "Line", "Save"):
        assert name in words, words


# ------------------------------------------------------------------------------------------------------ bad input


NO_PHOTOGRAPHS = [
    (file(CAT[:1, :1], "dot.png"), "dot.png has 1 × 1 pixels: in fewer than 8 on a side there is nothing to restore"),
    (file(np.ones((9, 3000)), "thread.png"), "thread.png has 3000 × 9 pixels, reduced 768 × 2: in fewer than 8"),
    (("notes.txt", "text/plain", b"at noon"), "notes.txt is no picture that this browser can read, but text/plain"),
    (("photo.heic", "image/heic", b"\0\0\0\x18ftypheic"), "photo.heic is no picture that this browser can read"),
    (("cut.png", "image/png", png(CAT)[:20]), "cut.png is no picture that this browser can read"),
    (("empty.jpg", "image/jpeg", b""), "empty.jpg is no picture that this browser can read"),
]


def test_what_is_no_photograph_is_refused_in_a_sentence_and_nothing_is_lost(visit):
    page = visit().page
    choose(page, NO_PHOTOGRAPHS[0][0])
    assert "still there" not in said(page, "1 × 1 pixels") and page.locator(f"{PANEL} img").is_visible()
    choose(page, file(CAT, "first.png"))
    answer(page)
    there = shown(page)
    for one, sentence in NO_PHOTOGRAPHS:
        choose(page, one)
        text = said(page, f"^{re.escape(one[0])} (has|is)".replace("\\.", "[.]"))
        assert text.startswith(sentence) and text.endswith("The photograph before it is still there.")
    drop(page, *(file(CAT, f"{i}.png") for i in range(3)))
    said(page, "^3 files came, and this panel takes one at a time. Nothing was changed.")
    assert np.array_equal(shown(page), there) and page.get_by_role("button", name="Save").is_enabled()
    press(page, "Add noise")
    assert said(page, "level 25 added.*It took").startswith("first:")


def drop(page, *files):
    page.locator(PANEL).evaluate("""(panel, files) => {
        const data = new DataTransfer();
        for (const [name, type, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name, { type }));
        for (const kind of ["dragenter", "dragover", "drop"]) {
            const event = new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
            panel.dispatchEvent(event);
            if (!event.defaultPrevented) throw new Error(`${kind} goes on to the browser`);
            if (panel.classList.contains("live-drop") !== (kind !== "drop")) throw new Error(`${kind} is not shown`);
        }
    }""", [[name, kind, list(content)] for name, kind, content in files])


def test_a_dropped_photograph_is_taken(visit):
    page = visit().page
    drop(page, file(CAT, "dropped.png"))
    assert answer(page).startswith("dropped: 80 × 72, grey.")


def test_fifty_megapixels_are_reduced_or_cut(visit):
    huge = io.BytesIO()
    Image.linear_gradient("L").resize((8000, 6250)).save(huge, "PNG", compress_level=1)
    page = visit().page
    choose(page, ("huge.png", "image/png", huge.getvalue()))
    assert "huge: 768 × 600, grey, reduced from 8000 × 6250. Told" in answer(page)
    page.get_by_label("not reduced").check()
    said(page, "huge: 512 × 512, grey, the middle of 8000 × 6250, not reduced. Told .*It took")


def test_what_is_transparent_is_laid_on_white(visit):
    page, stored = visit().page, np.rint(255 * CAT) / 255
    for name, channels, kind in (("colours", [CAT, 0.5 * CAT, CAT], "three colours"), ("grey", [CAT], "grey")):
        choose(page, file(np.dstack([*channels, CAT < 0.5]), f"{name}.png"))
        assert f"{kind}" in said(page, f"^{name}: .*what is transparent laid on white.*It took")
        move(page, 100)
        np.testing.assert_allclose(shown(page)[..., 0], np.where(CAT < 0.5, stored, 1), atol=1.01 / 255)
        assert (shown(page)[..., 3] == 1).all()


def test_a_photograph_that_the_camera_turned_stands_upright(visit):
    exif = Image.Exif()
    exif[0x0112] = 6  # the first row of the file is the right side of the picture
    page = visit().page
    choose(page, ("turned.jpg", "image/jpeg", png(CAT, form="JPEG", quality=95, exif=exif)))
    assert "turned: 72 × 80, grey." in answer(page)
    move(page, 100)
    assert psnr(np.rot90(CAT, -1), shown(page)[..., 0]) > 30


# -------------------------------------------------------------------------------------------- where something fails


def test_the_newest_question_counts(visit):
    page = visit().page
    choose(page, file(np.tile(CAT, (7, 6))[:500, :480], "large.png"))
    said(page, "^Denoising")
    page.wait_for_function("document.querySelector('progress').value > 0.1", timeout=WAIT)
    page.get_by_role("checkbox").uncheck()
    assert "what ran before was stopped" in said(page, "^Denoising.*stopped")
    choose(page, file(CAT, "small.png"))
    assert answer(page).startswith("small: 80 × 72")
    assert not page.get_by_role("progressbar").is_visible()


def with_photograph(page):
    choose(page, file(CAT))
    return page


def damaged(text):
    place = text.index('"numbers":"') + 11
    return text[:place] + ("AAAA" if text[place : place + 4] != "AAAA" else "BBBB") + text[place + 4 :]


@pytest.mark.parametrize(("name", "change", "said_of_it"), [
    ("denoiser", damaged, "the weights are damaged: their checksum is not the expected one"),
    ("denoiser", None, "the file denoiser.js could not be loaded"),
    ("denoiser", lambda text: text[:1000], "the file denoiser.js is damaged"),
    ("photo", None, "the file photo.js could not be loaded"),
    ("engine-and-methods", None, "the file engine-and-methods.js could not be loaded"),
], ids=["checksum", "no weights", "cut weights", "no photograph", "no engine"])
def test_what_is_missing_or_damaged_is_named_and_can_be_tried_again(browser, address, name, change, said_of_it):
    page = with_photograph(altered(browser, address, name, change))
    text = said(page, "cannot run here")
    assert said_of_it in text and "your photograph is kept" in text
    assert page.locator(f"{PANEL} img").is_visible() and not page.locator(".live-screen").is_visible()
    page.unroute_all()
    press(page, "Add noise")
    assert "mine: 80 × 72, grey, noise of level 25 added" in answer(page)
    page.context.close()


@pytest.mark.parametrize("change", [
    without_simd,
    lambda text: text.replace('"source":"', '"source":"delete self.WebAssembly;', 1),
], ids=["no SIMD", "no WebAssembly"])
def test_without_fast_arithmetic_the_answer_comes_slowly(browser, address, change):
    page = with_photograph(altered(browser, address, "engine-and-methods", change))
    assert "no fast arithmetic" in answer(page)
    page.context.close()


def test_where_storage_is_denied(browser, address):
    context = browser.new_context()
    context.add_init_script("""for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
        Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } }); }""")
    page = context.new_page()
    page.goto(f"{address}/index.html")
    choose(page, file(CAT))
    assert answer(page).startswith("mine: 80 × 72")
    context.close()


def test_from_a_file(browser, site):
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto((site / "index.html").as_uri())
    choose(page, file(CAT))
    answer(page)
    with page.expect_download():
        press(page, "Save the result as PNG")
    press(page, "The course's photograph")
    said(page, "^cat: .*It took")
    context.close()
    assert not errors
