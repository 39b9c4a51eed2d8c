"""Every solver against an oracle that shares no code with it: dense matrices, closed forms, SciPy, scikit-image."""

import math
import tracemalloc

import numpy as np
import pytest
from scipy import fft, optimize

from helpers import restoration
from helpers.images import SPLITS, photo, photos
from helpers.metrics import psnr
from helpers.operators import Blur, Downsample, Identity, Mask, Operator, Radon, measure
from helpers.restoration import (
    Report,
    biharmonic,
    dct_shrinkage,
    estimate_noise,
    least_squares,
    non_local_means,
    peak_memory,
    plug_and_play,
    richardson_lucy,
    tikhonov,
    total_variation,
    wavelet_shrinkage,
    wiener,
)
from helpers.restoration.quadratic import _fit_spectrum
from helpers.restoration.tv import _Cells
from tests.checks import assert_noisy_psnr_law, dense_matrix

SHAPE = (16, 16)
DENOISERS = (wavelet_shrinkage, dct_shrinkage, non_local_means)
SOLVERS = (least_squares, tikhonov, wiener, richardson_lucy, total_variation, plug_and_play)
METHODS = (*SOLVERS, biharmonic, *DENOISERS)


def rng(seed=0):
    return np.random.default_rng(seed)


def some_mask(shape=SHAPE, known=0.6):
    return Mask.random(shape, known, rng(5))


OPERATORS = {
    "identity": Identity(),
    "circular blur": Blur.gaussian(0.7),
    "lopsided blur": Blur(rng(1).random((3, 5)) / 8),
    "mirrored blur": Blur.gaussian(0.7, border="reflect"),
    "mask": some_mask(),
    "downsampling": Downsample(2),
    "tomography": Radon.sparse_view(16, 9),
    "small of blurred": Downsample(2) @ Blur.gaussian(0.7),
    "masked of blurred": some_mask() @ Blur.gaussian(0.7),
}
every_operator = pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)


def scene(shape=SHAPE):
    """A picture with an edge, a slope and some texture."""
    i, j = np.meshgrid(np.linspace(0, 1, shape[0]), np.linspace(0, 1, shape[1]), indexing="ij")
    x = 0.2 + 0.4 * (i + 2 * j > 1.2) + 0.3 * j + 0.05 * np.sin(9 * i)
    return np.clip(x + 0.02 * rng(9).standard_normal(shape), 0, 1)


def seen(operator, sigma, shape=SHAPE):
    x = scene(shape)
    return operator.forward(x) + sigma * operator.forward(rng(2).standard_normal(shape))


def suitable(method):
    return some_mask() if method is biharmonic else Identity()


# ------------------------------------------------------------------------------------------ quadratic objectives


@every_operator
def test_least_squares_is_the_smallest_solution_of_the_normal_equations(operator):
    y = seen(operator, 0.02)
    a = dense_matrix(operator, SHAPE)
    oracle = np.linalg.lstsq(a, y.ravel(), rcond=None)[0]
    x, report = least_squares(y, operator, tolerance=1e-13, iterations=5000, report=True)
    np.testing.assert_allclose(a @ x.ravel(), a @ oracle, atol=1e-6)
    if np.linalg.cond(a) < 1e4:  # else the directions that A hardly lets pass are anyone's guess
        np.testing.assert_allclose(x.ravel(), oracle, atol=1e-6)
    assert report.objective[-1] == pytest.approx(0.5 * np.sum((a @ x.ravel() - y.ravel()) ** 2), abs=1e-9)


def test_least_squares_stops_by_the_residual_of_the_normal_equations():
    operator = Blur.gaussian(1.0)
    y = seen(operator, 0.02)
    for tolerance in (1e-2, 1e-4):
        x, report = least_squares(y, operator, tolerance=tolerance, report=True)
        residual = operator.adjoint(operator.forward(x) - y)
        assert report.converged
        assert np.linalg.norm(residual) <= 1.001 * tolerance * np.linalg.norm(operator.adjoint(y))
    _, report = least_squares(y, operator, tolerance=0, iterations=7, report=True)
    assert (report.iterations, len(report.objective), report.converged) == (7, 8, False)
    assert np.all(np.diff(report.objective) < 0)


def differences(shape, circular):
    """Return the dense matrix of all differences between neighbours."""
    rows = []
    for axis in (0, 1):
        for index in np.ndindex(shape):
            beside = list(index)
            beside[axis] += 1
            if beside[axis] == shape[axis]:
                if not circular:
                    continue
                beside[axis] = 0
            row = np.zeros(shape)
            row[tuple(beside)] += 1
            row[index] -= 1
            rows.append(row.ravel())
    return np.array(rows)


CIRCULAR = ("identity", "circular blur", "lopsided blur")


@pytest.mark.parametrize("name", OPERATORS)
def test_tikhonov_solves_its_dense_equations(name):
    operator = OPERATORS[name]
    y, weight = seen(operator, 0.05), 0.03
    a, d = dense_matrix(operator, SHAPE), differences(SHAPE, circular=name in CIRCULAR)
    oracle = np.linalg.solve(a.T @ a + weight * d.T @ d, a.T @ y.ravel())
    x, report = tikhonov(y, operator, 0.05, weight=weight, tolerance=1e-12, report=True)
    np.testing.assert_allclose(x.ravel(), oracle, atol=1e-8)
    energy = 0.5 * np.sum((a @ oracle - y.ravel()) ** 2) + 0.5 * weight * np.sum((d @ oracle) ** 2)
    assert report.objective[-1] == pytest.approx(energy, abs=1e-8)


