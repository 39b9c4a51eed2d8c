"""Posterior samplers, against worlds whose posterior is known in closed form."""

import itertools

import numpy as np
import pytest

from helpers.operators import Blur, Downsample, Identity, Mask, Operator
from helpers.posterior.exact import Mixture

tf = pytest.importorskip("tensorflow")
from helpers.models import diffusion, keras  # noqa: E402 - they need TensorFlow
from helpers.posterior import conditions, samplers  # noqa: E402

RIGHT = Mask(np.array([[0, 1]]))
EXACT = ("pgdm", "ddnm", "twisted")
FOR_MASKS = [method for method in samplers.METHODS if method not in ("direct", "gibbs")]


class World:
    """Pictures of 1 × 2 pixels from a Gaussian mixture, with the perfect denoiser in the place of a network."""

    shape, centre, spread = (1, 2, 1), 0.5, 0.25

    def __init__(self, mixture):
        self.mixture = mixture

    def schedule(self, steps):
        return np.append(np.geomspace(10, 0.01, steps), 0).astype(np.float32)

    def denoiser(self, label, guidance, count):
        weights, means, covariances = (tf.constant(part, tf.float32) for part in self.mixture)

        def denoise(x, t):
            flat = tf.reshape(x, [-1, 1, 2]) - means
            seen = covariances + t**2 * tf.eye(2)
            solved = tf.linalg.matvec(tf.linalg.inv(seen), flat)
            log_odds = (tf.math.log(weights) - 0.5 * tf.reduce_sum(flat * solved, -1)
                        - 0.5 * tf.linalg.logdet(seen))
            each = means + tf.linalg.matvec(covariances, solved)
            return tf.reshape(tf.reduce_sum(tf.nn.softmax(log_odds)[..., None] * each, 1), tf.shape(x))

        return denoise


@pytest.fixture
def gaussian():
    return World(Mixture(np.array([1.0]), np.array([[0.5, 0.5]]), 0.25**2 * np.eye(2)[None]))


@pytest.fixture
def two_kinds():
    """Two narrow kinds: pixels alike, (0.2, 0.2) or (0.8, 0.8), with odds of 3 : 1."""
    means, covariance = np.array([[0.2, 0.2], [0.8, 0.8]]), 0.05**2 * np.eye(2)
    return World(Mixture(np.array([0.75, 0.25]), means, np.array([covariance, covariance])))


def measurement(values):
    return np.reshape(np.array(values, np.float32), (1, 2, 1))


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize(("operator", "A"), [(RIGHT, np.diag([0.0, 1.0])), (Identity(), np.eye(2))])
def test_for_gaussian_pictures_mean_and_spread_are_those_of_the_formula(gaussian, method, operator, A):
    y, sigma = [0.0, 0.9], 0.2
    x = samplers.sample(measurement(y), operator, sigma, gaussian, 1000, seed=0, method=method, steps=80).reshape(-1, 2)
    _, means, covariances = gaussian.mixture.posterior(A, np.array([y]), sigma)
    assert np.allclose(x.mean(axis=0), means[0, 0], atol=0.04)
    assert np.allclose(np.cov(x.T), covariances[0], atol=0.012)


def test_ddnm_is_pgdm_where_the_slope_of_the_network_is_what_it_takes_it_to_be(gaussian, two_kinds):
    """Of one round Gaussian x̂ has the slope r² / t², and the two are the same; of two kinds it has not."""
    def answers(world, method):
        return samplers.sample(measurement([0.0, 0.6]), RIGHT, 0.2, world, 50, seed=0, method=method)

    np.testing.assert_allclose(answers(gaussian, "ddnm"), answers(gaussian, "pgdm"), atol=1e-4)
    assert np.abs(answers(two_kinds, "ddnm") - answers(two_kinds, "pgdm")).max() > 0.05


