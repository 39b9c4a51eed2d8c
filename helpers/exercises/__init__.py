"""Exercises that check themselves: ``check("page.exercise", answer)`` says *right*, or what is wrong and a hint.

There is one module for each page of the book and, in it, one function for each exercise. The function gets the
reader's answer and returns a sentence to take along; where the answer is not right it raises ``Mistake`` with a hint.
"""

import importlib
from typing import NamedTuple

from helpers.exercises.answers import Mistake, NotYet, say


class Verdict(NamedTuple):
    """What a check says: ``status`` is "right", "not yet" or "wrong"."""

    status: str
    message: str
    hint: str = ""

    def __str__(self):
        sign = {"right": "✓ Right.", "not yet": "… Not yet.", "wrong": "✗ Not right."}[self.status]
        return f"{sign} {self.message}" + (f"\n  Hint: {self.hint}" if self.hint else "")


def verdict(exercise, answer):
    """Return the verdict on an answer; whatever the answer does, nothing is raised.

    Raises
    ------
    ValueError
        Only if there is no such ``exercise``, which is an error of the page, not of the answer.
    """
    if not isinstance(exercise, str):
        raise TypeError(f'exercise must be its name, such as "page.exercise", but {type(exercise).__name__} came')
    page, _, name = exercise.partition(".")
    try:
        module = importlib.import_module(f"{__name__}.{page}")
        judge = getattr(module, name)
    except (ImportError, AttributeError):
        judge = None
    if getattr(judge, "__module__", None) != f"{__name__}.{page}":  # what a page's module imports is no exercise
        raise ValueError(f"exercise {exercise!r} is unknown: helpers/exercises/{page}.py has no {name!r}")
    if answer is ...:
        return Verdict("not yet", "Replace the three dots with your answer, then run the cell again.")
    try:
        return Verdict("right", judge(answer))
    except NotYet as unfinished:
        return Verdict("not yet", str(unfinished))
    except Mistake as mistake:
        return Verdict("wrong", mistake.message, mistake.hint)
    except Exception as error:  # the answer is of a kind nobody thought of: say so, never show our own traceback
        return Verdict("wrong", f"The check could not use this answer: {say(error)}.",
                       "Compare the type and the shape of your answer with what the exercise asks for.")


def check(exercise, answer):
    """Print the verdict on an answer."""
    print(verdict(exercise, answer))
