"""Slopes in the browser: backpropagation gives TensorFlow's gradients, and the GAN's search is that of the library."""

import numpy as np
import pytest

from helpers import pretrained
from helpers.images import digits
from helpers.league import digit_tasks
from helpers.live import kernel, pack
from helpers.models import keras, tf
from tests import javascript
from tests.unit.test_live import described, one, picture, random_weights

layers = keras.layers
SLOPES = """(cases) => cases.map(({ program, content, inputs, weights }) => {
  const networks = unpacked(content, new Products(program ? bytesOf(program) : null));
  const { output, back } = traced(networks.it, inputs);
  return { output, slopes: back(weights), again: back(weights) };
})"""


def several():
    """One network with constants, a product, a concatenation, and inputs that go several ways."""
    a, b = picture(6), picture(6)
    joined = layers.Concatenate()([a * 2.0 - 1.0, a * b])
    h = layers.Dense(5, activation="tanh")(joined)
    return keras.Model([a, b], layers.Dot(1)([h, layers.Dense(5)(b)]) - (layers.Dense(1)(h) - 3.0))


KINDS = {
    "dense": lambda: one(layers.Dense(11), 30),
    "dense on pictures": lambda: one(layers.Dense(4, activation="sigmoid"), 3, 5, 7),
    "convolution": lambda: one(layers.Conv2D(5, 3, padding="same", activation="relu"), 7, 6, 3),
    "convolution, strides": lambda: one(layers.Conv2D(8, 4, strides=2, padding="same"), 9, 8, 2),
    "convolution, odd side": lambda: one(layers.Conv2D(3, 3, strides=2, padding="same"), 7, 8, 2),
    "convolution, valid": lambda: one(layers.Conv2D(9, (2, 3), strides=(1, 2), padding="valid"), 8, 7, 3),
    "transposed": lambda: one(layers.Conv2DTranspose(5, 4, strides=2, padding="same"), 5, 4, 3),
    "transposed, valid": lambda: one(layers.Conv2DTranspose(3, 3, strides=2), 5, 4, 9),
    "transposed, small kernel": lambda: one(layers.Conv2DTranspose(3, 2, strides=3, use_bias=False), 4, 4, 2),
    "transposed, odd kernel": lambda: one(layers.Conv2DTranspose(2, (5, 3), strides=2, padding="same"), 4, 3, 2),
    "group normalisation": lambda: one(layers.GroupNormalization(3, epsilon=0.1), 4, 5, 6),
    "leaky": lambda: one(layers.LeakyReLU(0.2), 4, 5),
    "reshape": lambda: one(layers.Reshape((4, 3)), 12),
    "several": several,
}


