"""What begins beyond small pictures and ordinary settings: strips, weights that are not kept, schedules, thresholds.

The oracles of tests/unit/test_restoration.py are exact and small; here a large picture is held against its own parts.
"""

import numpy as np
import pytest
import scipy.ndimage
import scipy.sparse
from PIL import Image

from helpers import operators, restoration
from helpers.images import photo, photos, read_photo
from helpers.metrics import psnr
from helpers.operators import Blur, Downsample, Identity, Mask, Radon, measure
from helpers.restoration import biharmonic, dct_shrinkage, plug_and_play, richardson_lucy, tikhonov, total_variation
from tests.checks import assert_adjoint


def rng(seed=0):
    return np.random.default_rng(seed)


def wavy(shape, seed=0):
    """Return a smooth picture in [0.1, 0.9] without any symmetry."""
    noise = rng(seed).standard_normal(shape)
    smooth = scipy.ndimage.gaussian_filter(noise, [2.0, 2.0] + [0] * (len(shape) - 2), mode="wrap")
    return 0.1 + 0.8 * (smooth - smooth.min()) / np.ptp(smooth)


# ------------------------------------------------------------------------------ a large picture is as its parts are


def holes_in(shape, rows, columns, seed=0):
    """Return a mask of a large picture that has lost half of the pixels of one small region."""
    mask = np.ones(shape[:2], bool)
    mask[rows, columns] = rng(seed).random(mask[rows, columns].shape) < 0.5
    return mask


LARGE = {  # shape, and a region that strips of any height and of any width must cross
    "wide": ((24, 9000), np.s_[2:22], np.s_[4000:4009]),
    "tall": ((17_000, 3), np.s_[10_890:10_960], np.s_[0:3]),
    "square": ((270, 260), np.s_[100:260], np.s_[120:125]),
    "colour": ((110, 260, 3), np.s_[25:100], np.s_[30:35]),
    "a multiple of the strip": ((256, 256), np.s_[116:140], np.s_[9:15]),
}


@pytest.mark.parametrize("name", LARGE)
def test_biharmonic_fills_a_hole_of_a_large_picture_as_it_fills_the_hole_cut_out(name):
    """Its equations look two pixels far: what stands farther away must not matter, nor how the work is divided."""
    shape, rows, columns = LARGE[name]
    mask, x = holes_in(shape, rows, columns), wavy(shape)
    top, left = max(rows.start - 4, 0), max(columns.start - 4, 0)
    part = np.s_[top : rows.stop + 4, left : columns.stop + 4]
    y = np.where(mask if x.ndim == 2 else mask[..., None], x, 0)
    whole = biharmonic(y, Mask(mask), tolerance=1e-8)
    alone = biharmonic(y[part], Mask(mask[part]), tolerance=1e-8)
    inside = ~mask[part]
    seen = y[part][~inside]
    within = (alone > seen.min(axis=0)) & (alone < seen.max(axis=0))  # elsewhere it is clipped
    np.testing.assert_allclose(whole[part][within], alone[within], atol=1e-4)
    known = mask if x.ndim == 2 else np.broadcast_to(mask[..., None], x.shape)
    assert np.array_equal(whole[known], x[known]) and inside.sum() > 60


def five_points(shape):
    """Return the five-point Laplacian with mirrored borders as a sparse matrix: Kronecker sums, no loops of ours."""
    def line(n):
        d = scipy.sparse.diags_array([-np.ones(n - 1), np.ones(n - 1)], offsets=[0, 1], shape=(n - 1, n))
        return -(d.T @ d)

    h, w = shape
    return scipy.sparse.csr_array(scipy.sparse.kron(line(h), scipy.sparse.eye_array(w))
                                  + scipy.sparse.kron(scipy.sparse.eye_array(h), line(w)))


