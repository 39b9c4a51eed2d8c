"""The check of an answer never breaks: whatever the answer is or does, a plain sentence comes back."""

import sys
import time
import types

import numpy as np
import pytest

from helpers import exercises
from helpers.exercises import Verdict, answers, check, verdict
from helpers.exercises.answers import Mistake, NotYet, array, call, choice, close, number, pair

PICTURE = np.linspace(0, 1, 12).reshape(3, 4)


# One exercise of each kind, as a page would have them; they stand in for helpers/exercises/some_page.py.
def doubled(answer):
    """A function that doubles a picture."""
    result = array(call(answer, PICTURE, seconds=0.3), PICTURE.shape, "the picture")
    if close(result, 2 * PICTURE):
        return "Twice as bright."
    raise Mistake("This is not twice the picture.", "x + x is 2 x.")


def half_of_nine(answer):
    """A number."""
    if close(number(answer, "the PSNR"), 4.5):
        return "Half of nine."
    raise Mistake("Nine has another half.", "4 is too small and 5 is too large.")


def letter(answer):
    """A choice."""
    if choice(answer, "abc") == "b":
        return "The middle one."
    raise Mistake("It is another letter.", "Look at the middle.")


@pytest.fixture(autouse=True)
def page(monkeypatch):
    """Install the exercises above as those of a page called some_page."""
    module = types.ModuleType("helpers.exercises.some_page")
    module.np = np
    module.Mistake = Mistake
    module.table = {"a": 1}
    for judge in (doubled, half_of_nine, letter):
        moved = types.FunctionType(judge.__code__, judge.__globals__, judge.__name__)
        moved.__module__ = module.__name__
        setattr(module, judge.__name__, moved)
    monkeypatch.setitem(sys.modules, module.__name__, module)


# ----------------------------------------------------------------------------------------------- answers of all kinds


class EagerTensor:
    """As TensorFlow's: what counts is where its class comes from."""

    shape = (3, 4)


EagerTensor.__module__ = "tensorflow.python.framework.ops"


class Hostile:
    """An answer that breaks whatever touches it."""

    def __getattr__(self, name):
        raise RuntimeError("do not touch")

    def __array__(self, *arguments, **options):
        raise RuntimeError("do not touch")

    def __float__(self):
        raise RuntimeError("do not touch")


class Unprintable(Exception):
    """An error that cannot even say what it is."""

    def __str__(self):
        raise RuntimeError("no words")


def raises(x):
    raise ValueError("something\nof many lines\n\nTraceback (most recent call last):")


def raises_without_words(x):
    raise AssertionError


def raises_unprintable(x):
    raise Unprintable


def quits(x):
    raise SystemExit


def interrupts(x):
    raise KeyboardInterrupt


def recurses(x):
    return recurses(x)


def loops(x):
    while True:
        pass


def loops_and_catches_everything_it_should(x):
    while True:
        try:
            x + 1
        except Exception:
            continue


def sleeps(x):
    time.sleep(0.8)
    return 2 * x


def returns_nothing(x):
    2 * x


def returns_dots(x):
    return ...


def not_written(x):
    raise NotImplementedError


def edits_its_input(x):
    x *= 2
    return x


def generates(x):
    yield 2 * x


async def waits(x):
    return 2 * x


def gives_hostile_thing(x):
    return Hostile()


class TakesNothing:
    """A class where a function is wanted."""


def too_few():
    return 0


BAD_FUNCTIONS = {
    "raises": (raises, "raises stopped with ValueError (something), in line"),
    "raises without words": (raises_without_words, "stopped with AssertionError, in line"),
    "raises unprintable": (raises_unprintable, "stopped with Unprintable, in line"),
    "quits": (quits, "SystemExit"),
    "interrupts": (interrupts, "KeyboardInterrupt"),
    "recurses": (recurses, "RecursionError"),
    "loops": (loops, "still running after 0.3 seconds"),
    "loops and catches": (loops_and_catches_everything_it_should, "still running after 0.3 seconds"),
    "sleeps": (sleeps, "still running after 0.3 seconds"),
    "another shape": (lambda x: x[1:], "The picture has shape (2, 4), expected (3, 4)."),
    "a number": (lambda x: 2.0, "has shape ()"),
    "NaN": (lambda x: np.full(x.shape, np.nan), "holds NaN or infinite values"),
    "infinite": (lambda x: np.full(x.shape, np.inf), "holds NaN or infinite"),
    "tensor": (lambda x: EagerTensor(), "The picture is an EagerTensor of tensorflow"),
    "string": (lambda x: "twice", "An array of numbers is wanted for the picture, but a str came."),
    "complex": (lambda x: (2 + 0j) * x, "The picture is complex, and real numbers are wanted."),
    "ragged": (lambda x: [[1, 2], [3]], "but a list came"),
    "dictionary": (lambda x: {"x": x}, "but a dict came"),
    "a hostile thing": (gives_hostile_thing, "RuntimeError (do not touch)"),
    "edits its input": (edits_its_input, "edits_its_input changed its argument number 1"),
    "generator function": (generates, "but a generator came"),
    "coroutine": (waits, "but a coroutine came"),
    "class": (TakesNothing, "TakesNothing stopped with TypeError"),
    "too few arguments": (too_few, "too_few stopped with TypeError"),
    "wrong": (lambda x: x, "not twice the picture"),
    "not a function: string": ("2 * x", "A function is wanted, but a str came."),
    "not a function: number": (3, "A function is wanted, but an int came."),
    "not a function: array": (PICTURE, "A function is wanted, but a ndarray came."),
    "not a function: generator": (generates(PICTURE), "A function is wanted, but a generator came."),
    "not a function: None": (None, "A function is wanted, but a NoneType came."),
    "not a function: hostile": (Hostile(), "A function is wanted, but a Hostile came."),
}


