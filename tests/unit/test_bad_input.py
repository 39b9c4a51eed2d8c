"""Whatever wrong thing is handed in, the answer is a ValueError or TypeError that names the argument.

One table: for every public function, class and method of the four modules, the mistakes that readers make.
"""

import inspect
import io
import re
from typing import NamedTuple

import numpy as np
import pytest

from helpers import images, metrics, operators, plots
from helpers.images import reading
from helpers.operators import Blur, Composition, Downsample, Grey, Identity, Mask, Radon, Stack

SEED = np.random.default_rng(0)
GREY = np.full((12, 12), 0.5)
BLUR = Blur(np.ones((3, 3)) / 9)
SOME = Identity(), BLUR, Mask(np.eye(12)), Downsample(2), Grey(), Radon(12, [0]), Downsample(2) @ BLUR


class Case(NamedTuple):
    """One mistake, and the argument that its message must begin with."""

    kind: str
    argument: str
    call: object  # a function without arguments that makes the mistake
    says: str = ""  # what else the message must hold


def each(argument, values, call):
    """Return one case for each bad value of one argument."""
    return [Case(f"{argument}: {kind}", argument, lambda value=value: call(value)) for kind, value in values.items()]


def spoiled(value):
    """Return a grey picture with one bad pixel."""
    x = GREY.copy()
    x[3, 4] = value
    return x


# ----------------------------------------------------------------------------------------------- bad values

ARRAYS = {
    "NaN": spoiled(np.nan),
    "infinite": spoiled(np.inf),
    "empty": np.zeros((0, 12)),
    "one row": np.zeros(12),
    "five axes": np.zeros((1, 1, 1, 12, 12)),
    "string": "camera",
    "array of strings": np.full((12, 12), "a"),
    "complex": GREY + 1j,
    "None": None,
    "ragged": [[0.1, 0.2], [0.3]],
}
PICTURES = ARRAYS | {
    "0-255": 255 * GREY,
    "0-255 of whole numbers": np.full((12, 12), 200, np.uint8),
    "two channels": np.zeros((12, 12, 2)),
}
X = PICTURES | {"below zero": spoiled(-0.1), "above one": spoiled(1.1)}  # what is true has no overshoot
ROWS = {kind: value for kind, value in ARRAYS.items() if kind not in ("one row", "NaN", "infinite", "empty")} | {
    "NaN": [1.0, np.nan],
    "infinite": [1.0, np.inf],
    "empty": [],
    "two axes": GREY,
}
NUMBERS = {
    "NaN": float("nan"), "infinite": float("inf"), "string": "1", "complex": 1 + 1j, "bool": True, "None": None,
    "array": np.ones(3), "huge": 10**400, "array of one string": np.array("a"),
}
WHOLES = {"zero": 0, "negative": -3, "fraction": 1.5, "string": "3", "bool": True, "None": None, "array": np.ones(2)}
WHOLES_OR_NONE = {kind: value for kind, value in WHOLES.items() if value is not None}
LEVELS = {kind: value for kind, value in NUMBERS.items() if value is not None} | {"zero": 0, "negative": -1}
FLAGS = {"string": "yes", "number": 1, "None": None}
SEEDS = {"negative": -1, "fraction": 0.5, "string": "0", "bool": True, "None": None, "generator": SEED}
GENERATORS = {"None": None, "seed": 0, "bool": True, "old kind": np.random.RandomState(0), "module": np.random}
OPERATORS = {"None": None, "string": "blur", "class": Identity, "kernel": np.ones((3, 3)), "function": lambda x: x}
SIGMAS = NUMBERS | {"negative": -0.1}
SHAPES = {"number": 8, "list": [8, 8], "one side": (8,), "four sides": (1, 8, 8, 1), "zero": (0, 8), "None": None,
          "fractions": (8.0, 8.0), "string": "88", "negative": (8, -8), "bool": (True, 8)}
NAMES = {"unknown": "xyzzy", "empty": "", "number": 3, "None": None, "list": ["camera"]}

# ----------------------------------------------------------------------------------------------- the table

