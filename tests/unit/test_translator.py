"""Picture to picture: the worlds of pairs, the four losses, what a discriminator's patch sees, and bad input."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers import pretrained
from helpers.images import earth, robots
from helpers.models import pairs, translator
from helpers.recipes import RECIPES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did
SMALL = {"generator": {"widths": (8, 8, 8, 8)}, "discriminator": {"widths": (8, 8, 8)}}
NAMES = [name for name, recipe in RECIPES.items() if recipe.model == "translator.Translator"]


def small(name, **options):
    keras.utils.set_random_seed(0)
    recipe = RECIPES[name]
    return recipe._replace(options=recipe.options | SMALL | options)


@pytest.fixture(scope="module")
def blank():
    """A small translator with a discriminator, untrained."""
    return translator.Translator.blank(small("robots-gan"))


@pytest.fixture(scope="module")
def said():
    return pairs.designs(12, 3)


# ------------------------------------------------------------------------------------------- white and coloured robots


def test_a_drawn_robot_is_white_and_coloured_and_shows_nothing_that_was_held_out():
    y, x = pairs.Robots().draw(tf.constant([0, 5]), 24)
    white, far = robots.read(y.numpy())
    colour, near = robots.read(x.numpy())
    assert max(far.max(), near.max()) < 1e-5
    assert (white[:, 0] == pairs.WHITE).all() and set(colour[:, 0]) <= set(pairs.NINE)
    assert not np.isin(white[:, 2], pairs.HEADS).any() and len(set(colour[:, 0])) > 3
    assert not (white[:, 3] == np.array(pairs.NEVER)[white[:, 2]]).any() and len(set(white[:, 3])) > 5
    assert np.array_equal(robots.render(np.column_stack([colour[:, 0], white[:, 1:]])), robots.render(colour))


def test_designs_are_held_out_as_they_were_asked_for():
    assert set(pairs.designs(50, 0, "heads")[:, 2]) == set(pairs.HEADS)
    said = pairs.designs(200, 0)
    assert set(said[:, 2]) == set(range(10)) - set(pairs.HEADS) and (said[:, 0] == pairs.WHITE).all()
    assert not robots.allowed(said).any()
    assert np.array_equal(pairs.designs(5, 1), pairs.designs(5, 1))


@pytest.mark.parametrize(("distance", "power"), [("l2", 2), ("l1", 1)])
def test_mean_and_median_are_the_best_answers_of_all(distance, power, said):
    """By brute force, for every pixel of a robot: of 256 levels none has a smaller mean loss over the nine colours."""
    truths = pairs.coloured(said[:1])[:, 0].reshape(9, -1)
    levels = np.linspace(0, 1, 256)
    loss = np.mean(np.abs(levels[:, None, None] - truths) ** power, axis=1)
    found = pairs.best(truths, distance)
    least = np.mean(np.abs(found - truths) ** power, axis=0)
    assert (least <= loss.min(axis=0) + 1e-7).all()
    assert (loss.min(axis=0) - least).max() < (0.5 / 255) ** power + 1e-6, "a level beside it is as good"


def test_a_true_robot_has_one_colour_and_a_patched_one_two(said):
    truths = pairs.coloured(said)
    for colour in range(9):
        found = pairs.painted(truths[colour], said, truths)
        assert (found.colour == colour).all() and found.far.max() < 1e-6 and found.clear.all() and found.one.all()
    head = np.stack([robots.parts(32)["head"][0, design, ..., 3:] for design in said[:, 2]])
    patched = head * truths[0] + (1 - head) * truths[7]
    assert not pairs.painted(patched, said).one.any()


def test_mud_is_near_enough_and_no_clear_choice():
    said = pairs.designs(100, 4)
    truths = pairs.coloured(said)
    mud = pairs.painted(pairs.best(truths, "l1"), said, truths)
    assert np.mean(mud.far < pairs.NEAR) > 0.5 and not mud.clear.any()
    mixed = pairs.painted(0.9 * truths[3] + 0.1 * truths[7], said, truths)
    assert mixed.clear.all() and (mixed.colour == 3).all()


class Model:
    """A model whose answers are these, one for each seed."""

    def __init__(self, answers):
        self.answers = answers

    def translate(self, y, seed=0):
        return self.answers[seed % len(self.answers)]


def test_the_judge_of_robots_counts_right(said):
    truths, world = pairs.coloured(said), pairs.Robots()
    found = world.judge(Model(truths), said, draws=9)
    assert found["within 0.06"] == found["clear"] == found["one colour"] == 1
    assert found["rarest colour"] == found["most frequent colour"] == pytest.approx(1 / 9)
    spread = np.sqrt(np.mean((truths - truths.mean(0)) ** 2))
    assert found["noise"] == pytest.approx(spread, rel=1e-4) == pytest.approx(found["from the mean"], rel=1e-4)
    assert found["psnr"] == pytest.approx(-10 * np.log10(2 * spread**2), rel=1e-4)
    red = world.judge(Model(truths[7:8]), said, draws=3)
    assert red["noise"] == pytest.approx(0, abs=1e-6) and red["most frequent colour"] == 1 and red["rarest colour"] == 0
    mean = world.judge(Model([pairs.best(truths, "l2")]), said, draws=1)
    assert mean["psnr"] == pytest.approx(-20 * np.log10(spread), rel=1e-4) and mean["from the mean"] < 1e-6
    assert mean["clear"] == 0 and mean["psnr"] > red["psnr"]
    apart = np.sqrt(np.mean((pairs.best(truths, "l2") - pairs.best(truths, "l1")) ** 2))
    assert mean["from the median"] == pytest.approx(apart, rel=1e-4) and apart > 0.01


def test_the_rivals_of_a_robot_painter_are_the_mean_and_the_median(monkeypatch):
    monkeypatch.setattr(pairs, "designs", lambda n, seed, held_out, real=pairs.designs: real(4, seed, held_out))
    found = pairs.Robots().evaluate(SimpleNamespace(translate=lambda y, seed=0: y))
    for held_out in ("pairs held out", "heads held out"):
        assert found[f"from the mean, {held_out}"]["the mean"] < 1e-6 < found[f"from the mean, {held_out}"]["value"]
        assert found[f"from the median, {held_out}"]["the median"] < 1e-6


# ------------------------------------------------------------------------------------------- relief and satellite


def test_windows_of_the_earth_are_turned_together():
    """A relief that says row, column and patch, of which the satellite saw the negative: from everywhere, each way."""
    world, (row, column) = pairs.Earth(), np.mgrid[:64, :64]
    relief = np.stack([np.stack([row, column, 0 * row + patch], -1) for patch in range(3)])
    world.patches = tf.constant(np.concatenate([relief, 255 - relief], -1).astype(np.uint8))
    y, x = (255 * t.numpy() for t in world.draw(tf.constant([0, 2]), 256))
    assert y.shape == x.shape == (256, 48, 48, 3)
    np.testing.assert_allclose(y + x, 255, atol=1e-3)
    y = np.rint(y).astype(int)
    corners = y.min(axis=(1, 2))
    assert [set(each) for each in corners.T] == [set(range(17)), set(range(17)), {0, 1, 2}]
    assert len(np.unique(corners, axis=0)) > 150, "down and right are drawn apart"
    ways = y[:, [1, 0], [0, 1], :2] - y[:, :1, 0, :2]
    assert len(np.unique(ways, axis=0)) == 8, "four turns, and mirrored"


def test_what_is_held_out_is_two_whole_continents():
    held_out = pairs.held_out_pairs()
    assert len(held_out.relief) == sum(len(earth.pairs(name, 32).relief) for name in ("australia", "south-america"))
    assert ((held_out.longitude > 100) | (held_out.longitude < -30)).all()


def test_painters_of_the_earth_and_their_rivals_learn_from_other_continents_alone(monkeypatch):
    learned, train = [], earth.pairs("train", 32)
    world = pairs.Earth()
    assert len(world.patches) == len(earth.pairs("train", 64).relief)
    monkeypatch.setattr(pairs, "ColourTable", lambda known: learned.append(known) or np.copy)
    monkeypatch.setattr(pairs, "nearest_patch", lambda known, relief: learned.append(known) or relief)
    monkeypatch.setattr(pairs, "judge", lambda answers, x: {"Fréchet distance": len(x)})
    monkeypatch.setattr(pairs.pretrained, "shared", lambda name: SimpleNamespace(floor=len))
    found = world.evaluate(SimpleNamespace(translate=np.copy))
    assert len(learned) == 4 and all(np.array_equal(known.relief, train.relief) for known in learned)
    assert found["Fréchet distance, both"]["value"] == len(pairs.held_out_pairs().relief)


def test_each_answer_is_judged_by_its_own_truth_and_detail_by_short_waves(monkeypatch):
    monkeypatch.setattr(pairs.pretrained, "shared", lambda name: SimpleNamespace(frechet=lambda answers, x: 7))
    slow, fast = (np.cos(2 * np.pi * k * np.arange(32) / 32)[:, None, None] * np.ones((32, 3)) for k in (6, 12))
    x = 0.5 + np.stack([0.2 * slow + 0.1 * fast, 0.1 * fast]).astype(np.float32)
    answers = np.stack([0.5 + 0.1 * fast, 0.5 + 0 * fast]).astype(np.float32)
    found = pairs.judge(answers, x)
    assert found["fine detail"] == pytest.approx(0.5, rel=1e-3) and found["Fréchet distance"] == 7
    assert found["psnr"] == pytest.approx(-5 * np.log10(0.2**2 / 2 * 0.1**2 / 2), rel=1e-3)
    assert found["absolute error"] == pytest.approx(np.abs(answers - x).mean(), rel=1e-4)


def test_the_colour_table_is_a_table_of_means():
    rng = np.random.default_rng(0)
    relief = (np.array([0.1, 0.5, 0.9])[rng.integers(0, 3, (4, 32, 32, 1))] * np.ones(3)).astype(np.float32)
    satellite = rng.random((4, 32, 32, 3), np.float32)
    train = earth.Pairs(relief, satellite, None, None)
    guess = pairs.ColourTable(train)(relief)
    for level in (0.1, 0.5, 0.9):
        place = np.isclose(relief[..., 0], level)
        assert np.abs(guess[place] - satellite[place].mean(axis=0)).max() < 1e-5
    near = pairs.ColourTable(train)(np.full((1, 1, 3), 0.55))
    np.testing.assert_allclose(near[0, 0], guess[np.isclose(relief[..., 0], 0.5)][0], atol=1e-6)


def test_the_nearest_patch_is_found():
    rng = np.random.default_rng(1)
    train = earth.Pairs(*rng.random((2, 6, 32, 32, 3), np.float32), None, None)
    order = [3, 0, 5]
    noisy = train.relief[order] + 0.1 * rng.standard_normal((3, 32, 32, 3), np.float32)
    assert np.array_equal(pairs.nearest_patch(train, noisy), train.satellite[order])


def test_the_spectrum_of_a_wave_stands_at_its_number():
    wave = 0.5 + 0.2 * np.cos(2 * np.pi * 5 * np.arange(32) / 32)
    found = pairs.spectrum(np.broadcast_to(wave[None, None, :, None], (2, 32, 32, 3)))
    assert found.shape == (16,) and found[4] == pytest.approx(0.2**2 / 2) and found.sum() == pytest.approx(found[4])


# ------------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize("name", ["robots-l2", "robots-l1", "robots-gan", "robots-choice"])
def test_the_loss_is_the_one_that_the_file_writes_down(name):
    made = translator.Training(small(name))
    batch = made.draw(tf.constant([0, 1]), 4)
    y, x, z = (t.numpy() for t in batch)
    assert z.shape == (4, made.answers + 1, 8)
    answers = np.stack([made.networks["generator"]([y, z[:, k]]).numpy() for k in range(made.answers)])
    far = np.mean(np.abs(answers - x) ** (2 if name == "robots-l2" else 1), axis=(2, 3, 4))
    expected = far.min(axis=0).mean()
    if made.weight:
        logit = made.networks["discriminator"]([y, answers[far.argmin(axis=0), np.arange(4)]]).numpy()
        expected += made.weight * np.log1p(np.exp(-logit)).mean()
    assert float(made.generator_loss(batch)) == pytest.approx(expected, rel=1e-4)
    assert [player.name for player in made.players] == ["discriminator", "generator"][not made.weight :]


def test_the_generator_learns_from_the_verdict():
    made = translator.Training(small("robots-gan"))
    batch, slopes = made.draw(tf.constant([0, 1]), 4), []
    variables = made.networks["generator"].trainable_variables
    for made.weight in (0.0, 1.0):
        with tf.GradientTape() as tape:
            loss = made.generator_loss(batch)
        slopes.append([np.ravel(slope) for slope in tape.gradient(loss, variables)])
    without, judged = map(np.concatenate, slopes)
    assert np.linalg.norm(judged - without) > 0.01 * np.linalg.norm(without)


def squares(pair, training):
    """A discriminator whose logits are the sums of the squares in 4 × 4 pixels of the second picture."""
    return 16 * tf.nn.avg_pool2d(tf.reduce_sum(pair[1] ** 2, 3, keepdims=True), 4, 4, "VALID")


def test_the_discriminator_pays_for_its_slope():
    made = translator.Training(small("robots-gan"))
    batch = made.draw(tf.constant([0, 1]), 8)
    y, x, z = (t.numpy() for t in batch)
    painted = made.networks["generator"]([y, z[:, -1]]).numpy()
    real, taken = (made.networks["discriminator"]([y, other]).numpy() for other in (x, painted))
    plain = np.log1p(np.exp(-real)).mean() + np.log1p(np.exp(taken)).mean()
    made.penalty = 0.0
    assert float(made.discriminator_loss(batch)) == pytest.approx(plain, rel=1e-4)
    made.networks = made.networks | {"discriminator": squares}  # its slope at x is 2 x
    without = float(made.discriminator_loss(batch))
    made.penalty = 2.0
    slope = float(made.discriminator_loss(batch)) - without
    assert slope == pytest.approx(((2 * x[:2]) ** 2).sum() / 2 / 64, rel=1e-3), "of a quarter, in 8 × 8 patches"


def test_one_batch_is_learned_by_heart():
    made = translator.Training(small("robots-l1", generator={}))
    batch = made.draw(tf.constant([0, 1]), 2)
    variables = made.networks["generator"].trainable_variables
    optimizer = keras.optimizers.Adam(3e-3)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = made.generator_loss(batch)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    losses = [float(step()) for _ in range(150)]
    assert losses[-1] < 0.1 * losses[0]


# ------------------------------------------------------------------------------------------- what the networks see


def seen(function, shape):
    """Return which pixels, booleans (H, W), a number depends on: where its slope is not nought."""
    x = tf.random.stateless_uniform([1, *shape, 3], [0, 3])
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return np.abs(tape.gradient(value, x).numpy()[0]).max(axis=-1) > 0


@pytest.mark.parametrize("place", [(3, 5), (0, 7)])
def test_a_patch_of_the_discriminator_sees_its_field_and_nothing_else(blank, place):
    network, (i, j) = blank.networks["discriminator"], place
    field = np.zeros((40, 40), bool)
    field[max(0, 4 * i - 7) : 4 * i + 11, max(0, 4 * j - 7) : 4 * j + 11] = True
    other = tf.random.stateless_uniform([1, 40, 40, 3], [0, 4])
    assert np.array_equal(seen(lambda x: network([other, x])[0, i, j, 0], (40, 40)), field)
    assert np.array_equal(seen(lambda y: network([y, other])[0, i, j, 0], (40, 40)), field)
    assert max(field.sum(axis=0)) <= translator.FIELD


def test_eyes_see_a_little_more_and_are_not_trained():
    keras.utils.set_random_seed(0)
    network, (i, j) = translator.build_discriminator((8, 8, 8), eyes=True), (5, 4)
    field = np.zeros((40, 40), bool)
    field[4 * i - 7 : 4 * i + 13, 4 * j - 7 : 4 * j + 13] = True
    other = tf.random.stateless_uniform([1, 40, 40, 3], [0, 4])
    got = seen(lambda x: network([other, x])[0, i, j, 0], (40, 40))
    assert not got[~field].any() and got[4 * i + 12].any() and got[:, 4 * j + 12].any()
    own = [v.path for v in network.trainable_variables]
    assert len(own) == 8 and not any(path.startswith(("stem", "depthwise", "expansion")) for path in own)
    known = pretrained.shared("features").network.get_layer("stem").kernel
    mine = next(v for v in network.variables if v.path == "stem/kernel")
    assert np.array_equal(known, mine) and known is not mine, "a copy: weights that are put into it stay in it"
    assert "eyes" not in RECIPES["robots-gan"].options.get("discriminator", {})
    assert RECIPES["earth-gan"].options["discriminator"] == {"eyes": True}


@pytest.mark.parametrize(("grain", "lattice"), [(0, True), (2, False)])
def test_flat_features_stay_flat_where_they_are_repeated(grain, lattice):
    keras.utils.set_random_seed(1)
    network = translator.build_generator((8, 8, 8, 8), grain=grain)
    y = np.concatenate([np.full((1, 160, 160, 3), 0.4), np.zeros((1, 160, 160, grain))], axis=-1).astype(np.float32)
    x = network([y, np.zeros((1, 8), np.float32)]).numpy()[0, 56:104, 56:104]
    assert (np.ptp(x, axis=(0, 1)).max() > 1e-3) == lattice
    np.testing.assert_allclose(x[8:, 8:], x[:-8, :-8], atol=1e-5)  # a lattice of 8 pixels
    y[..., 3:] = np.random.default_rng(0).standard_normal((1, 160, 160, grain))
    rough = network([y, np.zeros((1, 8), np.float32)]).numpy()[0, 56:104, 56:104]
    assert lattice or np.abs(rough[8:, 8:] - rough[:-8, :-8]).mean() > 1e-3, "of grain comes what repeats nowhere"


def test_grain_is_drawn_for_each_pixel_and_is_no_part_of_the_picture(monkeypatch):
    keras.utils.set_random_seed(0)
    made = translator.Training(small("earth-gan", generator={"widths": (8, 8, 8, 8), "grain": 2}))
    y, x, _ = made.draw(tf.constant([0, 1]), 4)
    assert y.shape == (4, 48, 48, 5) and x.shape == (4, 48, 48, 3)
    assert np.array_equal(made.world.draw(translator.split(tf.constant([0, 1]), 2)[0], 4)[0], y[..., :3])
    grain = y[..., 3:].numpy()
    assert abs(grain.mean()) < 0.05 and grain.std() == pytest.approx(1, abs=0.05)
    another = made.draw(tf.constant([0, 2]), 4)[0][..., 3:].numpy()
    rows = np.corrcoef([*grain.reshape(4, -1), *another.reshape(4, -1)]) - np.eye(8)
    assert np.abs(rows).max() < 0.1, "no picture, and no step, has the grain of another"
    assert np.isfinite(float(made.generator_loss(made.draw(tf.constant([0, 1]), 4))))
    assert np.isfinite(float(made.discriminator_loss(made.draw(tf.constant([0, 1]), 4))))
    y = np.full((2, 16, 24, 3), 0.5, np.float32)
    drawn = made.ready.translate(y, 3)
    assert drawn.shape == y.shape and np.array_equal(drawn, made.ready.translate(y, 3))
    assert not np.allclose(drawn[0], drawn[1]) and not np.allclose(drawn, made.ready.translate(y, 4))
    monkeypatch.setattr(translator, "PIECE", 16 * 24)
    np.testing.assert_allclose(made.ready.translate(y, 3), drawn, atol=1e-6)
    given = []

    def generate(y, z):
        given.append(y[..., 3:].ravel())
        return tf.constant(y[..., :3])

    monkeypatch.setattr(made.ready, "_generate", generate)
    for seed in (3, 4):
        made.ready.translate(y, seed)
    assert len(given) == 4 and np.abs(np.corrcoef(given) - np.eye(4)).max() < 0.2, "of the seed and of the picture"


def test_a_part_of_a_picture_is_painted_as_the_whole(blank):
    y = np.random.default_rng(0).random((160, 160, 3), np.float32)
    whole, part = blank.translate(y, 1), blank.translate(y[16:144, 8:136], 1)
    np.testing.assert_allclose(part[48:-48, 48:-48], whole[64:96, 56:88], atol=1e-5)
    assert np.abs(part[:4] - whole[16:20, 8:136]).max() > 1e-4, "a border is another thing"


@pytest.mark.parametrize("shape", [(1, 1, 3), (32, 32, 3), (2, 33, 17, 3), (1, 8, 40, 3)])
def test_pictures_of_any_size_keep_it(blank, shape):
    y = np.random.default_rng(0).random(shape, np.float32)
    x = blank.translate(y, seed=4)
    assert x.shape == shape and x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1
    assert np.array_equal(x, blank.translate(y, seed=4)) and not np.array_equal(x, blank.translate(y, seed=5))
    height, width = shape[-3:-1]
    margins = [*[(0, 0)] * (y.ndim - 3), (0, -height % 8), (0, -width % 8), (0, 0)]
    whole = blank.translate(np.pad(y, margins, mode="edge"), seed=4)
    np.testing.assert_allclose(whole[..., :height, :width, :], x, atol=1e-5)


def test_pieces_are_put_together_in_order(blank, monkeypatch):
    y = np.random.default_rng(0).random((5, 16, 16, 3), np.float32)
    whole = blank.translate(y)
    monkeypatch.setattr(translator, "PIECE", 2 * 256)
    np.testing.assert_allclose(blank.translate(y), whole, atol=1e-6)
    assert not np.array_equal(*blank.translate(np.stack([y[0]] * 2))), "each picture has its own noise"


def test_realism_is_that_of_the_answer_beside_what_was_given(blank):
    y, x = np.random.default_rng(0).random((2, 16, 24, 3), np.float32)
    expected = blank.networks["discriminator"]([y[None], x[None]])[..., 0]
    np.testing.assert_allclose(blank.realism(y, x), expected, atol=1e-5)


@pytest.mark.parametrize(("y", "error", "message"), [
    (np.zeros((8, 8)), ValueError, "y must have"),
    (np.zeros((8, 8, 4)), ValueError, r"y must have shape \(H, W, 3\)"),
    (np.full((8, 8, 3), 200.0), ValueError, "y must lie in .* divide 0-255 data by 255"),
    (np.full((8, 8, 3), np.nan), ValueError, "y"),
    (np.zeros((0, 8, 8, 3)), ValueError, "y"),
    (np.zeros((2001, 2000, 3), np.float32), ValueError, "y has 2001 × 2000 pixels, expected at most 4,000,000"),
    ("cat.png", TypeError, "y"),
])
def test_what_is_no_picture_is_refused(blank, y, error, message):
    with pytest.raises(error, match=message):
        blank.translate(y)


def test_a_seed_is_a_whole_number_and_a_pair_has_one_shape(blank):
    y = np.zeros((8, 8, 3), np.float32)
    with pytest.raises(ValueError, match="seed must be at least 0"):
        blank.translate(y, seed=-1)
    with pytest.raises(ValueError, match=r"x has shape \(1, 16, 8, 3\), expected \(1, 8, 8, 3\) like y"):
        blank.realism(y, np.zeros((16, 8, 3)))
    without = translator.Translator.blank(small("robots-l1"))
    with pytest.raises(ValueError, match="trained without a discriminator"):
        without.realism(y, y)
