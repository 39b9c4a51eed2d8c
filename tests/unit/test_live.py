"""Networks in the browser: the engine gives Keras' numbers, for every layer it knows and every shipped model."""

import json
import time

import numpy as np
import pytest

from helpers import pretrained
from helpers.live import graph, kernel, pack
from helpers.live.__main__ import text
from helpers.models import chooser, enlarger, keras, painter, stylegan, tf, tokenizer
from helpers.models.transformer import Block
from tests import javascript

layers, ops = keras.layers, keras.ops

RUN = """(cases) => {
  const bytes = (base64) => (base64 ? bytesOf(base64) : null);
  return cases.map(({ program, content, inputs }) => {
    const networks = unpacked(content, new Products(bytes(program)));
    return networks.it.run(inputs);
  });
}"""


def described(network):
    arrays = {name: np.asarray(value) for name, value in pretrained._named({"it": network})}
    return pack.model({"it": graph.write(network, "it")}, arrays)


def assert_same(network, inputs, tolerance=1e-4):
    """Assert that both kernels of the engine give what Keras gives; the tolerance is of the largest value, or of 1."""
    expected = [np.asarray(one) for one in tf.nest.flatten(network(inputs, training=False))]
    content = described(network)
    answers = javascript.run(["engine.js"], RUN, [
        {"program": program, "content": content, "inputs": inputs} for program in (kernel.packed(), None)])
    for answer in answers:
        assert len(answer) == len(expected)
        for found, wanted in zip(answer, expected, strict=True):
            assert found["shape"] == list(wanted.shape)
            np.testing.assert_allclose(javascript.array(found), wanted, rtol=0,
                                       atol=tolerance * max(1, np.abs(wanted).max()))


def random_weights(network, rng):
    """Give a network weights that float16 holds exactly; variances above zero."""
    for variable in network.variables:
        value = rng.normal(0, 0.5, variable.shape)
        value = np.abs(value) + 0.25 if "variance" in variable.path else value
        variable.assign(value.astype(np.float16).astype(np.float32))


def picture(*shape):
    return keras.Input(shape)


def one(layer, *shape):
    x = picture(*shape)
    return keras.Model(x, layer(x))