def test_ddnm_puts_every_guess_in_agreement_with_what_has_no_noise(network):
    """By the formula of the paper, x̂ + A⁺ (y - A x̂), step by step."""
    operator, rng = Downsample(2), np.random.default_rng(0)
    y = operator.forward(np.random.default_rng(1).random((8, 8, 2))).astype(np.float32)
    found = samplers.sample(y, operator, 0.0, network, 3, seed=0, method="ddnm", steps=6, label=1)
    levels = network.schedule(6)
    x = network.centre + levels[0] * rng.standard_normal((3, 8, 8, 2)).astype(np.float32)
    for t, after in itertools.pairwise(levels):
        clean, kept = network.denoise(x, float(t), label=1), (after / t) ** 2
        miss = np.stack([y - operator.forward(one) for one in clean])
        clean = clean + 4 * np.stack([operator.adjoint(one) for one in miss])  # A Aᵀ is a quarter
        x = clean + kept * (x - clean) + np.sqrt(1 - kept) * after * rng.standard_normal(x.shape)
    np.testing.assert_allclose(found, x, atol=2e-4)
    np.testing.assert_allclose(np.stack([operator.forward(one) for one in found]), np.stack([y] * 3), atol=1e-4)


def test_the_direct_draws_behind_noise_are_those_of_the_formula(two_kinds):
    """Odds of the kinds, and mean and spread of each: with nothing to approximate, nothing is off."""
    y, sigma = [0.5, 0.55], 0.3
    x = samplers.sample(measurement(y), Identity(), sigma, two_kinds, 4000, seed=0, method="direct", steps=120)
    weights, means, covariances = two_kinds.mixture.posterior(np.eye(2), np.array([y]), sigma)
    assert 0.2 < weights[0, 0] < 0.8
    first = x[:, 0, 0, 0] < 0.5
    assert np.mean(first) == pytest.approx(weights[0, 0], abs=0.03)
    for kind, chosen in enumerate((first, ~first)):
        assert np.allclose(x[chosen].reshape(-1, 2).mean(axis=0), means[kind, 0], atol=0.01)
        assert np.allclose(np.cov(x[chosen].reshape(-1, 2).T), covariances[kind], atol=5e-4)


def test_the_direct_draws_of_a_network_are_the_rest_of_its_walk(network):
    """Number for number; without noise there is no way to go; and each answer may have a measurement of its own."""
    y, rng = np.random.default_rng(1).random((3, 8, 8, 2)).astype(np.float32), np.random.default_rng(0)

    def answers(y=y, sigma=0.5, seed=0):
        return samplers.sample(y, Identity(), sigma, network, 3, seed=seed, method="direct", steps=6, label=1)

    levels, x = network.schedule(6), y
    for t, after in itertools.pairwise([0.5, *levels[levels < 0.5]]):
        clean, kept = network.denoise(x, float(t), label=1), (after / t) ** 2
        x = clean + kept * (x - clean) + np.sqrt(1 - kept) * after * rng.standard_normal(x.shape)
    np.testing.assert_allclose(answers(), x, atol=5e-5)
    assert np.array_equal(answers(sigma=0.0), y)
    assert np.array_equal(answers(), answers()) and not np.allclose(answers(), answers(seed=1))
    assert np.abs(answers(y[0]) - answers())[1:].max() > 0.1 and answers(y[0]).shape == (3, 8, 8, 2)


def odds_of_the_first(world, y, sigma, **settings):
    x = samplers.sample(measurement(y), RIGHT, sigma, world, **settings)
    return float(np.mean(x[:, 0, 0, 0] < 0.5))


def test_particles_find_the_odds_between_two_kinds(two_kinds):
    """The more of them, the nearer: that is what asymptotically exact means."""
    y, sigma = [0.0, 0.55], 0.2
    weights, _, _ = two_kinds.mixture.posterior(np.diag([0.0, 1.0]), np.array([y]), sigma)
    assert 0.2 < weights[0, 0] < 0.8
    errors = {}
    for particles, n, runs in ((8, 8, 16), (512, 512, 3)):
        drawn = [odds_of_the_first(two_kinds, y, sigma, n=n, seed=seed, method="twisted", steps=60, particles=particles)
                 for seed in range(runs)]
        errors[particles] = np.sqrt(np.mean(np.square(np.array(drawn) - weights[0, 0])))
    assert errors[512] < 0.06 and errors[512] < errors[8] / 2, errors


