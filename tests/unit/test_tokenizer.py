"""The tokenizer before any training: levels and numbers, the slope that passes rounding, what a place sees."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.images import robots
from helpers.models import tokenizer
from helpers.recipes import RECIPES
from tests.unit.worlds import step_down

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did
LEVELS = (8, 5, 5, 5)


@pytest.fixture(scope="module")
def blank():
    """An untrained tokenizer whose every weight acts."""
    keras.utils.set_random_seed(0)
    made, rng = tokenizer.Tokenizer.blank(RECIPES["tokenizer-robots"]), np.random.default_rng(0)
    for network in made.networks.values():
        for variable in network.trainable_variables:
            variable.assign_add((0.03 * rng.standard_normal(variable.shape)).astype(np.float32))
    return made


@pytest.mark.parametrize("levels", [LEVELS, (3,), (4, 6), (8, 8, 8, 5)])
def test_codes_and_numbers_are_one_to_one(levels):
    book = int(np.prod(levels))
    codes = tokenizer.from_index(tf.range(book), levels)
    assert np.array_equal(tokenizer.to_index(codes, levels), np.arange(book))
    expected = set(itertools.product(*[range(-(n // 2), n - n // 2) for n in levels]))
    assert {tuple(code) for code in codes.numpy().astype(int).tolist()} == expected and len(expected) == book


@pytest.mark.parametrize("count", [3, 4, 5, 8])
def test_every_level_is_reached_and_no_other(count):
    """And the whole numbers lie in the middle of what is rounded to them: rounding is never at the edge."""
    z = np.linspace(-20, 20, 4001, dtype=np.float32)[:, None]
    squashed = tokenizer.bound(z, (count,)).numpy()[:, 0]
    assert np.diff(squashed).min() > -1e-5
    assert np.unique(np.round(squashed)).tolist() == list(range(-(count // 2), count - count // 2))
    assert np.abs(squashed - np.round(squashed)).max() <= 0.5 and abs(squashed[2000]) < 1e-6


def test_the_slope_that_passes_rounding_is_that_of_the_decoder_at_the_rounded_numbers(blank):
    """Against finite differences of the decoder's loss in random directions; plain rounding lets nothing pass."""
    x = robots.render(robots.draw_robots(2, 0))
    z = blank.bounded(x)

    def loss(codes):
        return tf.reduce_sum(tf.square(blank.decode_tensor(codes) - x))

    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        passed, stopped = loss(tokenizer.straight_through(z)), loss(tf.round(z))
    slope, rounded = tape.gradient(passed, z).numpy(), tf.round(z).numpy()
    assert float(passed) == pytest.approx(float(stopped)), "the loss is that of the rounded numbers"
    assert not np.any(tape.gradient(stopped, z)), "without the trick nothing would be learnt"
    rng, h = np.random.default_rng(1), np.float32(2e-2)
    for _ in range(5):
        to = rng.standard_normal(z.shape).astype(np.float32)
        to /= np.linalg.norm(to)
        differences = float(loss(rounded + h * to) - loss(rounded - h * to)) / (2 * h)
        assert differences == pytest.approx(float((slope * to).sum()), rel=0.03,
                                            abs=float(0.02 * np.linalg.norm(slope)))


