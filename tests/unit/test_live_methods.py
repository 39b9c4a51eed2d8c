"""The methods of the panels give in JavaScript what they give in Python."""

import numpy as np
import pytest

from helpers import pretrained
from helpers.images import digits
from helpers.league import digit_tasks
from helpers.live import kernel, pack
from helpers.live.first import restored_digit
from helpers.posterior import samplers
from tests import javascript

RUN = """({ program, contents, questions, noise }) => {
  const products = new Products(bytesOf(program)), models = {};
  for (const [name, content] of Object.entries(contents)) {
    models[name] = { ...unpacked(content, products), settings: content.settings };
  }
  const answers = questions.map(({ y, mask, sigma }) => {
    const question = { y: y.data, mask: mask.data, sigma };
    const pictures = [restorer, vae].map((method) => method(models, question));
    const batch = tensor([2, ...SIDES], Float32Array.from(pictures.flatMap((one) => [...one])));
    return { pictures: batch, odds: read(models, batch) };
  });
  let used = 0;
  const first = { y: questions[0].y.data, mask: questions[0].mask.data, sigma: 0 };
  const walk = [...repaint(models, first, 2, () => noise.data[used++], 3, 2)];
  const noisy = questions.at(-1);
  const question = { y: noisy.y.data, mask: noisy.mask.data, sigma: noisy.sigma };
  const draws = [...repaint(models, question, 8, gaussian(1), 20)];
  return { answers, drawn: walk.at(-1), used, denoised: draws.at(-1) };
}"""
TASKS = ("hole", "missing75", "noise50")


@pytest.fixture(scope="module")
def both():
    """Return what JavaScript and what Python make of a digit under three damages."""
    x = digits().x_test[3:4]
    questions, expected = [], []
    for task in TASKS:
        y, operators, sigma = digit_tasks.damage(x, task)
        mask = getattr(operators[0], "mask", np.ones((28, 28))).astype(np.float32)
        questions.append({"y": y, "mask": mask, "sigma": sigma})
        pictures = np.concatenate([
            pretrained.shared("restorer").restore(y, operators, sigma),
            pretrained.shared("vae").restore(y, operators, sigma)]).clip(0, 1)
        expected.append((pictures, pretrained.shared("classifier").probabilities(pictures)))
    y, operators, sigma = digit_tasks.damage(x, "hole")
    drawn = samplers.sample(y[0], operators[0], sigma, pretrained.shared("diffusion-digits"), 2, seed=4,
                            method="repaint", steps=3, jumps=2)
    noise = np.random.default_rng(4).standard_normal(20 * 2 * 784).astype(np.float32)
    found = javascript.run(["engine.js", "gradients.js", "methods.js"], RUN, {
        "program": kernel.packed(), "contents": {name: pack.shipped(name) for name in pack.SERVED},
        "questions": questions, "noise": noise})
    return found, expected, drawn, x


@pytest.mark.parametrize("task", TASKS)
def test_one_answer_each(both, task):
    found, expected, _, _ = both
    answer, (pictures, odds) = found["answers"][TASKS.index(task)], expected[TASKS.index(task)]
    np.testing.assert_allclose(javascript.array(answer["pictures"]), pictures, rtol=0, atol=1e-4)
    np.testing.assert_allclose(np.array(answer["odds"]), odds, rtol=0, atol=1e-3)


def test_the_walk_with_known_pixels_is_that_of_the_library(both):
    found, _, drawn, _ = both
    assert found["used"] == (1 + 3 + 2 + 3 + 2) * 2 * 784  # the start; two steps taken twice; the last draws none
    np.testing.assert_allclose(javascript.array(found["drawn"]), drawn.clip(0, 1), rtol=0, atol=1e-3)


KNOWING = """({ x, cases }) => {
  const settings = { centre: 0.3, spread: 0.4, highest: 10 }, seen = [];
  const denoiser = {  // one that knows the digit, and notes how noisy what it gets is where the mask is 1 and where 0
    run([inside, level]) {
      const t = Math.exp(4 * level.data[0]), total = Math.hypot(t, settings.spread);
      const kept = (settings.spread / total) ** 2, correction = t * settings.spread / total;
      const squares = [0, 0], counts = [0, 0];
      const answer = inside.data.map((value, i) => {
        const noisy = total * value, clean = x.data[i % PIXELS] - settings.centre, part = mask.data[i % PIXELS];
        squares[part] += (noisy - clean) ** 2;
        counts[part]++;
        return (clean - kept * noisy) / correction;
      });
      seen.push([t, ...squares.map((sum, part) => (counts[part] ? Math.sqrt(sum / counts[part]) / t : 1))]);
      return [tensor(inside.shape, answer)];
    },
  };
  let mask;
  return cases.map(({ y, mask: known, sigma }) => {
    mask = known;
    seen.length = 0;
    const question = { y: y.data, mask: mask.data, sigma };
    const walk = [...repaint({ "diffusion-digits": { denoiser, settings } }, question, 4, gaussian(3))];
    return { seen: [...seen], end: walk.at(-1) };
  });
}"""


