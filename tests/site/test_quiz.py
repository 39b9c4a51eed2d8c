"""The quizzes and the page of progress in the browser: with and without JavaScript, storage, colour or paper."""

import pytest

from tests import pages
from tests.site.browser import PHONE, SITE

QUIZ, PROGRESS = "book/1-background/quiz.html", "book/progress.html"
EXERCISES = "book/1-background/first-restoration.html"
NO_STORAGE = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("no", "SecurityError"); }})"""
FULL_STORAGE = """Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }"""


def choose(page, verdict, question=0):
    """Choose the first choice of a question with this verdict, and return its explanation."""
    radio = page.locator(".quiz").nth(question).locator(f"input[data-verdict={verdict}]").first
    radio.check()
    return radio.locator("xpath=..").locator(".quiz-why")


def score(page):
    return page.locator(".quiz-score").inner_text()


def go(visit, address, path):
    visit.page.goto(f"{address}/{path}", wait_until="networkidle")
    return visit.page


def test_nothing_is_explained_before_a_choice(visit):
    page = visit(QUIZ).page
    assert page.locator(".quiz").count() >= 3
    assert page.locator(".quiz-why:visible").count() == 0 and page.locator("input:checked").count() == 0


def test_a_choice_is_explained_counted_and_remembered(visit, address):
    here = visit(QUIZ)
    page = here.page
    wrong = choose(page, "wrong")
    assert wrong.is_visible() and wrong.inner_text().startswith(("✗ No.", "No."))
    assert score(page).startswith("No;") and " 0 of " in score(page)
    right = choose(page, "right")
    assert right.is_visible() and not wrong.is_visible() and page.locator(".quiz-why:visible").count() == 1
    assert score(page).startswith("Right;") and " 1 of " in score(page)
    choose(page, "wrong", question=1)
    page.reload(wait_until="networkidle")
    assert page.locator("input[type=radio]:checked").count() == 2 and score(page).startswith("1 of ")
    page = go(here, address, PROGRESS)
    states = page.locator("[data-quiz]").all_inner_texts()
    assert states[:2] == ["right", "not right yet"] and set(states[2:]) == {"open"}
    assert "1 of 6 quiz questions right" in page.locator(".progress-total").first.inner_text()


def test_keyboard(visit):
    page = visit(QUIZ).page
    page.locator(".quiz input").first.focus()
    page.keyboard.press("Space")
    assert page.locator(".quiz-why:visible").count() == 1
    page.keyboard.press("ArrowDown")
    chosen = page.locator(".quiz input:checked")
    assert chosen.count() == 1 and chosen.get_attribute("value") == "2"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name || document.activeElement.href") != chosen.get_attribute("name")


@pytest.mark.parametrize("how", [{"theme": "light"}, {"theme": "dark"}, {"width": PHONE}])
def test_open_explanations_are_accessible(visit, how):
    here = visit(QUIZ, **how)
    for question in range(here.page.locator(".quiz").count()):
        choose(here.page, "right" if question % 2 else "wrong", question)
    faults = here.faults() + here.accessibility_faults()
    other = visit(EXERCISES, **how)
    other.page.locator(".exercise-done input").first.check()
    faults += other.accessibility_faults()
    assert not faults


def test_an_exercise_is_ticked_where_it_stands(visit, address):
    here = visit(EXERCISES)
    boxes = here.page.locator("div.exercise .exercise-done input")
    assert boxes.count() == len(pages.exercises(pages.ROOT / EXERCISES.replace(".html", ".md")))
    here.page.get_by_label("I have solved this").nth(1).check()
    page = go(here, address, PROGRESS)
    ticked = page.locator("input[data-done^=exercise]:checked")
    assert ticked.count() == 1 and "1 of " in page.locator(".progress-all").inner_text()
    ticked.uncheck()
    page = go(here, address, EXERCISES)
    assert page.locator(".exercise-done input:checked").count() == 0


def test_save_forget_and_load(visit, tmp_path):
    page = visit(PROGRESS).page
    page.locator("input[data-done]").first.check()
    page.locator("input[data-done^=exercise]").nth(2).check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").click()
    saved = tmp_path / "progress.txt"
    download.value.save_as(saved)
    assert len(saved.read_text(encoding="utf-8").splitlines()) == 3
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Forget all").click()
    assert page.locator("input[data-done]:checked").count() == 2, "whoever says no keeps everything"
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget all").click()
    assert page.locator("input[data-done]:checked").count() == 0
    page.locator("input[type=file]").set_input_files(saved)
    page.get_by_text("Loaded 2 entries.").wait_for()
    assert page.locator("input[data-done]:checked").count() == 2
    bar = page.locator("progress")
    assert bar.evaluate("one => one.value") == 2 and bar.evaluate("one => one.max") > 50


@pytest.mark.parametrize(("content", "said"), [
    (b"\x89PNG\r\n\x1a\n\x00\x00", "is no file of progress"),
    (b"", "is no file of progress"),
    (b"page book/index done\n", "is no file of progress"),
    (b"x" * 1_000_001, "is no file of progress"),
    (b"Image Generation and Restoration: my progress\r\npage book/1-background/art done\r\nquiz <b> right 1\r\n",
     "Loaded 1 entry. 1 line was not understood"),
], ids=["picture", "empty", "no header", "too large", "one strange line"])
def test_a_strange_file_does_no_harm(visit, tmp_path, content, said):
    page = visit(PROGRESS).page
    page.locator("input[data-done]").first.check()
    (tmp_path / "file.txt").write_bytes(content)
    page.locator("input[type=file]").set_input_files(tmp_path / "file.txt")
    page.get_by_text(said).wait_for()
    assert page.locator("input[data-done]").first.is_checked()


def test_a_loaded_wrong_answer_does_not_undo_a_right_one(visit, address, tmp_path):
    here = visit(QUIZ)
    name = here.page.locator(".quiz").first.get_attribute("id")
    choose(here.page, "right")
    page = go(here, address, PROGRESS)
    (tmp_path / "old.txt").write_text(f"Image Generation and Restoration: my progress\nquiz {name} wrong 1\n")
    page.locator("input[type=file]").set_input_files(tmp_path / "old.txt")
    page.get_by_text("Loaded").wait_for()
    assert page.locator(f"[data-quiz={name}]").inner_text() == "right"


def test_what_another_program_left_in_the_storage_is_survived(visit, address):
    here = visit(QUIZ)
    here.page.evaluate("localStorage.setItem('image-course-progress', '{\"a\": [1,\\n<script>')")
    page = go(here, address, PROGRESS)
    assert page.locator("input:checked").count() == 0
    page.locator("input[data-done]").first.check()
    page.reload(wait_until="networkidle")
    assert page.locator("input:checked").count() == 1


@pytest.mark.parametrize("storage", [NO_STORAGE, FULL_STORAGE], ids=["forbidden", "full"])
def test_without_storage_everything_works_but_is_forgotten(browser, address, storage):
    context = browser.new_context()
    context.add_init_script(storage)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error.stack or error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.location["url"]))
    page.goto(f"{address}/{QUIZ}", wait_until="networkidle")
    assert choose(page, "wrong").is_visible() and choose(page, "right").is_visible()
    assert " 1 of " in score(page) and "does not let the book remember" in score(page)
    page.goto(f"{address}/{PROGRESS}", wait_until="networkidle")
    page.locator("input[data-done]").first.check()
    assert page.get_by_text("does not let the book remember anything").is_visible()
    assert page.locator(".progress-all").inner_text().startswith("In all: 1 of ")
    assert not [error for error in errors if "progress.js" in error]  # the theme's own scripts may stumble
    context.close()


def test_without_javascript(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{QUIZ}")
    assert choose(page, "wrong").is_visible() and choose(page, "right").is_visible()
    assert page.locator(".quiz-why:visible").count() == 1
    page.goto(f"{address}/{PROGRESS}")
    assert page.locator("noscript p").is_visible()
    assert not page.locator(".progress-controls").is_visible()
    assert page.locator(".progress-pages a").count() > 20
    context.close()


def test_on_paper_every_choice_is_explained(visit):
    page = visit(QUIZ).page
    page.emulate_media(media="print")
    assert page.locator(".quiz-why:visible").count() == page.locator(".quiz input").count() >= 9


def test_from_a_file(browser):
    """The book is often opened by a double click: then too it works, and another page knows."""
    context = browser.new_context()
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{(SITE / QUIZ).as_uri()}")
    choose(page, "right")
    page.goto(f"{(SITE / PROGRESS).as_uri()}")
    assert page.locator("[data-quiz]").first.inner_text() == "right"
    context.close()
    assert not errors


def test_two_tabs_agree(browser, address):
    context = browser.new_context()
    quiz, progress = context.new_page(), context.new_page()
    quiz.goto(f"{address}/{QUIZ}")
    progress.goto(f"{address}/{PROGRESS}")
    choose(quiz, "right")
    progress.locator("[data-quiz]", has_text="right").first.wait_for()
    context.close()
