"""Do our checks catch the mistakes they are there for? Each check meets deliberate ones."""

import math

import numpy as np
import pytest

from helpers.metrics import psnr
from helpers.operators import Blur, Downsample, Mask, Operator, Radon
from tests.checks import assert_adjoint, assert_linear, assert_noisy_psnr_law

RNG_SEED = 3
KERNEL = np.array([[0.1, 0.5, 0.0], [0.0, 0.3, 0.1]])  # not symmetric, one side even


class ForwardForAdjoint(Blur):
    """A blur whose adjoint forgets to turn the kernel round."""

    def _adjoint(self, y):
        return self._forward(y)


class CroppingAdjoint(Blur):
    """A reflecting blur whose adjoint crops the margin instead of folding it back."""

    def _adjoint(self, y):
        return self._filter(y, conjugate=True)


class UnscaledAdjoint(Downsample):
    """A downsampling whose adjoint repeats pixels and forgets the weight of the mean."""

    def _adjoint(self, y):
        return y.repeat(self.factor, axis=0).repeat(self.factor, axis=1)


class NearestBackProjection(Radon):
    """A back-projection that reads one detector cell, although the projection feeds up to three."""

    def _adjoint(self, y):
        coordinates = np.arange(self.size) - (self.size - 1) / 2
        x = np.zeros((self.size, self.size))
        for j, angle in enumerate(np.deg2rad(self.angles)):
            across = coordinates[None, :] * np.cos(angle) - coordinates[:, None] * np.sin(angle)
            x += y[np.rint(across + (self.cells - 1) / 2).astype(int), j]
        return x


class ZeroAdjoint(Mask):
    """A mask whose adjoint gives nothing back."""

    def _adjoint(self, y):
        return np.zeros_like(y)


class SlightlyWrongAdjoint(Blur):
    """A blur whose adjoint is off by one part in a million."""

    def _adjoint(self, y):
        return super()._adjoint(y) * (1 + 1e-6)


class InPlace(Operator):
    """A halving that writes into its input."""

    def _forward(self, x):
        x *= 0.5
        return x.copy()

    def _adjoint(self, y):
        return 0.5 * y


class Affine(Operator):
    """A brightening: not linear, since it moves zero."""

    def _forward(self, x):
        return x + 0.1


class Widening(Operator):
    """An identity that turns float32 into float64."""

    def _forward(self, x):
        return x.astype(np.float64)

    _adjoint = _forward


@pytest.mark.parametrize(
    "operator",
    [
        ForwardForAdjoint(KERNEL),
        ForwardForAdjoint(KERNEL, "reflect"),
        CroppingAdjoint(KERNEL, "reflect"),
        UnscaledAdjoint(2),
        NearestBackProjection(12, [0.0, 30.0, 77.0]),
        ZeroAdjoint(np.eye(12)),
        SlightlyWrongAdjoint(KERNEL),
        InPlace(),
    ],
    ids=lambda operator: type(operator).__name__,
)
def test_a_broken_adjoint_is_caught(operator):
    reason = "changed its input" if isinstance(operator, InPlace) else "<Ax, y>"
    with pytest.raises(AssertionError, match=reason):
        assert_adjoint(operator, (12, 12), np.random.default_rng(RNG_SEED))


def test_a_change_of_type_is_caught():
    assert_adjoint(Widening(), (6, 5), np.random.default_rng(RNG_SEED), np.float64)  # no mistake here
    with pytest.raises(AssertionError, match="float32"):
        assert_adjoint(Widening(), (6, 5), np.random.default_rng(RNG_SEED), np.float32)


def test_an_affine_map_is_not_linear():
    with pytest.raises(AssertionError):
        assert_linear(Affine(), (6, 5), np.random.default_rng(RNG_SEED))


def test_the_true_operators_pass():
    blurs = Blur(KERNEL), Blur(KERNEL, "reflect")
    for operator in (*blurs, Downsample(2), Radon(12, [0.0, 30.0]), Mask(np.eye(12))):
        assert_adjoint(operator, (12, 12), np.random.default_rng(RNG_SEED))
        assert_linear(operator, (12, 12), np.random.default_rng(RNG_SEED))


def mean_squared_error(x, x_hat):
    return np.mean((x - np.clip(x_hat, 0, 1)) ** 2)


WRONG_PSNRS = {
    "peak of 255": lambda x, x_hat: 10 * math.log10(255**2 / mean_squared_error(x, x_hat)),
    "log2": lambda x, x_hat: -10 * math.log2(mean_squared_error(x, x_hat)),
    "natural logarithm": lambda x, x_hat: -10 * math.log(mean_squared_error(x, x_hat)),
    "20 where 10 belongs": lambda x, x_hat: -20 * math.log10(mean_squared_error(x, x_hat)),
    "sum, not mean": lambda x, x_hat: -10 * math.log10(mean_squared_error(x, x_hat) * x.size),
    "signed errors that cancel": lambda x, x_hat: -20 * math.log10(abs(np.mean(x - np.clip(x_hat, 0, 1)))),
    "absolute errors": lambda x, x_hat: -20 * math.log10(np.mean(np.abs(x - np.clip(x_hat, 0, 1)))),
    "no clipping": lambda x, x_hat: -10 * math.log10(np.mean((x - x_hat) ** 2)),
    "peak of the picture": lambda x, x_hat: 10 * math.log10(x.max() ** 2 / mean_squared_error(x, x_hat)),
    "border cropped and zero": lambda x, x_hat: psnr(x, np.pad(x_hat[8:-8, 8:-8], 8)),
}


@pytest.mark.parametrize("wrong", WRONG_PSNRS.values(), ids=WRONG_PSNRS)
def test_a_wrong_psnr_is_caught(wrong):
    with pytest.raises(AssertionError):
        assert_noisy_psnr_law(wrong)


def test_the_true_psnr_passes():
    assert_noisy_psnr_law(psnr)