@pytest.mark.parametrize("kind", KINDS)
def test_slopes_are_those_of_tensorflow(kind):
    rng, network = np.random.default_rng(0), KINDS[kind]()
    random_weights(network, rng)
    inputs = [tf.constant(rng.normal(0, 1, (2, *one.shape[1:])), tf.float32) for one in network.inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = network(inputs if len(inputs) > 1 else inputs[0], training=False)
        weights = rng.normal(0, 1, output.shape).astype(np.float32)
        total = tf.reduce_sum(weights * output)
    expected = tape.gradient(total, inputs)
    content = described(network)
    answers = javascript.run(["engine.js", "gradients.js"], SLOPES, [
        {"program": program, "content": content, "inputs": [one.numpy() for one in inputs], "weights": weights}
        for program in (kernel.packed(), None)])
    for answer in answers:
        np.testing.assert_allclose(javascript.array(answer["output"]), output, rtol=0, atol=1e-4)
        for slopes in (answer["slopes"], answer["again"]):
            for found, wanted in zip(slopes, expected, strict=True):
                np.testing.assert_allclose(javascript.array(found), wanted, rtol=0,
                                           atol=1e-4 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize(("make", "said"), [
    (lambda: one(layers.MaxPooling2D(2), 4, 4, 2), "no slope of a layer largest"),
    (lambda: one(layers.Activation("gelu"), 4), "no slope of gelu"),
    (lambda: keras.Model([a := picture(3, 4), b := picture(1, 4)], a + b), "numbers that were repeated"),
])
def test_what_has_no_slope_is_refused(make, said):
    network = make()
    inputs = [np.ones((1, *one.shape[1:]), np.float32) for one in network.inputs]
    weights = np.ones((1, *network.output_shape[1:]), np.float32)
    with pytest.raises(RuntimeError, match=said):
        javascript.run(["engine.js", "gradients.js"], SLOPES, [
            {"program": None, "content": described(network), "inputs": inputs, "weights": weights}])


SEARCH = """({ program, contents, question, start, uniform }) => {
  const products = new Products(bytesOf(program)), models = {};
  for (const [name, content] of Object.entries(contents)) models[name] = unpacked(content, products);
  const measurement = { y: question.y.data, mask: question.mask.data, sigma: question.sigma };
  const normal = () => 0.5;
  let drawn = 0;
  const begin = guesses(models, measurement, 3, normal, () => uniform[drawn++]);
  return { begin, walk: [...search(models, measurement, start, 8)] };
}"""


@pytest.fixture(scope="module", params=["half", "noise50"])
def both(request):
    """Return the search of JavaScript and the objects of Python, for one digit and the same starts."""
    y, operators, sigma = digit_tasks.damage(digits().x_test[3:4], request.param)
    inverter = pretrained.shared("inverter")
    mask = np.float32(getattr(operators[0], "mask", np.ones((28, 28))))[None, ..., None]
    level = np.full_like(y, sigma)
    label, z = inverter._from_encoder(y, mask, level, 3, np.random.default_rng(0))
    classes = np.eye(10, dtype=np.float32)[label]
    found = javascript.run(["engine.js", "gradients.js", "methods.js"], SEARCH, {
        "program": kernel.packed(), "contents": {name: pack.shipped(name) for name in ("gan", "inverter")},
        "question": {"y": y, "mask": mask, "sigma": sigma}, "start": {"label": classes, "z": z},
        "uniform": [0.0, 0.999999]})
    return found, inverter, y, mask, level, sigma, classes, z


def test_the_search_is_that_of_the_library(both):
    found, inverter, y, mask, _, sigma, classes, z = both
    spread = np.float32(1 / (2 * (sigma**2 + 0.15**2)))
    assert len(found["walk"]) == 9
    for step in (0, 8):
        x, cost = inverter._search(z, classes, np.repeat(y, 3, 0), np.repeat(mask, 3, 0), spread, np.float32(0.1),
                                   tf.constant(step))
        if step == 0:
            begun = cost
    expected = x.numpy()[np.argmin(cost)]
    if sigma == 0:
        expected = np.where(mask[0] > 0, y[0], expected)
    last = np.array(list(found["walk"][-1])).reshape(28, 28, 1)
    np.testing.assert_allclose(last, expected.clip(0, 1), rtol=0, atol=2e-3)
    assert np.min(cost) < np.min(begun)


def test_the_search_begins_at_the_encoders_guess(both):
    found, inverter, y, mask, level, *_ = both
    nothing = np.zeros((1, 10), np.float32)
    logits = inverter._in_parts(np.concatenate([y, mask, level], -1), nothing)[0][0]
    label = javascript.array(found["begin"]["label"])
    assert label[0].argmax() == logits.argmax() and label.sum() == 3
    odds = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    assert label[1].argmax() == np.flatnonzero(odds.cumsum() > 0)[0]
    assert label[2].argmax() == np.searchsorted(odds.cumsum(), 0.999999)
    _, mean, log_variance = inverter._in_parts(np.repeat(np.concatenate([y, mask, level], -1), 3, 0), label)
    wanted = mean + np.exp(0.5 * np.clip(log_variance, -8, 4)) * np.array([[0], [0.5], [0.5]])
    np.testing.assert_allclose(javascript.array(found["begin"]["z"]), wanted, rtol=0, atol=1e-3)
