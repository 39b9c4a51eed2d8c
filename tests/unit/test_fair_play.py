"""The leagues are fair: all methods meet one and the same damage, which is what its name says."""

from types import SimpleNamespace

import numpy as np
import pytest

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import images, league, pretrained
from helpers.league import digit_league, digit_tasks, photographs
from helpers.metrics import psnr
from helpers.operators import Blur, Downsample, Identity, Mask, Radon


def listen(heard, name):
    """Return a method that notes what it was given and answers with a level of its own, by which it is known again."""
    def restore(y, operator, sigma):
        heard.append((name, np.array(y), operator, sigma, 0.2 + 0.001 * len(heard)))
        return np.full_like(y if not isinstance(operator, (Downsample, Radon)) else operator.adjoint(y), heard[-1][4])

    return restore


def scored(heard, rows, pictures, task, seed):
    """Return for each row what its method was given when it earned its PSNR."""
    found = {}
    for row in rows:
        truth = league.damage(pictures[row.image], task, seed)[0]
        (given,) = [one for one in heard if one[0] == row.method and abs(psnr(truth, np.full_like(truth, one[4]))
                                                                         - row.psnr) < 1e-9]
        found[row.method, row.image] = given
    return found


def same_operator(a, b, shape):
    probe = np.random.default_rng(0).random(shape)
    return type(a) is type(b) and np.array_equal(a.forward(probe), b.forward(probe))


@pytest.mark.parametrize("task", league.TASKS)
def test_every_method_gets_the_very_same_measurement(task, monkeypatch):
    """Of one picture, whatever stands beside it and in whatever order; another seed gives another damage."""
    pictures = {f"{i}.png": images.photo(name, size)[:, :70] for i, (name, size) in
                enumerate([("cat", 74), ("coins", 74), ("camera", 91)])}
    heard = []
    monkeypatch.setattr(photographs, "METHODS", {name: league.Method(listen(heard, name), league.KINDS)
                                            for name in ("first", "second", "third")})
    given = {}
    for order in (list(pictures), list(pictures)[::-1], ["2.png"], ["1.png", "2.png"]):
        heard.clear()
        chosen = {name: pictures[name] for name in order}
        rows = league.run(chosen, [task], seed=7)
        assert len(rows) == 3 * len(order)
        for (_, image), call in scored(heard, rows, chosen, task, 7).items():
            given.setdefault(image, []).append(call)
    for image, calls in given.items():
        truth, y, operator, sigma = league.damage(pictures[image], task, 7)
        for _, seen, one, level, _ in calls:
            assert np.array_equal(seen, y) and level == sigma and same_operator(one, operator, truth.shape)
        if task not in ("block", "superres2", "tomography"):
            assert not np.array_equal(league.damage(pictures[image], task, 8)[1], y)


@pytest.mark.parametrize("task", digit_tasks.TASKS)
def test_every_method_of_the_digit_league_gets_the_very_same_measurement(task, monkeypatch):
    reader = SimpleNamespace(read=lambda x: np.zeros(len(x), int))
    monkeypatch.setattr(pretrained, "load", lambda *_: reader)
    monkeypatch.setattr(pretrained, "shared", lambda *_: reader, raising=False)
    heard = []
    methods = {name: lambda y, operators, sigma, name=name: heard.append((name, np.array(y), operators, sigma)) or y
               for name in digit_league.METHODS}
    monkeypatch.setattr(digit_league, "METHODS", methods)
    x = np.random.default_rng(0).random((5, 28, 28, 1)).astype(np.float32)
    digit_league.run(x, np.zeros(5, int), [task], seed=4)
    y, operators, sigma = digit_tasks.damage(x, task, 4)
    whole = [one for one in heard if len(one[1]) == 5]
    assert {one[0] for one in whole} == set(digit_league.able(task))
    for _, seen, given, level in whole:
        assert np.array_equal(seen, y) and level == sigma
        assert all(same_operator(a, b, (28, 28)) for a, b in zip(given, operators, strict=True))


def test_no_method_can_spoil_the_measurement_for_the_next(monkeypatch):
    """A method that writes into y harms nobody but itself."""
    def vandal(y, operator, sigma):
        answer = y.copy()
        y[...] = 0
        return answer

    heard = []
    for name, restore in (("vandal", vandal), ("next", listen(heard, "next"))):
        monkeypatch.setitem(league.METHODS, name, league.Method(restore, league.KINDS))
    x = images.photo("cat", 64)
    league.run({"cat": x, "again": x}, ["denoise25"], ["vandal", "next", "vandal", "next"])
    y = league.damage(x, "denoise25")[1]
    assert all(np.array_equal(one[1], y) for one in heard) and len(heard) >= 4
    assert np.array_equal(x, images.photo("cat", 64))


NOISE = {"denoise15": 15 / 255, "denoise25": 25 / 255, "denoise50": 50 / 255, "deblur": 2.55 / 255}


@pytest.mark.parametrize("task", league.TASKS)
def test_each_damage_is_what_its_name_says(task):
    from scipy import ndimage

    x = 0.25 + 0.5 * images.photo("cat", 160)
    truth, y, operator, sigma = league.damage(x, task, 3)
    assert np.array_equal(truth, x) and sigma == NOISE.get(task, 0.0) == league.TASKS[task].sigma
    if task in NOISE:
        clean = ndimage.gaussian_filter(x.astype(np.float64), 1.6, mode="wrap", truncate=4.1) if task == "deblur" else x
        noise = y - clean
        assert noise.std() == pytest.approx(sigma, rel=0.02) and abs(noise.mean()) < 0.05 * sigma
        assert isinstance(operator, Blur if task == "deblur" else Identity)
        lag = np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]
        assert abs(lag) < 0.03, "white noise"
    elif task.startswith("missing") or task == "block":
        assert isinstance(operator, Mask) and np.array_equal(y, np.where(operator.mask, x, 0))
        lost = ~operator.mask
        if task == "block":
            expected = np.zeros_like(lost)
            expected[60:100, 60:100] = True
            assert np.array_equal(lost, expected)
        else:
            assert lost.mean() == pytest.approx(int(task[7:]) / 100, abs=0.015)
            assert abs(lost.mean(0) - lost.mean()).max() < 0.2, "everywhere alike"
    elif task == "superres2":
        np.testing.assert_allclose(y, x.reshape(80, 2, 80, 2).mean((1, 3)), atol=1e-6)
    else:
        assert isinstance(operator, Radon) and np.allclose(operator.angles, np.arange(60) * 3.0)
        np.testing.assert_allclose(y.sum(0), np.full(60, x.sum()), rtol=1e-4)
