"""What the solvers do at the edges: other peers, odd pictures, reports, memory, mistakes.

The dense oracles stand in test_restoration.py.
"""

import inspect
import math
import re

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import skimage.restoration

from helpers import restoration
from helpers.images import photo
from helpers.metrics import psnr
from helpers.operators import Blur, Downsample, Identity, Mask, Radon, measure, measure_photons
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
from tests.checks import dense_matrix
from tests.unit.test_bad_input import (
    ARRAYS,
    FLAGS,
    GREY,
    NAMES,
    NUMBERS,
    PICTURES,
    SIGMAS,
    WHOLES,
    Case,
    each,
    public_names,
)
from tests.unit.test_bad_input import OPERATORS as NO_OPERATORS

SIDE = 12
SHAPE = (SIDE, SIDE)
KNOWN = np.random.default_rng(5).random(SHAPE) < 0.6
WEAK = Blur(np.array([[0.02, 0.1, 0.03], [0.1, 0.5, 0.05], [0.0, 0.15, 0.05]]))  # not symmetric, well conditioned
OPERATORS = {
    "circular blur": WEAK,
    "mirrored blur": Blur(WEAK.kernel, "reflect"),
    "small": Downsample(2),
    "mask": Mask(KNOWN),
    "scan": Radon.sparse_view(SIDE, 7),
    "mask after blur": Mask(KNOWN) @ WEAK,
    "small after mirrored blur": Downsample(3) @ Blur.gaussian(0.7, "reflect"),
}
METHODS = {
    "least_squares": least_squares, "tikhonov": tikhonov, "wiener": wiener, "richardson_lucy": richardson_lucy,
    "total_variation": total_variation, "biharmonic": biharmonic, "wavelet_shrinkage": wavelet_shrinkage,
    "dct_shrinkage": dct_shrinkage, "non_local_means": non_local_means, "plug_and_play": plug_and_play,
}
SHRINKERS = ["wavelet_shrinkage", "dct_shrinkage", "non_local_means"]
ITERATIVE = ["least_squares", "tikhonov", "wiener", "richardson_lucy", "total_variation", "biharmonic"]
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def picture(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def bumps(*shape):
    """A smooth picture in [0.1, 0.9]."""
    i, j = np.mgrid[: shape[0], : shape[1]]
    planes = [0.5 + 0.2 * np.sin(0.3 * i + k) + 0.2 * np.cos(0.2 * j - k) for k in range(math.prod(shape[2:]))]
    return np.stack(planes, axis=-1).reshape(shape)


def spot(*shape):
    """A picture with a bright corner on grey: edges for total variation."""
    x = np.full(shape, 0.3)
    x[shape[0] // 4 : shape[0] // 2, shape[1] // 3 : -2] = 0.8
    return x


def noisy(operator, x, sigma, seed=0):
    return measure(x, operator, sigma, np.random.default_rng(seed))


def its_operator(method, shape=SHAPE):
    """An operator that the method takes, other than the identity if it can."""
    if method in (wavelet_shrinkage, dct_shrinkage, non_local_means):
        return Identity()
    return Mask(picture(*shape[:2], seed=5) < 0.6) if method is biharmonic else Blur.gaussian(0.8, "reflect")


def gradient_matrix(shape, wrapped):
    """The differences of neighbours down and across, as one dense matrix."""
    number, eye = np.arange(math.prod(shape)).reshape(shape), np.eye(math.prod(shape))
    parts = []
    for axis in (0, 1):
        here, there = number, np.roll(number, -1, axis)
        if not wrapped:
            here, there = (np.delete(a, -1, axis) for a in (here, there))
        parts.append(eye[there.ravel()] - eye[here.ravel()])
    return np.concatenate(parts)


# ----------------------------------------------------------------------------------------------- Wiener and noise level


def gaussian_covariance(shape):
    """A spectrum for rfft2 with norm="ortho", and the dense covariance of pictures that have it."""
    down, across = np.meshgrid(*(np.minimum(np.arange(n), n - np.arange(n)) for n in shape), indexing="ij")
    power = 1 / (1 + down**2 + 2 * across**2) ** 1.3
    waves = np.fft.fft2(np.eye(math.prod(shape)).reshape(-1, *shape), norm="ortho").reshape(math.prod(shape), -1)
    covariance = (waves @ np.diag(power.ravel()) @ waves.conj().T).real
    return power[:, : shape[1] // 2 + 1], covariance


def test_wiener_is_skimages_wiener_on_a_circular_blur():
    """scikit-image divides by |H|² + balance · |regulariser|²; ours has sigma² / S there."""
    x = photo("camera", 32).astype(np.float64)
    kernel = np.ones((5, 5)) / 25
    y = noisy(Blur(kernel), x, 0.02)
    transfer = Blur(kernel).transfer_function(x.shape)
    frequency = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.rfftfreq(32)[None, :])
    spectrum = 1 / np.maximum(frequency, 0.01) ** 2
    expected = skimage.restoration.wiener(
        y, transfer, 0.02**2, reg=np.sqrt(1 / spectrum).astype(complex), clip=False, is_real=True)
    np.testing.assert_allclose(wiener(y, Blur(kernel), 0.02, spectrum=spectrum), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("sigma", [25 / 255, 50 / 255])
@pytest.mark.parametrize("operator", [Identity(), Blur.gaussian(1)], ids=["identity", "blur"])
def test_wiener_finds_the_noise_level_itself(operator, sigma):
    x = photo("camera", 128)
    y = noisy(operator, x, sigma)
    x_hat, report = wiener(y, operator, report=True)
    assert report.sigma == pytest.approx(sigma, rel=0.2)
    assert psnr(x, x_hat) > psnr(x, wiener(y, operator, sigma)) - 0.3
    assert psnr(x, x_hat) > psnr(x, y) + 0.5


@pytest.mark.parametrize("sigma", [2 / 255, 25 / 255, 0.3])
def test_estimate_noise_on_a_flat_picture(sigma):
    assert estimate_noise(noisy(Identity(), np.full((64, 64), 0.5), sigma)) == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("name", ["camera", "astronaut", "coffee"])
def test_estimate_noise_on_photographs(name):
    sigma = 25 / 255
    assert estimate_noise(noisy(Identity(), photo(name, 256), sigma)) == pytest.approx(sigma, rel=0.2)


def test_estimate_noise_looks_only_at_known_cells():
    sigma, flat = 0.1, np.full((96, 96), 0.5)
    mask = Mask.random(flat.shape, 0.7, np.random.default_rng(1))
    for operator in (mask, mask @ Blur.gaussian(1)):
        assert estimate_noise(noisy(operator, flat, sigma), operator) == pytest.approx(sigma, rel=0.15)
    assert estimate_noise(GREY, Mask(np.eye(12) * (np.arange(12) % 3 == 0))) == 0  # no 2 × 2 cell is known whole
    assert estimate_noise(np.ones((1, 1))) == 0


# ----------------------------------------------------------------------------------------------- Richardson-Lucy

LIGHT = [Identity(), Blur.gaussian(1.2), Blur.gaussian(1.2, "reflect"), Radon.sparse_view(16, 9), Downsample(2)]


@pytest.mark.parametrize("operator", LIGHT, ids=lambda operator: operator.name)
def test_richardson_lucy_climbs_the_poisson_likelihood(operator):
    y = measure_photons(spot(16, 16), operator, 50, np.random.default_rng(0))
    likelihoods = []
    for iterations in (1, 2, 3, 5, 9, 20, 60):
        x = richardson_lucy(y, operator, tolerance=0, iterations=iterations)
        assert x.min() >= 0
        light, lit = operator.forward(x), y > 0
        likelihoods.append(np.sum(y[lit] * np.log(light[lit])) - light.sum())
    assert np.all(np.diff(likelihoods) > -1e-9 * abs(likelihoods[0])), likelihoods
    assert likelihoods[-1] > likelihoods[0] or isinstance(operator, (Identity, Downsample))  # those need one step


@pytest.mark.parametrize("operator", LIGHT[:3], ids=lambda operator: operator.name)
def test_richardson_lucy_keeps_the_light(operator):
    y = measure_photons(spot(16, 20), operator, 50, np.random.default_rng(0))
    for iterations in (1, 7, 40):
        x = richardson_lucy(y, operator, tolerance=0, iterations=iterations)
        assert np.sum(operator.forward(x)) == pytest.approx(y.sum(), rel=1e-9)  # as much light arrives as came


@pytest.mark.parametrize("border", ["circular", "reflect"])
def test_richardson_lucy_is_skimages_away_from_the_border(border):
    x = np.full((64, 64), 0.1)
    x[28:36, 28:36] = 0.9
    kernel = Blur.gaussian(1).kernel
    y = Blur(kernel, border).forward(x)
    ours = richardson_lucy(y, Blur(kernel, border), tolerance=0, iterations=3)
    theirs = skimage.restoration.richardson_lucy(y, kernel, num_iter=3, clip=False)
    inner = slice(28, 36)  # what the border does comes eight pixels nearer with each step
    np.testing.assert_allclose(ours[inner, inner], theirs[inner, inner], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_richardson_lucy_survives_stars_on_black(dtype):
    """Zeros, and what the Fourier transform makes of zeros, in y and in x."""
    x = np.zeros((32, 32))
    x[5, 6], x[20, 9], x[20, 11] = 1, 0.8, 0.8
    for border in ("circular", "reflect"):
        blur = Blur.gaussian(1, border)
        for y in (blur.forward(x), np.maximum(blur.forward(x), 0), measure_photons(x, blur, 300,
                                                                                  np.random.default_rng(0))):
            x_hat = richardson_lucy(y.astype(dtype), blur, tolerance=0, iterations=200)
            assert np.isfinite(x_hat).all() and x_hat.min() >= 0
            assert x_hat.sum() == pytest.approx(np.maximum(y, 0).sum(), rel=1e-3)
            assert x_hat[20, 10] < x_hat[20, 9] or y.max() > 1  # two stars, not one


def test_richardson_lucy_takes_negative_values_as_darkness():
    y = noisy(WEAK, np.full(SHAPE, 0.02), 0.1)
    assert y.min() < 0
    assert np.array_equal(richardson_lucy(y, WEAK), richardson_lucy(np.maximum(y, 0), WEAK))
    assert not richardson_lucy(np.zeros(SHAPE), WEAK).any()


# ----------------------------------------------------------------------------------------------- total variation


def tv_objective(x, y, operator, weight, blocks, smoothing=0.0, gradient=False):
    """½ |A x - y|² + weight Σ √(½ Σ differences² + smoothing²) over cells, with the share of each cell."""
    differences, share = blocks
    planes = x.reshape(x.shape[0] * x.shape[1], -1)
    parts = [block @ planes for block in differences]
    length = np.sqrt(0.5 * sum(np.square(part).sum(axis=1) for part in parts) + smoothing**2)
    residual = operator.forward(x) - y
    value = 0.5 * np.sum(residual**2) + weight * share @ length
    if not gradient:
        return value
    slopes = [0.5 * part * (share / length)[:, None] for part in parts]
    pull = sum(block.T @ slope for block, slope in zip(differences, slopes, strict=True))
    return value, operator.adjoint(residual) + weight * pull.reshape(x.shape)


def cells(shape):
    """The four differences of every 2 × 2 cell of the framed picture, and how much the cell counts."""
    framed = np.pad(np.arange(shape[0] * shape[1]).reshape(shape[:2]), 1, mode="edge")
    corners = framed[:-1, :-1], framed[:-1, 1:], framed[1:, :-1], framed[1:, 1:]
    eye = scipy.sparse.eye_array(shape[0] * shape[1], format="csr")
    a, b, c, d = (eye[corner.ravel()] for corner in corners)
    share = np.full((shape[0] + 1, shape[1] + 1), FRAME)
    share[1:-1, 1:-1] = 1
    return [b - a, d - c, c - a, d - b], share.ravel()


FRAME = 0.5  # a cell of the frame sees each difference of the border twice


TV_CASES = {
    "colour": (Identity(), (8, 9, 3)), "colour mask": (Mask(KNOWN), (12, 12, 3)), "one row": (Identity(), (1, 9)),
    "one column, masked": (Mask(KNOWN[:, :1]), (12, 1)), "bright noise": (Identity(), (10, 11)),
    "signed blur": (Blur(np.array([[-0.2, 0.9, 0.3]]), "reflect"), (9, 8)),
}


@pytest.mark.parametrize("kind", TV_CASES)
def test_total_variation_reaches_the_least_objective(kind):
    """Colour, rows, negative weights, noise over white: against L-BFGS-B on smoothed TV."""
    operator, shape = TV_CASES[kind]
    y = noisy(operator, np.round(spot(*shape)) if kind == "bright noise" else picture(*shape), 0.1)
    weight, tolerance, blocks = 0.06, 1e-3, cells(shape)
    x, report = total_variation(
        y, operator, 0.1, weight=weight, tolerance=tolerance, iterations=20_000, report=True)

    best = np.full(math.prod(shape), 0.5)
    for smoothing in (1e-2, 1e-3, 1e-4):
        def smoothed(x, smoothing=smoothing):
            value, slope = tv_objective(x.reshape(shape), y, operator, weight, blocks, smoothing, gradient=True)
            return value, slope.ravel()

        best = scipy.optimize.minimize(smoothed, best, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * best.size,
                                       options={"maxiter": 300, "maxcor": 20}).x
    objective = tv_objective(x, y, operator, weight, blocks)
    least = tv_objective(best.reshape(shape), y, operator, weight, blocks)
    assert x.min() >= 0 and x.max() <= 1
    assert report.converged and report.gap <= tolerance
    assert report.objective[-1] == pytest.approx(objective, rel=1e-6)
    assert objective <= least / (1 - tolerance) + 1e-9  # the gap is honest
    assert least <= 1.01 * objective  # and the other solver came near, so it says something


# ----------------------------------------------------------------------------------------------- biharmonic


def test_biharmonic_ignores_what_stands_in_the_holes():
    mask, x = Mask.block((32, 40), 12), photo("camera", 40)[:32]
    junk = np.where(mask.mask, x, 0.9)
    assert np.array_equal(biharmonic(junk, mask), biharmonic(mask.forward(x), mask))


# ----------------------------------------------------------------------------------------------- denoisers


@pytest.mark.parametrize("name", SHRINKERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (3, 17), (20, 20), (9, 8, 3), (9, 8, 1), (1, 5, 3)], ids=str)
def test_denoisers_keep_a_constant_picture(name, shape):
    x = METHODS[name](np.full(shape, 0.4), Identity(), 0.1)
    assert x.shape == shape
    np.testing.assert_allclose(x, np.full(shape, 0.4), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", SHRINKERS)
@pytest.mark.parametrize("shape", [(20, 21), (9, 8, 3)], ids=str)
def test_denoisers_without_noise_return_y(name, shape):
    y = picture(*shape)
    x = METHODS[name](y, Identity(), 0.0)
    assert np.array_equal(x, y) and not np.shares_memory(x, y)


@pytest.mark.parametrize("name", SHRINKERS)
def test_denoisers_flatten_pure_noise(name):
    sigma = 0.1
    y = noisy(Identity(), np.full((64, 64), 0.5), sigma)
    assert np.std(METHODS[name](y, Identity(), sigma)) < 0.3 * sigma


@pytest.mark.parametrize("wavelet", ["haar", "db3", "sym4"])
@pytest.mark.parametrize("shape", [(19, 23), (9, 10, 3)], ids=["grey", "colour"])
def test_wavelets_rebuild_what_is_not_shrunk(wavelet, shape):
    y = picture(*shape)
    np.testing.assert_allclose(wavelet_shrinkage(y, Identity(), 1e-9, wavelet=wavelet), y, rtol=0, atol=1e-6)


# ----------------------------------------------------------------------------------------------- plug and play


@pytest.mark.parametrize("shrink", [1.0, 0.7], ids=["identity", "linear"])
def test_plug_and_play_with_a_linear_denoiser_is_a_linear_recursion(shrink):
    sigma, steps, trust = 0.04, 6, 0.3
    y = noisy(WEAK, picture(*SHAPE), sigma)
    matrix, eye = dense_matrix(WEAK, SHAPE), np.eye(SIDE**2)
    differences = gradient_matrix(SHAPE, wrapped=True)
    weight = 2 * sigma**2 / restoration.GRADIENT_ENERGY
    z = np.linalg.solve(matrix.T @ matrix + weight * differences.T @ differences, matrix.T @ y.ravel())
    levels = np.geomspace(25 / 255, sigma, steps)
    for level in [*levels, levels[-1]]:
        strength = trust * sigma**2 / level**2
        x = np.linalg.solve(matrix.T @ matrix + strength * eye, matrix.T @ y.ravel() + strength * z)
        z = shrink * x + (1 - shrink) * 0.5
    ours = plug_and_play(y, WEAK, sigma, denoiser=lambda x, sigma: shrink * x + (1 - shrink) * 0.5, iterations=steps,
                         trust=trust)
    np.testing.assert_allclose(ours.ravel(), x, rtol=0, atol=1e-9)


@pytest.mark.parametrize("denoiser", restoration.DENOISERS)
def test_plug_and_play_on_the_identity_is_its_denoiser(denoiser):
    y = noisy(Identity(), spot(24, 24), 0.1)
    expected = METHODS[denoiser](y, Identity(), 0.1)
    assert np.array_equal(plug_and_play(y, Identity(), 0.1, denoiser=denoiser), expected)
    assert np.array_equal(plug_and_play(y, Mask(np.ones((24, 24))), 0.1, denoiser=denoiser), expected)


def test_plug_and_play_keeps_known_pixels_of_a_noiseless_mask():
    x = photo("camera", 48)
    mask = Mask.random(x.shape, 0.5, np.random.default_rng(0))
    x_hat = plug_and_play(mask.forward(x), mask, 0.0)
    assert np.abs(x_hat - x)[mask.mask].max() < 1 / 255
    assert psnr(x, x_hat) > 22


@pytest.mark.parametrize("kind", OPERATORS)
def test_plug_and_play_gains_with_each_operator(kind):
    operator, x, sigma = OPERATORS[kind], bumps(*SHAPE), 0.1
    y = noisy(operator, x, sigma)
    assert psnr(x, plug_and_play(y, operator, sigma)) > psnr(x, least_squares(y, operator)) + 1


# ----------------------------------------------------------------------------------------------- reports


@pytest.mark.parametrize("name", ITERATIVE)
def test_reports_fall_and_count(name):
    method, x = METHODS[name], spot(20, 20)
    operator = OPERATORS["mirrored blur"] if method is tikhonov else its_operator(method, x.shape)  # others: directly
    y = noisy(operator, x, 0.05)
    x_hat, report = method(y, operator, 0.05, report=True)
    assert isinstance(report, Report)
    assert 0 < report.iterations <= 2000
    values = np.array(report.objective)
    assert values.size >= 1 and np.isfinite(values).all()
    if name != "total_variation":  # primal-dual steps may go up
        assert np.all(np.diff(values) <= 1e-9 * abs(values[0])), values
    assert values[-1] <= values[0]
    assert np.array_equal(x_hat, method(y, operator, 0.05))


@pytest.mark.parametrize("name", ["tikhonov", "wiener", "biharmonic"])
def test_reported_objective_is_the_objective(name):
    """Computed anew from the picture, by dense matrices."""
    method, sigma = METHODS[name], 0.05
    operator = Mask(KNOWN | (picture(*SHAPE) < 0.5)) if name == "biharmonic" else its_operator(method)
    y = noisy(operator, bumps(*SHAPE), 0.0)
    differences, (spectrum, covariance) = gradient_matrix(SHAPE, wrapped=False), gaussian_covariance(SHAPE)
    options = {"tikhonov": {"weight": 0.1}, "wiener": {"spectrum": spectrum}}.get(name, {})
    x, report = method(y, operator, sigma, report=True, tolerance=1e-9, iterations=5000, **options)
    if name == "biharmonic":
        known = y[operator.mask]
        assert known.min() < x[~operator.mask].min() and x[~operator.mask].max() < known.max(), "clipped: take another"
        value = 0.5 * np.sum((differences.T @ differences @ x.ravel()) ** 2)
    else:
        prior = 0.1 * differences.T @ differences if name == "tikhonov" else sigma**2 * np.linalg.inv(covariance)
        value = 0.5 * np.sum((operator.forward(x) - y) ** 2) + 0.5 * x.ravel() @ prior @ x.ravel()
    assert report.objective[-1] == pytest.approx(value, rel=1e-6, abs=1e-12)


# ----------------------------------------------------------------------------------------------- what all share


@every_method
def test_global_randomness_is_left_alone(method):
    shape = (20, 24)
    operator = its_operator(method, shape)
    y = noisy(operator, spot(*shape), 0.05)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first = method(y, operator, 0.05)
    assert np.array_equal(first, method(y, operator, 0.05))
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


@every_method
@pytest.mark.parametrize("colour", [False, True], ids=["grey", "colour"])
def test_single_precision_gives_the_answer_of_double(method, colour):
    shape = (16, 16, 3) if colour else (16, 16)
    operator = its_operator(method, shape)
    y = noisy(operator, bumps(*shape), 0.05)
    if method is least_squares:  # noise in what the blur hides makes the number of steps depend on rounding
        y, options = operator.forward(bumps(*shape)), {"iterations": 5}
    else:
        options = {}
    double, single = method(y, operator, 0.05, **options), method(y.astype(np.float32), operator, 0.05, **options)
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(single, double, rtol=0, atol=5e-3)
    assert double.flags.c_contiguous and double.flags.writeable


@every_method
def test_the_layout_of_y_does_not_matter(method):
    operator = its_operator(method)
    y = noisy(operator, bumps(*SHAPE), 0.05)
    y.flags.writeable = False
    expected = method(y, operator, 0.05)
    np.testing.assert_allclose(method(np.asfortranarray(y), operator, 0.05), expected, rtol=0, atol=1e-8)
    np.testing.assert_allclose(method(np.repeat(y, 2, axis=1)[:, ::2], operator, 0.05), expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize("border", ["circular", "reflect"])
@pytest.mark.parametrize("name", ["least_squares", "tikhonov", "wiener", "richardson_lucy"])
def test_channels_are_treated_alone(name, border):
    method, operator = METHODS[name], Blur(WEAK.kernel, border)
    options = {"tolerance": 1e-12, "iterations": 3000}
    if name == "wiener":
        options["spectrum"] = gaussian_covariance(SHAPE)[0]
    if name == "richardson_lucy":
        options = {"tolerance": 0, "iterations": 15}
    sigma = 0.0 if name == "richardson_lucy" else 0.05
    y = noisy(operator, bumps(*SHAPE, 3), 0.05)
    together = method(y, operator, sigma, **options)
    for channel in range(3):
        alone = method(np.ascontiguousarray(y[..., channel]), operator, sigma, **options)
        np.testing.assert_allclose(together[..., channel], alone, rtol=0, atol=1e-7)


@every_method
def test_short_runs_print_nothing(method, capfd):
    operator = its_operator(method)
    method(noisy(operator, bumps(*SHAPE), 0.05), operator, 0.05, report=True)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


# ----------------------------------------------------------------------------------------------- memory


@every_method
def test_a_picture_too_large_is_refused_before_the_start(method, monkeypatch):
    operator = its_operator(method)
    y = noisy(operator, bumps(*SHAPE), 0.05).astype(np.float32)
    monkeypatch.setattr(restoration, "MEMORY_LIMIT", peak_memory(method, operator, SHAPE) - 1)
    with monkeypatch.context() as patch:
        patch.setattr(operator, "forward", lambda x: pytest.fail("it started"))
        with pytest.raises(MemoryError, match=rf"{method.__name__}.*\(12, 12\).*MEMORY_LIMIT"):
            method(y, operator, 0.05)
    monkeypatch.setattr(restoration, "MEMORY_LIMIT", peak_memory(method, operator, SHAPE))
    assert method(y, operator, 0.05).shape == SHAPE  # this just fits
    with pytest.raises(MemoryError):  # but not twice as many bytes
        method(y.astype(np.float64), operator, 0.05)


# ----------------------------------------------------------------------------------------------- bad input

NOT_NONE = {kind: value for kind, value in NUMBERS.items() if value is not None}


def mistakes(method):
    """The mistakes that every method can be handed."""
    operator = Mask(np.ones((12, 12)) - np.eye(12)) if method is biharmonic else Identity()
    arguments = inspect.signature(method).parameters
    cases = [
        *each("y", PICTURES, lambda y: method(y, operator, 0.1)),
        *each("operator", NO_OPERATORS, lambda wrong: method(GREY, wrong, 0.1)),
        *each("sigma", (SIGMAS if method is not wiener else NOT_NONE) | {"negative": -0.1, "of 0-255": 25},
              lambda sigma: method(GREY, operator, sigma)),
    ]
    if "tolerance" in arguments:
        cases += each("tolerance", NUMBERS | {"negative": -1e-3},
                      lambda tolerance: method(GREY, operator, 0.1, tolerance=tolerance))
    if "iterations" in arguments:
        cases += each("iterations", WHOLES, lambda iterations: method(GREY, operator, 0.1, iterations=iterations))
    return cases


CASES = {name: mistakes(method) for name, method in METHODS.items()} | {
    "estimate_noise": each("y", ARRAYS, estimate_noise),
    "peak_memory": each("method", NAMES | {"another function": estimate_noise},
                        lambda method: peak_memory(method, Identity(), SHAPE)),
}
CASES["tikhonov"] += each("weight", NOT_NONE | {"negative": -1},
                          lambda weight: tikhonov(GREY, WEAK, 0.1, weight=weight))
CASES["total_variation"] += each("weight", NOT_NONE | {"negative": -1, "zero": 0},
                                 lambda weight: total_variation(GREY, WEAK, 0.1, weight=weight))
CASES["wiener"] += each(
    "spectrum", {kind: value for kind, value in ARRAYS.items() if value is not None} | {
        "another shape": np.ones((12, 12)), "negative": -np.ones((12, 7)), "colour": np.ones((12, 7, 3))},
    lambda spectrum: wiener(GREY, WEAK, 0.1, spectrum=spectrum))
CASES["wavelet_shrinkage"] += [
    *each("wavelet", NAMES | {"not orthogonal": "bior2.2"},
          lambda wavelet: wavelet_shrinkage(GREY, Identity(), 0.1, wavelet=wavelet)),
    *each("levels", WHOLES | {"many": 9}, lambda levels: wavelet_shrinkage(GREY, Identity(), 0.1, levels=levels)),
    Case("near match", "wavelet", lambda: wavelet_shrinkage(GREY, Identity(), 0.1, wavelet="harr"), "'haar'"),
]
CASES["dct_shrinkage"] += [
    *each("patch", WHOLES | {"one": 1, "large": 33}, lambda patch: dct_shrinkage(GREY, Identity(), 0.1, patch=patch)),
    *each("threshold", NUMBERS | {"negative": -1},
          lambda threshold: dct_shrinkage(GREY, Identity(), 0.1, threshold=threshold)),
]
CASES["non_local_means"] += [
    *each("patch", WHOLES, lambda patch: non_local_means(GREY, Identity(), 0.1, patch=patch)),
    *each("reach", WHOLES, lambda reach: non_local_means(GREY, Identity(), 0.1, reach=reach)),
    *each("strength", NUMBERS | {"negative": -1, "zero": 0},
          lambda strength: non_local_means(GREY, Identity(), 0.1, strength=strength)),
]
CASES["plug_and_play"] += [
    *each("denoiser", NAMES, lambda denoiser: plug_and_play(GREY, WEAK, 0.1, denoiser=denoiser)),
    Case("near match", "denoiser", lambda: plug_and_play(GREY, WEAK, 0.1, denoiser="dct_shrinkag"), "'dct_shrinkage'"),
    *each("what the denoiser returned", {
        "smaller": lambda y, sigma: y[1:], "NaN": lambda y, sigma: y * np.nan, "nothing": lambda y, sigma: None,
        "words": lambda y, sigma: "done", "colour": lambda y, sigma: np.stack([y] * 3, axis=2),
    }, lambda denoiser: plug_and_play(GREY, WEAK, 0.1, denoiser=denoiser)),
    *each("trust", NUMBERS | {"negative": -1, "zero": 0}, lambda trust: plug_and_play(GREY, WEAK, 0.1, trust=trust)),
    *each("least_noise", NUMBERS | {"negative": -1, "zero": 0, "0 to 255": 25},
          lambda least_noise: plug_and_play(GREY, WEAK, 0.1, least_noise=least_noise)),
    *each("turns", FLAGS, lambda turns: plug_and_play(GREY, WEAK, 0.1, turns=turns)),
    *each("schedule", {"empty": [], "one pair": [0.1, 0.2], "three columns": [(0.1, 0.2, 0.3)], "zero": [(0.1, 0.0)],
                       "negative": [(-0.1, 1.0)], "NaN": [(np.nan, 1.0)], "string": "fast"},
          lambda schedule: plug_and_play(GREY, WEAK, 0.1, schedule=schedule)),
]
CASES["even_schedule"] = [
    *each("sigma", SIGMAS, restoration.even_schedule),
    *each("iterations", WHOLES, lambda iterations: restoration.even_schedule(0.1, iterations)),
    *each("trust", NUMBERS | {"negative": -1, "zero": 0}, lambda trust: restoration.even_schedule(0.1, trust=trust)),
    *each("least_noise", NUMBERS | {"negative": -1, "zero": 0, "0 to 255": 25},
          lambda least_noise: restoration.even_schedule(0.1, least_noise=least_noise)),
]
NO_KERNELS = ARRAYS | {"negative": -np.eye(3), "zero": np.zeros((3, 3)), "colour": np.ones((3, 3, 3))}
ROUGH = np.random.default_rng(0).random((12, 12))
for function in (restoration.blind_deconvolution, restoration.estimate_kernel, restoration.kernel_agreement):
    CASES[function.__name__] = [
        *each("y", PICTURES | {"constant": GREY}, lambda y, function=function: function(y, 3)),
        *each("size", WHOLES | {"even": 4, "one": 1, "too large": 7},
              lambda size, function=function: function(ROUGH, size)),
        *each("weight", NUMBERS | {"negative": -1, "zero": 0},
              lambda weight, function=function: function(ROUGH, 3, weight=weight)),
    ]
CASES["blind_deconvolution"] += each("sigma", {kind: value for kind, value in SIGMAS.items() if value is not None},
                                     lambda sigma: restoration.blind_deconvolution(ROUGH, 3, sigma))
CASES["estimate_kernel"] += each("watch", {"string": "yes", "number": 1},
                                 lambda watch: restoration.estimate_kernel(ROUGH, 3, watch=watch))
CASES["kernel_agreement"] += each("kernel", {kind: value for kind, value in NO_KERNELS.items() if value is not None},
                                  lambda kernel: restoration.kernel_agreement(ROUGH, 3, kernel=kernel))
CASES["kernel_correlation"] = [*each("one", NO_KERNELS, lambda one: restoration.kernel_correlation(one, np.eye(3))),
                               *each("other", NO_KERNELS, lambda k: restoration.kernel_correlation(np.eye(3), k))]
CASES["kernel_radius"] = each("kernel", NO_KERNELS, restoration.kernel_radius)
CASES["aligned_psnr"] = [
    *each("x", ARRAYS, lambda x: restoration.aligned_psnr(x, GREY)),
    *each("x_hat", ARRAYS | {"smaller": GREY[1:]}, lambda x_hat: restoration.aligned_psnr(GREY, x_hat)),
    *each("rim", {"negative": -1, "fraction": 1.5, "None": None, "too large": 6},
          lambda rim: restoration.aligned_psnr(GREY, GREY, rim)),
    *each("reach", {"negative": -1, "fraction": 1.5, "None": None, "beyond the rim": 3},
          lambda reach: restoration.aligned_psnr(GREY, GREY, 2, reach)),
]
TABLE = [pytest.param(case, id=f"{name}-{case.kind}") for name, cases in CASES.items() for case in cases]


@pytest.mark.parametrize("case", TABLE)
def test_a_mistake_gets_one_clear_sentence(case):
    with pytest.raises((ValueError, TypeError)) as caught:
        case.call()
    message = str(caught.value)
    assert type(caught.value) in (ValueError, TypeError)
    assert re.match(re.escape(case.argument) + r"(?!\w)", message), message
    assert case.says in message, message
    assert "\n" not in message, message
    assert len(message) < 500, message


def test_the_table_covers_every_public_name():
    assert sorted(CASES) == sorted(public_names(restoration))


UNCHECKED = {"report", "estimate_noise operator", "peak_memory operator", "peak_memory shape"}


@pytest.mark.parametrize("name", CASES)
def test_the_table_covers_every_argument(name):
    covered = {case.argument for case in CASES[name]}
    arguments = {a for a in inspect.signature(getattr(restoration, name)).parameters if f"{name} {a}" not in UNCHECKED}
    assert arguments - UNCHECKED <= covered
