"""The networks before any training: shapes, losses, gradients, one batch learned by heart, samplers and solvers.

All networks here are tiny or untrained; tests/unit/test_weights.py is about the trained ones.
"""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from helpers.images import digits
from helpers.league import digit_tasks
from helpers.models import augment, classifier, denoiser, gan, inversion, restorer, vae
from helpers.operators import Blur, Identity, Mask
from helpers.recipes import RECIPES, Recipe
from tests.unit.worlds import step_down

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did

SMALL = {
    "classifier": {}, "denoiser": {"network": {"channels": (8, 8, 8)}, "patch": 24},
    "denoiser-colour": {"network": {"channels": (8, 8, 8), "colours": 3}, "patch": 24},
    "restorer": {"network": {"channels": (8, 8, 16)}}, "vae": {"network": {"latent": 4, "width": 8}},
    "gan": {"generator": {"latent": 6, "width": 8}, "discriminator": {"width": 8}},
    "inverter": {"network": {"width": 8}},
    "style-dahlia": {"network": {"widths": (6, 8, 12), "blocks": 1}, "patch": 24},
    **{name: {"network": {"widths": (8, 16), "down": (1, 1), "up": (1,)}}
       for name in RECIPES if name.startswith("diffusion")},
    "stylegan-robots": {"mapping": {"latent": 8, "style": 8, "depth": 2},
                        "synthesis": {"style": 8, "widths": (8, 8, 8)}, "discriminator": {"widths": (8, 8, 8)}},
    **{name: {"generator": {"widths": (8, 8, 8, 8)}, "discriminator": {"widths": (8, 8, 8)}}
       for name in RECIPES if name.startswith(("robots", "earth"))},
}


def small(name):
    """Return the shipped recipe of a model with a smaller network."""
    recipe = RECIPES[name]
    return recipe._replace(options=recipe.options | SMALL[name])


def stir(networks, scale=0.05, seed=0):
    """Add noise to every weight: nothing that starts at zero may hide a mistake."""
    rng = np.random.default_rng(seed)
    for network in networks.values():
        for variable in network.trainable_variables:
            variable.assign_add((scale * rng.standard_normal(variable.shape)).astype(np.float32))


@pytest.fixture(scope="module", autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def small_gan():
    keras.utils.set_random_seed(1)
    return gan.Gan.blank(small("gan"))


@pytest.fixture(scope="module")
def small_vae():
    keras.utils.set_random_seed(2)
    return vae.Vae.blank(small("vae"))


@pytest.fixture(scope="module")
def small_inverter(small_gan):
    keras.utils.set_random_seed(3)
    return inversion.Inverter.blank(small("inverter"), small_gan)


@pytest.fixture(scope="module")
def small_restorer():
    keras.utils.set_random_seed(4)
    made = restorer.Restorer.blank(small("restorer"))
    stir(made.networks)
    return made


@pytest.fixture(scope="module")
def small_denoiser():
    keras.utils.set_random_seed(5)
    made = denoiser.Denoiser.blank(small("denoiser"))
    stir(made.networks)
    return made


@pytest.fixture(scope="module")
def small_denoiser_of_colours():
    keras.utils.set_random_seed(5)
    made = denoiser.Denoiser.blank(small("denoiser-colour"))
    stir(made.networks)
    return made


@pytest.fixture(scope="module")
def small_classifier():
    keras.utils.set_random_seed(6)
    return classifier.Classifier.blank(small("classifier"))


def pictures(sizes=((40, 31), (25, 52))):
    rng = np.random.default_rng(0)
    return [(rng.integers(0, 256, size) / 255).astype(np.float32) for size in sizes]


def training(name, small_gan):
    recipe = small(name)
    colours = {"pictures": [np.stack([x, x.T.reshape(x.shape), 1 - x], -1) for x in pictures()]}
    arguments = {"denoiser": {"pictures": pictures()}, "inverter": {"gan": small_gan},
                 "style-dahlia": colours, "denoiser-colour": colours}
    arguments = arguments.get(name, {})
    if recipe.options.get("judged"):
        arguments["judge"] = None
    return recipe.module().Training(recipe, **arguments)


# ------------------------------------------------------------------------------------------- learning one batch

# the loss of one batch before and after some steps of Adam: by how much must it fall?
PLAYERS = {
    "classifier": ("classifier", 40, 2e-3, lambda before, after: after < 0.1 * before),
    "denoiser": ("denoiser", 60, 3e-3, lambda before, after: after < 0.6 * before),
    "restorer": ("restorer", 80, 5e-3, lambda before, after: after < before - 1.2),  # a logarithm
    "vae": ("vae", 60, 3e-3, lambda before, after: after < 0.5 * before),
    "discriminator": ("gan", 40, 3e-3, lambda before, after: after < 0.3 * before),
    "generator": ("gan", 40, 3e-3, lambda before, after: after < 0.5 * before),
    "encoder": ("inverter", 60, 3e-3, lambda before, after: after < 0.6 * before),
    "painter": ("style-dahlia", 60, 1e-2, lambda before, after: after < 0.3 * before),
    "diffusion": ("diffusion-digits", 80, 5e-3, lambda before, after: after < 0.3 * before),
}


@pytest.mark.parametrize("player", PLAYERS)
def test_gradients_reach_every_weight_and_one_batch_is_learned_by_heart(player, small_gan):
    name, steps, rate, enough = PLAYERS[player]
    keras.utils.set_random_seed(0)
    made = training(name, small_gan)
    assert [p.name for p in made.players] == [p for p in PLAYERS if PLAYERS[p][0] == name]
    (chosen,) = (p for p in made.players if p.name == player)
    variables = [v for network in chosen.networks for v in made.networks[network].trainable_variables]
    batch = made.draw(tf.constant([0, 1]), 8)
    optimizer = keras.optimizers.Adam(rate)
    step = step_down(lambda: chosen.loss(batch), variables, optimizer)
    start = [v.numpy() for v in variables]
    stir({network: made.networks[network] for network in chosen.networks}, 0.02)
    _, gradients = step()
    for variable, gradient in zip(variables, gradients, strict=True):
        assert gradient is not None, f"no gradient reaches {variable.path}"
        assert np.isfinite(gradient).all() and np.any(gradient != 0), f"a dead gradient at {variable.path}"
    for variable, value in zip([*variables, *optimizer.variables], [*start, *(0 * v for v in optimizer.variables)],
                               strict=True):
        if "learning_rate" not in variable.path:
            variable.assign(value)
    losses = [float(step()[0]) for _ in range(steps)]
    assert np.isfinite(losses).all()
    assert enough(losses[0], np.mean(losses[-3:])), f"{losses[0]:.4f} fell only to {losses[-1]:.4f}"


@pytest.mark.parametrize("name", SMALL)
def test_a_batch_is_a_function_of_the_seed(name, small_gan):
    made = training(name, small_gan)
    first, again, other = (tf.nest.flatten(made.draw(tf.constant([0, step]), 8)) for step in (4, 4, 5))
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a, b) and len(a) == 8 and np.isfinite(a).all()
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("name", RECIPES)
def test_the_table_of_recipes_holds_together(name):
    recipe = RECIPES[name]
    assert recipe.ready().__module__ == recipe.module().__name__ and recipe.module().Training
    assert recipe.steps > recipe.warmup and recipe.batch > 0 and recipe.what and recipe.data
    assert all(other in RECIPES for other in recipe.options.get("needs", []))
    assert recipe.fingerprint() == Recipe(**recipe._asdict()).fingerprint()