@pytest.mark.parametrize(("sigma", "lost", "calls"), [
    (0, "half", 1 + 19 * 5), (0.5, "nothing", 20), (0.5, "half", None), (0.05, "half", None)])
def test_at_each_level_of_the_walk_the_noise_has_that_level(sigma, lost, calls):
    """In known and in lost pixels, with a network that knows the digit; and what comes out is the digit."""
    x = digits().x_test[3]
    mask = np.ones((28, 28), np.float32)
    if lost == "half":
        mask[14:] = 0
    y = mask * (x[..., 0] + sigma * np.random.default_rng(1).standard_normal((28, 28)))
    answer = javascript.run(["engine.js", "methods.js"], KNOWING, {
        "x": x, "cases": [{"y": y, "mask": mask, "sigma": sigma}]})[0]
    levels, *noise = np.array(answer["seen"], float).T
    assert levels[0] == pytest.approx(sigma if lost == "nothing" else 10, rel=1e-3) and levels.min() < 0.005
    assert calls is None or len(levels) == calls
    np.testing.assert_allclose(noise, 1, atol=0.15)
    assert np.abs(javascript.array(answer["end"]) - x).max() < 0.02


def test_the_vae_chooses_the_class_as_in_python():
    """Of digits that several classes fit: with twice the weight of the code's odds, or none, others would be chosen."""
    y, operators, _ = digit_tasks.damage(digits().x_test[[47, 49, 97, 126]], "hole")
    code = """({ program, content, questions }) => {
      const models = { vae: unpacked(content, new Products(bytesOf(program))) };
      return questions.map(({ y, mask }) => vae(models, { y: y.data, mask: mask.data, sigma: 0 }));
    }"""
    found = javascript.run(["engine.js", "methods.js"], code, {
        "program": kernel.packed(), "content": pack.shipped("vae"),
        "questions": [{"y": one, "mask": operator.mask.astype(np.float32)}
                      for one, operator in zip(y, operators, strict=True)]})
    expected = pretrained.shared("vae").restore(y, operators, 0)
    found = np.array([list(one) for one in found]).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_the_walk_from_a_noisy_digit_ends_near_it(both):
    """Nothing is lost, so the walk begins at y. Eight draws scatter, and their mean is nearer the truth than y."""
    found, _, _, x = both
    draws = javascript.array(found["denoised"])
    y, _, _ = digit_tasks.damage(x, "noise50")
    assert ((draws.mean(axis=0) - x[0]) ** 2).mean() < 0.2 * ((y[0] - x[0]) ** 2).mean()
    assert draws.std(axis=0).max() > 0.05


def test_vae_restores_better_than_nothing():
    """On held-out digits: more of them can be read again, and known pixels stay."""
    x, labels = (values[:40] for values in digits()[2:])
    judge = pretrained.shared("classifier")
    for task, gain in (("hole", 0.2), ("missing75", 0.4)):
        y, operators, sigma = digit_tasks.damage(x, task)
        x_hat = pretrained.shared("vae").restore(y, operators, sigma)
        assert np.mean(judge.read(x_hat) == labels) > np.mean(judge.read(y) == labels) + gain
        mask = np.stack([operator.mask for operator in operators])[..., None]
        assert np.abs(mask * (x_hat - y)).max() < 1e-6
    one = pretrained.shared("vae").restore(y[0, ..., 0], operators[0], sigma)
    assert one.shape == (28, 28) and np.allclose(one, x_hat[0, ..., 0], atol=1e-5)


@pytest.mark.parametrize(("rounds", "error"), [(0, ValueError), (1.5, TypeError)])
def test_vae_restore_refuses_odd_rounds(rounds, error):
    y, operators, sigma = digit_tasks.damage(digits().x_test[:1], "hole")
    with pytest.raises(error, match="rounds"):
        pretrained.shared("vae").restore(y, operators, sigma, rounds=rounds)


@pytest.mark.parametrize(("arguments", "said"), [((10, "half"), "label"), ((7, "halves"), "'half'"),
                                                 ((7, "noise50"), "needs a Mask")])
def test_a_first_state_that_cannot_be_drawn_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        restored_digit(*arguments)
