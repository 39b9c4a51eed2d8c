"""Write a Keras network as a list of layers that the engine in the browser knows.

A layer is a dictionary. ``do`` names what the engine does, ``of`` the places in the list of its inputs; weights are
named as in the weights file, and the rest are numbers. The first entries are the inputs. What the engine has no word
for is refused here, so that no page ever meets it.
"""

import numpy as np

from helpers import pretrained
from helpers.models import chooser, enlarger, keras, painter, stylegan, tokenizer, transformer

ACTIVATIONS = ("relu", "relu6", "leaky_relu", "silu", "gelu", "tanh", "sigmoid", "softmax", "softplus")


class UnknownLayer(ValueError):
    """A layer, or a setting of one, that the engine in the browser does not know."""


def write(network, prefix=None):
    """Return a network as a dictionary: ``layers``, the list, and ``outputs``, the places in it of what comes out.

    Parameters
    ----------
    network : keras.Model
        Functional, built of the layers and operations that :data:`LAYERS` names.
    prefix : str, optional
        The network's name in the weights file of its model; by default its own name.

    Raises
    ------
    TypeError
        If ``network`` is no functional Keras model.
    UnknownLayer
        A ``ValueError`` that names the layer and what is unknown about it.
    """
    if not isinstance(network, keras.Model) or not hasattr(network, "_nodes_by_depth"):
        name = prefix or getattr(network, "name", None)
        raise TypeError("network must be a functional Keras model, but "
                        f"{type(network).__name__}{f' {name!r}' if name else ''} came")
    return _Writer(network, prefix or network.name).written()


class _Writer:
    """The list as it grows: what was written already, and where."""

    def __init__(self, network, prefix):
        self.network, self.layers, self.places = network, [], {}
        self.names = {id(variable): name for name, variable in pretrained._named({prefix: network})}

    def written(self):
        for tensor in self.network.inputs:
            self.places[id(tensor)] = self.add("input", (), shape=list(tensor.shape[1:]))
        depths = sorted(self.network._nodes_by_depth, reverse=True)  # the deepest first: inputs before what they feed
        for node in (node for depth in depths for node in self.network._nodes_by_depth[depth]):
            if id(node.outputs[0]) not in self.places:
                self.places[id(node.outputs[0])] = self.write_down(node)
        return {"layers": self.layers, "outputs": [self.places[id(tensor)] for tensor in self.network.outputs]}

    def write_down(self, node):
        operation = node.operation
        kind = type(operation).__name__
        writes = LAYERS.get(kind) if type(operation).__module__.startswith("keras.") else OWN.get(type(operation))
        if writes is None:
            raise self.unknown(operation, "the engine does not know this kind")
        if getattr(operation, "data_format", None) == "channels_first":
            raise self.unknown(operation, "data_format='channels_first', but the engine has the channels last")
        return writes(self, operation, _Call(self, node))

    def add(self, do, of, **settings):
        """Write one entry, and return its place."""
        settings = {key: value for key, value in settings.items() if value is not None}
        self.layers.append({"do": do, "of": list(of), **settings})
        return len(self.layers) - 1

    def scaled(self, place, factor):
        """Write the entry at ``place`` times a number."""
        return place if factor == 1 else self.add("product", [place, self.add("constant", (), **_numbers(factor))])

    def weight(self, variable):
        return None if variable is None else self.names[id(variable)]

    def unknown(self, operation, why):
        return UnknownLayer(f"layer {operation.name!r} ({type(operation).__name__}) of {self.network.name!r}: {why}")

    def require(self, operation, **wanted):
        """Refuse a layer whose settings are not those that the engine takes for granted."""
        for setting, values in wanted.items():
            found = getattr(operation, setting)
            found = list(found) if isinstance(found, tuple) else found
            if found not in values:
                raise self.unknown(operation, f"{setting}={found!r}, but the engine knows only "
                                   + " or ".join(map(repr, values)))

    def activation(self, place, operation, function):
        """Write an activation behind the entry at ``place``, unless it is the linear one."""
        name = getattr(function, "__name__", str(function))
        if name == "linear":
            return place
        if name not in ACTIVATIONS or function is not keras.activations.get(name):
            raise self.unknown(operation, f"activation {name!r}, but the engine knows only {', '.join(ACTIVATIONS)}")
        slope = {"leaky_relu": 0.2}.get(name)
        return self.add("activation", [place], name="leaky" if slope else name, slope=slope)