# -------------------------------------------------------------------------------------------- deformed digits


def test_no_deformation_at_strength_zero():
    x = digits().x_test[:20]
    np.testing.assert_allclose(augment.deform(tf.constant(x), tf.constant([0, 0]), 0.0), x, atol=1e-5)
    drawn, index = augment.draw_digits(tf.constant(x), tf.constant([0, 1]), 30, 0.0)
    np.testing.assert_allclose(drawn, x[index.numpy()], atol=1e-5)
    assert len(set(index.numpy())) > 10 and index.numpy().max() < 20


def test_deformed_digits_are_still_digits():
    x = np.repeat(digits().x_test[:1], 50, axis=0)
    seed = tf.constant([0, 3])
    bent = augment.deform(tf.constant(x), seed).numpy()
    assert np.array_equal(bent, augment.deform(tf.constant(x), seed)) and bent.shape == x.shape
    assert bent.min() >= 0 and bent.max() <= 1
    ink = bent.sum((1, 2, 3)) / x[0].sum()
    assert ink.min() > 0.6 and ink.max() < 1.6
    distance = np.abs(bent - x).mean((1, 2, 3))
    assert (distance > 0.01).all(), "each is deformed"
    assert np.std(distance) > 0 and not np.array_equal(bent[0], bent[1]), "and each in its own way"
    little = np.abs(augment.deform(tf.constant(x), seed, 0.2).numpy() - x).mean((1, 2, 3))
    assert little.mean() < 0.6 * distance.mean()


def test_reading_between_pixels():
    """Whole shifts move pixels, half a pixel is the mean of two, outside it is black."""
    x = np.random.default_rng(0).random((2, 6, 7, 3)).astype(np.float32)
    rows, columns = (np.broadcast_to(a, (2, 6, 7)).astype(np.float32) for a in np.mgrid[:6, :7])

    def read(down, right):
        return augment._sample(tf.constant(x), tf.constant(rows + down), tf.constant(columns + right)).numpy()

    np.testing.assert_allclose(read(0, 0), x, atol=1e-6)
    expected = np.zeros_like(x)
    expected[:, :5, 2:] = x[:, 1:, :5]
    np.testing.assert_allclose(read(1, -2), expected, atol=2e-3)  # one thousandth of the border shines through
    np.testing.assert_allclose(read(0, 0.5)[:, :, :6], (x[:, :, 1:] + x[:, :, :-1]) / 2, atol=1e-6)
    np.testing.assert_allclose(read(0.25, 0)[:, :5], 0.75 * x[:, :5] + 0.25 * x[:, 1:], atol=1e-6)
    np.testing.assert_allclose(read(20, -20), 0, atol=2e-3)


# ------------------------------------------------------------------------------------------------- classifier


def test_the_classifier_reads_the_most_probable_class(small_classifier):
    x = digits().x_test[:20]
    chance = small_classifier.probabilities(x)
    assert chance.shape == (20, 10) and np.allclose(chance.sum(1), 1, atol=1e-6) and (chance >= 0).all()
    assert np.array_equal(small_classifier.read(x), chance.argmax(1))
    assert small_classifier.features(x).shape == (20, 64)
    shares = small_classifier.coverage(x)
    assert shares.shape == (10,) and np.array_equal(20 * shares, np.bincount(small_classifier.read(x), minlength=10))


def test_the_classifier_takes_digits_of_any_rank_and_number(small_classifier):
    x = digits().x_train[:600]  # more than one part
    together = small_classifier.features(x)
    np.testing.assert_allclose(small_classifier.features(x[599, ..., 0]), together[599:], atol=1e-5)
    np.testing.assert_allclose(small_classifier.features(x[510:515, ..., 0]), together[510:515], atol=1e-5)


