"""The exact posterior against sums and integrals done the long way."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from helpers.images import robots
from helpers.operators import Blur, Composition, Downsample, Identity, Mask
from helpers.posterior.exact import Mixture, RobotPosterior, exact_posterior

RNG = np.random.default_rng(0)
ROBOT = np.array([7, 2, 4, 6, 1, 3])
OPERATORS = {
    "noise": (Identity(), 0.5),
    "lower half lost": (Mask.half((32, 32), "bottom"), 0.05),
    "three quarters lost": (Mask.random((32, 32), 0.25, np.random.default_rng(1)), 0.2),
    "coarse": (Downsample(4), 0.05),
    "coarse after blur": (Composition(Downsample(2), Blur.gaussian(1)), 0.1),
}


def seen(operator, sigma, size=32):
    y = operator.forward(robots.render(ROBOT, size))
    return y + sigma * np.random.default_rng(2).standard_normal(y.shape)


def neighbours(robot):
    """Return the robots that differ from one in at most one attribute, and 200 of the others."""
    found = np.repeat(robot[None], 60, axis=0)
    found[np.arange(60), np.arange(60) // 10] = np.arange(60) % 10
    return np.unique(np.concatenate([found, robots.draw_robots(200, seed=3, split="all")]), axis=0)


@pytest.mark.parametrize("task", OPERATORS)
def test_ratios_of_probabilities_are_those_of_the_formula(task):
    """Rendered, damaged and compared one by one, robots have the same odds."""
    operator, sigma = OPERATORS[task]
    y = seen(operator, sigma)
    open = ("body", "eyes", "mouth") if "blur" in task else robots.ATTRIBUTES  # to save time
    posterior = exact_posterior(y, operator, sigma, open, ROBOT)
    some = neighbours(ROBOT)
    some = some[(posterior.probabilities[tuple(some.T)] > 0) | (len(open) == 6)]
    distances = [np.square(y - operator.forward(x.astype(np.float64))).sum() for x in robots.render(some)]
    expected = -np.array(distances) / (2 * sigma**2)
    log_odds = np.log(posterior.probabilities[tuple(some.T)] + 1e-300)
    told = log_odds > -500
    assert told.sum() > 10
    assert np.ptp((log_odds - expected)[told]) < 1e-3
    assert posterior.probabilities.sum() == pytest.approx(1)
    assert expected[~told].max(initial=-np.inf) < expected[told].max() - 400
    assert len(open) == 6 or told.sum() == len(some)


def test_without_noise_what_is_hidden_is_open_and_all_else_is_certain():
    """The lower half holds the body alone here: ten robots with the same upper half are left at most."""
    operator = Mask.half((32, 32), "bottom")
    posterior = exact_posterior(seen(operator, 0), operator, 0)
    left = np.argwhere(posterior.probabilities > 0)
    assert tuple(ROBOT) in map(tuple, left)
    pictures = robots.render(left)
    assert np.abs(pictures[:, :16] - pictures[0, :16]).max() < 1e-5
    assert np.allclose(posterior.probabilities[tuple(left.T)], 1 / len(left))
    assert exact_posterior(seen(Identity(), 0), Identity(), 0).probabilities[tuple(ROBOT)] == 1


def test_the_prior_decides_where_nothing_is_seen():
    nothing = Mask(np.zeros((32, 32), bool))
    prior = robots.allowed(robots.from_index(np.arange(robots.WORLD))).reshape((10,) * 6)
    posterior = exact_posterior(seen(nothing, 0.1), nothing, 0.1, prior=prior)
    assert np.allclose(posterior.probabilities, prior / prior.sum())
    assert np.allclose(posterior.odds("mouth"), 0.1)


def test_known_attributes_are_left_as_they_are():
    operator, sigma = OPERATORS["noise"]
    y = seen(operator, sigma)
    everything = exact_posterior(y, operator, sigma)
    told = [*ROBOT[:4], 60, -1]  # what is open is not looked at
    open_two = exact_posterior(y, operator, sigma, open=("eyes", "mouth"), attributes=told)
    given = everything.probabilities[tuple(ROBOT[:4])]
    assert np.allclose(open_two.probabilities[tuple(ROBOT[:4])], given / given.sum())
    assert open_two.odds("head")[ROBOT[2]] == pytest.approx(1)


def test_a_prior_may_exclude_the_robot_that_fits_best_by_far():
    """The others' likelihoods are compared among themselves, or all of them would be 0, and that one's infinite."""
    prior, operator = np.ones((10,) * 6), Downsample(8)
    prior[ROBOT[0]] = 0
    posterior = exact_posterior(seen(operator, 0), operator, 1e-4, open=("colour",), attributes=ROBOT, prior=prior)
    assert posterior.odds("colour")[ROBOT[0]] == 0 and posterior.odds("colour").sum() == pytest.approx(1)


def test_the_mean_of_many_robots_forgets_none():
    """They are rendered some thousands at a time. Here the last eleven hold half of the probability."""
    probabilities = np.zeros(robots.WORLD)
    probabilities[:4096] = 0.5 / 4096
    probabilities[-11:] = 0.5 / 11
    mean = RobotPosterior(probabilities.reshape((10,) * 6)).mean()
    halves = [robots.render(robots.from_index(where)).mean(axis=0, dtype=np.float64)
              for where in (np.arange(4096), np.arange(robots.WORLD - 11, robots.WORLD))]
    np.testing.assert_allclose(mean, np.mean(halves, axis=0), atol=1e-6)


def test_larger_robots():
    operator = Downsample(8)
    y = seen(operator, 0.02, size=64)
    posterior = exact_posterior(y, operator, 0.02, open=("colour", "body"), attributes=ROBOT)
    assert posterior.odds("colour").argmax() == ROBOT[0] and posterior.odds("body").argmax() == ROBOT[1]


def test_draws_and_mean_follow_the_probabilities():
    operator = Mask.half((32, 32), "top")
    posterior = exact_posterior(seen(operator, 0.05), operator, 0.05, open=("head", "eyes"), attributes=ROBOT)
    drawn = posterior.draw(4000, seed=0)
    counts = np.bincount(drawn[:, 2], minlength=10) / 4000
    assert np.abs(counts - posterior.odds("head")).max() < 4 * np.sqrt(0.25 / 4000)
    assert np.array_equal(drawn, posterior.draw(4000, seed=0))
    assert np.abs(robots.render(drawn).mean(axis=0) - posterior.mean()).max() < 0.05


@pytest.mark.parametrize(("change", "message"), [
    ({"y": np.zeros((16, 16, 3))}, "y has shape"),
    ({"y": np.full((32, 32, 3), np.nan)}, "y "),
    ({"sigma": -0.1}, "sigma"),
    ({"open": ("nose",)}, "open"),
    ({"open": ("eyes",)}, "attributes must be given"),
    ({"open": "eyes"}, "attributes must be given where only eyes is open"),
    ({"open": ("eyes",), "attributes": [1, 2, 3]}, "attributes"),
    ({"open": ("eyes",), "attributes": [1, 2, 3, 4, 5, 60]}, "attributes"),
    ({"prior": np.zeros((10,) * 6)}, "prior"),
    ({"y": np.zeros((32, 32, 3)), "sigma": 0}, "no robot"),
])
def test_bad_input_is_named(change, message):
    given = {"y": seen(Identity(), 0.1), "operator": Identity(), "sigma": 0.1} | change
    with pytest.raises(ValueError, match=message):
        exact_posterior(**given)


def test_an_operator_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="operator"):
        exact_posterior(seen(Identity(), 0.1), np.eye(3), 0.1)


# ------------------------------------------------------------------------------------------------ mixtures


@pytest.fixture
def mixture():
    means = np.array([[-1.0, 0.0], [1.0, 0.5], [0.0, 2.0]])
    covariances = np.array([[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.2]], [[0.3, -0.1], [-0.1, 0.1]]])
    return Mixture(np.array([0.5, 0.3, 0.2]), means, covariances)


def on_a_grid(mixture, A, y, sigma):
    """Return points, and the posterior's probability at each, from Bayes' rule on a fine grid."""
    axis = np.linspace(-5, 6, 551)
    points = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    prior = sum(w * multivariate_normal(m, c).pdf(points)
                for w, m, c in zip(mixture.weights, mixture.means, mixture.covariances, strict=True))
    weight = prior * np.exp(-np.square(y - points @ A.T).sum(axis=1) / (2 * sigma**2))
    return points, weight / weight.sum()


def test_a_mixtures_posterior_is_that_of_a_fine_grid(mixture):
    A, y, sigma = np.array([[1.0, 0.5]]), np.array([[0.8]]), 0.3
    weights, means, covariances = mixture.posterior(A, y, sigma)
    points, p = on_a_grid(mixture, A, y, sigma)
    mean = weights[:, 0] @ means[:, 0]
    spread = np.einsum("k,kij->ij", weights[:, 0], covariances + np.einsum("ki,kj->kij", means[:, 0], means[:, 0]))
    assert np.allclose(mean, p @ points, atol=1e-4)
    assert np.allclose(spread, np.einsum("n,ni,nj->ij", p, points, points), atol=1e-3)


def test_the_perfect_denoiser_follows_the_slope_of_the_log_density(mixture):
    """Tweedie: D(x) = x + σ² ∇ log p(x; σ), the slope by finite differences."""
    x, sigma, h = RNG.normal(size=(20, 2)), 0.4, 1e-5
    noisy = mixture._replace(covariances=mixture.covariances + sigma**2 * np.eye(2))
    slope = np.stack([(noisy.log_density(x + h * step) - noisy.log_density(x - h * step)) / (2 * h)
                      for step in np.eye(2)], axis=1)
    assert np.allclose(mixture.denoise(x, sigma), x + sigma**2 * slope, atol=1e-6)


def test_the_density_of_a_mixture_is_that_of_scipy(mixture):
    x = RNG.normal(size=(20, 2))
    expected = sum(w * multivariate_normal(m, c).pdf(x)
                   for w, m, c in zip(mixture.weights, mixture.means, mixture.covariances, strict=True))
    np.testing.assert_allclose(mixture.log_density(x), np.log(expected), atol=1e-9)


def test_a_mixtures_draws_have_its_moments(mixture):
    x = mixture.draw(40000, seed=0)
    assert np.allclose(x.mean(axis=0), mixture.weights @ mixture.means, atol=0.03)
    spread = np.einsum("k,kij->ij", mixture.weights,
                       mixture.covariances + np.einsum("ki,kj->kij", mixture.means, mixture.means))
    assert np.allclose(x.T @ x / len(x), spread, atol=0.05)
