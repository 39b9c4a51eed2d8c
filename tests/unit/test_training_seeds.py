"""What a training draws is new in every step and for every example, and every number of a recipe reaches the optimizer.

Where all data are alike, only chance can make two batches differ: there a noise that stands still shows.
"""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import images
from helpers.models import denoiser, vae
from helpers.training import Loop
from tests.unit import toy
from tests.unit.worlds import DISTINCT, paint, put_digits, random_digits, small, training

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did
BATCH = 16
COLOURED = ("style-dahlia", "sr-pixel")  # trained on photographs in colour, without noise


def draw(made, seed, step):
    return [t.numpy() for t in tf.nest.flatten(made.draw(tf.constant([seed, step]), BATCH))]


def rows(tensor):
    return len(np.unique(tensor.reshape(len(tensor), -1), axis=0))


def given(name, *pictures):
    """Return the pictures as arguments of a training that wants some, grey or in colour."""
    if name in COLOURED or name == "denoiser-colour":
        pictures = [np.repeat(picture[..., None], 3, -1) for picture in pictures]
    return {"pictures": list(pictures)} if name in ("denoiser", "denoiser-colour", *COLOURED) else {}


# -------------------------------------------------------------------------------------------------- every tensor

SETTLED = {"diffusion-earth": {1}}  # which windows are turned: two of three


@pytest.mark.parametrize("name", DISTINCT)
def test_every_tensor_of_a_batch_is_a_function_of_seed_and_step(name, monkeypatch):
    """Each, not only the first: new in the next step, with another seed, and with the two numbers exchanged."""
    put_digits(monkeypatch, random_digits(0, 200), random_digits(1, 20))
    made = training(name, **given(name, np.random.default_rng(0).random((60, 70))))
    first = draw(made, 3, 7)
    for a, b in zip(first, draw(made, 3, 7), strict=True):
        assert np.array_equal(a, b)
    for other in ((3, 8), (4, 7), (7, 3), (3, 1007), (0, 10)):
        for i, (a, b) in enumerate(zip(first, draw(made, *other), strict=True)):
            assert i in SETTLED.get(name, ()) or not np.array_equal(a, b), f"tensor {i} is the same at {other}"


# tensors that are data, and no chance
STILL = {"gan": {0, 1}, "classifier": {1}, "vae": {1}, "denoiser": {1}, "denoiser-colour": {1}, "style-dahlia": {0},
         "sr-pixel": {0}}
ALIKE = {"gan": {4}}  # one seed of a disturbance for the whole batch
LEAST = {"gan": {3: 2}, "inverter": {0: 2, 1: 2}, "restorer": {2: 2, 3: 2},  # classes, masks and levels are not many
         "diffusion-digits": {0: 11, 1: 2}, "diffusion-robots": {1: 2},  # ten digits are bent, six stay as they are
         "sr-pixel": {1: 10}, "stylegan-robots": {2: 2}}  # nor are layers


@pytest.mark.parametrize("name", DISTINCT)
def test_chance_alone_makes_examples_and_steps_differ(name, monkeypatch):
    """All digits and photographs are alike here, so each digit must be bent in its own way, and all noise be new."""
    one = np.zeros((1, 28, 28), np.uint8)
    one[0, 8:20, 11:17] = 255
    put_digits(monkeypatch, (np.repeat(one, 30, 0), np.full(30, 4, np.uint8)), random_digits(1, 20))
    made = training(name, **given(name, *[np.full((24, 24), 0.5, np.float32)] * 2))
    steps = [draw(made, 0, step) for step in range(4)]
    for i, tensors in enumerate(zip(*steps, strict=True)):
        if i in STILL.get(name, set()) | SETTLED.get(name, set()):
            continue
        still = [np.array_equal(earlier, later) for earlier, later in itertools.pairwise(tensors)]
        few = LEAST.get(name, {}).get(i) == 2  # of few values chance may draw the same ones twice
        assert not (all(still) if few else any(still)), f"tensor {i} stands still"
        if i not in ALIKE.get(name, ()):
            for tensor in tensors:
                assert rows(tensor) >= LEAST.get(name, {}).get(i, BATCH), f"tensor {i} is the same for several examples"