def test_tikhonov_weight_is_the_ratio_of_the_variances():
    """N sigma² / |∇x|², with the differences of both directions, as the page on regularisation derives it."""
    pictures = photos("train").values()
    energy = sum(np.sum(np.diff(x, axis=axis) ** 2) for x in pictures for axis in (0, 1))
    assert pytest.approx(energy / sum(x.size for x in pictures), rel=0.02) == restoration.GRADIENT_ENERGY
    _, report = tikhonov(scene(), Identity(), 0.1, report=True)
    assert report.weight == pytest.approx(0.01 / restoration.GRADIENT_ENERGY)


def test_tikhonov_rule_is_the_best_weight_where_its_prior_is_true():
    """On draws from exp(-½ τ |∇x|²) the posterior mean has weight sigma² τ, and no other weight is better."""
    rng, size, sigma = np.random.default_rng(0), 64, 0.1
    down, across = np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None]
    roughness = 4 * np.sin(np.pi * down) ** 2 + 4 * np.sin(np.pi * across) ** 2
    roughness[0, 0] = np.inf  # no mean brightness
    white = np.fft.fft2(rng.standard_normal((40, size, size)))
    x = np.fft.ifft2(white * np.sqrt(restoration.GRADIENT_ENERGY / roughness)).real + 0.5
    errors = {}
    for factor in (0.5, 0.7, 1.0, 1.4, 2.0):
        weight = None if factor == 1 else factor * sigma**2 / restoration.GRADIENT_ENERGY
        rng = np.random.default_rng(1)
        y = x + sigma * rng.standard_normal(x.shape)
        errors[factor] = np.mean([(tikhonov(b, Identity(), sigma, weight=weight) - a) ** 2
                                  for a, b in zip(x, y, strict=True)])
    assert min(errors, key=errors.get) == 1.0, errors


def power_law(shape, amplitude):
    """Return amplitude / f^2.5 for all waves of fft2, the mean brightness allowed anything."""
    f = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :])
    f[0, 0] = 1
    s = amplitude * f**-2.5
    s[0, 0] = amplitude * shape[0] * shape[1] / (3 * restoration.AMPLITUDE)
    return s


@every_operator
def test_wiener_is_the_dense_linear_estimate(operator):
    sigma = 0.05
    y = seen(operator, sigma)
    s = power_law(SHAPE, 1e-3)
    covariance = np.stack([np.fft.ifft2(np.fft.fft2(wave.reshape(SHAPE)) * s).real.ravel() for wave in np.eye(256)], 1)
    a = dense_matrix(operator, SHAPE)
    gain = covariance @ a.T @ np.linalg.inv(a @ covariance @ a.T + sigma**2 * np.eye(a.shape[0]))
    x = wiener(y, operator, sigma, spectrum=s[:, :9], tolerance=1e-11, iterations=3000)
    np.testing.assert_allclose(x.ravel(), gain @ y.ravel(), atol=1e-6)


def test_wiener_default_spectrum_is_the_power_law_fitted_to_y():
    """Draw pictures from the prior itself: the amplitude and the noise level must come back."""
    shape, amplitude, sigma = (128, 96), 3e-4, 0.03
    operator = Blur.gaussian(1.0)
    s = power_law(shape, amplitude)
    x = np.fft.ifft2(np.fft.fft2(rng(3).standard_normal(shape)) * np.sqrt(s)).real
    x = 0.5 + (x - x.mean())
    y = operator.forward(x) + sigma * rng(4).standard_normal(shape)
    found, level = _fit_spectrum(y, operator.transfer_function(shape), None)
    assert found == pytest.approx(amplitude, rel=0.05)
    assert level == pytest.approx(sigma, rel=0.03)
    _, report = wiener(y, operator, report=True)
    assert report.sigma == pytest.approx(sigma, rel=0.03)
    np.testing.assert_allclose(wiener(y, operator), wiener(y, operator, sigma), atol=0.01)


@pytest.mark.parametrize("operator", [Identity(), some_mask((64, 64), 0.8), Blur.gaussian(1, "reflect")], ids=repr)
@pytest.mark.parametrize("sigma", [0.05, 0.15])
def test_noise_is_estimated_from_the_finest_details(operator, sigma):
    y = measure(np.full((64, 64), 0.5), operator, sigma, rng(6))
    assert estimate_noise(y, operator) == pytest.approx(sigma, rel=0.06)
    assert wiener(y, operator, report=True)[1].sigma == pytest.approx(sigma, rel=0.06)


# ------------------------------------------------------------------------------------------ Poisson noise


def test_richardson_lucy_agrees_with_scikit_image():
    from skimage.restoration import richardson_lucy as peer

    x = np.zeros((40, 40))  # the dark frame makes every border alike
    x[12:28, 12:28] = scene()
    operator = Blur(Blur.gaussian(1.0).kernel)
    y = np.maximum(operator.forward(x), 0)
    oracle = peer(y, operator.kernel, num_iter=12, clip=False)
    ours = richardson_lucy(y, operator, 0, tolerance=0, iterations=12)
    np.testing.assert_allclose(ours, oracle, atol=1e-6)


@pytest.mark.parametrize("name", ["identity", "circular blur"])
def test_richardson_lucy_keeps_the_light(name):
    y = np.maximum(seen(OPERATORS[name], 0.05), 0)
    x = richardson_lucy(y, OPERATORS[name], 0, tolerance=0, iterations=30)
    assert x.sum() == pytest.approx(y.sum(), rel=1e-9)
    assert x.min() >= 0


