"""StyleGAN: the modulated convolution by its definition, what its parts are for, its measures, and bad input."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.images import robots
from helpers.models import stylegan, worlds
from tests.unit.worlds import small

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did
NAME = "stylegan-robots"


@pytest.fixture(scope="module")
def blank():
    """A small one, untrained, whose noise is heard."""
    keras.utils.set_random_seed(3)
    made = stylegan.StyleGan.blank(small(NAME))
    for variable in made.networks["synthesis"].variables:
        if variable.path.endswith("strength"):
            variable.assign(0.3 * np.random.default_rng(0).standard_normal(variable.shape))
    return made


@pytest.fixture(scope="module")
def training():
    keras.utils.set_random_seed(0)
    return stylegan.Training(small(NAME))


def codes(gan, n, seed=0):
    return np.random.default_rng(seed).standard_normal((n, gan.latent))


# ------------------------------------------------------------------------------------------- layers


@pytest.mark.parametrize(("side", "demodulate"), [(3, True), (1, True), (3, False)])
def test_a_modulated_convolution_is_its_definition_sample_by_sample(side, demodulate):
    rng = np.random.default_rng(side)
    x, style = rng.standard_normal((3, 5, 6, 4)), rng.standard_normal((3, 4))
    layer = stylegan.Modulated(7, side, demodulate)
    found = layer([x.astype(np.float32), style.astype(np.float32)]).numpy()
    kernel, margin = layer.kernel.numpy().astype(np.float64), side // 2
    expected = np.zeros_like(found)
    for n in range(3):
        own = kernel * style[n][:, None]
        own = own / np.sqrt((own**2).sum(axis=(0, 1, 2))) * 2**0.5 if demodulate else own / (2 * side)
        padded = np.pad(x[n], [(margin, margin), (margin, margin), (0, 0)])
        for row in range(5):
            for column in range(6):
                expected[n, row, column] = np.tensordot(padded[row : row + side, column : column + side], own, 3)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_demodulation_forgets_how_large_a_style_is_and_keeps_its_direction():
    x, style = (np.random.default_rng(0).standard_normal(shape).astype(np.float32) for shape in ((2, 4, 4, 8), (2, 8)))
    layer = stylegan.Modulated(6)
    np.testing.assert_allclose(layer([x, 7 * style]), layer([x, style]), rtol=1e-4, atol=1e-4)
    assert np.abs(layer([x, style[::-1]]) - layer([x, style])).max() > 0.1
    noise = np.random.default_rng(1).standard_normal((40, 16, 16, 8)).astype(np.float32)
    spread = layer([noise, np.repeat(style[:1], 40, 0)]).numpy()[:, 1:-1, 1:-1].std(axis=(0, 1, 2))
    np.testing.assert_allclose(spread, 2**0.5, rtol=0.05)


def test_pictures_are_folded_and_unfolded_and_doubled():
    x = np.random.default_rng(0).random((2, 6, 4, 3)).astype(np.float32)
    folded = stylegan.Fold()(x)
    assert folded.shape == (2, 3, 2, 12) and np.array_equal(stylegan.Unfold()(folded), x)
    assert set(folded.numpy()[0, 1, 1]) == set(x[0, 2:4, 2:4].ravel())
    assert np.array_equal(stylegan.Double()(x), x.repeat(2, axis=1).repeat(2, axis=2))


@pytest.mark.parametrize(("n", "group"), [(16, 8), (3, 3)])
def test_the_spread_of_a_group_is_the_last_channel(n, group):
    x = np.random.default_rng(0).standard_normal((n, 4, 4, 5)).astype(np.float32)
    found = stylegan.Spread()(x).numpy()
    assert np.array_equal(found[..., :5], x)
    for i in range(n):
        together = x[i % (n // group) :: n // group]
        np.testing.assert_allclose(found[i, ..., 5], np.sqrt(together.var(axis=0) + 1e-8).mean(), rtol=1e-4)
    assert stylegan.Spread()(np.repeat(x[:1], 8, 0)).numpy()[..., 5].max() < 1e-3, "all alike"


def test_equal_layers_begin_as_hes_and_differ_in_their_pace():
    x = np.random.default_rng(0).standard_normal((2000, 50)).astype(np.float32)
    for slow in (1.0, 0.1):
        layer = stylegan.Equal(30, gain=1.0, slow=slow, bias=0.5)
        y = layer(x).numpy()
        assert y.mean() == pytest.approx(0.5, abs=0.3) and y.std(axis=0).mean() == pytest.approx(1, rel=0.1)
        assert layer.kernel.numpy().std() == pytest.approx(1 / slow, rel=0.1)


# ------------------------------------------------------------------------------------------- training


def test_drawn_robots_stand_on_speckles_and_show_no_pair_that_is_held_out(training):
    x = training.world.draw(tf.constant([0, 3]), 40).numpy()
    read, far = robots.read(x, "speckles")
    assert robots.allowed(read).all() and far.max() < 0.1 and len(np.unique(read[:, 0])) > 5
    outside = robots.cover(read) == 0
    ground = (np.abs(x - 1).max(axis=-1) > 0.1)[outside].mean()
    told = (np.abs(robots.speckles(40, count=worlds.DISCS).background - 1).max(axis=-1) > 0.1)[outside].mean()
    assert ground == pytest.approx(told, rel=0.2)


def test_speckles_in_the_graph_are_those_outside_of_it():
    numbers = np.random.default_rng(7).random((4, worlds.DISCS, 6), dtype=np.float32)
    expected = robots.speckles(4, seed=7, count=worlds.DISCS).background
    np.testing.assert_allclose(worlds.speckled(numbers), expected, atol=1e-5)


def squares(x, training):
    """A discriminator whose slope at x is 2 x."""
    return tf.reduce_sum(x**2, [1, 2, 3])[:, None]


def test_the_losses_are_those_that_the_file_writes_down(training, monkeypatch):
    batch = training.draw(tf.constant([0, 1]), 16)
    discriminator = training.networks["discriminator"]
    real, first, second = (discriminator(x).numpy() for x in (batch[0], *(training.generate(batch, k) for k in (0, 1))))
    assert float(training.generator_loss(batch)) == pytest.approx(np.log1p(np.exp(real - second)).mean(), rel=1e-4)
    monkeypatch.setattr(training, "penalty", 0.0)
    plain = float(training.discriminator_loss(batch))
    assert plain == pytest.approx(np.log1p(np.exp(first - real)).mean(), rel=1e-4), "pair by pair"
    monkeypatch.setitem(training.networks, "discriminator", squares)
    without = float(training.discriminator_loss(batch))
    training.penalty = 2.0
    slope = float(training.discriminator_loss(batch)) - without
    seen = [x[:2].numpy() for x in (batch[0], training.generate(batch, 0))]  # an eighth of the batch
    assert slope == pytest.approx(sum(((2 * x) ** 2).sum() / 2 for x in seen), rel=1e-3)


def test_both_networks_of_the_generator_learn_from_the_verdict(training):
    batch = training.draw(tf.constant([0, 1]), 8)
    for name in ("mapping", "synthesis"):
        variables = training.networks[name].trainable_variables
        with tf.GradientTape() as tape:
            loss = training.generator_loss(batch)
        assert all(np.abs(slope).max() > 0 for slope in tape.gradient(loss, variables)), name


def test_mixed_styles_of_the_training_change_once(training):
    """Two z a picture, and the layer from which on the second rules; 6 where it never does."""
    first = np.concatenate([training.draw(tf.constant([0, step]), 64)[2].numpy().ravel() for step in range(8)])
    assert set(first) == set(range(1, 7)) and (first < 6).mean() == pytest.approx(training.mixed, abs=0.08)
    x, z, _, noise = training.draw(tf.constant([0, 1]), 4)
    both = (training.ready.styles(z[:, 0, k].numpy()) for k in (0, 1))
    expected = training.networks["synthesis"]([training.ready.mix(*both, [4, 5]), noise[:, 0].numpy()])
    np.testing.assert_allclose(training.generate((x, z, tf.constant([[4] * 2] * 4), noise), 0), expected, atol=1e-4)
    z = tf.concat([z[:, :, :1], z[:, :, :1]], axis=2)
    drawn = [training.generate((x, z, tf.constant([[k] * 2] * 4), noise), 0).numpy() for k in (1, 6)]
    np.testing.assert_allclose(drawn[0], drawn[1], atol=1e-5)


def test_four_robots_are_learned_by_heart():
    """The generator alone, on squares: four styles, one noise, four pictures."""
    keras.utils.set_random_seed(0)
    gan = stylegan.StyleGan.blank(small(NAME)._replace(options={"synthesis": {"widths": (32, 32, 32)}}))
    x, z = robots.render(robots.draw_robots(4, 1)), codes(gan, 4).astype(np.float32)
    networks, optimizer = gan.networks, keras.optimizers.Adam(0.01)
    variables = [v for network in networks.values() for v in network.trainable_variables]
    noise = tf.constant(gan.noise(4, 0))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            w = tf.repeat(networks["mapping"](z)[:, None], stylegan.LAYERS, axis=1)
            loss = tf.reduce_mean(tf.square(networks["synthesis"]([w, noise]) - x))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    losses = [float(step()) for _ in range(100)]
    assert losses[-1] < 0.1 * losses[0] and losses[-1] < 0.02


# ------------------------------------------------------------------------------------------- the ready object


def test_the_same_seed_gives_the_same_pictures_and_fewer_are_the_first(blank):
    x = blank.sample(6, 4)
    assert x.shape == (6, 32, 32, 3) and x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1
    assert np.array_equal(x, blank.sample(6, 4)) and not np.array_equal(x, blank.sample(6, 5))
    np.testing.assert_allclose(blank.sample(3, 4), x[:3], atol=1e-5)
    one, other = (blank.sample(2, seed, truncation=0) for seed in (4, 5))
    assert not np.array_equal(one, other) and not np.array_equal(*one), "noise is new for each seed and picture"


def test_truncation_nought_gives_one_picture_and_one_changes_nothing(blank):
    w, noise = blank.styles(codes(blank, 5)), np.repeat(blank.noise(1, 0), 5, axis=0)
    x = blank.draw(blank.truncate(w, 0), noise=noise)
    assert np.abs(x - x[0]).max() < 1e-6 and np.array_equal(blank.truncate(w, 1), w)
    middle = blank.truncate(w, 0.5)
    np.testing.assert_allclose(middle - blank.centre, (w - blank.centre) / 2, atol=1e-6)
    many = blank.styles(codes(blank, 4000, 7))
    assert (np.abs(many.mean(axis=0) - blank.centre) < 0.1 * many.std(axis=0)).all(), "the mean of many"
    np.testing.assert_allclose(blank.styles(7 * codes(blank, 5)), w, rtol=1e-4, atol=1e-5)  # z counts by its direction
    assert not np.allclose(blank.sample(5, 1, truncation=0.5), blank.sample(5, 1))


def test_mixing_no_layer_and_all_layers_gives_the_two_ends(blank):
    w, other = blank.styles(codes(blank, 8)).reshape(2, 4, -1)
    here, there = blank.draw(w, 1), blank.draw(other, 1)
    assert np.array_equal(blank.draw(blank.mix(w, other, []), 1), here)
    assert np.array_equal(blank.draw(blank.mix(w, other, range(6)), 1), there)
    one = blank.mix(w, other, [2])
    assert np.array_equal(one[:, 2], other) and np.array_equal(np.delete(one, 2, 1), np.delete(blank.each(w), 2, 1))
    assert np.array_equal(blank.mix(one, w, [2]), blank.each(w)) and np.abs(blank.draw(one, 1) - here).max() > 1e-3


def test_noise_of_a_layer_is_the_part_that_is_its_own(blank):
    """The last 256 numbers are the last layer's: one of them changes the 2 × 2 pixels of its place and no other."""
    w, noise = blank.styles(codes(blank, 1)), blank.noise(1, 0)
    other = noise.copy()
    other[0, -256 + 5 * 16 + 7] += 3
    changed = np.abs(blank.networks["synthesis"]([blank.each(w), other]) - blank.networks["synthesis"](
        [blank.each(w), noise])).max(axis=(0, -1))
    assert set(zip(*np.nonzero(changed > 1e-6), strict=True)) == {(r, c) for r in (10, 11) for c in (14, 15)}


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda gan: gan.sample(0, 0), ValueError, "n must be at least 1"),
    (lambda gan: gan.sample(2.5, 0), TypeError, "n"),
    (lambda gan: gan.sample(2, -1), ValueError, "seed must be at least 0"),
    (lambda gan: gan.sample(2, 0, truncation=-0.1), ValueError, "truncation must be at least 0"),
    (lambda gan: gan.sample(2, 0, truncation=np.nan), ValueError, "truncation"),
    (lambda gan: gan.styles(np.zeros((2, 9))), ValueError, "z has 9 numbers a picture"),
    (lambda gan: gan.styles(np.full((2, gan.latent), np.nan)), ValueError, "z"),
    (lambda gan: gan.draw(np.zeros((2, 3))), ValueError, r"w has shape \(2, 3\)"),
    (lambda gan: gan.draw(np.zeros((2, 5, gan.style))), ValueError, r"w has shape \(2, 5"),
    (lambda gan: gan.draw(np.zeros((2, gan.style)), noise=np.zeros((1, 912))), ValueError, r"expected \(2, 912\)"),
    (lambda gan: gan.mix(np.zeros((1, gan.style)), np.zeros((1, gan.style)), [6]), ValueError, "layers must be"),
    (lambda gan: gan.mix(np.zeros((1, gan.style)), np.zeros((2, gan.style)), [0]), ValueError, "other has shape"),
])
def test_bad_input_gets_one_clear_error(blank, call, error, message):
    with pytest.raises(error, match=message):
        call(blank)


