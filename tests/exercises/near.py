"""Answers that lie beside a right one: a little too large, one entry off, an argument that counts for nothing.

Every check must refuse them. The plausible wrong answers of tests/exercises/wrong_answers lie far away; these do not.
"""

import copy
import inspect
from itertools import pairwise

import numpy as np

CLOSE = {"is 5 % too large", "is 10 % too small", "lies too high everywhere", "ends wrongly", "is one too large",
         "is one too small"}
# What an exercise itself calls as good as its solution, each with the reason. Every other near miss must be refused.
AS_GOOD = {
    "first_restoration.hills": (CLOSE, "read off a figure, give or take"),
    "generation.takes_over": (CLOSE, "read off a figure, give or take"),
    "restoration.threshold": (CLOSE, "any threshold within 0.1 dB of the best"),
    "measuring.rival": (CLOSE, "another bootstrap draws other resamples"),
    "least_squares.digits": (CLOSE | {"is twice as large", "is half as large"}, "an order of magnitude is asked for"),
    "diffusion.begin": (CLOSE, "read off a figure, give or take"),
    "diffusion_restores.strength": (CLOSE, "read off a figure, give or take"),
    "polynomial_image.denoise": (CLOSE, "any degree within 0.1 dB of the best"),
    "unknown_blur.time": ({"ends wrongly"}, "read off a picture, give or take five minutes"),
    "super_resolution.wall": (CLOSE - {"is one too large", "is one too small"},
                              "the strength is read off a figure, give or take"),
    "unrolled.loud": ({"its result is 5 % too large", "its result ends wrongly"},
                      "a bar for the mean error of an estimate that shrinks: a little more is closer to the truth"),
}

SLOW = {"sparsity.count": 3, "regularisation.report": 3}  # where judging takes seconds, one near miss in three


def sample(exercise, answer):
    """Return (what is wrong, wrong answer) for the right answer to an exercise."""
    return list(near_misses(answer))[:: SLOW.get(exercise, 1)]


def near_misses(answer):
    """Yield (what is wrong, wrong answer) for a right answer of any kind."""
    if isinstance(answer, str):
        if len(answer) == 1:
            yield from ((f"is {letter!r}", letter) for letter in "abcde" if letter != answer)
    elif isinstance(answer, dict):
        for key, what, wrong in _of_parts(answer.items()):
            yield what, answer | {key: wrong}
    elif isinstance(answer, (tuple, list)) and any(isinstance(part, str) or callable(part) for part in answer):
        for place, what, wrong in _of_parts(enumerate(answer)):
            yield what, (*answer[:place], wrong, *answer[place + 1:])
    elif callable(answer):
        yield from _of_function(answer)
    else:
        for what, change in CHANGES.items():
            if _differ(answer, wrong := change(answer)):
                yield what, wrong


def _of_parts(parts):
    """Change one part at a time; in a report, which takes seconds to judge, only by large factors."""
    parts = list(parts)
    slow = len(parts) > 2 or any(callable(part) for _, part in parts)
    for place, part in parts:
        for what, wrong in () if callable(part) or np.ndim(part) > 1 else near_misses(part):
            if not slow or what in ("is twice as large", "has the wrong sign"):
                yield place, f"part {place}: {what}", wrong


def as_good(exercise, what):
    """Say whether a near miss is as good as the solution, by the word of the exercise."""
    return what.rpartition(": ")[2] in AS_GOOD.get(exercise, ((), ""))[0]


def _of_function(function):
    for what, change in CHANGES.items():
        yield f"its result {what}", _Wrong(function, change=change)
    names = list(inspect.signature(function).parameters)
    for place, name in enumerate(names):
        yield f"its argument {name!r} is ignored", _Wrong(function, ignored=place)
    for place, (one, other) in enumerate(pairwise(names)):
        yield f"its arguments {one!r} and {other!r} are exchanged", _Wrong(function, exchanged=place)