class _Call:
    """One use of a layer: its inputs as places in the list, its constants as they are."""

    def __init__(self, writer, node):
        self.arguments, self.options = node.arguments.args, node.arguments.kwargs
        self.tensors = node.arguments.keras_tensors
        self.of = [writer.places[id(tensor)] for tensor in self.tensors]
        self.rank = len(self.tensors[0].shape) if self.tensors else 0
        self.shape = list(node.outputs[0].shape[1:])
        self.writer = writer

    def both(self):
        """Return the two inputs of an arithmetic operation: places, or the entries of constants."""
        return [self.writer.places[id(one)] if isinstance(one, keras.KerasTensor)
                else self.writer.add("constant", (), **_numbers(one)) for one in self.arguments[:2]]


def _numbers(value):
    value = np.asarray(value, np.float32)
    return {"shape": list(value.shape), "values": [float(number) for number in value.ravel()]}


# ------------------------------------------------------------------------------------------------ layers with weights


def _convolution(do, **wanted):
    def write_convolution(writer, layer, call):
        writer.require(layer, dilation_rate=[[1, 1]], padding=["same", "valid"], **wanted)
        place = writer.add(do, call.of, kernel=writer.weight(layer.kernel), bias=writer.weight(layer.bias),
                           strides=list(layer.strides), padding=layer.padding)
        return writer.activation(place, layer, layer.activation)

    return write_convolution


def _dense(writer, layer, call):
    place = writer.add("dense", call.of, kernel=writer.weight(layer.kernel), bias=writer.weight(layer.bias))
    return writer.activation(place, layer, layer.activation)


def _embedding(writer, layer, call):
    writer.require(layer, mask_zero=[False])
    return writer.add("embedding", call.of, table=writer.weight(layer.embeddings))


def _batch_normalisation(writer, layer, call):
    writer.require(layer, axis=[-1, call.rank - 1])
    return writer.add("batch normalisation", call.of, gamma=writer.weight(layer.gamma), beta=writer.weight(layer.beta),
                      mean=writer.weight(layer.moving_mean), variance=writer.weight(layer.moving_variance),
                      epsilon=layer.epsilon)


def _group_normalisation(writer, layer, call):
    writer.require(layer, axis=[-1, call.rank - 1])
    return writer.add("group normalisation", call.of, gamma=writer.weight(layer.gamma), beta=writer.weight(layer.beta),
                      groups=layer.groups, epsilon=layer.epsilon)


def _layer_normalisation(writer, layer, call):
    writer.require(layer, axis=[-1, call.rank - 1, [-1], [call.rank - 1]], rms_scaling=[False])
    return writer.add("layer normalisation", call.of, gamma=writer.weight(layer.gamma), beta=writer.weight(layer.beta),
                      epsilon=layer.epsilon)


# --------------------------------------------------------------------------------------------- layers without weights


def _activation(writer, layer, call):
    return writer.activation(call.of[0], layer, layer.activation)


def _relu(writer, layer, call):
    writer.require(layer, threshold=[0, 0.0], max_value=[None, 6, 6.0])
    if layer.max_value is None:
        slope = float(layer.negative_slope)
        return writer.add("activation", call.of, name="leaky" if slope else "relu", slope=slope or None)
    writer.require(layer, negative_slope=[0, 0.0])
    return writer.add("activation", call.of, name="relu6")


def _leaky(writer, layer, call):
    return writer.add("activation", call.of, name="leaky", slope=float(layer.negative_slope))


def _softmax(writer, layer, call):
    writer.require(layer, axis=[-1])
    return writer.add("activation", call.of, name="softmax")


def _named(name):
    return lambda writer, layer, call: writer.add("activation", call.of, name=name)


def _same(writer, layer, call):
    """Dropout and its like do nothing outside training."""
    return call.of[0]


def _pooling(do):
    def write_pooling(writer, layer, call):
        writer.require(layer, padding=["same", "valid"])
        return writer.add(do, call.of, size=list(layer.pool_size), strides=list(layer.strides), padding=layer.padding)

    return write_pooling


def _global_mean(writer, layer, call):
    writer.require(layer, keepdims=[False])
    return writer.add("global mean", call.of)


def _enlarge(writer, layer, call):
    writer.require(layer, interpolation=["nearest", "bilinear"])
    return writer.add("enlarge", call.of, size=list(layer.size), interpolation=layer.interpolation)


def _pad(writer, operation, call):
    writer.require(operation, mode=["symmetric"])
    sides = [list(side) for side in operation.pad_width]
    if call.rank != 4 or len(sides) != 4 or any(sides[0] + sides[3]):
        raise writer.unknown(operation, f"{operation.pad_width}, but the engine pads only rows and columns of pictures")
    return writer.add("mirror", call.of, rows=sides[1], columns=sides[2])


def _rescaling(writer, layer, call):
    scaled = writer.add("product", [call.of[0], writer.add("constant", (), **_numbers(layer.scale))])
    return writer.add("sum", [scaled, writer.add("constant", (), **_numbers(layer.offset))])


def _unit_normalisation(writer, layer, call):
    writer.require(layer, axis=[-1, call.rank - 1, [-1], [call.rank - 1]])
    return writer.add("unit normalisation", call.of)


