"""Learning without clean pictures: blind means blind, Stein's estimate is the risk, and what is asked is what is given.

Pictures are small here: the numbers that the page promises are measured there and in benchmarks/self_supervised.py.
"""

import json

import numpy as np
import pytest
from scipy import fft

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from benchmarks import self_supervised as benchmark
from helpers.images import SPLITS, photo
from helpers.models import self_supervised as ours
from helpers.operators import Blur

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did
SIGMA = 25 / 255


def noisy(x, seed=0):
    return (x + SIGMA * np.random.default_rng(seed).standard_normal(x.shape)).astype(np.float32)


@pytest.fixture(scope="module")
def x():
    return photo("motorcycle", size=48)[:, :41]


@pytest.fixture(scope="module")
def learned(x):
    return ours.learn(noisy(x), steps=32)


# -------------------------------------------------------------------------------------------------- blindness


def test_every_pixel_is_hidden_once_and_no_two_neighbours_at_a_time():
    sets = ours.hidden_sets((9, 14))
    assert sets.shape == (16, 9, 14) and (sets.sum(axis=0) == 1).all()
    for one in sets:
        rows, columns = np.nonzero(one)
        apart = np.maximum(abs(rows[:, None] - rows), abs(columns[:, None] - columns))
        assert apart[~np.eye(len(rows), dtype=bool)].min() >= 4


def test_the_mean_of_the_neighbours_leaves_out_the_pixel_and_nothing_else(x):
    y = np.arange(15, dtype=np.float32).reshape(3, 5) ** 2
    mean = ours.neighbours(y)
    assert mean[1, 2] == (y[:3, 1:4].sum() - y[1, 2]) / 8
    assert mean[0, 0] == (2 * y[0, 1] + 2 * y[1, 0] + 4 * y[1, 1]) / 8  # mirrored at the corner, which does not count


@pytest.mark.parametrize("place", [(0, 0), (0, 17), (47, 40), (21, 40), (22, 19), (23, 20)])
def test_a_blind_answer_does_not_move_with_its_pixel(learned, x, place):
    before = learned.blind(noisy(x))
    other = noisy(x)
    other[place] += 0.7
    after = learned.blind(other)
    assert after[place] == before[place]
    assert np.abs(after - before).max() > 0.01  # its neighbours hear of it


def test_the_whole_answer_does_move(learned, x):
    other = noisy(x)
    other[22, 19] += 0.7
    assert abs(learned(other) - learned(noisy(x)))[22, 19] > 0.01


# ------------------------------------------------------------------------------------------- Stein's estimate


@pytest.mark.parametrize("width", [0.4, 0.6, 1.0])
def test_sure_is_the_risk_of_a_linear_denoiser_in_closed_form(width):
    x, K = photo("motorcycle", size=128).astype(float), Blur.gaussian(width)
    point = np.zeros_like(x)
    point[0, 0] = 1
    risk = np.mean((K.forward(x) - x) ** 2) + SIGMA**2 * np.sum(K.forward(point) ** 2)
    estimates = [ours.sure(K.forward, x + SIGMA * np.random.default_rng(seed).standard_normal(x.shape), SIGMA, seed)
                 for seed in range(20)]
    assert np.mean(estimates) == pytest.approx(risk, rel=0.02)


@pytest.mark.parametrize("probes", [1, 3])
def test_sure_of_one_factor_for_all_pixels_needs_no_luck(x, probes):
    """All slopes are c, so every probe finds their sum."""
    y = noisy(x).astype(float)
    for c in (0.0, 0.3, 1.0):
        expected = (1 - c) ** 2 * np.mean(y**2) + 2 * SIGMA**2 * c - SIGMA**2
        assert ours.sure(lambda v, c=c: c * v, y, SIGMA, probes=probes) == pytest.approx(expected, rel=1e-9)


def test_sure_without_noise_is_the_misfit(x):
    assert ours.sure(lambda v: v / 2, x, 0.0) == pytest.approx(np.mean((x / 2) ** 2), rel=1e-6)


def test_more_probes_scatter_less(x):
    y, K = noisy(x), Blur.gaussian(0.6)
    few, many = (np.std([ours.sure(K.forward, y, SIGMA, seed, probes) for seed in range(12)]) for probes in (1, 16))
    assert many < 0.6 * few


# ------------------------------------------------------------------------------------------------- the network


