"""Diffusion models: each named sampler against its own paper's formula, the ready object against a known density.

Networks here are tiny or untrained; tests/unit/test_weights.py is about the trained ones.
"""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from helpers.models import diffusion, worlds
from helpers.models.diffusion import HIGHEST, SAMPLERS, Diffusion, evaluations, levels, sample_from, walk
from helpers.recipes import RECIPES

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did

TINY = {"widths": (8, 8), "down": (1, 1), "up": (1,)}


def gaussian(mean, spread):
    """Return the denoiser of independent Gaussian pixels."""
    return lambda x, sigma: mean + spread**2 / (spread**2 + sigma**2) * (x - mean)


def mixture(sigma, means, spread=0.1, weights=(0.5, 0.3, 0.2)):
    """Return log density and denoiser of a mixture of round Gaussians under noise of level sigma, float64."""
    variance = spread**2 + sigma**2

    def log_parts(x):
        squares = ((x[:, None] - means) ** 2).sum(-1)
        return np.log(weights) - squares / (2 * variance) - means.shape[1] / 2 * np.log(2 * np.pi * variance)

    def log_density(x):
        parts = log_parts(x)
        top = parts.max(1)
        return top + np.log(np.exp(parts - top[:, None]).sum(1))

    def denoise(x):
        shares = np.exp(log_parts(x) - log_density(x)[:, None])
        return (spread**2 * x + sigma**2 * shares @ means) / variance

    return log_density, denoise


MEANS = np.array([[0.2, 0.9, 0.5, 0.5], [0.8, 0.8, 0.1, 0.4], [0.5, 0.1, 0.6, 0.9]])


class KnownNetwork:
    """Stands for a network: its answer makes D the denoiser of the mixture, or with a condition of one of its parts."""

    input_shape, output_shape = [(None, 2, 2, 1), (None,), (None, 1)], (None, 2, 2, 1)
    centre, spread = 0.4, 0.3

    def __init__(self):
        self.looks = 0

    def __call__(self, inputs, training):
        inside, level, said = inputs
        return tf.numpy_function(self.answer, [inside, level, said], tf.float32)

    def answer(self, inside, level, said):
        self.looks += len(said)
        found = []
        for i in range(len(said)):
            sigma = np.exp(4.0 * level[i])
            total = np.sqrt(sigma**2 + self.spread**2)
            x = self.centre + total * inside[i].reshape(1, 4).astype(np.float64)
            if said[i, 0] < 0:
                clean = mixture(sigma, MEANS)[1](x)
            else:
                clean = mixture(sigma, MEANS[said[i, :1]], weights=(1.0,))[1](x)
            kept = self.centre + (self.spread / total) ** 2 * (x - self.centre)
            found.append(((clean - kept) / (sigma * self.spread / total)).reshape(2, 2, 1))
        return np.array(found, np.float32)


@pytest.fixture
def known():
    return Diffusion(KnownNetwork(), (3,), KnownNetwork.centre, KnownNetwork.spread)


@pytest.fixture(scope="module")
def small():
    """An untrained model of digits with stirred weights."""
    keras.utils.set_random_seed(0)
    network = diffusion.build((28, 28, 1), (10,), **TINY)
    stir(network)
    return Diffusion(network, (10,), 0.13, 0.31)


def stir(network):
    """Add noise to every weight: nothing that starts at zero may hide a mistake."""
    rng = np.random.default_rng(0)
    for variable in network.trainable_variables:
        variable.assign_add((0.1 * rng.standard_normal(variable.shape)).astype(np.float32))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# --------------------------------------------------------------------------------------------- noise levels


@given(st.sampled_from(list(SAMPLERS)), st.integers(1, 60), st.floats(0.01, 100))
@settings(max_examples=60, deadline=None)
def test_levels_fall_from_the_highest_to_nothing(name, steps, highest):
    sigmas = levels(name, steps, highest)
    assert sigmas.shape == (steps + 1,) and sigmas[-1] == 0 and abs(sigmas[0] / highest - 1) < 1e-6
    assert np.all(np.diff(sigmas) < 0)