@every_operator
def test_richardson_lucy_climbs_the_likelihood(operator):
    y = np.maximum(seen(operator, 0.05), 0)
    _, report = richardson_lucy(y, operator, 0, tolerance=0, iterations=40, report=True)
    assert np.all(np.diff(report.objective) <= 1e-9)


def test_richardson_lucy_stops_at_the_size_of_the_noise():
    operator, sigma = Blur.gaussian(1.5), 0.03
    y = measure(photo("cat", 64), operator, sigma, rng(1))
    x, report = richardson_lucy(y, operator, sigma, report=True)
    assert report.converged
    assert np.sum((operator.forward(x) - y) ** 2) <= y.size * sigma**2 * 1.0001
    before = richardson_lucy(y, operator, 0, tolerance=0, iterations=report.iterations - 1)
    assert np.sum((operator.forward(before) - y) ** 2) > y.size * sigma**2


def test_richardson_lucy_refuses_negative_weights():
    with pytest.raises(ValueError, match="negative weights"):
        richardson_lucy(scene(), Blur(np.array([[-0.1, 1.2, -0.1]])), 0.1)


# ------------------------------------------------------------------------------------------ total variation


def tv(x):
    """Total variation cell by cell, written from its definition."""
    x = np.pad(x.reshape(*x.shape[:2], -1), ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = x.shape[0] - 1, x.shape[1] - 1
    total = 0.0
    for i in range(height):
        for j in range(width):
            a, b, c, d = x[i, j], x[i, j + 1], x[i + 1, j], x[i + 1, j + 1]
            inside = 0 < i < height - 1 and 0 < j < width - 1
            squared = sum(np.sum(step**2) for step in (b - a, d - c, c - a, d - b))
            total += (1 if inside else 0.5) * math.sqrt(squared / 2)
    return total


def smooth_tv(x, slack):
    """TV with its kink rounded off, and its gradient, for scipy.optimize."""
    padded = np.pad(x, 1, mode="edge")
    a, b, c, d = padded[:-1, :-1], padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    share = np.pad(np.ones((x.shape[0] - 1, x.shape[1] - 1)), 1, constant_values=0.5)
    length = np.sqrt(((b - a) ** 2 + (d - c) ** 2 + (c - a) ** 2 + (d - b) ** 2) / 2 + slack**2) / share
    slope = np.zeros_like(padded)
    slope[:-1, :-1] += (2 * a - b - c) / (2 * length)
    slope[:-1, 1:] += (2 * b - a - d) / (2 * length)
    slope[1:, :-1] += (2 * c - a - d) / (2 * length)
    slope[1:, 1:] += (2 * d - b - c) / (2 * length)
    for _ in range(2):  # the frame copies the border
        slope[1] += slope[0]
        slope[-2] += slope[-1]
        slope = slope[1:-1].T
    return (length * share**2).sum(), slope


@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "lopsided blur"])
def test_total_variation_reaches_the_minimum_that_scipy_finds(name):
    operator, weight = OPERATORS[name], 0.03
    y, a = seen(operator, 0.1), dense_matrix(operator, SHAPE)

    def smoothed(x, slack):
        length, slope = smooth_tv(x.reshape(SHAPE), slack)
        residual = a @ x - y.ravel()
        return 0.5 * residual @ residual + weight * length, a.T @ residual + weight * slope.ravel()

    oracle = np.full(256, 0.5)
    for slack in (1e-1, 1e-2, 1e-3):
        oracle = optimize.minimize(smoothed, oracle, (slack,), jac=True, method="L-BFGS-B", bounds=[(0, 1)] * 256,
                                   options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-8}).x
    lowest = 0.5 * np.sum((a @ oracle - y.ravel()) ** 2) + weight * tv(oracle.reshape(SHAPE))

    x, report = total_variation(y, operator, 0.1, weight=weight, tolerance=1e-4, iterations=20_000, report=True)
    objective = 0.5 * np.sum((a @ x.ravel() - y.ravel()) ** 2) + weight * tv(x)
    assert report.converged
    assert report.objective[-1] == pytest.approx(objective, rel=1e-9)
    assert objective <= lowest * (1 + 1e-4)
    assert lowest >= objective * (1 - report.gap), "the duality gap promises a bound that scipy has broken"
    assert x.min() >= 0
    assert x.max() <= 1


@every_operator
@pytest.mark.parametrize("tolerance", [0.1, 0.01, 0.001])
def test_total_variation_stops_with_its_gap_below_tolerance(operator, tolerance):
    y = seen(operator, 0.05)
    _, report = total_variation(y, operator, 0.05, tolerance=tolerance, iterations=5000, report=True)
    assert report.converged
    assert 0 <= report.gap <= tolerance


def test_total_variation_says_when_it_has_not_converged():
    _, report = total_variation(scene(), Blur.gaussian(1), 0.05, tolerance=1e-9, iterations=10, report=True)
    assert not report.converged
    assert report.gap > 1e-9
    assert report.iterations == 10


def test_total_variation_of_a_step_is_known():
    """Denoising lowers a step between two halves by weight · perimeter / area on each side."""
    x = np.zeros((12, 20))
    x[:, 10:] = 0.8
    x = x + 0.1
    weight = 0.5
    x_hat = total_variation(x, Identity(), 0.1, weight=weight, tolerance=1e-9, iterations=50_000)
    expected = np.where(x > 0.5, 0.9 - weight / 10, 0.1 + weight / 10)
    np.testing.assert_allclose(x_hat, expected, atol=1e-4)


