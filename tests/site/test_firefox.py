"""The panels in Firefox: the same numbers and answers, from http and from a file, by mouse, touch and keyboard."""

import json

import numpy as np
import pytest
from PIL import Image

from helpers import pretrained
from helpers.images import photo
from helpers.live import kernel, pack
from tests import javascript
from tests.site import firefox
from tests.site.browser import PHONE, SITE
from tests.unit.test_live import KINDS, RUN, described, random_weights

STATUS = "() => document.querySelector('.live-status').textContent"
STATUS_HAS = "(pattern) => new RegExp(pattern).test(document.querySelector('.live-status').textContent)"
FIGURE = "() => document.querySelector('.live-panel img').checkVisibility()"


@pytest.fixture(scope="module")
def window():
    path = firefox.executable()
    if path is None:
        pytest.skip("no Firefox on this machine: install one, or name it in the variable FIREFOX")
    window = firefox.Firefox(path)
    yield window
    window.close()


@pytest.fixture(autouse=True)
def quiet(window):
    """No page complains, and none asks another host."""
    window.complaints.clear(), window.foreign.clear()
    yield
    assert not window.complaints + window.foreign


def assert_alike(run, cases):
    """Assert that a browser, whose ``run`` this is, gives Keras' numbers for each (network, inputs, content)."""
    program = kernel.packed()
    text = javascript.written([{"program": program, "content": content, "inputs": inputs}
                               for _, inputs, content in cases])
    answers = json.loads(run(javascript.program(["engine.js"], RUN), text))
    for (network, inputs, _), answer in zip(cases, answers, strict=True):
        expected = network(inputs if len(inputs) > 1 else inputs[0], training=False)
        expected = [np.asarray(one) for one in (expected if isinstance(expected, (list, tuple)) else [expected])]
        for found, wanted in zip(answer, expected, strict=True):
            np.testing.assert_allclose(javascript.array(found), wanted, rtol=0,
                                       atol=1e-4 * max(1, np.abs(wanted).max()))


def every_kind():
    """Return all kinds of layers that the engine knows, as networks with inputs and descriptions."""
    rng, cases = np.random.default_rng(0), []
    for make in KINDS.values():
        network = make()
        random_weights(network, rng)
        cases.append((network, [rng.normal(0, 1, (2, *one.shape[1:])).astype(np.float32) for one in network.inputs],
                      described(network)))
    return cases


def every_shipped():
    """Return the networks that the book serves, likewise."""
    rng = np.random.default_rng(5)
    for name in pack.SERVED:
        for network in pretrained.shared(name).networks.values():
            inputs = [rng.random((2, *(side or 24 for side in one.shape[1:])), np.float32) for one in network.inputs]
            if name.startswith("diffusion"):
                inputs[2] = rng.integers(-1, 10 if name == "diffusion-robots" else 1, inputs[2].shape)
            yield network, inputs, described(network)


@pytest.fixture(params=["firefox", "chromium"])
def run(request):
    """Return what runs a program in each of the browsers."""
    if request.param == "firefox":
        window = request.getfixturevalue("window")
        window.open("about:blank")
        return lambda program, text: window.call(program, text)
    tab = request.getfixturevalue("tab")
    tab.goto("about:blank")
    return lambda program, text: tab.evaluate(program, text)


def test_every_layer_gives_the_numbers_of_keras_in_each_browser(run):
    assert_alike(run, every_kind())


def test_every_shipped_network_gives_the_numbers_of_keras_in_each_browser(run):
    for case in every_shipped():
        assert_alike(run, [case])


@pytest.mark.parametrize("place", ["a file", "http"])
def test_a_digit_is_damaged_and_restored(window, address, place):
    window.open(f"{address if place == 'http' else SITE.as_uri()}/book/index.html")
    assert window.call(FIGURE)
    window.press(".live-panel button", "Hole")
    window.wait_for(STATUS_HAS, "^With 196 of 784.*four draws of the diffusion model")
    readings = window.call("() => [...document.querySelectorAll('.live-reading')].map((one) => one.textContent)")
    assert len(readings) == 7 and all("reads" in one for one in readings), readings
    window.call("() => [...document.querySelectorAll('.live-panel button')].find("
                "(one) => one.textContent.includes('Lower half')).focus()")
    window.type("Enter")
    window.wait_for(STATUS_HAS, "^With 392 of 784.*four draws of the diffusion model")


def test_a_digit_is_wiped_by_touch_on_a_phone(window, address):
    window.open(f"{address}/book/index.html", PHONE)
    window.press(".live-panel button", "Whole again", "touch")
    window.wait_for(STATUS_HAS, "^With nothing lost.*four draws of the diffusion model")
    window.press(".live-board", kind="touch")
    window.wait_for(STATUS_HAS, "^With \\d+ of 784.*four draws of the diffusion model")
    assert window.call("() => document.documentElement.scrollWidth") <= PHONE


def test_a_photograph_is_denoised(window, address, tmp_path):
    rng = np.random.default_rng(0)
    noisy = np.clip(photo("cat", 128) + 25 / 255 * rng.standard_normal((128, 128)), 0, 1)
    Image.fromarray(np.rint(255 * noisy).astype(np.uint8)).save(tmp_path / "mine.png")
    window.open(f"{address}/book/3-algorithms/convolutional-networks.html")
    window.choose(".live-panel input[type=file]", tmp_path / "mine.png")
    window.wait_for(STATUS_HAS, "It took")
    assert window.call(STATUS).startswith("mine: 128 × 128, grey.")


def test_a_robot_is_drawn_by_words(window, address):
    window.open(f"{address}/book/3-algorithms/diffusion.html")
    assert window.call(FIGURE)
    window.press(".live-panel button", "Draw")
    window.wait_for(STATUS_HAS, "(reads as|It is|read)")


def test_two_robots_are_mixed(window, address):
    window.open(f"{address}/book/4-examples/stylegan.html", PHONE)
    assert window.call(FIGURE)
    window.press(".live-panel button", "Draw", "touch")
    window.wait_for(STATUS_HAS, "^Layers 0, 1 and 2 of B.*nearest to the mixture")
    window.call("() => [...document.querySelectorAll('.live-panel input[type=checkbox]')].at(-1).focus()")
    window.type(" ")
    window.wait_for(STATUS_HAS, "^Layers 0, 1, 2 and 5 of B.*nearest to the mixture")
    assert window.call("() => document.documentElement.scrollWidth") <= PHONE


def test_a_knob_is_turned_by_keys(window, address):
    window.open(f"{address}/book/3-algorithms/least-squares.html")
    before = window.call("() => document.querySelector('.live-panel input').value")
    window.call("() => document.querySelector('.live-panel input').focus()")
    window.type("ArrowRight")
    assert window.call("() => document.querySelector('.live-panel input').value") != before
    window.wait_for("() => [...document.querySelectorAll('.live-panel img')].some("
                    "(one) => one.checkVisibility() && one.complete && one.naturalWidth > 0)")
