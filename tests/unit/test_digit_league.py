"""Damaged digits, their scores, and the league of digits."""

import json
import zipfile

import numpy as np
import pytest

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import metrics, pretrained
from helpers.images import digits
from helpers.league import digit_league, digit_tasks
from helpers.league.digit_league import Row
from helpers.operators import Identity, Mask


@pytest.fixture(scope="module")
def x():
    return digits().x_test[:6]


@pytest.fixture(scope="module")
def labels():
    return digits().y_test[:6]


# --------------------------------------------------------------------------------------------------- damages


@pytest.mark.parametrize("task", digit_tasks.TASKS)
def test_the_same_seed_damages_alike(task, x):
    before = x.copy()
    y, operators, sigma = digit_tasks.damage(x, task, 1)
    again, _, _ = digit_tasks.damage(x, task, 1)
    fewer, _, _ = digit_tasks.damage(x[:2], task, 1)
    other, _, _ = digit_tasks.damage(x, task, 2)
    assert y.shape == x.shape and len(operators) == 6 and sigma == digit_tasks.TASKS[task].sigma
    assert np.array_equal(y, again) and np.array_equal(fewer, y[:2]) and np.array_equal(x, before)
    assert np.array_equal(y, other) == (task in ("hole", "half")), "only these two hold no chance"


def test_each_damage_is_what_its_name_says(x):
    y, operators, _ = digit_tasks.damage(x, "hole")
    lost = np.zeros((28, 28), bool)
    lost[7:21, 7:21] = True
    assert np.array_equal(y[..., 0], np.where(lost, 0, x[..., 0])) and isinstance(operators[0], Mask)
    y, _, _ = digit_tasks.damage(x, "half")
    assert np.array_equal(y[:, :14], x[:, :14]) and not y[:, 14:].any()
    y, operators, _ = digit_tasks.damage(x, "missing75")
    masks = np.stack([operator.mask for operator in operators])
    assert np.array_equal(y[..., 0], masks * x[..., 0]) and abs(masks.mean() - 0.25) < 0.02
    assert not np.array_equal(masks[0], masks[1]), "each digit loses pixels of its own"
    y, operators, sigma = digit_tasks.damage(x, "noise50")
    noise = y - x
    assert abs(noise.std() - 0.5) < 0.03 and abs(noise.mean()) < 0.03 and sigma == 0.5
    assert isinstance(operators[0], Identity) and y.min() < 0 and y.max() > 1, "noise is not clipped"