def test_a_place_sees_twelve_pixels_and_no_more(blank):
    x = tf.constant(robots.render(robots.draw_robots(1, 3)))
    for row, column in ((3, 4), (5, 2)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            number = tf.reduce_sum(blank.networks["encoder"](x)[0, row, column])
        rows, columns = np.nonzero(np.abs(tape.gradient(number, x)[0]).max(axis=-1))
        assert (rows.min(), rows.max()) == (4 * row - 4, 4 * row + 7)
        assert (columns.min(), columns.max()) == (4 * column - 4, 4 * column + 7)


def test_pictures_become_numbers_and_numbers_pictures(blank):
    x = robots.render(robots.draw_robots(3, 1))
    codes = blank.encode(x)
    assert codes.shape == (3, 8, 8) and codes.min() >= 0 and codes.max() < blank.book == 1000
    assert len(np.unique(codes)) > 20
    assert np.array_equal(blank.encode(x[1]), codes[1])
    back = blank.decode(codes)
    assert back.shape == x.shape and back.dtype == np.float32 and back.min() >= 0 and back.max() <= 1
    np.testing.assert_allclose(blank.decode(codes[2]), back[2], atol=1e-5)
    through = blank.decode_tensor(tokenizer.straight_through(blank.bounded(x)))
    np.testing.assert_allclose(np.clip(through, 0, 1), back, atol=1e-5)


def test_what_is_kept_is_counted(blank, monkeypatch):
    said = robots.draw_robots(20, 2)
    monkeypatch.setattr(blank, "encode", lambda x: x)
    monkeypatch.setattr(blank, "decode", lambda x: np.where(np.arange(20)[:, None, None, None] < 5, x[:1], x))
    found = tokenizer.kept(blank, said)
    same = (said[:5] == said[:1]).mean(axis=0)
    assert found["all six"] == pytest.approx((15 + (said[:5] == said[:1]).all(axis=1).sum()) / 20)
    assert found["mouth"] == pytest.approx(0.75 + 0.25 * same[5]) and found["error"] > 0.01


def test_a_batch_is_new_in_each_step_shows_no_held_out_pair_and_is_learned_by_heart():
    keras.utils.set_random_seed(0)
    made = tokenizer.Training(RECIPES["tokenizer-robots"])
    x, again, other = (made.draw(tf.constant([0, step]), 8).numpy() for step in (4, 4, 5))
    assert np.array_equal(x, again) and not np.array_equal(x, other)
    said, far = robots.read(x)
    assert robots.allowed(said).all() and far.max() < 1e-5 and len(np.unique(said, axis=0)) == 8
    error = np.abs(made.ready.decode_tensor(made.ready.codes_tensor(x)).numpy() - x)
    fine = np.max([robots.parts(32)[kind][..., 3] for kind in ("accessory", "eyes", "mouth")], axis=(0, 1, 2))
    weight = (1 + 3 * fine[..., None]) / np.mean(1 + 3 * fine)
    assert float(made.loss(x)) == pytest.approx(np.mean(weight * (error + 4 * error**2)), rel=1e-4)
    variables = [v for network in made.networks.values() for v in network.trainable_variables]
    step = step_down(lambda: made.loss(x), variables, keras.optimizers.Adam(3e-3))
    losses = [float(step()[0]) for _ in range(40)]
    assert np.mean(losses[-3:]) < 0.4 * losses[0]


def test_the_card_tells_robots_seen_from_those_held_out_and_counts_codes(monkeypatch):
    made = tokenizer.Training(RECIPES["tokenizer-robots"])
    monkeypatch.setattr(tokenizer, "kept", lambda ready, said: float(robots.allowed(said).mean()))
    made.ready.encode = lambda x: np.tile(np.arange(4), (len(x), 16)).reshape(-1, 8, 8)
    found = made.evaluate()
    assert (found["kept, pairs seen"], found["kept, pairs held out"], made.watch()) == (1, 0, 0)
    assert found["codes"] == {"in the book": 1000, "in use": 4, "bits a place": pytest.approx(2)}


@pytest.mark.parametrize(("call", "message"), [
    (lambda made: made.encode(np.zeros((28, 28, 3))), "x must have shape"),
    (lambda made: made.encode(np.full((32, 32, 3), 200.0)), "x "),
    (lambda made: made.decode(np.zeros((8, 8))), "whole numbers"),
    (lambda made: made.decode(np.zeros((7, 8), int)), "codes must have shape"),
    (lambda made: made.decode(np.full((8, 8), 1000)), "codes must lie in 0 … 999"),
    (lambda made: made.decode(np.full((2, 8, 8), -1)), "codes must lie in 0 … 999"),
])
def test_what_is_no_picture_and_no_code_is_refused(call, message, blank):
    with pytest.raises((ValueError, TypeError), match=message):
        call(blank)