def test_levels_are_those_of_the_papers():
    t = np.linspace(1, 0, 10)
    i = np.arange(8)
    rho = (40 ** (1 / 7) + i / 7 * (0.004 ** (1 / 7) - 40 ** (1 / 7))) ** 7
    np.testing.assert_allclose(levels("heun", 8), [*rho, 0], rtol=1e-9)
    highest = np.sqrt(np.expm1(0.1 + 19.9 / 2)) / 2  # of the whole process, t = 1, halved: pictures span 1 and not 2
    beta = 0.1 * t + 19.9 * t**2 / 2
    np.testing.assert_allclose(levels("ddpm", 9, highest), np.sqrt(1 / np.exp(-beta) - 1) / 2, rtol=1e-9)
    np.testing.assert_array_equal(levels("ddim", 9), levels("ddpm", 9))
    part = 2 * levels("flow", 9) / (1 + 2 * levels("flow", 9))
    np.testing.assert_allclose(np.diff(part), np.diff(part)[0], rtol=1e-9)


# --------------------------------------------------------------------------------------------- one step, four papers


@given(st.floats(0.02, 30), st.floats(0.0, 0.99), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_one_step_of_ddim_is_that_of_its_paper(now, part, seed):
    """Song et al. 2021, eq. 12 with σ_t = 0, for z = √ᾱ x."""
    after = part * now
    x, clean = now * noise(5, seed=seed), noise(5, seed=seed + 1)
    bar_now, bar_after = 1 / (1 + now**2), 1 / (1 + after**2)
    epsilon = (np.sqrt(bar_now) * x - np.sqrt(bar_now) * clean) / np.sqrt(1 - bar_now)
    paper = np.sqrt(bar_after) * clean + np.sqrt(1 - bar_after) * epsilon
    ours = sample_from(lambda x, sigma: clean, x, [now, after])
    np.testing.assert_allclose(np.sqrt(bar_after) * ours, paper, atol=1e-9)


@given(st.floats(0.02, 30), st.floats(0.01, 0.99), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_one_step_of_ddpm_is_that_of_its_paper(now, part, seed):
    """Ho et al. 2020, eqs. 6 and 7: mean and variance of q(z' | z, x₀), for z = √ᾱ x."""
    after = part * now
    x, clean = now * noise(5, seed=seed), noise(5, seed=seed + 1)
    bar, bar_after = 1 / (1 + now**2), 1 / (1 + after**2)
    alpha = bar / bar_after
    mean = (np.sqrt(bar_after) * (1 - alpha) * clean + np.sqrt(alpha) * (1 - bar_after) * np.sqrt(bar) * x) / (1 - bar)
    deviation = np.sqrt((1 - bar_after) / (1 - bar) * (1 - alpha))
    ours = sample_from(lambda x, sigma: clean, x, [now, after], eta=1.0, rng=np.random.default_rng(seed))
    drawn = np.random.default_rng(seed).standard_normal(5, dtype=np.float32)
    np.testing.assert_allclose(np.sqrt(bar_after) * ours, mean + deviation * drawn, atol=1e-6)


@given(st.floats(0.02, 30), st.floats(0.01, 0.99), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_one_step_of_heun_is_that_of_edm(now, part, seed):
    """Karras et al. 2022, algorithm 1."""
    after = part * now
    denoise = gaussian(0.3, 0.5)
    x = now * noise(5, seed=seed)
    d = (x - denoise(x, now)) / now
    x_next = x + (after - now) * d
    d_next = (x_next - denoise(x_next, after)) / after
    paper = x + (after - now) * (d / 2 + d_next / 2)
    np.testing.assert_allclose(sample_from(denoise, x, [now, after], order=2), paper, atol=1e-9)


@given(st.floats(0.02, 0.98), st.floats(0.0, 0.99), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_one_step_of_flow_matching_is_a_straight_one(t, part, seed):
    """Lipman et al. 2023: z = (1 - t) x₀ + t ε has the velocity ε - x₀, and Euler's method follows it."""
    s = part * t
    denoise = gaussian(0.3, 0.5)
    x = noise(5, seed=seed)
    z, clean = (1 - t) * x, denoise(x, t / (1 - t))
    velocity = (z - (1 - t) * clean) / t - clean
    ours = sample_from(denoise, x, [t / (1 - t), s / (1 - s)])
    np.testing.assert_allclose((1 - s) * ours, z + (s - t) * velocity, atol=1e-9)


# --------------------------------------------------------------------------------------------- whole walks


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 7, 18])
def test_the_whole_walk_of_a_gaussian_is_known(name, steps):
    """Each step multiplies the distance from the mean by a number, and adds noise: mean and spread follow."""
    sampler, mean, spread = SAMPLERS[name], 0.4, 0.3
    sigmas = levels(name, steps)
    deviation, factor, looks = 1.0, 1.0, []
    for now, after in itertools.pairwise(sigmas):
        new = after * np.sqrt(1 - after**2 / now**2) if name == "ddpm" else 0
        down = np.sqrt(after**2 - new**2)
        g, h = now / (spread**2 + now**2), down / (spread**2 + down**2)
        euler = 1 + (down - now) * g
        step = euler if sampler.order == 1 or down == 0 else 1 + (down - now) * (g + euler * h) / 2
        factor, deviation = step * factor, np.hypot(step * deviation, new / HIGHEST)
    x = mean + HIGHEST * noise(20000)

    def denoise(x, sigma):
        looks.append(sigma)
        return gaussian(mean, spread)(x, sigma)

    path = list(walk(denoise, x, sigmas, sampler.eta, sampler.order, np.random.default_rng(1)))
    assert len(path) == steps + 1 and np.array_equal(path[0], x) and len(looks) == evaluations(name, steps)
    if name == "ddpm":
        assert abs(path[-1].std() / (HIGHEST * deviation) - 1) < 0.03 and abs(path[-1].mean() - mean) < 0.02
    else:
        np.testing.assert_allclose(path[-1], mean + factor * (x - mean), atol=1e-6)


@pytest.mark.parametrize(("name", "order"), [("ddim", 1), ("flow", 1), ("heun", 2)])
def test_the_error_falls_with_the_order_of_the_method(name, order):
    """Without new noise the distance from the mean is as √(σ² + s²), exactly. Twice the steps: half the error, or a
    quarter. (The last step to σ = 0 is of order 1 in either; it is left out.)"""
    mean, spread = 0.4, 0.3

    def error(steps):
        sigmas = np.geomspace(10, 0.1, steps + 1)
        x = np.array([1.0])
        x = sample_from(gaussian(mean, spread), mean + x, sigmas, order=SAMPLERS[name].order) - mean
        return abs(x[0] - np.sqrt((spread**2 + 0.1**2) / (spread**2 + 10**2)))

    assert abs(np.log2(error(100) / error(200)) - order) < 0.1


@pytest.mark.parametrize(("name", "steps"), [("ddpm", 120), ("ddim", 60), ("heun", 25), ("flow", 120)])
def test_many_steps_draw_a_mixture_with_its_shares_and_spreads(name, steps):
    rng, sampler = np.random.default_rng(0), SAMPLERS[name]
    x = 0.4 + HIGHEST * rng.standard_normal((4000, 4))
    denoise = lambda x, sigma: mixture(sigma, MEANS)[1](x)  # noqa: E731
    x = sample_from(denoise, x, levels(name, steps), sampler.eta, sampler.order, rng)
    group = ((x[:, None] - MEANS) ** 2).sum(-1).argmin(1)
    assert np.abs(np.bincount(group, minlength=3) / 4000 - [0.5, 0.3, 0.2]).max() < 0.03
    for k in range(3):
        assert np.abs(x[group == k].mean(0) - MEANS[k]).max() < 0.02
        assert 0.085 < x[group == k].std(0).mean() < 0.105


def test_new_noise_is_what_its_share_says():
    x = np.zeros(50000)
    for eta in (0.0, 0.3, 1.0):
        after = sample_from(lambda x, sigma: 0 * x, x, [2.0, 1.0], eta=eta, rng=np.random.default_rng(0))
        assert abs(after.std() - eta * np.sqrt(0.75)) < 0.01


def test_a_walk_works_on_tensors():
    x = noise(3, 2).astype(np.float32)
    for name, sampler in SAMPLERS.items():
        sigmas = levels(name, 4, 1.0)
        ends = [sample_from(gaussian(0.4, 0.3), make(x), sigmas, sampler.eta, sampler.order, np.random.default_rng(0))
                for make in (np.asarray, tf.constant)]
        assert ends[0].dtype == np.float32 and ends[1].dtype == tf.float32
        np.testing.assert_allclose(*ends, atol=1e-6)


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"sigmas": [1.0]}, ValueError, "sigmas must be at least two"), ({"sigmas": [0.0, 1.0]}, ValueError, "falling"),
    ({"sigmas": [1.0, 1.0]}, ValueError, "falling"), ({"sigmas": [1.0, -1.0]}, ValueError, "below 0"),
    ({"sigmas": [np.inf, 1.0]}, ValueError, "sigmas must be finite"), ({"eta": -0.1}, ValueError, "eta"),
    ({"eta": 1.1}, ValueError, "eta"), ({"eta": 0.5}, TypeError, "rng"), ({"order": 3}, ValueError, "order"),
    ({"order": 0}, ValueError, "order"),
])
def test_a_walk_refuses_plainly(change, error, message):
    with pytest.raises(error, match=message):
        sample_from(**{"denoise": gaussian(0, 1), "x": np.zeros(3), "sigmas": [1.0, 0.0]} | change)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: levels("hein", 5), "did you mean 'heun'"), (lambda: levels("heun", 0), "steps"),
    (lambda: levels("flow", 5, 0.0), "highest"), (lambda: evaluations("dpm", 5), "'ddpm'"),
    (lambda: evaluations("ddim", 0), "steps"), (lambda: evaluations("ddim", 5, -1.0), "guidance"),
])
def test_levels_and_prices_refuse_plainly(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_price_of_a_sample():
    assert [evaluations(name, 9) for name in SAMPLERS] == [9, 9, 17, 9] and evaluations("heun", 1) == 1
    assert evaluations("heun", 9, 1) == evaluations("heun", 9, 0) == 17 and evaluations("heun", 9, 1.5) == 34


# --------------------------------------------------------------------------------------------- the ready object


@pytest.mark.parametrize("sigma", [0.03, 0.3, 2.0, 30.0])
def test_the_score_is_the_slope_of_the_log_density(known, sigma):
    """Finite differences of the mixture's log density, in float64, against (D - x) / σ² of the object."""
    x = (0.5 + np.hypot(sigma, 0.3) * noise(6, 4)).reshape(6, 2, 2, 1)
    log_density = mixture(sigma, MEANS)[0]
    flat, h = x.reshape(6, 4), 1e-4 * np.hypot(sigma, 0.1)
    slope = np.stack([(log_density(flat + h * e) - log_density(flat - h * e)) / (2 * h) for e in np.eye(4)], axis=1)
    np.testing.assert_allclose(known.score(x, sigma).reshape(6, 4), slope, rtol=2e-3, atol=2e-3 / sigma)


def test_the_score_of_a_label_is_that_of_its_part(known):
    x, sigma = 0.5 + 0.3 * noise(5, 2, 2, 1), 0.2
    wanted = (MEANS[2].reshape(2, 2, 1) - x) / (0.1**2 + sigma**2)
    np.testing.assert_allclose(known.score(x, sigma, 2), wanted, rtol=1e-3, atol=1e-2)
    np.testing.assert_array_equal(known.score(x, sigma, [2] * 5), known.score(x, sigma, 2))


def test_a_known_model_samples_its_density(known):
    x = known.sample(600, 0, steps=12).reshape(600, 4)
    group = ((x[:, None] - MEANS) ** 2).sum(-1).argmin(1)
    assert np.abs(np.bincount(group, minlength=3) / 600 - [0.5, 0.3, 0.2]).max() < 0.08
    x = known.sample(200, 0, label=1, steps=12).reshape(200, 4)
    inside = (MEANS[1] > 0.3) & (MEANS[1] < 0.7)  # where clipping to [0, 1] changes little
    assert np.abs(x.mean(0) - MEANS[1]).max() < 0.06 and abs(x[:, inside].std() - 0.1) < 0.02


@given(st.floats(0.01, 20), st.floats(0, 5), st.integers(0, 20))
@settings(max_examples=15, deadline=None)
def test_guidance_exaggerates_the_difference_that_a_label_makes(sigma, guidance, seed):
    known = Diffusion(KnownNetwork(), (3,), KnownNetwork.centre, KnownNetwork.spread)
    x = (0.5 + sigma * noise(4, 2, 2, 1, seed=seed)).astype(np.float32)
    told, untold = known.denoise(x, sigma, 1), known.denoise(x, sigma)
    np.testing.assert_allclose(known.denoise(x, sigma, 1, guidance), untold + guidance * (told - untold), atol=1e-5)
    graph = known.denoiser(1, guidance, 4)(tf.constant(x), tf.constant(np.float32(sigma)))
    np.testing.assert_allclose(graph, known.denoise(x, sigma, 1, guidance), atol=1e-5)


def test_guidance_of_one_costs_nothing_and_changes_nothing(known):
    x = 0.5 + noise(4, 2, 2, 1)
    for label, guidance, looks in [(1, 1, 4), (1, 0, 4), (1, 2, 8), (None, 2, 4), (-1, 2, 4), ([1, -1, 2, 0], 2, 8)]:
        known.network.looks = 0
        known.denoise(x, 0.5, label, guidance)
        assert known.network.looks == looks
    np.testing.assert_array_equal(known.denoise(x, 0.5, 1, 1.0), known.denoise(x, 0.5, 1))
    np.testing.assert_array_equal(known.denoise(x, 0.5, 1, 0), known.denoise(x, 0.5))
    np.testing.assert_array_equal(known.denoise(x, 0.5, None, 3.0), known.denoise(x, 0.5))
    known.network.looks = 0
    known.sample(4, 0, label=2, steps=3, guidance=1.5)
    assert known.network.looks == 4 * evaluations("heun", 3, 1.5)


def test_without_noise_nothing_is_changed_and_in_much_noise_nothing_is_seen(small):
    x = 0.5 + 0.2 * noise(3, 28, 28, 1)
    np.testing.assert_allclose(small.denoise(x, 0), x, atol=1e-6)
    assert np.abs(small.denoise(x, 1e-4) - x).max() < 0.02
    far = small.denoise(small.centre + 1e4 * noise(3, 28, 28, 1), 1e4)
    assert np.isfinite(far).all() and np.abs(far).max() < 1e3


def test_gradients_pass_through_the_denoiser(small):
    """Against finite differences along one direction."""
    x, v = (noise(2, 28, 28, 1, seed=s).astype(np.float32) for s in (0, 1))
    denoise = small.denoiser(3, 2.0, 2)
    point = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(point)
        along = tf.reduce_sum(denoise(point, tf.constant(0.5)) ** 2)
    slope = float(tf.reduce_sum(tape.gradient(along, point) * v))
    up, down = (float((small.denoise(x + h * v, 0.5, 3, 2.0).astype(np.float64) ** 2).sum()) for h in (0.01, -0.01))
    assert abs((up - down) / 0.02 / slope - 1) < 0.02


@pytest.mark.parametrize("name", SAMPLERS)
def test_the_seed_decides_the_sample(name, small):
    first, again, other = (small.sample(3, seed, 1, steps=2, sampler=name) for seed in (5, 5, 6))
    assert first.shape == (3, 28, 28, 1) and first.dtype == np.float32 and first.min() >= 0 and first.max() <= 1
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(first[0], first[1]), "each sample has noise of its own"


def test_the_label_is_looked_at(small):
    assert not np.array_equal(small.sample(2, 0, 1, steps=2), small.sample(2, 0, 2, steps=2))
    np.testing.assert_array_equal(small.sample(2, 0, [4, 4], steps=2), small.sample(2, 0, 4, steps=2))
    np.testing.assert_array_equal(small.sample(2, 0, -1, steps=2), small.sample(2, 0, steps=2))


def test_many_pictures_come_in_pieces(small, monkeypatch):
    x = noise(5, 28, 28, 1)
    whole = small.denoise(x, 0.5, [0, 1, 2, 3, 4], 2)
    monkeypatch.setattr(diffusion, "PIECE", 2)
    np.testing.assert_allclose(small.denoise(x, 0.5, [0, 1, 2, 3, 4], 2), whole, atol=1e-4)


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (4, 28, 28), (4, 28, 28, 1)])
def test_pictures_of_any_rank_keep_their_shape(shape, small):
    x = noise(*shape)
    got = small.denoise(x, 0.3, 7)
    assert got.shape == shape and got.dtype == np.float32 and small.score(x, 0.3).shape == shape
    np.testing.assert_allclose(got.reshape(-1, 28, 28, 1), small.denoise(x.reshape(-1, 28, 28, 1), 0.3, 7), atol=1e-5)


