"""Prove an exercise where it stands on its page: the stub is "not yet", the solution right, near misses of it wrong."""

import linecache
from pathlib import Path

from helpers.exercises import verdict
from tests import pages
from tests.exercises.near import as_good, makes_a_difference, sample


def run(source, name, namespace):
    """Run a cell as a notebook does, with its source within reach: TensorFlow reads the loops of a ``tf.function``."""
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
    exec(compile(source, name, "exec"), namespace)


def prove(page, name, names):
    """Prove the exercise ``name`` of a page, among the ``names`` that the page's cells have made so far.

    Stub and solution run among these names, which functions of the page look up, too. What they named is taken back in
    the end: the page goes on as for a reader who left the exercise out.

    Raises
    ------
    AssertionError
        If the stub is not told "not yet", the solution is not right, or a near miss of it is.
    """
    page, before = Path(page), dict(names)
    try:
        _prove(page, name, names)
    finally:
        for new in set(names) - set(before):
            del names[new]
        names.update(before)


def _prove(page, name, names):
    exercise = next(one for one in pages.exercises(page) if one.name == name)
    run(exercise.stub, f"<stub of {name}>", names)
    unfinished = verdict(name, eval(exercise.answer, names))
    assert unfinished.status == "not yet", f"{name}: {unfinished}"
    run(pages.solution(page, exercise), f"<solution of {name}>", names)
    solved = verdict(name, eval(exercise.answer, names))
    assert solved.status == "right", f"{name}: {solved}"
    accepted = [what for what, wrong in sample(name, eval(exercise.answer, names))
                if verdict(name, wrong).status != "wrong" and makes_a_difference(wrong)]
    assert all(as_good(name, what) for what in accepted), f"{name} is right though it {accepted}"