def is_plain(message):
    """Tell whether a message is one readable line that ends as a sentence."""
    assert "Traceback" not in message, message
    assert "\n" not in message, message
    assert 'File "' not in message, message
    assert message.endswith((".", "?", "!")), message
    assert not message.endswith(".."), message
    assert ": ." not in message, message
    return True


@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("answer", "says"), BAD_FUNCTIONS.values(), ids=BAD_FUNCTIONS)
def test_a_bad_function_gets_a_plain_sentence(answer, says):
    before = PICTURE.copy()
    result = verdict("some_page.doubled", answer)
    assert result.status == "wrong"
    assert says in result.message
    assert is_plain(result.message)
    assert not result.hint or is_plain(result.hint)
    assert np.array_equal(PICTURE, before), "the answer spoiled the check"


@pytest.mark.parametrize("answer", [returns_nothing, returns_dots, not_written, ...])
def test_an_unfinished_function_is_not_yet(answer):
    result = verdict("some_page.doubled", answer)
    assert result.status == "not yet"
    assert is_plain(result.message)


@pytest.mark.parametrize("answer", [lambda x: 2 * x, lambda x: (2 * x).tolist(), lambda x: (2 * x).astype(np.float32)])
def test_a_right_function_is_right(answer):
    assert verdict("some_page.doubled", answer) == Verdict("right", "Twice as bright.")


BAD_NUMBERS = {
    "wrong": (4, "another half"),
    "NaN": (float("nan"), "The PSNR is nan."),
    "infinite": (-np.inf, "The PSNR is -inf."),
    "string": ("4.5", "One number is wanted for the PSNR, but a str came."),
    "bool": (True, "but a bool came"),
    "complex": (4.5 + 0j, "complex"),
    "array": (np.full(3, 4.5), "but a ndarray of shape (3,) came"),
    "list": ([4.5], "but a list of shape (1,) came"),
    "ragged": ([[4.5], 3], "could not use this answer: ValueError"),
    "tensor": (EagerTensor(), "EagerTensor of tensorflow"),
    "function": (lambda: 4.5, "but a function came"),
    "class": (float, "but a type came"),
    "dictionary": ({"answer": 4.5}, "but a dict came"),
    "generator": ((x for x in [4.5]), "but a generator came"),
    "huge": (10**400, "One number is wanted"),
    "hostile": (Hostile(), "could not use this answer: RuntimeError (do not touch)"),
}


@pytest.mark.parametrize(("answer", "says"), BAD_NUMBERS.values(), ids=BAD_NUMBERS)
def test_a_bad_number_gets_a_plain_sentence(answer, says):
    result = verdict("some_page.half_of_nine", answer)
    assert result.status == "wrong"
    assert says in result.message
    assert is_plain(result.message)


@pytest.mark.parametrize("answer", [4.5, np.float32(4.5), np.array(4.5), np.float64(4.5)], ids=repr)
def test_a_right_number_is_right(answer):
    assert verdict("some_page.half_of_nine", answer).status == "right"


BAD_CHOICES = {
    "no option": ("d", "'d' is not among the answers"),
    "empty": ("", "'' is not among the answers"),
    "two": ("ab", "'ab' is not among the answers"),
    "number": (2, "an int came"),
    "list": (["b"], "a list came"),
    "array": (np.full((50, 50), 0.5), "a ndarray came"),
    "bytes": (b"b", "a bytes came"),
    "function": (lambda: "b", "a function came"),
    "hostile": (Hostile(), "a Hostile came"),
}


@pytest.mark.parametrize(("answer", "says"), BAD_CHOICES.values(), ids=BAD_CHOICES)
def test_a_choice_among_no_options_gets_a_plain_sentence(answer, says):
    result = verdict("some_page.letter", answer)
    assert result.status == "wrong"
    assert says in result.message
    assert "'a', 'b', 'c'" in result.hint
    assert is_plain(result.message)