KINDS = {
    "convolution": lambda: one(layers.Conv2D(5, 3, padding="same"), 7, 6, 3),
    "convolution, valid": lambda: one(layers.Conv2D(9, (2, 3), padding="valid", activation="tanh"), 7, 6, 3),
    "convolution, even kernel, strides": lambda: one(layers.Conv2D(8, 4, strides=2, padding="same"), 9, 8, 2),
    "convolution, uneven strides": lambda: one(layers.Conv2D(1, (5, 2), strides=(3, 2), use_bias=False), 11, 9, 2),
    "convolution, many rows": lambda: one(layers.Conv2D(17, 3, padding="same"), 60, 50, 24),
    "convolution, many columns": lambda: one(layers.Conv2D(33, 1), 90, 80, 1),
    "transposed": lambda: one(layers.Conv2DTranspose(5, 4, strides=2, padding="same"), 5, 4, 3),
    "transposed, valid": lambda: one(layers.Conv2DTranspose(3, 3, strides=2, activation="relu"), 5, 4, 9),
    "transposed, small kernel": lambda: one(layers.Conv2DTranspose(3, 2, strides=3, use_bias=False), 4, 4, 2),
    "transposed, odd kernel": lambda: one(layers.Conv2DTranspose(2, 5, strides=2, padding="same"), 4, 3, 2),
    "depthwise": lambda: one(layers.DepthwiseConv2D(3, 2, "same", activation="relu6"), 9, 8, 5),
    "dense": lambda: one(layers.Dense(11, activation="silu"), 30),
    "dense on pictures": lambda: one(layers.Dense(4, activation="softmax"), 3, 5, 7),
    "batch normalisation": lambda: one(layers.BatchNormalization(), 4, 5, 6),
    "group normalisation": lambda: one(layers.GroupNormalization(3), 4, 5, 6),
    "layer normalisation": lambda: one(layers.LayerNormalization(), 7, 6),
    "unit normalisation": lambda: one(layers.UnitNormalization(), 3, 6),
    "equal, dense": lambda: one(stylegan.Equal(11, bias=1.0, slow=0.1), 30),
    "equal, convolution": lambda: one(stylegan.Equal(5, 4, stride=2, gain=1.0), 8, 6, 3),
    "start": lambda: one(stylegan.Start(5), 7),
    "double": lambda: one(stylegan.Double(), 3, 4, 5),
    "unfold": lambda: one(stylegan.Unfold(), 3, 4, 12),
    "largest": lambda: one(layers.MaxPooling2D(), 7, 8, 3),
    "largest, same": lambda: one(layers.MaxPooling2D(3, 2, "same"), 7, 8, 3),
    "mean": lambda: one(layers.AveragePooling2D(3, 2, "same"), 7, 8, 3),
    "global mean": lambda: one(layers.GlobalAveragePooling2D(), 7, 8, 3),
    "enlarge": lambda: one(layers.UpSampling2D((2, 3)), 3, 4, 2),
    "enlarge smoothly": lambda: one(layers.UpSampling2D(3, interpolation="bilinear"), 3, 4, 2),
    "enlarge by the bicubic rule": lambda: one(enlarger.Bicubic(), 3, 4, 2),
    "enlarge two pixels": lambda: one(enlarger.Bicubic(), 1, 2, 3),
    "pixel shuffle": lambda: one(enlarger.PixelShuffle(), 3, 4, 32),
    "mirror": lambda: mirrored([[0, 0], [3, 1], [0, 2], [0, 0]]),
    "instance normalisation": lambda: one(painter.InstanceNormalization(), 4, 5, 6),
    "places": lambda: one(tokenizer.Places(), 3, 4, 5),
    "strength": lambda: one(chooser.Strength(), 6),
    "global mean of a line": lambda: one(layers.GlobalAveragePooling1D(), 7, 3),
    "block of a transformer": lambda: one(Block(3, causal=False), 5, 12),
    "rescaling": lambda: one(layers.Rescaling(2.0, -1.0), 3, 4, 2),
    "reshape": lambda: one(layers.Reshape((6, 4)), 3, 4, 2),
    "flatten": lambda: one(layers.Flatten(), 3, 4, 2),
    "dropout": lambda: one(layers.Dropout(0.5), 3, 4),
    "leaky ReLU layer": lambda: one(layers.LeakyReLU(0.3), 9),
    "ReLU layer up to six": lambda: one(layers.ReLU(max_value=6), 9),
    "softmax layer": lambda: one(layers.Softmax(), 3, 4),
    "ReLU layer with a slope": lambda: one(layers.ReLU(negative_slope=0.1), 9),
    **{f"activation {name}": (lambda name=name: one(layers.Activation(name), 40)) for name in graph.ACTIVATIONS},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_gives_the_numbers_of_keras(kind):
    rng = np.random.default_rng(3)
    network = KINDS[kind]()
    random_weights(network, rng)
    assert_same(network, [rng.normal(0, 2, (2, *network.input_shape[1:])).astype(np.float32)])


STYLES = {  # what a style rules takes two inputs; what comes in, then the layer
    "modulated": ([(5, 6, 7), (7,)], lambda: stylegan.Modulated(9)),
    "modulated, many channels": ([(4, 4, 40), (40,)], lambda: stylegan.Modulated(33, 1)),
    "modulated, not demodulated": ([(5, 6, 7), (7,)], lambda: stylegan.Modulated(3, 1, demodulate=False)),
    "noise": ([(3, 4, 5), (12,)], lambda: stylegan.Noise(0.5)),
}


@pytest.mark.parametrize("kind", STYLES)
def test_every_layer_that_a_style_rules_gives_the_numbers_of_keras(kind):
    shapes, make = STYLES[kind]
    rng, inputs = np.random.default_rng(4), [picture(*shape) for shape in shapes]
    network = keras.Model(inputs, make()(inputs))
    random_weights(network, rng)
    assert_same(network, [rng.normal(0, 2, (2, *shape)).astype(np.float32) for shape in shapes])


def test_rows_are_cut_out():
    styles = picture(4, 6)
    network = keras.Model(styles, [styles[:, k] for k in (0, 2, -1)])
    assert_same(network, [np.random.default_rng(6).normal(size=(3, 4, 6)).astype(np.float32)])


def test_numbers_without_a_length_stay_nought():
    assert_same(one(layers.UnitNormalization(), 5), [np.zeros((2, 5), np.float32)])


def test_the_strength_of_a_caption_ends_at_a_hundred():
    network = one(chooser.Strength(), 3)
    network.variables[0].assign(7.0)
    assert_same(network, [np.ones((2, 3), np.float32)])


def test_embedding():
    index = keras.Input((3,), dtype="int32")
    network = keras.Model(index, layers.Embedding(7, 5)(index))
    random_weights(network, np.random.default_rng(0))
    assert_same(network, [np.array([[0, 6, 3], [1, 1, 5]], np.float32)])


def test_arithmetic_of_tensors_and_constants():
    """Every way in which two tensors can have different sides, and what is cut out of one."""
    x, row, index = picture(4, 5, 6), picture(1, 1, 6), keras.Input((2,), dtype="int32")
    constant = np.linspace(-1, 1, 6).astype(np.float32)
    outputs = [x * row, row - x, 2.0 - x, x * constant, x + 1, x - constant, layers.Concatenate()([x, x * row]),
               x[..., 1:4], row[:, :, :, -1], ops.one_hot(index[:, 0], 4), ops.one_hot(index[:, 1], 4),
               index[:, :, None] * 1.0,
               layers.Add()([x, x, row]), layers.Multiply()([x, x]), layers.Subtract()([row, x]),
               ops.sin(x), ops.cos(x), ops.relu(x), ops.silu(x), ops.tanh(x), ops.sigmoid(x), ops.softplus(x), x + x]
    rng = np.random.default_rng(1)
    inputs = [rng.normal(size=(2, 4, 5, 6)).astype(np.float32), rng.normal(size=(2, 1, 1, 6)).astype(np.float32),
              np.array([[0, 4], [3, -1]], np.float32)]
    network = keras.Model([x, row, index], outputs)
    assert_same(network, inputs)


def test_as_many_numbers_in_other_shapes():
    """Both are repeated, though they hold as many numbers."""
    row, column = picture(1, 4, 2), picture(4, 1, 2)
    rng = np.random.default_rng(2)
    assert_same(keras.Model([row, column], row + column),
                [rng.normal(size=(2, *shape)).astype(np.float32) for shape in ((1, 4, 2), (4, 1, 2))])


def test_large_arrays_are_used_again_and_what_is_still_needed_is_not():
    """Neither an input, nor an output, nor what another result shares; and where zeros are wanted, zeros stand."""
    networks = {"layers": [
        {"do": "input", "of": []}, {"do": "input", "of": []}, {"do": "product", "of": [0, 0]},
        {"do": "reshape", "of": [2], "shape": [256, 256]}, {"do": "sum", "of": [2, 2]}, {"do": "sum", "of": [4, 4]},
        {"do": "difference", "of": [5, 4]}, {"do": "one hot", "of": [1], "count": 4}], "outputs": [3, 4, 6, 7]}
    code = """({ list, inputs }) => {
      const network = new Network(list, new Map(), null);
      return [network.run(inputs), network.run(inputs)];
    }"""
    a, b = np.arange(2**16)[None] % 100, 4 - np.arange(2**14)[None] % 5
    for answer in javascript.run(["engine.js"], code, {"list": networks, "inputs": [a, b]}):
        squares, *twofold, hot = map(javascript.array, answer)
        assert np.array_equal(squares, (a**2).reshape(1, 256, 256))
        assert np.array_equal(twofold, [2 * a**2] * 2)
        assert np.array_equal(hot, b[..., None] == np.arange(4))


def test_dot():
    a, b = picture(6), picture(6)
    rng = np.random.default_rng(1)
    assert_same(keras.Model([a, b], layers.Dot(1)([a, b])), [*rng.normal(size=(2, 3, 6)).astype(np.float32)])


SHIPPED = [(name, network) for name, networks in {
    "classifier": ["classifier"], "restorer": ["restorer"], "vae": ["encoder", "decoder", "noise"],
    "gan": ["generator", "discriminator"], "inverter": ["encoder"], "denoiser": ["denoiser"],
    "denoiser-colour": ["denoiser"],
    "diffusion-digits": ["denoiser"], "diffusion-robots": ["denoiser"], "diffusion-earth": ["denoiser"],
    **{name: ["generator"] for name in ("robots-l2", "robots-l1", "earth-l1")},
    **{name: ["generator", "discriminator"] for name in ("robots-gan", "robots-choice", "earth-gan")},
    **{f"style-{name}": ["painter"] for name in ("dahlia", "dahlia-batch", "relief", "tissue")},
    "sr-pixel": ["enlarger"], "sr-feature": ["enlarger"], "tokenizer-robots": ["encoder", "decoder"],
    "chooser-robots": ["picture", "caption"],
    "stylegan-robots": ["mapping", "synthesis"], "features": ["features"]}.items() for network in networks]


def test_every_shipped_network_is_in_the_list():
    """But for the one that goes on with a line word by word: that is a program, and no list of layers."""
    networks = {(name, part) for name in pretrained.names() for part in pretrained.shared(name).networks}
    assert networks - {*SHIPPED} == {("words-robots", "transformer")}
    with pytest.raises(TypeError, match="network must be a functional Keras model, but Network 'transformer' came"):
        graph.write(pretrained.shared("words-robots").networks["transformer"], "transformer")


@pytest.mark.parametrize(("name", "part"), SHIPPED)
def test_every_shipped_network_gives_the_numbers_of_keras(name, part):
    network = pretrained.shared(name).networks[part]
    rng = np.random.default_rng(5)
    shapes = [[side or 24 for side in one.shape[1:]] for one in network.inputs]
    inputs = [rng.random((2, *shape), np.float32) for shape in shapes]
    if name == "diffusion-digits":
        inputs[1:] = [np.array([-1.2, 0.4], np.float32), np.array([[3, -1], [-1, 0]], np.float32)]
    if name == "diffusion-earth":
        inputs[1:] = [np.array([-1.2, 0.4], np.float32), np.array([[-1], [0]], np.float32)]
    if name == "diffusion-robots":
        inputs[1:] = [np.array([-1.2, 0.4], np.float32),
                      np.array([[3, -1, 9, -1, 0, 2], [-1, 0, -1, 5, -1, 7]], np.float32)]
    if part == "caption":
        inputs = [rng.integers(0, 10, (2, 12)).astype(np.float32)]
    assert_same(network, inputs)


@pytest.mark.parametrize("name", pack.SERVED)
def test_the_stored_lists_are_those_of_the_networks(name):
    """`python -m helpers.live` writes them anew."""
    assert json.loads(text(name)) == pack.lists(name)
    assert (pack.LISTS / f"{name}.json").read_text(encoding="utf-8") == text(name)


def test_all_weights_are_packed_within_five_seconds():
    begun = time.process_time()
    scripts = [pack.script(name, pack.shipped(name)) for name in pack.SERVED]
    assert time.process_time() - begun < 5
    assert sum(map(len, scripts)) < 20e6


# ------------------------------------------------------------------------------------------------ what is refused


class Odd(layers.Layer):
    def call(self, x):
        return x + 1


class Dense(layers.Layer):
    """Somebody's own layer with a name that the engine knows."""

    def call(self, x):
        return x * 2


@pytest.mark.parametrize(("make", "said"), [
    (lambda: one(Odd(name="odd"), 4), r"layer 'odd' \(Odd\)"),
    (lambda: one(Dense(name="own"), 4), r"layer 'own' \(Dense\)"),
    (lambda: one(stylegan.Fold(name="fold"), 4, 4, 3), r"layer 'fold' \(Fold\)"),
    (lambda: one(layers.UnitNormalization(axis=1), 4, 5), "axis=1"),
    (lambda: one(layers.Dense(3, activation=lambda x: x * 2), 4), "activation"),
    (lambda: one(layers.Conv2D(2, 3, dilation_rate=2, name="wide"), 8, 8, 2), "'wide'.*dilation_rate"),
    (lambda: one(layers.Conv2D(2, 3, groups=2), 8, 8, 2), "groups=2"),
    (lambda: one(layers.Conv2DTranspose(2, 3, strides=2, output_padding=1), 8, 8, 2), "output_padding"),
    (lambda: two(layers.Concatenate(axis=1)), "axis=1"),
    (lambda: one(layers.BatchNormalization(axis=1), 8, 8, 2), "axis=1"),
    (lambda: one(layers.ReLU(max_value=3), 8), "max_value=3"),
    (lambda: one(layers.ReLU(max_value=6, negative_slope=0.1), 8), "negative_slope"),
    (lambda: one(layers.ReLU(threshold=1.0), 8), "threshold"),
    (lambda: one(layers.Softmax(axis=1), 8, 2), "axis=1"),
    (lambda: one(layers.GroupNormalization(2, axis=1), 8, 8, 2), "axis=1"),
    (lambda: one(layers.LayerNormalization(axis=1), 8, 8, 2), "axis"),
    (lambda: one(layers.DepthwiseConv2D(3, depth_multiplier=2), 8, 8, 2), "depth_multiplier"),
    (lambda: two(layers.Dot(1, normalize=True), 6), "normalize"),
    (lambda: two(layers.Dot(2)), "axes=2"),
    (lambda: one(layers.GlobalAveragePooling2D(keepdims=True), 8, 8, 2), "keepdims"),
    (lambda: rows_cut(), "cuts only the last axis"),
    (lambda: mirrored([[0, 0], [1, 1], [1, 1], [0, 0]], "constant"), "mode='constant'"),
    (lambda: mirrored([[0, 0], [1, 1], [1, 1], [1, 0]]), "only rows and columns"),
    (lambda: mirrored(1), "only rows and columns"),
    (lambda: one(Block(2, causal=True, name="later"), 5, 12), "'later'.*causal=True"),
    (lambda: every_second(), "step of 2"),
    (lambda: one(layers.LSTM(3), 5, 2), "LSTM"),
    (lambda: one(layers.Flatten(data_format="channels_first"), 4, 4, 2), "channels_first"),
    (lambda: one(layers.UpSampling2D(2, data_format="channels_first"), 4, 4, 2), "channels_first"),
    (lambda: two(layers.Add(), 3, 4, 5, 6), "more than 4 axes"),
    (lambda: of_any_length(), "wants numbers"),
])
def test_what_the_engine_does_not_know_is_refused(make, said):
    with pytest.raises(graph.UnknownLayer, match=said):
        graph.write(make(), "it")


def two(layer, *shape):
    a, b = picture(*shape or (3, 4)), picture(*shape or (3, 4))
    return keras.Model([a, b], layer([a, b]))


def rows_cut():
    x = picture(4, 4, 2)
    return keras.Model(x, x[:, 1:3])


def mirrored(width, mode="symmetric"):
    x = picture(4, 5, 3)
    return keras.Model(x, ops.pad(x, width, mode))


def of_any_length():
    x = picture(None, 2)
    return keras.Model(x, x[:, :, None] * 1.0)


def every_second():
    x = picture(4, 4, 2)
    return keras.Model(x, x[..., ::2])


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match="network must be a functional Keras model, but list"):
        graph.write([1])


