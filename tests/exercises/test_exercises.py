"""Of each exercise: it is complete, and plausible wrong answers get their own hints.

That its solution is right is proved in the second run of its page: ``tests/notebooks/strict.py``.
"""

import importlib
import re

import pytest

from helpers.exercises import verdict
from tests import pages

WRONG_ANSWERS_EACH = 2
KINDS = {"Understand", "Change", "Stretch", "Derive", "Repair", "Judge", "Project"}
OF_EACH_CHAPTER = {"Derive", "Repair", "Judge", "Project"}  # beside what each page has
CHAPTERS = sorted({page.parent.name for page in pages.lessons()})


@pytest.mark.parametrize("page", pages.lessons(), ids=lambda page: page.stem)
def test_plausible_wrong_answers_get_their_own_hint(page):
    module = page.stem.replace("-", "_")
    wrong = importlib.import_module(f"tests.exercises.wrong_answers.{module}").WRONG
    names = [exercise.name.partition(".")[2] for exercise in pages.exercises(page)]
    assert sorted(wrong) == sorted(names), f"{page.stem}: exercises and wrong answers differ"
    for name in names:
        hints = []
        for answer, fragment in wrong[name]:
            result = verdict(f"{module}.{name}", answer)
            assert result.status == "wrong", f"{module}.{name} accepts a wrong answer: {result}"
            assert fragment in str(result), f"{module}.{name}: {fragment!r} is not in {result}"
            hints.append(str(result))
        assert len(set(hints)) == len(hints) >= WRONG_ANSWERS_EACH, f"{module}.{name}: needs its own hint for each"


def kinds(page):
    """Return the first words of the titles of a page's exercises."""
    return set(re.findall(r"^:::\{exercise\} (\w+):", page.read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_exercises_of_every_kind(chapter):
    """Something to derive on paper, a program to repair, a figure to make and judge, an open project."""
    assert set.union(*map(kinds, (page for page in pages.lessons() if page.parent.name == chapter))) >= OF_EACH_CHAPTER


@pytest.mark.parametrize("page", pages.lessons(), ids=lambda page: page.stem)
def test_exercises_are_complete(page):
    """At least three on a page, of three kinds, each with a statement, a hint and a solution."""
    text = page.read_text(encoding="utf-8")
    found = pages.exercises(page)
    assert len(found) >= 3
    assert kinds(page) <= KINDS and len(kinds(page)) >= 3
    for exercise in found:
        assert f":label: {exercise.label}\n" in text, f"no statement labelled {exercise.label}"
        assert pages.solution(page, exercise)
    assert text.count(":::{hint}") == text.count(":::{exercise}") == text.count(":::{solution}") == len(found)