@pytest.mark.parametrize("method", ["pgdm", "repaint", "twisted"])
def test_with_everything_seen_the_answer_is_the_picture(two_kinds, method):
    everything = Mask(np.ones((1, 2), bool))
    x = samplers.sample(measurement([0.21, 0.18]), everything, 0.0, two_kinds, 4, seed=0, method=method, steps=100)
    assert np.abs(x.reshape(-1, 2) - [0.21, 0.18]).max() < 0.03


def test_the_steps_of_dps_lead_toward_the_measurement(two_kinds):
    """Toward it, and no more: their length does not shrink as they arrive."""
    everything, y = Mask(np.ones((1, 2), bool)), [0.81, 0.78]  # the rarer kind
    far = {strength: np.abs(samplers.sample(measurement(y), everything, 0.0, two_kinds, 200, seed=0, method="dps",
                                            strength=strength).reshape(-1, 2) - y).mean() for strength in (0, 0.3)}
    assert far[0.3] < 0.75 * far[0]


def test_each_answer_may_have_a_strength_of_its_own(two_kinds):
    y, everything = measurement([0.81, 0.78]), Mask(np.ones((1, 2), bool))
    none, some, each = (samplers.sample(y, everything, 0.0, two_kinds, 2, seed=0, method="dps", strength=strength)
                        for strength in (0, 0.3, (0, 0.3)))
    np.testing.assert_allclose(each, [none[0], some[1]], atol=1e-5)
    assert np.abs(none - some).min() > 1e-3


@pytest.mark.parametrize("method", FOR_MASKS)
def test_with_nothing_seen_the_prior_is_left(two_kinds, method):
    nothing = Mask(np.zeros((1, 2), bool))
    x = samplers.sample(measurement([0, 0]), nothing, 0.1, two_kinds, 1500, seed=0, method=method, steps=60)
    near = x.reshape(-1, 2) < 0.5
    assert np.mean(near.all(axis=1)) == pytest.approx(0.75, abs=0.06)
    assert np.mean(near.any(axis=1) & ~near.all(axis=1)) < 0.02


