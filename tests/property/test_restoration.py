"""What holds for every picture and every operator: symmetries, gaps, optimality, whatever the size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.operators import Blur, Downsample, Identity, Mask, Radon
from helpers.restoration import (
    biharmonic,
    dct_shrinkage,
    estimate_noise,
    least_squares,
    non_local_means,
    plug_and_play,
    richardson_lucy,
    tikhonov,
    total_variation,
    wavelet_shrinkage,
    wiener,
)

# derandomised: the same cases on every run, so the proof does not pass or fail by luck
few = settings(deadline=None, database=None, derandomize=True, max_examples=6)

TURNS = {
    "upside down": lambda x: x[::-1],
    "mirrored": lambda x: x[:, ::-1],
    "transposed": lambda x: np.swapaxes(x, 0, 1),
    "turned by 90 degrees": lambda x: np.rot90(x, axes=(0, 1)),
}
SOLVERS = {
    "least_squares": least_squares, "tikhonov": tikhonov, "wiener": wiener, "richardson_lucy": richardson_lucy,
    "total_variation": total_variation, "plug_and_play": plug_and_play,
}
DENOISERS = {"wavelet_shrinkage": wavelet_shrinkage, "dct_shrinkage": dct_shrinkage,
             "non_local_means": non_local_means, "total_variation": total_variation}

seeds = st.integers(0, 2**32 - 1)
turns = st.sampled_from(sorted(TURNS))
halves = st.integers(2, 6)  # half a side
depths = st.sampled_from([(), (3,)])


def picture(shape, seed):
    """A picture with edges and noise: no two pixels alike, so that no tie hides a mistake."""
    rng = np.random.default_rng(seed)
    coarse = rng.random((-(-shape[0] // 4), -(-shape[1] // 4), *shape[2:]))
    blocks = coarse.repeat(4, axis=0).repeat(4, axis=1)[: shape[0], : shape[1]]
    return np.clip(0.1 + 0.8 * blocks + 0.05 * rng.standard_normal(shape), 0, 1)


def turned(operator, turn):
    """The operator that does to turned pictures what this one does to pictures."""
    if isinstance(operator, Mask):
        return Mask(np.ascontiguousarray(turn(operator.mask)))
    if isinstance(operator, Blur):
        return Blur(np.ascontiguousarray(turn(operator.kernel)), operator.border)
    if isinstance(operator, (Identity, Downsample)):
        return operator
    return turned(operator.outer, turn) @ turned(operator.inner, turn)


def an_operator(kind, shape, seed):
    rng = np.random.default_rng(seed)
    mask = rng.random(shape[:2]) < 0.6
    mask[0, 0] = True
    kernel = rng.random((3, 5))
    kernel[1, 2] = 8  # well conditioned: rounding must not decide the answer
    blur = Blur(kernel / kernel.sum(), "circular" if seed % 2 else "reflect")
    return {"identity": Identity(), "blur": blur, "mask": Mask(mask), "small": Downsample(2),
            "mask after blur": Mask(mask) @ blur, "small after blur": Downsample(2) @ blur}[kind]


@pytest.mark.parametrize("kind", ["identity", "blur", "mask", "small", "mask after blur", "small after blur"])
@pytest.mark.parametrize("name", SOLVERS)
@few
@given(halves, halves, depths, turns, seeds)
def test_solvers_turn_with_the_picture(name, kind, height, width, depth, turn, seed):
    shape, turn = (2 * height, 2 * width, *depth), TURNS[turn]
    operator = an_operator(kind, shape, seed)
    y = operator.forward(picture(shape, seed))
    assert np.allclose(turned(operator, turn).forward(turn(picture(shape, seed))), turn(y))
    # with few steps the answer does not hang on the step in which a stopping rule is met
    options = {"plug_and_play": {"iterations": 3}}.get(name, {"tolerance": 0, "iterations": 6})
    if name in ("tikhonov", "wiener"):
        options = {"tolerance": 1e-10, "iterations": 2000}
    level = None if name == "wiener" and seed % 3 == 0 else 0.05  # Wiener's estimates of the noise turn as well
    straight = SOLVERS[name](y, operator, level, **options)
    around = SOLVERS[name](np.ascontiguousarray(turn(y)), turned(operator, turn), level, **options)
    np.testing.assert_allclose(around, turn(straight), rtol=0, atol=1e-6)


@few
@given(st.integers(2, 12), turns, seeds)
def test_tomography_mirrors_with_its_angles(side, turn, seed):
    """A mirrored picture casts the shadows of the negative angles; one upside down, of the rest to 180 degrees."""
    angles = np.random.default_rng(seed).uniform(0, 180, 5)
    flip = TURNS["upside down" if "up" in turn else "mirrored"]
    x = picture((side, side), seed)
    scan, other = Radon(side, angles), Radon(side, -angles)
    y = scan.forward(x)
    y_other = y if "up" in turn else y[::-1]
    np.testing.assert_allclose(other.forward(flip(x)), y_other, rtol=0, atol=1e-9)
    for method in (tikhonov, wiener):
        straight = method(y, scan, 0.05, tolerance=1e-10, iterations=2000)
        around = method(np.ascontiguousarray(y_other), other, 0.05, tolerance=1e-10, iterations=2000)
        np.testing.assert_allclose(around, flip(straight), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", DENOISERS)
@few
@given(st.integers(2, 16), st.integers(2, 16), depths, turns, seeds)
def test_denoisers_turn_with_the_picture(name, height, width, depth, turn, seed):
    if name == "non_local_means":  # scikit-image's fast version gives mirrored pictures other answers
        turn = "transposed"
    y, turn = picture((2 * height, 2 * width, *depth), seed), TURNS[turn]
    straight = DENOISERS[name](y, Identity(), 0.1)
    around = DENOISERS[name](np.ascontiguousarray(turn(y)), Identity(), 0.1)
    np.testing.assert_allclose(around, turn(straight), rtol=0, atol=1e-8)


@pytest.mark.parametrize("hole", ["random", "block"])
@few
@given(st.integers(4, 24), st.integers(4, 24), depths, turns, seeds)
def test_biharmonic_turns_with_the_picture(hole, height, width, depth, turn, seed):
    x, turn = picture((height, width, *depth), seed), TURNS[turn]
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    mask[0, 0] = True
    if hole == "block":
        mask = np.ones((height, width), bool)
        mask[1 : height - 2, 1 : width - 1] = False  # not in the middle
    straight = biharmonic(x, Mask(mask), tolerance=1e-12)
    around = biharmonic(np.ascontiguousarray(turn(x)), Mask(turn(mask)), tolerance=1e-12)
    np.testing.assert_allclose(around, turn(straight), rtol=0, atol=1e-6)
    assert np.array_equal(straight[mask], x[mask])
    assert straight.min() >= x[mask].min() and straight.max() <= x[mask].max()


@few
@given(st.integers(2, 20), st.integers(2, 20), depths, turns, seeds)
def test_the_noise_level_does_not_hang_on_the_direction(height, width, depth, turn, seed):
    y = picture((height, width, *depth), seed)
    assert abs(estimate_noise(TURNS[turn](y)) - estimate_noise(y)) < 1e-12


@pytest.mark.parametrize("name", ["least_squares", "tikhonov", "wiener"])
@few
@given(halves, halves, seeds, st.floats(0.1, 1))
def test_quadratic_methods_are_linear_in_y(name, height, width, seed, factor):
    """Twice the measurement, twice the answer: nothing is hidden in these methods."""
    shape = (2 * height, 2 * width)
    operator = an_operator("mask after blur", shape, seed)
    u, v = (operator.forward(picture(shape, seed + k)) for k in (0, 1))
    options = {"tolerance": 1e-11, "iterations": 3000}
    if name == "wiener":
        options["spectrum"] = np.ones((shape[0], shape[1] // 2 + 1))
    if name == "least_squares":
        operator = an_operator("blur", shape, seed)
    together = SOLVERS[name](factor * u - 0.5 * v, operator, 0.05, **options)
    apart = (SOLVERS[name](y, operator, 0.05, **options) for y in (u, v))
    np.testing.assert_allclose(together, factor * next(apart) - 0.5 * next(apart), rtol=0, atol=1e-6)
