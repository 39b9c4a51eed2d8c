"""Each chapter ends with its quiz, every wrong choice explains itself, and the page of progress lists everything."""

import re

import pytest
import yaml
from bs4 import BeautifulSoup
from jupytext.formats import guess_format

from tests import pages

TOC = yaml.safe_load((pages.ROOT / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [part for part in TOC["parts"] if re.match(r"\d", part["caption"])]
BY_CAPTION = {"ids": lambda part: part["caption"]}


def html(page):
    return BeautifulSoup((pages.ROOT / "_build/html" / f"{page}.html").read_text(encoding="utf-8"), "html.parser")


def questions(chapter):
    return html(chapter["chapters"][-1]["file"]).select(".quiz")


@pytest.mark.parametrize("chapter", CHAPTERS, **BY_CAPTION)
def test_chapter_ends_with_its_quiz(chapter):
    last = chapter["chapters"][-1]["file"]
    assert last.endswith("/quiz")
    assert html(last).h1.get_text().startswith("Quiz: ")
    assert not pages.is_notebook(pages.ROOT / f"{last}.md"), "a quiz needs no kernel"
    count = len(questions(chapter))
    assert 3 <= count <= 12
    said = html(last).select_one("h1 ~ p").get_text().split()[0]
    assert said == "Three Four Five Six Seven Eight Nine Ten Eleven Twelve".split()[count - 3]


@pytest.mark.parametrize("page", [chapter["chapters"][-1]["file"] for chapter in CHAPTERS] + ["book/progress"])
def test_page_opens_in_jupyterlab(page):
    """Jupytext takes fences of colons in a page without a header for Pandoc's, and JupyterLab refuses to open it."""
    assert guess_format((pages.ROOT / f"{page}.md").read_text(encoding="utf-8"), ".md")[0] == "markdown"


@pytest.mark.parametrize("chapter", CHAPTERS, **BY_CAPTION)
def test_every_wrong_choice_explains_itself(chapter):
    for question in questions(chapter):
        reasons = question.select(".quiz-why")
        assert len(reasons) == len(question.select("input")) >= 3
        for reason in reasons:
            words = reason.get_text().split()
            assert 8 <= len(words) <= 70, f"{question['id']}: {' '.join(words)}"
        for reason in question.select(".quiz-wrong"):
            assert reason.select("a[href]"), f"{question['id']}: a wrong choice should lead to the page that teaches it"


@pytest.mark.parametrize("chapter", CHAPTERS, **BY_CAPTION)
def test_the_right_choice_is_not_always_in_the_same_place(chapter):
    places = {question.select_one("[data-verdict=right]")["value"] for question in questions(chapter)}
    assert len(places) > 1


def test_names_of_questions_and_exercises_are_unique():
    sources = [page.read_text(encoding="utf-8") for page in pages.pages()]
    names = [name for text in sources for name in re.findall(r"^:(?:name|label): ([\w-]+)$", text, re.M)]
    assert len(names) == len(set(names))


def test_progress_lists_every_page_exercise_and_question():
    """One row for each page of the table of contents, in its order, with all that there is to do."""
    listed = html("book/progress")
    rows = [box["data-done"] for box in listed.select("input[data-done^='page ']")]
    every = [f"page {page.relative_to(pages.ROOT).with_suffix('')}" for page in pages.pages()[1:]]
    assert rows == [page for page in every if page != "page book/progress"]
    exercises = [box["data-done"] for box in listed.select("input[data-done^='exercise ']")]
    assert exercises == [f"exercise {one.label}" for page in pages.notebooks() for one in pages.exercises(page)]
    asked = [question["id"] for chapter in CHAPTERS for question in questions(chapter)]
    assert [place["data-quiz"] for place in listed.select("[data-quiz]")] == asked
