"""Near misses find the check that is too lenient, and leave the careful one alone."""

import numpy as np
import pytest

from tests.exercises import near


def accepted(check, answer):
    """Return what a check lets pass though it is wrong."""
    return [what for what, wrong in near.near_misses(answer) if check(wrong) and near.makes_a_difference(wrong)]


def line(x, slope):
    """A right answer."""
    return slope * x


X = np.array([1.0, -2.0, 4.0])
RIGHT = line(X, 3.0)


@pytest.mark.parametrize("check, what", [
    (lambda f: np.allclose(abs(f(X, 3.0)), abs(RIGHT)), "its result has the wrong sign"),
    (lambda f: np.allclose(f(X, 3.0), RIGHT, rtol=0.06), "its result is 5 % too large"),
    (lambda f: np.allclose(f(X, 3.0)[:-1], RIGHT[:-1]), "its result ends wrongly"),
    (lambda f: np.allclose(np.sort(f(X, 3.0)), np.sort(RIGHT)), "its result runs the other way"),
    (lambda f: f(X, 3.0).shape == RIGHT.shape and np.isclose(f(X, 3.0)[0] / f(X, 3.0)[1], -0.5),
     "its result is twice as large"),
    (lambda f: np.allclose(f(X, 1.0) / f(X, 1.0).max(), X / 4), "its argument 'slope' is ignored"),
])
def test_a_lenient_check_is_found_out(check, what):
    assert check(line)
    assert what in accepted(check, line)


def test_a_careful_check_is_left_alone():
    assert not accepted(lambda f: np.allclose(f(X, 3.0), RIGHT, rtol=1e-3), line)


def test_exchanged_arguments_of_one_kind_are_noticed():
    def ratio(a, b):
        return a / b

    assert "its arguments 'a' and 'b' are exchanged" in accepted(lambda f: f(2.0, 2.5) in (0.8, 1.25), ratio)


@pytest.mark.parametrize("answer, few", [
    ("b", 4), (0.7, 5), (24, 4), (np.arange(4.0), 8), (np.eye(3, dtype=bool), 3), ((3, "a"), 8), ((0.5, 2.0), 5),
    ({"gain": 0.5, "worst": "cat"}, 5), ({"f": line, "interval": (0.5, 2.0), "worst": "cat"}, 2)])
def test_every_kind_of_answer_has_near_misses(answer, few):
    found = list(near.near_misses(answer))
    assert len(found) >= few and len({what for what, _ in found}) == len(found)


def test_a_change_without_effect_is_no_near_miss():
    even = near._Wrong(lambda n: 0.0, change=lambda value: 2 * value)
    assert even(3) == 0 and not near.makes_a_difference(even)


def test_what_is_as_good_is_so_in_every_part():
    assert near.as_good("generation.takes_over", "part 0: is one too large")
    assert not near.as_good("generation.takes_over", "part 1: is 'a'")
    assert not near.as_good("faq.printed", "is 5 % too large")