@pytest.mark.parametrize("method", FOR_MASKS)
def test_the_same_seed_draws_the_same_and_another_does_not(two_kinds, method):
    first, again, other = (samplers.sample(measurement([0, 0.2]), RIGHT, 0.1, two_kinds, 3, seed=seed, method=method,
                                           steps=5) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.allclose(first, other)
    assert first.shape == (3, 1, 2, 1) and first.dtype == np.float32


# ------------------------------------------------------------------------------------------- a model of the course


@pytest.fixture(scope="module")
def network():
    """A diffusion model with a network, untrained: two channels, three conditions, and weights without a nought."""
    keras.utils.set_random_seed(0)
    made = diffusion.build((8, 8, 2), (3,), widths=(8, 8), down=(1, 1), up=(1,))
    rng = np.random.default_rng(0)
    for variable in made.trainable_variables:
        variable.assign_add((0.1 * rng.standard_normal(variable.shape)).astype(np.float32))
    return diffusion.Diffusion(made, (3,), 0.2, 0.3)


def by_hand(model, n, seed, steps, draws=1, **how):
    """Return samples of the prior: the ancestral step of DDPM, written out in NumPy. Of the ``draws`` of noise that a
    method takes for each step, the first is used."""
    rng, levels = np.random.default_rng(seed), model.schedule(steps)

    def noise():
        return rng.standard_normal((n, *model.shape)).astype(np.float32)

    x = model.centre + levels[0] * noise()
    for t, after in itertools.pairwise(levels):
        clean, kept = model.denoise(x, float(t), **how), (after / t) ** 2
        x = clean + kept * (x - clean)
        if after > 0 or draws > 1:
            new = [noise() for _ in range(draws)]
            x = x + np.sqrt(1 - kept) * after * new[0]
    return x


PRIORS = {"repaint": {"jumps": 1}, "twisted": {"particles": 4}}


@pytest.mark.parametrize("method", FOR_MASKS)
def test_with_nothing_seen_a_network_draws_from_its_prior(network, method):
    """Number for number: no method adds anything of its own where the measurement says nothing."""
    nothing, how = Mask(np.zeros((8, 8), bool)), {"label": 1, "guidance": 2.0}
    x = samplers.sample(np.zeros((8, 8, 2)), nothing, 0.1, network, 4, seed=3, method=method, steps=4,
                        **how, **PRIORS.get(method, {}))
    prior = by_hand(network, 4, 3, 4, draws=2 if method == "repaint" else 1, **how)
    if method == "twisted":  # its particles come out in random order
        x, prior = (np.array(sorted(some, key=lambda one: one.flat[0])) for some in (x, prior))
    np.testing.assert_allclose(x, prior, atol=5e-5)
    assert np.abs(prior[0] - prior[1]).max() > 0.1, "these could not be mistaken for each other"


@pytest.mark.parametrize("method", FOR_MASKS)
@pytest.mark.parametrize("sigma", [0.0, 0.1])
def test_a_network_answers_a_measurement(network, method, sigma):
    half, rng = Mask.half((8, 8), "bottom"), np.random.default_rng(0)
    y = half.forward(rng.random((8, 8, 2)))

    def answers(y=y, seed=0, **how):
        return samplers.sample(y, half, sigma, network, 3, seed=seed, method=method, steps=3, **how)

    x = answers()
    assert x.shape == (3, 8, 8, 2) and x.dtype == np.float32 and np.isfinite(x).all()
    assert np.array_equal(x, answers()), "the same seed, the same answers"
    others = {"seed": answers(seed=1), "measurement": answers(half.forward(rng.random((8, 8, 2)))),
              "label": answers(label=2), "guidance": answers(label=2, guidance=3.0)}
    for what, other in others.items():
        assert np.abs(other - x).max() > 1e-3, f"another {what}, other answers"
    assert np.abs(others["label"] - others["guidance"]).max() > 1e-3
    if method == "repaint" and sigma == 0:
        np.testing.assert_allclose(x[:, :4], np.broadcast_to(y[:4], (3, 4, 8, 2)), atol=1e-6)


@pytest.mark.parametrize("method", ["pgdm", "dps", "ddnm", "repaint"])
def test_each_answer_may_have_a_measurement_of_its_own(network, method):
    """Two measurements in turn: each pair of answers is what the same noise makes of one alone."""
    half, rng = Mask.half((8, 8), "bottom"), np.random.default_rng(0)
    both = np.stack([half.forward(rng.random((8, 8, 2))) for _ in range(2)])

    def answers(y):
        return samplers.sample(y, half, 0.1, network, 4, seed=0, method=method, steps=3)

    x = answers(both[[0, 1, 0, 1]])
    np.testing.assert_allclose(x[::2], answers(both[0])[::2], atol=1e-4)
    np.testing.assert_allclose(x[1::2], answers(both[1])[1::2], atol=1e-4)


@pytest.mark.parametrize("operator", [Blur.gaussian(1), Downsample(2), Identity()])
@pytest.mark.parametrize("method", ["pgdm", "dps", "twisted"])
def test_a_network_takes_any_operator(network, operator, method):
    y = operator.forward(np.random.default_rng(0).random((8, 8, 2)))
    x = samplers.sample(y, operator, 0.05, network, 2, seed=0, method=method, steps=2, particles=2)
    assert x.shape == (2, 8, 8, 2) and np.isfinite(x).all()


def test_conjugate_gradients_solve(gaussian):
    """For a blur, where A Aᵀ is no diagonal matrix."""
    operator, rng = Blur.gaussian(1), np.random.default_rng(0)
    b = rng.standard_normal((2, 16, 16, 1)).astype(np.float32)
    found = samplers._solve(operator, tf.constant(b), 0.3, 0.1).numpy()
    for one, solved in zip(b, found, strict=True):
        back = 0.3 * operator.forward(operator.adjoint(solved)) + 0.1 * solved
        assert np.abs(back - one).max() < 0.01


def test_weights_copy_heavy_particles():
    rng = np.random.default_rng(0)
    assert samplers._resample(np.zeros(10), rng) is None
    order = samplers._resample(np.log([0.7, *[0.3 / 9] * 9]), rng)
    assert np.sum(order == 0) in (7, 8)


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"n": 0}, ValueError, "n must"), ({"steps": 0}, ValueError, "steps"), ({"sigma": -1}, ValueError, "sigma"),
    ({"method": "pgdn"}, ValueError, "pgdm"), ({"y": np.zeros((2, 2, 1))}, ValueError, "y has shape"),
    ({"y": np.full((1, 2, 1), np.nan)}, ValueError, "y"), ({"operator": np.eye(2)}, TypeError, "operator"),
    ({"y": np.zeros((3, 1, 2, 1)), "method": "dps"}, ValueError, "3 measurements, expected 2"),
    ({"y": np.zeros((2, 1, 2, 1))}, ValueError, "y must have 3 axes"),
    ({"method": "repaint", "operator": Identity()}, ValueError, "Mask"), ({"particles": 1}, ValueError, "particles"),
    ({"method": "direct"}, ValueError, "Identity"),
    ({"jumps": 0}, ValueError, "jumps"), ({"strength": -1.0}, ValueError, "strength"),
    ({"strength": (1.0, 2.0, 3.0)}, ValueError, "strength has 3 numbers, expected one, or 2"),
    ({"model": object()}, TypeError, "model must be a diffusion model, but object came, which has no shape"),
])
def test_bad_input_is_named(gaussian, change, error, message):
    given = {"y": measurement([0, 0.5]), "operator": RIGHT, "sigma": 0.1, "model": gaussian, "n": 2, "seed": 0,
             "method": "twisted"} | change
    with pytest.raises(error, match=message):
        samplers.sample(**given)