def test_total_variation_couples_colours():
    """A step in one channel weighs less where the other channels step too: sqrt(2) instead of 2."""
    cells = _Cells((6, 8, 3), np.float64, pictures=1)
    x = np.zeros((6, 8, 3))
    x[:, 4:, 0] = 0.3
    cells.write(x, cells.pictures[0])
    assert cells.total_variation(cells.pictures[0]) == pytest.approx(0.3 * 6)
    x[:, 4:, 1] = 0.3
    cells.write(x, cells.pictures[0])
    assert cells.total_variation(cells.pictures[0]) == pytest.approx(0.3 * math.sqrt(2) * 6)
    assert tv(x) == pytest.approx(0.3 * math.sqrt(2) * 6)


def test_gradient_has_its_transpose():
    for shape in ((5, 7), (1, 1), (1, 6, 3), (4, 3, 1), (2, 2)):
        cells = _Cells(shape, np.float64, pictures=2)
        x, out = cells.pictures
        picture = rng(1).standard_normal(shape)
        cells.write(picture, x)
        np.testing.assert_array_equal(cells.read(x), picture)
        cells.add_gradient(x, cells.p)
        gradient = cells.p.copy()
        q = rng(2).standard_normal(cells.p.shape)
        cells.grid(q)[..., -1, :] = 0  # no cells there
        cells.grid(q)[..., -1] = 0
        cells.transposed_gradient(q, out)
        assert np.vdot(gradient, q) == pytest.approx(np.vdot(picture, cells.read(out)))
        assert cells.total_variation(x) == pytest.approx(tv(picture))


# ------------------------------------------------------------------------------------------ biharmonic


HOLES = {
    "random": Mask.random((48, 40), 0.5, rng(3)).mask,
    "sparse": Mask.random((48, 40), 0.15, rng(3)).mask,
    "wide": Mask.block((48, 40), 26).mask,
    "corner": np.pad(np.zeros((20, 25), bool), ((0, 28), (0, 15)), constant_values=True),
    "half": Mask.half((48, 40), "left").mask,
    "one known row": np.arange(48)[:, None].repeat(40, 1) == 7,
}


@pytest.mark.parametrize("hole", HOLES)
def test_biharmonic_solves_scikit_images_equations(hole):
    from skimage.restoration import inpaint_biharmonic

    mask = HOLES[hole]
    y = np.where(mask, scene(mask.shape), 0)
    oracle = inpaint_biharmonic(y, ~mask)
    x, report = biharmonic(y, Mask(mask), tolerance=1e-10, report=True)
    assert report.converged
    np.testing.assert_allclose(x, oracle, atol=1e-5)
    np.testing.assert_array_equal(x[mask], y[mask])
    quality = psnr(scene(mask.shape), oracle)
    assert psnr(scene(mask.shape), biharmonic(y, Mask(mask))) == pytest.approx(quality, abs=0.05)


def test_biharmonic_solves_its_dense_equations():
    mask = HOLES["corner"][:16, 17:33]  # 8 columns lost
    d = differences(mask.shape, circular=False)
    bend = (d.T @ d) @ (d.T @ d)
    y = np.where(mask, 0.3 + 0.4 * scene(mask.shape), 0)
    u, k = ~mask.ravel(), mask.ravel()
    x = y.ravel().copy()
    x[u] = np.linalg.solve(bend[np.ix_(u, u)], -bend[np.ix_(u, k)] @ x[k])
    x[u] = np.clip(x[u], y[mask].min(), y[mask].max())
    x_hat = biharmonic(y, Mask(mask), tolerance=1e-13)
    np.testing.assert_allclose(x_hat.ravel(), x, atol=1e-8)


def test_biharmonic_needs_few_steps_for_wide_holes():
    """Without multigrid, conjugate gradients need hundreds of steps for the block and thousands for the half."""
    x = photo("camera", 128)
    for operator in (Mask.block((128, 128), 64), Mask.half((128, 128))):
        _, report = biharmonic(operator.forward(x), operator, report=True)
        assert report.converged
        assert report.iterations <= 30


@pytest.mark.parametrize("shape", [(96, 128), (96, 128, 3)], ids=["grey", "colour"])
def test_biharmonic_works_on_few_lost_pixels_alone(monkeypatch, shape):
    """A whole picture is bent for the start and for the report, and not once a step; the fill is the same."""
    x = np.broadcast_to(scene(shape[:2]).reshape(*shape[:2], *[1] * (len(shape) - 2)), shape).astype(np.float32)
    down, across = np.indices(shape[:2])
    operator = Mask((down + 2 * across) % 60 > 2)
    seen, laplacian = [], restoration.inpainting.laplacian
    monkeypatch.setattr(restoration.inpainting, "laplacian", lambda x: seen.append(x.size) or laplacian(x))
    found, report = biharmonic(operator.forward(x), operator, report=True)
    assert report.iterations > 10 and sum(seen) <= 3 * x.size
    monkeypatch.setattr(restoration.common, "FEW_LOST", 0)
    before, other = biharmonic(operator.forward(x), operator, report=True)
    np.testing.assert_allclose(found, before, atol=1e-4)
    np.testing.assert_allclose(report.objective[-1], other.objective[-1], rtol=1e-4)