def test_with_all_gains_one_the_network_returns_its_input(x):
    """Analysis and synthesis undo each other, up to the border and at odd sides."""
    network = ours.Shrinkage()
    network(np.zeros((1, 32, 32, 1), np.float32))
    network.threshold.assign(np.full(64, -1e6, np.float32))
    y = noisy(x)
    assert np.abs(network(y[None, ..., None])[0, ..., 0] - y).max() < 1e-5


def test_before_training_noise_goes_and_brightness_counts_for_nothing(x):
    network, y = ours.Learned(ours.Shrinkage()), noisy(x)
    assert np.mean((network(y) - x) ** 2) < 0.6 * SIGMA**2
    assert np.abs(network(4 * y) - 4 * network(y)).max() < 0.01


def local_mean(values, side):
    """Return the mean of a square around each place of (R, C, …); what lies outside does not count."""
    half = side // 2
    return np.array([[values[max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1].mean(axis=(0, 1))
                      for j in range(values.shape[1])] for i in range(values.shape[0])])


def by_hand(network, y):
    """Return what the docstring of the network says, one patch after the other, by SciPy's cosines."""
    height, width = y.shape
    framed = np.pad(y.astype(float), [(7, 8), (7, 8)], mode="reflect")
    rows, columns = (range(0, side + 8, 2) for side in y.shape)
    z = np.array([[fft.dctn(framed[i : i + 8, j : j + 8], norm="ortho").ravel() for j in columns] for i in rows])
    fine = np.add.outer(np.arange(8), np.arange(8)).ravel() >= 7
    size = np.log(z**2 + ours.FLOOR)
    noise = local_mean(size[..., fine].mean(axis=2), 9)[..., None]
    around = np.log(local_mean(z**2, 3) + ours.FLOOR) - noise
    first, second, bias = (np.array(one, float) for one in (network.first[0, 0], network.second[0, 0], network.bias))
    multiple = np.array(network.threshold) + np.maximum(around @ first + bias, 0) @ second
    gain = 1 / (1 + np.exp(-float(network.steepness) * (size - noise - multiple)))
    gain[..., 0] = 1
    weight = gain.sum(axis=2) ** -float(network.sparsity)
    total, weights = np.zeros_like(framed), np.zeros_like(framed)
    for (r, c), one in np.ndenumerate(weight):
        here = np.s_[2 * r : 2 * r + 8, 2 * c : 2 * c + 8]
        total[here] += one * fft.idctn((gain[r, c] * z[r, c]).reshape(8, 8), norm="ortho")
        weights[here] += one
    return (total / np.maximum(weights, 1e-9))[7 : 7 + height, 7 : 7 + width]


def test_the_network_is_what_its_docstring_says(x):
    y, rng = noisy(x)[:34, :33], np.random.default_rng(7)
    network = ours.Shrinkage(width=5, seed=2)
    level = np.log(rng.standard_normal(100_000) ** 2).mean()  # what it takes for ln σ², where σ is 1
    np.testing.assert_allclose(network.threshold, np.log(2.7**2) - level, atol=0.03)
    for variable in network.trainable_variables:
        variable.assign_add(0.3 * rng.standard_normal(variable.shape).astype(np.float32))
    np.testing.assert_allclose(ours.Learned(network)(y), by_hand(network, y), atol=1e-5)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("loss", ["blind", "sure", "pair"])
def test_a_constant_picture_stays_what_it_is(level, loss):
    y = np.full((32, 33), level, np.float32)
    learned = ours.learn(y, loss, sigma=0.1, second=y, steps=2)
    assert np.isfinite(learned.losses).all()
    assert np.abs(learned(y) - y).max() < 1e-5 and np.abs(learned.blind(y) - y).max() < 1e-5


# ---------------------------------------------------------------------------------------------------- learning


def test_the_first_losses_are_what_their_definitions_say(x):
    y, second = noisy(x), noisy(x, 1)
    start = ours.Learned(ours.Shrinkage(seed=3))
    pair = ours.learn(y, "pair", second=second, steps=1, seed=3).losses[0]
    assert pair == pytest.approx(np.mean((start(y) - second) ** 2), rel=1e-4)
    blind = ours.learn(y, "blind", steps=1, seed=3).losses[0]
    squares = (start.blind(y) - y) ** 2
    assert min(abs(blind / squares[hidden].mean() - 1) for hidden in ours.hidden_sets(y.shape)) < 1e-4
    stein = ours.learn(y, "sure", sigma=SIGMA, steps=1, seed=3).losses[0]
    probed = [ours.sure(start, y, SIGMA, seed) for seed in range(30)]
    assert abs(stein - np.mean(probed)) < 5 * np.std(probed)


