"""Public names and what they answer stay as they were when solvers and operators lived in one file each.

``python -m tests.unit.test_stored_results`` stores the answers anew: only for a change that is meant to change them.
"""

import importlib
import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from helpers import operators, restoration
from helpers.operators import Blur, Downsample, Grey, Identity, Mask, Operator, Radon, Stack

STORED = Path(__file__).with_name("stored_results.json")
PLACES = (0, 37, 101, 170, 233)  # pixels that are stored whole
# Everything runs in float64, whose rounding lies far below this; another processor may round otherwise.
TOLERANCE = 1e-6

SOLVERS = ("least_squares", "tikhonov", "wiener", "richardson_lucy", "total_variation", "plug_and_play")
SHRINKERS = ("wavelet_shrinkage", "dct_shrinkage", "non_local_means")
# Conjugate gradients double their rounding errors again and again: these runs end before that tells.
EARLY = {"least_squares": {"iterations": 8}, "wiener": {"iterations": 12}, "biharmonic": {"iterations": 40}}
SETTINGS = {  # what is not a default: (method, operator, settings)
    "tikhonov, weight": ("tikhonov", "lopsided blur", {"weight": 0.3}),
    "tikhonov, no weight": ("tikhonov", "circular blur", {"weight": 0.0}),
    "wiener, blind": ("wiener", "circular blur", {"sigma": None}),
    "wiener, blind mask": ("wiener", "mask", {"sigma": None}),
    "wiener, spectrum": ("wiener", "circular blur", {"spectrum": np.full((16, 9), 0.1)}),
    "Richardson-Lucy to the end": ("richardson_lucy", "circular blur", {"sigma": 0.0, "tolerance": 0.0}),
    "TV, weight": ("total_variation", "identity", {"weight": 0.3, "tolerance": 1e-3}),
    "TV, negative weights": ("total_variation", "sharpening", {}),
    "plug-and-play, trust": ("plug_and_play", "downsampling", {"trust": 1.0, "iterations": 5}),
    "wavelets of Daubechies": ("wavelet_shrinkage", "identity", {"wavelet": "db2", "levels": 2}),
    "cosines of 4 x 4": ("dct_shrinkage", "identity", {"patch": 4, "threshold": 2.0}),
    "narrow means": ("non_local_means", "identity", {"patch": 3, "reach": 4, "strength": 1.0}),
    **{f"plug-and-play, {name}": ("plug_and_play", "mask", {"denoiser": name}) for name in SHRINKERS},
}


def rng(*seed):
    return np.random.default_rng(seed)


def some_operators():
    mask = Mask.random((16, 16), 0.6, rng(5))
    return {
        "identity": Identity(), "circular blur": Blur.gaussian(0.7), "lopsided blur": Blur(rng(1).random((3, 5)) / 8),
        "mirrored blur": Blur.gaussian(0.7, border="reflect"), "moving blur": Blur.motion(5, 30), "mask": mask,
        "half": Mask.half((16, 16)), "block": Mask.block((16, 16), 6), "downsampling": Downsample(2),
        "tomography": Radon.sparse_view(16, 9), "small of blurred": Downsample(2) @ Blur.gaussian(0.7),
        "masked of blurred": mask @ Blur.gaussian(0.7),
        "sharpening": Blur(np.array([[0, -0.2, 0], [-0.2, 1.8, -0.2], [0, -0.2, 0]])),
    }


def scene(seed, shape=(16, 16)):
    """A picture with an edge, a slope and some texture."""
    down, across = np.mgrid[: shape[0], : shape[1]] / max(shape[:2])
    x = 0.2 + 0.4 * (across > 0.4 + 0.3 * down) + 0.2 * down + 0.1 * rng(seed, 1).random(shape[:2])
    return x if len(shape) == 2 else np.stack([x, 0.8 * x, 1 - x], axis=2)


def measured(operator, seed, shape=(16, 16), sigma=0.05):
    return operators.measure(scene(seed, shape), operator, sigma, rng(seed, 2)).astype(np.float64)


def digest(x, report=None):
    """Say in a few numbers what an array is, and how a solver came to it."""
    x = np.asarray(x, np.float64)
    said = {"shape": list(x.shape), "sum": float(x.sum()), "norm": float(np.linalg.norm(x)),
            "pixels": [float(x.flat[place % x.size]) for place in PLACES]}
    if report is not None:
        said |= {"iterations": report.iterations, "converged": bool(report.converged),
                 "objective": [float(value) for value in (report.objective[:1] + report.objective[-1:])],
                 "weight": report.weight, "sigma": report.sigma}
    return said


def solved(method, operator, y, sigma=0.05, **settings):
    settings = EARLY.get(method, {}) | settings
    return digest(*getattr(restoration, method)(y, operator, sigma, report=True, **settings))