DIGITS = {"a row": np.zeros(28), "another size": np.zeros((2, 29, 28, 1)), "colour": np.zeros((2, 28, 28, 3)),
          "0-255": np.full((1, 28, 28, 1), 200.0), "NaN": np.full((1, 28, 28, 1), np.nan), "text": "seven",
          "empty": np.zeros((0, 28, 28, 1)), "None": None, "far below zero": np.full((28, 28), -9.0)}


@pytest.mark.parametrize("kind", DIGITS)
def test_what_is_no_digit_is_refused(kind, small_classifier, small_vae, small_gan):
    for call in (small_classifier.read, lambda x: small_vae.encode(x, 3), lambda x: small_gan.realism(x, 3)):
        with pytest.raises((ValueError, TypeError), match=r"^x "):
            call(DIGITS[kind])


# -------------------------------------------------------------------------------------------------- denoiser


def noisy(shape, seed=0):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


def test_a_denoiser_scales_with_its_input(small_denoiser):
    y = noisy((48, 40))
    once = small_denoiser(y, 0.1)
    assert np.abs(once - y).max() > 0.01
    for a in (0.2, 3.0):
        np.testing.assert_allclose(small_denoiser(a * y, a * 0.1), a * once, rtol=1e-4, atol=1e-5)


def test_no_output_depends_on_input_out_of_reach():
    """With positive weights every path is open: the gradient shows the whole field of view."""
    network = denoiser.build((2, 2, 2))
    for variable in network.trainable_variables:
        variable.assign(np.full(variable.shape, 0.1, np.float32))
    y = tf.ones((1, 256, 256, 2))
    for row, column in itertools.product((120, 127), (124, 130)):  # other places of the coarsest grid
        with tf.GradientTape() as tape:
            tape.watch(y)
            out = network(y)[0, row, column, 0]
        seen = np.argwhere(np.abs(tape.gradient(out, y)[0, ..., 0].numpy()) > 0)
        reach = np.abs(seen - [row, column]).max()
        assert 40 < reach <= denoiser.REACH


def test_tiles_leave_no_seam(small_denoiser, monkeypatch):
    y = noisy((300, 261))
    whole = small_denoiser(y, 0.2, tile=512)
    for tile in (64, 128):
        np.testing.assert_allclose(small_denoiser(y, 0.2, tile=tile), whole, atol=1e-4)
    monkeypatch.setattr(denoiser, "REACH", 8)
    assert np.abs(small_denoiser(y, 0.2, tile=64) - whole).max() > 1e-3, "this picture would show a seam"


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (17, 23), (8, 8), (9, 16)])
def test_any_size_is_welcome(shape, small_denoiser):
    y = noisy(shape)
    before = y.copy()
    x = small_denoiser(y, 0.1)
    assert x.shape == shape and x.dtype == np.float32 and np.isfinite(x).all()
    assert np.array_equal(y, before) and not np.shares_memory(x, y)


def test_colour_is_three_channels_alone(small_denoiser):
    y = noisy((20, 30, 3))
    x = small_denoiser(y, 0.1)
    assert x.shape == y.shape
    for c in range(3):
        assert np.array_equal(x[..., c], small_denoiser(y[..., c], 0.1))


def test_a_denoiser_of_colours_looks_at_all_three_at_once(small_denoiser_of_colours):
    y = noisy((300, 44, 3))
    x = small_denoiser_of_colours(y, 0.1)
    assert x.shape == y.shape and x.dtype == np.float32
    np.testing.assert_allclose(small_denoiser_of_colours(y, 0.1, tile=64), x, atol=1e-4)
    np.testing.assert_allclose(small_denoiser_of_colours(2 * y, 0.2), 2 * x, rtol=1e-4, atol=1e-5)
    other = y.copy()
    other[..., 2] += 0.1
    assert np.abs(small_denoiser_of_colours(other, 0.1)[..., :2] - x[..., :2]).max() > 1e-3
    for grey in (y[..., 0], y[..., :1], y[..., :2]):
        with pytest.raises(ValueError, match=r"y must be a colour picture \(H, W, 3\)"):
            small_denoiser_of_colours(grey, 0.1)


def test_patches_of_colours_keep_their_channels(small_gan):
    """Of the three channels of the test's pictures the third is one minus the first."""
    y, x = (a.numpy() for a in training("denoiser-colour", small_gan).draw(tf.constant([0, 1]), 16))
    assert x.shape == (16, 24, 24, 3) and y.shape == (16, 24, 24, 4)
    np.testing.assert_allclose(x[..., 0] + x[..., 2], 1, atol=0.005)
    noise = (y[..., :3] - x).reshape(-1, 3) / np.maximum(y[..., 3:], 1e-3).repeat(3, -1).reshape(-1, 3)
    assert np.abs(np.corrcoef(noise.T) - np.eye(3)).max() < 0.05, "each channel has noise of its own"


def test_float64_stays_float64(small_denoiser):
    y = noisy((20, 30)).astype(np.float64)
    x = small_denoiser(y, 0.1)
    assert x.dtype == np.float64
    np.testing.assert_allclose(x, small_denoiser(y.astype(np.float32), 0.1), atol=1e-6)


def test_the_noise_level_matters_and_may_be_zero(small_denoiser):
    y = noisy((24, 24))
    quiet = small_denoiser(y, 0)
    assert np.isfinite(quiet).all() and np.abs(small_denoiser(y, 0.2) - quiet).max() > 1e-3


def test_an_untrained_block_does_nothing():
    """The second convolutions start at zero: only the first, the last and the crossings act."""
    network = denoiser.build((8, 8, 8))
    zeros = [v for v in network.trainable_variables if not np.any(v.numpy())]
    assert len(zeros) == 7, "one for each residual block"