GOOD = {"n": 2, "seed": 0, "steps": 1}


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"n": 0}, ValueError, "n must be"), ({"n": 1.5}, TypeError, "n must be"), ({"seed": -1}, ValueError, "seed"),
    ({"steps": 0}, ValueError, "steps must be"), ({"sampler": "huen"}, ValueError, "did you mean 'heun'"),
    ({"guidance": -1}, ValueError, "guidance"), ({"guidance": float("nan")}, ValueError, "guidance"),
    ({"label": 10}, ValueError, "label must lie in 0 … 9.*10 came"), ({"label": -2}, ValueError, "label.*-2 came"),
    ({"label": [1, 2, 3]}, ValueError, r"label has shape \(3,\)"), ({"label": 1.0}, TypeError, "label must be a whole"),
    ({"label": "three"}, TypeError, "label must be"), ({"label": [[1], [2, 3]]}, TypeError, "label cannot be read"),
    ({"label": True}, TypeError, "label must be a whole number"), ({"label": []}, (TypeError, ValueError), "label"),
])
def test_a_sampler_refuses_plainly(change, error, message, small):
    with pytest.raises(error, match=message):
        small.sample(**GOOD | change)


@pytest.mark.parametrize(("arguments", "error", "message"), [
    ((np.zeros((27, 28)), 0.1), ValueError, "x must have shape"), ((np.zeros((1, 1, 28, 28, 1)), 0.1), ValueError, "x"),
    ((np.full((28, 28), np.nan), 0.1), ValueError, "x must be finite"),
    ((np.zeros((0, 28, 28, 1)), 0.1), ValueError, "x is empty"),
    ((np.zeros((28, 28)), -0.1), ValueError, "sigma"), ((np.zeros((28, 28)), np.nan), ValueError, "sigma"),
    ((np.zeros((28, 28)), None), TypeError, "sigma"), ((np.zeros((28, 28)), 0.1, 12), ValueError, "label"),
    ((np.zeros((28, 28)), 0.1, 1, -0.5), ValueError, "guidance"),
])
def test_a_denoiser_refuses_plainly(arguments, error, message, small):
    for method in (small.denoise, small.score):
        with pytest.raises(error, match=message):
            method(*arguments)


