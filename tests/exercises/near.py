"""Answers that lie beside a right one: a little too large, one entry off, an argument that counts for nothing.

Every check must refuse them. The plausible wrong answers of tests/exercises/wrong_answers lie far away; these do not.
"""

import copy
import inspect

import numpy as np


def near_misses(answer):
    """Yield (what is wrong, wrong answer) for a right answer of any kind."""
    if isinstance(answer, str):
        if len(answer) == 1:
            yield from ((f"{letter!r} for {answer!r}", letter) for letter in "abcd" if letter != answer)
    elif callable(answer):
        yield from _of_function(answer)
    elif isinstance(answer, (int, np.integer)):
        yield from ((f"{answer} becomes {wrong}", wrong) for wrong in {answer - 1, answer + 1, 2 * answer} - {answer})
    else:
        yield from ((what, wrong) for what, change in CHANGES.items() if _differ(answer, wrong := change(answer)))


def _of_function(function):
    for what, change in CHANGES.items():
        yield f"its result {what}", _Wrong(function, change)
    for place, name in enumerate(inspect.signature(function).parameters):
        yield f"its argument {name!r} is ignored", _Wrong(function, place=place)


class _Wrong:
    """A function that goes wrong in one thing; ``noticed`` says whether any call gave another result by that."""

    def __init__(self, function, change=None, place=None):
        self.function, self.change, self.place = function, change, place
        self.__name__ = getattr(function, "__name__", "answer")
        self.__signature__ = inspect.signature(function)
        self.noticed = False

    def __call__(self, *arguments, **named):
        arguments = list(self.__signature__.bind(*arguments, **named).args)
        right = self.function(*copy.deepcopy(arguments))
        if self.place is not None and self.place < len(arguments):
            arguments[self.place] = _something_else(arguments[self.place])
        wrong = right if self.change is None else self.change(right)
        if self.place is not None:
            wrong = self.function(*arguments)
        self.noticed |= _differ(right, wrong)
        return wrong


def makes_a_difference(wrong):
    """Say whether a near miss that was judged had given any other result than the right answer."""
    return wrong.noticed if isinstance(wrong, _Wrong) else True


def _scaled(factor):
    def change(value):
        if isinstance(value, (tuple, list)):
            return type(value)(change(part) for part in value)
        return value * factor if np.asarray(value).dtype.kind in "fc" else value

    return change


def _last_off(value):
    """Change the last number of a result by a tenth of the largest; whole numbers by one, truths to the contrary."""
    if isinstance(value, tuple):
        return (*value[:-1], _last_off(value[-1]))
    if not np.ndim(value):
        return (not value) if isinstance(value, (bool, np.bool_)) else (
            value + 1 if isinstance(value, (int, np.integer)) else value * 1.1 + 1e-3)
    value = np.array(value)
    if value.size and value.dtype.kind in "biufc":
        largest = max(np.abs(value).max(), 1e-3)
        value.flat[-1] = ~value.flat[-1] if value.dtype == bool else value.flat[-1] + (
            1 if value.dtype.kind in "iu" else 0.1 * largest)
    return value


CHANGES = {"is 5 % too large": _scaled(1.05), "is 10 % too small": _scaled(0.9), "is twice as large": _scaled(2),
           "has the wrong sign": _scaled(-1), "ends wrongly": _last_off}


def _something_else(value):
    """Return what a function sees that ignores an argument: one fixed value of its kind."""
    if isinstance(value, np.random.Generator) or callable(value):
        return value
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, (int, np.integer)):
        return 0 if value else 1
    if isinstance(value, (float, np.floating)):
        return 1.3 * value
    if isinstance(value, np.ndarray) and value.size > 1 and value.dtype.kind in "biuf":
        even = np.full_like(value, value.mean() if value.dtype.kind == "f" else value.flat[0])
        return value[::-1].copy() if value.ndim == 1 and np.array_equal(even, value) else even
    return value


def _differ(a, b):
    try:
        a, b = (np.asarray(one, complex) for one in (a, b))
        return a.shape != b.shape or not np.allclose(a, b, rtol=1e-3, atol=1e-6, equal_nan=True)
    except (TypeError, ValueError):  # a result of parts with shapes of their own
        return len(a) != len(b) or any(_differ(one, other) for one, other in zip(a, b, strict=True))
