"""The league of robots: what a row holds, who plays, and the command."""

import functools
import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers import pretrained
from helpers.__main__ import app
from helpers.images import robots
from helpers.league import LeagueTable, robot_league, robot_tasks
from helpers.league.record import rows_of
from helpers.league.robot_league import Row
from helpers.posterior import exact
from helpers.posterior.exact import RobotPosterior, exact_posterior

QUICK = ["as it came", "total variation", "exact, likeliest", "exact, 16 draws"]


@pytest.fixture(scope="module")
def rows():
    return robot_league.run(2, ["strip"], QUICK, seed=3)


@pytest.fixture
def of_two():
    """The posterior of a robot whose mouth is one of two, 3 : 1, and whose other attributes are known."""
    probabilities = np.zeros((10,) * 6)
    probabilities[1, 2, 3, 4, 5, 6], probabilities[1, 2, 3, 4, 5, 7] = 0.75, 0.25
    return RobotPosterior(probabilities)


def test_marks_by_hand(of_two):
    truth, said = np.array([1, 2, 3, 4, 5, 7]), np.tile([1, 2, 3, 4, 5, 6], (16, 1))
    assert robot_league.marks(said, truth, of_two) == (0, 0, pytest.approx(0.25))
    said[:4, 5] = 7
    assert robot_league.marks(said, truth, of_two) == (0.25, 0.25, pytest.approx(0))
    said[:2, 0] = 9
    assert robot_league.marks(said, truth, of_two) == (0.125, 0.25, pytest.approx(0)), "the colour was not open"
    both = np.zeros((10,) * 6)
    both[1, 2, 3, 4, [5, 6], [6, 7]] = 0.5
    assert robot_league.marks(np.array([[1, 2, 3, 4, 5, 6]]), truth, RobotPosterior(both))[1] == 0.5, "eyes, no mouth"
    one = np.zeros((10,) * 6)
    one[1, 2, 3, 4, 5, 7] = 1
    whole, *rest = robot_league.marks(said, truth, RobotPosterior(one))
    assert whole == 0.125 and all(math.isnan(value) for value in rest)


def test_rows_hold_what_the_exact_posterior_says(rows):
    """Every method on the first robot before the second; the oracle's rows are done again by hand."""
    assert [(row.robot, row.method) for row in rows] == [(k, method) for k in (0, 1) for method in QUICK]
    for number, robot in enumerate(robots.unseen_robots(2)):
        exact = exact_posterior(*robot_tasks.damaged("strip", robot, number, 3), prior=robot_tasks.prior())
        by = {row.method: row for row in rows if row.robot == number}
        best = np.array(np.unravel_index(exact.probabilities.argmax(), (10,) * 6))
        assert by["exact, likeliest"].all_six == float((best == robot).all())
        drawn = exact.draw(16, 3 + number)
        expected = np.mean(list(robot_tasks.distances(exact, drawn).values()))
        assert by["exact, 16 draws"].apart == pytest.approx(expected)
        assert by["exact, 16 draws"].apart < by["total variation"].apart
        assert all(row.seconds > 0 for row in by.values())


def test_samplers_play_with_the_model_and_their_own_method(monkeypatch):
    from helpers.posterior import samplers

    asked = []

    def sample(y, operator, sigma, model, n, seed, method, prior=None):
        assert (prior is None) == (method != "gibbs"), "the others have it from their training"
        asked.append((method, n, seed, model))
        return robots.render(np.tile(robots.unseen_robots(2)[seed - 5], (n, 1)))

    monkeypatch.setattr(pretrained, "shared", lambda name: name)
    monkeypatch.setattr(samplers, "sample", sample)
    found = robot_league.run(2, ["strip"], robot_league.SAMPLERS, seed=5)
    assert asked == [(name, 16, seed, "diffusion-robots")
                     for seed in (5, 6) for name in ("pgdm", "repaint", "dps", "twisted", "gibbs")]
    assert set(robot_league.SAMPLERS) <= set(samplers.METHODS)
    assert all(row.all_six == 1 and (row.open == 1 or math.isnan(row.open)) for row in found)


