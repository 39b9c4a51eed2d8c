"""The feature network: each layer as its definition says, Gram matrices, distances between sets of colour pictures."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import pretrained, validation
from helpers.images import earth, photo
from helpers.models import features
from helpers.models.features import LAYERS, POOLED, STYLE

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


@pytest.fixture(scope="module")
def net():
    return pretrained.load("features")


@pytest.fixture(scope="module")
def patches():
    return earth.patches("train", 32)[:400]


# ------------------------------------------------------------------------------- an oracle of loops and products


def pad_same(x, kernel, stride):
    """Pad as TensorFlow does: the odd pixel goes to the end."""
    pads = []
    for side in x.shape[:2]:
        total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
        pads.append((total // 2, total - total // 2))
    return np.pad(x, [*pads, (0, 0)])


def convolve(x, kernel, bias, stride, apart):
    """Return a convolution (or, ``apart``, one of each channel alone) by adding up shifted pictures, in float64."""
    k = kernel.shape[0]
    padded = pad_same(x, k, stride)
    height, width = -(-x.shape[0] // stride), -(-x.shape[1] // stride)
    out = 0
    for i in range(k):
        for j in range(k):
            seen = padded[i : i + stride * height : stride, j : j + stride * width : stride]
            out = out + (seen * kernel[i, j, :, 0] if apart else seen @ kernel[i, j])
    return out + bias


def by_hand(network, x):
    """Return the output of every convolution for one picture."""
    def layer(name, h, stride=1):
        kernel, bias = (w.astype(np.float64) for w in network.get_layer(name).get_weights())
        h = convolve(h, kernel, bias, stride, "depthwise" in name)
        found[name] = h if "projection" in name else np.clip(h, 0, 6)
        return found[name]

    found = {}
    h = layer("stem", (255 * x.astype(np.float64) - 127) / 128, 2)
    for i, stride in enumerate((1, 2, 1, 2, 1, 2)):
        before = h
        h = layer(f"expansion{i}", h) if i else h
        h = layer(f"projection{i}", layer(f"depthwise{i}", h, stride))
        h = h + before if i in (2, 4) else h
    return found


@pytest.mark.parametrize("shape", [(32, 32), (33, 46), (1, 1)])
def test_every_layer_is_what_its_definition_says(net, shape):
    x = photo("coffee", size=64, color=True)[: shape[0], : shape[1]]
    expected, found = by_hand(net.network, x), net.maps(x, (*LAYERS, POOLED))
    assert list(found) == [*LAYERS, POOLED] and len(found) == 13
    for name, maps in found.items():
        assert maps.shape == (1, *expected[name].shape) and maps.dtype == np.float32
        np.testing.assert_allclose(maps[0], expected[name], atol=2e-4, err_msg=name)
        if name != POOLED:
            assert maps.min() >= 0 and maps.max() <= 6


def test_the_tables_of_layers_are_those_of_the_network(net):
    names = {layer.name for layer in net.network.layers}
    assert {*LAYERS, *STYLE, POOLED, features.CONTENT} <= names
    assert set(STYLE) | {features.CONTENT} <= set(LAYERS)
    assert all(net.network.get_layer(name).activation is keras.activations.relu6 for name in LAYERS)
    assert net.network.get_layer(POOLED).activation is keras.activations.linear


def test_a_batch_is_its_pictures_one_by_one(net, patches):
    x = patches[:70]  # more than one part
    together = net.maps(x, ("depthwise1", POOLED))
    for i in (0, 63, 64, 69):
        for name, maps in net.maps(x[i], ("depthwise1", POOLED)).items():
            np.testing.assert_allclose(together[name][i], maps[0], atol=1e-4)
    assert not np.allclose(together[POOLED][0], together[POOLED][64])


def test_a_part_ends_where_it_must_and_does_not_learn(net):
    part = net.part(("stem", "depthwise1"))
    assert part.layers[-1].name == "depthwise1" and not part.trainable_variables
    x = np.zeros((1, 16, 16, 3), np.float32)
    assert [tuple(output.shape[1:]) for output in part(x)] == [(8, 8, 32), (4, 4, 96)]
    assert tuple(net.part("stem")(x).shape) == (1, 8, 8, 32)


# ------------------------------------------------------------------------------------------------ Gram matrices


def test_a_gram_matrix_is_a_mean_over_places():
    rng = np.random.default_rng(0)
    maps = rng.random((2, 3, 5, 4)).astype(np.float32)
    found = features.gram(maps).numpy()
    for n in range(2):
        for c in range(4):
            for d in range(4):
                expected = sum(maps[n, i, j, c] * maps[n, i, j, d] for i in range(3) for j in range(5)) / 15
                assert found[n, c, d] == pytest.approx(expected, rel=1e-5)


def test_a_gram_matrix_forgets_where(net):
    rng = np.random.default_rng(0)
    maps = net.maps(photo("flower", size=48, color=True), ("expansion1",))["expansion1"]
    places = maps.reshape(1, -1, maps.shape[-1])
    shuffled = places[:, rng.permutation(places.shape[1])].reshape(maps.shape)
    np.testing.assert_allclose(features.gram(shuffled), features.gram(maps), rtol=1e-4, atol=1e-5)
    twice = np.concatenate([maps, maps], axis=1)  # a picture of twice the size, with the same things in it
    np.testing.assert_allclose(features.gram(twice), features.gram(maps), rtol=1e-4, atol=1e-5)


def test_the_gradient_of_a_gram_loss_is_that_of_finite_differences():
    rng = np.random.default_rng(0)
    maps, target = rng.random((1, 4, 5, 3)), rng.random((1, 3, 3))
    target = target + target.transpose(0, 2, 1)

    def loss(maps):
        return tf.reduce_sum((features.gram(maps) - target) ** 2)

    variable = tf.Variable(maps)
    with tf.GradientTape() as tape:
        value = loss(variable)
    gradient = tape.gradient(value, variable).numpy()
    step = 1e-6
    for place in np.ndindex(maps.shape):
        moved = np.zeros_like(maps)
        moved[place] = step
        numerical = float(loss(maps + moved) - loss(maps - moved)) / (2 * step)
        assert gradient[place] == pytest.approx(numerical, rel=1e-6, abs=1e-8)
    rest = features.gram(maps).numpy() - target
    np.testing.assert_allclose(gradient, 4 / 20 * np.einsum("nhwc,ncd->nhwd", maps, rest), rtol=1e-10)


def test_grams_are_those_of_the_maps(net):
    x = photo("cat", size=40, color=True)
    grams = net.grams(x)
    assert list(grams) == list(STYLE)
    for name, maps in net.maps(x, STYLE).items():
        flat = maps.reshape(-1, maps.shape[-1]).astype(np.float64)
        np.testing.assert_allclose(grams[name][0], flat.T @ flat / len(flat), rtol=1e-3, atol=1e-4)


# --------------------------------------------------------------------------------------------- Fréchet distance


def test_the_distance_of_pictures_to_themselves_is_nothing_beside_the_floor(net, patches):
    floor = net.floor(patches)
    assert floor > 0 and net.frechet(patches[:200], patches[:200]) < 1e-3 * floor
    assert net.floor(patches, seed=1) != floor and net.floor(patches) == floor


def test_more_damage_is_farther_away(net, patches):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(patches[200:].shape)
    distances = [net.frechet(patches[:200], np.clip(patches[200:] + level * noise, 0, 1))
                 for level in (0, 0.03, 0.06, 0.12)]
    assert distances == sorted(distances) and distances[1] > 1.5 * distances[0]


def test_the_distance_sees_how_pictures_vary_and_not_only_their_mean(net, patches):
    """One patch again and again, the one nearest to the mean: a generator that has collapsed."""
    pooled = net.pooled(patches)
    nearest = ((pooled - pooled.mean(axis=0)) ** 2).sum(axis=1).argmin()
    assert pooled.shape == (400, 80)
    assert net.frechet(patches[:200], patches[[nearest] * 200]) > 5 * net.floor(patches)


# ------------------------------------------------------------------------------------------- what the card says


def test_the_whole_network_named_the_photographs():
    from helpers import convert

    metrics = pretrained.card("features")["metrics"]
    for name, right in convert.NAMED.items():
        said = metrics[f"the whole network on the photograph {name}"]
        assert said["says"] in right.values() and said["probability"] > 0.2
    assert len(convert.NAMED) >= 5


def test_the_shipped_part_is_the_whole_to_rounding():
    (off,) = (value for key, value in pretrained.card("features")["metrics"].items() if "largest difference" in key)
    assert off["before rounding"] < 1e-5 and off["as float16 numbers"] < 0.02


def test_the_distances_are_those_of_the_card(net):
    from helpers import convert

    (name, found), = convert.distances(net).items()
    claimed = pretrained.card("features")["metrics"][name]
    for kind, value in claimed.items():
        assert found[kind] == pytest.approx(value, rel=0.02)
        assert kind == "floor" or value > 5 * claimed["floor"]


# --------------------------------------------------------------------------------------------------- bad input

GOOD = np.full((8, 8, 3), 0.5)


@pytest.mark.parametrize(("x", "says"), [
    (255 * GOOD, "divide 0-255 data by 255"), (GOOD[..., 0], "x must have"), (GOOD[..., :2], "x must have shape"),
    (np.full((8, 8, 3), np.nan), "x must be finite"), (np.zeros((0, 8, 3)), "x is empty"), ("cat", "x must hold"),
    (np.zeros((1, 1, 8, 8, 3)), "x must have"), (np.zeros((8, 8, 4)), "x must have shape"),
])
def test_what_is_no_colour_picture_is_refused(net, x, says):
    for call in (net.maps, net.grams, net.pooled):
        with pytest.raises((ValueError, TypeError), match=says) as caught:
            call(x)
        assert str(caught.value).startswith("x ")


@pytest.mark.parametrize("names", ["stern", ("stem", "sum2"), (), (3,)])
def test_an_unknown_layer_is_refused(net, names):
    with pytest.raises((ValueError, TypeError), match="names"):
        net.maps(GOOD, names)


def test_too_few_pictures_are_refused(net, patches):
    with pytest.raises(ValueError, match="x has 3 pictures"):
        net.floor(patches[:3])
    with pytest.raises(ValueError, match="needs at least 2"):
        net.frechet(patches[:1], patches[:10])
    with pytest.raises(TypeError, match="seed"):
        net.floor(patches[:8], seed=None)


def test_it_cannot_be_trained_here():
    from helpers import train

    with pytest.raises(ValueError, match="name 'features': others trained this model"):
        train.train("features")
    with pytest.raises(ValueError, match="did you mean 'features'"):
        pretrained.load("feature")
    assert validation.choice("features", "name", pretrained.names()) == "features"