@pytest.mark.parametrize("name", DISTINCT)
def test_no_two_draws_share_their_numbers(name, monkeypatch):
    """Each draw of a batch has a seed of its own: or else levels would know the noise, and classes the places."""
    put_digits(monkeypatch, random_digits(0, 30), random_digits(1, 20))
    made = training(name, **given(name, np.random.default_rng(0).random((60, 70))))
    used = []

    def listened(draw_numbers):
        def spy(shape, seed, *more, **options):
            used.append(tuple(np.asarray(seed).tolist()))
            return draw_numbers(shape, seed, *more, **options)

        return spy

    for kind in ("stateless_normal", "stateless_uniform"):
        monkeypatch.setattr(tf.random, kind, listened(getattr(tf.random, kind)))
    draw(made, 0, 0)
    assert len(used) > 1 and len(set(used)) == len(used)


def noises(name, made, step):
    """Return all that should be white noise in a batch, as rows of one length."""
    drawn = draw(made, 0, step)
    if name.startswith("diffusion"):
        return [drawn[3].reshape(BATCH, -1)]
    if name.startswith("stylegan"):
        return [drawn[1].reshape(BATCH, -1), drawn[3].reshape(BATCH, -1)]
    if name.startswith(("robots", "earth")):
        return [drawn[2].reshape(BATCH, -1)]
    if name == "vae":
        return [drawn[2]]
    if name == "gan":
        return [drawn[2].reshape(2 * BATCH, -1)]
    if name == "inverter":
        z, _, x, damaged = drawn
        noisy = damaged[:, 0, 0, 2] > 0
        level = damaged[..., 2:]
        return [z[::2], ((damaged[..., :1] - x)[noisy] / level[noisy]).reshape(noisy.sum(), -1)]
    if name == "restorer":
        x, y, _, sigma = drawn
        noisy = sigma[:, 0, 0, 0] > 0
        return [((y - x)[noisy] / sigma[noisy]).reshape(noisy.sum(), -1)]
    y, x = drawn
    return [((y[..., :-1] - x) / y[..., -1:]).reshape(BATCH, -1)]


@pytest.mark.parametrize("name", [name for name in DISTINCT if name not in ("classifier", *COLOURED)])
def test_noise_is_white_and_never_comes_twice(name, monkeypatch):
    put_digits(monkeypatch, random_digits(0, 30), random_digits(1, 20))
    made = training(name, **given(name, *[np.full((24, 24), 0.5, np.float32)] * 2))
    for kind in zip(*(noises(name, made, step) for step in range(8)), strict=True):
        noise = np.concatenate(kind).astype(np.float64)
        assert abs(noise.mean()) < 5 / np.sqrt(noise.size) and abs(noise.std() - 1) < 5 / np.sqrt(noise.size)
        assert abs((noise**3).mean()) < 0.5 and abs((noise**4).mean() - 3) < 1
        assert rows(noise.round(5)) == len(noise), "the same noise twice"
        if noise.shape[1] > 100:
            likeness = np.corrcoef(noise) - np.eye(len(noise))
            assert np.abs(likeness).max() < 0.5


def test_codes_of_the_vae_are_drawn_around_their_means(monkeypatch):
    """What decodes is z = m + s · noise, with the noise of the batch."""
    put_digits(monkeypatch, random_digits(0, 30), random_digits(1, 20))
    made = training("vae")
    decoded = []
    mean, log_variance = tf.constant([[1.0, -2.0, 0.5, 3.0]]), tf.math.log(tf.constant([[4.0, 0.25, 1.0, 9.0]]))

    def decode(pair, training):
        decoded.append(pair[0].numpy())
        return paint(*pair)

    made.networks = {"encoder": lambda pair, training: (tf.repeat(mean, len(pair[0]), 0),
                                                        tf.repeat(log_variance, len(pair[0]), 0)),
                     "decoder": decode, "noise": lambda _: tf.zeros([1, 1])}
    for step in range(3):
        batch = made.draw(tf.constant([0, step]), BATCH)
        made.loss(batch)
        np.testing.assert_allclose(decoded[-1], [1, -2, 0.5, 3] + batch[2].numpy() * [2, 0.5, 1, 3], rtol=1e-5)
    assert rows(np.concatenate(decoded)) == 3 * BATCH