CASES = {
    # images
    "photo": [
        *each("name", NAMES, images.photo),
        *each("size", WHOLES_OR_NONE | {"too large": 10**6}, lambda size: images.photo("camera", size)),
        *each("color", FLAGS, lambda color: images.photo("camera", 8, color)),
        Case("near match", "name", lambda: images.photo("camra"), "did you mean 'camera'"),
        Case("another case", "name", lambda: images.photo("Astronaut"), "did you mean 'astronaut'"),
    ],
    "photos": [
        *each("split", NAMES, images.photos),
        *each("size", WHOLES_OR_NONE, lambda size: images.photos("test", size)),
        *each("color", FLAGS, lambda color: images.photos("test", 8, color)),
        Case("near match", "split", lambda: images.photos("tests"), "did you mean 'test'"),
    ],
    "read_photo": [
        *each("path", {"missing": "/no/such/file.png", "folder": "/", "number": 3, "None": None, "array": GREY,
                       "empty": "", "text": io.BytesIO(b"some text")}, images.read_photo),
        *each("size", WHOLES_OR_NONE, lambda size: images.read_photo("/no/such/file.png", size)),
        *each("color", FLAGS, lambda color: images.read_photo("/no/such/file.png", None, color)),
        *each("longest", WHOLES_OR_NONE, lambda longest: images.read_photo("/no/such/file.png", longest=longest)),
        *each("white", LEVELS, lambda white: images.read_photo("/no/such/file.png", white=white)),
    ],
    "read_picture": [
        *each("path", {"missing": "/no/such/file.png", "folder": "/", "number": 3, "text": io.BytesIO(b"some text")},
              images.read_picture),
        *each("white", LEVELS, lambda white: images.read_picture("/no/such/file.png", white)),
        *each("known", {"grey": GREY, "row": np.ones(3, bool), "flag": True, "list": [True]},
              lambda known: images.read_picture("/no/such/file.png", known=known)),
    ],
    "phantom": each("size", WHOLES | {"too large": 10**6}, images.phantom),
    "digits": each("full", FLAGS, images.digits),
    "glyphs": [
        *each("n", WHOLES, images.glyphs),
        *each("seed", SEEDS, lambda seed: images.glyphs(1, seed)),
        *each("split", NAMES, lambda split: images.glyphs(1, 0, split)),
        Case("near match", "split", lambda: images.glyphs(1, split="trian"), "did you mean 'train'"),
    ],
    # operators
    "Operator.forward": [
        *(case for operator in SOME for case in each("x", ARRAYS, operator.forward)),
        Case("a grey picture made grey", "x", lambda: Grey().forward(GREY), "(H, W, 3)"),
        Case("two channels made grey", "x", lambda: Grey().forward(np.zeros((12, 12, 2))), "(12, 12, 2)"),
    ],
    "Operator.adjoint": [
        *(case for operator in SOME for case in each("y", ARRAYS, operator.adjoint)),
        Case("grey without a channel", "y", lambda: Grey().adjoint(GREY), "(H, W, 1)"),
        Case("grey that has colours", "y", lambda: Grey().adjoint(np.zeros((12, 12, 3))), "(12, 12, 3)"),
    ],
    "Composition": [
        *each("outer", OPERATORS, lambda outer: Composition(outer, Identity())),
        *each("inner", OPERATORS, lambda inner: Composition(Identity(), inner)),
    ],
    "Blur": [
        *each("kernel", ARRAYS | {"zero": np.zeros((3, 3)), "number": 3}, Blur),
        *each("border", NAMES, lambda border: Blur(np.ones((3, 3)), border)),
        Case("near match", "border", lambda: Blur(np.ones((3, 3)), "reflekt"), "did you mean 'reflect'"),
    ],
    "Blur.gaussian": [
        *each("width", NUMBERS | {"zero": 0, "negative": -1.0}, Blur.gaussian),
        *each("border", NAMES, lambda border: Blur.gaussian(1, border)),
    ],
    "Blur.motion": [
        *each("length", WHOLES, Blur.motion),
        *each("angle", NUMBERS, lambda angle: Blur.motion(3, angle)),
        *each("border", NAMES, lambda border: Blur.motion(3, 0, border)),
    ],
    "Blur.transfer_function": each("shape", SHAPES, BLUR.transfer_function),
    "Mask": [
        *each("mask", ARRAYS | {"shares": GREY, "0-255": 255 * np.eye(12)}, Mask),
        Case("forward of another shape", "mask", lambda: Mask(np.eye(12)).forward(GREY[1:]), "(11, 12)"),
        Case("adjoint of another shape", "mask", lambda: Mask(np.eye(12)).adjoint(GREY[1:]), "(12, 12)"),
    ],
    "Mask.random": [
        *each("shape", SHAPES, lambda shape: Mask.random(shape, 0.5, SEED)),
        *each("known", NUMBERS | {"per cent": 50, "negative": -0.5}, lambda known: Mask.random((8, 8), known, SEED)),
        *each("rng", GENERATORS, lambda rng: Mask.random((8, 8), 0.5, rng)),
    ],
    "Mask.block": [
        *each("shape", SHAPES, lambda shape: Mask.block(shape, 2)),
        *each("size", WHOLES | {"larger than the picture": 9}, lambda size: Mask.block((8, 12), size)),
    ],
    "Mask.half": [
        *each("shape", SHAPES, Mask.half),
        *each("lost", NAMES, lambda lost: Mask.half((8, 8), lost)),
        Case("near match", "lost", lambda: Mask.half((8, 8), "botom"), "did you mean 'bottom'"),
    ],
    "Downsample": [
        *each("factor", WHOLES, Downsample),
        Case("forward of an indivisible height", "x", lambda: Downsample(5).forward(GREY), "factor 5"),
        Case("forward of an indivisible width", "x", lambda: Downsample(5).forward(GREY[:10]), "(10, 12)"),
    ],
    "Radon": [
        *each("size", WHOLES, lambda size: Radon(size, [0, 90])),
        *each("angles", ROWS | {"number": 30}, lambda angles: Radon(12, angles)),
        Case("forward of another size", "x", lambda: Radon(8, [0]).forward(GREY), "(8, 8)"),
        Case("adjoint of another shape", "y", lambda: Radon(12, [0]).adjoint(GREY), "(19, 1)"),
    ],
    "Radon.sparse_view": [
        *each("size", WHOLES, lambda size: Radon.sparse_view(size, 4)),
        *each("views", WHOLES, lambda views: Radon.sparse_view(12, views)),
    ],
    "Stack": [
        Case("no operators", "operators", lambda: Stack([]), "empty"),
        *each("operators", OPERATORS, lambda one: Stack([Identity(), one])),
    ],
    "Stack.forward": [
        Case("a batch of another size", "x", lambda: Stack([Identity()] * 2).forward(np.zeros((3, 4, 4, 1))), "3"),
        Case("one picture", "x", lambda: Stack([Identity()] * 2).forward(GREY), "(12, 12)"),
    ],
    "Stack.adjoint": [
        Case("a batch of another size", "y", lambda: Stack([Identity()] * 2).adjoint(np.zeros((3, 4, 4, 1))), "3"),
    ],
    "measure": [
        *each("x", X, lambda x: operators.measure(x, Identity(), 0.1, SEED)),
        *each("operator", OPERATORS, lambda operator: operators.measure(GREY, operator, 0.1, SEED)),
        *each("sigma", SIGMAS, lambda sigma: operators.measure(GREY, Identity(), sigma, SEED)),
        *each("rng", GENERATORS, lambda rng: operators.measure(GREY, Identity(), 0.1, rng)),
        Case("sigma as 25, not 25/255", "sigma", lambda: operators.measure(GREY, Identity(), 25, SEED), "25/255"),
        Case("nothing", "x", lambda: operators.measure(None, Identity(), 0.1, SEED), "None came"),
        Case("0-255 data", "x", lambda: operators.measure(255 * GREY, Identity(), 0.1, SEED), "divide"),
        Case("mask of another shape", "mask", lambda: operators.measure(GREY, Mask(np.eye(8)), 0.1, SEED), "(8, 8)"),
    ],
    "measure_photons": [
        *each("x", X, lambda x: operators.measure_photons(x, Identity(), 10, SEED)),
        *each("operator", OPERATORS | {"negative kernel": Blur([[-1.0]])},
              lambda operator: operators.measure_photons(GREY, operator, 10, SEED)),
        *each("peak", NUMBERS | {"zero": 0, "negative": -1, "too many to count": 1e20},
              lambda peak: operators.measure_photons(GREY, Identity(), peak, SEED)),
        *each("rng", GENERATORS, lambda rng: operators.measure_photons(GREY, Identity(), 10, rng)),
    ],
    "norm": [
        *each("operator", OPERATORS, lambda operator: operators.norm(operator, (8, 8))),
        *each("shape", SHAPES, lambda shape: operators.norm(Identity(), shape)),
        *each("iterations", WHOLES, lambda iterations: operators.norm(Identity(), (8, 8), iterations)),
        *each("seed", SEEDS, lambda seed: operators.norm(Identity(), (8, 8), 5, seed)),
        Case("shape of another mask", "mask", lambda: operators.norm(Mask(np.eye(12)), (8, 8)), "(8, 8)"),
    ],
    # metrics
    "psnr": [
        *each("x", X, lambda x: metrics.psnr(x, GREY)),
        *each("x_hat", PICTURES | {"another shape": GREY[1:]}, lambda x_hat: metrics.psnr(GREY, x_hat)),
        Case("grey against colour", "x_hat", lambda: metrics.psnr(GREY, np.zeros((12, 12, 3))), "(12, 12, 3)"),
        Case("0-255 data", "x_hat", lambda: metrics.psnr(GREY, 255 * GREY), "divide 0-255 data by 255"),
    ],
    "ssim": [
        *each("x", X, lambda x: metrics.ssim(x, GREY)),
        *each("x_hat", PICTURES | {"another shape": GREY[1:]}, lambda x_hat: metrics.ssim(GREY, x_hat)),
        Case("smaller than its window", "x", lambda: metrics.ssim(GREY[:10], GREY[:10]), "11 × 11"),
    ],
    "frechet_from": [
        *each("features_a", ARRAYS | {"one sample": GREY[:1]}, metrics.frechet_from),
    ],
    "frechet_distance": [
        *each("features_a", ARRAYS | {"one sample": GREY[:1]}, lambda a: metrics.frechet_distance(a, GREY)),
        *each("features_b", ARRAYS | {"one sample": GREY[:1], "fewer features": GREY[:, :5]},
              lambda b: metrics.frechet_distance(GREY, b)),
    ],
    "class_coverage": [
        *each("labels", ROWS | {"fractions": [0.0, 1.0], "negative": [0, -1], "beyond": [0, 10], "bool": [True]},
              metrics.class_coverage),
        *each("classes", WHOLES, lambda classes: metrics.class_coverage([0], classes)),
    ],
    "bootstrap_interval": [
        *each("values", ROWS | {"number": 3.0}, metrics.bootstrap_interval),
        *each("level", NUMBERS | {"per cent": 95, "negative": -0.5},
              lambda level: metrics.bootstrap_interval([1.0], level)),
        *each("resamples", WHOLES, lambda resamples: metrics.bootstrap_interval([1.0], 0.9, resamples)),
        *each("seed", SEEDS, lambda seed: metrics.bootstrap_interval([1.0], 0.9, 10, seed)),
    ],
    # plots
    "show": [
        *each("images", PICTURES | {"two channels": [np.zeros((12, 12, 2))], "empty list": [], "empty dict": {},
                                    "number": 3, "list with None": [GREY, None], "two heights": [GREY, GREY[1:]],
                                    "NaN in a batch": spoiled(np.nan)[None, ..., None]},
              plots.show),
        *each("titles", {"too many": ["a", "b"], "none": [], "number": 3}, lambda titles: plots.show(GREY, titles)),
        *each("columns", WHOLES_OR_NONE, lambda columns: plots.show(GREY, columns=columns)),
        *each("zoom", {"too large": (0, 0, 13), "outside": (8, 8, 5), "empty": (0, 0, 0), "negative": (-1, 0, 4),
                       "fractions": (0.5, 0, 4), "two numbers": (0, 4), "number": 4, "string": "abc"},
              lambda zoom: plots.show(GREY, zoom=zoom)),
        *each("scale", WHOLES_OR_NONE, lambda scale: plots.show(GREY, scale=scale)),
        *each("background", NAMES, lambda background: plots.show(GREY, background=background)),
        Case("the bad one of a list", "images[1]", lambda: plots.show([GREY, spoiled(np.nan)]), "NaN"),
        Case("near match", "background", lambda: plots.show(GREY, background="drak"), "did you mean 'dark'"),
    ],
    "colorize": [
        *each("values", {kind: value for kind, value in ARRAYS.items() if kind not in ("NaN", "infinite")}
              | {"nothing finite": np.full((2, 2), np.nan), "colour": np.zeros((4, 4, 3))}, plots.colorize),
        *each("colormap", NAMES, lambda colormap: plots.colorize(GREY, colormap)),
        *each("low", {kind: value for kind, value in NUMBERS.items() if value is not None},
              lambda low: plots.colorize(GREY, low=low)),
        *each("high", {kind: value for kind, value in NUMBERS.items() if value is not None},
              lambda high: plots.colorize(GREY, high=high)),
        *each("shades", WHOLES | {"one": 1}, lambda shades: plots.colorize(GREY, shades=shades)),
        Case("turned round", "low", lambda: plots.colorize(GREY, low=1, high=0), "high=0"),
        Case("near match", "colormap", lambda: plots.colorize(GREY, "virdis"), "did you mean 'viridis'"),
    ],
    "difference": [
        *each("x", X, lambda x: plots.difference(x, GREY)),
        *each("x_hat", PICTURES | {"another shape": GREY[1:]}, lambda x_hat: plots.difference(GREY, x_hat)),
        *each("limit", NUMBERS | {"zero": 0, "negative": -1}, lambda limit: plots.difference(GREY, GREY, limit)),
    ],
    "chart": [
        *each("columns", WHOLES, plots.chart),
        *each("height", NUMBERS | {"zero": 0, "negative": -1}, lambda height: plots.chart(1, height)),
        Case("unknown label", "labels", lambda: plots.chart(xlable="iteration"), "xlable"),
        Case("unknown scale", "labels", lambda: plots.chart(yscale="logg"), "logg"),
    ],
}

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


