"""Every number that the leagues report is what its name says: rows, means, intervals, seconds, JSON and tables."""

import json
import math
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import images, metrics, pretrained
from helpers.images import digits, photo
from helpers.league import LeagueTable, digit_league, digit_tasks, photographs

CHARGES = {"load": 10_000.0, "restore": 2.0, "score": 300.0, "damage": 70_000.0}


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a part of the league charges its price."""
    now = [1000.0]
    for name in ("perf_counter", "monotonic", "time", "process_time"):
        monkeypatch.setattr(f"time.{name}", lambda: now[0])

    def charge(price):
        now[0] += CHARGES[price]

    def charged(function, price):
        def call(*arguments, **options):
            charge(price)
            return function(*arguments, **options)
        return call

    for module, name, price in [(metrics, "psnr", "score"), (metrics, "ssim", "score"),
                                (photographs, "damage", "damage"), (digit_tasks, "damage", "damage")]:
        monkeypatch.setattr(module, name, charged(getattr(module, name), price))
    return charge


def slow_to_load(charge, answer, shares=lambda y: 1):
    """Return a method that loads at its first call and then needs its two seconds for every picture."""
    loaded = []

    def restore(y, operator, sigma):
        if not loaded:
            charge("load")
            loaded.append(True)
        for _ in range(shares(y)):
            charge("restore")
        return answer(y)

    return restore


def photos(count, size=72):
    return {f"{i}.png": photo(name, size) for i, name in zip(range(count), images.PHOTOS, strict=False)}


# ----------------------------------------------------------------------------------------------------- seconds


def test_seconds_of_photographs_are_the_methods_alone(clock, monkeypatch):
    """Loading, damaging and scoring cost a thousand times as much here, and must not show."""
    for name in ("one", "two"):
        method = photographs.Method(slow_to_load(clock, np.copy), photographs.KINDS)
        monkeypatch.setitem(photographs.METHODS, name, method)
    rows = photographs.run(photos(3), ["denoise25", "missing50", "deblur"], ["one", "two"])
    assert len(rows) == 18 and {row.seconds for row in rows} == {CHARGES["restore"]}
    assert {line["seconds"] for line in photographs.summarise(rows)} == {CHARGES["restore"]}


def test_seconds_of_digits_are_the_methods_alone_for_each_digit(clock, monkeypatch):
    class Judge:
        def read(self, x):
            clock("score")
            return np.zeros(len(x), int)

    monkeypatch.setattr(pretrained, "load", lambda *_: Judge())
    monkeypatch.setattr(pretrained, "shared", lambda *_: Judge(), raising=False)
    for name in ("one", "two"):
        monkeypatch.setitem(digit_league.METHODS, name, slow_to_load(clock, np.copy, shares=len))
    rows = digit_league.run(digits().x_test[:6], np.zeros(6, int), ["half", "noise50"], ["one", "two"])
    assert len(rows) == 24 and {row.seconds for row in rows} == {CHARGES["restore"]}


def test_seconds_of_photographs_are_summed_up_by_their_median():
    """One stumble of the machine does not make a method slow."""
    lines = photographs.summarise([row(seconds=s) for s in (0.3, 0.1, 60.0, 0.2, 0.4)])
    assert lines[0]["seconds"] == 0.3


# ----------------------------------------------------------------------------------------- rows and their means


def row(module=photographs, **values):
    """Return a row of a league with some values, and 1.0 wherever nothing was said."""
    start = {"task": "denoise25" if module is photographs else "half", "method": "a", "image": "x.png", "digit": 0}
    return module.Row(*[(start | values).get(field, 1.0) for field in module.Row._fields])


LEAGUES = {"photographs": (photographs, ("psnr", "ssim")), "digits": (digit_league, ("psnr", "readable"))}


def made_up_rows(module, methods=("a", "b"), count=9):
    """Return rows whose values are far apart: an interval with two of its numbers exchanged shows at once."""
    rng, rows = np.random.default_rng(1), []
    for shift, method in enumerate(methods):
        for i in range(count):
            values = {"psnr": 20 + 7 * shift + rng.normal(), "ssim": rng.uniform(0.3, 0.9), "seconds": 0.25 + shift,
                      "readable": float(rng.random() < 0.7)}
            rows.append(row(module, method=method, image=f"{i}.png", digit=i, **values))
    return rows


@pytest.mark.parametrize("kind", LEAGUES)
def test_every_interval_is_the_bootstrap_of_its_own_column(kind):
    module, measured = LEAGUES[kind]
    rows = made_up_rows(module)
    lines = module.summarise(rows)
    assert [line["method"] for line in lines] == ["b", "a"]
    for line in lines:
        group = [one for one in rows if one.method == line["method"]]
        for key in measured:
            values = [getattr(one, key) for one in group]
            assert line[key] == metrics.bootstrap_interval(values), "the mean with its 95 % interval"
            assert line[key]._fields == ("mean", "low", "high")
            assert min(values) <= line[key].low < line[key].mean < line[key].high <= max(values)
            assert line[key].mean == pytest.approx(np.mean(values))


def test_an_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = {0.95: 0, 0.5: 0}
    for _ in range(200):
        values = rng.normal(3.0, 2.0, 40)
        for level in covered:
            found = metrics.bootstrap_interval(values, level, resamples=400)
            covered[level] += found.low <= 3.0 <= found.high
    assert 0.88 * 200 <= covered[0.95] <= 0.99 * 200 and 0.4 * 200 <= covered[0.5] <= 0.6 * 200


@pytest.mark.parametrize("kind", LEAGUES)
def test_a_perfect_answer_counts_as_100_decibels(kind, tmp_path):
    """An infinite mean would say nothing about the other pictures."""
    module, _ = LEAGUES[kind]
    rows = [row(module, psnr=value) for value in (math.inf, 20.0, 30.0, math.inf)]
    (line,) = module.summarise(rows)
    assert line["psnr"].mean == 62.5 and line["psnr"].high <= 100
    (line,) = module.summarise([row(module, psnr=math.inf)] * 3)
    assert line["psnr"] == (100.0, 100.0, 100.0)
    module.save(rows, tmp_path / "league.json")
    (line,) = LeagueTable(tmp_path / "league.json").lines
    assert line["psnr"].mean == 62.5


def test_a_method_that_gives_the_truth_is_perfect(monkeypatch):
    x = photo("cat", 40)
    monkeypatch.setitem(photographs.METHODS, "oracle", photographs.Method(lambda *_: x, photographs.KINDS))
    found = photographs.play(x, "denoise50", "oracle")
    assert found.psnr == math.inf and found.ssim == pytest.approx(1)


def test_rows_hold_the_scores_of_what_the_method_gave(monkeypatch):
    """Recomputed from scikit-image; overshoot is clipped, and the truth is the picture as the task crops it."""
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    rng, x = np.random.default_rng(2), photo("coins", 61)[:, :47]
    for task in photographs.TASKS:
        truth = photographs.damage(x, task, 3)[0]
        estimate = truth + 0.3 * rng.standard_normal(truth.shape).astype(np.float32)
        wild = photographs.Method(lambda *_, e=estimate: e, photographs.KINDS)
        monkeypatch.setitem(photographs.METHODS, "wild", wild)
        found, seen = photographs.play(x, task, "wild", "x", 3), np.clip(estimate, 0, 1)
        assert (found.task, found.method, found.image) == (task, "wild", "x")
        assert found.psnr == pytest.approx(peak_signal_noise_ratio(truth, seen, data_range=1), abs=1e-4)
        similarity = structural_similarity(truth, seen, data_range=1.0, gaussian_weights=True, sigma=1.5,
                                           use_sample_covariance=False)
        assert found.ssim == pytest.approx(similarity, abs=1e-6)


# ------------------------------------------------------------------------------------------- files and tables


@pytest.mark.parametrize("kind", LEAGUES)
def test_json_keeps_every_digit(kind, tmp_path):
    """What is drawn from the file later is what was measured, not what was printed."""
    module, _ = LEAGUES[kind]
    rows = [*made_up_rows(module), row(module, psnr=1 / 3, ssim=math.pi / 4, seconds=1e-7 / 3)]
    module.save(rows, tmp_path / "league.json", seed=11)
    document = json.loads((tmp_path / "league.json").read_text(encoding="utf-8"))
    assert [module.Row(**one) for one in document["rows"]] == rows and document["seed"] == 11
    assert LeagueTable(tmp_path / "league.json").lines == module.summarise(rows)


@pytest.mark.parametrize("kind", LEAGUES)
def test_the_page_s_table_shows_mean_low_and_high_of_each_line(kind, tmp_path):
    module, measured = LEAGUES[kind]
    rows = made_up_rows(module)
    module.save(rows, tmp_path / "league.json")
    whole, every = BeautifulSoup(LeagueTable(tmp_path / "league.json")._repr_html_(), "html.parser").find_all("table")
    lines = module.summarise(rows)
    titles = [one.get_text() for one in every.thead.find_all("th")]
    columns = {"psnr": ("PSNR (dB)", 2), "ssim": ("SSIM", 3), "readable": ("Read right", 2)}
    for line, shown in zip(lines, every.tbody.find_all("tr"), strict=True):
        cells = shown.find_all(["th", "td"])
        assert cells[0].get_text() == line["method"] and cells[1].get_text() == line["task"]
        for key in measured:
            title, places = columns[key]
            cell, (mean, low, high) = cells[titles.index(title)], line[key]
            assert cell.get_text() == f"{mean:.{places}f} {low:.{places}f} to {high:.{places}f}"
            assert float(cell["data-value"]) == mean, "sorted by the mean, with all its digits"
        seconds = cells[titles.index("Seconds")]
        assert seconds.get_text() == f"{line['seconds']:.4f}" and float(seconds["data-value"]) == line["seconds"]
    shown = {one.th.get_text(): one.td for one in whole.tbody.find_all("tr")}
    for line in lines:
        assert shown[line["method"]].get_text() == f"{line['psnr'].mean:.2f}"
        assert float(shown[line["method"]]["data-value"]) == line["psnr"].mean


@pytest.mark.parametrize("kind", LEAGUES)
def test_the_command_prints_mean_low_and_high_of_each_line(kind, monkeypatch, tmp_path):
    from typer.testing import CliRunner

    from helpers.__main__ import app

    module, measured = LEAGUES[kind]
    rows = made_up_rows(module)
    monkeypatch.setattr(module, "run", lambda *_, each, **__: [each(row) for row in rows])
    out = tmp_path / "rows.json"
    result = CliRunner().invoke(app, ["league", "--json", str(out), *(["--digits"] if kind == "digits" else [])])
    assert result.exit_code == 0, result.output
    assert [module.Row(**one) for one in json.loads(out.read_text())["rows"]] == rows
    lines = module.summarise(rows)
    printed = [line for line in result.stdout.splitlines() if " to " in line]
    titles = ["PSNR (dB)", "SSIM" if kind == "photographs" else "readable", "seconds"]
    places_of = [result.stdout.splitlines()[0].index(title) for title in titles]
    assert places_of == sorted(places_of)
    for line, text in zip(lines, printed, strict=True):
        expected = [f"{number:.{places}f}" for key, places in zip(measured, (2, 3), strict=True)
                    for number in line[key]]
        expected.append(f"{line['seconds']:.{3 if kind == 'photographs' else 4}f}")
        numbers = re.findall(r"-?\d+\.\d+", text)
        assert numbers[: len(expected)] == expected, text