@pytest.mark.parametrize("hole", [(150, 61), (70, 170)])
def test_biharmonic_solves_its_equations_across_several_levels_of_multigrid(hole):
    """Thousands of unknown pixels: the preconditioner recurses, and a direct sparse solver gives the answer."""
    shape = (170, 190)
    mask = np.ones(shape, bool)
    mask[9 : 9 + hole[0], 12 : 12 + hole[1]] = False
    x, bend = wavy(shape, 3), five_points(shape)
    bend = scipy.sparse.csr_array(bend @ bend)
    u, expected = np.flatnonzero(~mask.ravel()), np.where(mask, x, 0).ravel()
    expected[u] = scipy.sparse.linalg.spsolve(scipy.sparse.csc_array(bend[u][:, u]), -(bend @ expected)[u])
    found, report = biharmonic(np.where(mask, x, 0), Mask(mask), tolerance=1e-9, report=True)
    assert report.converged and report.iterations < 60
    expected = np.clip(expected, x[mask].min(), x[mask].max()).reshape(shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(150, 40), (12, 4200), (23, 2100), (90, 64, 3)])
@pytest.mark.parametrize("patch", [4, 8])
def test_dct_shrinkage_of_a_large_picture_is_that_of_its_parts(shape, patch):
    """A pixel depends on what lies less than a patch away; so parts with a margin give the same pixels."""
    y = wavy(shape) + 0.1 * rng(1).standard_normal(shape)
    whole = dct_shrinkage(y, Identity(), 0.1, patch=patch)
    margin, side = patch - 1, 30
    for top in {0, shape[0] // 3, max(shape[0] - side, 0)}:
        for left in {0, shape[1] // 3, max(shape[1] - side, 0)}:
            first, before = max(top - margin, 0), max(left - margin, 0)
            part = dct_shrinkage(y[first : top + side + margin, before : left + side + margin], Identity(), 0.1,
                                 patch=patch)
            cut = part[top - first : top - first + side, left - before : left - before + side]
            np.testing.assert_allclose(whole[top : top + side, left : left + side], cut, atol=1e-9)


@pytest.mark.parametrize("border", ["circular", "reflect"])
@pytest.mark.parametrize("shape", [(263, 131), (97, 401, 3)])
def test_blurs_of_large_pictures_with_awkward_sides_are_scipys(shape, border):
    x, kernel = rng(2).random(shape), rng(3).random((9, 4))
    found = Blur(kernel, border).forward(x)
    mode = "wrap" if border == "circular" else "reflect"
    planes = [scipy.ndimage.convolve(plane, kernel, mode=mode) for plane in np.moveaxis(np.atleast_3d(x), 2, 0)]
    np.testing.assert_allclose(np.atleast_3d(found), np.stack(planes, 2), atol=1e-10)


# ------------------------------------------------------------------------------------- scans too large to be kept


ANGLES = [-40.0, 0.0, 1.0, 17.3, 45.0, 90.0, 123.0, 179.5, 270.0, 500.0]


@pytest.mark.parametrize("size", [1, 6, 17])
def test_a_scan_whose_weights_are_not_kept_is_the_same_scan(size, monkeypatch):
    x = rng().random((size, size, 3))
    kept = Radon(size, ANGLES)
    y = kept.forward(x)
    monkeypatch.setattr(operators, "LARGEST_KEPT", 0)
    anew = Radon(size, ANGLES)
    for _ in range(2):  # a second time, with or without what the first has left behind
        np.testing.assert_array_equal(anew.forward(x), y)
        np.testing.assert_allclose(anew.adjoint(y), kept.adjoint(y), rtol=1e-13)  # summed in another order
        np.testing.assert_array_equal(kept.forward(x), y)
    assert_adjoint(anew, (size, size), rng(1))
    np.testing.assert_allclose(y.sum(axis=0), np.broadcast_to(x.sum((0, 1)), (len(ANGLES), 3)))


def test_a_scan_of_one_angle_is_the_column_of_a_scan_of_many(monkeypatch):
    x = rng().random((12, 12))
    for limit in (operators.LARGEST_KEPT, 0):
        monkeypatch.setattr(operators, "LARGEST_KEPT", limit)
        together = Radon(12, ANGLES).forward(x)
        for j, angle in enumerate(ANGLES):
            np.testing.assert_allclose(Radon(12, [angle]).forward(x)[:, 0], together[:, j], atol=1e-12)


def test_a_quarter_turn_of_the_picture_is_a_quarter_turn_of_the_scanner(monkeypatch):
    """Angles are degrees, counted the same way whether weights are kept or not."""
    x = rng().random((15, 15))
    for limit in (operators.LARGEST_KEPT, 0):
        monkeypatch.setattr(operators, "LARGEST_KEPT", limit)
        for angle in (0.0, 20.0, 61.5):
            np.testing.assert_allclose(Radon(15, [angle]).forward(np.rot90(x, -1)),
                                       Radon(15, [angle + 90]).forward(x), atol=1e-10)


def test_a_large_scan_gives_the_memory_back(monkeypatch):
    monkeypatch.setattr(operators, "LARGEST_KEPT", 6 * 6 * len(ANGLES))
    small, large = Radon(6, ANGLES), Radon(7, ANGLES)
    for one in (small, large):
        one.forward(np.ones((one.size, one.size)))
    assert small._kept is not None and large._kept is None, "the limit counts pixels times angles"


# -------------------------------------------------------------------------------------- weights, colours, schedules


def kinds(side):
    return {"identity": Identity(), "blur": Blur.gaussian(1.2), "mask": Mask.random((side, side), 0.4, rng(8)),
            "small": Downsample(2), "tomography": Radon.sparse_view(side, 7), "bright": Blur(np.array([[2.0, 1.0]]))}


@pytest.mark.parametrize("name", kinds(8))
@pytest.mark.parametrize("sigma", [0.0, 0.02, 0.2])
def test_total_variation_weighs_by_noise_gain_and_colour(name, sigma):
    """c · sigma · |A|, c = 0.8 in grey and 1.2 in colour, and half a grey level where a measurement has no noise."""
    side = 128 if name in ("blur", "tomography") else 24  # the method estimates the gain: well on large pictures
    operator = kinds(side)[name]
    probes = [operator.forward(rng(i).standard_normal((side, side))) for i in range(10)]
    gain = np.sqrt(np.mean([np.sum(probe**2) for probe in probes])) / side if name != "identity" else 1.0
    least = 0.0 if name == "identity" else 0.5 / 255
    weights = {}
    for depth in ((), (1,), (3,)):
        y = operator.forward(np.full((side, side, *depth), 0.5))
        weights[depth] = total_variation(y, operator, sigma, iterations=1, report=True)[1].weight
    assert weights[()] == weights[1,] == pytest.approx(0.8 * max(sigma, least) * gain, rel=0.2)
    assert weights[3,] == pytest.approx(1.5 * weights[()], rel=1e-6)


@pytest.mark.parametrize("color", [False, True])
def test_the_weight_of_total_variation_suits_the_training_photographs(color):
    """Half or twice of it is worse; a little more or less hardly matters."""
    gained = []
    for x in photos("train", 64, color).values():
        y = measure(x, Identity(), 25 / 255, rng(1))
        weight = total_variation(y, Identity(), 25 / 255, report=True)[1].weight
        gained.append([psnr(x, total_variation(y, Identity(), 25 / 255, weight=f * weight))
                       for f in (0.5, 0.67, 1, 1.5, 2)])
    half, less, here, more, twice = np.mean(gained, axis=0)
    assert here > max(half, twice) + 0.4 and here > max(less, more) - 0.05


@pytest.mark.parametrize("sigma", [0.0, 1 / 255, 2.5 / 255, 10 / 255, 25 / 255, 60 / 255])
@pytest.mark.parametrize("iterations", [1, 2, 7])
def test_plug_and_play_lowers_the_noise_from_25_to_sigma_but_never_under_2_5(sigma, iterations):
    """For every operator alike; a louder measurement is denoised at its own level throughout."""
    last = max(sigma, 2.5 / 255)
    expected = np.geomspace(max(25 / 255, last), last, iterations) if iterations > 1 else [last]
    for name, operator in kinds(16).items():
        expected_here = [sigma] if name == "identity" else expected  # nothing to invert: the denoiser's answer
        heard = []
        y = operator.forward(np.full((16, 16), 0.5))
        plug_and_play(y, operator, sigma, denoiser=lambda y, s, heard=heard: heard.append(s) or y,
                      iterations=iterations)
        np.testing.assert_allclose(heard, expected_here, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("sigma", [0.0, 0.05])
def test_plug_and_play_weighs_its_denoiser_by_the_ratio_of_the_variances(sigma):
    """Every data step of a mask, by hand: (y + w z) / (1 + w) where known, with w = trust (sigma / allowed)²."""
    mask = rng(4).random((10, 10)) < 0.6
    y, heard, given = np.where(mask, wavy((10, 10)), 0), [], []

    def denoise(z, allowed):
        heard.append(z.copy())
        given.append((wavy((10, 10), len(given)), allowed))
        return given[-1][0]

    last = plug_and_play(y, Mask(mask), sigma, denoiser=denoise, iterations=4, trust=0.7)
    noise = max(sigma, 0.5 / 255)
    allowed = [one[1] for one in given]
    for step in range(1, 4):
        w = 0.7 * (noise / allowed[step]) ** 2
        z = given[step - 1][0]
        np.testing.assert_allclose(heard[step], np.where(mask, (y + w * z) / (1 + w), z), atol=1e-9)
    w, z = 0.7 * (noise / allowed[-1]) ** 2, given[-1][0]
    np.testing.assert_allclose(last, np.where(mask, (y + w * z) / (1 + w), z), atol=1e-9)


@pytest.mark.parametrize("denoiser", restoration.DENOISERS)
def test_plug_and_play_survives_data_steps_that_overshoot_far(denoiser):
    """A dark measurement with more noise than it says makes x = y / 0.05 of anything: its denoiser must not refuse."""
    operator = Blur(np.array([[0.05]]))
    y = 0.05 * wavy((24, 24)) + 0.3 * rng(1).standard_normal((24, 24))
    levels, overshot = [], []
    plug_and_play(y, operator, 0.005, denoiser=lambda z, s: overshot.append(np.abs(z).max()) or z, iterations=3)
    assert max(overshot) > 5, "this measurement overshoots"
    real = restoration.DENOISERS[denoiser]

    def note(y, *arguments, **settings):
        levels.append(np.abs(y).max())
        return real(y, *arguments, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(restoration.DENOISERS, denoiser, note)
        x = plug_and_play(y, operator, 0.005, denoiser=denoiser, iterations=3)
    assert np.isfinite(x).all() and len(levels) == 3 and 1 < max(levels) <= 3.5, "what a method takes for a picture"


LIGHT = {
    "mask after blur": (Mask.random((40, 40), 0.3, rng(5)) @ Blur.gaussian(1.2), (40, 40)),
    "few pixels": (Mask.random((40, 40), 0.05, rng(6)) @ Blur.gaussian(2.0), (40, 40)),
    "blur": (Blur.gaussian(1.2), (40, 40)), "small after blur": (Downsample(2) @ Blur.gaussian(1.0), (40, 40)),
    "reflect": (Blur.gaussian(1.5, "reflect"), (31, 26)), "tomography": (Radon.sparse_view(20, 30), (20, 20)),
}


@pytest.mark.parametrize("name", LIGHT)
@pytest.mark.parametrize("depth", [(), (3,)])
def test_richardson_lucy_stops_where_the_misfit_is_that_of_the_pixels_that_see(name, depth):
    """The discrepancy counts what can be bright at all: no lost pixel, no detector cell beside the picture."""
    operator, shape = LIGHT[name]
    x = np.zeros((*shape, *depth)) + np.where(rng(3).random((*shape, *depth)) < 0.1, 1.0, 0.05)
    sees = operator.forward(np.ones_like(x)) > 0
    sigma = 0.05 * operator.forward(np.ones_like(x)).max()
    y = np.maximum(operator.forward(x) + np.where(sees, sigma * rng(1).standard_normal(sees.shape), 0), 0)
    found, report = richardson_lucy(y, operator, sigma, tolerance=0, iterations=1000, report=True)
    assert report.converged and report.iterations >= 1

    def misfit(estimate):
        return np.sum((operator.forward(estimate) - y) ** 2)

    assert misfit(found) <= sees.sum() * sigma**2 * 1.001
    before = np.full_like(x, y.sum() / operator.adjoint(np.ones_like(y)).sum())
    if report.iterations > 1:
        before = richardson_lucy(y, operator, 0.0, tolerance=0, iterations=report.iterations - 1)
    assert misfit(before) > sees.sum() * sigma**2


def test_tikhonov_minimises_its_objective_on_a_large_picture():
    """In every direction the slope of ½ |A x - y|² + ½ w |∇x|² is nil, written out here in plain differences."""
    shape, weight = (140, 173), 0.3
    for operator in (Mask.random(shape, 0.5, rng(1)), Blur.gaussian(1.0, "reflect")):
        y = operator.forward(wavy(shape)) + 0.02 * rng(2).standard_normal(shape)
        y = operator.forward(y) if isinstance(operator, Mask) else y
        x = tikhonov(y, operator, 0.02, weight=weight, tolerance=1e-9, iterations=3000)
        down, right = np.diff(x, axis=0), np.diff(x, axis=1)
        slope = operator.adjoint(operator.forward(x) - y)
        slope[:-1] -= weight * down
        slope[1:] += weight * down
        slope[:, :-1] -= weight * right
        slope[:, 1:] += weight * right
        assert np.abs(slope).max() < 1e-6


# ------------------------------------------------------------------------------------------------ reduced photographs


def stripes(height, width, period, kind):
    """Return a picture of black and white stripes, so fine that a reduced one must be an even grey."""
    on = (np.arange(width) // (period // 2)) % 2
    levels = np.broadcast_to(on[None, :], (height, width))
    if kind == "16 bit":
        return Image.fromarray((65535 * levels).astype(np.uint16))
    if kind == "float":
        return Image.fromarray(levels.astype(np.float32))
    picture = Image.fromarray((255 * levels).astype(np.uint8))
    return picture.convert("RGB") if kind == "colour" else picture


@pytest.mark.parametrize("kind", ["grey", "colour", "16 bit", "float"])
@pytest.mark.parametrize(("width", "longest"), [(300, 100), (300, 77), (1000, 90), (640, 37), (400, 199)])
def test_reduced_photographs_are_anti_aliased(tmp_path, kind, width, longest):
    """Whatever is finer than the new pixels becomes grey; without that it would come back as false broad stripes."""
    for turned in (False, True):
        picture = stripes(40, width, 2, kind)
        picture = picture.transpose(Image.Transpose.ROTATE_90) if turned else picture
        picture.save(tmp_path / "stripes.tif")
        x = read_photo(tmp_path / "stripes.tif", longest=longest)
        assert max(x.shape) == longest
        inner = x[2:-2, 2:-2] if min(x.shape) > 6 else x
        assert np.abs(inner - 0.5).max() < 0.12, "stripes that are not there"
        size = read_photo(tmp_path / "stripes.tif", size=13)
        assert np.abs(size[2:-2, 2:-2] - 0.5).max() < 0.12


@pytest.mark.parametrize("factor", [2, 3, 4.7, 11])
def test_a_reduced_photograph_is_what_a_blur_and_fewer_pixels_give(tmp_path, factor):
    """Against SciPy: averages over squares of the picture, wherever they begin."""
    levels = np.rint(255 * photo("cat", 256)).astype(np.uint8)
    Image.fromarray(levels).save(tmp_path / "cat.png")
    longest = round(256 / factor)
    found = read_photo(tmp_path / "cat.png", longest=longest)
    smooth = scipy.ndimage.uniform_filter(levels / 255, 256 / longest, mode="nearest")
    centres = (np.arange(longest) + 0.5) * 256 / longest - 0.5
    expected = scipy.ndimage.map_coordinates(smooth, np.meshgrid(centres, centres, indexing="ij"), order=1)
    assert psnr(np.clip(expected, 0, 1), found) > 28
