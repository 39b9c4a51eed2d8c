"""Pictures are drawn, judged, sorted and stored under one and the same class; rows search as their names say.

A generator that paints the class into its pictures makes every exchange visible.
"""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import pretrained
from helpers.league import digit_league, digit_tasks
from helpers.models import gan, inversion, vae
from helpers.operators import Identity
from tests.unit.worlds import class_of, coded_digits, paint, painting_gan, put_digits, small, training

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


@pytest.fixture
def painted(monkeypatch):
    """Training digits painted by their class too; held-out ones are white."""
    y = np.arange(40) % 10
    level = np.rint(255 * (y + 1) / 20).astype(np.uint8)
    x = np.broadcast_to(level[:, None, None], (40, 28, 28)).astype(np.uint8)
    put_digits(monkeypatch, (x, y), (np.full((10, 28, 28), 255, np.uint8), np.zeros(10, int)))


def test_both_players_of_the_gan_judge_pictures_under_the_class_they_were_drawn_for(painted):
    """Real ones under their own: whatever the discriminator is shown comes with its own class."""
    made = training("gan")
    judged = []

    def discriminate(pair, training):
        x, label = pair
        judged.append((np.asarray(x), np.asarray(label).argmax(1)))
        return tf.reduce_sum(x, [1, 2, 3])[:, None]

    made.networks = {"generator": lambda pair, training: paint(*pair), "discriminator": discriminate}
    for step in range(6):
        batch = made.draw(tf.constant([0, step]), 16)
        made.discriminator_loss(batch)
        made.generator_loss(batch)
    assert len(judged) >= 4 * 6
    for x, label in judged:
        assert np.array_equal(class_of(x), label)
    assert len({tuple(label) for _, label in judged}) > 12, "the classes are drawn anew"


def test_the_two_halves_of_a_step_of_the_gan_draw_their_own_pictures(painted):
    """Both players get fresh codes and classes: the generator is not judged by what the discriminator just learned."""
    made = training("gan")
    drawn = []
    made.networks = {"generator": lambda pair, training: drawn.append([np.asarray(t) for t in pair]) or paint(*pair),
                     "discriminator": lambda pair, training: tf.reduce_sum(pair[0], [1, 2, 3])[:, None]}
    batch = made.draw(tf.constant([0, 1]), 16)
    made.discriminator_loss(batch)
    made.generator_loss(batch)
    (first, one), (second, other) = drawn
    assert not np.array_equal(first, second) and not np.array_equal(one, other)


def test_the_card_of_the_gan_counts_digits_read_as_the_class_asked_for(painted, monkeypatch):
    monkeypatch.setattr(gan, "_samples", lambda *_, **__: {})
    reads = SimpleNamespace(read=class_of)
    made = training("gan", judge=reads)
    made.ready._generate = paint
    assert made.evaluate()["share read as the class asked for"]["value"] == 1
    reads.read = lambda x: np.where(np.arange(len(x)) % 4 == 0, class_of(x), 11)
    assert made.evaluate()["share read as the class asked for"]["value"] == 0.25


@pytest.mark.parametrize("name", ["gan", "vae"])
def test_samples_are_drawn_for_the_labels_that_are_asked(name):
    """One label for all, a list, and the labels that the command writes beside the pictures."""
    made = (gan.Gan if name == "gan" else vae.Vae).blank(small(name))
    setattr(made, "_generate" if name == "gan" else "_decode", paint)
    wanted = np.random.default_rng(0).integers(0, 10, 1203)
    assert np.array_equal(class_of(made.sample(1203, 4, wanted)), wanted)
    assert np.array_equal(class_of(made.sample(3, 4, 7)), [7, 7, 7])
    z = np.zeros((1203, made.latent))
    assert np.array_equal(class_of((made.generate if name == "gan" else made.decode)(z, wanted)), wanted)


@pytest.mark.parametrize("label", [None, 6])
@pytest.mark.parametrize("name", ["gan", "vae"])
def test_the_command_writes_the_classes_that_were_drawn(name, label, monkeypatch, tmp_path):
    from typer.testing import CliRunner

    from helpers.__main__ import app

    made = (gan.Gan if name == "gan" else vae.Vae).blank(small(name))
    setattr(made, "_generate" if name == "gan" else "_decode", paint)
    monkeypatch.setattr(pretrained, "load", lambda *_: made)
    monkeypatch.setattr(pretrained, "shared", lambda *_: made, raising=False)
    arguments = ["generate", name, "--n", "40", "-o", str(tmp_path / "out.npz")]
    result = CliRunner().invoke(app, arguments if label is None else [*arguments, "--label", str(label)])
    assert result.exit_code == 0, result.output
    with np.load(tmp_path / "out.npz") as archive:
        assert np.array_equal(class_of(archive["x"] / 255), archive["y"])
        assert set(archive["y"]) == set(range(10)) if label is None else {label}


def test_the_vae_encodes_and_decodes_under_one_class(painted):
    made = training("vae")
    asked = []

    def encode(pair, training):
        asked.append((class_of(pair[0]), np.asarray(pair[1]).argmax(1)))
        return tf.zeros([len(pair[0]), 4]), tf.zeros([len(pair[0]), 4])

    def decode(pair, training):
        asked.append((asked[-1][0], np.asarray(pair[1]).argmax(1)))
        return paint(*pair)

    made.networks = {"encoder": encode, "decoder": decode, "noise": lambda _: tf.zeros([1, 1])}
    for step in range(3):
        made.loss(made.draw(tf.constant([0, step]), 16))
    assert len(asked) == 6
    for shown, label in asked:
        assert np.array_equal(shown, label)