def test_the_score_needs_noise(small):
    with pytest.raises(ValueError, match="sigma must be above 0"):
        small.score(np.zeros((28, 28)), 0)


def test_several_conditions_and_none():
    keras.utils.set_random_seed(1)
    three = Diffusion(diffusion.build((8, 8, 3), (4, 2, 10), **TINY), (4, 2, 10), 0.5, 0.25)
    stir(three.network)
    x = noise(2, 8, 8, 3)
    both = three.denoise(x, 0.5, [[3, 1, -1], [0, -1, 9]])
    np.testing.assert_allclose(both[1], three.denoise(x[1], 0.5, [0, -1, 9]), atol=1e-5)
    assert np.abs(both[1] - three.denoise(x[1], 0.5, [0, -1, 8])).max() > 1e-5
    for label, message in [([4, 0, 0], "label"), ([0, 2, 0], "label"), ([0, 0], "shape"), (1, "shape")]:
        with pytest.raises(ValueError, match=message):
            three.denoise(x, 0.5, label)
    none = Diffusion(diffusion.build((8, 8, 3), (), **TINY), (), 0.5, 0.25)
    assert none.sample(2, 0, steps=2).shape == (2, 8, 8, 3)
    with pytest.raises(ValueError, match="knows no conditions"):
        none.sample(2, 0, label=1)