def test_learning_helps_on_noise_that_was_not_seen(x, learned):
    before, after = ours.Learned(ours.Shrinkage()), learned
    fresh = noisy(x, 9)
    assert np.mean((after(fresh) - x) ** 2) < np.mean((before(fresh) - x) ** 2)


def test_every_hidden_set_takes_its_turn(x):
    """Sixteen steps at a rate of zero see every pixel once, in an order that the seed decides."""
    y = noisy(x)[:, :40]
    start = ours.Learned(ours.Shrinkage())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "RATE", 0.0)
        losses = ours.learn(y, "blind", steps=16, seed=4).losses
    turns = ours.hidden_sets(y.shape)[np.random.default_rng(4).permutation(16)]
    squares = (start.blind(y) - y) ** 2
    np.testing.assert_allclose(losses, [squares[hidden].mean() for hidden in turns], rtol=1e-4)


def test_the_same_seed_gives_the_same_picture(x):
    y = noisy(x)
    one, again, other = (ours.learn(y, "sure", sigma=SIGMA, steps=3, seed=seed, width=5) for seed in (1, 1, 2))
    assert (one(y) == again(y)).all() and (one(y) != other(y)).any()
    assert one.losses[0] != other.losses[0], "before the first step the networks say the same, so the probes differ"


def test_a_seed_decides_the_weights_and_every_step_has_its_own_probe(x):
    y = noisy(x)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "RATE", 0.0)
        learned = ours.learn(y, "sure", sigma=SIGMA, steps=3, seed=1, width=5)
    assert np.array_equal(learned.network.first, ours.Shrinkage(5, seed=1).first)
    assert not np.array_equal(learned.network.first, ours.Shrinkage(5, seed=0).first)
    assert len(set(learned.losses.tolist())) == 3


# --------------------------------------------------------------------------------------- the deep image prior


def test_what_is_kept_aside_is_kept_aside(x):
    """Another value there changes neither the drawing nor its loss."""
    y = noisy(x)[:, :40]
    rng = np.random.default_rng(5)
    aside, start = rng.random(y.shape) < 0.3, rng.standard_normal((1, 24, 20, 8)).astype(np.float32)
    options = {"steps": 4, "keep": range(4), "seed": 5, "channels": 8, "aside": 0.3}
    one, other = (ours.deep_image_prior(picture, **options) for picture in (y, np.where(aside, y + 1, y)))
    assert np.array_equal(one.pictures, other.pictures) and (one.seen == other.seen).all()
    assert (one.aside != other.aside).all()
    assert one.aside[2] == pytest.approx(np.mean((one.pictures[2] - y)[aside] ** 2), rel=1e-4)
    assert one.seen[2] == pytest.approx(np.mean((one.pictures[2] - y)[~aside] ** 2), rel=1e-4)
    assert (one.x == one.pictures[one.stopped]).all() and one.stopped == one.aside.argmin()
    untaught = ours._hourglass(8, seed=5)(start, training=True)[0, ..., 0]
    np.testing.assert_allclose(one.pictures[0], untaught, atol=1e-5)


def test_the_drawing_gives_up_when_patience_ends(x):
    y = noisy(x)[:, :40]
    drawn = ours.deep_image_prior(y, steps=60, patience=1, seed=0, channels=8)
    assert len(drawn.aside) < 60 and len(drawn.aside) == drawn.stopped + 2
    assert drawn.aside[-1] >= drawn.aside[drawn.stopped]


# --------------------------------------------------------------------------------------------------- bad input