def test_a_model_that_is_not_served_is_refused():
    with pytest.raises(ValueError, match="restorer"):
        pack.lists("restorers")


def test_a_list_that_names_unknown_weights_is_refused():
    with pytest.raises(ValueError, match="it/7/kernel"):
        pack.model({"it": {"layers": [{"do": "dense", "of": [0], "kernel": "it/7/kernel"}]}}, {})


@pytest.mark.parametrize(("change", "said"), [
    ("content.crc32 += 1", "their checksum"),
    ("content.numbers = 'AAAA' + content.numbers.slice(4)", "their checksum"),
    ("content.numbers = content.numbers.slice(0, -8)", "their checksum"),
    ("content.networks.it.layers[1].do = 'somersault'", "somersault"),
])
def test_damaged_weights_and_unknown_layers_are_refused(change, said):
    network = one(layers.Dense(3), 4)
    random_weights(network, np.random.default_rng(0))
    code = f"(content) => {{ {change}; return unpacked(content, new Products(null)); }}"
    with pytest.raises(RuntimeError, match=said):
        javascript.run(["engine.js"], code, described(network))


def test_numbers_of_sixteen_bits():
    """Every finite float16 is read as NumPy reads it."""
    bits = np.arange(2**16, dtype=np.uint16)
    values = bits.view(np.float16).astype(np.float64)
    finite = np.isfinite(values)
    found = javascript.run(["engine.js"], "(bits) => bits.map(half)", bits[finite].tolist())
    np.testing.assert_array_equal(np.array(found, np.float64), values[finite])