# --------------------------------------------------------------------------------------------- training


def recipe(world, **options):
    """Return the shipped recipe for digits with a tiny network, and in another world if so asked."""
    base = RECIPES["diffusion-digits"]
    return base._replace(options=base.options | {"world": world, "network": TINY} | options)


def training(world, **options):
    keras.utils.set_random_seed(0)
    return diffusion.Training(recipe(world, **options))


def test_the_loss_is_one_for_every_noise_level_at_first():
    """The answer 0 of the network: what it is asked for has standard deviation 1 where pixels have ``spread``."""
    made = training("digits")
    made.ready.network.layers[-1].kernel.assign(0 * made.ready.network.layers[-1].kernel)
    x, drawn = (noise(64, 28, 28, 1, seed=s).astype(np.float32) for s in (0, 1))
    x, said = made.ready.centre + np.float32(made.ready.spread) * x, np.zeros((64, 2), np.int32)
    for sigma in (0.01, 0.3, 3.0, 40.0):
        batch = [tf.constant(part) for part in (x, said, np.full(64, sigma, np.float32), drawn)]
        assert abs(float(made.loss(batch)) - 1) < 0.03


@pytest.mark.parametrize("options", [{}, {"noise": (-0.7, 0.5)}])
def test_noise_levels_are_drawn_as_the_recipe_says(options):
    """ln σ is Gaussian, and whatever its level, the noise is; neither knows of the other, nor of the digit."""
    made = training("digits", **options)
    x, said, sigma, drawn = (part.numpy() for part in made.draw(tf.constant([0, 0]), 4000))
    center, width = options.get("noise", RECIPES["diffusion-digits"].options["noise"])
    z = (np.log(sigma) - center) / width
    assert x.shape == drawn.shape == (4000, 28, 28, 1) and said.shape == (4000, 2) and sigma.shape == (4000,)
    assert stats.kstest(z, "norm").statistic < 1.95 / np.sqrt(4000)  # one fair draw in 1,000 is farther off
    assert stats.kstest(drawn.ravel()[::50], "norm").statistic < 1.95 / np.sqrt(drawn.size // 50)
    others = {"its noise": drawn.std((1, 2, 3)), "its first pixel's": drawn[:, 0, 0, 0], "its ink": x.mean((1, 2, 3)),
              "the noise in its place": drawn.ravel()[:4000],
              **{f"class {digit}": said[:, 0] == digit for digit in range(-1, 10)}, "deformed": said[:, 1] == 0}
    for what, other in others.items():
        assert abs(np.corrcoef(z, other)[0, 1]) < 5 / np.sqrt(4000), what


@pytest.mark.parametrize("drop", [0.0, 0.15, 0.4])
def test_conditions_are_left_open_by_chance(drop):
    made = training("robots", drop=drop)
    _, said, _, _ = made.draw(tf.constant([0, 0]), 2000)
    left_open = said.numpy() == -1
    assert abs(left_open.mean() - drop) < 0.03 and abs(left_open.mean(0) - drop).max() < 0.05
    assert left_open.all(1).any() == (drop > 0) and (~left_open).all(1).any()


def test_a_batch_of_robots_is_what_it_says_and_holds_no_pair_that_is_held_out():
    from helpers.images import robots

    made = training("robots")
    x, said = made.world.draw(tf.constant([0, 3]), 3000)
    assert robots.allowed(said.numpy()).all()
    np.testing.assert_allclose(x[:100], robots.render(said.numpy()[:100]), atol=1e-6)
    for k in range(6):
        assert np.abs(np.bincount(said.numpy()[:, k], minlength=10) / 3000 - 0.1).max() < 0.03


def test_a_batch_of_digits_keeps_its_labels():
    from helpers.images import digits

    world = worlds.Digits(None)
    x, said = world.draw(tf.constant([0, 3]), 20, 0.0)
    data = digits()
    far = ((x.numpy()[:, None] - data.x_train[None, :, :, :]) ** 2).sum((2, 3, 4))
    assert far.min(1).max() < 1e-6 and np.array_equal(data.y_train[far.argmin(1)], said[:, 0])


def test_a_batch_of_the_earth_holds_windows_of_its_patches():
    """Rebuilt by search: the first window, which is not turned, lies somewhere in a training patch."""
    world = worlds.Earth()
    x, mark = world.draw(tf.constant([0, 3]), 9)
    assert x.shape == (9, 32, 32, 3) and mark.numpy().ravel().tolist() == [-1, 0, 0] * 3
    patches = world.patches.numpy()
    for picture in (255 * x.numpy()[::3]).round():
        where = (patches[:, :33, :33] == picture[0, 0]).all(-1)
        assert any(np.array_equal(patches[n, i : i + 32, j : j + 32], picture) for n, i, j in np.argwhere(where))


def test_the_earth_is_turned_and_mirrored_in_all_eight_ways(monkeypatch):
    world = worlds.Earth()
    rows, columns = np.mgrid[:64, :64]
    world.patches = tf.constant(np.stack([rows, columns, 0 * rows], -1)[None].astype(np.uint8))
    x, mark = world.draw(tf.constant([0, 0]), 300)
    red_down, green_down = (x[:, 1, 0, c] - x[:, 0, 0, c] for c in (0, 1))
    red_across, green_across = (x[:, 0, 1, c] - x[:, 0, 0, c] for c in (0, 1))
    ways = np.rint(255 * np.stack([red_down, green_down, red_across, green_across], 1)).astype(int)
    assert len(np.unique(ways, axis=0)) == 8
    assert (ways[mark.numpy()[:, 0] == -1] == [1, 0, 0, 1]).all()


def test_the_linear_denoiser_is_best_for_gaussian_pictures():
    """White pictures of spread s: s² / (s² + σ²) of what is seen is kept, and samples have that spread."""
    x = 0.5 + 0.1 * noise(4000, 4, 4, 1)
    linear = worlds.LinearDenoiser(x)
    seen = noise(50, 4, 4, 1)
    np.testing.assert_allclose(linear.denoise(seen, 0.2), gaussian(0.5, 0.1)(seen, 0.2), atol=0.06)
    drawn = linear.sample(2000, 0)
    assert abs(drawn.mean() - 0.5) < 0.01 and abs(drawn.std() - 0.1) < 0.005


def test_the_distance_of_textures_sees_blur():
    from helpers.images import earth

    x = earth.patches("train", 32)
    blurred = (x + np.roll(x, 1, 1) + np.roll(x, 1, 2)) / 3
    floor = worlds.texture_distance(x[::2], x[1::2])
    assert floor < 0.2 * worlds.texture_distance(blurred[::2], x[1::2])
