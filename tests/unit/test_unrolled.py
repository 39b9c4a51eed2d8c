"""Plug-and-play by a schedule of one's own, the same as a network, and the schedule that was learned."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from benchmarks import unrolled as benchmark
from helpers import pretrained, restoration
from helpers.images import photo
from helpers.metrics import psnr
from helpers.models.denoiser import Denoiser, build
from helpers.models.unrolled import Splitting
from helpers.operators import Blur, Mask, Radon, measure
from helpers.restoration.tv import first_guess

A, SIGMA = Blur.gaussian(1.2), 0.02
X = photo("cat", size=64)[:48]
Y = measure(X, A, SIGMA, np.random.default_rng(0))


@pytest.fixture
def denoiser():
    keras.utils.set_random_seed(0)
    made = Denoiser({"denoiser": build(channels=(8, 8, 8))})
    for variable in made.network.variables:  # a fresh one knows residual blocks of zero only, and strong ends
        variable.assign(0.5 * variable + 0.02 * keras.random.normal(variable.shape, seed=1))
    return made


def as_network(denoiser, schedule):
    network = Splitting(A, SIGMA, denoiser.network, schedule, X.shape)
    guess = first_guess(Y, A, SIGMA)
    return network, [tf.constant(one[None, ..., None], tf.float32) for one in (Y, guess)]


@pytest.mark.parametrize("settings", [{}, {"iterations": 5}, {"iterations": 1}, {"iterations": 4, "trust": 0.7},
                                      {"iterations": 4, "least_noise": 0.05}])
@pytest.mark.parametrize("operator", [A, Mask.random(X.shape, 0.4, np.random.default_rng(1))])
def test_an_even_schedule_is_what_the_three_numbers_mean(operator, settings):
    y = measure(X, operator, SIGMA, np.random.default_rng(0))
    wanted = restoration.plug_and_play(y, operator, SIGMA, **settings)
    schedule = restoration.even_schedule(SIGMA, **settings)
    assert len(schedule) == settings.get("iterations", 20)
    np.testing.assert_array_equal(restoration.plug_and_play(y, operator, SIGMA, schedule=schedule), wanted)


def test_an_even_schedule_by_hand():
    np.testing.assert_allclose(restoration.even_schedule(0.0, 3), [(25 / 255, 0.23), (np.sqrt(25 * 2.5) / 255, 0.23),
                                                                   (2.5 / 255, 0.23)])
    np.testing.assert_allclose(restoration.even_schedule(0.02, 3, trust=0.4)[-1], (0.02, 0.4))
    np.testing.assert_allclose(restoration.even_schedule(0.2, 2), [(0.2, 0.23)] * 2)  # more noise than it begins with


def test_each_number_of_a_schedule_counts(denoiser):
    schedule = np.array(restoration.even_schedule(SIGMA, 3))
    first = restoration.plug_and_play(Y, A, SIGMA, denoiser=denoiser, schedule=schedule)
    for place in np.ndindex(schedule.shape):
        other = schedule.copy()
        other[place] *= 2
        assert np.abs(restoration.plug_and_play(Y, A, SIGMA, denoiser=denoiser, schedule=other) - first).max() > 1e-4


def test_a_kernel_off_its_centre(denoiser):
    kernel = np.zeros((5, 5))
    kernel[0, 3:], kernel[3, 1] = 0.3, 0.4
    operator, schedule = Blur(kernel), [(0.09, 0.5), (0.02, 0.1)]
    y = measure(X, operator, SIGMA, np.random.default_rng(0))
    network = Splitting(operator, SIGMA, denoiser.network, schedule, X.shape)
    found = network([tf.constant(one[None, ..., None], tf.float32) for one in (y, first_guess(y, operator, SIGMA))])
    wanted = restoration.plug_and_play(y, operator, SIGMA, denoiser=denoiser, schedule=schedule)
    np.testing.assert_allclose(found.numpy()[0, ..., 0], wanted, atol=1e-4)


def test_training_sees_training_photographs_and_the_test_is_judged_on_others(monkeypatch):
    asked = []

    def photos(split, **_):
        asked.append(split)
        return {"one": photo("cat", size=64), "other": photo("coins", size=64)}

    monkeypatch.setattr(benchmark, "photos", photos)
    network = Splitting(A, SIGMA, build(channels=(8, 8, 8)), [(0.1, 0.2)], (32, 32))
    benchmark.learn(network, benchmark.Task(A, SIGMA, 32, 2, [], {}), lambda y, guess: (y, guess), steps=1, rate=0.1)
    assert asked == ["train"]
    noise = []
    cases = {"as trained": (A, SIGMA), "loud": (A, 3 * SIGMA)}

    def restore(y, operator, sigma):
        x = photo("cat" if len(noise) % 2 == 0 else "coins", size=64)
        noise.append((y - operator.forward(x)) / sigma)
        return x

    scores, seconds = benchmark.play(cases, {"exact": restore})
    assert asked == ["train", "test", "test"] and scores["loud"]["exact"][0] > 60 and seconds["exact"] < 1
    assert all(0.9 < one.std() < 1.1 for one in noise) and abs(noise[0] - noise[1]).max() > 1  # each has its own draw


def test_each_picture_has_its_own_logarithm():
    x = tf.zeros([2, 4, 4, 1])
    x_hat = tf.constant([0.1, 0.01], tf.float32)[:, None, None, None] + x
    assert float(benchmark.distance(x_hat, x)) == pytest.approx((np.log(1e-2) + np.log(1e-4)) / 2, rel=1e-4)


def test_the_rival_is_trained_and_told_its_own_level(monkeypatch, denoiser):
    monkeypatch.setattr(benchmark, "photos", lambda *_, **__: {"cat": photo("cat", size=64)})
    monkeypatch.setattr(benchmark.pretrained, "load", lambda name: denoiser)
    before, levels = [variable.numpy() for variable in denoiser.network.trainable_variables], []
    restore = benchmark.trained_rival(benchmark.Task(A, SIGMA, 32, 2, [], {}), 2)
    after = [variable.numpy() for variable in denoiser.network.trainable_variables]
    assert any((one != two).any() for one, two in zip(before, after, strict=True))

    def run(y):
        levels.append(float(y[..., 1].mean()))
        return tf.constant(y[..., :1])

    monkeypatch.setattr(denoiser, "_run", run)
    restore(Y, A, 5 * SIGMA)
    assert levels == pytest.approx([SIGMA])


@pytest.mark.parametrize("schedule", [restoration.even_schedule(SIGMA, 3), [(0.09, 0.5), (0.02, 0.1), (0.03, 2.0)]])
def test_the_network_with_a_schedule_that_nobody_learned_is_the_classical_iteration(denoiser, schedule):
    network, inputs = as_network(denoiser, schedule)
    wanted = restoration.plug_and_play(Y, A, SIGMA, denoiser=denoiser, schedule=schedule)
    np.testing.assert_allclose(network(inputs).numpy()[0, ..., 0], wanted, atol=1e-4)
    np.testing.assert_allclose(network.schedule, schedule, rtol=1e-5)


def test_the_slope_of_each_number_is_that_of_differences(denoiser):
    network, inputs = as_network(denoiser, restoration.even_schedule(SIGMA, 2))
    assert [one.name for one in network.trainable_variables] == ["schedule"], "the denoiser stays as it is"
    x = tf.constant(X[None, ..., None])
    with tf.GradientTape() as tape:
        loss = benchmark.distance(network(inputs), x)
    slope, at = tape.gradient(loss, network.logarithms.value).numpy(), network.logarithms.numpy()
    for place in np.ndindex(at.shape):
        move, values = np.zeros_like(at), []
        move[place] = 0.02
        for sign in (1, -1):
            network.logarithms.assign(at + sign * move)
            values.append(float(benchmark.distance(network(inputs), x)))
        assert (values[0] - values[1]) / 0.04 == pytest.approx(slope[place], rel=0.1, abs=2e-3)


def test_training_moves_the_schedule_alone_and_lowers_the_loss(denoiser, monkeypatch):
    monkeypatch.setattr(benchmark, "photos", lambda *_, **__: {"cat": photo("cat", size=64)})
    network = Splitting(A, SIGMA, denoiser.network, [(0.5, 5.0)], (32, 32))
    task = benchmark.Task(A, SIGMA, 32, 2, [], {})
    before = [variable.numpy() for variable in denoiser.network.variables]
    fresh = benchmark.patches([photo("cat", size=64)], task, 8, np.random.default_rng(5))
    x, y, guess = (tf.constant(one) for one in fresh)
    first = float(benchmark.distance(network((y, guess)), x))
    benchmark.learn(network, task, lambda y, guess: (y, guess), steps=12, rate=0.2)
    assert float(benchmark.distance(network((y, guess)), x)) < first - 0.1
    for variable, value in zip(denoiser.network.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.parametrize(("schedule", "error", "message"), [
    ([], ValueError, "schedule is empty|schedule must have 2 axes"), ([(0.1, 0.2, 0.3)], ValueError, r"\(1, 3\)"),
    ([(0.1, 0.0)], ValueError, "smallest number 0"), ([(-0.1, 1.0)], ValueError, "smallest number -0.1"),
    ([0.1, 0.2], ValueError, "schedule must have 2 axes"), ([(np.nan, 1.0)], ValueError, "schedule must be finite"),
    ("fast", TypeError, "schedule must hold real numbers"),
])
def test_a_wrong_schedule_is_named(schedule, error, message):
    with pytest.raises(error, match=message):
        restoration.plug_and_play(Y, A, SIGMA, schedule=schedule)


@pytest.mark.parametrize("operator", [Blur.gaussian(1.2, border="reflect"), Radon.sparse_view(16, 8)])
def test_where_no_division_serves_conjugate_gradients_do(denoiser, operator):
    network = Splitting(operator, SIGMA, denoiser.network, [(0.05, 1.0)], (16, 16), inner=40)
    back, z = np.random.default_rng(0).random((2, 1, 16, 16, 1), np.float32)
    matrix = np.stack([operator.forward(one.reshape(16, 16)).ravel() for one in np.eye(256)], axis=1)
    wanted = np.linalg.solve(matrix.T @ matrix + 0.5 * np.eye(256), (back + 0.5 * z).ravel())
    np.testing.assert_allclose(network._obey(back, tf.constant(z), 0.5).numpy().ravel(), wanted, atol=2e-4)


@pytest.mark.parametrize("name", benchmark.TASKS)
def test_what_is_kept_is_what_the_kept_schedule_gives(name):
    """On the first photograph, with the denoiser that is shipped."""
    found = json.loads(benchmark.RESULTS.read_text(encoding="utf-8"))
    assert found["denoiser"] == pretrained.card("denoiser")["sha256"], "run benchmarks/unrolled.py anew"
    task, kept = benchmark.TASKS[name], found[name]
    assert np.shape(kept["schedule"]) == (benchmark.STEPS, 2) and list(kept["psnr"]) == list(task.cases)
    x, (operator, sigma) = next(iter(benchmark.photos("test").values())), task.cases["as trained"]
    y = measure(x, operator, sigma, np.random.default_rng(0))
    found = restoration.plug_and_play(y, operator, sigma, denoiser=pretrained.shared("denoiser"),
                                      schedule=kept["schedule"])
    assert psnr(x, found) == pytest.approx(kept["psnr"]["as trained"]["six learned steps"][0], abs=0.02)
