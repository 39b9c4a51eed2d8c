"""Samples are drawn and judged fairly: all classes alike, the score with its interval; cards can be measured again."""

import json
import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import metrics, pretrained
from helpers.__main__ import app
from helpers.images import digits
from helpers.league import digit_tasks
from helpers.models import gan
from helpers.models.vae import draw_labels
from helpers.recipes import RECIPES
from tests.unit import toy

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


# -------------------------------------------------------------------------------------------------- the labels


@pytest.mark.parametrize("n", [1, 7, 10, 23, 2000])
def test_all_classes_come_equally_often(n):
    shares = np.bincount(draw_labels(n, np.random.default_rng(0)), minlength=10)
    assert len(shares) == 10 and shares.sum() == n and np.ptp(shares) <= 1


def test_the_seed_decides_their_order_and_which_come_once_more():
    one, again, other = (draw_labels(23, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    singles = [draw_labels(1, np.random.default_rng(seed))[0] for seed in range(200)]
    assert set(singles) == set(range(10))
    more = {tuple(np.flatnonzero(np.bincount(draw_labels(13, np.random.default_rng(seed))) > 1)) for seed in range(50)}
    assert len(more) > 20
    assert not np.array_equal(draw_labels(20, np.random.default_rng(0))[:10],
                              draw_labels(20, np.random.default_rng(0))[10:]), "no class is tied to its place"


@pytest.mark.parametrize("name", ["gan", "vae"])
def test_samples_hold_all_classes_and_keep_their_codes(name):
    model, judge = pretrained.load(name), pretrained.load("classifier")
    x = model.sample(300, seed=5)
    assert np.abs(judge.coverage(x) - 0.1).max() < 0.02, "30 of each, give or take a digit that is misread"
    labels = draw_labels(300, _after_codes(5, 300, model.latent))
    np.testing.assert_allclose(x, model.sample(300, seed=5, label=labels), atol=1e-6)


def _after_codes(seed, n, latent):
    """Return the generator of a seed as it stands after the codes are drawn."""
    rng = np.random.default_rng(seed)
    rng.standard_normal((n, latent))
    return rng


# ------------------------------------------------------------------------------------------------ the interval


class Judge:
    """Features: the means of squares of seven pixels, with a bend."""

    def features(self, x):
        return np.tanh(3 * x.reshape(len(x), 4, 7, 4, 7).mean((2, 4)).reshape(len(x), 16))

    def coverage(self, x):
        return np.full(10, 0.1)


def test_the_interval_holds_the_multiple_and_knows_its_seed():
    x = np.clip(1.1 * digits().x_train[:400], 0, 1)
    one, again, other = (digit_tasks.multiple_interval(x, Judge(), seed=seed) for seed in (0, 0, 1))
    assert one == again and one != other
    assert one.mean == digit_tasks.sample_quality(x, Judge()).multiple == other.mean
    assert one.low < one.mean < one.high
    narrow = digit_tasks.multiple_interval(x, Judge(), level=0.5)
    assert one.low < narrow.low < narrow.high < one.high


def test_real_digits_as_samples_are_one_floor_without_doubt():
    """Numerator and denominator are resampled together: what both have in common leaves no doubt."""
    interval = digit_tasks.multiple_interval(digits().x_train, Judge(), resamples=50)
    assert interval == pytest.approx((1, 1, 1))


def test_the_interval_covers_as_often_as_it_says(monkeypatch):
    """Other held-out digits, many times: the interval of each draw, and the mean of all multiples."""
    rng = np.random.default_rng(0)

    class Direct:
        def features(self, x):
            return x.reshape(len(x), -1)[:, :20]

    def drawn(n, spread):
        return spread * rng.standard_normal((n, 20))

    def in_digits(features):
        x = np.zeros((len(features), 28, 28, 1))
        x.reshape(len(x), -1)[:, :20] = features
        return x

    samples, train, found = in_digits(drawn(3000, 1.2)), in_digits(drawn(3000, 1.0)), []
    for _ in range(40):
        test = in_digits(drawn(100, 1.0))
        monkeypatch.setattr(digit_tasks, "digits", lambda test=test: (train, None, test, np.arange(100) % 10))
        found.append(digit_tasks.multiple_interval(samples, Direct(), resamples=40))
    excess = [metrics.frechet_distance(Direct().features(samples), drawn(100, 1.0)) for _ in range(200)]
    floors = [metrics.frechet_distance(Direct().features(train), drawn(100, 1.0)) for _ in range(200)]
    truth = np.mean(excess) / np.mean(floors)
    covered = np.mean([interval.low <= truth <= interval.high for interval in found])
    assert covered >= 0.8, "a raw bootstrap sits too low"


# --------------------------------------------------------------------------------------------------- the penalty


@pytest.mark.parametrize("share", [1, 2, 3, 5])
def test_the_penalty_of_a_small_share_is_a_number(share):
    keras.utils.set_random_seed(0)
    recipe = RECIPES["gan"]._replace(options=RECIPES["gan"].options | {
        "generator": {"latent": 6, "width": 8}, "discriminator": {"width": 8}})
    made = gan.Training(recipe, None)
    loss = made.discriminator_loss(made.draw(tf.constant([0, 0]), share))
    assert np.isfinite(float(loss))


# ------------------------------------------------------------------------------------------ measured once more


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A toy with weights, whose card claims a wrong number."""
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path / "cache"))
    toy.install(monkeypatch)
    assert command("train", "toy", "-o", tmp_path / "out").exit_code == 0
    path = tmp_path / "out/toy.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"metrics": {"bias": {"value": 7.0}}}))
    return tmp_path / "out", about


def test_evaluate_measures_the_weights_and_rewrites_the_card_alone(trained):
    folder, about = trained
    weights = folder / about["weights"]
    before = weights.read_bytes(), weights.stat().st_mtime_ns
    result = command("train", "toy", "--evaluate", "-o", folder)
    assert result.exit_code == 0, result.output
    assert f"measured toy in {folder}" in result.stdout and "bias" in result.stdout
    assert pretrained.card("toy", folder) == about, "the true number again, and all else as it was"
    assert (weights.read_bytes(), weights.stat().st_mtime_ns) == before
    assert sorted(os.listdir(folder)) == sorted([weights.name, "toy.json"])


@pytest.mark.parametrize(("arguments", "message"), [
    (["--epochs", 1], "evaluate: nothing is trained"), (["--minutes", 1], "evaluate: nothing is trained"),
    (["--strategy", 1], "evaluate: nothing is trained"), (["--photos", "."], "evaluate: nothing is trained"),
])
def test_evaluate_goes_with_no_training(trained, arguments, message):
    folder, _ = trained
    card = (folder / "toy.json").read_text()
    result = command("train", "toy", "--evaluate", "-o", folder, *arguments)
    assert result.exit_code == 2 and message in result.stderr and result.stderr.count("\n") == 1
    assert (folder / "toy.json").read_text() == card


def test_evaluate_needs_weights(monkeypatch, tmp_path):
    toy.install(monkeypatch)
    result = command("train", "toy", "--evaluate", "-o", tmp_path / "nowhere")
    assert result.exit_code == 2 and "toy.json is missing" in result.stderr
    assert not (tmp_path / "nowhere").exists()


def test_evaluate_refuses_altered_weights(trained):
    folder, about = trained
    (folder / about["weights"]).write_bytes(b"other numbers")
    card = (folder / "toy.json").read_text()
    result = command("train", "toy", "--evaluate", "-o", folder)
    assert result.exit_code == 2 and "truncated or altered" in result.stderr
    assert (folder / "toy.json").read_text() == card
