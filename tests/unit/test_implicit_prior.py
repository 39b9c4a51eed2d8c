"""Sampling with the prior that is implicit in a denoiser, where the posterior is known in closed form."""

import tracemalloc

import numpy as np
import pytest

from helpers.operators import Blur, Downsample, Identity, Mask, Radon
from helpers.posterior import implicit

MEAN, COVARIANCE = np.array([0.5, 0.4]), 0.04 * np.array([[1, 0.8], [0.8, 1]])
COLUMNS = 4000  # a picture is so many independent pairs of pixels, one above the other


def pairs(x, t):
    """The perfect denoiser of pairs."""
    gain = COVARIANCE @ np.linalg.inv(COVARIANCE + t**2 * np.eye(2))
    return MEAN[:, None] + gain @ (x - MEAN[:, None])


def single(x, t):
    """The perfect denoiser of pixels that are independent, with mean 0.5 and spread 0.2."""
    return 0.5 + 0.04 / (0.04 + t**2) * (x - 0.5)


def mask(*known):
    return Mask(np.repeat(np.array(known, bool)[:, None], COLUMNS, axis=1))


@pytest.mark.parametrize(("operator", "known", "sigma"), [
    (mask(1, 0), [0], 0.0), (mask(1, 0), [0], 0.1), (mask(0, 0), [], 0.0), (Identity(), [0, 1], 0.15),
])
def test_for_gaussian_pictures_mean_and_covariance_are_those_of_the_formula(operator, known, sigma):
    """Off by parts of about β = 0.05 and h / 2 = 0.05, as the docstring says."""
    truth, A = np.array([0.3, 0.8]), np.eye(2)[known]
    y = operator.forward(np.repeat(truth[:, None], COLUMNS, axis=1))
    x = implicit.sample(y, operator, sigma, pairs, 1, seed=0, steps=920, step=0.1)[0]
    gain = COVARIANCE @ A.T @ np.linalg.inv(A @ COVARIANCE @ A.T + sigma**2 * np.eye(len(A)))
    mean, covariance = MEAN + gain @ A @ (truth - MEAN), COVARIANCE - gain @ A @ COVARIANCE
    np.testing.assert_allclose(x.mean(axis=1), mean, atol=0.1 * np.abs(mean - MEAN).max() + 0.01)
    np.testing.assert_allclose(np.cov(x), covariance, atol=0.12 * covariance.max() + 1e-5)


def test_a_small_picture_from_large_pixels():
    """Of four independent pixels their mean is measured: it is a compromise, and what it leaves open stays open."""
    y, sigma = np.full((50, 50), 0.8), 0.1
    x = implicit.sample(y, Downsample(2), sigma, single, 1, seed=0, steps=920, step=0.1)[0]
    squares = x.reshape(50, 2, 50, 2).transpose(0, 2, 1, 3).reshape(-1, 4)
    gain = 0.01 / (0.01 + sigma**2)  # the mean of four has a quarter of their variance
    assert squares.mean() == pytest.approx(0.5 + gain * 0.3, abs=0.02)
    assert squares.mean(axis=1).var() == pytest.approx(gain * sigma**2, rel=0.15)
    assert squares.var(axis=1, ddof=1).mean() == pytest.approx(0.04, rel=0.12)


def test_the_walk_begins_in_noise_of_the_highest_level():
    """All pixels lost, and one level: the denoiser sees the start, which lies around the middle."""
    seen = []
    implicit.sample(np.zeros((100, 100)), Mask(np.zeros((100, 100))), 0.0, lambda x, t: seen.append((x, t)) or x, 1,
                    seed=0, steps=1, highest=3.0)
    (x, t), = seen
    assert t == pytest.approx(3)
    assert x.mean() == pytest.approx(0.5, abs=0.1)
    assert x.std() == pytest.approx(3, rel=0.03)


def test_a_blurred_picture_is_never_without_noise():
    """What a blur wipes out cannot be divided back: half a grey level takes the place of no noise."""
    blur = Blur.gaussian(2.0)
    y = blur.forward(np.random.default_rng(0).random((16, 16)))
    drawn = [implicit.sample(y, blur, sigma, single, 1, seed=0, steps=20) for sigma in (0.0, 0.5 / 255)]
    assert drawn[0].min() > -1 and drawn[0].max() < 2
    np.testing.assert_array_equal(*drawn)


def test_the_spread_is_nearer_the_truth_with_more_and_smaller_steps():
    def spread(**settings):
        y = np.zeros((100, 100))
        return implicit.sample(y, Mask(np.zeros((100, 100))), 0.0, single, 1, seed=0, **settings).std()

    coarse, fine = spread(steps=60, step=0.6), spread(steps=1000, step=0.05)
    assert abs(fine / 0.2 - 1) < 0.04 and coarse < 0.9 * fine