@pytest.mark.parametrize(("arguments", "message"), [
    ((np.zeros(5), 0.1), "y"), ((np.full((9, 9), np.nan), 0.1), "y"), ((np.zeros((0, 8)), 0.1), "y"),
    ((np.zeros((8, 8)), -0.1), "sigma"), ((np.zeros((8, 8)), 25), "25/255"), ((np.zeros((8, 8)), None), "sigma"),
    ((np.zeros((8, 8)), 0.1, 60), "tile"), ((np.zeros((8, 8)), 0.1, 0), "tile"),
    ((np.zeros((8, 8)), 0.1, 64.0), "tile"),
])
def test_a_denoiser_refuses_plainly(arguments, message, small_denoiser):
    with pytest.raises((ValueError, TypeError), match=message):
        small_denoiser(*arguments)


def test_patches_are_windows_of_the_pictures_under_noise(small_gan):
    made = training("denoiser", small_gan)
    windows = {np.ascontiguousarray(turned[i : i + 24, j : j + 24]).tobytes()
               for picture in pictures() for turned in symmetries(np.rint(255 * picture).astype(np.uint8))
               for i in range(turned.shape[0] - 23) for j in range(turned.shape[1] - 23)}
    found, levels, shown = set(), [], set()
    for step in range(12):
        y, x = (a.numpy() for a in made.draw(tf.constant([0, step]), 16))
        assert x.shape == (16, 24, 24, 1) and y.shape == (16, 24, 24, 2)
        patches = np.rint(255 * x[..., 0]).astype(np.uint8)
        np.testing.assert_allclose(x[..., 0], patches / 255, atol=1e-6)
        assert all(patch.tobytes() in windows for patch in patches)
        shown |= {patch.tobytes() for patch in patches}
        sigma = y[:, 0, 0, 1]
        assert (y[..., 1] == sigma[:, None, None]).all() and (sigma >= 0).all() and (sigma <= 55 / 255).all()
        noise = y[..., 0] - x[..., 0]
        np.testing.assert_allclose(noise.std((1, 2)), sigma, rtol=0.25, atol=1e-4)
        levels += list(sigma)
        found.add(tuple(which_symmetry(patches[0])))
    assert len(shown) > 150 and min(levels) < 0.02 and max(levels) > 0.19
    assert len(found) >= 5, "mirrored and turned"


def symmetries(picture):
    for turned in (picture, picture.T):
        for mirrored in (turned, turned[::-1]):
            yield from (mirrored, mirrored[:, ::-1])


def which_symmetry(patch):
    """Return which of the eight symmetries leads from the pictures to a patch."""
    for k, picture in itertools.product(range(8), pictures()):
        turned = list(symmetries(np.rint(255 * picture).astype(np.uint8)))[k]
        for i, j in itertools.product(range(turned.shape[0] - 23), range(turned.shape[1] - 23)):
            if np.array_equal(turned[i : i + 24, j : j + 24], patch):
                return [k]
    raise AssertionError("no window")


def test_a_picture_smaller_than_a_patch_is_refused():
    with pytest.raises(ValueError, match="photos: the smallest side is 20 pixels, but patches have 24"):
        denoiser.Training(small("denoiser"), pictures(((40, 40), (30, 20))))


# -------------------------------------------------------------------------------------------------- restorer


def test_drawn_damages_are_of_four_kinds():
    count = 800
    x = tf.constant(0.1 + 0.8 * noisy((count, 28, 28, 1)))
    y, mask, sigma = (a.numpy() for a in restorer.draw_damage(x, tf.constant([0, 1])))
    assert set(np.unique(mask)) == {0, 1} and y.shape == mask.shape == sigma.shape == x.shape
    level = sigma[:, 0, 0, 0]
    assert (sigma == level[:, None, None, None]).all()
    loud = level > 0
    assert np.array_equal((y - mask * x)[~loud], np.zeros_like(y[~loud])), "no noise where none is announced"
    assert mask[loud].all() and 0.2 < loud.mean() < 0.3
    np.testing.assert_allclose((y - x.numpy())[loud].std((1, 2, 3)), level[loud], rtol=0.15)
    assert level[loud].min() >= 0.05 and level.max() <= 0.7
    lost = 1 - mask[..., 0]
    below = np.array([(a[-1] == 1).all() and np.array_equal(a, np.sort(a, axis=0)) for a in lost])
    hole = np.array([is_rectangle(a) for a in lost]) & ~below
    scattered = ~loud & ~below & ~hole
    for kind in (below, hole, scattered):
        assert 0.2 < kind.mean() < 0.3
    assert lost[scattered].mean((1, 2)).min() > 0.35 and lost[scattered].mean((1, 2)).max() < 0.95
    usual = {"hole": hole, "half": below, "missing75": scattered, "noise50": loud}
    shares = {}
    for task, kind in usual.items():
        _, (operator,), level_of_task = digit_tasks.damage(np.zeros((1, 28, 28, 1)), task)
        if task == "missing75":
            shares[task] = np.mean(np.abs(lost[kind].mean((1, 2)) - 0.75) < 0.04)
        elif task == "noise50":
            shares[task] = np.mean(np.abs(level[kind] - level_of_task) < 1e-6)
        else:
            shares[task] = np.mean([np.array_equal(a, 1 - operator.mask) for a in lost[kind]])
    assert all(0.6 < share < 0.85 for share in shares.values()), shares


