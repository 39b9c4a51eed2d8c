"""The panel "draw from noise": its walk, its words and its reading of robots are those of the library."""

import re

import numpy as np
import pytest

from helpers import pretrained
from helpers.images import robots
from helpers.live import WALK, first, kernel, pack
from helpers.live import robots as sent
from helpers.models import diffusion
from tests import javascript

SCRIPTS = ["engine.js", "methods.js", "sampler.js", "robots.js"]
WALKS = [  # model, what is asked for, sampler, steps, guidance
    ("diffusion-digits", 3, "heun", 5, 2.0),
    ("diffusion-digits", -1, "ddpm", 4, 1.5),
    ("diffusion-digits", 8, "flow", 3, 0.0),
    ("diffusion-robots", [2, -1, -1, 5, -1, -1], "heun", 4, 2.0),
    ("diffusion-robots", [7, 0, 3, 2, 0, 6], "ddim", 3, 1.0),
    ("diffusion-robots", [-1, -1, -1, -1, -1, 4], "ddpm", 3, 3.0),
]
WALK_ALL = """({ program, contents, walks }) => {
  const products = new Products(bytesOf(program)), models = {};
  for (const [name, content] of Object.entries(contents)) {
    models[name] = { ...unpacked(content, products), settings: content.settings };
  }
  return walks.map(({ name, said, noise, ...how }) => {
    let used = 0;
    const steps = [...sample(models[name], said, how, noise ? () => noise.data[used++] : gaussian(how.seed))];
    return { steps, used };
  });
}"""


def browser_walks(walks):
    names = {walk["name"] for walk in walks}
    return javascript.run(SCRIPTS, WALK_ALL, {"program": kernel.packed(), "walks": walks,
                                              "contents": {name: pack.shipped(name) for name in names}})


@pytest.fixture(scope="module")
def both():
    """Return the walks of the browser and those of the library from the same noise."""
    questions, expected = [], []
    for name, said, sampler, steps, guidance in WALKS:
        model, way = pretrained.shared(name), diffusion.SAMPLERS[sampler]
        count = (1 + (steps if way.eta else 0)) * int(np.prod(model.shape))
        questions.append({"name": name, "said": [said, -1] if name == "diffusion-digits" else said, "sampler": sampler,
                          "steps": steps, "guidance": guidance,
                          "noise": np.random.default_rng(7).standard_normal(count, dtype=np.float32)})

        def look(x, sigma, model=model, said=said, guidance=guidance):
            return model.denoise(x, sigma, said, guidance)

        rng, sigmas = np.random.default_rng(7), diffusion.levels(sampler, steps)
        walk = list(diffusion.walk(look, model.start(1, rng), sigmas, way.eta, way.order, rng))
        expected.append([(x, look(x, sigma) if sigma else x, sigma) for x, sigma in zip(walk, sigmas, strict=True)])
    return browser_walks(questions), expected


@pytest.mark.parametrize("walk", range(len(WALKS)), ids=lambda walk: "-".join(map(str, WALKS[walk][:3])))
def test_every_step_is_that_of_the_library(both, walk):
    """To 1e-4 of the picture's range, or of the noise where that is stronger."""
    found, expected = both[0][walk], both[1][walk]
    name, _, sampler, steps, _ = WALKS[walk]
    assert len(found["steps"]) == len(expected) == steps + 1
    per_picture = int(np.prod(pretrained.shared(name).shape))
    assert found["used"] == per_picture * (steps if diffusion.SAMPLERS[sampler].eta else 1)  # the last step adds none
    for one, (x, clean, sigma) in zip(found["steps"], expected, strict=True):
        assert one["sigma"] == pytest.approx(sigma, rel=1e-6, abs=1e-9)
        np.testing.assert_allclose(javascript.array(one["x"]), x, rtol=0, atol=1e-4 * max(1, sigma))
        np.testing.assert_allclose(javascript.array(one["clean"]), clean, rtol=0, atol=1e-4)


