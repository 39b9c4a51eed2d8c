"""Metrics against closed forms, scikit-image and simulation."""

import math

import numpy as np
import pytest
import scipy.linalg

from helpers.images import photo
from helpers.metrics import bootstrap_interval, class_coverage, frechet_distance, psnr, ssim
from tests.checks import assert_noisy_psnr_law

# ----------------------------------------------------------------------------------------------- PSNR


@pytest.mark.parametrize(("error", "decibels"), [(1.0, 0), (0.1, 20), (0.01, 40), (0.5, 20 * math.log10(2))])
def test_psnr_of_a_constant_error(error, decibels):
    assert psnr(np.zeros((5, 7)), np.full((5, 7), error)) == pytest.approx(decibels)
    assert psnr(np.full((5, 7, 3), error), np.zeros((5, 7, 3))) == pytest.approx(decibels)


def test_psnr_of_one_wrong_pixel():
    x = np.zeros((10, 10))
    x_hat = x.copy()
    x_hat[0, 0] = 1  # in the corner: no border is cropped
    assert psnr(x, x_hat) == pytest.approx(20)


def test_psnr_of_equal_images_is_infinite():
    x = photo("camera", size=16)
    assert psnr(x, x.copy()) == math.inf


def test_psnr_clips_the_estimate():
    x = np.array([[0.0, 1.0], [0.5, 0.5]])
    assert psnr(x, np.array([[-0.3, 1.4], [0.5, 0.5]])) == math.inf
    assert psnr(np.zeros((2, 2)), np.full((2, 2), 3.0)) == pytest.approx(0)


def test_psnr_of_noise_is_minus_20_log10_sigma():
    assert_noisy_psnr_law(psnr)


def test_psnr_is_scikit_image_s():
    from skimage.metrics import peak_signal_noise_ratio

    x = photo("cat", size=64, color=True)
    x_hat = np.clip(x + 0.1 * np.random.default_rng(0).standard_normal(x.shape), 0, 1)
    expected = peak_signal_noise_ratio(x.astype(np.float64), x_hat, data_range=1)
    assert psnr(x, x_hat) == pytest.approx(expected, abs=1e-9)


# ----------------------------------------------------------------------------------------------- SSIM


@pytest.mark.parametrize("color", [False, True])
def test_ssim_is_scikit_image_s_with_the_settings_of_the_paper(color):
    from skimage.metrics import structural_similarity

    x = photo("cat", size=48, color=color).astype(np.float64)
    x_hat = np.clip(x + 0.1 * np.random.default_rng(0).standard_normal(x.shape), 0, 1)
    expected = structural_similarity(x, x_hat, data_range=1, gaussian_weights=True, sigma=1.5,
                                     use_sample_covariance=False, channel_axis=2 if color else None)
    assert ssim(x, x_hat) == pytest.approx(expected, abs=1e-12)
    assert ssim(x_hat, x) == pytest.approx(ssim(x, x_hat), abs=1e-12)
    assert 0 < expected < 0.95


def test_ssim_of_equal_and_of_unrelated_images():
    x = photo("camera", size=64)
    noise = np.random.default_rng(0).random(x.shape)
    assert ssim(x, x.copy()) == pytest.approx(1)
    assert abs(ssim(x, noise)) < 0.1


def test_ssim_clips_the_estimate():
    x = photo("camera", size=32)
    overshooting = np.where(x > 0.7, 3.0, x)
    assert ssim(x, overshooting) == pytest.approx(ssim(x, np.where(x > 0.7, 1.0, x)))


def test_ssim_of_one_channel_is_that_of_the_grey_image():
    x, noisy = photo("camera", size=32), np.random.default_rng(0).random((32, 32)).astype(np.float32)
    assert ssim(x[..., None], noisy[..., None]) == pytest.approx(ssim(x, noisy))


# ----------------------------------------------------------------------------------------------- Fréchet distance


def with_moments(samples, mean, covariance, seed=0):
    """Return samples whose mean and covariance are exactly the given ones, so that no sampling error is left."""
    z = np.random.default_rng(seed).standard_normal((samples, len(mean)))
    z -= z.mean(axis=0)
    z = z @ np.linalg.inv(np.linalg.cholesky(np.cov(z, rowvar=False))).T
    return mean + z @ np.linalg.cholesky(covariance).T