def test_choices_forgive_case_and_spaces():
    assert verdict("some_page.letter", " B ").status == "right"
    assert verdict("some_page.letter", "A") == Verdict("wrong", "It is another letter.", "Look at the middle.")


@pytest.mark.parametrize("exercise", ["some_page.half_of_nine", "some_page.letter"])
@pytest.mark.parametrize("answer", [..., None])
def test_no_answer_is_not_yet(exercise, answer):
    assert verdict(exercise, answer).status == "not yet"


@pytest.mark.parametrize("reading", [..., None, (..., "a"), (1.5, None)])
def test_half_a_reading_is_not_yet(reading):
    with pytest.raises(NotYet):
        pair(reading)


@pytest.mark.parametrize("reading", [1.5, "ab", (1.5,), (1.5, "a", "b"), {"a": 1, "b": 2}])
def test_a_reading_has_two_parts(reading):
    with pytest.raises(Mistake, match="Two things"):
        pair(reading)
    assert pair([1.5, "a"]) == [1.5, "a"]


# ----------------------------------------------------------------------------------------------- which exercise


@pytest.mark.parametrize(
    "exercise",
    ["some_page.tripled", "no_page.doubled", "some_page", "some_page.", ".doubled", "", "some_page.np",
     "some_page.Mistake", "some_page.table", "some_page.doubled.more", "some page.doubled", "..doubled"],
)
def test_an_unknown_exercise_is_an_error_of_the_page(exercise):
    """Also when the page's module holds something of that name that is no exercise."""
    with pytest.raises(ValueError, match=r"^exercise '.*' is unknown"):
        verdict(exercise, 4.5)


@pytest.mark.parametrize("exercise", [None, 3, b"some_page.doubled"])
def test_an_exercise_is_named_by_a_string(exercise):
    with pytest.raises(TypeError, match=r"^exercise must be its name"):
        verdict(exercise, 4.5)


# ----------------------------------------------------------------------------------------------- what is printed


def test_check_prints_the_verdict_and_returns_nothing(capsys):
    assert check("some_page.half_of_nine", 4.5) is None
    assert check("some_page.half_of_nine", 4) is None
    assert check("some_page.half_of_nine", ...) is None
    right, wrong, hint, not_yet = capsys.readouterr().out.splitlines()
    assert right == "✓ Right. Half of nine."
    assert wrong == "✗ Not right. Nine has another half."
    assert hint == "  Hint: 4 is too small and 5 is too large."
    assert not_yet.startswith("… Not yet. Replace the three dots")


# ----------------------------------------------------------------------------------------------- call


def test_call_copies_what_it_hands_over():
    given = [1, 2]

    def pop(items):
        items.pop()
        return len(items)

    assert call(pop, given) == 1
    assert given == [1, 2]


@pytest.mark.parametrize("goes_on_after", [(), Exception], ids=["no error", "every error"])
def test_call_stops_an_endless_loop_soon_and_for_good(goes_on_after):
    steps = []

    def counts(x):
        while True:
            try:
                for _ in range(10**9):
                    steps.append(x)
            except goes_on_after:
                pass

    start = time.perf_counter()
    with pytest.raises(Mistake, match=r"still running after 0\.2 seconds"):
        call(counts, 1, seconds=0.2)
    assert time.perf_counter() - start < 2
    taken = len(steps)
    time.sleep(0.1)
    assert len(steps) == taken, "the loop still runs"


def test_call_points_at_the_line_of_the_reader_not_at_ours_or_a_library_s():
    def third_line(x):
        y = x + 1
        return y / "three"

    with pytest.raises(Mistake) as caught:
        call(third_line, PICTURE)
    assert f"in line {third_line.__code__.co_firstlineno + 2} of its cell" in caught.value.message
    with pytest.raises(Mistake) as caught:
        call(np.linalg.inv, PICTURE)
    assert "LinAlgError" in caught.value.message
    assert "line" not in caught.value.message.replace("LinAlgError", "")


def test_call_returns_what_the_function_returns():
    assert call(lambda a, b: a - b, 5, 3) == 2
    with pytest.raises(NotYet, match="returned nothing"):
        call(lambda: None)


def test_close_is_relative_to_the_largest_entry():
    assert close([1000, 0], [1000.005, 0.005])
    assert not close([1000, 0], [1000.02, 0])
    assert not close([1, 2], [1, 2, 3])
    assert not close(np.nan, 1.0)
    assert close(0, 0)


def test_every_tool_that_a_page_imports_is_here():
    assert {"Mistake", "NotYet", "array", "call", "choice", "close", "number"} <= set(vars(answers))
    assert exercises.Mistake is answers.Mistake
