"""Blurs with a reflecting border: diagonal in the cosine domain where they are symmetric, and exact data steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.operators import Blur, Downsample, Identity, Mask
from helpers.restoration import plug_and_play, tikhonov
from helpers.restoration.linear import filter_cosines, laplacian, mirror_transfer
from helpers.restoration.pnp import _turned, _turned_back, data_step
from tests.checks import assert_adjoint, dense_matrix
from tests.property.test_operators import channels, seeds, sides

halves = st.integers(0, 6)


@st.composite
def symmetric_blurs(draw):
    """A kernel of any odd size, signed, its own mirror image both ways; often larger than the picture."""
    down, across = draw(halves), draw(halves)
    quarter = np.random.default_rng(draw(seeds)).standard_normal((down + 1, across + 1)) + 0.1
    kernel = quarter[np.abs(np.arange(-down, down + 1))][:, np.abs(np.arange(-across, across + 1))]
    return Blur(kernel / np.abs(kernel).sum(), "reflect")


@given(symmetric_blurs(), sides, sides, channels, seeds)
def test_a_symmetric_blur_changes_the_height_of_each_cosine_and_nothing_else(blur, height, width, depth, seed):
    x = np.random.default_rng(seed).standard_normal((height, width, *depth))
    transfer = mirror_transfer(blur, x.shape)
    np.testing.assert_allclose(filter_cosines(x, transfer), blur.forward(x), rtol=0, atol=1e-12)
    twice = mirror_transfer(blur @ blur, x.shape)
    np.testing.assert_allclose(filter_cosines(x, twice), blur.forward(blur.forward(x)), rtol=0, atol=1e-12)


@given(symmetric_blurs(), sides, sides, seeds)
def test_its_adjoint_is_the_same_blur(blur, height, width, seed):
    """A diagonal matrix between a basis and back is symmetric; and the adjoint identity holds as for all operators."""
    y = np.random.default_rng(seed).standard_normal((height, width))
    np.testing.assert_allclose(blur.adjoint(y), blur.forward(y), rtol=0, atol=1e-12)
    assert_adjoint(blur, (height, width), np.random.default_rng(seed))


@pytest.mark.parametrize("blur", [
    Blur.motion(9, 30, "reflect"), Blur(np.ones((2, 3)), "reflect"), Blur(np.ones((3, 2)), "reflect"),
    Blur([[1.0, 2.0, 4.0]], "reflect"), Blur([[1.0], [2.0], [4.0]], "reflect"), Blur.gaussian(1.0),
    Mask(np.ones((8, 8))), Blur.gaussian(1.0, "reflect") @ Mask(np.ones((8, 8))),
])
def test_what_is_not_symmetric_is_not_taken_for_it(blur):
    assert mirror_transfer(blur, (8, 8)) is None


def test_the_identity_is_one_everywhere():
    assert np.array_equal(mirror_transfer(Identity(), (3, 4, 3)), np.ones((3, 4)))


@pytest.mark.parametrize("blur", [Blur.gaussian(1.1, "reflect"), Blur.motion(4, 90, "reflect")])
def test_tikhonov_is_the_dense_solution(blur):
    rng = np.random.default_rng(0)
    y, weight = rng.random((7, 6)), 0.03
    a = dense_matrix(blur, y.shape)
    roughness = -np.stack([laplacian(row.reshape(y.shape)).ravel() for row in np.eye(y.size)])
    wanted = np.linalg.solve(a.T @ a + weight * roughness, a.T @ y.ravel()).reshape(y.shape)
    x_hat, report = tikhonov(y, blur, 0.1, weight=weight, report=True)
    np.testing.assert_allclose(x_hat, wanted, atol=1e-9)
    slopes = (np.diff(x_hat, axis=0) ** 2).sum() + (np.diff(x_hat, axis=1) ** 2).sum()
    objective = 0.5 * ((blur.forward(x_hat) - y) ** 2).sum() + 0.5 * weight * slopes
    assert report.objective[-1] == pytest.approx(objective, rel=1e-9)


@pytest.mark.parametrize("operator", [
    Blur.gaussian(1.1, "reflect"), Blur.motion(4, 0, "reflect") @ Blur.gaussian(0.7, "reflect"), Downsample(2),
    Mask.random((4, 3), 0.6, np.random.default_rng(1)) @ Downsample(2),
])
@pytest.mark.parametrize("weight", [0.003, 0.5])
def test_data_steps_are_the_dense_solution(operator, weight):
    rng = np.random.default_rng(0)
    z = rng.random((8, 6))
    y = operator.forward(rng.random((8, 6)))
    a = dense_matrix(operator, z.shape)
    wanted = np.linalg.solve(a.T @ a + weight * np.eye(z.size), a.T @ y.ravel() + weight * z.ravel())
    np.testing.assert_allclose(data_step(y, operator, z.shape)(z, weight).ravel(), wanted, atol=1e-9)


@pytest.mark.parametrize("operator", [
    Blur.motion(5, 30, "reflect"), Mask.random((8, 6), 0.7, np.random.default_rng(1)) @ Blur.gaussian(0.8, "reflect"),
    Blur.gaussian(0.6, "reflect") @ Downsample(2),
])
def test_the_other_data_steps_come_near_it(operator):
    rng = np.random.default_rng(0)
    z = rng.random((8, 6))
    y = operator.forward(rng.random((8, 6)))
    a = dense_matrix(operator, z.shape)
    wanted = np.linalg.solve(a.T @ a + 0.05 * np.eye(z.size), a.T @ y.ravel() + 0.05 * z.ravel())
    np.testing.assert_allclose(data_step(y, operator, z.shape)(z, 0.05).ravel(), wanted, atol=2e-3)


def test_a_denoiser_is_shown_each_of_the_eight_ways_and_its_answer_is_turned_back():
    """A denoiser that treats all directions alike gives the same answer turned or not; a lopsided one is found out."""
    x = np.random.default_rng(0).random((8, 6))
    shown = [_turned(x, way) for way in range(8)]
    assert len({(one.shape, one.tobytes()) for one in shown}) == 8
    assert all(np.array_equal(_turned_back(one, way), x) for way, one in enumerate(shown))
    y = np.random.default_rng(1).random((4, 4))

    def restored(denoiser):
        return [plug_and_play(y, Downsample(2), 0.1, denoiser=denoiser, turns=turns) for turns in (False, True)]

    np.testing.assert_allclose(*restored(lambda x, sigma: np.tanh(x)), atol=1e-12)
    plain, turned = restored(lambda x, sigma: 0 * x + np.linspace(0, 1, 8))  # whatever comes rises to the right
    assert plain[:, 0].mean() < plain[:, -1].mean() - 0.5 and not np.allclose(plain, turned, atol=0.1)


@pytest.mark.parametrize("least", [0.001, 0.05])
def test_the_schedule_ends_where_it_is_told(least):
    seen = []
    plug_and_play(np.full((4, 4), 0.5), Downsample(2), 0.0, denoiser=lambda x, sigma: seen.append(sigma) or x,
                  least_noise=least)
    assert seen[-1] == pytest.approx(least) and seen[0] == pytest.approx(25 / 255) and len(seen) == 20