def test_biharmonic_continues_a_slope():
    slope = np.broadcast_to(np.linspace(0.1, 0.9, 32), (32, 32))
    operator = Mask.block((32, 32), 12)
    np.testing.assert_allclose(biharmonic(operator.forward(slope), operator, tolerance=1e-9), slope, atol=1e-6)


def test_biharmonic_wants_a_mask():
    with pytest.raises(ValueError, match="must be a Mask"):
        biharmonic(scene(), Identity())


# ------------------------------------------------------------------------------------------ denoisers


def test_dct_shrinkage_patch_by_patch():
    """The same method in plain loops."""
    y, sigma, patch = scene((12, 11)) + 0.1 * rng(2).standard_normal((12, 11)), 0.1, 4
    framed = np.pad(y, patch - 1, mode="symmetric")
    total, weights = np.zeros_like(framed), np.zeros_like(framed)
    for i in range(framed.shape[0] - patch + 1):
        for j in range(framed.shape[1] - patch + 1):
            c = fft.dctn(framed[i : i + patch, j : j + patch], norm="ortho")
            kept = np.abs(c) >= 2.7 * sigma
            kept[0, 0] = True
            weight = 1 / kept.sum()
            total[i : i + patch, j : j + patch] += weight * fft.idctn(c * kept, norm="ortho")
            weights[i : i + patch, j : j + patch] += weight
    expected = (total / weights)[patch - 1 : 1 - patch, patch - 1 : 1 - patch]
    np.testing.assert_allclose(dct_shrinkage(y, Identity(), sigma, patch=patch), expected, atol=1e-10)


def test_wavelet_shrinkage_of_one_level_by_hand():
    """Haar on all shifted 2 × 2 cells: three details each, soft thresholds per subband, averaged back."""
    y, sigma = scene() + 0.1 * rng(2).standard_normal(SHAPE), 0.1
    p = np.pad(y, 2, mode="symmetric")
    a, b, c, d = p, np.roll(p, -1, 1), np.roll(p, -1, 0), np.roll(p, -1, (0, 1))
    mean, details = (a + b + c + d) / 2, [(a - b + c - d) / 2, (a + b - c - d) / 2, (a - b - c + d) / 2]
    signs = [(1, -1, 1, -1), (1, 1, -1, -1), (1, -1, -1, 1)]
    corners = [mean / 2 for _ in range(4)]
    for detail, sign in zip(details, signs, strict=True):
        signal = max(np.mean(detail**2) - sigma**2, 0)
        threshold = sigma**2 / math.sqrt(signal) if signal else math.inf
        shrunk = np.sign(detail) * np.maximum(np.abs(detail) - threshold, 0)
        corners = [corner + s * shrunk / 2 for corner, s in zip(corners, sign, strict=True)]
    a, b, c, d = corners
    x = (a + np.roll(b, 1, 1) + np.roll(c, 1, 0) + np.roll(d, 1, (0, 1))) / 4
    np.testing.assert_allclose(wavelet_shrinkage(y, Identity(), sigma, levels=1), x[2:-2, 2:-2], atol=1e-10)


def test_non_local_means_is_scikit_images():
    from skimage.restoration import denoise_nl_means

    for x in (photo("cat", 40), photo("cat", 40, color=True)):
        y = measure(x, Identity(), 0.1, rng())
        oracle = denoise_nl_means(y, patch_size=7, patch_distance=6, h=0.07, sigma=0.1, fast_mode=True,
                                  channel_axis=-1 if x.ndim == 3 else None)
        np.testing.assert_array_equal(non_local_means(y, Identity(), 0.1), oracle)


@pytest.mark.parametrize("method", [*DENOISERS, total_variation])
@pytest.mark.parametrize("color", [False, True], ids=["grey", "colour"])
def test_denoisers_denoise(method, color):
    for name in ("cat", "coffee"):
        x = photo(name, 96, color)
        y = measure(x, Identity(), 25 / 255, rng(1))
        assert psnr(x, method(y, Identity(), 25 / 255)) > psnr(x, y) + 5


@pytest.mark.parametrize("method", DENOISERS)
def test_denoisers_refuse_other_work(method):
    with pytest.raises(ValueError, match=r"plug_and_play.*" + method.__name__):
        method(scene(), Blur.gaussian(1), 0.1)


# ------------------------------------------------------------------------------------------ plug and play


@every_operator
def test_data_step_of_plug_and_play_is_exact(operator):
    """A denoiser that always says c leaves the last data step: argmin |A x - y|² + weight |x - c|²."""
    sigma, trust = 0.05, 0.23
    y, c = seen(operator, sigma), scene() ** 2
    if isinstance(operator, Identity):
        np.testing.assert_array_equal(plug_and_play(y, operator, sigma, denoiser=lambda y, s: c), c)
        return
    x = plug_and_play(y, operator, sigma, denoiser=lambda y, s: c, iterations=3, trust=trust)
    weight = trust  # in the last step the allowed noise is sigma
    a = dense_matrix(operator, SHAPE)
    m, b = a.T @ a + weight * np.eye(256), a.T @ y.ravel() + weight * c.ravel()
    assert np.linalg.norm(m @ x.ravel() - b) <= 1.01e-4 * np.linalg.norm(b)
    if not isinstance(operator, Radon):  # whose equations are worse conditioned
        np.testing.assert_allclose(x.ravel(), np.linalg.solve(m, b), atol=1e-3)