def test_an_operator_without_a_form_in_the_graph_says_so(gaussian):
    class Odd(Operator):
        name = "odd"

        def _forward(self, x):
            return x

        _adjoint = _forward

    with pytest.raises(NotImplementedError, match="odd"):
        samplers.sample(measurement([0, 0.5]), Odd(), 0.1, gaussian, 1, seed=0)


# --------------------------------------------------------------------------------------------------- conditions


class Told(World):
    """Pictures of 1 × 2 pixels with a condition for each pixel: it is 0.3 or 0.7, give or take ``DOUBT``."""

    choices = (2, 2)

    def __init__(self):
        self.means = np.array([[[a, b] for b in (0.3, 0.7)] for a in (0.3, 0.7)])

    def denoise(self, x, t, label):
        """The perfect denoiser of what is told; of what is not, the mean of both."""
        means = self.means[tuple(np.abs(label).T)]
        means = np.where(label < 0, 0.5, means).reshape(x.shape)
        spread = np.where(label < 0, 0.2**2 + conditions.DOUBT**2, conditions.DOUBT**2).reshape(x.shape)
        return (means + spread / (spread + t**2) * (x - means)).astype(np.float32)

    def denoiser(self, label, guidance, count):
        means = tf.constant(np.broadcast_to(self.means[tuple(np.array(label).T)], (count, 2)), tf.float32)
        means, spread = tf.reshape(means, (count, 1, 2, 1)), conditions.DOUBT**2
        return lambda x, t: means + spread / (spread + t**2) * (x - means)

    def posterior(self, A, y, sigma, prior):
        """Return the odds of the four kinds, by the formula for mixtures."""
        kinds = Mixture(prior.ravel() / prior.sum(), self.means.reshape(4, 2),
                        np.array([conditions.DOUBT**2 * np.eye(2)] * 4))
        return kinds.posterior(A, np.array([y]), sigma)