def test_the_bound_draws_its_own_code_for_every_digit():
    keras.utils.set_random_seed(2)
    made = vae.Vae.blank(small("vae"))
    x = np.repeat(random_digits(0, 1)[0][..., None] / 255, 20, 0)
    assert len(np.unique(made.elbo(x, 3))) > 15
    assert not np.array_equal(made.elbo(x, 3, seed=1), made.elbo(x, 3, seed=2))


def test_the_disturbance_of_the_gan_is_alike_for_both_kinds_and_new_for_each_player_and_step(monkeypatch):
    """Real and generated pictures are white here: what is black is where they were moved and cut."""
    put_digits(monkeypatch, (np.full((30, 28, 28), 255, np.uint8), np.zeros(30, int)), random_digits(1, 20))
    made = training("gan")
    shown = []
    made.networks = {"generator": lambda pair, training: tf.ones([len(pair[0]), 28, 28, 1]),
                     "discriminator": lambda pair, training: shown.append(np.asarray(pair[0])) or tf.reduce_sum(
                         pair[0], [1, 2, 3])[:, None]}
    patterns = []
    for step in range(6):
        batch = made.draw(tf.constant([0, step]), BATCH)
        for loss in (made.discriminator_loss, made.generator_loss):
            shown.clear()
            loss(batch)
            assert len({x[0].tobytes() for x in shown}) == 1 and all((x == x[:1]).all() for x in shown)
            patterns.append(shown[0][0].tobytes())
    assert len(set(patterns)) >= 11


# ----------------------------------------------------------------------------------- the recipe and the optimizer


@pytest.mark.parametrize("name", DISTINCT)
def test_every_player_gets_the_optimizer_of_its_recipe(name, monkeypatch):
    put_digits(monkeypatch, random_digits(0, 30), random_digits(1, 20))
    black = np.zeros((256, 256, 3), np.float32)
    monkeypatch.setattr(images, "photo", lambda name, size=256, color=False: black if color else black[..., 0])
    recipe = small(name)
    loop = Loop(lambda: training(name), recipe)
    assert set(loop.optimizers) == {player.name for player in loop.training.players}
    for optimizer in loop.optimizers.values():
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert (optimizer.beta_1, optimizer.beta_2) == recipe.betas
        assert optimizer.use_ema and optimizer.ema_momentum == recipe.ema
        assert not optimizer.clipnorm and not optimizer.weight_decay, "the loop shortens gradients"
        optimizer.iterations.assign(recipe.warmup)
        assert float(optimizer.learning_rate) == pytest.approx(recipe.learning_rate, rel=1e-5)
        optimizer.iterations.assign(recipe.steps)
        assert float(optimizer.learning_rate) == pytest.approx(recipe.final * recipe.learning_rate, rel=1e-3)


BASE = toy.RECIPE._replace(steps=6, warmup=2, betas=(0.8, 0.95), clipnorm=0.2, ema=0.7, final=0.1, look=100,
                           options={"dropout": 0.0})
CHANGES = {"learning_rate": {"learning_rate": 0.06}, "first beta": {"betas": (0.7, 0.95)},
           "second beta": {"betas": (0.8, 0.9)}, "clipnorm": {"clipnorm": 0.3}, "no clipnorm": {"clipnorm": None},
           "ema": {"ema": 0.6}, "warmup": {"warmup": 3}, "final": {"final": 0.9}, "seed": {"seed": 1},
           "batch": {"batch": 10}, "precision": {"precision": "mixed_bfloat16"}}


