"""Operators against SciPy and scikit-image, and the statistics of what `measure` adds."""

import math

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal

from helpers import operators
from helpers.images import phantom, photo
from helpers.operators import Blur, Composition, Downsample, Grey, Identity, Mask, Radon, measure, measure_photons, norm
from tests.checks import dense_matrix


def picture(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


# ----------------------------------------------------------------------------------------------- blur

ODD_SHAPES = [(1, 1), (3, 3), (5, 3), (1, 7), (9, 5)]


@pytest.mark.parametrize("shape", ODD_SHAPES, ids=str)
@pytest.mark.parametrize(("border", "mode"), [("circular", "wrap"), ("reflect", "reflect")])
def test_blur_is_scipy_convolve(shape, border, mode):
    """SciPy's "reflect" repeats the edge pixel, as ours does."""
    kernel, x = picture(*shape, seed=1) - 0.3, picture(17, 12)
    expected = scipy.ndimage.convolve(x, kernel, mode=mode)
    np.testing.assert_allclose(Blur(kernel, border).forward(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 2), (4, 3), (1, 6)], ids=str)
@pytest.mark.parametrize(("border", "mode"), [("circular", "wrap"), ("reflect", "reflect")])
def test_blur_with_an_even_kernel_is_scipy_convolve(shape, border, mode):
    """The centre of an even kernel is (h // 2, w // 2): a row and a column of zeros make it odd."""
    kernel, x = picture(*shape, seed=1), picture(11, 13)
    padded = np.pad(kernel, [(0, 1 - side % 2) for side in shape])  # odd, with the same centre
    expected = scipy.ndimage.convolve(x, padded, mode=mode)
    np.testing.assert_allclose(Blur(kernel, border).forward(x), expected, rtol=0, atol=1e-12)


def test_blur_is_scipy_signal_convolve():
    kernel, x = picture(5, 7, seed=1), picture(20, 16)
    wrapped = scipy.signal.convolve2d(x, kernel, mode="same", boundary="wrap")
    mirrored = scipy.signal.convolve2d(x, kernel, mode="same", boundary="symm")
    np.testing.assert_allclose(Blur(kernel).forward(x), wrapped, rtol=0, atol=1e-12)
    np.testing.assert_allclose(Blur(kernel, "reflect").forward(x), mirrored, rtol=0, atol=1e-12)