def test_no_figure_is_left_open_by_a_mistake():
    import matplotlib.pyplot as plt

    plt.close("all")
    for name in ("show", "chart", "colorize", "difference"):
        for case in CASES[name]:
            with pytest.raises((ValueError, TypeError)):
                case.call()
    assert plt.get_fignums() == []


def public_names(module):
    """Return the public functions, classes and methods of a module that take anything a caller could get wrong."""
    for name, thing in vars(module).items():
        home = getattr(thing, "__module__", None) or ""
        passed_on = home.startswith(f"{module.__name__}.") and name in getattr(module, "__all__", ())  # of a package
        if name.startswith("_") or not (home == module.__name__ or passed_on):
            continue
        if inspect.isclass(thing):
            if issubclass(thing, (tuple, Warning)):
                continue  # a record of results: what is in it was checked before
            if inspect.signature(thing).parameters:
                yield name
            for method, value in vars(thing).items():
                if not method.startswith("_") and (callable(value) or isinstance(value, classmethod)):
                    yield f"{name}.{method}"
        elif callable(thing) and inspect.signature(thing).parameters:
            yield name


def test_the_table_covers_every_public_name():
    found = [name for module in (images, reading, operators, metrics, plots) for name in public_names(module)]
    assert sorted(CASES) == sorted(found)


def arguments(name):
    """Return the names of the arguments of a function, class or method of the table."""
    for module in (images, reading, operators, metrics, plots):
        thing = module
        for part in name.split("."):
            thing = getattr(thing, part, None)
        if thing is not None:
            return [argument for argument in inspect.signature(thing).parameters if argument != "self"]
    raise AssertionError(name)


@pytest.mark.parametrize("name", CASES)
def test_the_table_covers_every_argument(name):
    covered = {case.argument for case in CASES[name]}
    unchecked = {"alt"}  # any text will do
    assert set(arguments(name)) - unchecked <= covered