def test_without_noise_a_walk_is_algorithm_2_as_printed():
    """Kadkhodaie and Simoncelli 2021, with the noise level told: written out here with a measurement matrix M."""
    rng, known = np.random.default_rng(5), np.array([[1, 0, 1], [0, 1, 0]], bool)
    y, sigma_0, sigma_end, steps, h = known * rng.random((2, 3)), 1.0, 0.01, 60, 0.2
    M = np.eye(6)[:, known.ravel()]  # orthonormal columns
    noise = np.random.default_rng([3, 0])
    x_c, e = M.T @ y.ravel(), np.ones(6)
    beta = (1 - (sigma_end / sigma_0) ** (1 / (steps - 1))) / h
    point, sigma = 0.5 * (e - M @ M.T @ e) + M @ x_c + sigma_0 * noise.standard_normal(6), sigma_0

    def residual(point):
        return smooth(point.reshape(2, 3), sigma).ravel() - point

    for _ in range(steps - 1):
        f = residual(point)
        d = f - M @ M.T @ f + M @ (x_c - M.T @ point)
        gamma = np.sqrt((1 - beta * h) ** 2 - (1 - h) ** 2) * sigma
        point = point + h * d + gamma * noise.standard_normal(6)
        sigma *= 1 - beta * h
    f = residual(point)
    point = point + f - M @ M.T @ f + M @ (x_c - M.T @ point)
    x = implicit.sample(y, Mask(known), 0.0, smooth, 1, seed=3, steps=steps)
    np.testing.assert_allclose(x[0].ravel(), point, atol=1e-10)


def smooth(x, t):
    """No perfect denoiser, but one in which pixels depend on each other and on the level."""
    return np.tanh(x.mean() + (x - x.mean()) / (1 + 5 * t))


@pytest.mark.parametrize("operator", [Identity(), Mask(np.ones((5, 7)))])
def test_a_complete_measurement_is_the_answer(operator):
    y = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    x = implicit.sample(y, operator, 0.0, smooth, 2, seed=0, steps=5)
    np.testing.assert_allclose(x, np.stack([y, y]), atol=1e-6)


@pytest.mark.parametrize("operator", [Blur.gaussian(1), Blur.gaussian(1, "reflect"), Radon(8, np.arange(0, 180, 20.0)),
                                      Mask.half((8, 8)),
                                      Downsample(2) @ Blur.gaussian(1)])
@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_any_operator_will_do_and_its_measurement_is_explained(operator, sigma):
    truth = single(np.random.default_rng(0).random((8, 8)), 0.3)
    y = operator.forward(truth).astype(np.float32)
    x = implicit.sample(y, operator, sigma, single, 2, seed=0, steps=60)
    assert x.shape == (2, 8, 8) and x.dtype == np.float32 and np.isfinite(x).all()
    allowed = 0.15 * np.linalg.norm(operator.forward(truth - 0.5)) + 3 * sigma * y.size**0.5
    for answer in x:
        assert np.linalg.norm(operator.forward(answer.astype(np.float64)) - y) < allowed


def test_the_same_seed_draws_the_same_and_more_answers_change_none():
    y, half = np.random.default_rng(0).random((6, 6, 3)), Mask.half((6, 6))
    y = half.forward(y)

    def answers(n, seed):
        return implicit.sample(y, half, 0.0, smooth, n, seed, steps=30)

    three = answers(3, 1)
    assert three.shape == (3, 6, 6, 3) and three.dtype == np.float64
    assert np.array_equal(three[:2], answers(2, 1))
    assert np.abs(three[0] - three[1]).max() > 0.01 and np.abs(answers(1, 2)[0] - three[0]).max() > 0.01
    np.testing.assert_allclose(three[:, :3], np.broadcast_to(y[:3], (3, 3, 6, 3)), atol=1e-12)


def test_with_few_steps_no_noise_is_new():
    """Then two walks from one start are one walk, and t' / t is all that is kept of the noise."""
    y, nothing = np.zeros((3, 3)), Mask(np.zeros((3, 3)))
    x = implicit.sample(y, nothing, 0.0, single, 1, seed=4, steps=3)[0]
    point = 0.5 + np.random.default_rng([4, 0]).standard_normal((3, 3))
    for t, after in ((1.0, 0.1), (0.1, 0.01)):
        point = single(point, t) + after / t * (point - single(point, t))
    np.testing.assert_allclose(x, single(point, 0.01), atol=1e-12)


def test_memory_does_not_grow_with_answers_or_steps():
    y, hole = np.zeros((512, 512), np.float32), Mask.block((512, 512), 100)

    def peak(n, steps):
        tracemalloc.start()
        implicit.sample(y, hole, 0.0, lambda x, t: 0.9 * x, n, seed=0, steps=steps)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most / y.nbytes

    assert peak(1, 2) < 25 and peak(4, 6) < peak(1, 2) + 8


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"n": 0}, ValueError, "n must"), ({"steps": 0}, ValueError, "steps"), ({"sigma": -0.1}, ValueError, "sigma"),
    ({"seed": -1}, ValueError, "seed"), ({"y": np.zeros((3, 4))}, ValueError, "mask has shape"),
    ({"y": np.full((4, 4), np.nan)}, ValueError, "y must be finite"), ({"y": np.zeros(4)}, ValueError, "y must have"),
    ({"operator": np.eye(4)}, TypeError, "operator"), ({"denoiser": 3}, TypeError, "denoiser"),
    ({"denoiser": "dct"}, ValueError, "dct_shrinkage"), ({"highest": 0.01}, ValueError, "highest"),
    ({"step": 0}, ValueError, "step must"), ({"step": 1.1}, ValueError, "step must"),
    ({"denoiser": lambda x, t: x[1:]}, ValueError, "what the denoiser returned"),
])
def test_bad_input_is_named(change, error, message):
    given = {"y": np.zeros((4, 4)), "operator": Mask.half((4, 4)), "sigma": 0.0, "denoiser": smooth, "n": 1, "seed": 0,
             "steps": 2} | change
    with pytest.raises(error, match=message):
        implicit.sample(**given)