def test_blur_with_a_kernel_larger_than_the_picture():
    kernel, x = picture(31, 29, seed=1), picture(6, 5)
    for border, mode in (("circular", "wrap"), ("reflect", "symmetric")):
        padded = np.pad(x, [(15, 15), (14, 14)], mode=mode)
        expected = scipy.signal.convolve2d(padded, kernel, mode="valid")
        np.testing.assert_allclose(Blur(kernel, border).forward(x), expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("width", [0.4, 1.0, 2.5])
@pytest.mark.parametrize(("border", "mode"), [("circular", "wrap"), ("reflect", "reflect")])
def test_gaussian_blur_is_scipy_gaussian_filter(width, border, mode):
    x = picture(24, 30)
    radius = math.ceil(4 * width)
    expected = scipy.ndimage.gaussian_filter(x, width, mode=mode, radius=radius)
    np.testing.assert_allclose(Blur.gaussian(width, border).forward(x), expected, rtol=0, atol=1e-12)


def test_blur_of_colour_is_the_blur_of_each_channel():
    kernel, x = picture(3, 5, seed=1), picture(10, 12, 3)
    expected = np.stack([scipy.ndimage.convolve(x[..., c], kernel, mode="wrap") for c in range(3)], axis=-1)
    np.testing.assert_allclose(Blur(kernel).forward(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("length", [1, 3, 9])
def test_motion_is_the_mean_along_the_line(length):
    """Every pixel of the line weighs the same: a horizontal line averages `length` neighbours."""
    x = picture(15, 21)
    across = scipy.ndimage.uniform_filter1d(x, length, axis=1, mode="wrap")
    down = scipy.ndimage.uniform_filter1d(x, length, axis=0, mode="wrap")
    np.testing.assert_allclose(Blur.motion(length, 0).forward(x), across, rtol=0, atol=1e-12)
    np.testing.assert_allclose(Blur.motion(length, 90).forward(x), down, rtol=0, atol=1e-12)


def test_motion_of_even_length_is_centred_between_two_pixels():
    np.testing.assert_allclose(Blur.motion(2).kernel, [[0, 0, 0], [0.25, 0.5, 0.25], [0, 0, 0]], atol=1e-12)


def test_motion_at_45_degrees_rises_to_the_right():
    kernel = Blur.motion(9, 45).kernel
    rows, columns = np.nonzero(kernel)
    assert np.array_equal(rows + columns, np.full(len(rows), kernel.shape[0] - 1))


def test_transfer_function_is_the_spectrum_of_the_blur():
    blur, x = Blur(picture(4, 3, seed=1)), picture(10, 9)
    spectrum = np.fft.rfft2(x) * blur.transfer_function(x.shape)
    np.testing.assert_allclose(np.fft.irfft2(spectrum, s=x.shape), blur.forward(x), rtol=0, atol=1e-12)
    impulse = np.zeros((7, 8))
    impulse[0, 0] = 1
    np.testing.assert_allclose(
        blur.transfer_function((7, 8)), np.fft.rfft2(blur.forward(impulse)), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("border", ["circular", "reflect"])
def test_one_blur_serves_pictures_of_every_shape_and_type_in_turn(border):
    """What it keeps from one picture must not leak into the next."""
    kernel = picture(4, 3, seed=1)
    used = Blur(kernel, border)
    for shape in ((9, 8), (8, 9), (9, 8, 3), (9, 7), (9, 8)):  # widths 8 and 9 have spectra equally wide
        for dtype in (np.float64, np.float32):
            x = picture(*shape).astype(dtype)
            assert np.array_equal(used.forward(x), Blur(kernel, border).forward(x))
            assert np.array_equal(used.adjoint(x), Blur(kernel, border).adjoint(x))
            assert used.forward(x).dtype == used.adjoint(x).dtype == dtype


def test_blur_keeps_its_own_copy_of_the_kernel():
    kernel, x = picture(3, 3, seed=1), picture(8, 8)
    blur = Blur(kernel)
    before = blur.forward(x)
    kernel[:] = 0
    assert np.array_equal(Blur.forward(blur, x), before)


# ----------------------------------------------------------------------------------------------- mask


def test_mask_keeps_known_pixels_and_zeroes_the_others():
    known = np.array([[True, False, True], [False, False, True]])
    x = picture(2, 3, 3)
    y = Mask(known).forward(x)
    assert np.array_equal(y[known], x[known])
    assert not y[~known].any()


def test_mask_of_ones_and_zeros_is_the_mask_of_true_and_false():
    known = picture(5, 6) < 0.5
    for same in (known.astype(int), known.astype(np.float32), known.tolist()):
        assert np.array_equal(Mask(same).mask, known)


def test_random_mask_keeps_the_asked_share():
    shape, known = (200, 200), 0.3
    mask = Mask.random(shape, known, np.random.default_rng(0)).mask
    sampling_error = math.sqrt(known * (1 - known) / mask.size)
    assert abs(mask.mean() - known) < 4 * sampling_error
    assert np.array_equal(mask, Mask.random(shape, known, np.random.default_rng(0)).mask)
    assert not np.array_equal(mask, Mask.random(shape, known, np.random.default_rng(1)).mask)
    assert not Mask.random(shape, 0, np.random.default_rng(0)).mask.any()
    assert Mask.random(shape, 1, np.random.default_rng(0)).mask.all()


def test_block_mask_loses_a_centred_square():
    mask = Mask.block((8, 10, 3), 4).mask
    expected = np.ones((8, 10), bool)
    expected[2:6, 3:7] = False
    assert np.array_equal(mask, expected)


def test_half_masks():
    top, bottom, left, right = (Mask.half((5, 4), lost).mask for lost in ("top", "bottom", "left", "right"))
    assert np.array_equal(top[:, 0], [False, False, True, True, True])
    assert np.array_equal(left[0], [False, False, True, True])
    assert np.array_equal(bottom, ~top)
    assert np.array_equal(right, ~left)


# ----------------------------------------------------------------------------------------------- downsample


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_downsample_is_block_reduce(factor):
    from skimage.measure import block_reduce

    for depth in ((), (3,)):
        x = picture(4 * factor, 7 * factor, *depth)
        block = (factor, factor, *[1] * len(depth))
        np.testing.assert_allclose(Downsample(factor).forward(x), block_reduce(x, block, np.mean), atol=1e-12)


# ----------------------------------------------------------------------------------------------- tomography


def test_radon_is_skimage_radon():
    """On a smooth picture, within 0.1 % at every angle; it reads between pixels, we share squares by area.

    An odd size, because scikit-image turns the picture about the pixel size // 2: for an even size that is half
    a pixel beside the true centre, about which we turn.
    """
    from skimage.transform import radon

    size, angles = 65, np.array([0.0, 10, 23, 30, 45, 60, 71, 90, 118, 135, 150, 179])
    x = scipy.ndimage.gaussian_filter(phantom(size).astype(np.float64), 2)
    operator = Radon(size, angles)
    ours, theirs = operator.forward(x), radon(x, angles, circle=False)
    our_centre, their_centre = (operator.cells - 1) // 2, len(theirs) // 2
    reach = min(our_centre, their_centre, len(theirs) - 1 - their_centre)
    ours = ours[our_centre - reach : our_centre + reach + 1]
    theirs = theirs[their_centre - reach : their_centre + reach + 1]
    error = np.linalg.norm(ours - theirs, axis=0) / np.linalg.norm(theirs, axis=0)
    assert error.max() < 0.001
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 1 - 1e-6


def test_radon_of_one_pixel_lands_where_geometry_says():
    """Column c at angle 0 falls on the cell c away from the centre; row r at 90 degrees counts upwards."""
    size = 9
    x = np.zeros((size, size))
    x[1, 6] = 1  # three rows above and two columns right of the centre
    operator = Radon(size, [0, 90, 180, 270])
    centre = (operator.cells - 1) // 2
    assert list(operator.forward(x).argmax(axis=0) - centre) == [2, 3, -2, -3]


@pytest.mark.parametrize("size", [1, 2, 7, 16])
def test_every_projection_holds_the_whole_mass(size):
    x = picture(size, size)
    y = Radon.sparse_view(size, 13).forward(x)
    np.testing.assert_allclose(y.sum(axis=0), np.full(13, x.sum()))


def test_radon_at_right_angles_sums_columns_and_rows():
    x = picture(7, 7)
    y = Radon(7, [0, 90]).forward(x)
    margin = (len(y) - 7) // 2
    np.testing.assert_allclose(y[margin:-margin, 0], x.sum(axis=0))
    np.testing.assert_allclose(y[margin:-margin, 1], x.sum(axis=1)[::-1])
    assert np.abs(y[:margin]).max() < 1e-12


def test_sparse_view_spreads_over_half_a_turn():
    assert np.array_equal(Radon.sparse_view(8, 4).angles, [0, 45, 90, 135])


# ----------------------------------------------------------------------------------------------- grey


def test_grey_is_what_pictures_are_read_as_in_grey():
    for name in ("cat", "astronaut", "coffee"):
        both = photo(name, size=64, color=True), photo(name, size=64)
        np.testing.assert_allclose(Grey().forward(both[0])[..., 0], both[1], rtol=0, atol=1e-6)


# ----------------------------------------------------------------------------------------------- compositions


def test_composition_applies_the_inner_operator_first():
    x = picture(8, 8)
    blur, small = Blur.gaussian(1), Downsample(2)
    together = small @ blur
    assert isinstance(together, Composition)
    assert np.array_equal(together.forward(x), small.forward(blur.forward(x)))
    y = picture(4, 4)
    assert np.array_equal(together.adjoint(y), blur.adjoint(small.adjoint(y)))
    assert together.name == f"{small.name} after {blur.name}"


def test_dense_adjoint_is_the_transposed_matrix():
    operator = Downsample(2) @ Blur(picture(3, 2, seed=1), "reflect")
    forward = dense_matrix(operator, (6, 4))

    class Turned:
        forward = staticmethod(operator.adjoint)

    np.testing.assert_allclose(dense_matrix(Turned, (3, 2)), forward.T, rtol=0, atol=1e-12)


def test_norms_that_are_known():
    assert norm(Identity(), (5, 5)) == pytest.approx(1)
    assert norm(Mask.block((6, 6), 2), (6, 6)) == pytest.approx(1)
    assert norm(Downsample(4), (8, 8)) == pytest.approx(1 / 4)
    assert norm(Grey(), (6, 6, 3)) == pytest.approx((0.299**2 + 0.587**2 + 0.114**2) ** 0.5)
    assert norm(Blur(np.full((3, 3), 1 / 9)), (12, 12)) == pytest.approx(1)
    assert norm(Mask(np.zeros((4, 4))), (4, 4)) == 0
    assert norm(Downsample(2) @ Blur.gaussian(1), (8, 8, 3)) == pytest.approx(1 / 2, rel=1e-3)


def test_norm_is_the_same_for_the_same_seed():
    blur = Blur(picture(3, 3, seed=1))
    assert norm(blur, (9, 9), iterations=3, seed=4) == norm(blur, (9, 9), iterations=3, seed=4)
    assert norm(blur, (9, 9), iterations=3, seed=4) != norm(blur, (9, 9), iterations=3, seed=5)


def test_names_say_what_they_are():
    for operator in (Identity(), Blur.gaussian(1), Mask.block((4, 4), 2), Downsample(2), Radon(4, [0])):
        assert operator.name in repr(operator)
        assert operator.name != operators.Operator.name


# ----------------------------------------------------------------------------------------------- measure


@pytest.mark.parametrize("sigma", [5 / 255, 25 / 255, 0.3])
def test_noise_has_the_asked_level(sigma):
    x = np.full((200, 200), 0.5, np.float32)
    noise = (measure(x, Identity(), sigma, np.random.default_rng(0)) - x).astype(np.float64)
    assert abs(noise.std() - sigma) < 4 * sigma / math.sqrt(2 * noise.size)
    assert abs(noise.mean()) < 4 * sigma / math.sqrt(noise.size)
    neighbours = np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]
    assert abs(neighbours) < 4 / math.sqrt(noise.size)


def test_noise_is_added_after_the_operator():
    x = picture(64, 64, 3).astype(np.float32)
    operator = Downsample(2) @ Blur.gaussian(1)
    noise = measure(x, operator, 0.1, np.random.default_rng(0)) - operator.forward(x)
    assert noise.shape == (32, 32, 3)
    assert abs(noise.std() - 0.1) < 4 * 0.1 / math.sqrt(2 * noise.size)


def test_no_noise_is_the_operator_alone():
    x = picture(16, 16).astype(np.float32)
    y = measure(x, Blur.gaussian(1), 0, np.random.default_rng(0))
    assert np.array_equal(y, Blur.gaussian(1).forward(x))


@pytest.mark.parametrize("blurred", [False, True])
def test_unknown_pixels_stay_zero(blurred):
    """Also where the mask is only the last of several operators."""
    x = picture(100, 100).astype(np.float32)
    mask = Mask.random(x.shape, 0.4, np.random.default_rng(1))
    operator = mask @ Blur.gaussian(1) if blurred else mask
    y = measure(x, operator, 0.1, np.random.default_rng(0))
    assert not y[~mask.mask].any()
    noise = (y - operator.forward(x))[mask.mask]
    assert abs(noise.std() - 0.1) < 4 * 0.1 / math.sqrt(2 * noise.size)


def test_a_mask_before_a_blur_leaves_the_noise_everywhere():
    x = picture(20, 20)
    operator = Blur.gaussian(1) @ Mask.block(x.shape, 18)
    assert (measure(x, operator, 0.1, np.random.default_rng(0)) != operator.forward(x)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_generator_same_measurement_bit_for_bit(dtype):
    x = picture(20, 20).astype(dtype)
    for draw, level in ((measure, 0.1), (measure_photons, 30)):
        y = draw(x, Blur.gaussian(1), level, np.random.default_rng(3))
        assert y.dtype == dtype
        assert np.array_equal(y, draw(x, Blur.gaussian(1), level, np.random.default_rng(3)))
        assert not np.array_equal(y, draw(x, Blur.gaussian(1), level, np.random.default_rng(4)))


def test_measuring_changes_nothing():
    x = picture(20, 20)
    before = x.copy()
    measure(x, Identity(), 0.1, np.random.default_rng(0))
    measure_photons(x, Identity(), 10, np.random.default_rng(0))
    assert np.array_equal(x, before)


@pytest.mark.parametrize("peak", [0.5, 4, 100])
@pytest.mark.parametrize("brightness", [0.05, 0.5, 1.0])
def test_photons_have_mean_a_x_and_variance_a_x_over_peak(peak, brightness):
    x = np.full((300, 300), 2 * brightness if brightness < 0.5 else brightness)
    operator = Blur([[0.5 if brightness < 0.5 else 1.0]])  # so that A(x), not x, sets the light
    light = operator.forward(x).mean()
    y = measure_photons(x, operator, peak, np.random.default_rng(0))
    variance = light / peak
    # of a Poisson count with mean m the variance is m, and the variance of its squared deviation is m + 2 m²
    of_variance = math.sqrt((peak * light + 2 * (peak * light) ** 2) / y.size) / peak**2
    assert abs(y.mean() - light) < 4 * math.sqrt(variance / y.size)
    assert abs(y.var() - variance) < 4 * of_variance
    assert np.allclose(y * peak, np.rint(y * peak)), "photons are whole"


def test_darkness_sends_no_photons():
    y = measure_photons(np.zeros((9, 9)), Identity(), 50, np.random.default_rng(0))
    assert not y.any()


def test_a_blur_s_rounding_below_zero_counts_as_dark():
    x = np.zeros((16, 16), np.float32)
    x[8, 8] = 1
    assert measure_photons(x, Blur.gaussian(1.5), 20, np.random.default_rng(0)).min() == 0