class _Wrong:
    """A function that goes wrong in one thing; ``noticed`` says whether any call gave another result by that."""

    def __init__(self, function, change=None, ignored=None, exchanged=None):
        self.function, self.change, self.ignored, self.exchanged = function, change, ignored, exchanged
        self.__name__ = getattr(function, "__name__", "answer")
        self.__signature__ = inspect.signature(function)
        self.noticed = False

    def __call__(self, *arguments, **named):
        arguments = list(self.__signature__.bind(*arguments, **named).args)
        right = self.function(*copy.deepcopy(arguments))
        wrong = self._with_others(arguments, right) if self.change is None else self.change(right)
        self.noticed |= _differ(right, wrong)
        return wrong

    def _with_others(self, arguments, right):
        if self.exchanged is not None:
            one, other = arguments[self.exchanged : self.exchanged + 2]
            if type(one) is not type(other) or np.shape(one) != np.shape(other):
                return right  # that would stop with an error, not with a wrong result
            arguments[self.exchanged : self.exchanged + 2] = other, one
        elif self.ignored < len(arguments):
            arguments[self.ignored] = _something_else(arguments[self.ignored])
        return self.function(*arguments)


def makes_a_difference(wrong):
    """Say whether a near miss that was judged had given any other result than the right answer."""
    return wrong.noticed if isinstance(wrong, _Wrong) else True


# --------------------------------------------------------------------------------------------- changes of a result


def _each(change, kinds="fc"):
    """Return a function that changes every part of a result whose numbers are of these kinds."""
    def changed(value):
        if isinstance(value, (tuple, list)):
            return type(value)(changed(part) for part in value)
        array = np.asarray(value)
        return change(array)[()] if array.size and array.dtype.kind in kinds else value

    return changed


def _last_off(value):
    """Change the last number of a result by a tenth of the largest; whole numbers by one, truths to the contrary."""
    if isinstance(value, tuple):
        return (*value[:-1], _last_off(value[-1]))
    value = np.array(value)
    if value.size and value.dtype.kind in "biufc":
        largest = 0.1 * max(np.abs(value).max(), 1e-2) if value.dtype.kind in "fc" else 1
        value.flat[-1] = ~value.flat[-1] if value.dtype == bool else value.flat[-1] + largest
    return value[()]


def _lifted(value):
    return value + 0.05 * np.abs(value).max()


def _of_rows(change):
    return _each(lambda value: change(value) if value.ndim else value, "biufc")


def _square(change):
    return _each(lambda value: change(value) if value.ndim > 1 and value.shape[0] == value.shape[1] else value, "biufc")


CHANGES = {
    "is 5 % too large": _each(lambda value: 1.05 * value),
    "is 10 % too small": _each(lambda value: 0.9 * value),
    "is twice as large": _each(lambda value: 2 * value, "iufc"),
    "is half as large": _each(lambda value: value / 2),
    "has the wrong sign": _each(lambda value: -value, "ifc"),
    "is one too large": _each(lambda value: value + 1, "iu"),
    "is one too small": _each(lambda value: value - 1, "i"),
    "is squared": _each(lambda value: value**2),
    "is the root of what it should be": _each(lambda value: np.sqrt(abs(value))),
    "lies too high everywhere": _each(_lifted),
    "ends wrongly": _last_off,
    "is the contrary": _each(np.logical_not, "b"),
    "stands one place farther": _of_rows(lambda value: np.roll(value, 1, axis=-1)),
    "runs the other way": _of_rows(lambda value: value[..., ::-1]),
    "is transposed": _square(lambda value: np.swapaxes(value, 0, 1)),
}


def _something_else(value):
    """Return what a function sees that ignores an argument: one fixed value of its kind."""
    if isinstance(value, np.random.Generator) or callable(value):
        return value
    if isinstance(value, (bool, np.bool_)):
        return not value
    if isinstance(value, (int, np.integer)):
        return 3
    if isinstance(value, (float, np.floating)):
        return 1.3 * value
    if isinstance(value, np.ndarray) and value.size > 1 and value.dtype.kind in "biuf":
        even = np.full_like(value, value.mean() if value.dtype.kind == "f" else value.flat[0])
        return value[::-1].copy() if value.ndim == 1 and np.array_equal(even, value) else even
    return value


def _differ(a, b):
    if isinstance(a, str) or isinstance(b, str):
        return a != b
    try:
        a, b = (np.asarray(one, complex) for one in (a, b))
        return a.shape != b.shape or not np.allclose(a, b, rtol=1e-3, atol=1e-6, equal_nan=True)
    except (TypeError, ValueError):  # a result of parts with shapes of their own
        if not (np.iterable(a) and np.iterable(b)):
            return False
        return len(a) != len(b) or any(_differ(one, other) for one, other in zip(a, b, strict=True))