def test_time_is_counted_where_it_belongs_and_no_method_meets_what_another_left(monkeypatch, of_two):
    """By a clock that moves when something is done: who knows the posterior pays for it, nobody for loading."""
    now, seen = [0.0], []

    def takes(seconds, answer):
        now[0] += seconds
        return answer

    def spoils(y, *_):
        seen.append(y.copy())
        y += 3
        return takes(1, y[None])

    def asks(y, *_):
        pretrained.shared("diffusion-robots")
        return takes(2, y[None])

    truth = np.array([[1, 2, 3, 4, 5, 6]])
    monkeypatch.setattr(robot_league, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(exact, "exact_posterior", lambda *_, **__: takes(100, of_two))
    monkeypatch.setattr(pretrained, "shared", functools.cache(lambda name: takes(1000, name)))
    monkeypatch.setattr(robots, "read", lambda x: takes(10, (truth, x.max() <= 1 or pytest.fail("not clipped"))))
    for name in ("as it came", "biharmonic"):
        monkeypatch.setitem(robot_league.SEEING, name, spoils)
    monkeypatch.setitem(robot_league.SEEING, "pgdm", asks)
    found = robot_league.run(1, ["strip"], ["exact, likeliest", "as it came", "biharmonic", "pgdm"])
    assert [row.seconds for row in found] == [100, 1, 1, 2] and np.array_equal(*seen)


def test_who_only_fills_in_is_not_asked_about_noise():
    assert set(robot_league.able("strip")) == set(robot_league.METHODS)
    assert set(robot_league.METHODS) - set(robot_league.able("noise")) == {"biharmonic", "repaint"}


def test_the_damage_is_that_of_the_seed_and_of_the_benchmark():
    from benchmarks import odds

    robot = robots.unseen_robots(1)[0]
    y = robot_tasks.damaged("noise", robot, 7)[0]
    rng = np.random.default_rng([7, 3])  # as in the file of odds that the page shows
    np.testing.assert_allclose(y, robots.render(robot) + 0.5 * rng.standard_normal(y.shape), atol=1e-6)
    assert np.array_equal(y, odds.damaged("noise", robot, 7)[0])
    assert not np.array_equal(y, robot_tasks.damaged("noise", robot, 7, 1)[0])


@pytest.mark.parametrize(("arguments", "message"), [
    ({"tasks": ["strips"]}, "did you mean 'strip'"), ({"methods": ["pgmd"]}, "did you mean 'pgdm'"),
    ({"n": 0}, "n must be at least 1"), ({"seed": -1}, "seed"),
    ({"tasks": ["noise"], "methods": ["repaint"]}, "method: none of repaint can do noise"),
])
def test_the_league_refuses_plainly(arguments, message):
    with pytest.raises(ValueError, match=message):
        robot_league.run(**{"n": 1, "methods": ["as it came"]} | arguments)


def made_up(apart=(0.5, 0.1, math.nan)):
    return [Row("half", method, k, 0.25 * k, apart[k] if math.isnan(apart[k]) else 0.5, apart[k] + shift, 2.0 + k**2)
            for method, shift in (("far", 0.2), ("near", 0.0)) for k in range(3)]


def test_the_summary_leaves_out_robots_without_a_question():
    near, far = robot_league.summarise(made_up())
    assert (near["method"], far["method"]) == ("near", "far"), "the nearest odds come first"
    assert near["apart"].mean == pytest.approx(0.3) and far["apart"].mean == pytest.approx(0.5)
    assert near["robots"] == 3 and near["open robots"] == 2 and near["all_six"].mean == 0.25 and near["seconds"] == 3
    assert "half: something is open of 2 of 3 robots" in robot_league.notes([near, far])
    (nothing,) = robot_league.summarise([Row("half", "near", 0, 1.0, math.nan, math.nan, 1.0)])
    assert math.isnan(nothing["open"].mean) and nothing["all_six"].mean == 1


def test_saved_rows_come_back_and_make_a_table(tmp_path):
    robot_league.save(made_up(), tmp_path / "rows.json", seed=4)
    document = json.loads((tmp_path / "rows.json").read_text(), parse_constant=pytest.fail)
    assert document["seed"] == 4
    assert document["weights"] == {"diffusion-robots": pretrained.card("diffusion-robots")["sha256"]}
    again = rows_of(document, Row)
    assert math.isnan(again[2].open) and again[:2] == made_up()[:2]
    table = LeagueTable(tmp_path / "rows.json")
    assert repr(table) == "LeagueTable of robots: 2 lines" and table.tasks == ["half"]
    shown = table._repr_html_()
    assert "Share of open attributes read right, robots" in shown and "Odds off" in shown and "nan" not in shown
    robot_league.save([made_up()[2]], tmp_path / "rows.json")
    assert "nan" not in LeagueTable(tmp_path / "rows.json")._repr_html_()


# --------------------------------------------------------------------------------------------------- command


def command(*arguments):
    return CliRunner().invoke(app, ["league", *(str(argument) for argument in arguments)])


@pytest.fixture(autouse=True)
def sandbox(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_command_prints_a_table_and_writes_rows():
    result = command("--robots", "--n", 1, "--task", "strip", "--method", "as it came", "--method", "exact, 16 draws",
                     "--json", "rows.json", "--seed", 2)
    assert result.exit_code == 0, result.output
    for title in ("all six", "open", "odds off", "seconds", "robots", "95 %"):
        assert title in result.stdout
    shown = [line for line in result.stdout.splitlines() if " to " in line]
    assert "exact, 16 draws" in shown[0] and "as it came" in shown[1]
    document = json.loads(Path("rows.json").read_text())
    assert document["complete"] is True and document["seed"] == 2 and len(document["rows"]) == 2


def test_control_c_shows_and_keeps_the_robots_that_are_done(monkeypatch):
    turns = []

    def slow(y, operator, sigma, seed):
        turns.append(seed)
        if len(turns) == 2:
            raise KeyboardInterrupt
        return y[None]

    monkeypatch.setitem(robot_league.SEEING, "as it came", slow)
    result = command("--robots", "--n", 3, "--task", "strip", "--method", "as it came", "--json", "rows.json")
    assert result.exit_code == 130 and "stopped: the means are over what was done" in result.output
    document = json.loads(Path("rows.json").read_text())
    assert document["complete"] is False and [row["robot"] for row in document["rows"]] == [0]


@pytest.mark.parametrize(("arguments", "message"), [
    (["--robots", "--digits"], "digits: the league of robots has its own pictures"),
    (["--robots", "mine.npz"], "file: the league of robots has its own pictures"),
    (["--robots", "--images", "photos"], "images: the league of robots"),
    (["--robots", "--size", 32], "size: the league of robots"),
    (["--n", 3], "n: only the league of robots"), (["--digits", "--n", 3], "n: only the league of robots"),
    (["--robots", "--n", 0], "n must be at least 1"),
    (["--robots", "--n", 1, "--task", "hole"], "task 'hole' is unknown"),
    (["--robots", "--n", 1, "--method", "Dps"], "did you mean 'dps'"),
    (["--robots", "--json", "no/such/rows.json"], "cannot be written"),
])
def test_the_command_refuses_plainly(arguments, message):
    result = command(*arguments)
    assert result.exit_code == 2 and result.stdout == ""
    assert message in result.stderr.splitlines()[-1] and "Traceback" not in result.output
