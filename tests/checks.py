"""Checks that several tests share. tests/unit/test_of_tests.py shows that each catches its mistakes."""

import math

import numpy as np

TOLERANCE = {np.float64: 1e-10, np.float32: 1e-5}  # relative to how large the products could be


def assert_adjoint(operator, shape, rng, dtype=np.float64):
    """Assert <A x, y> == <x, Aᵀ y> for random x and y, and that both ways keep type, input and shape."""
    x = rng.standard_normal(shape).astype(dtype)
    x_before = x.copy()
    ax = operator.forward(x)
    y = rng.standard_normal(ax.shape).astype(dtype)
    y_before = y.copy()
    aty = operator.adjoint(y)

    assert ax.dtype == dtype, f"forward of {np.dtype(dtype)} gives {ax.dtype}"
    assert aty.dtype == dtype, f"adjoint of {np.dtype(dtype)} gives {aty.dtype}"
    assert aty.shape == x.shape, f"adjoint gives shape {aty.shape}, expected {x.shape}"
    assert np.array_equal(x, x_before), "forward changed its input"
    assert np.array_equal(y, y_before), "adjoint changed its input"
    assert not np.shares_memory(ax, x), "forward returns its own input"
    assert not np.shares_memory(aty, y), "adjoint returns its own input"

    x, y, ax, aty = (a.astype(np.float64) for a in (x, y, ax, aty))
    left, right = np.vdot(ax, y), np.vdot(x, aty)
    largest = np.linalg.norm(ax) * np.linalg.norm(y) + np.linalg.norm(x) * np.linalg.norm(aty)
    assert abs(left - right) <= TOLERANCE[dtype] * largest, f"<Ax, y> = {left}, but <x, Aᵀy> = {right}"


def assert_linear(operator, shape, rng):
    """Assert A(a u + b v) == a A u + b A v for random pictures and factors."""
    u, v = rng.standard_normal((2, *shape))
    a, b = rng.uniform(-3, 3, 2)
    together = operator.forward(a * u + b * v)
    apart = a * operator.forward(u) + b * operator.forward(v)
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-10 * max(1, np.abs(apart).max()))


def dense_matrix(operator, shape):
    """Return the matrix of an operator on pictures of ``shape``, one column for each pixel."""
    columns = []
    for pixel in range(math.prod(shape)):
        x = np.zeros(math.prod(shape))
        x[pixel] = 1
        columns.append(operator.forward(x.reshape(shape)).ravel())
    return np.stack(columns, axis=1)


def assert_noisy_psnr_law(psnr):
    """Assert that noise of level sigma has a PSNR of -20 log10 sigma, and that overshoot is clipped."""
    rng = np.random.default_rng(7)
    grey = np.full((128, 128), 0.5)
    for sigma in (0.005, 0.01, 0.02, 0.05):
        noise = sigma * rng.standard_normal(grey.shape)
        assert np.abs(noise).max() < 0.5, "this check needs noise that nothing clips"
        # the relative error of a mean of n squares is sqrt(2 / n): four of those, in decibels
        sampling_error = 10 * math.log10(1 + 4 * math.sqrt(2 / grey.size))
        expected = -20 * math.log10(sigma)
        assert abs(psnr(grey, grey + noise) - expected) < sampling_error, (
            f"noise of level {sigma} has PSNR {psnr(grey, grey + noise):.2f}, expected {expected:.2f}"
        )
    overshooting = rng.choice([-3.0, 4.0], grey.shape)  # clipped, every pixel is wrong by one half
    assert abs(psnr(grey, overshooting) - 20 * math.log10(2)) < 1e-9, "an estimate must be clipped to [0, 1]"
