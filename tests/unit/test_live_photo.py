"""The panel "your photo": its noise level and its denoiser give in JavaScript what they give in Python."""

import numpy as np
import pytest

from helpers import pretrained
from helpers.images import photo
from helpers.live import kernel, pack
from helpers.metrics import psnr
from helpers.restoration import estimate_noise, noise
from tests import javascript

SCRIPTS = ["engine.js", "methods.js", "denoise.js"]


def planes(y):
    """Return the channels of a picture, as they travel to JavaScript and there become planes."""
    return list(np.moveaxis(np.atleast_3d(y), 2, 0))


PLANES = "(channels) => channels.map(({ shape: [height, width], data }) => plane(height, width, data))"

# ------------------------------------------------------------------------------------------------- the noise level


def grain(x, level, seed=0):
    return x + level / 255 * np.random.default_rng(seed).standard_normal(x.shape).astype(np.float32)


def stored(y):
    """Return a picture as a file of 8 bits holds it."""
    return np.rint(255 * np.clip(y, 0, 1)).astype(np.float32) / np.float32(255)


def framed(y):
    """Put a picture with grain on an even page with bars, where no noise is."""
    page = np.full((y.shape[0] + 60, y.shape[1] + 90), 0.25, np.float32)
    page[30:-30, 50:-40] = y
    page[10:14] = 1
    return page


def pictures():
    cat, rocket = photo("cat", 128), photo("rocket", 128)
    yield from ((f"cat under {level}", grain(cat, level)) for level in (0, 2, 10, 25, 60))
    yield from ((f"cat in a file under {level}", stored(grain(cat, level))) for level in (0, 10, 25, 60))
    yield from ((f"gravel under {level}", grain(photo("gravel", 128), level)) for level in (0, 4, 25))
    yield "dark rocket in a file", stored(grain(rocket * 0.3, 30))
    yield "bright rocket in a file", stored(grain(0.7 + rocket * 0.3, 30))
    yield "in colours", stored(grain(photo("coffee", 96, color=True), 20))
    yield "on a page", framed(stored(grain(cat, 15)))
    yield "one value", np.full((40, 50), 0.5, np.float32)
    yield "a drawing", np.repeat(np.repeat(np.eye(12, dtype=np.float32), 6, 0), 6, 1)
    yield "clipped everywhere", stored(grain(np.ones((60, 60), np.float32), 20))
    yield "narrow", grain(np.full((8, 300), 0.5, np.float32), 20)
    yield "a few pixels", grain(np.full((9, 8), 0.5, np.float32), 20)
    yield "two rows", grain(np.full((2, 50), 0.5, np.float32), 20)
    yield "one row", grain(np.full((1, 50), 0.5, np.float32), 20)


def test_the_estimated_level_is_that_of_the_library():
    """Within a thousandth, for noise of many levels, clipped, rounded, in colours, on pages, and where none is left."""
    named = dict(pictures())
    code = f"({{ clipping, all }}) => all.map((one) => estimateNoise(({PLANES})(one), clipping))"
    found = javascript.run(SCRIPTS, code, {"clipping": noise._clipping(),
                                                  "all": [planes(y) for y in named.values()]})
    expected = [estimate_noise(y) for y in named.values()]
    assert max(expected) > 40 / 255 and min(expected) == 0
    for name, one, wanted in zip(named, found, expected, strict=True):
        assert one == pytest.approx(wanted, rel=1e-3, abs=1e-7), name


# ------------------------------------------------------------------------------------------------------ the network

DENOISE = f"""({{ program, content, cases }}) => {{
  const model = {{ ...unpacked(content, new Products(bytesOf(program))), settings: content.settings }};
  return cases.map(({{ channels, sigma, tile }}) => {{
    const walk = denoisePlanes(model, ({PLANES})(channels), sigma, tile), shares = [];
    for (;;) {{
      const {{ done, value }} = walk.next();
      if (done) return {{ shares, planes: value }};
      shares.push(value);
    }}
  }});
}}"""


