"""The panel "mix styles": its robots, its mean style and its readings are those of the library."""

import itertools
import re

import numpy as np
import pytest

from helpers import pretrained
from helpers.images import robots
from helpers.live import MIX, first, kernel, pack
from helpers.live import robots as sent
from helpers.models import stylegan
from tests import javascript

# All that share the worker: no two may give one name to different things.
SCRIPTS = ["engine.js", "gradients.js", "methods.js", "denoise.js", "sampler.js", "robots.js", "stylegan.js"]
QUESTIONS = [MIX, {"seeds": [3, 2**32 - 1], "second": [1, 4], "along": 0.15, "truncation": 0.7, "noise": 2}]
ASK = """({ program, content, parts, questions }) => {
  const model = unpacked(content, new Products(bytesOf(program))), drawn = drawings(parts);
  const robots = questions.map((one) => mixedRobots(model, one));
  const width = 3 * 32 ** 2, [{ data }] = robots.slice(-1);
  return { robots, centre: meanStyle(model),
    readings: [0, 1, 2].map((i) => nearestRobot(data.subarray(i * width, (i + 1) * width), drawn, true)) };
}"""


@pytest.fixture(scope="module")
def found():
    """Return what the browser computes of the questions, and how it reads the last one's robots."""
    questions = [one | {"second": [layer in one["second"] for layer in range(stylegan.LAYERS)]} for one in QUESTIONS]
    return javascript.run(SCRIPTS, ASK, {"program": kernel.packed(), "content": pack.shipped("stylegan-robots"),
                                         "parts": sent.parts(), "questions": questions})


def test_the_mean_style_and_the_robots_are_those_of_the_library(found):
    gan = pretrained.shared("stylegan-robots")
    centre = gan.styles(first.browser_noise(0, (10000, gan.latent))).mean(axis=0)
    np.testing.assert_allclose(found["centre"], centre, rtol=0, atol=1e-4)
    for answer, question in zip(found["robots"], QUESTIONS, strict=True):
        expected = first.robots_of_styles(**question, centre=centre)
        np.testing.assert_allclose(javascript.array(answer), expected, rtol=0, atol=1e-4)
        assert all(np.abs(one - other).max() > 0.1 for one, other in itertools.pairwise(expected))


def test_robots_on_speckles_are_read_as_by_the_library(found):
    pictures = javascript.array(found["robots"][-1])[:3]
    expected, distance = robots.read(pictures, "speckles")
    assert [one["robot"] for one in found["readings"]] == expected.tolist()
    np.testing.assert_allclose([one["distance"] for one in found["readings"]], distance, atol=2e-3)


def test_the_figure_is_the_first_mixture_of_the_panel():
    script = (javascript.STATIC / "mix.js").read_text(encoding="utf-8")
    stated = re.search(r"const FIRST = \{ (.*?) \};", script)[1]
    assert stated == ", ".join(f"{name}: {value}" for name, value in MIX.items())
    assert f"SIZES = {list(stylegan.LAYER_SIZES)};" in script