def test_frechet_distance_of_diagonal_gaussians():
    """|m - n|² + Σ (σᵢ - τᵢ)²"""
    m, n = np.array([1.0, 2.0, 3.0]), np.array([0.0, 2.5, 3.0])
    s, t = np.array([1.0, 0.5, 2.0]), np.array([0.3, 0.5, 4.0])
    expected = ((m - n) ** 2).sum() + ((s - t) ** 2).sum()
    distance = frechet_distance(with_moments(50, m, np.diag(s**2)), with_moments(70, n, np.diag(t**2), seed=1))
    assert distance == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_of_full_gaussians():
    rng = np.random.default_rng(2)
    m, n = rng.standard_normal((2, 6))
    c, d = (root @ root.T + 0.1 * np.eye(6) for root in rng.standard_normal((2, 6, 6)))
    expected = ((m - n) ** 2).sum() + np.trace(c + d - 2 * scipy.linalg.sqrtm(c @ d).real)
    distance = frechet_distance(with_moments(50, m, c), with_moments(70, n, d, seed=1))
    assert distance == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_in_one_dimension():
    a, b = np.array([[0.0], [1.0], [2.0]]), np.array([[3.0], [5.0], [7.0]])  # mean 1 and 5, deviation 1 and 2
    assert frechet_distance(a, b) == pytest.approx(4**2 + 1**2)


@pytest.mark.parametrize(("samples", "features"), [(40, 5), (10, 60), (2, 7)])
def test_frechet_distance_of_a_set_to_itself_is_zero(samples, features):
    """Also with more features than samples, where the covariance has no inverse."""
    a = np.random.default_rng(0).standard_normal((samples, features))
    assert frechet_distance(a, a.copy()) == pytest.approx(0, abs=1e-5)


def test_frechet_distance_with_more_features_than_samples():
    """Rotating both sets into the space that they span must not change it."""
    rng = np.random.default_rng(0)
    small_a, small_b = rng.standard_normal((8, 5)), 2 * rng.standard_normal((9, 5)) + 1
    into_many = np.linalg.qr(rng.standard_normal((80, 5)))[0].T
    expected = frechet_distance(small_a, small_b)
    assert frechet_distance(small_a @ into_many, small_b @ into_many) == pytest.approx(expected, rel=1e-5)
    assert expected > 1


def test_frechet_distance_is_symmetric():
    rng = np.random.default_rng(0)
    for shapes in (((30, 6), (50, 6)), ((5, 40), (7, 40))):
        a, b = (rng.standard_normal(shape) for shape in shapes)
        assert frechet_distance(a, 2 * b + 1) == pytest.approx(frechet_distance(2 * b + 1, a), rel=1e-6)


def test_frechet_distance_grows_with_the_shift():
    a = np.random.default_rng(0).standard_normal((30, 4))
    distances = [frechet_distance(a, a + shift) for shift in (0, 0.5, 1, 2)]
    assert distances == pytest.approx([4 * shift**2 for shift in (0, 0.5, 1, 2)], abs=1e-9)


# ----------------------------------------------------------------------------------------------- class coverage


def test_class_coverage_counts_shares():
    coverage = class_coverage([0, 0, 2, 3], classes=5)
    assert list(coverage) == [0.5, 0, 0.25, 0.25, 0]
    assert list(class_coverage(np.arange(10, dtype=np.uint8))) == [0.1] * 10


# ----------------------------------------------------------------------------------------------- bootstrap


@pytest.mark.parametrize("level", [0.95, 0.5])
def test_bootstrap_interval_covers_the_truth_as_often_as_it_says(level):
    """Of 600 experiments with 80 skewed values each; three sampling errors, and one point for the small sets."""
    rng = np.random.default_rng(0)
    truth, experiments = 1.0, 600
    covered = 0
    for experiment in range(experiments):
        interval = bootstrap_interval(rng.exponential(truth, 80), level=level, resamples=300, seed=experiment)
        covered += interval.low <= truth <= interval.high
    tolerance = 3 * math.sqrt(level * (1 - level) / experiments) + 0.01
    assert abs(covered / experiments - level) < tolerance


def test_bootstrap_interval_is_that_of_the_normal_theory():
    values = np.random.default_rng(0).standard_normal(400)
    interval = bootstrap_interval(values, resamples=5000)
    half_width = 1.96 * values.std() / math.sqrt(len(values))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.high - interval.mean == pytest.approx(half_width, rel=0.08)
    assert interval.mean - interval.low == pytest.approx(half_width, rel=0.08)


def test_bootstrap_interval_widens_with_the_level():
    values = np.random.default_rng(0).random(30)
    narrow, wide = bootstrap_interval(values, level=0.5), bootstrap_interval(values, level=0.99)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_bootstrap_interval_is_the_same_for_the_same_seed():
    values = np.random.default_rng(0).random(30)
    assert bootstrap_interval(values) == bootstrap_interval(values) == bootstrap_interval(values, seed=0)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=0)


def test_bootstrap_interval_of_one_value_or_equal_values_has_no_width():
    assert bootstrap_interval([0.25]) == (0.25, 0.25, 0.25)
    assert bootstrap_interval([0.25] * 7) == (0.25, 0.25, 0.25)