def denoised_by(name, cases):
    """Return cases of a picture, its noise level and the side of the tiles, each with what JavaScript made of it."""
    answers = javascript.run(SCRIPTS, DENOISE, {
        "program": kernel.packed(), "content": pack.shipped(name),
        "cases": [{"channels": planes(y), "sigma": sigma, "tile": tile} for y, sigma, tile in cases]})
    return list(zip(cases, answers, strict=True))


@pytest.fixture(scope="module")
def denoised():
    cat, coffee = photo("cat", 200)[:171, :150], photo("coffee", 96, color=True)[:45, :50]
    return denoised_by("denoiser", [
        (grain(cat, 25), 25 / 255, 512), (grain(cat, 25), 25 / 255, 64), (grain(coffee, 50), 50 / 255, 512),
        (grain(cat[:9, :8], 10), 10 / 255, 512), (cat[:40, :40], 0.0, 512), (grain(cat[:64, :40], 90), 90 / 255, 8)])


@pytest.fixture(scope="module")
def denoised_together():
    coffee = photo("coffee", 128, color=True)[:85, :98]
    return denoised_by("denoiser-colour", [
        (grain(coffee, 25), 25 / 255, 512), (grain(coffee, 25), 25 / 255, 40),
        (grain(coffee[:9, :8], 50), 50 / 255, 512), (coffee[:24, :40], 0.0, 512)])


@pytest.mark.parametrize(("name", "cases"), [("denoiser", "denoised"), ("denoiser-colour", "denoised_together")])
def test_the_denoiser_is_that_of_the_library(name, cases, request):
    """In one tile and in many, in grey and in colours, at sides that are no multiples of eight, without noise."""
    denoise = pretrained.shared(name)
    for (y, sigma, tile), answer in request.getfixturevalue(cases):
        found = np.stack([np.reshape(one["data"], y.shape[:2]) for one in answer["planes"]], axis=-1)
        expected = np.atleast_3d(denoise(y, sigma, tile))
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_tiles_leave_no_seam(denoised, denoised_together):
    for (_, whole), (_, tiled) in (denoised[:2], denoised_together[:2]):
        for one, other in zip(tiled["planes"], whole["planes"], strict=True):
            np.testing.assert_allclose(one["data"], other["data"], rtol=0, atol=1e-5)


def test_the_share_that_is_done_grows_to_one(denoised, denoised_together):
    for _, answer in denoised + denoised_together:
        shares = answer["shares"]
        assert 0 < shares[0] < 0.1 and shares[-1] == 1 and shares == sorted(shares)
    assert len(denoised[1][1]["shares"]) > 5 * len(denoised[0][1]["shares"])


def test_added_noise_and_how_near_a_picture_is():
    """The noise is white and of the level asked for; the same seed gives it again; PSNR is the library's."""
    x = np.full((60, 70, 3), 0.5, np.float32)
    code = f"""({{ channels, sigma }}) => {{
      const x = ({PLANES})(channels), [a, b, c] = [1, 1, 2].map((seed) => noisy(x, sigma, seed));
      return {{ a, same: meanSquare(a, b), other: meanSquare(a, c), apart: meanSquare(x, a) }};
    }}"""
    found = javascript.run(SCRIPTS, code, {"channels": planes(x), "sigma": 0.3})
    y = np.stack([np.reshape(one["data"], (60, 70)) for one in found["a"]], axis=-1)
    n = (y - x).astype(np.float64)
    assert n.std() == pytest.approx(0.3, rel=0.03) and abs(n.mean()) < 0.01
    assert abs(np.mean(n[:, 1:] * n[:, :-1])) < 0.05 * 0.09 and abs(np.mean(n[..., 0] * n[..., 1])) < 0.05 * 0.09
    assert found["same"] == 0 and found["other"] > 0.05
    assert -10 * np.log10(found["apart"]) == pytest.approx(psnr(x, y.clip(0, 1).astype(np.float32)), abs=1e-3)