def test_the_inverter_trains_with_pictures_of_the_class_they_are_drawn_for(painted):
    made = training("inverter", gan=painting_gan())
    told = []

    def encode(pair, training):
        damaged, label = pair
        known = np.asarray(damaged[..., :1]) * (np.asarray(damaged[..., 2:]) == 0)  # noisy ones tell no class
        told.append((known, np.asarray(label).argmax(1)))
        zero = tf.zeros([len(damaged), made.latent])
        return tf.zeros([len(damaged), 10]), zero, zero

    made.networks = {"encoder": encode}
    compared, made.generator = [], lambda pair, training: compared.append(pair[1]) or paint(*pair)
    for step in range(4):
        batch = made.draw(tf.constant([0, step]), 16)
        _, label, x, _ = batch
        assert np.array_equal(class_of(x), np.asarray(label).argmax(1))
        compared.clear()
        made.loss(batch)
        assert np.array_equal(np.asarray(compared[-1]).argmax(1), class_of(x)[1::2])
        known, given = told[-1]
        readable = known.reshape(16, -1).max(1) > 0
        assert readable.any() and np.array_equal(class_of(known)[readable], given[readable])


# ----------------------------------------------------------------------------------------------- GAN inversion


@pytest.fixture
def inverter():
    keras.utils.set_random_seed(3)
    return inversion.Inverter.blank(small("inverter"), painting_gan())


@pytest.mark.parametrize("start", inversion.STARTS)
def test_answers_keep_picture_loss_and_class_together(inverter, start):
    """Sorted by loss, all three: here each start's loss and picture tell its class and its digit."""
    asked = []

    def search(z, classes, y, mask, spread, realism, steps):
        label = np.asarray(classes).argmax(1)
        digit = np.asarray(y)[:, 0, 0, 0]
        asked.append(len(label))
        loss = tf.constant((label * 7 % 10 + 100 * digit).astype(np.float32))
        return paint(tf.constant(z), tf.constant(classes)), loss

    inverter._search = search
    y = np.ones((60, 28, 28, 1), np.float32) * np.linspace(0, 1, 60, dtype=np.float32)[:, None, None, None]
    found = inverter.answers(y, Identity(), 0.1, seed=2, restarts=9, start=start)
    assert sum(asked) == 540 and len(asked) > 1, "in parts"
    assert np.array_equal(class_of(found.x.reshape(-1, 28, 28, 1)).reshape(60, 9), found.label)
    np.testing.assert_allclose(found.loss, found.label * 7 % 10 + 100 * y[:, 0, 0, 0][:, None], atol=1e-4)
    assert (np.diff(found.loss, axis=1) >= 0).all() and len(np.unique(found.label)) > 3


def test_the_search_trusts_the_data_by_the_sum_of_variances(inverter):
    """Independent errors add up squared: noise and what the generator cannot draw."""
    weights = []
    inverter._search = lambda z, classes, y, mask, spread, *_: (
        weights.append(float(spread)) or paint(tf.constant(z), tf.constant(classes)), tf.zeros([len(z)]))
    levels = (0.0, 0.05, inversion.GENERATOR_ERROR, 0.5)
    for sigma in levels:
        inverter.answers(np.zeros((28, 28)), Identity(), sigma, restarts=2)
    expected = [0.5 / (sigma * sigma + inversion.GENERATOR_ERROR * inversion.GENERATOR_ERROR) for sigma in levels]
    np.testing.assert_allclose(weights, expected, rtol=1e-6)


ROWS = {"encoder alone": ("encoder", False), "GAN inversion": ("encoder", True),
        "GAN inversion, random starts": ("random", True)}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_of_the_digit_league_searches_as_its_name_says(inverter, row, monkeypatch):
    start, searches = ROWS[row]
    monkeypatch.setattr(pretrained, "load", lambda *_: inverter)
    monkeypatch.setattr(pretrained, "shared", lambda *_: inverter, raising=False)
    began, steps_taken = [], []
    for kind in ("encoder", "prior"):
        real = getattr(inverter, f"_from_{kind}")
        monkeypatch.setattr(inverter, f"_from_{kind}",
                            lambda *a, kind=kind, real=real: began.append(kind) or real(*a))

    def search(z, classes, y, mask, spread, realism, steps):
        steps_taken.append(int(steps))
        return paint(tf.constant(z), tf.constant(classes)), tf.zeros([len(z)])

    inverter._search = search
    y, operators, sigma = digit_tasks.damage(np.zeros((3, 28, 28, 1), np.float32), "hole")
    digit_league.METHODS[row](y, operators, sigma)
    assert began == ["prior" if start == "random" else "encoder"]
    assert steps_taken and all((steps > 0) == searches for steps in steps_taken)


def test_the_card_s_encoder_alone_does_not_search(monkeypatch):
    x, y = coded_digits(50, 200)
    put_digits(monkeypatch, coded_digits(60, 20), (x, y))
    truth = x[..., None] / np.float32(255)
    made = training("inverter", judge=SimpleNamespace(read=lambda x: np.zeros(len(x), int)))
    settings = []
    made.ready = SimpleNamespace(restore=lambda y, *_, **given: settings.append(given) or truth[: len(y)])
    report = made.evaluate()
    assert all(set(report[task]) == {"value", "encoder alone"} for task in digit_tasks.TASKS)
    assert settings.count({}) == settings.count({"steps": 0}) == len(digit_tasks.TASKS)
    settings.clear()
    made.watch()
    assert settings == [{"steps": 0}] * len(digit_tasks.TASKS)