@pytest.mark.parametrize(("arguments", "message"), [
    ((np.zeros((28, 28)), "hole"), "x must have 4 axes"), ((np.zeros((2, 28, 28, 3)), "hole"), "x must have shape"),
    ((np.zeros((0, 28, 28, 1)), "hole"), "x is empty"), ((None, "hole"), "x"),
    ((np.full((1, 28, 28, 1), np.nan), "hole"), "x must be finite"),
    ((np.zeros((1, 28, 28, 1)), "holes"), "did you mean 'hole'"), ((np.zeros((1, 28, 28, 1)), None), "task"),
    ((np.zeros((1, 28, 28, 1)), "hole", -1), "seed"),
])
def test_damage_refuses_plainly(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        digit_tasks.damage(*arguments)


# ---------------------------------------------------------------------------------------------------- scores


@pytest.mark.parametrize("task", ["hole", "noise50"])
def test_a_score_is_the_mean_psnr_and_the_share_read_right(task, x, labels):
    """By hand, with a method that overshoots and a reader that is right for even digits."""
    y, _, _ = digit_tasks.damage(x, task, 3)
    x_hat = np.clip(1.2 * y, 0, 1)
    expected = np.mean(-10 * np.log10(((x.astype(np.float64) - x_hat) ** 2).mean((1, 2, 3))))
    seen = []

    def read(pictures):
        seen.append(pictures)
        return np.where(labels % 2 == 0, labels, -1)

    found = digit_tasks.score(lambda y, operators, sigma: 1.2 * y, x, labels, task, read, seed=3)
    assert found["psnr"] == pytest.approx(expected, abs=1e-4)
    assert found["readable"] == np.mean(labels % 2 == 0) and np.array_equal(seen[0], x_hat)
    assert set(found) == {"psnr", "readable"} and all(type(value) is float for value in found.values())


def test_a_method_for_one_picture_serves_a_batch(x):
    calls = []

    def method(y, operator, sigma):
        calls.append((y.shape, operator, sigma))
        return y + len(calls)

    operators = [Identity() for _ in x]
    found = digit_tasks.one_by_one(method)(x, operators, 0.5)
    assert found.shape == x.shape and np.allclose(found, x + np.arange(1, 7)[:, None, None, None])
    assert calls == [((28, 28), operator, 0.5) for operator in operators]
    with pytest.raises(ValueError, match="shorter"):
        digit_tasks.one_by_one(method)(x, operators[:3], 0.5)


def test_sample_quality_is_measured_to_the_held_out_digits():
    class Judge:
        """Features: the means of the four quarters."""

        def features(self, x):
            return x.reshape(len(x), 2, 14, 2, 14).mean((2, 4)).reshape(len(x), 4)

        def coverage(self, x):
            return np.full(10, 0.1)

    data = digits()
    quality = digit_tasks.sample_quality(data.x_train[:300], Judge())
    some, train, test = (Judge().features(x) for x in (data.x_train[:300], data.x_train, data.x_test))
    assert quality.frechet == pytest.approx(metrics.frechet_distance(some, test))
    assert quality.floor == pytest.approx(metrics.frechet_distance(train, test))
    assert quality.multiple == quality.frechet / quality.floor and quality.coverage.shape == (10,)
    black = digit_tasks.sample_quality(np.zeros((10, 28, 28, 1)), Judge())
    assert black.multiple > 10


# ---------------------------------------------------------------------------------------------------- league


def test_methods_for_lost_pixels_are_not_asked_about_noise():
    assert set(digit_league.able("hole")) == set(digit_league.METHODS)
    assert set(digit_league.METHODS) - set(digit_league.able("noise50")) == {"biharmonic"}
    with pytest.raises(ValueError, match="did you mean 'hole'"):
        digit_league.able("holes")


SEARCHES = ("GAN inversion", "GAN inversion, random starts")  # they take seconds
SLOW = (*SEARCHES, "diffusion, one answer", "diffusion, mean of 8")


def test_every_able_method_plays_every_task(x, labels):
    quick = [method for method in digit_league.METHODS if method not in SLOW]
    rows = digit_league.run(x[:2], labels[:2], None, quick, seed=1)
    played = {(row.task, row.method) for row in rows}
    assert played == {(task, method) for task in digit_tasks.TASKS for method in digit_league.able(task)
                      if method not in SLOW}
    assert len(rows) == 2 * len(played) and all(row.digit in (0, 1) for row in rows)
    assert all(np.isfinite(row.psnr) and row.readable in (0.0, 1.0) and row.seconds > 0 for row in rows)


def test_searches_play_too(x, labels):
    rows = digit_league.run(x[:1], labels[:1], ["half"], list(SEARCHES))
    assert [row.method for row in rows] == list(SEARCHES)
    assert all(10 < row.psnr < 40 for row in rows)


def test_the_rows_of_diffusion_are_means_of_answers_drawn_in_batches(monkeypatch):
    """With a sampler whose k-th answer lies k thousandths above the measurement."""
    from types import SimpleNamespace

    from helpers.posterior import samplers

    heard = []

    def sample(y, operator, sigma, model, n, seed, method):
        heard.append((operator, sigma, n, seed, method))
        return y + 0.001 * np.arange(n)[:, None, None, None]

    monkeypatch.setattr(pretrained, "shared", lambda name: SimpleNamespace(shape=(28, 28, 1)))
    monkeypatch.setattr(samplers, "sample", sample)
    x = 0.5 * np.random.default_rng(0).random((45, 28, 28, 1)).astype(np.float32)
    y, operators, sigma = digit_tasks.damage(x, "missing75")
    means = digit_league.METHODS["diffusion, mean of 8"](y, operators, sigma)
    assert [one[2:] for one in heard] == [(160, 0, "pgdm"), (160, 20, "pgdm"), (40, 40, "pgdm")]
    place = 8 * (np.arange(45) % 20) + 3.5
    np.testing.assert_allclose(means, y + 0.001 * place[:, None, None, None], atol=1e-5)
    masks = heard[0][0].known[..., 0]
    assert all(np.array_equal(masks[8 * k + j], operators[k].mask) for k in range(20) for j in (0, 7)), "its own mask"
    y, operators, sigma = digit_tasks.damage(x[:2], "noise50")
    assert digit_league.METHODS["diffusion, one answer"](y, operators, sigma).shape == y.shape
    assert heard[-1][0] is operators[0] and heard[-1][1:3] == (0.5, 2)
    with pytest.raises(ValueError, match="n must be at least 1"):
        digit_tasks.answers(y, operators, sigma, 0)


def test_rows_hold_what_a_method_scores(x, labels, monkeypatch):
    monkeypatch.setitem(digit_league.METHODS, "half as bright", lambda y, operators, sigma: y / 2)
    rows = digit_league.run(x, labels, ["noise50"], ["half as bright", "as it came"], seed=4)
    y, _, _ = digit_tasks.damage(x, "noise50", 4)
    assert [row.method for row in rows] == ["half as bright"] * 6 + ["as it came"] * 6
    for row in rows:
        x_hat = np.clip(y[row.digit] / 2 if row.method == "half as bright" else y[row.digit], 0, 1)
        assert row.psnr == pytest.approx(metrics.psnr(x[row.digit], x_hat), abs=1e-6)
        assert row.readable == float(pretrained.load("classifier").read(x_hat[None])[0] == labels[row.digit])


def test_the_same_seed_gives_the_same_rows(x, labels):
    runs = [digit_league.run(x[:3], labels[:3], ["missing75"], ["supervised U-Net", "encoder alone"], seed=seed)
            for seed in (5, 5, 6)]
    quality = [[(row.method, row.digit, row.psnr, row.readable) for row in rows] for rows in runs]
    assert quality[0] == quality[1] != quality[2]


def test_the_league_takes_the_held_out_digits_by_itself():
    rows = digit_league.run(tasks=["half"], methods=["as it came"])
    assert len(rows) == 500 and 5 < np.mean([row.psnr for row in rows]) < 15


def test_the_first_call_is_not_timed(x, labels, monkeypatch):
    """Libraries and weights that load on first use are not the method's time."""
    import time

    calls = []

    def slow_start(y, operators, sigma):
        if not calls:
            time.sleep(0.5)
        calls.append(len(y))
        return y

    monkeypatch.setitem(digit_league.METHODS, "slow start", slow_start)
    rows = digit_league.run(x, labels, ["hole"], ["slow start"])
    assert calls == [2, 6] and 6 * rows[0].seconds < 0.4


@pytest.mark.parametrize(("arguments", "message"), [
    ({"tasks": ["holes"]}, "did you mean 'hole'"), ({"methods": ["biharmonics"]}, "did you mean 'biharmonic'"),
    ({"tasks": ["noise50"], "methods": ["biharmonic"]}, "method: none of biharmonic can do noise50"),
    ({"tasks": ["half"], "methods": ["as it came"], "seed": -1}, "seed"),
])
def test_the_league_refuses_plainly(x, labels, arguments, message):
    with pytest.raises(ValueError, match=message):
        digit_league.run(x, labels, **arguments)


def test_the_summary_is_sorted_and_has_intervals():
    rows = [Row("half", "a", i, 10.0 + i, 0.0, 0.5) for i in range(4)]
    rows += [Row("half", "b", i, 20.0 + i, 1.0, 0.25) for i in range(4)]
    rows += [Row("hole", "a", i, np.inf, i % 2, 0.125) for i in range(4)]
    first, second, third = digit_league.summarise(rows)
    order = [(line["task"], line["method"]) for line in (first, second, third)]
    assert order == [("hole", "a"), ("half", "b"), ("half", "a")]
    assert second["psnr"].low < second["psnr"].mean == 21.5 < second["psnr"].high
    assert first["psnr"].mean == 100, "a perfect answer counts 100 dB"
    assert first["readable"].mean == 0.5 and second["readable"].mean == 1 and third["readable"].mean == 0
    assert [line["seconds"] for line in (first, second, third)] == [0.125, 0.25, 0.5]
    assert {line["digits"] for line in (first, second, third)} == {4}


def test_saved_rows_say_which_weights_played(tmp_path):
    path = tmp_path / "league.json"
    row = Row("half", "a", 0, 12.5, 1.0, 0.5)
    digit_league.save([row], path, seed=3)
    document = json.loads(path.read_text())
    assert document["rows"] == [row._asdict()] and list(document["rows"][0]) == list(Row._fields)
    assert document["seed"] == 3
    assert document["weights"] == {name: pretrained.card(name)["sha256"] for name in pretrained.names()}
    with pytest.raises(ValueError, match="cannot be written"):
        digit_league.save([], tmp_path / "no" / "folder.json")


# ----------------------------------------------------------------------------------------- the reader's digits

X, LABELS = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8), np.array([0, 9, 4])


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int32])
def test_digits_are_read_from_a_file(tmp_path, dtype):
    np.savez(tmp_path / "mine.npz", x=X, y=LABELS.astype(dtype), notes=np.array("more does not matter"))
    x, y = digit_league.read_digits(tmp_path / "mine.npz")
    assert x.shape == (3, 28, 28, 1) and x.dtype == np.float32 and y.dtype == np.int64
    np.testing.assert_allclose(x[..., 0], X / 255, atol=1e-7)
    assert np.array_equal(y, LABELS) and x.max() <= 1