OK = np.zeros((32, 32), np.float32)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: ours.learn(np.zeros((31, 200))), ValueError, "y has 31 × 200 pixels, expected at least 32"),
    (lambda: ours.learn(np.zeros((1000, 1501))), ValueError, "y has 1000 × 1501 pixels, expected at most"),
    (lambda: ours.learn(np.zeros((32, 32, 3))), ValueError, "y must have 2 axes"),
    (lambda: ours.learn(np.full((32, 32), np.nan)), ValueError, "y must be finite"),
    (lambda: ours.learn(OK, "blnd"), ValueError, "loss 'blnd' is unknown: did you mean 'blind'"),
    (lambda: ours.learn(OK, "sure"), ValueError, "sigma is missing"),
    (lambda: ours.learn(OK, "sure", sigma=0), ValueError, "sigma must be above 0"),
    (lambda: ours.learn(OK, "sure", sigma=25), ValueError, "25/255"),
    (lambda: ours.learn(OK, "pair"), ValueError, "second is missing"),
    (lambda: ours.learn(OK, "pair", second=np.zeros((32, 33))), ValueError, r"second has shape \(32, 33\)"),
    (lambda: ours.learn(OK, steps=0), ValueError, "steps must be at least 1"),
    (lambda: ours.learn(OK, seed=-1), ValueError, "seed must be at least 0"),
    (lambda: ours.Learned(ours.Shrinkage())(np.zeros((32, 8))), ValueError, "32 × 8 pixels"),
    (lambda: ours.deep_image_prior(np.zeros((32, 34))), ValueError, "multiples of 4"),
    (lambda: ours.deep_image_prior(np.zeros((16, 32))), ValueError, "at least 32"),
    (lambda: ours.deep_image_prior(OK, aside=0), ValueError, "aside must lie in"),
    (lambda: ours.sure(lambda v: v, OK, -1), ValueError, "sigma must be at least 0"),
    (lambda: ours.sure(lambda v: v, OK, 0.1, probes=0), ValueError, "probes must be at least 1"),
])
def test_bad_input_gets_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()


# --------------------------------------------------------------------------------------------------- benchmark


def test_the_three_noises_are_what_they_are_called():
    flat = np.full((256, 256), 0.5, np.float32)
    for noise in benchmark.NOISES:
        y = benchmark.noisy(flat, noise, seed=3)
        assert y.dtype == np.float32 and (y == benchmark.noisy(flat, noise, seed=3)).all()
        assert abs(y.mean() - 0.5) < 0.01
    gaussian, poisson, varying = (benchmark.noisy(flat, noise, seed=3) - flat for noise in benchmark.NOISES)
    assert gaussian.std() == pytest.approx(25 / 255, rel=0.02)
    assert 10 < 0.5 / poisson.var() < 40
    assert varying[:, :16].std() < 10 / 255 and varying[:, -16:].std() == pytest.approx(53.4 / 255, rel=0.05)


def test_a_rival_is_told_the_level_of_each_place():
    flat, told = np.full((256, 256), 0.5, np.float32), []

    def level(y, sigma):
        told.append((y, sigma))
        return np.full_like(y, sigma)

    x = benchmark.by_place(level, benchmark.noisy(flat, "varying", seed=3), "varying")
    assert np.abs(255 * x.mean(axis=0) - np.linspace(5, 55, 256))[32:-32].max() < 3  # linear between the middles
    y = benchmark.noisy(flat, "poisson", seed=3)
    assert benchmark.by_place(lambda z, sigma: z, y, "poisson") == pytest.approx(y, abs=0.05)  # there and back
    benchmark.by_place(level, y, "poisson")
    z, sigma = told[-1]
    assert z.std() == pytest.approx(sigma, rel=0.1)


def test_the_summary_names_the_best_classical_method_and_the_margin():
    scores = dict.fromkeys(benchmark.CLASSICAL, 20.0) | {"supervised": 40.0, "blind": 25.0}
    rows = {"gaussian": {"a": {"psnr": scores | {"total_variation": 26.0}}, "b": {"psnr": scores}}}
    found = benchmark.summary(rows)
    assert found == {"gaussian": {"photos": 2, "mean": found["gaussian"]["mean"], "best_classical": "total_variation",
                                  "margin": 2.0, "worst": -1.0}}
    assert found["gaussian"]["mean"]["total_variation"] == 23.0


def test_what_the_page_reads_follows_from_its_rows():
    found = json.loads(benchmark.FILE.read_text(encoding="utf-8"))
    assert found["summary"] == benchmark.summary(found["rows"]) and found["command"] == benchmark.COMMAND
    assert set(found["rows"]) == set(benchmark.NOISES)
    names = [set(of) for of in found["rows"].values()]
    assert names[0] == names[1] == names[2] <= set(SPLITS["test"])
