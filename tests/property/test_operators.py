"""What holds for every operator, of any size: the adjoint identity, linearity, the norm, symmetries."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from helpers.operators import Blur, Downsample, Grey, Identity, Mask, Radon, norm
from tests.checks import assert_adjoint, assert_linear, dense_matrix

# derandomised: the same cases on every run, so the proof does not pass or fail by luck
settings.register_profile("course", deadline=None, database=None, derandomize=True, max_examples=25)
settings.load_profile("course")

sides = st.integers(1, 12)
seeds = st.integers(0, 2**32 - 1)
channels = st.sampled_from([(), (1,), (3,)])
borders = st.sampled_from(["circular", "reflect"])
dtypes = st.sampled_from([np.float64, np.float32])


@st.composite
def kernels(draw, largest=17):
    """Any kernel, odd or even, signed, often larger than the picture."""
    shape = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    kernel = np.random.default_rng(draw(seeds)).standard_normal(shape)
    return kernel / np.abs(kernel).sum()


@st.composite
def blurs(draw, shape):
    kind = draw(st.sampled_from(["any", "gaussian", "motion"]))
    border = draw(borders)
    if kind == "gaussian":
        return Blur.gaussian(draw(st.floats(0.1, 4)), border)
    if kind == "motion":
        return Blur.motion(draw(st.integers(1, 15)), draw(st.floats(-360, 360)), border)
    return Blur(draw(kernels()), border)


@st.composite
def masks(draw, shape):
    kind = draw(st.sampled_from(["random", "block", "half"]))
    if kind == "random":
        return Mask.random(shape, draw(st.floats(0, 1)), np.random.default_rng(draw(seeds)))
    if kind == "block":
        return Mask.block(shape, draw(st.integers(1, min(shape[:2]))))
    return Mask.half(shape, draw(st.sampled_from(["top", "bottom", "left", "right"])))


@st.composite
def cases(draw, kind):
    """An operator of one kind and the shape of a picture it takes."""
    height, width, depth = draw(sides), draw(sides), draw(channels)
    shape = (height, width, *depth)
    if kind == "identity":
        return Identity(), shape
    if kind == "blur":
        return draw(blurs(shape)), shape
    if kind == "mask":
        return draw(masks(shape)), shape
    if kind == "downsample":
        factor = draw(st.integers(1, 5))
        return Downsample(factor), (height * factor, width * factor, *depth)
    if kind == "grey":
        return Grey(), (height, width, 3)
    if kind == "small of grey":
        factor = draw(st.integers(1, 3))
        return Downsample(factor) @ Grey(), (height * factor, width * factor, 3)
    if kind == "radon":
        angles = draw(st.lists(st.floats(-720, 720), min_size=1, max_size=6))
        return Radon(height, angles), (height, height, *depth)
    if kind == "sparse view":
        return Radon.sparse_view(height, draw(st.integers(1, 8))), (height, height, *depth)
    if kind == "mask of small of blurred":
        factor = draw(st.integers(1, 3))
        large = (height * factor, width * factor, *depth)
        return draw(masks(shape)) @ Downsample(factor) @ draw(blurs(large)), large
    if kind == "scan of blurred of masked":
        square = (height, height, *depth)
        scan = Radon.sparse_view(height, draw(st.integers(1, 4)))
        return scan @ (draw(blurs(square)) @ draw(masks(square))), square
    raise AssertionError(kind)


CHANNELWISE = ["identity", "blur", "mask", "downsample", "radon", "sparse view", "mask of small of blurred",
               "scan of blurred of masked"]
KINDS = [*CHANNELWISE, "grey", "small of grey"]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), seed=seeds, dtype=dtypes)
def test_adjoint_identity(kind, data, seed, dtype):
    """<A x, y> == <x, Aᵀ y>; types are kept and no input is changed (see assert_adjoint)."""
    operator, shape = data.draw(cases(kind))
    assert_adjoint(operator, shape, np.random.default_rng(seed), dtype)


@given(st.data(), kernels(largest=30), borders, st.integers(1, 4), st.integers(1, 4), seeds)
def test_adjoint_identity_for_kernels_larger_than_the_picture(data, kernel, border, height, width, seed):
    assert_adjoint(Blur(kernel, border), (height, width), np.random.default_rng(seed))


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), seed=seeds)
def test_linearity(kind, data, seed):
    operator, shape = data.draw(cases(kind))
    assert_linear(operator, shape, np.random.default_rng(seed))


@pytest.mark.parametrize("kind", CHANNELWISE)
@given(data=st.data(), seed=seeds)
def test_each_channel_alone(kind, data, seed):
    """A colour picture is three grey ones."""
    operator, shape = data.draw(cases(kind))
    x = np.random.default_rng(seed).standard_normal((*shape[:2], 3))
    together = operator.forward(x)
    apart = np.stack([operator.forward(x[..., c]) for c in range(3)], axis=-1)
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), seed=seeds)
def test_float32_and_float64_agree(kind, data, seed):
    operator, shape = data.draw(cases(kind))
    x = np.random.default_rng(seed).random(shape)
    exact, rough = operator.forward(x), operator.forward(x.astype(np.float32))
    assert rough.dtype == np.float32
    np.testing.assert_allclose(rough, exact, rtol=0, atol=1e-5 * max(1, np.abs(exact).max()))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(data=st.data())
def test_norm_is_the_largest_singular_value(kind, data):
    """Power iteration comes close to it from below."""
    operator, shape = data.draw(cases(kind))
    shape = shape[:2] if kind in CHANNELWISE else shape
    assume(math.prod(shape) <= 400)
    singular = np.linalg.svd(dense_matrix(operator, shape), compute_uv=False)[0]
    for iterations in (1, 2, 150):
        estimate = norm(operator, shape, iterations=iterations)
        assert estimate <= singular * (1 + 1e-12) + 1e-15
    assert estimate >= 0.98 * singular


@given(kernels(), borders, sides, sides, seeds)
def test_blur_of_the_transposed_picture(kernel, border, height, width, seed):
    x = np.random.default_rng(seed).standard_normal((height, width))
    straight, transposed = Blur(kernel, border).forward(x), Blur(kernel.T, border).forward(x.T)
    np.testing.assert_allclose(transposed, straight.T, rtol=0, atol=1e-12)


@given(kernels(), borders, sides, sides, seeds)
def test_blur_of_the_mirrored_picture(kernel, border, height, width, seed):
    rows, columns = kernel.shape
    kernel = kernel[: rows - 1 + rows % 2, : columns - 1 + columns % 2]  # odd: the middle is the centre
    x = np.random.default_rng(seed).standard_normal((height, width))
    straight = Blur(kernel, border).forward(x)
    mirrored = Blur(kernel[::-1, ::-1], border).forward(x[::-1, ::-1])
    np.testing.assert_allclose(mirrored, straight[::-1, ::-1], rtol=0, atol=1e-12)


@given(blurs((1, 1)), sides, sides, st.floats(-1, 1))
def test_blur_keeps_a_constant_times_the_sum_of_the_kernel(blur, height, width, value):
    result = blur.forward(np.full((height, width), value))
    np.testing.assert_allclose(result, value * blur.kernel.sum(), rtol=0, atol=1e-12)


@given(kernels(), sides, sides, seeds)
def test_circular_blur_commutes_with_shifts(kernel, height, width, seed):
    rng = np.random.default_rng(seed)
    x, shift, blur = rng.standard_normal((height, width)), tuple(rng.integers(0, 12, 2)), Blur(kernel)
    shifted_first = blur.forward(np.roll(x, shift, (0, 1)))
    np.testing.assert_allclose(shifted_first, np.roll(blur.forward(x), shift, (0, 1)), rtol=0, atol=1e-12)


@given(kernels(), kernels(), sides, sides, seeds)
def test_circular_blurs_commute(first, second, height, width, seed):
    x = np.random.default_rng(seed).standard_normal((height, width))
    one_way, other_way = Blur(first) @ Blur(second), Blur(second) @ Blur(first)
    np.testing.assert_allclose(one_way.forward(x), other_way.forward(x), rtol=0, atol=1e-12)


@given(st.integers(1, 15), st.floats(-180, 180))
def test_motion_kernel_is_a_centred_line(length, angle):
    """It sums to one, is its own mirror image, and is as long as it says."""
    kernel = Blur.motion(length, angle).kernel
    assert kernel.min() >= 0
    np.testing.assert_allclose(kernel.sum(), 1)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-12)
    rows, columns = np.indices(kernel.shape) - kernel.shape[0] // 2
    along = columns * np.cos(np.deg2rad(angle)) - rows * np.sin(np.deg2rad(angle))
    spread = math.sqrt((kernel * along**2).sum())
    assert abs(spread - length / math.sqrt(12)) < 0.45  # of a uniform line; a pixel's own width blurs it


@given(st.data(), sides, sides, seeds)
def test_mask_is_a_projection(data, height, width, seed):
    """Masking twice is masking once, and the adjoint is the mask itself."""
    mask = data.draw(masks((height, width)))
    x = np.random.default_rng(seed).standard_normal((height, width))
    once = mask.forward(x)
    assert np.array_equal(mask.forward(once), once)
    assert np.array_equal(mask.adjoint(x), once)
    assert np.array_equal(once[mask.mask], x[mask.mask])
    assert not once[~mask.mask].any()


@given(st.integers(1, 5), sides, sides, seeds)
def test_downsample_undoes_its_own_enlargement(factor, height, width, seed):
    """A Aᵀ = I / factor², and A keeps the mean brightness."""
    operator, y = Downsample(factor), np.random.default_rng(seed).standard_normal((height, width))
    np.testing.assert_allclose(operator.forward(operator.adjoint(y)) * factor**2, y, rtol=0, atol=1e-12)
    x = np.random.default_rng(seed).standard_normal((height * factor, width * factor))
    np.testing.assert_allclose(operator.forward(x).mean(), x.mean(), rtol=0, atol=1e-12)


@given(sides, sides, st.floats(-1, 1), seeds)
def test_grey_keeps_what_is_grey_and_forgets_the_rest(height, width, value, seed):
    """A Aᵀ is one number; a colour that the weights cannot see leaves nothing."""
    x = np.full((height, width, 3), value)
    np.testing.assert_allclose(Grey().forward(x), x[..., :1], rtol=0, atol=1e-12)
    y = np.random.default_rng(seed).standard_normal((height, width, 1))
    red, green, blue = 0.299, 0.587, 0.114
    np.testing.assert_allclose(Grey().forward(Grey().adjoint(y)), (red**2 + green**2 + blue**2) * y, rtol=0, atol=1e-12)
    unseen = y * np.array([blue, 0, -red])
    np.testing.assert_allclose(Grey().forward(unseen), 0 * y, rtol=0, atol=1e-12)


@given(st.integers(1, 20), st.lists(st.floats(-360, 360), min_size=1, max_size=5), seeds)
def test_radon_symmetries(size, angles, seed):
    """Half a turn, a mirror and a transposition of the picture each move the shadows in a known way."""
    angles = np.array(angles)
    x = np.random.default_rng(seed).standard_normal((size, size))
    shadows = Radon(size, angles).forward(x)
    close = {"rtol": 0, "atol": 1e-9}
    np.testing.assert_allclose(Radon(size, angles + 180).forward(x), shadows[::-1], **close)
    np.testing.assert_allclose(Radon(size, -angles).forward(x[:, ::-1]), shadows[::-1], **close)
    np.testing.assert_allclose(Radon(size, 90 - angles).forward(x.T), shadows[::-1], **close)


@given(st.integers(1, 20), st.lists(st.floats(-360, 360), min_size=1, max_size=5), seeds)
def test_radon_keeps_mass_and_centre_of_mass(size, angles, seed):
    """Every shadow holds the whole picture, and its centre is the shadow of the picture's centre.

    The centre only nearly: a cell reports how much light it caught, and not where. Rounding to cells moves the centre
    of a square's shadow by at most 0.043 cells, at 45 degrees, and not at all where the shadow is one cell wide.
    """
    x = np.random.default_rng(seed).random((size, size))
    angles = np.array([*angles, 0, 90, 180, 270])
    operator = Radon(size, angles)
    shadows = operator.forward(x)
    np.testing.assert_allclose(shadows.sum(axis=0), x.sum())
    cells = np.arange(operator.cells) - (operator.cells - 1) / 2
    down, right = np.indices(x.shape) - (size - 1) / 2
    turned = np.deg2rad(angles)
    expected = (x * right).sum() * np.cos(turned) - (x * down).sum() * np.sin(turned)
    np.testing.assert_allclose(cells @ shadows, expected, rtol=0, atol=0.043 * x.sum())
    np.testing.assert_allclose((cells @ shadows)[-4:], expected[-4:], rtol=0, atol=1e-9)


def area_left_of(edge, corners):
    """Return the area of the part of a convex polygon left of a vertical line: cut it, then the shoelace formula."""
    kept = []
    for here, there in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if here[0] <= edge:
            kept.append(here)
        if (here[0] - edge) * (there[0] - edge) < 0:
            kept.append(here + (edge - here[0]) / (there[0] - here[0]) * (there - here))
    if not kept:
        return 0.0
    across, along = np.transpose(kept)
    return abs(across @ np.roll(along, -1) - along @ np.roll(across, -1)) / 2


@given(st.integers(1, 4), st.floats(-360, 360))
@example(2, 1e-7)  # where a careless formula of the trapezoid loses half its digits
@example(4, 90 - 1e-7)
@example(3, 45.0)
def test_radon_shares_each_pixel_by_area(size, angle):
    """Against polygons: turn each pixel's square, cut it at the borders of the cells, measure the pieces."""
    operator = Radon(size, [angle])
    cosine, sine = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turn = np.array([[cosine, sine], [-sine, cosine]])  # (right, down) @ turn = (across, along)
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    borders = np.arange(operator.cells + 1) - operator.cells / 2
    expected = []
    for down, right in np.ndindex(size, size):
        corners = (square + np.array([right, down]) - (size - 1) / 2) @ turn
        expected.append(np.diff([area_left_of(border, corners) for border in borders]))
    np.testing.assert_allclose(dense_matrix(operator, (size, size)), np.transpose(expected), rtol=0, atol=1e-12)


@given(st.floats(6, 13), st.lists(st.floats(0, 180), min_size=2, max_size=6))
@example(10.0, [0.0, 45.0, 46.0])
def test_radon_of_a_disc_is_the_same_from_every_side(radius, angles):
    """Up to the stairs of its rim, and each cell holds the area of the disc above it."""
    size = 33
    down, right = np.indices((size, size)) - (size - 1) / 2
    disc = np.clip(radius + 0.5 - np.hypot(down, right), 0, 1)  # a rim one pixel wide
    shadows = Radon(size, angles).forward(disc)
    length = np.linalg.norm(shadows[:, 0])
    assert np.linalg.norm(shadows - shadows[:, :1], axis=0).max() < 0.035 * length
    borders = np.clip(np.arange(len(shadows) + 1) - len(shadows) / 2, -radius, radius)
    areas = np.diff(borders * np.sqrt(radius**2 - borders**2) + radius**2 * np.arcsin(borders / radius))
    error = np.linalg.norm(shadows - areas[:, None], axis=0) / np.linalg.norm(areas)
    assert error.max() < 0.035