def test_levels_and_prices_are_those_of_the_library():
    cases = [(sampler, steps, guidance) for sampler in diffusion.SAMPLERS for steps in (1, 2, 9, 36)
             for guidance in (0, 1, 2.5)]
    code = """(cases) => cases.map(([sampler, steps, guidance]) =>
      [SAMPLERS[sampler].levels(steps, 40), evaluations(sampler, steps, guidance)])"""
    for case, (levels, price) in zip(cases, javascript.run(SCRIPTS, code, cases), strict=True):
        np.testing.assert_allclose(levels, diffusion.levels(*case[:2]), rtol=1e-6, atol=1e-9)
        assert price == diffusion.evaluations(*case)


def test_the_figure_is_the_first_walk_of_the_panel():
    """The script begins with the figure's settings, and draws its noise."""
    script = (javascript.STATIC / "draw.js").read_text(encoding="utf-8")
    stated = re.search(r"const FIRST = \{(.*?)\};", script)[1]
    assert dict(re.findall(r'(\w+): "?([-\w.]+)"?', stated)) == {name: str(value) for name, value in WALK.items()}
    how = {name: value for name, value in WALK.items() if name != "label"}
    (found,) = browser_walks([{"name": "diffusion-digits", "said": [WALK["label"], -1], **how}])
    for one, (x, clean, sigma) in zip(found["steps"], first.walk_of_digit(), strict=True):
        np.testing.assert_allclose(javascript.array(one["x"]), x, rtol=0, atol=1e-4 * max(1, sigma))
        np.testing.assert_allclose(javascript.array(one["clean"]), clean, rtol=0, atol=1e-4)


def test_noise_of_the_browser():
    code = "(seed) => { const normal = gaussian(seed); return Array.from({ length: 4000 }, normal); }"
    for seed in (0, 1, 2**32 - 1):
        noise = first.browser_noise(seed, (4, 1000))
        np.testing.assert_allclose(np.reshape(javascript.run(SCRIPTS, code, seed), (4, 1000)), noise, atol=1e-5)
    assert abs(noise.mean()) < 0.06 and abs(noise.std() - 1) < 0.05


@pytest.mark.parametrize(("arguments", "error", "said"), [
    ((-1, (2,)), ValueError, "seed"), ((1.5, (2,)), TypeError, "seed"), ((2**32, (2,)), ValueError, "seed")])
def test_odd_seeds_are_refused(arguments, error, said):
    with pytest.raises(error, match=said):
        first.browser_noise(*arguments)


def test_a_walk_with_new_noise_is_not_the_first():
    with pytest.raises(ValueError, match="sampler 'ddpm' adds noise"):
        first.walk_of_digit(sampler="ddpm")


# ------------------------------------------------------------------------------------------------ words


def shortened(attributes, rng):
    """Return robots of which something is left open."""
    return np.where(rng.random(attributes.shape) < 0.5, attributes, robots.UNSAID)


SOME = robots.draw_robots(300, seed=3, split="all")
CAPTIONS = robots.caption(SOME) + robots.caption(shortened(SOME, np.random.default_rng(3))) + [
    "Green, with a hat!", "a hat, an egg head, green", "GRAY robot number seven", "cyclops eye", "two-toothed mouth",
    "robot", "a hat and a hat", "owl, hat, barrel", "a_green_robot"]
BAD = [
    "", "  ,;! ", "a gren robot", "a robot with a moustach", "a red green robot", "green and a moustache with a hat",
    "an egg body", "a head", "mouth", "the robot with eyes", "xyzzy", "ein Roboter", "a round, head egg head",
    "roboter", "owl, glass, barrel",
    "'quoted' robot", 'a "red" robts', "it's a \"robt\"", "back\\slash", "tab\tand\nnewline ñandú", "zero\u200bwidth",
    "no\xa0break space", "constructor", "toString", "__proto__", "ΣΊΣΥΦΟΣ", "hats", "head hat", "a-b", "gray grey blue",
    "two-tothed", "tooo", "beards", "1234567", "letter box mouth", "\U0001f916 robotic", "e" * 190]