def test_weights_of_another_model_are_refused(blank):
    from helpers import pretrained

    with pytest.raises(ValueError, match="weights belong to another model"):
        pretrained.put(blank.networks, pretrained.read("gan"))


# ------------------------------------------------------------------------------------------- reading and measuring


def test_robots_are_read_on_speckles():
    said = robots.draw_robots(150, 1)
    x = robots.render(said, background="speckles", seed=2)
    read, far = robots.read(x, "speckles")
    assert (read == said)[:, [0, 1, 2, 4, 5]].all() and (read == said).all(axis=1).mean() > 0.93
    assert (robots.read(x)[0] == said).all(axis=1).mean() < 0.9, "a robot was chosen to explain speckles"
    white, none = robots.read(robots.render(said), "speckles")
    assert np.array_equal(white, said) and none.max() < 1e-6
    expected = np.sqrt(np.sum(robots.cover(said)[..., None] * (x - robots.render(said)) ** 2, axis=(1, 2, 3))
                       / robots.cover(said).sum(axis=(1, 2)) / 3)
    same = (read == said).all(axis=1)
    np.testing.assert_allclose(far[same], expected[same], rtol=1e-3)


def test_no_robot_that_differs_in_one_attribute_costs_less_than_the_one_that_was_read():
    """The cost as the docstring writes it, for a damaged picture and all 54 neighbours of what was read."""
    rng = np.random.default_rng(0)
    x = robots.render(robots.draw_robots(6, 2), background="speckles", seed=3)
    x += 0.2 * rng.standard_normal(x.shape).astype(np.float32)

    def cost(picture, attributes):
        alpha, drawn = robots.cover(attributes), robots.render(attributes)
        ground = np.minimum(np.square(picture - 1).sum(-1), 3 * robots.SPECK)
        return (alpha * np.square(picture - drawn).sum(-1) + (1 - alpha) * ground).sum(axis=(-1, -2))

    for picture, read in zip(x, robots.read(x, "speckles")[0], strict=True):
        others = np.repeat(read[None], 60, axis=0)
        others[np.arange(60), np.arange(60) // 10] = np.arange(60) % 10
        assert cost(picture, others).min() > cost(picture, read[None])[0] - 1e-3


def test_cover_is_what_a_ground_does_not_show_through():
    said = robots.draw_robots(5, 0)
    black = robots.render(said, background=np.zeros((32, 32, 3)))
    np.testing.assert_allclose(1 - robots.cover(said), (robots.render(said) - black).mean(axis=-1), atol=1e-3)


class Known:
    """A model whose styles are attributes: layer k carries attribute k, and noise draws the ground."""

    latent, layers = 6, 6

    def styles(self, z):
        return np.floor(10 * (0.5 + np.arctan(np.asarray(z)) / np.pi)).clip(0, 9)

    def mix(self, w, other, layers):
        mixed = w.copy()
        mixed[:, list(layers)] = other[:, list(layers)]
        return mixed

    def noise(self, n, seed):
        return np.random.default_rng(seed).integers(0, 2**31, (n, 1))

    def draw(self, w, seed=0, noise=None):
        return worlds.on_speckles(np.rint(w).astype(int), seed)


def test_measures_find_what_a_known_model_does():
    world, known = worlds.SpeckledRobots(), Known()
    mixing = world.mixing(known, 20)
    for k, row in enumerate(mixing[f"layer {k} of another robot"] for k in range(6)):
        for name, share in row.items():
            assert share > 0.9 if name == robots.ATTRIBUTES[k] else share < 0.1
    assert min(mixing["layers 0 to 5 of another robot"].values()) == 1
    shaking = world.shaking(known, 20)
    assert shaking["colour"] == shaking["body"] == 0 and shaking["robot's pixels"] < 0.05 < 0.1 < shaking["ground"]
    walk = world.walking(known, "w", 4, steps=8)
    assert walk["within 0.06 on the way"] > 0.9 and walk["attributes changed"] >= walk["attributes to change"] > 2
    judged = world.judge(worlds.on_speckles(robots.draw_robots(300, 3), 4))
    assert judged["within 0.06"] > 0.95 and judged["within 0.06 over the picture"] == 1
    assert judged["bits"] > 3.2 and judged["pairs held out"] < 0.03
    one = world.judge(np.repeat(robots.render(robots.draw_robots(1, 3)), 5, axis=0))
    assert one["bits"] == pytest.approx(0, abs=1e-6) and one["most frequent value"] == 1 and one["rarest value"] == 0
