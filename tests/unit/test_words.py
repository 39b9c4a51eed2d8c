"""Words to pictures before any training: captions, one block, the line of words and codes, drawing, the chooser."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from helpers.images import robots
from helpers.models import captions, chooser, tokenizer, transformer, words
from helpers.models.captions import LENGTH, WORDS
from helpers.recipes import RECIPES
from tests.unit.worlds import step_down

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did
TINY = {"words-robots": {"network": {"width": 32, "depth": 2, "heads": 4}},
        "chooser-robots": {"picture": {"widths": (8, 8, 8)}, "caption": {"width": 16}}}
FULL = "a red robot with a barrel body, an egg head, an antenna, angry eyes and a barred mouth"


def small(name, **options):
    recipe = RECIPES[name]
    return recipe._replace(options=recipe.options | TINY[name] | options)


def stir(networks, scale=0.1):
    rng = np.random.default_rng(0)
    for network in networks.values():
        for variable in network.trainable_variables:
            variable.assign_add((scale * rng.standard_normal(variable.shape)).astype(np.float32))


@pytest.fixture(scope="module")
def needed():
    keras.utils.set_random_seed(0)
    return {"tokenizer-robots": tokenizer.Tokenizer.blank(RECIPES["tokenizer-robots"]),
            "chooser-robots": chooser.Chooser.blank(small("chooser-robots"))}


@pytest.fixture(scope="module")
def made(needed):
    keras.utils.set_random_seed(1)
    found = words.Words.blank(small("words-robots"), **needed)
    stir(found.networks)
    return found


# ------------------------------------------------------------------------------------------------------ captions


def said_again(line):
    return " ".join(WORDS[number] for number in line)


def test_every_caption_says_what_it_was_told_in_many_orders():
    said = robots.draw_robots(300, 0, "all")
    told = captions.leave_open(said, 0.3, tf.constant([0, 1])).numpy()
    lines = captions.word(told, tf.constant([0, 2])).numpy()
    assert lines.shape == (300, LENGTH) and lines.dtype == np.int32
    for line, meant in zip(lines, told, strict=True):
        count = np.count_nonzero(line)
        assert (line[:count] > 0).all(), "noughts come last"
        if count:
            assert np.array_equal(robots.parse(said_again(line)), meant)
        else:
            assert (meant == robots.UNSAID).all()
    assert (told == robots.UNSAID).mean() == pytest.approx(0.3, abs=0.05)
    assert {0, 6} <= set((told == robots.UNSAID).sum(axis=1)), "some captions are complete, some empty"
    places = [int(np.flatnonzero((line >= 2) & (line < 12))[0]) for line, meant in zip(lines, told, strict=True)
              if meant[0] >= 0]
    assert len(set(places)) > 5, "the colour stands anywhere"
    one = captions.word(np.repeat(told[:1] * 0, 200, axis=0), tf.constant([0, 3])).numpy()
    assert len(np.unique(one, axis=0)) > 150 and len(set(np.count_nonzero(one, axis=1))) > 3
    said, place = np.nonzero(one == captions.ROBOT)
    assert len(said) / 200 == pytest.approx(captions.SPOKEN, abs=0.09)
    assert np.mean(place / (np.count_nonzero(one[said], axis=1) - 1)) == pytest.approx(0.5, abs=0.1), "anywhere"


def test_a_caption_is_read_as_its_words():
    line = captions.tokens(FULL)
    assert said_again(line).split() == ("red robot barrel body egg head antenna angry eyes barred mouth").split()
    assert np.array_equal(captions.tokens([FULL, "Gray!"])[0], line)
    assert np.array_equal(captions.tokens("gray"), captions.tokens("the grey"))
    assert not captions.tokens("a the with").any()
    for phrase in robots.caption(robots.draw_robots(50, 1, "all")):
        assert np.array_equal(robots.parse(said_again(captions.tokens(phrase))), robots.parse(phrase))


@pytest.mark.parametrize(("caption", "message"), [
    ("a red robot with a hut", "did you mean 'hat'"), ("red " * 13, "too many: 13"), (3, "words must be a string"),
    ([], "empty list")])
def test_words_that_are_none_are_refused(caption, message):
    with pytest.raises((ValueError, TypeError), match=message):
        captions.tokens(caption)


# ------------------------------------------------------------------------------------------------------ one block


def plain_normal(h, scale, shift):
    return (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-5) * scale + shift


def plain_block(h, w, heads, causal):
    """The same in loops over pictures, heads and places."""
    n, t, d = h.shape
    seen = plain_normal(h, w["scale"][0], w["shift"][0]) @ w["see"] + w["see_bias"]
    q, k, v = (seen[..., i * d : (i + 1) * d].reshape(n, t, heads, d // heads) for i in range(3))
    found = np.zeros_like(q)
    for i in range(n):
        for head in range(heads):
            for place in range(t):
                last = place + 1 if causal else t
                score = np.array([q[i, place, head] @ k[i, s, head] for s in range(last)]) / np.sqrt(d // heads)
                weight = np.exp(score) / np.exp(score).sum()
                found[i, place, head] = sum(a * v[i, s, head] for s, a in enumerate(weight))
    h = h + found.reshape(n, t, d) @ w["join"] + w["join_bias"]
    wide = np.maximum(plain_normal(h, w["scale"][1], w["shift"][1]) @ w["widen"] + w["widen_bias"], 0)
    return h + wide @ w["narrow"] + w["narrow_bias"]


@pytest.mark.parametrize("causal", [True, False])
def test_a_block_is_what_its_definition_says(causal):
    keras.utils.set_random_seed(2)
    block = transformer.Block(4, causal)
    block.build((None, None, 24))
    stir({"block": block}, 0.3)
    h = np.random.default_rng(3).standard_normal((2, 7, 24)).astype(np.float32)
    np.testing.assert_allclose(block(h), plain_block(h, block.weights_by_name(), 4, causal), atol=2e-4)


def test_attention_is_that_of_keras():
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(4)
    h = rng.standard_normal((2, 9, 24)).astype(np.float32)
    keras_layer = layers.MultiHeadAttention(4, 6, use_bias=False)
    expected = keras_layer(h, h, use_causal_mask=True)
    query, key, value, output = (np.array(v) for v in keras_layer.weights)  # (24, 4, 6) three times, (4, 6, 24)
    q, k, v = (np.einsum("ntd,dhe->nhte", h, kernel) for kernel in (query, key, value))
    mask = np.tri(9, dtype=bool)
    found = np.einsum("nhte,hed->ntd", transformer.attend(*map(tf.constant, (q, k, v)), mask), output)
    np.testing.assert_allclose(found, expected, atol=1e-5)


# --------------------------------------------------------------------------------------- the line of words and codes


def lines(n, seed=0):
    rng = np.random.default_rng(seed)
    return captions.tokens(robots.caption(robots.draw_robots(n, seed))), rng.integers(0, 1000, (n, 8, 8))


def test_no_code_is_foretold_from_itself_or_from_later_ones(made):
    text, codes = lines(2)
    before = made.odds(text, codes)
    for place in (0, 20, 62):
        other = codes.copy().reshape(2, 64)
        other[:, place] = (other[:, place] + 7) % 1000
        change = np.abs(made.odds(text, other.reshape(2, 8, 8)) - before).max(axis=(0, 2))
        assert change[: place + 1].max() == 0 and (change[place + 1 :] > 1e-4).all()
    another = text.copy()
    another[:, 0] = WORDS.index("blue")
    assert (np.abs(made.odds(another, codes) - before).max(axis=2) > 1e-5).all(), "every code hears every word"


def test_kept_keys_and_values_give_the_odds_of_the_whole_line(made):
    text, codes = lines(3)
    expected, flat = made.odds(text, codes), codes.reshape(3, 64).astype(np.int32)
    odds, past = made._begin(text)
    for place in range(63):
        np.testing.assert_allclose(odds, expected[:, place], atol=2e-4)
        odds, past = made._go_on(flat[:, place : place + 1], place, past)
    np.testing.assert_allclose(odds, expected[:, 63], atol=2e-4)
    log_p = expected - np.log(np.exp(expected).sum(-1, keepdims=True))
    chosen = np.take_along_axis(log_p, flat[..., None], 2)[..., 0].sum(1)
    np.testing.assert_allclose(made.log_likelihood(text, codes), chosen, rtol=1e-4)


def test_what_is_drawn_from_the_likeliest_alone_is_the_likeliest(made):
    text = lines(2)[0]
    codes = made.codes(text, 0, top=1)
    odds = made.odds(text, codes)
    chosen = np.take_along_axis(odds, codes.reshape(2, 64, 1), 2)[..., 0]
    np.testing.assert_allclose(chosen, odds.max(axis=2), atol=1e-3)


def test_draws_have_the_odds_of_the_temperature():
    rng = np.random.default_rng(0)
    odds = np.log(np.array([0.6, 0.3, 0.1, 1e-9], np.float32))
    for temperature in (1.0, 2.0, 0.5):
        share = np.bincount(words.draw(np.tile(odds, (20000, 1)), rng, temperature), minlength=4) / 20000
        right = np.exp(odds / temperature) / np.exp(odds / temperature).sum()
        np.testing.assert_allclose(share, right, atol=0.015)
    assert set(words.draw(np.tile(odds, (500, 1)), rng, 1e-3)) == {0}
    assert set(words.draw(np.tile(odds, (500, 1)), rng, 5.0, top=2)) == {0, 1}


def test_samples_are_a_function_of_the_seed_and_the_chosen_one_is_the_best(made, monkeypatch):
    x, again, other = (made.sample(3, seed, "a red robot") for seed in (5, 5, 6))
    assert x.shape == (3, 32, 32, 3) and x.min() >= 0 and x.max() <= 1
    assert np.array_equal(again, x) and not np.array_equal(other, x)
    monkeypatch.setattr(words, "PIECE", 4)
    many = made.sample(9, 5, "a red robot")
    score = made.chooser.scores(np.tile(captions.tokens("a red robot"), (3, 1)), many.reshape(3, 3, 32, 32, 3))
    chosen = made.sample(3, 5, "a red robot", choose=3)
    assert np.array_equal(chosen, many.reshape(3, 3, 32, 32, 3)[[0, 1, 2], score.argmax(axis=1)])
    assert not np.array_equal(many[:4], many[4:8]), "each piece has its own noise"


def test_the_best_of_eight_is_counted(made, monkeypatch):
    asked = robots.draw_robots(6, 3)
    monkeypatch.setattr(made.tokenizer, "decode", lambda codes: robots.render(np.where(
        (np.arange(48) % 8 == 2)[:, None], np.repeat(asked, 8, axis=0), np.roll(np.repeat(asked, 8, axis=0), 8, 0))))
    liked = np.where(np.arange(6) < 4, 2, 5)[:, None]
    monkeypatch.setattr(made.chooser, "scores", lambda text, x: np.arange(8) == liked)
    monkeypatch.setattr(made, "log_likelihood", lambda text, codes: 1.0 * (np.arange(48) % 8 == 2))
    found = words.choosing(made, asked)
    assert found["likeliest"] == 1
    assert (found["value"], found["any"], found["first"]) == (pytest.approx(4 / 6), 1, 0)
    assert found["chosen, within 0.06"] == found["value"]


def test_what_comes_out_as_asked_is_right_and_near(made, monkeypatch):
    asked = robots.draw_robots(8, 3)
    shown = asked.copy()
    shown[:4, 5] = (shown[:4, 5] + 1) % 10
    x = robots.render(shown)
    x[6:] += 0.08 * np.random.default_rng(0).standard_normal(x[6:].shape).astype(np.float32)
    monkeypatch.setattr(made, "paint", lambda words, seed: x)
    found = words.as_asked(made, asked)
    assert (found["all six"], found["mouth"], found["colour"], found["all six, within 0.06"]) == (0.5, 0.5, 1, 0.25)


def test_a_batch_of_captions_and_codes_is_learned_by_heart(needed):
    keras.utils.set_random_seed(0)
    training = words.Training(small("words-robots"), **needed)
    text, codes = training.draw(tf.constant([0, 4]), 8)
    again, other = training.draw(tf.constant([0, 4]), 8), training.draw(tf.constant([0, 5]), 8)
    assert np.array_equal(text, again[0]) and np.array_equal(codes, again[1])
    assert not np.array_equal(text, other[0]) and not np.array_equal(codes, other[1])
    likelihood = training.ready.log_likelihood(text.numpy(), codes.numpy())
    assert float(training.loss((text, codes))) == pytest.approx(-likelihood.mean() / 64, rel=1e-4)
    assert learned(training, (text, codes), 40, 1e-2) < 0.6
    training.drop = 1 - 1e-6
    assert np.count_nonzero(training.draw(tf.constant([0, 4]), 8)[0], axis=1).max() <= 1, "all is left open"


def learned(training, batch, steps, rate):
    """Return to what part of it the loss of one batch falls."""
    (player,) = training.players
    variables = [v for network in training.networks.values() for v in network.trainable_variables]
    step = step_down(lambda: player.loss(batch), variables, keras.optimizers.Adam(rate))
    first, (_, gradients), *others = (step() for _ in range(steps))
    assert all(np.any(gradient != 0) for gradient in gradients), "a gradient reaches every weight"
    return float(others[-1][0] / first[0])


@pytest.mark.parametrize(("call", "message"), [
    (lambda made: made.sample(0, 0), "n must"), (lambda made: made.sample(1, 0, temperature=0), "temperature must"),
    (lambda made: made.sample(1, 0, temperature=-1.0), "temperature must"),
    (lambda made: made.sample(1, 0, temperature=float("nan")), "temperature"),
    (lambda made: made.sample(1, 0, top=0), "top must"), (lambda made: made.sample(1, 0, choose=0), "choose must"),
    (lambda made: made.sample(1, -1), "seed"), (lambda made: made.sample(1, 0, "a red blue robot"), "two things"),
    (lambda made: made.sample(1, 0, "a rid robot"), "did you mean 'red'"),
    (lambda made: made.sample(1, 0, ""), "no word"),
    (lambda made: made.codes(np.zeros((1, 11), int), 0), r"\(N, 12\)"),
    (lambda made: made.codes(np.full((1, 12), 99), 0), "words must lie in"),
    (lambda made: made.chooser.scores(np.zeros((2, 12), int), np.zeros((1, 1, 32, 32, 3))), "must have shapes")])
def test_what_cannot_be_painted_is_refused(call, message, made):
    with pytest.raises((ValueError, TypeError), match=message):
        call(made)


# ------------------------------------------------------------------------------------------------------ the chooser


def test_families_differ_in_little_and_hold_no_held_out_pair():
    said = chooser.family(tf.constant([0, 1]), 64).numpy().reshape(8, 8, 6)
    assert robots.allowed(said).all()
    alike = (said[:, :, None] == said[:, None]).mean(axis=(1, 2, 3))
    assert 0.4 < alike.mean() < 0.75
    assert np.mean((said[:, None] == said[None, :]).mean(axis=(2, 3))) < alike.mean() - 0.2, "families differ"


def test_two_small_robots_stand_side_by_side_and_their_caption_tells_which_is_which():
    two = chooser.couples(tf.constant([0, 2]), 40)
    assert two.shape == (40, 2, 6) and robots.allowed(two.numpy()).all()
    assert (two[:, 0, :3] != two[:, 1, :3]).numpy().all()
    training = chooser.Training(small("chooser-robots"), **{"tokenizer-robots": None})
    x = chooser.draw_two(two.numpy())
    np.testing.assert_allclose(training.pair(two), x, atol=1e-6)
    half = robots.render(two.numpy()[:, 1]).reshape(40, 16, 2, 16, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(x[:, 8:24, 16:], half, atol=1e-6)
    swapped = chooser.swap(two).numpy()
    assert np.array_equal(swapped[:, :, 0], two.numpy()[:, ::-1, 0]) and np.array_equal(swapped[..., 1:], two[..., 1:])
    text = chooser.word_two(two, tf.tile([0, 1], [20])).numpy()
    for line, pair, first in zip(text, two.numpy(), np.tile([0, 1], 20), strict=True):
        for part, robot in ((line[:6], pair[first]), (line[6:], pair[1 - first])):
            assert np.array_equal(robots.parse(said_again(part)), [*robot[:3], -1, -1, -1])
    exchanged = chooser.word_two(swapped, tf.tile([0, 1], [20])).numpy()
    assert np.array_equal(np.sort(text, 1), np.sort(exchanged, 1)) and (text != exchanged).any(axis=1).all()


def test_the_loss_is_the_mean_surprise_over_what_is_true():
    scores = np.random.default_rng(0).standard_normal((3, 3)).astype(np.float32)
    true = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 1]], bool)
    odds = np.exp(scores)
    by_caption = -np.log((odds * true).sum(1) / odds.sum(1)).mean()
    by_picture = -np.log((odds * true).sum(0) / odds.sum(0)).mean()
    assert float(chooser.matching(scores, true)) == pytest.approx((by_caption + by_picture) / 2, rel=1e-5)


def test_how_strong_a_score_can_become_is_bounded():
    layer = chooser.Strength()
    assert float(layer(np.ones(1))[0]) == pytest.approx(10)
    layer.log.assign(9.0)
    assert float(layer(np.ones(1))[0]) == pytest.approx(100)


class Bag:
    """A chooser that forgets the order of words: its score depends on which words there are, and on nothing else."""

    def scores(self, text, x):
        return np.sort(text, axis=1)[:, None] @ np.arange(1.0, 13.0)


def test_a_bag_of_words_binds_nothing():
    assert chooser.binding(Bag(), 50) == chooser.binding(Bag(), 50, 2) == 0.5


def whose(text):
    """Return colour, body and head of the two robots of each caption (N, 12), in its order: (N, 2, 3)."""
    parts = text.reshape(-1, LENGTH // 2)
    return robots.parse([said_again(line) for line in parts]).reshape(-1, 2, 6)[..., :3]


class Binds:
    """A chooser that knows which two robots a picture shows, and which words of a caption go together."""

    def __init__(self, n, sign=1):
        self.two, self.sign = chooser.couples(chooser.split(tf.constant([9, 1]), 3)[0], n).numpy(), sign
        self.pictures = chooser.draw_two(self.two)

    def scores(self, text, x):
        shown = self.two[np.abs(x[:, 0, None] - self.pictures).mean(axis=(2, 3, 4)).argmin(axis=1), :, :3]
        said = whose(text)
        true = [(order == shown).sum(axis=(1, 2)) for order in (said, said[:, ::-1])]
        return self.sign * np.maximum(*true)[:, None]


def test_a_chooser_that_binds_is_counted_as_such():
    for column in (0, 2, None):
        assert chooser.binding(Binds(40), 40, column) == 1
        assert chooser.binding(Binds(40, -1), 40, column) == 0


def test_the_wrong_colour_is_that_of_neither_robot():
    heard = []

    class Records:
        def scores(self, text, x):
            heard.append(whose(text))
            return np.zeros((len(text), 1))

    assert chooser.binding(Records(), 2000, None) == 0.5, "equal scores count half"
    right, wrong = heard
    changed = right != wrong
    assert (changed.sum(axis=(1, 2)) == 1).all() and not changed[..., 1:].any(), "one colour, and nothing else"
    new = wrong[changed]
    assert (new[:, None] != right[..., 0]).all() and len(np.unique((new - right[changed]) % 10)) == 9


def test_a_chooser_that_sees_everything_is_counted_as_such():
    heard = []

    class Sees:
        def scores(self, text, x):
            meant = robots.parse([said_again(line) for line in text])
            heard.append((meant, np.array([robots.read(each)[0] for each in x]) != meant[:, None]))
            return -heard[-1][1].sum(-1)

    class Same:
        encode = decode = staticmethod(lambda x: x)

    assert chooser.one_of_eight(Sees(), Same(), 4, "held-out") == chooser.alone(Sees(), Same(), 4, 5) == 1
    (meant, family), (_, two) = heard
    assert not robots.allowed(meant).any() and (family.sum(-1) == [0, 2, 1, 2, 1, 2, 1, 2]).all()
    assert two[:, 1, 5].all() and two.sum() == 4, "the mouth, and nothing else"


@pytest.mark.parametrize("swapped", [False, True])
def test_a_batch_of_captions_and_pictures_is_learned_by_heart(swapped, needed):
    keras.utils.set_random_seed(0)
    training = chooser.Training(small("chooser-robots", swapped=swapped), **needed)
    batch, again, other = (training.draw(tf.constant([0, step]), 16) for step in (4, 4, 5))
    for a, b, c in zip(batch, again, other, strict=True):
        assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert [len(tensor) for tensor in batch] == [16, 16, 16, 16, 8, 8]
    text_two = batch[-1]
    assert np.array_equal(np.sort(text_two[:4], 1), np.sort(text_two[4:], 1)) == swapped
    if not swapped:
        assert learned(training, batch, 60, 5e-3) < 0.5


def test_the_chooser_learns_from_pictures_of_the_tokenizer_and_from_all_that_a_caption_is_true_of(needed):
    training = chooser.Training(small("chooser-robots", drop=0.7), **needed)
    x, said, told, text, x_two, text_two = batch = training.draw(tf.constant([0, 4]), 16)
    codes = needed["tokenizer-robots"].codes_tensor(robots.render(said.numpy()))
    assert np.abs(needed["tokenizer-robots"].decode_tensor(codes) - x).mean() < 1e-3
    true = np.array([[((one < 0) | (one == robot)).all() for robot in said.numpy()] for one in told.numpy()])
    assert (true != true.T).any()
    see, read = (training.networks[name] for name in ("picture", "caption"))
    single, two = (tf.matmul(read(a), see(b), transpose_b=True) for a, b in ((text, x), (text_two, x_two)))
    expected = (chooser.matching(single, true) + chooser.matching(two, np.eye(8, dtype=bool))) / 2
    assert float(training.loss(batch)) == pytest.approx(float(expected), rel=1e-4)


def test_which_robots_were_shown_is_known(needed):
    recipe = small("words-robots")._replace(steps=3, batch=5, seed=2)
    found, training = words.shown(recipe), words.Training(recipe, **needed)
    drawn = [training.world.draw(words.split(tf.constant([2, step]), 3)[0], 5)[1] for step in range(3)]
    numbers = robots.index(np.concatenate(drawn))
    assert found.sum() == len(set(numbers)) and found[numbers].all()
    codes = training.draw(tf.constant([2, 1]), 5)[1].numpy().reshape(-1, 8, 8)
    assert np.array_equal(codes, training.ready.tokenizer.encode(robots.render(drawn[1].numpy())))