def test_words_are_read_as_by_the_library():
    code = """({ captions, words }) => captions.map((caption) => {
      try { return parse(caption, words); } catch (error) { return error.message; }
    })"""
    found = javascript.run(SCRIPTS, code, {"captions": CAPTIONS + BAD, "words": sent.words()})
    for text, answer in zip(CAPTIONS, found, strict=False):
        assert answer == robots.parse(text).tolist(), text
    for text, answer in zip(BAD, found[len(CAPTIONS) :], strict=True):
        with pytest.raises(ValueError) as refused:
            robots.parse(text)
        assert answer == str(refused.value), text


def test_near_words_are_those_of_the_library():
    """Every word with a letter lost, doubled or exchanged."""
    words = sent.words()
    known = [*words["fillers"], *words["meanings"], *words["nouns"]]
    misspelt = [word[:k] + change + word[k + 1 :] for word in known for k in range(len(word))
                for change in ("", 2 * word[k], "e")]
    misspelt = sorted({word for word in misspelt if re.fullmatch(r"[a-z]+(-[a-z]+)*", word)} - set(known))
    code = """({ misspelt, words }) => misspelt.map((word) => {
      try { parse(word, words); } catch (error) { return error.message; }
    })"""
    found = javascript.run(SCRIPTS, code, {"misspelt": misspelt, "words": words})
    assert len(misspelt) > 500
    for word, answer in zip(misspelt, found, strict=True):
        with pytest.raises(ValueError) as refused:
            robots.parse(word)
        assert answer == str(refused.value)


def test_captions_are_those_of_the_library():
    some = np.concatenate([SOME, shortened(SOME, np.random.default_rng(5)), [[-1] * 6]])
    found = javascript.run(SCRIPTS, "({ some, words }) => some.map((one) => caption(one, words))",
                           {"some": some.tolist(), "words": sent.words()})
    assert found == robots.caption(some)


# ------------------------------------------------------------------------------------------------ reading


def test_the_nearest_robot_is_that_of_the_library():
    """For robots, for robots in noise, for samples of the network, and for what is no robot at all."""
    rng = np.random.default_rng(2)
    clean = robots.render(robots.draw_robots(4, seed=9, split="all"))
    model = pretrained.shared("diffusion-robots")
    pictures = np.concatenate([clean, clean + 0.1 * rng.standard_normal(clean.shape), model.sample(3, seed=1, steps=5),
                               rng.random((1, 32, 32, 3))]).astype(np.float32)
    code = """({ pictures, parts }) => {
      const drawn = drawings(parts), [n, ...sides] = pictures.shape, width = size(sides);
      const each = Array.from({ length: n }, (_, i) => pictures.data.subarray(i * width, (i + 1) * width));
      return each.map((one) => nearestRobot(one, drawn));
    }"""
    found = javascript.run(SCRIPTS, code, {"pictures": pictures, "parts": sent.parts()})
    expected, distance = robots.read(pictures)
    assert [one["robot"] for one in found] == expected.tolist()
    np.testing.assert_allclose([one["distance"] for one in found], distance, atol=2e-3)


def test_the_drawings_are_small():
    """Each pixel that a part covers, and no other; to within half of a byte's step."""
    parts = sent.parts()
    assert len(pack.script("robot-world", sent.content())) < 300_000
    code = "(parts) => drawings(parts)[1][4].byColour[6]"
    head = robots.parts(32)["head"][6, 4].reshape(-1, 4)
    pixels = parts["pixels"]["head"][4]
    found = np.reshape(javascript.run(SCRIPTS, code, parts), (len(pixels), 4))
    np.testing.assert_allclose(found, head[pixels], atol=0.5 / 255 + 1e-6)
    assert np.delete(head, pixels, axis=0).max() < 0.5 / 255
