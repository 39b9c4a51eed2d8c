"""The states of a knob: what a page draws comes back whole, and whatever cannot become a state is refused."""

import json

import numpy as np
import pytest
from traitlets.config import Config

from helpers.live import knobs
from helpers.live.knobs import knob, pack, size, spoken
from helpers.plots import chart, done, show


@pytest.fixture
def shell():
    """Return IPython's shell of this process, as in a notebook, for one test."""
    from IPython.core.interactiveshell import InteractiveShell

    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


def curve(value):
    ax = chart(ylim=(0, 1), height=2)
    ax.plot(np.linspace(0, 1, 30) ** value)
    done()
    return f"value {value}"


def picture(value):
    show([np.full((8, 8), value, np.float32)])
    return f"value {value}"


def both(value):
    curve(value)
    return picture(value)


def turned(*arguments):
    """Return what a call of ``knob`` shows: its figures, what it prints, and its states."""
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        knob(*arguments)
    *figures, script = [output.data for output in captured.outputs]
    text = script["text/html"]
    assert text.startswith(knobs.OPENING) and text.endswith(knobs.CLOSING)
    return figures, captured.stdout, json.loads(text.removeprefix(knobs.OPENING).removesuffix(knobs.CLOSING))


def unpacked(figures, state, k):
    """Return figure k of a state as its text."""
    return "\n".join("\n".join(figures["lines"][first : first + count]) for first, count in figures["states"][state][k])


def test_each_state_comes_back_as_it_was_drawn(shell):
    _, _, content = turned(both, "power", [0.25, 0.5, 1.0], 0.5)
    assert content["figures"]["kinds"] == ["image/svg+xml", "image/png"]
    for state, value in enumerate([0.25, 0.5, 1.0]):
        _, drawn = knobs._capture(both, "power", value)
        assert [unpacked(content["figures"], state, k) for k in (0, 1)] == [text for _, text in drawn]
    assert len({unpacked(content["figures"], state, k) for state in range(3) for k in (0, 1)}) == 6


def test_the_state_of_the_start_is_shown_and_said(shell):
    figures, printed, content = turned(both, "power", [0.25, 0.5, 1.0], 0.5)
    shown = [figures[0]["image/svg+xml"], figures[1]["image/png"]]
    assert shown == [unpacked(content["figures"], 1, k) for k in (0, 1)]
    assert printed == "value 0.5\n"
    assert {key: content[key] for key in ("label", "values", "start", "words")} == {
        "label": "power", "values": ["0.25", "0.5", "1"], "start": 1,
        "words": ["value 0.25", "value 0.5", "value 1.0"]}


def test_a_line_that_two_states_share_travels_once(shell):
    _, _, content = turned(curve, "power", [*range(1, 9)], 1)
    lines = content["figures"]["lines"]
    apart = sum(len(unpacked(content["figures"], state, 0)) for state in range(8))
    assert len(set(lines)) == len(lines) and sum(map(len, lines)) < 0.4 * apart


def test_packing_by_hand():
    states = [[("image/svg+xml", "a\nb\nc")], [("image/svg+xml", "a\nd\nc")], [("image/svg+xml", "b\nc")]]
    assert pack(states) == {"kinds": ["image/svg+xml"], "lines": ["a", "b", "c", "d"],
                            "states": [[[[0, 3]]], [[[0, 1], [3, 1], [2, 1]]], [[[1, 2]]]]}


def test_words_cannot_end_the_script_that_carries_them(shell):
    def draw(value):
        picture(value)
        return f"</script><b>{value} & “σ”</b>"

    _, _, content = turned(draw, "a < b", [0, 1], 0)
    assert content["words"][1] == "</script><b>1 & “σ”</b>" and content["label"] == "a < b"


def test_the_sizes_are_those_of_the_figures(shell):
    _, ((_, svg), (_, png)) = knobs._capture(both, "power", 0.5)
    kind, width, height = size("image/svg+xml", svg)
    assert kind == "image/svg+xml" and abs(width - 6.2 * 72) < 0.01 and abs(height - 2 * 72) < 0.01
    assert size("image/png", png) == ("image/png", 8 * 45 + 12, 8 * 45 + 12)