def test_plug_and_play_follows_its_schedule():
    heard = []

    def listen(y, sigma):
        heard.append(sigma)
        return y

    plug_and_play(seen(Blur.gaussian(1), 0.02), Blur.gaussian(1), 0.02, denoiser=listen, iterations=5)
    assert heard[0] == pytest.approx(25 / 255)
    assert heard[-1] == pytest.approx(0.02)
    np.testing.assert_allclose(np.diff(np.log(heard)), math.log(0.02 * 255 / 25) / 4)


@pytest.mark.parametrize("denoiser", list(restoration.DENOISERS))
def test_any_denoiser_plugs_in(denoiser):
    x = photo("coffee", 64)
    operator = Mask.random((64, 64), 0.5, rng(1))
    y = operator.forward(x)
    x_hat = plug_and_play(y, operator, 0, denoiser=denoiser, iterations=8)
    assert psnr(x, x_hat) > psnr(x, y) + 12


def test_plug_and_play_gives_another_answer_for_another_measurement():
    operator = Downsample(2)
    answers = [plug_and_play(operator.forward(photo(name, 32)), operator, 0, iterations=4) for name in ("cat", "coins")]
    for name, answer in zip(("cat", "coins"), answers, strict=True):
        np.testing.assert_allclose(operator.forward(answer), operator.forward(photo(name, 32)), atol=0.02)


@pytest.mark.parametrize(("denoiser", "error", "words"), [
    ("dct_shrinkag", ValueError, "did you mean 'dct_shrinkage'"),
    (3, TypeError, "a name or a function"),
    (lambda y, s: y[1:], ValueError, "what the denoiser returned has shape"),
    (lambda y, s: y * np.nan, ValueError, "what the denoiser returned must be finite"),
])
def test_bad_denoisers(denoiser, error, words):
    with pytest.raises(error, match=words):
        plug_and_play(seen(Blur.gaussian(1), 0.1), Blur.gaussian(1), 0.1, denoiser=denoiser)


# ------------------------------------------------------------------------------------------ how good on photographs


def mean_psnr(method, operator, sigma, names=("astronaut", "brick", "coins")):
    """Measure on three of the test photographs: benchmarks/restoration.py takes all eight."""
    return np.mean([psnr(photo(name), method(measure(photo(name), operator, sigma, rng(1)), operator, sigma))
                    for name in names])


def test_total_variation_is_not_under_scikit_images():
    from skimage.restoration import denoise_tv_chambolle

    peer = max(mean_psnr(lambda y, a, s, weight=weight: denoise_tv_chambolle(y, weight=weight, eps=1e-4), Identity(),
                         25 / 255) for weight in (0.06, 0.07, 0.08, 0.09, 0.1))
    assert mean_psnr(total_variation, Identity(), 25 / 255) >= peer


def test_wiener_is_not_under_scikit_images():
    from skimage.restoration import wiener as peer

    operator, sigma = Blur.gaussian(1.6), 2.55 / 255
    names = tuple(SPLITS["test"])
    theirs = max(mean_psnr(lambda y, a, s, b=balance: peer(y, a.kernel, b, clip=False), operator, sigma, names)
                 for balance in (2e-3, 3e-3, 5e-3, 1e-2))
    ours = mean_psnr(wiener, operator, sigma, names)
    assert ours >= theirs
    assert mean_psnr(lambda y, a, s: wiener(y, a), operator, sigma, names) >= ours - 0.1, "without being told sigma"
    assert mean_psnr(total_variation, operator, sigma) >= mean_psnr(wiener, operator, sigma) + 0.3


def test_plug_and_play_beats_interpolation():
    from PIL import Image

    def bicubic(y, operator, sigma):
        return np.asarray(Image.fromarray(y).resize((256, 256), Image.Resampling.BICUBIC))

    half_lost = Mask.random((256, 256), 0.5, rng(1))
    for operator, peer, gain in ((half_lost, biharmonic, 0.25), (Downsample(2), bicubic, 0.7)):
        ours, theirs = (mean_psnr(method, operator, 0, ("astronaut",)) for method in (plug_and_play, peer))
        assert ours >= theirs + gain


def test_noisy_psnr_is_minus_20_log_sigma():
    """Least squares does nothing to noise, so here is the law that catches a wrong peak or a wrong unit."""
    assert_noisy_psnr_law(lambda x, noisy: psnr(x, least_squares(noisy, Identity(), 1.0)))


# ------------------------------------------------------------------------------------------ what all methods keep


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("depth", [(), (1,), (3,)], ids=["grey", "one channel", "colour"])
def test_type_shape_input_and_determinism(method, dtype, depth):
    operator = suitable(method)
    y = operator.forward(rng(1).random((*SHAPE, *depth)).astype(dtype))
    before = y.copy()
    x, report = method(y, operator, 0.1, report=True)
    assert (x.shape, x.dtype) == (y.shape, dtype)
    assert isinstance(report, Report)
    assert isinstance(report.objective, list)
    assert np.array_equal(y, before), "the measurement was changed"
    assert not np.shares_memory(x, y)
    assert np.array_equal(method(y, operator, 0.1), x), "the same call gave another answer"


@pytest.mark.parametrize("method", METHODS)
def test_one_channel_is_grey(method):
    operator = suitable(method)
    y = operator.forward(rng(1).random(SHAPE))
    np.testing.assert_allclose(method(y[..., None], operator, 0.1)[..., 0], method(y, operator, 0.1), atol=1e-12)


