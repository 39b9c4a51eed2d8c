"""Weights from a foreign package: read without running what a pickle asks for, folded, checked before they are used."""

import hashlib
import io
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import convert, pretrained, recipes
from helpers.__main__ import app
from helpers.models import features

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


# ---------------------------------------------------------------------- a file as PyTorch wrote it before its archives


class Tensor:
    """An array that pickles as a tensor does."""

    def __init__(self, array, storage=None, offset=0):
        self.array, self.storage, self.offset = array, storage if storage is not None else array.ravel(), offset

    def __reduce_ex__(self, protocol):
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        strides = tuple(step // self.array.itemsize for step in self.array.strides)
        return rebuild, (Storage(self.storage), self.offset, self.array.shape, strides, False, OrderedDict())


class Storage:
    def __init__(self, array):
        self.array = array


@pytest.fixture
def write(monkeypatch):
    """Return a function that writes arrays (or whatever else) as such a file; a torch of its own stands in for it."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch._utils = utils
    for name in ("FloatStorage", "LongStorage", "HalfStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2(*_):
        raise AssertionError("torch is not to be called")

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def written(tensors):
        storages = {}

        class Pickler(pickle.Pickler):
            def persistent_id(self, thing):
                if not isinstance(thing, Storage):
                    return None
                key = str(id(thing.array))
                storages[key] = thing.array
                kind = {"f4": "FloatStorage", "i8": "LongStorage", "f2": "HalfStorage"}[thing.array.dtype.str[1:]]
                return "storage", getattr(torch, kind), key, "cpu", thing.array.size, None

        file = io.BytesIO()
        for part in (convert.MAGIC, convert.PROTOCOL, {"little_endian": True}):
            pickle.dump(part, file, protocol=2)
        Pickler(file, protocol=2).dump(tensors)
        pickle.dump(sorted(storages), file, protocol=2)
        for key in sorted(storages):
            file.write(storages[key].size.to_bytes(8, "little") + storages[key].tobytes())
        return file.getvalue()

    return written


def random_arrays():
    rng = np.random.default_rng(0)
    return {"a": rng.random((2, 3, 4, 5)).astype(np.float32), "b": rng.random(7).astype(np.float32),
            "count": np.array(12345, np.int64)}


def test_tensors_are_read_back(write):
    arrays = random_arrays()
    found = convert.read_pickle(write(OrderedDict((name, Tensor(array)) for name, array in arrays.items())))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert np.array_equal(found[name], array) and found[name].dtype == array.dtype


def test_turned_axes_and_shared_storages_are_read_back(write):
    base = np.arange(24, dtype=np.float32)
    turned = base.reshape(2, 3, 4).transpose(2, 0, 1)
    found = convert.read_pickle(write({"turned": Tensor(turned, base), "end": Tensor(base[20:], base, 20)}))
    assert np.array_equal(found["turned"], turned) and np.array_equal(found["end"], base[20:])


class Evil:
    """A pickle that wants to make a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_nothing_in_a_pickle_is_ever_run(write, tmp_path):
    path = tmp_path / "made"
    for place, content in {
        "among the tensors": write({"a": Tensor(np.ones(2, np.float32)), "b": Evil(path)}),
        "before them": pickle.dumps(Evil(path), 2),
    }.items():
        with pytest.raises(ValueError, match="holds only tensors") as caught:
            convert.read_pickle(content)
        assert not path.exists(), place
        assert ".mkdir is no tensor" in str(caught.value)
    pickle.loads(pickle.dumps(Evil(path)))
    assert path.exists(), "the trap works on whoever trusts a pickle"


@pytest.mark.parametrize("part", [0, 1, 10, 0.2, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(write, part):
    content = write({name: Tensor(array) for name, array in random_arrays().items()})
    cut = content[: part if isinstance(part, int) else int(part * len(content))]
    with pytest.raises(ValueError, match="content is no PyTorch file"):
        convert.read_pickle(cut)


def test_other_files_are_refused(write):
    short = Tensor(np.ones((4, 4), np.float32), np.ones(15, np.float32))
    back = Tensor(np.ones(4, np.float32)[::-1], np.ones(4, np.float32))
    half = Tensor(np.ones(4, np.float16))
    for content in (b"PK\x03\x04 a zip archive", b"\x89PNG", pickle.dumps(1), write([1, 2]), write({"a": 3}),
                    write({"a": short}), write({"a": back}), write({"a": half})):
        with pytest.raises(ValueError, match="content is no PyTorch file"):
            convert.read_pickle(content)


def test_a_wheel_is_checked_before_its_pickle_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(convert, "read_pickle", lambda content: pytest.fail("it was read"))
    wheel = tmp_path / "a.whl"
    about = recipes.CONVERTED["features"]
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(about.file, b"other numbers")
    missing = tmp_path / "none.whl"
    for path, says in ((wheel, "has the SHA-256"), (missing, "cannot be read"), (tmp_path, "cannot be read")):
        with pytest.raises(ValueError, match=says) as caught:
            convert.convert(path, tmp_path / "out")
        assert str(caught.value).startswith("wheel ")
        assert pretrained.names(tmp_path / "out") == []
    (tmp_path / "text.whl").write_text("no archive")
    done = CliRunner().invoke(app, ["convert", str(tmp_path / "text.whl"), "-o", str(tmp_path / "out")])
    assert done.exit_code == 2 and "cannot be read" in done.stderr and "Traceback" not in done.stderr
    good = hashlib.sha256(b"other numbers").hexdigest()
    assert convert.read_wheel(wheel, about.file, good) == b"other numbers"


# ------------------------------------------------------------------------------------------------------- folding


def random_tensors(blocks):
    """Return tensors with the names and shapes of the first blocks, with a normalisation that does something."""
    rng = np.random.default_rng(1)
    made = {}

    def layer(convolution, normalisation, shape):
        fan_in = np.prod(shape[1:])
        made[f"{convolution}.weight"] = rng.standard_normal(shape) * (2 / fan_in) ** 0.5
        n = shape[0]
        for part, values in {"weight": rng.uniform(0.5, 2, n), "bias": rng.normal(0, 0.5, n),
                             "running_mean": rng.normal(0, 0.5, n), "running_var": rng.uniform(0.001, 2, n)}.items():
            made[f"{normalisation}.{part}"] = values

    layer("_conv_stem", "_bn0", (32, 3, 3, 3))
    inside = 32
    for i, (kernel, _, expansion, channels) in enumerate(features.BLOCKS[:blocks]):
        name, wide = f"_blocks.{i}", expansion * inside
        if expansion > 1:
            layer(f"{name}._expand_conv", f"{name}._bn0", (wide, inside, 1, 1))
        layer(f"{name}._depthwise_conv", f"{name}._bn1", (wide, 1, kernel, kernel))
        layer(f"{name}._project_conv", f"{name}._bn2", (channels, wide, 1, 1))
        inside = channels
    return {name: values.astype(np.float32) for name, values in made.items()}


def unfolded(tensors, blocks, x):
    """Run convolution, then batch normalisation, then ReLU6, as the network was trained."""
    def layer(h, convolution, normalisation, stride=1, apart=False, bounded=True):
        kernel = tensors[f"{convolution}.weight"].transpose(2, 3, 1, 0)
        if apart:
            h = tf.nn.depthwise_conv2d(h, kernel.swapaxes(2, 3), [1, stride, stride, 1], "SAME")
        else:
            h = tf.nn.conv2d(h, kernel, stride, "SAME")
        gamma, beta, mean, variance = (tensors[f"{normalisation}.{part}"] for part in (
            "weight", "bias", "running_mean", "running_var"))
        h = tf.nn.batch_normalization(h, mean, variance, beta, gamma, 1e-3)
        return tf.nn.relu6(h) if bounded else h

    h = layer((255 * x - 127) / 128, "_conv_stem", "_bn0", 2)
    for i, (_, stride, expansion, channels) in enumerate(features.BLOCKS[:blocks]):
        name, before = f"_blocks.{i}", h
        if expansion > 1:
            h = layer(h, f"{name}._expand_conv", f"{name}._bn0")
        h = layer(h, f"{name}._depthwise_conv", f"{name}._bn1", stride, apart=True)
        h = layer(h, f"{name}._project_conv", f"{name}._bn2", bounded=False)
        h = h + before if stride == 1 and before.shape[-1] == channels else h
    return h.numpy()


def test_folded_is_unfolded():
    tensors = random_tensors(6)
    network = features.build()
    convert.fill(network, tensors)
    x = np.random.default_rng(2).random((2, 40, 33, 3)).astype(np.float32)
    expected = unfolded(tensors, 6, x)
    assert expected.std() > 0.1
    np.testing.assert_allclose(network(x).numpy(), expected, atol=1e-3 * np.abs(expected).max())


def test_the_whole_network_has_the_shapes_of_the_paper():
    """EfficientNet-Lite0 has 4,652,008 parameters; folding leaves one vector of each normalisation's two."""
    network = features.build(16)
    assert tuple(network.output.shape) == (None, None, None, 320)
    convolutions = [layer for layer in network.layers if hasattr(layer, "strides")]
    assert len(convolutions) == 1 + 3 * 16 - 1 and np.prod([layer.strides[0] for layer in convolutions]) == 32
    folded_away = sum(layer.bias.shape[0] for layer in convolutions) + 1280
    head = 320 * 1280 + 1280 + 1280 * 1000 + 1000
    assert network.count_params() + head + folded_away == 4_652_008


class Parrot:
    """A whole network that takes everything for one class."""

    def __init__(self, answer):
        self.answer = answer

    def predict(self, x, verbose=0):
        assert x.shape == (1, 224, 224, 3)
        return np.eye(1000)[[self.answer]]


def test_a_network_that_misnames_a_photograph_is_refused():
    with pytest.raises(ValueError, match="takes coffee for class 285"):
        convert.name_photographs(Parrot(285))