def is_rectangle(a):
    rows, columns = np.flatnonzero(a.any(1)), np.flatnonzero(a.any(0))
    return len(rows) > 0 and a[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all() \
        and a.sum() == (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)


def test_known_pixels_stay_as_they_are(small_restorer):
    x = digits().x_test[:6]
    for task in digit_tasks.TASKS:
        y, operators, sigma = digit_tasks.damage(x, task)
        x_hat = small_restorer.restore(y, operators, sigma)
        assert x_hat.shape == x.shape and x_hat.min() >= 0 and x_hat.max() <= 1
        if sigma:
            assert not np.array_equal(x_hat, y)
        else:
            known = np.stack([operator.mask for operator in operators])[..., None] > 0
            assert np.array_equal(x_hat[known], y[known])
            assert np.any(x_hat[~known] != 0)


def test_a_batch_is_restored_like_its_digits_one_by_one(small_restorer):
    x = digits().x_train[:300]  # more than one part
    y, operators, sigma = digit_tasks.damage(x, "missing75")
    together = small_restorer.restore(y, operators, sigma)
    for i in (0, 255, 256, 299):
        one = small_restorer.restore(y[i, ..., 0], operators[i], sigma)
        assert one.shape == (28, 28)
        np.testing.assert_allclose(one, together[i, ..., 0], atol=1e-5)
    hole = Mask.block((28, 28), 14)
    shared = small_restorer.restore(y[:2], hole, 0.0)
    np.testing.assert_allclose(shared, small_restorer.restore(y[:2], [hole, hole], 0.0), atol=1e-6)


def test_mask_and_noise_level_are_looked_at(small_restorer):
    y = np.full((28, 28), 0.5)
    loud, quiet = (small_restorer.restore(y, Identity(), sigma) for sigma in (0.6, 0.1))
    assert np.abs(loud - quiet).max() > 1e-3
    y = np.zeros((28, 28))  # nothing to see in either
    left, right = (small_restorer.restore(y, Mask(mask), 0.0) for mask in (np.tri(28), 1 - np.tri(28)))
    assert np.abs(left - right).max() > 1e-3


Y = np.zeros((28, 28))
BAD_MEASUREMENTS = [
    ((np.zeros((28, 27)), Identity(), 0.1), "y must have shape"),
    ((np.zeros((2, 28, 28)), Identity(), 0.1), "y must have"),
    ((np.zeros((2, 28, 28, 3)), Identity(), 0.1), "y must have shape"),
    ((np.zeros((0, 28, 28, 1)), Identity(), 0.1), "y is empty"),
    ((np.full((28, 28), np.nan), Identity(), 0.1), "y must be finite"),
    ((np.full((28, 28), 200.0), Identity(), 0.1), "divide 0-255 data by 255"),
    (("seven", Identity(), 0.1), "y"),
    ((Y, Mask(np.ones((12, 12))), 0.0), r"operator: its mask has shape \(12, 12\)"),
    ((Y, Blur.gaussian(1), 0.1), r"operator .*blur.* is unknown"),
    ((Y, "hole", 0.1), r"operator .*hole.* is unknown"),
    ((Y, None, 0.1), r"operator .*None.* is unknown"),
    ((np.zeros((3, 28, 28, 1)), [Identity()] * 2, 0.1), "operator has 2 entries, expected 3"),
    ((Y, Identity(), -0.1), "sigma"), ((Y, Identity(), 25), "25/255"), ((Y, Identity(), None), "sigma"),
]


@pytest.mark.parametrize(("measurement", "message"), BAD_MEASUREMENTS)
def test_a_measurement_that_makes_no_sense_is_refused(measurement, message, small_restorer, small_inverter):
    for restore in (small_restorer.restore, small_inverter.restore, small_inverter.answers):
        with pytest.raises((ValueError, TypeError), match=message):
            restore(*measurement)


# ------------------------------------------------------------------------------------------------------- VAE


def linear_vae(kernel, offset, tau, encode, log_variance):
    """Return a VAE whose decoder is x = W z + b_c, and whose encoder is m = E (x - b_c) with a fixed variance."""
    pixels, latent = kernel.shape
    x, label = keras.Input((*PICTURE, 1)), keras.Input((10,))
    flat, shift = layers.Flatten()(x), layers.Dense(pixels, use_bias=False, name="offset")(label)
    mean = layers.Dense(latent, use_bias=False, name="encode")(layers.Subtract()([flat, shift]))
    spread = layers.Dense(latent, kernel_initializer="zeros", name="log_variance")(flat)
    encoder = keras.Model([x, label], [mean, spread])
    z, label = keras.Input((latent,)), keras.Input((10,))
    drawn = layers.Add()([layers.Dense(pixels, use_bias=False, name="decode")(z),
                          layers.Dense(pixels, use_bias=False, name="offset")(label)])
    decoder = keras.Model([z, label], layers.Reshape((*PICTURE, 1))(drawn))
    encoder.get_layer("offset").set_weights([offset])
    encoder.get_layer("encode").set_weights([encode.T])
    encoder.get_layer("log_variance").set_weights([np.zeros((pixels, latent)), log_variance])
    decoder.get_layer("decode").set_weights([kernel.T])
    decoder.get_layer("offset").set_weights([offset])
    noise = vae._noise()
    noise.set_weights([np.full((1, 1), np.log(tau))])
    return {"encoder": encoder, "decoder": decoder, "noise": noise}


PICTURE = (2, 3)


def test_the_bound_is_below_the_likelihood_by_the_error_of_the_encoder():
    """For a linear decoder, log p(x) and the true posterior are known: log p(x) - ELBO = KL(q ‖ posterior)."""
    rng = np.random.default_rng(0)
    pixels, latent, tau, draws = 6, 2, 0.4, 8000
    kernel = np.linalg.qr(rng.standard_normal((pixels, latent)))[0] * [1.3, 0.6]  # then the posterior is a diagonal one
    offset = rng.standard_normal((10, pixels))
    variance = 1 / (1 + (kernel**2).sum(0) / tau**2)
    best = variance[:, None] * kernel.T / tau**2
    x, c = rng.standard_normal(pixels) + offset[4], 4

    covariance = kernel @ kernel.T + tau**2 * np.eye(pixels)
    centred = x - offset[c]
    log_likelihood = -0.5 * (centred @ np.linalg.solve(covariance, centred) + np.linalg.slogdet(covariance)[1]
                             + pixels * np.log(2 * np.pi))

    def elbo(encode, variance_q):
        networks = linear_vae(kernel, offset, tau, encode, np.log(variance_q))
        batch = tf.constant(np.repeat(x.reshape(1, *PICTURE, 1), draws, 0), tf.float32)
        label = tf.constant(np.repeat(np.eye(10)[[c]], draws, 0), tf.float32)
        likelihood, divergence = vae.bound(networks, batch, label, tf.random.stateless_normal([draws, latent], [0, 1]))
        values = (likelihood - divergence).numpy().astype(np.float64)
        assert values.shape == (draws,)
        return values.mean(), values.std() / np.sqrt(draws)

    def kl(mean_q, variance_q):
        mean = best @ centred
        return 0.5 * np.sum(np.log(variance / variance_q) - 1 + (variance_q + (mean_q - mean) ** 2) / variance)

    mean, error = elbo(best, variance)
    assert error < 0.02 and abs(mean - log_likelihood) < 4 * error + 1e-3
    for encode, variance_q in [(0.7 * best, variance), (best, 1.6 * variance), (best, 0.5 * variance),
                               (best + 0.2 * rng.standard_normal(best.shape), 1.1 * variance),
                               (0 * best, np.ones(latent))]:
        mean, error = elbo(encode, variance_q)
        gap = kl(encode @ centred, variance_q)
        assert gap > 0.02, "this encoder should be worse"
        assert abs(log_likelihood - mean - gap) < 4 * error + 1e-3
        assert mean < log_likelihood + 4 * error


def test_the_loss_of_the_vae_is_minus_its_bound(small_gan):
    made = training("vae", small_gan)
    x, label, noise = made.draw(tf.constant([0, 0]), 8)
    assert x.shape == (8, 28, 28, 1) and np.array_equal(label.numpy().sum(1), np.ones(8))
    likelihood, divergence = vae.bound(made.networks, x, label, noise)
    assert np.all(divergence.numpy() >= 0)
    assert float(made.loss((x, label, noise))) == pytest.approx(-np.mean(likelihood - divergence) / 784, rel=1e-5)


def test_a_vae_encodes_and_decodes(small_vae):
    x = digits().x_test[:7]
    mean, std = small_vae.encode(x, 3)
    assert mean.shape == std.shape == (7, 4) and (std > 0).all()
    each = small_vae.encode(x, np.arange(7))[0]
    assert np.array_equal(each[3], mean[3]) and not np.array_equal(each[4], mean[4]), "the class is looked at"
    assert small_vae.decode(mean, 3).shape == x.shape
    bound = small_vae.elbo(x, 3)
    assert bound.shape == (7,) and np.array_equal(bound, small_vae.elbo(x, 3))
    assert not np.array_equal(bound, small_vae.elbo(x, 3, seed=1))


# ------------------------------------------------------------------------------------------------- samplers


@pytest.fixture(params=["gan", "vae"])
def sampler(request):
    return request.getfixturevalue(f"small_{request.param}")


def draw(sampler, z, label):
    return sampler.generate(z, label) if hasattr(sampler, "generate") else sampler.decode(z, label)


def test_the_seed_decides_the_sample(sampler):
    first = sampler.sample(5, seed=3)
    assert first.shape == (5, 28, 28, 1) and first.dtype == np.float32 and first.min() >= 0 and first.max() <= 1
    assert np.array_equal(first, sampler.sample(5, seed=3))
    assert not np.array_equal(first, sampler.sample(5, seed=4))
    assert len(np.unique(first.reshape(5, -1), axis=0)) == 5


def test_the_label_is_looked_at(sampler):
    one, other = sampler.sample(4, 0, label=1), sampler.sample(4, 0, label=7)
    assert (np.abs(one - other).max((1, 2, 3)) > 1e-4).all()
    mixed = sampler.sample(4, 0, label=[1, 7, 1, 7])
    np.testing.assert_allclose(mixed, np.where(np.array([1, 0, 1, 0])[:, None, None, None], one, other), atol=1e-6)
    assert np.array_equal(sampler.sample(1, 0, label=np.int64(1)), sampler.sample(1, 0, label=[1]))


def test_many_samples_come_in_parts(sampler):
    z = np.random.default_rng(0).standard_normal((1001, sampler.latent))
    labels = np.arange(1001) % 10
    x = draw(sampler, z, labels)
    assert x.shape == (1001, 28, 28, 1)
    for part in (slice(498, 502), slice(1000, None)):
        np.testing.assert_allclose(x[part], draw(sampler, z[part], labels[part]), atol=1e-5)


@pytest.mark.parametrize(("arguments", "message"), [
    ((0, 0), "n"), ((-1, 0), "n"), ((2.0, 0), "n"), ((None, 0), "n"), ((True, 0), "n"),
    ((2, -1), "seed"), ((2, 0.5), "seed"), ((2, None), "seed"),
    ((2, 0, 10), "label.*10 came"), ((2, 0, -1), "label.*-1 came"), ((2, 0, 3.0), "label"), ((2, 0, "3"), "label"),
    ((2, 0, True), "label"), ((2, 0, [1, 2, 3]), r"label has shape \(3,\)"), ((2, 0, [[1, 2]]), "label has shape"),
    ((2, 0, [1, 12]), "label.*12 came"), ((2, 0, []), "label"),
])
def test_a_sampler_refuses_plainly(sampler, arguments, message):
    with pytest.raises((ValueError, TypeError), match=r"^" + message):
        sampler.sample(*arguments)


def test_latent_codes_of_another_width_are_refused(sampler):
    width = sampler.latent
    for z, message in [(np.zeros((2, width + 1)), f"z has {width + 1} numbers"), (np.zeros(width), "z must have"),
                       (np.full((2, width), np.nan), "z must be finite"), (np.zeros((0, width)), "z is empty")]:
        with pytest.raises(ValueError, match=message):
            draw(sampler, z, 3)


def test_codes_and_pictures_need_a_label(sampler):
    with pytest.raises((ValueError, TypeError), match="label"):
        draw(sampler, np.zeros((2, sampler.latent)), None)


# ------------------------------------------------------------------------------------------------------- GAN


def test_the_disturbance_shifts_and_cuts_the_whole_batch_alike():
    x = 0.1 + 0.9 * noisy((3, 28, 28, 1))
    shifts, cuts = set(), set()
    for step in range(30):
        out = gan.disturb(tf.constant(x), tf.constant([0, step])).numpy()
        padded = np.pad(x, [(0, 0), (3, 3), (3, 3), (0, 0)])
        (shift,) = [(i, j) for i in range(7) for j in range(7)
                    if np.array_equal(np.where(out > 0, padded[:, i : i + 28, j : j + 28], 0), out)]
        moved = padded[:, shift[0] : shift[0] + 28, shift[1] : shift[1] + 28]
        cut = (moved > 0) & (out == 0)
        assert (cut == cut[:1]).all() and cut[0].sum() <= 81 and (is_rectangle(cut[0, ..., 0]) or not cut.any())
        shifts.add(shift)
        cuts.add(int(cut[0].sum()))
    assert len(shifts) > 12 and max(cuts) == 81 and min(cuts) < 40


def test_the_penalty_is_the_squared_slope_at_real_digits(small_gan):
    """For a discriminator w · x the slope is w everywhere, and R1 adds ½ γ |w|²."""
    made = training("gan", small_gan)
    x, label = keras.Input((28, 28, 1)), keras.Input((10,))
    linear = keras.Model([x, label], layers.Dense(1)(layers.Flatten()(x)))
    made.networks = made.networks | {"discriminator": linear}
    w = linear.trainable_variables[0].numpy()
    batch = made.draw(tf.constant([0, 0]), 8)
    losses = []
    for made.penalty in (0.0, 0.3):
        losses.append(float(made.discriminator_loss(batch)))
    assert losses[1] - losses[0] == pytest.approx(0.5 * 0.3 * np.sum(w**2), rel=1e-3)


def test_the_losses_of_the_gan_at_a_blind_discriminator(small_gan):
    """If D answers 0 to everything, both players' losses are what an even chance costs."""
    made = training("gan", small_gan)
    last = made.networks["discriminator"].layers
    for layer in last:
        if layer.weights:
            layer.set_weights([0 * w for w in layer.get_weights()])
    batch = made.draw(tf.constant([0, 0]), 8)
    assert float(made.discriminator_loss(batch)) == pytest.approx(2 * np.log(2), rel=1e-5)
    assert float(made.generator_loss(batch)) == pytest.approx(np.log(2), rel=1e-5)


def test_realism_is_the_logit_of_the_discriminator(small_gan):
    x = digits().x_test[:3]
    logits = small_gan.networks["discriminator"]([x, np.eye(10, dtype=np.float32)[[5, 5, 5]]]).numpy()[:, 0]
    assert small_gan.realism(x, 5).shape == (3,)
    np.testing.assert_allclose(small_gan.realism(x, 5), logits, atol=1e-5)


# -------------------------------------------------------------------------------------------- GAN inversion


def test_a_batch_of_the_inverter_alternates(small_gan):
    made = training("inverter", small_gan)
    z, label, x, damaged = (a.numpy() for a in made.draw(tf.constant([0, 0]), 8))
    assert z.shape == (8, 6) and x.shape == (8, 28, 28, 1) and damaged.shape == (8, 28, 28, 3)
    assert (z[1::2] == 0).all() and (z[::2] != 0).all()
    np.testing.assert_allclose(x[::2], small_gan.generate(z[::2], label[::2].argmax(1)), atol=1e-5)
    assert all(np.abs(one - x[::2]).max() > 0.1 for one in x[1::2])


def test_real_digits_have_no_code_to_be_learned(small_gan):
    """What stands in the place of their z must not matter; the z of generated ones must."""
    made = training("inverter", small_gan)
    z, *rest = made.draw(tf.constant([0, 0]), 8)
    real = np.arange(8)[:, None] % 2
    loss = float(made.loss((z, *rest)))
    assert float(made.loss((z + 3.0 * real, *rest))) == pytest.approx(loss, rel=1e-6)
    assert float(made.loss((z + 3.0 * (1 - real), *rest))) > loss + 1


def test_the_objective_is_the_formula(small_inverter):
    rng = np.random.default_rng(0)
    z, label = rng.standard_normal((3, 6)).astype(np.float32), np.array([1, 5, 9])
    y, mask, sigma = noisy((3, 28, 28, 1)), (rng.random((3, 28, 28, 1)) < 0.5).astype(np.float32), 0.2
    spread = np.float32(1 / (2 * (sigma**2 + inversion.GENERATOR_ERROR**2)))
    one_hot = np.eye(10, dtype=np.float32)[label]
    x, loss = small_inverter._objective(tf.constant(z), tf.constant(one_hot), mask * y, mask, spread, 0.7)
    by_hand = small_inverter.gan.generate(z, label)
    np.testing.assert_allclose(x, by_hand, atol=1e-5)
    chance = 1 / (1 + np.exp(-small_inverter.gan.realism(by_hand, label)))
    expected = ((mask * (by_hand - y)) ** 2).sum((1, 2, 3)) / (2 * (sigma**2 + inversion.GENERATOR_ERROR**2)) \
        + 0.5 * (z**2).sum(1) - 0.7 * np.log(chance)
    np.testing.assert_allclose(loss, expected, rtol=1e-4)


@pytest.mark.parametrize("start", inversion.STARTS)
def test_the_search_lowers_the_objective(small_inverter, start):
    y, operators, sigma = digit_tasks.damage(digits().x_test[:2], "hole")
    before, after = (small_inverter.answers(y, operators, sigma, restarts=4, steps=steps, start=start)
                     for steps in (0, 30))
    assert before.x.shape == after.x.shape == (2, 4, 28, 28, 1) and after.loss.shape == after.label.shape == (2, 4)
    assert (after.loss.min(1) < before.loss.min(1) - 10).all() and after.loss.mean() < before.loss.mean() - 30
    for found in (before, after):
        assert (np.diff(found.loss, axis=1) >= 0).all(), "the best-explained first"


def test_answers_belong_to_their_seed_and_measurement(small_inverter):
    y, operators, sigma = digit_tasks.damage(digits().x_test[:2], "half")
    settings = {"restarts": 4, "steps": 5}
    first = small_inverter.answers(y, operators, sigma, seed=1, **settings)
    again = small_inverter.answers(y, operators, sigma, seed=1, **settings)
    other = small_inverter.answers(y, operators, sigma, seed=2, **settings)
    assert np.array_equal(first.x, again.x) and np.array_equal(first.loss, again.loss)
    assert not np.array_equal(first.x, other.x)
    assert not np.array_equal(first.x[0], first.x[1])


def test_random_starts_try_every_class(small_inverter):
    found = small_inverter.answers(Y, Identity(), 0.5, restarts=20, steps=0, start="random")
    assert np.array_equal(np.bincount(found.label[0], minlength=10), np.full(10, 2))


def test_the_first_start_is_the_best_guess(small_inverter):
    """A single start from the encoder holds no chance: any seed gives the same."""
    y, operators, sigma = digit_tasks.damage(digits().x_test[:2], "noise50")
    one, other = (small_inverter.answers(y, operators, sigma, seed, restarts=1, steps=0).x for seed in (1, 2))
    assert np.array_equal(one, other)


def test_restore_gives_one_answer_or_several(small_inverter):
    y, operators, sigma = digit_tasks.damage(digits().x_test[:2], "hole")
    settings = {"restarts": 3, "steps": 2}
    known = np.stack([operator.mask for operator in operators])[..., None] > 0
    one = small_inverter.restore(y, operators, sigma, **settings)
    several = small_inverter.restore(y, operators, sigma, n=3, **settings)
    assert one.shape == y.shape and several.shape == (2, 3, 28, 28, 1)
    assert np.array_equal(one[known], y[known]) and np.array_equal(several[:, 2][known], y[known])
    np.testing.assert_allclose(several[:, 0], one, atol=1e-6)
    assert not np.array_equal(several[:, 0], several[:, 1])
    assert small_inverter.restore(y[0, ..., 0], operators[0], sigma, **settings).shape == (28, 28)
    assert small_inverter.restore(y[0, ..., 0], operators[0], sigma, n=4, **settings).shape == (4, 28, 28)
    y, operators, sigma = digit_tasks.damage(digits().x_test[:1], "noise50")
    assert not np.any(small_inverter.restore(y, operators, sigma, **settings) == y), "noise is not put back"


@pytest.mark.parametrize(("settings", "message"), [
    ({"seed": -1}, "seed"), ({"n": 0}, "n"), ({"restarts": 0}, "restarts"), ({"steps": -1}, "steps"),
    ({"steps": 1.5}, "steps"), ({"start": "encoders"}, "did you mean 'encoder'"), ({"realism": -1}, "realism"),
    ({"realism": None}, "realism"),
])
def test_a_search_refuses_plainly(small_inverter, settings, message):
    with pytest.raises((ValueError, TypeError), match=message):
        small_inverter.restore(Y, Identity(), 0.1, **settings)


# ------------------------------------------------------------------------------------------------ other pictures


def test_networks_are_built_for_pictures_of_another_size_and_colour():
    shape, label = (16, 24, 3), tf.eye(2, 10)
    x = np.random.default_rng(0).random((2, *shape), np.float32)
    logits, features = classifier.build((8, 8), 16, shape)(x)
    assert logits.shape == (2, 10) and features.shape == (2, 16)
    pair = vae.build(4, 8, shape)
    mean, log_variance = pair["encoder"]([tf.constant(x), label])
    assert mean.shape == log_variance.shape == (2, 4) and pair["decoder"]([mean, label]).shape == x.shape
    assert gan.build_generator(6, 8, shape)([tf.zeros((2, 6)), label]).shape == x.shape
    assert gan.build_discriminator(8, shape)([tf.constant(x), label]).shape == (2, 1)
    assert restorer.build((8, 8, 16), shape)(np.zeros((2, 16, 24, 5))).shape == x.shape


def test_a_classifier_reads_pictures_of_its_own_shape_and_refuses_others():
    judge = classifier.Classifier({"classifier": classifier.build((8, 8), 16, (16, 24, 3))})
    assert judge.features(np.zeros((16, 24, 3))).shape == (1, 16) and judge.read(np.zeros((4, 16, 24, 3))).shape == (4,)
    with pytest.raises(ValueError, match=r"must have shape \(N, 16, 24, 3\), but its shape is \(2, 28, 28, 1\)"):
        judge.read(np.zeros((2, 28, 28, 1)))


def test_the_disturbance_of_the_gan_keeps_the_shape_of_square_pictures():
    x = tf.ones((2, 20, 20, 3))
    found = gan.disturb(x, np.array([3, 1]))
    assert found.shape == x.shape and 0 < tf.reduce_mean(found) < 1