ARRAYS = {
    "no x": ({"y": LABELS}, "holds no array 'x'"), "no y": ({"x": X}, "holds no array 'y'"),
    "nothing": ({}, "holds no array 'x'"),
    "floats": ({"x": X / 255, "y": LABELS}, "x must be uint8 .* float64"),
    "a batch": ({"x": X[..., None], "y": LABELS}, r"x must be uint8 .* \(3, 28, 28, 1\)"),
    "one digit": ({"x": X[0], "y": LABELS[:1]}, "x must be uint8"),
    "another size": ({"x": X[:, 1:], "y": LABELS}, r"\(3, 27, 28\)"),
    "no digits": ({"x": X[:0], "y": LABELS[:0]}, r"\(0, 28, 28\)"),
    "too few labels": ({"x": X, "y": LABELS[:2]}, "y must hold 3 whole numbers"),
    "one label": ({"x": X, "y": np.array(3)}, "y must hold 3"),
    "labels in a column": ({"x": X, "y": LABELS[:, None]}, "y must hold 3"),
    "a label of ten": ({"x": X, "y": LABELS + 1}, "y must hold 3 whole numbers from 0 to 9"),
    "a negative label": ({"x": X, "y": LABELS - 1}, "from 0 to 9"),
    "fractions": ({"x": X, "y": LABELS / 2}, "y must hold 3 whole numbers"),
    "texts": ({"x": X, "y": np.array(["0", "9", "4"])}, "y must hold 3 whole numbers"),
    "flags": ({"x": X, "y": LABELS > 3}, "y must hold 3 whole numbers"),
    "objects": ({"x": np.array([{}, {}, {}]), "y": LABELS}, "cannot be read as an .npz file"),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_a_file_of_other_arrays_is_refused(tmp_path, kind):
    arrays, message = ARRAYS[kind]
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(ValueError, match=r"^digits.*" + message) as caught:
        digit_league.read_digits(tmp_path / "mine.npz")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def cut(path):
    np.savez(path, x=X, y=LABELS)
    path.write_bytes(path.read_bytes()[:-50])


def flipped(path):
    np.savez(path, x=X, y=LABELS)
    content = bytearray(path.read_bytes())
    content[1000] ^= 255
    path.write_bytes(bytes(content))


def one_array(path):
    with open(path, "wb") as file:
        np.save(file, X)


def another_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", "no array")
        archive.writestr("y.npy", "no array")


@pytest.mark.parametrize("write", [cut, flipped, one_array, another_archive,
                                   lambda path: path.write_text("some text"), lambda path: path.write_bytes(b""),
                                   lambda path: path.mkdir()])
def test_a_file_that_is_no_archive_is_refused(tmp_path, write):
    write(tmp_path / "mine.npz")
    with pytest.raises(ValueError, match=r"^digits .*mine\.npz.* cannot be read as an \.npz file") as caught:
        digit_league.read_digits(tmp_path / "mine.npz")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"^digits .*mine\.npz.* no such file"):
        digit_league.read_digits(tmp_path / "mine.npz")
