"""The benchmark of odds counts what it says: distances, floors, impossible answers, and how often what was said was
true."""

import json

import numpy as np
import pytest

from benchmarks import odds
from helpers.images import robots
from helpers.posterior.exact import RobotPosterior, exact_posterior


@pytest.fixture(scope="module")
def of_two():
    """The posterior of a robot whose mouth is one of two, 3 : 1, and whose other attributes are known."""
    probabilities = np.zeros((10,) * 6)
    probabilities[1, 2, 3, 4, 5, 6], probabilities[1, 2, 3, 4, 5, 7] = 0.75, 0.25
    return RobotPosterior(probabilities)


def test_distances_are_half_the_differences_and_of_open_attributes_alone(of_two):
    counted = np.tile([1, 2, 3, 4, 5, 6], (16, 1))
    assert odds.distances(of_two, counted) == {"mouth": pytest.approx(0.25)}
    counted[:4, 5] = 7
    assert odds.distances(of_two, counted)["mouth"] == 0
    counted[:, 5] = 0
    assert odds.distances(of_two, counted)["mouth"] == pytest.approx(1)


def test_an_answer_is_impossible_if_it_is_no_robot_or_ruled_out(of_two, monkeypatch):
    counted, far = np.tile([1, 2, 3, 4, 5, 6], (16, 1)), np.zeros(16)
    counted[:3, 0], far[:2], far[5] = 9, 1, 1  # three of another colour, two of which are no robots, and one more
    monkeypatch.setattr(odds, "answers", lambda *_: (counted, far))
    found = odds.row("pgdm", of_two, None, None, np.array([1, 2, 3, 4, 5, 7]), 0)
    assert found["impossible"] == 4 / 16 and found["truth"] == {"mouth": 7}
    assert found["said"]["mouth"] == [0] * 6 + [16, 0, 0, 0] and found["distance"] == {"mouth": 0.25}


def test_draws_of_the_posterior_are_never_impossible(of_two):
    found = odds.row("exact", of_two, None, None, np.array([1, 2, 3, 4, 5, 6]), 0)
    assert found["impossible"] == 0 and sum(found["said"]["mouth"]) == 16
    assert set(np.flatnonzero(found["said"]["mouth"])) <= {6, 7}


def said(number, counts, truth, distance=0.5):
    return {"robot": number, "seconds": 2.0, "impossible": 0.25, "distance": {"mouth": distance},
            "said": {"mouth": counts}, "truth": {"mouth": truth}}


ROWS = [said(0, [4, 12, 0, 0, 0, 0, 0, 0, 0, 0], 0), said(1, [5, 5, 6, 0, 0, 0, 0, 0, 0, 0], 9)]


def test_what_was_said_with_about_thirty_per_cent_is_counted():
    found = odds.kept(ROWS)
    assert found["count"] == 4 and found["true"][0] == 0.25 and found["true"][1] <= 0.25 <= found["true"][2]
    assert found["said"] == pytest.approx((4 + 5 + 5 + 6) / 64)
    tenths = {round(mean, 2): (true, count) for mean, true, count in odds.calibration(ROWS)}
    assert tenths[0.75] == (0, 1) and tenths[0.25] == (1, 1) and tenths[0] == (round(1 / 15, 4), 15)


def test_the_excess_is_taken_robot_by_robot():
    floor = [said(1, [0] * 10, 0, 0.1), said(0, [0] * 10, 0, 0.3)]
    found = odds.summary(ROWS, floor)
    assert found["distance"][0] == 0.5 and found["excess"][0] == pytest.approx(0.3) and found["robots"] == 2
    assert found["excess"][1] == pytest.approx(0.2) and found["excess"][2] == pytest.approx(0.4)
    assert found["impossible"] == [0.25] * 3 and found["seconds"] == 2


def test_where_nothing_is_open_nothing_is_measured():
    known = said(0, [], 0) | {"distance": {}, "said": {}, "truth": {}}
    found = odds.summary([known], [known])
    assert found["robots"] == 0 and found["distance"] == [None] * 3
    json.dumps([found, odds.kept([known])], allow_nan=False)


def test_every_method_gets_the_same_damage_and_it_leaves_something_open():
    robot = robots.unseen_robots(1)[0]
    for task in odds.tasks():
        y, operator, sigma = odds.damaged(task, robot, 0)
        again = odds.damaged(task, robot, 0)[0]
        assert np.array_equal(y, again) and not np.array_equal(y, odds.damaged(task, robot, 1)[0])
        if task == "strip":
            posterior = exact_posterior(y, operator, sigma, prior=odds.prior())
            assert posterior.probabilities.sum() == pytest.approx(1)
            assert posterior.probabilities[tuple(robot)] > odds.RULED_OUT


class Even:
    """A model that draws the untold attribute by its own odds, and otherwise what it was told."""

    def __init__(self, values):
        self.values = np.array(values)

    def sample(self, n, seed, label):
        rng = np.random.default_rng([seed, 9])
        return robots.render(np.where(label < 0, rng.choice(self.values, (n, 1)), label))


def test_the_models_own_odds_are_held_against_even_ones(monkeypatch):
    """Who draws all values alike is near the floor; who knows one of ten says nine tenths too much."""
    monkeypatch.setattr(odds, "UNTOLD", ("eyes",))
    honest, stubborn = (odds.own_odds(Even(values), n=6)["eyes"] for values in (range(10), [3]))
    for rows in (honest, stubborn):
        assert [row["robot"] for row in rows] == list(range(6)) and all(sum(row["said"]) == 16 for row in rows)
    assert abs(np.mean([row["distance"] - row["floor"] for row in honest])) < 0.12
    assert all(row["distance"] == pytest.approx(0.9) and row["said"][3] == 16 for row in stubborn)
