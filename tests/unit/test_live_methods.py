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
    const pictures = [restorer, gan, vae].map((method) => method(models, question));
    const batch = tensor([3, ...SIDES], Float32Array.from(pictures.flatMap((one) => [...one])));
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
            pretrained.shared("inverter").restore(y, operators, sigma, restarts=1, steps=0),
            pretrained.shared("vae").restore(y, operators, sigma)]).clip(0, 1)
        expected.append((pictures, pretrained.shared("classifier").probabilities(pictures)))
    y, operators, sigma = digit_tasks.damage(x, "hole")
    drawn = samplers.sample(y[0], operators[0], sigma, pretrained.shared("diffusion-digits"), 2, seed=4,
                            method="repaint", steps=3, jumps=2)
    noise = np.random.default_rng(4).standard_normal(20 * 2 * 784).astype(np.float32)
    found = javascript.run(["engine.js", "methods.js"], RUN, {
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