def drawn_conditions(y, operator, sigma, n, prior=None, known=(-1, -1), seed=0):
    return conditions.draw(measurement(y), operator, sigma, Told(), n, np.random.default_rng(seed), np.array(known),
                           prior)


@pytest.mark.parametrize(("operator", "A", "y", "sigma"), [
    (RIGHT, np.diag([0.0, 1.0]), [0.0, 0.55], 0.2), (RIGHT, np.diag([0.0, 1.0]), [0.0, 0.49], 0.03),
    (Identity(), np.eye(2), [0.52, 0.44], 0.2)])
def test_conditions_have_the_odds_of_the_formula(operator, A, y, sigma):
    """The conditions hang together by their prior."""
    prior = np.array([[4.0, 1.0], [1.0, 2.0]])
    said = drawn_conditions(y, operator, sigma, 4000, prior)
    odds = np.bincount(said @ [2, 1], minlength=4) / 4000
    expected = Told().posterior(A, y, sigma, prior)[0][:, 0]
    assert expected.min() > 0.02 and np.abs(odds - expected).max() < 0.03, (odds, expected)


def test_pictures_of_drawn_conditions_have_mean_and_spread_of_the_formula():
    y, prior = [0.0, 0.65], np.array([[1.0, 0.5], [2.0, 1.0]])
    x = samplers.sample(measurement(y), RIGHT, 0.2, Told(), 3000, seed=0, method="gibbs", steps=120, prior=prior)
    x = x.reshape(-1, 2)
    odds, means, covariances = Told().posterior(np.diag([0.0, 1.0]), y, 0.2, prior)
    mean = np.einsum("k,kd->d", odds[:, 0], means[:, 0])
    spread = np.einsum("k,kde->de", odds[:, 0], covariances + np.einsum("kd,ke->kde", *2 * [means[:, 0] - mean]))
    assert np.allclose(x.mean(axis=0), mean, atol=0.015) and np.allclose(np.cov(x.T), spread, atol=0.004)


def test_what_is_known_and_what_cannot_be_stay_as_they_are():
    never = np.array([[1.0, 0.0], [1.0, 1.0]])
    said = drawn_conditions([0.5, 0.9], Identity(), 0.2, 200, never)
    assert not ((said[:, 0] == 0) & (said[:, 1] == 1)).any() and len(np.unique(said[:, 1])) == 2
    assert (drawn_conditions([0.5, 0.9], Identity(), 0.2, 50, known=(-1, 0))[:, 1] == 0).all()


def test_in_the_first_round_what_is_not_told_may_be_anything(monkeypatch):
    """One look, at the mean of both; a doubt as large as the spread of all pixels; and the prior summed up."""
    monkeypatch.setattr(conditions, "SWEEPS", 1)
    y, prior = np.array([0.6, 0.45]), np.array([[6.0, 2.0], [1.0, 1.0]])
    first = drawn_conditions(y, Identity(), 0.1, 4000, prior)[:, 0]
    looked = Told().denoise(np.full((2, 1, 2, 1), 0.5, np.float32), conditions.LOOKS[0], np.array([[0, -1], [1, -1]]))
    far = np.sum((y - looked.reshape(2, 2)) ** 2, axis=1)
    fits = np.exp(-0.5 * far / (Told.spread**2 + 0.1**2)) * prior.sum(axis=1)
    assert np.mean(first == 1) == pytest.approx(fits[1] / fits.sum(), abs=0.025) and fits[1] < 0.5 * fits[0]