def trained(recipe):
    loop = Loop(lambda: toy.Training(recipe), recipe)
    loop.run(progress=False)
    with loop.averaged():
        return [keras.ops.convert_to_numpy(v) for v in loop.training.networks["a"].trainable_variables]


@pytest.fixture(scope="module")
def base():
    return trained(BASE)


@pytest.mark.parametrize("change", CHANGES)
def test_every_number_of_a_recipe_changes_the_training(change, base):
    found = trained(BASE._replace(**CHANGES[change]))
    assert not any(np.array_equal(a, b) for a, b in zip(found, base, strict=True))


def test_notes_about_a_training_do_not_change_it(base):
    found = trained(BASE._replace(record=2, look=3, epoch=9, what="another name", data="the same"))
    assert all(np.array_equal(a, b) for a, b in zip(found, base, strict=True))


def test_a_training_is_adam_written_by_hand(base):
    """Kingma and Ba's algorithm 1 in NumPy, on gradients shortened one by one, under a warmed-up cosine."""
    keras.utils.set_random_seed(BASE.seed)
    made = toy.Training(BASE)
    variables = made.networks["a"].trainable_variables
    x = [v.numpy().astype(np.float64) for v in variables]
    m, v, average = [0 * a for a in x], [0 * a for a in x], None
    for t in range(1, BASE.steps + 1):
        for variable, value in zip(variables, x, strict=True):
            variable.assign(value)
        batch = made.draw(tf.constant([BASE.seed, t - 1]), BASE.batch)
        with tf.GradientTape() as tape:
            loss = made.loss("a", batch)
        slopes = [g.numpy() for g in tape.gradient(loss, [one.value for one in variables])]
        slopes = [g * min(1, 0.2 / np.linalg.norm(g)) for g in slopes]
        rising, falling = (t - 1) / 2, (t - 1 - 2) / 4  # two steps of warmup, four of cosine
        cosine = 0.9 * 0.5 * (1 + np.cos(np.pi * falling)) + 0.1
        rate = 0.05 * (0.01 + 0.99 * rising if rising < 1 else cosine)
        m = [0.8 * a + 0.2 * g for a, g in zip(m, slopes, strict=True)]
        v = [0.95 * a + 0.05 * g**2 for a, g in zip(v, slopes, strict=True)]
        x = [a - rate * (b / (1 - 0.8**t)) / (np.sqrt(c / (1 - 0.95**t)) + 1e-7)
             for a, b, c in zip(x, m, v, strict=True)]
        average = x if average is None else [0.7 * a + 0.3 * b for a, b in zip(average, x, strict=True)]
    for found, expected in zip(base, average, strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


# --------------------------------------------------------------------------------------- the border of the denoiser


@pytest.fixture(scope="module")
def small_denoiser():
    keras.utils.set_random_seed(5)
    made = denoiser.Denoiser.blank(small("denoiser"))
    rng = np.random.default_rng(0)
    for variable in made.network.trainable_variables:
        variable.assign_add((0.05 * rng.standard_normal(variable.shape)).astype(np.float32))
    return made


@pytest.mark.parametrize(("shape", "tile"), [((17, 23), 8), ((1, 5), 512), ((31, 8), 512), ((40, 39), 16)])
def test_the_denoiser_sees_the_mirror_beyond_the_border(shape, tile, small_denoiser):
    """Only at the right and below is something added, and what is added is the picture's own mirror image."""
    made, y = small_denoiser, 0.5 + 0.5 * np.random.default_rng(1).random(shape).astype(np.float32)

    def through(**how):
        padded = np.pad(y, [(0, -side % 8) for side in shape], **how)
        both = np.stack([padded, np.full_like(padded, 0.1)], axis=-1)[None]
        return made.network(both, training=False).numpy()[0, : shape[0], : shape[1], 0]

    np.testing.assert_allclose(made(y, 0.1, tile=tile), through(mode="symmetric"), atol=2e-5)
    for other in ({"mode": "constant"}, {"mode": "wrap"}):
        assert np.abs(through(**other) - through(mode="symmetric")).max() > 1e-3, "this picture would show it"