@pytest.mark.parametrize("method", [least_squares, tikhonov, richardson_lucy, biharmonic])
@pytest.mark.parametrize("operator", [Blur.gaussian(0.7), some_mask(), Downsample(2)], ids=repr)
def test_channels_do_not_mix_where_nothing_couples_them(method, operator):
    if method is biharmonic and not isinstance(operator, Mask):
        return
    y = operator.forward(rng(1).random((*SHAPE, 3)))
    options = {"tolerance": 0, "iterations": 25} if method is richardson_lucy else {"tolerance": 1e-11}
    apart = [method(np.ascontiguousarray(y[..., c]), operator, 0.0, **options) for c in range(3)]
    if method is richardson_lucy and isinstance(operator, Mask):
        known = operator.mask  # elsewhere the answer is the even grey that it starts from
        np.testing.assert_allclose(method(y, operator, 0.0, **options)[known], np.stack(apart, 2)[known], atol=1e-9)
        return
    np.testing.assert_allclose(method(y, operator, 0.0, **options), np.stack(apart, 2), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_constant_pictures_stay(method):
    for grey in (0.0, 0.3, 1.0):
        y = suitable(method).forward(np.full(SHAPE, grey))
        np.testing.assert_allclose(method(y, suitable(method), 0.05), grey, atol=1e-3)


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("name", OPERATORS)
def test_constant_pictures_come_back_from_every_operator(method, name):
    operator = OPERATORS[name]
    if name == "lopsided blur":  # keeps no brightness
        return
    x = method(operator.forward(np.full(SHAPE, 0.4)), operator, 0.001)
    assert np.isfinite(x).all()
    if name in ("circular blur", "mirrored blur", "downsampling", "small of blurred"):
        np.testing.assert_allclose(x, 0.4, atol=0.01)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("depth", [(), (3,)], ids=["grey", "colour"])
def test_one_pixel(method, depth):
    operator = Mask(np.ones((1, 1))) if method is biharmonic else Identity()
    y = np.full((1, 1, *depth), 0.3)
    np.testing.assert_allclose(method(y, operator, 0.05), 0.3, atol=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_without_noise_the_picture_is_left_alone(method):
    y = scene()
    operator = Mask(np.ones(SHAPE, bool)) if method is biharmonic else Identity()
    np.testing.assert_allclose(method(y, operator, 0.0), y, atol=0.02)


@pytest.mark.parametrize("method", [least_squares, tikhonov, wiener, total_variation, plug_and_play, biharmonic])
def test_all_known_is_the_picture(method):
    y = scene()
    np.testing.assert_allclose(method(y, Mask(np.ones(SHAPE, bool)), 0.0), y, atol=0.02)


@pytest.mark.parametrize("method", [tikhonov, wiener, total_variation, plug_and_play, biharmonic])
def test_known_pixels_agree_where_nothing_is_noisy(method):
    x, operator = photo("cat", 64), Mask.random((64, 64), 0.5, rng(1))
    x_hat = method(operator.forward(x), operator, 0)
    np.testing.assert_allclose(x_hat[operator.mask], x[operator.mask], atol=0.02)


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("shape", [(1, 7), (9, 1), (5, 6)])
def test_narrow_pictures(method, shape):
    for operator in (Blur.gaussian(1.0), Blur.gaussian(1.0, border="reflect"), Mask.random(shape, 0.7, rng(1))):
        y = operator.forward(rng(2).random(shape))
        assert np.isfinite(method(y, operator, 0.05)).all()


def test_nothing_is_printed_by_short_runs(capsys):
    for method in METHODS:
        method(suitable(method).forward(scene()), suitable(method), 0.1)
    total_variation(scene(), Blur.gaussian(1), 0.1)
    assert capsys.readouterr() == ("", "")


# ------------------------------------------------------------------------------------------ bad input

SMALL = np.full((4, 4), 0.5)
BAD = {
    "NaN": (np.where(np.eye(4), np.nan, SMALL), Identity(), 0.1, ValueError, "y must be finite"),
    "empty": (np.zeros((0, 4)), Identity(), 0.1, ValueError, "y is empty"),
    "words": ("picture", Identity(), 0.1, TypeError, "y must hold real numbers"),
    "a row": (np.zeros(4), Identity(), 0.1, ValueError, "y must have 2 or 3 axes"),
    "two channels": (np.zeros((4, 4, 2)), Identity(), 0.1, ValueError, "one or three channels"),
    "0-255": (255 * SMALL, Identity(), 0.1, ValueError, "divide 0-255 data by 255"),
    "0-255 blurred": (255 * SMALL, Blur.gaussian(1), 0.1, ValueError, "divide 0-255 data by 255"),
    "no operator": (SMALL, np.eye(4), 0.1, TypeError, "operator must be one of helpers.operators"),
    "negative sigma": (SMALL, Identity(), -0.1, ValueError, "sigma must be at least 0"),
    "sigma of 25": (SMALL, Identity(), 25, ValueError, "perhaps you mean 25/255"),
    "sigma is a word": (SMALL, Identity(), "25", TypeError, "sigma must be one real number"),
    "mask of another shape": (SMALL, Mask(np.ones((5, 4))), 0.1, ValueError, r"mask has shape \(5, 4\)"),
    "nothing known": (SMALL, Mask(np.zeros((4, 4))), 0.1, ValueError, "mask of the operator knows no pixel"),
    "nothing known of blurred": (SMALL, Mask(np.zeros((4, 4))) @ Blur.gaussian(1), 0.1, ValueError, "no pixel"),
    "another scanner": (SMALL, Radon(4, [0, 90]), 0.1, ValueError, r"y has shape \(4, 4\), expected \(7, 2\)"),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", BAD)
def test_bad_measurements(method, case):
    y, operator, sigma, error, words = BAD[case]
    if method is biharmonic and isinstance(operator, Identity):
        operator = Mask(np.ones((4, 4)))
    elif method is biharmonic and isinstance(operator, Operator) and not isinstance(operator, Mask):
        words = "must be a Mask"
    with pytest.raises(error, match=words):
        method(y, operator, sigma)


@pytest.mark.parametrize(("method", "options", "error", "words"), [
    (least_squares, {"tolerance": -1}, ValueError, "tolerance must be at least 0"),
    (least_squares, {"iterations": 0}, ValueError, "iterations must be at least 1"),
    (least_squares, {"iterations": 2.5}, TypeError, "iterations must be a whole number"),
    (tikhonov, {"weight": -1}, ValueError, "weight must be at least 0"),
    (total_variation, {"weight": 0}, ValueError, "weight must be above 0"),
    (total_variation, {"weight": np.nan}, ValueError, "weight must be finite"),
    (wiener, {"spectrum": np.ones((4, 4))}, ValueError, r"spectrum has shape \(4, 4\), expected \(4, 3\)"),
    (wiener, {"spectrum": -np.ones((4, 3))}, ValueError, "spectrum must not be negative"),
    (wavelet_shrinkage, {"wavelet": "harr"}, ValueError, "did you mean 'haar'"),
    (wavelet_shrinkage, {"wavelet": "bior4.4"}, ValueError, "not orthogonal"),
    (wavelet_shrinkage, {"levels": 0}, ValueError, "levels must be from 1 to 8"),
    (dct_shrinkage, {"patch": 1}, ValueError, "patch must be from 2 to 32"),
    (dct_shrinkage, {"threshold": -1}, ValueError, "threshold must be at least 0"),
    (non_local_means, {"strength": 0}, ValueError, "strength must be above 0"),
    (plug_and_play, {"iterations": 0}, ValueError, "iterations must be at least 1"),
    (plug_and_play, {"trust": 0}, ValueError, "trust must be above 0"),
])
def test_bad_options(method, options, error, words):
    with pytest.raises(error, match=words):
        method(SMALL, Identity(), 0.1, **options)


def test_a_zero_kernel_is_refused_and_a_blind_one_survived():
    with pytest.raises(ValueError, match="kernel is zero everywhere"):
        Blur(np.zeros((3, 3)))
    operator = Blur(np.array([[1.0, 0.0, -1.0]]))  # an edge detector: it loses the mean brightness
    y = operator.forward(scene())
    for method in (least_squares, tikhonov, wiener, total_variation, plug_and_play):
        assert np.isfinite(method(y, operator, 0.01)).all()
        assert np.isfinite(method(y, operator, 0.0)).all()


def test_colour_through_a_mask():
    x, operator = photo("coffee", 48, color=True), Mask.random((48, 48), 0.5, rng(1))
    for method in (tikhonov, wiener, total_variation, biharmonic, plug_and_play):
        assert psnr(x, method(operator.forward(x), operator, 0)) > 18


# ------------------------------------------------------------------------------------------ memory


@pytest.mark.parametrize("method", METHODS)
def test_memory_is_asked_for_before_the_start(method, monkeypatch):
    monkeypatch.setattr(restoration, "MEMORY_LIMIT", 10_000)
    with pytest.raises(MemoryError, match=rf"{method.__name__} on a picture of shape \(64, 64\) needs about"):
        method(np.full((64, 64), 0.5), Mask.random((64, 64), 0.5, rng()) if method is biharmonic else Identity(), 0.1)


@pytest.mark.parametrize("method", METHODS)
def test_a_large_grey_picture_fits(method):
    shape = (4096, 4096)
    operators = {biharmonic: [Mask(np.arange(4096)[:, None] % 2 * np.ones(4096))]}.get(method, [Identity()])
    if method in SOLVERS:
        operators += [Blur.gaussian(1.6), Blur.gaussian(1.6, border="reflect"), Downsample(2)]
    assert all(peak_memory(method, operator, shape) < restoration.MEMORY_LIMIT for operator in operators)


def test_a_hole_of_half_a_large_picture_does_not_fit():
    assert peak_memory(biharmonic, Mask.half((4096, 4096)), (4096, 4096)) > restoration.MEMORY_LIMIT
    with pytest.raises(ValueError, match="did you mean 'tikhonov'"):
        peak_memory("tikonov", Identity(), (4, 4))


@pytest.mark.parametrize("method", METHODS)
def test_memory_is_no_more_than_estimated(method):
    shape = (320, 320)
    operators = [Mask.random(shape, 0.5, rng())] if method is biharmonic else [Identity()]
    if method in SOLVERS:
        operators += [Blur.gaussian(1.6), Blur.gaussian(1.6, border="reflect"), Mask.random(shape, 0.5, rng()),
                      Downsample(2)]
    if method is biharmonic:
        operators += [Mask.half(shape), Mask(np.arange(320)[:, None] % 10 * np.ones(320) > 0)]
    x = photo("cat", 320)
    for operator in operators:
        y = operator.forward(x)
        options = {"iterations": 3} if method in SOLVERS and method is not wiener else {}
        method(y, operator, 0.05, **options)  # imports, and what the operator keeps
        tracemalloc.start()
        method(y, operator, 0.05, **options)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        allowance = 3e6  # what does not grow with the picture: a strip of patches
        assert peak <= peak_memory(method, operator, shape) + allowance, operator