@pytest.mark.parametrize(("doubts", "odds"), [(1.6, 0.5), (2.4, 1 / (1 + np.exp(0.5 * 2.4**2 / (1 + 0.2**2))))])
def test_small_errors_where_candidates_should_be_equal_change_no_odds(monkeypatch, doubts, odds):
    """Of the second pixel nothing is seen. But the pictures of its two kinds also differ in the first: by little, or by
    more than is taken for an error."""
    right = Told.denoise
    monkeypatch.setattr(Told, "denoise", lambda self, x, t, label: right(self, x, t, label) + np.float32(
        doubts * conditions.DOUBT) * np.reshape([[one[1] > 0, 0] for one in label], x.shape).astype(np.float32))
    said = drawn_conditions([0.3, 0.0], Mask(np.array([[1, 0]])), 0.01, 3000)
    assert (said[:, 0] == 0).all() and np.mean(said[:, 1]) == pytest.approx(odds, abs=0.03)


def test_a_caption_is_asked_for_once(monkeypatch):
    asked = {}

    def picture(model, said, looks):
        for one in map(tuple, said.tolist()):
            assert one not in asked
            asked[one] = looks
        return np.zeros((len(said), 1, 2, 1), np.float32)

    monkeypatch.setattr(conditions, "picture", picture)
    drawn_conditions([0.5, 0.5], Identity(), 0.2, 30)
    assert len(asked) == 6
    assert all(looks == (conditions.LOOKS[:1] if -1 in one else conditions.LOOKS) for one, looks in asked.items())


def test_of_a_network_the_walk_begins_with_the_picture_that_it_was_told(network):
    """Number for number, where nothing is seen and all is known."""
    nothing, label = Mask(np.zeros((8, 8), bool)), [1]
    x = samplers.sample(np.zeros((8, 8, 2)), nothing, 0.1, network, 3, seed=5, method="gibbs", steps=6, label=label)
    rng, levels = np.random.default_rng(5), network.schedule(6)
    z = conditions.picture(network, np.array([label] * 3))
    np.testing.assert_allclose(z, network.denoise(network.denoise(np.full_like(z, network.centre), 10, label), 0.3,
                                                  label), atol=1e-6)
    levels = [samplers.MIDWAY, *levels[levels < samplers.MIDWAY]]
    z = z + levels[0] * rng.standard_normal(z.shape).astype(np.float32)
    for t, after in itertools.pairwise(levels):
        clean, kept = network.denoise(z, float(t), label=label), (after / t) ** 2
        z = clean + kept * (z - clean)
        if after > 0:
            z = z + np.sqrt(1 - kept) * after * rng.standard_normal(z.shape).astype(np.float32)
    np.testing.assert_allclose(x, z, atol=5e-5)


def test_the_conditions_of_a_network_follow_the_seed(network):
    y = np.random.default_rng(1).random((8, 8, 2))
    first, again, other = (samplers.sample(y, Identity(), 5.0, network, 6, seed=seed, method="gibbs", steps=3)
                           for seed in (0, 0, 1))
    assert np.array_equal(first, again) and not np.allclose(first, other)


@pytest.mark.parametrize(("change", "error", "message"), [
    ({"model": "gaussian"}, ValueError, "needs a model that has some"),
    ({"y": np.zeros((2, 1, 2, 1))}, ValueError, "y must have 3 axes"),
    ({"label": [0]}, ValueError, "label must hold the conditions of one picture"),
    ({"label": [0, 2]}, ValueError, "below 2, 2"), ({"label": [0.0, 1.0]}, ValueError, "label"),
    ({"prior": np.ones(4)}, ValueError, "prior must have 2 axes"),
    ({"prior": -np.ones((2, 2))}, ValueError, "prior must hold"),
    ({"prior": np.ones((2, 3))}, ValueError, "prior must hold"),
    ({"prior": np.eye(2), "label": [0, 1]}, ValueError, "not all 0 where label leaves them open"),
    ({"prior": np.eye(2), "method": "pgdm"}, ValueError, "prior is for method 'gibbs'"),
])
def test_bad_conditions_are_named(gaussian, change, error, message):
    given = {"y": measurement([0, 0.5]), "operator": RIGHT, "sigma": 0.1, "model": Told(), "n": 2, "seed": 0,
             "method": "gibbs"} | change
    if given["model"] == "gaussian":
        given["model"] = gaussian
    with pytest.raises(error, match=message):
        samplers.sample(**given)