def test_outside_a_notebook_only_the_start_is_drawn(capsys, monkeypatch):
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    seen = []

    def draw(value):
        seen.append(value)
        return curve(value)

    knob(draw, "power", [1, 2, 3], 2)
    assert seen == [2] and capsys.readouterr().out == "value 2\n"


@pytest.mark.parametrize(("value", "text"), [
    (12, "12"), (np.int64(3), "3"), (1e-05, "0.00001"), (1.99, "1.99"), (np.float32(0.01), "0.01"), (2.0, "2"),
    (31.6227766, "31.6"), (-0.5, "-0.5"), (1000, "1000")])
def test_a_value_is_spoken_as_people_write_it(value, text):
    assert spoken(value) == text


@pytest.mark.parametrize(("arguments", "error", "says"), [
    (("picture", "power", [1, 2], 1), TypeError, "draw must be a function of one value, but 'picture' came"),
    ((picture, "", [1, 2], 1), TypeError, "label must be a line of words, but '' came"),
    ((picture, None, [1, 2], 1), TypeError, "label must be a line of words, but None came"),
    ((picture, "power", [], 1), ValueError, "values is empty"),
    ((picture, "power", [1], 1), ValueError, "values must hold 2 to 60 numbers, but 1 came"),
    ((picture, "power", range(99), 1), ValueError, "values must hold 2 to 60 numbers, but 99 came"),
    ((picture, "power", [1, 3, 2], 1), ValueError, "values must increase, but 2 stands behind 3"),
    ((picture, "power", [1, 1, 2], 1), ValueError, "values must increase, but 1 stands behind 1"),
    ((picture, "power", [0.1, np.nan], 0.1), ValueError, "values must be finite, but 1 of its 2 values"),
    ((picture, "power", [0.1, np.inf], 0.1), ValueError, "values must be finite, but 1 of its 2 values"),
    ((picture, "power", ["a", "b"], "a"), TypeError, "values must hold real numbers"),
    ((picture, "power", 3, 3), ValueError, "values must have 1 axis"),
    ((picture, "power", [1, 2], 3), ValueError, "start must be one of values, but 3 came"),
    ((picture, "power", [1, 2], None), ValueError, "start must be one of values, but None came"),
])
def test_arguments_that_are_no_knob(arguments, error, says):
    with pytest.raises(error) as caught:
        knob(*arguments)
    assert str(caught.value).startswith(says)


def shows(what, words="words"):
    """Return a function that draws a good state for 0, and for 1 what ``what`` shows."""
    def draw(value):
        if value == 0:
            return picture(0.5)
        what()
        return words
    return draw


def hypertext():
    from IPython.display import display

    display({"text/html": "<b>no figure</b>"}, raw=True)


@pytest.mark.parametrize(("draw", "error", "says"), [
    (shows(lambda: None), ValueError, "draw shows no figure for power = 1"),
    (shows(hypertext), ValueError, "draw shows text/html for power = 1, expected image/svg+xml or image/png"),
    (shows(lambda: show([np.zeros((9, 8))])), ValueError,
     "draw shows image/png of 332 × 372 for power = 1, expected image/png of 372 × 372 as for 0"),
    (shows(lambda: curve(1)), ValueError,
     "draw shows image/svg+xml of 446.4 × 144 for power = 1, expected image/png of 372 × 372 as for 0"),
    (shows(lambda: both(1)), ValueError, "draw shows image/svg+xml of 446.4 × 144, image/png of 372 × 372"),
    (shows(lambda: picture(1), None), TypeError, "draw must return a line of words for power = 1, but None came"),
    (shows(lambda: picture(1), " "), TypeError, "draw must return a line of words for power = 1, but ' ' came"),
    (shows(lambda: picture(1), "two\nlines"), TypeError, "draw must return a line of words for power = 1"),
], ids=["nothing", "unknown kind", "other pixels", "a chart", "one more", "no words", "blank", "two lines"])
def test_figures_that_are_no_states(shell, draw, error, says):
    from IPython.utils.capture import capture_output

    with pytest.raises(error) as caught, capture_output():
        knob(draw, "power", [0, 1], 0)
    assert str(caught.value).startswith(says)