def _reshape(writer, layer, call):
    if None in call.shape:
        raise writer.unknown(layer, f"its output has the shape {call.shape}, and the engine wants numbers")
    return writer.add("reshape", call.of, shape=call.shape)


def _concatenation(writer, layer, call):
    writer.require(layer, axis=[-1, call.rank - 1])
    return writer.add("concatenation", call.of)


def _dot(writer, layer, call):
    writer.require(layer, axes=[1, [1, 1], -1], normalize=[False])
    if call.rank != 2:
        raise writer.unknown(layer, f"inputs of {call.rank} axes, but the engine knows only 2")
    return writer.add("dot", call.of)


def _merge(do):
    def write_merge(writer, layer, call):
        if any(len(tensor.shape) > 4 for tensor in call.tensors):
            raise writer.unknown(layer, "inputs of more than 4 axes, but the engine knows at most 4")
        of = call.of if len(call.of) > 1 else call.both()
        place = of[0]
        for other in of[1:]:
            place = writer.add(do, [place, other])
        return place

    return write_merge


def _item(writer, operation, call):
    """``x[..., a:b]``, ``x[:, k]`` and ``x[:, None]``: a part of the last axis, a row, and axes of length 1."""
    key = call.arguments[1] if len(call.arguments) > 1 else call.options["key"]
    key = key if isinstance(key, tuple) else (key,)
    axes = [one for one in key if one is not None]
    if Ellipsis in axes:
        at = axes.index(Ellipsis)
        axes[at : at + 1] = [slice(None)] * (call.rank - len(axes) + 1)
    axes += [slice(None)] * (call.rank - len(axes))
    if call.rank == 3 and isinstance(axes[1], int) and axes[0] == axes[2] == slice(None) and len(call.shape) == 1:
        rows, width = call.tensors[0].shape[1:]  # a row is a part of all of them, one behind the other
        start = axes[1] % rows * width
        whole = writer.add("reshape", call.of, shape=[rows * width])
        return writer.add("part", [whole], start=start, stop=start + width)
    if any(one != slice(None) for one in axes[:-1]):
        raise writer.unknown(operation, f"{key}, but the engine cuts only the last axis")
    last, place, length = axes[-1], call.of[0], call.tensors[0].shape[-1]
    if isinstance(last, int):
        last = slice(last, last + 1) if last >= 0 else slice(length + last, length + last + 1)
    if last != slice(None):
        start, stop, step = last.indices(length)
        if step != 1:
            raise writer.unknown(operation, f"a step of {step}, but the engine knows only 1")
        place = writer.add("part", [place], start=start, stop=stop)
    if len(call.shape) == call.rank - 1:
        return place
    if None in call.shape:
        raise writer.unknown(operation, f"its output has the shape {call.shape}, and the engine wants numbers")
    return writer.add("reshape", [place], shape=call.shape)


def _one_hot(writer, operation, call):
    writer.require(operation, axis=[-1, call.rank])
    return writer.add("one hot", call.of, count=operation.num_classes)


# ------------------------------------------------------------------------------ layers of the course's own: StyleGAN


def _equal(writer, layer, call):
    """The layer scales its weights where it uses them; so does this: slow · (kernel · (x · scale / slow) + bias)."""
    x = writer.scaled(call.of[0], layer.scale / layer.slow)
    kind = ("dense", {}) if layer.side is None else ("convolution", {"strides": [layer.stride] * 2, "padding": "same"})
    place = writer.add(kind[0], [x], kernel=writer.weight(layer.kernel), bias=writer.weight(layer.bias), **kind[1])
    return writer.scaled(place, layer.slow)


def _modulated(writer, layer, call):
    def by_channel(place, channels):
        return writer.add("reshape", [place], shape=[1, 1, channels])

    x, style = call.of
    heard = writer.add("product", [x, by_channel(style, call.tensors[0].shape[-1])])
    kernel = writer.weight(layer.kernel)
    y = writer.add("convolution", [heard], kernel=kernel, strides=[1, 1], padding="same")
    if not layer.demodulate:
        return writer.scaled(y, layer.scale)
    shorter = writer.scaled(writer.add("demodulation", [style], kernel=kernel, epsilon=1e-8), stylegan.ROOT)
    return writer.add("product", [y, by_channel(shorter, layer.width)])


def _start(writer, layer, call):
    return writer.add("copies", call.of, weight=writer.weight(layer.features))


def _noise(writer, layer, call):
    """One number at each place, spread over the channels: a dense layer of one input."""
    x, noise = call.of
    each = writer.add("reshape", [noise], shape=[*call.shape[:2], 1])
    spread = writer.add("dense", [each], kernel=writer.weight(layer.strength), bias=writer.weight(layer.bias))
    return writer.add("activation", [writer.add("sum", [x, spread])], name="leaky", slope=0.2)