def answers_of_solvers():
    known = some_operators()
    for name, operator in known.items():
        for method in SOLVERS:
            if method == "richardson_lucy" and name == "sharpening":
                continue  # it refuses negative weights
            for seed in (0, 1):
                yield f"{method} | {name} | {seed}", solved(method, operator, measured(operator, seed))
    for name in ("mask", "half", "block"):
        for seed in (0, 1):
            yield f"biharmonic | {name} | {seed}", solved("biharmonic", known[name], measured(known[name], seed))
    wide = Mask.block((64, 64), 40)
    yield "biharmonic | wide", solved("biharmonic", wide, measured(wide, 0, (64, 64), 0.0))
    for method in SHRINKERS:
        yield f"{method} | identity", solved(method, Identity(), measured(Identity(), 0))
    for method in (*SOLVERS, *SHRINKERS, "biharmonic"):
        operator = known["mask" if method == "biharmonic" else "identity" if method in SHRINKERS else "circular blur"]
        yield f"{method} | colour", solved(method, operator, measured(operator, 0, (16, 16, 3)))
    for name, (method, operator, settings) in SETTINGS.items():
        yield name, solved(method, known[operator], measured(known[operator], 0), **settings)
    yield "estimate_noise", digest(restoration.estimate_noise(measured(Identity(), 0)))
    yield "estimate_noise of a mask", digest(restoration.estimate_noise(measured(known["mask"], 0), known["mask"]))
    for method in (*SOLVERS, *SHRINKERS, "biharmonic"):
        for name in ("identity", "tomography") if method in SOLVERS else ("mask",):
            yield f"peak_memory | {method} | {name}", digest(restoration.peak_memory(method, known[name], (16, 16)))
    yield "peak_memory | biharmonic | wide", digest(restoration.peak_memory("biharmonic", wide, (64, 64)))


def answers_of_operators():
    for name, operator in some_operators().items():
        for shape in ((16, 16), (16, 16, 3)):
            y = operator.forward(scene(0, shape))
            yield f"{name} | {len(shape)} | forward", digest(y)
            yield f"{name} | {len(shape)} | adjoint", digest(operator.adjoint(rng(4).standard_normal(y.shape)))
        yield f"{name} | norm", digest(operators.norm(operator, (16, 16), iterations=50))
        if name != "sharpening":
            yield f"{name} | photons", digest(operators.measure_photons(scene(0), operator, 100, rng(6)))
    for name in ("circular blur", "lopsided blur"):
        factors = some_operators()[name].transfer_function((16, 16))
        yield f"{name} | transfer", digest(np.stack([factors.real, factors.imag]))
    batch = np.stack([scene(0), scene(1)])[..., None]
    stack = Stack([Mask.half((16, 16)), Identity()])
    yield "stack | forward", digest(stack.forward(batch))
    yield "stack | adjoint", digest(stack.adjoint(batch))
    yield "grey | forward", digest(Grey().forward(scene(0, (16, 16, 3))))
    yield "grey | adjoint", digest(Grey().adjoint(scene(0)[..., None]))


def public_names():
    """Return what a reader can import, each function and class with its signature."""
    said = {}
    for module in ("helpers.restoration", "helpers.operators"):
        for name, thing in vars(importlib.import_module(module)).items():
            ours = getattr(thing, "__module__", module).startswith(module) and not inspect.ismodule(thing)
            if ours and not name.startswith("_"):
                constant = sorted(thing) if isinstance(thing, dict) else thing
                said[f"{module}.{name}"] = str(inspect.signature(thing)) if callable(thing) else constant
    return said


def whole():
    return {"names": public_names(), "solvers": dict(answers_of_solvers()), "operators": dict(answers_of_operators())}


def near(found, stored, path=""):
    """Yield where two answers differ by more than rounding."""
    if isinstance(stored, dict):
        assert set(found) == set(stored), path
        for key in stored:
            yield from near(found[key], stored[key], f"{path} {key}")
    elif isinstance(stored, list):
        yield from near(dict(enumerate(found)), dict(enumerate(stored)), path)
    elif stored is None or isinstance(stored, bool | int | str):
        if found != stored:
            yield f"{path}: {found}, stored {stored}"
    elif found != pytest.approx(stored, rel=TOLERANCE, abs=TOLERANCE):
        yield f"{path}: {found}, stored {stored}"


@pytest.fixture(scope="module")
def stored():
    return json.loads(STORED.read_text(encoding="utf-8"))


def test_every_public_name_is_there_with_its_signature(stored):
    found = public_names()
    assert {name: found.get(name) for name in stored["names"]} == stored["names"]


@pytest.mark.parametrize(("part", "answers"), [("solvers", answers_of_solvers), ("operators", answers_of_operators)])
def test_every_answer_is_the_stored_one(part, answers, stored):
    assert list(near(dict(answers()), stored[part])) == []


def test_every_solver_and_operator_is_among_them():
    methods = {name for name, thing in inspect.getmembers(restoration, inspect.isfunction)
               if name[0] != "_" and "report" in inspect.signature(thing).parameters}
    assert methods == {*SOLVERS, *SHRINKERS, "biharmonic"}
    kinds = {thing for _, thing in inspect.getmembers(operators, inspect.isclass) if issubclass(thing, Operator)}
    assert kinds - {Operator} == {Grey, Stack, *map(type, some_operators().values())}


if __name__ == "__main__":
    STORED.write_text(json.dumps(whole(), indent=0) + "\n", encoding="utf-8")