def _double(writer, layer, call):
    return writer.add("enlarge", call.of, size=[2, 2], interpolation="nearest")


def _unfold(writer, layer, call):
    return writer.add("unfold", call.of, size=[2, 2])


# ------------------------------------------------- layers of the course's own: painter, enlarger, tokenizer, chooser


def _instance_normalisation(writer, layer, call):
    """Each channel is a group of its own."""
    return writer.add("group normalisation", call.of, gamma=writer.weight(layer.scale), beta=writer.weight(layer.shift),
                      groups=call.shape[-1], epsilon=layer.epsilon)


def _bicubic(writer, layer, call):
    return writer.add("enlarge", call.of, size=[enlarger.FACTOR] * 2, interpolation="bicubic")


def _pixel_shuffle(writer, layer, call):
    return writer.add("unfold", call.of, size=[enlarger.FACTOR] * 2)


def _places(writer, layer, call):
    return writer.add("sum", [call.of[0], writer.add("copies", call.of, weight=writer.weight(layer.learnt))])


def _bag(writer, layer, call):
    words = writer.add("embedding", call.of, table=writer.weight(layer.words))
    return writer.add("sum", [words, writer.add("copies", call.of, weight=writer.weight(layer.order))])


def _strength(writer, layer, call):
    log = writer.add("reshape", [writer.add("copies", call.of, weight=writer.weight(layer.log))], shape=[1])
    return writer.add("product", [call.of[0], writer.add("activation", [log], name="strength")])


def _block(writer, layer, call):
    writer.require(layer, causal=[False])
    h, width = call.of[0], call.shape[-1]

    def row(variable, k):
        both = writer.add("copies", [h], weight=writer.weight(variable))
        flat = writer.add("reshape", [both], shape=[2 * width])
        one = writer.add("part", [flat], start=k * width, stop=(k + 1) * width)
        return writer.add("reshape", [one], shape=[1, width])

    def normal(place, k):
        normed = writer.add("layer normalisation", [place], epsilon=1e-5)
        return writer.add("sum", [writer.add("product", [normed, row(layer.scale, k)]), row(layer.shift, k)])

    def dense(place, name):
        return writer.add("dense", [place], kernel=writer.weight(getattr(layer, name)),
                          bias=writer.weight(getattr(layer, f"{name}_bias")))

    found = writer.add("attention", [dense(normal(h, 0), "see")], heads=layer.heads)
    h = writer.add("sum", [h, dense(found, "join")])
    wide = writer.add("activation", [dense(normal(h, 1), "widen")], name="relu")
    return writer.add("sum", [h, dense(wide, "narrow")])


OWN = {stylegan.Equal: _equal, stylegan.Modulated: _modulated, stylegan.Start: _start, stylegan.Noise: _noise,
       stylegan.Double: _double, stylegan.Unfold: _unfold,
       painter.InstanceNormalization: _instance_normalisation,
       enlarger.Bicubic: _bicubic, enlarger.PixelShuffle: _pixel_shuffle,
       tokenizer.Places: _places, chooser.Bag: _bag, chooser.Strength: _strength, transformer.Block: _block}
LAYERS = {
    "Conv2D": _convolution("convolution", groups=[1]),
    "Conv2DTranspose": _convolution("transposed convolution", output_padding=[None]),
    "DepthwiseConv2D": _convolution("depthwise convolution", depth_multiplier=[1]),
    "Dense": _dense, "Embedding": _embedding, "BatchNormalization": _batch_normalisation,
    "GroupNormalization": _group_normalisation, "LayerNormalization": _layer_normalisation,
    "UnitNormalization": _unit_normalisation,
    "Activation": _activation, "ReLU": _relu, "LeakyReLU": _leaky, "Softmax": _softmax,
    "Sin": _named("sin"), "Cos": _named("cos"), "Relu": _named("relu"), "Silu": _named("silu"), "Tanh": _named("tanh"),
    "Sigmoid": _named("sigmoid"), "Softplus": _named("softplus"),
    "Dropout": _same, "SpatialDropout2D": _same, "GaussianNoise": _same, "Identity": _same,
    "MaxPooling2D": _pooling("largest"), "AveragePooling2D": _pooling("mean"),
    "GlobalAveragePooling1D": _global_mean, "GlobalAveragePooling2D": _global_mean, "Pad": _pad,
    "UpSampling2D": _enlarge,
    "Rescaling": _rescaling, "Reshape": _reshape, "Flatten": _reshape, "Concatenate": _concatenation, "Dot": _dot,
    "Add": _merge("sum"), "Subtract": _merge("difference"), "Multiply": _merge("product"),
    "GetItem": _item, "OneHot": _one_hot,
}  # fmt: skip
