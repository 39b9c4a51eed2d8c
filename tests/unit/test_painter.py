"""Painting in one pass: the normalisations, their (in)variance, sizes, the loss and the photographs that train."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy import ndimage

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import images, pretrained
from helpers.images.folder import Photographs
from helpers.models import crops, painter, style
from tests.unit.worlds import small, training

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


def made(normalisation="instance"):
    """Return an untrained painter whose scales and shifts are not those at the start."""
    keras.utils.set_random_seed(0)
    ready = painter.Painter({"painter": painter.build(normalisation, widths=(4, 6, 8), blocks=1)})
    rng = np.random.default_rng(0)
    for variable in ready.network.trainable_variables:
        variable.assign_add(0.2 * rng.standard_normal(variable.shape).astype(np.float32))
    return ready


@pytest.fixture(scope="module")
def by_instance():
    return made()


@pytest.fixture(scope="module")
def cat():
    return images.photo("cat", size=48, color=True)[:40]


# --------------------------------------------------------------------------------------------- normalisation


def test_each_map_of_each_picture_is_normalised_alone():
    x = np.random.default_rng(0).normal(3, [1, 5, 0.2], (2, 7, 5, 3)).astype(np.float32)
    layer = painter.InstanceNormalization()
    found = layer(x).numpy()
    expected = (x - x.mean((1, 2), keepdims=True)) / x.std((1, 2), keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(found, keras.layers.GroupNormalization(groups=-1, epsilon=1e-6)(x), atol=1e-4)
    np.testing.assert_allclose(layer(x[:1])[0], found[0], atol=1e-5)  # whatever else is in the batch
    layer.scale.assign([2, 0, 1])
    layer.shift.assign([1, 5, 0])
    np.testing.assert_allclose(layer(x), expected * [2, 0, 1] + [1, 5, 0], atol=2e-4)


@pytest.mark.parametrize(("contrast", "brightness"), [(0.5, 0.25), (0.5, 0), (0.9, 0.1)])
def test_contrast_and_brightness_change_nothing_with_instance_normalisation(by_instance, cat, contrast, brightness):
    """Up to epsilon, 1e-6, beside the squared spreads of the first maps."""
    moved = np.abs(by_instance(contrast * cat + brightness) - by_instance(cat)).max()
    assert moved < 1e-3 < 0.05 < np.abs(by_instance(cat) - by_instance(cat[:, ::-1])[:, ::-1]).max()


def test_they_change_much_with_batch_normalisation(cat):
    paint = made("batch")
    for _ in range(3):
        paint.network(cat[None], training=True)  # running means that are not those at the start
    assert np.abs(paint(0.5 * cat + 0.25) - paint(cat)).max() > 0.05


def test_a_flat_photograph_is_painted_and_not_divided_by_nothing(by_instance):
    x = by_instance(np.full((20, 24, 3), 0.5, np.float32))
    assert np.isfinite(x).all() and np.ptp(x, axis=(0, 1)).max() < 1e-3


def test_a_convolution_sees_the_mirror_beyond_the_border():
    x = np.random.default_rng(0).random((1, 7, 9, 1)).astype(np.float32)
    inward = keras.Input((None, None, 1))
    network = keras.Model(inward, painter._convolution(inward, 1, size=5))
    expected = ndimage.correlate(x[0, ..., 0], network.weights[0].numpy()[..., 0, 0], mode="reflect")
    np.testing.assert_allclose(network(x)[0, ..., 0], expected, atol=1e-5)


# ------------------------------------------------------------------------------------------------- any size


@pytest.mark.parametrize("shape", [(16, 16), (17, 30), (40, 48), (19, 101)])
def test_any_size_comes_back_as_it_went_in(by_instance, shape):
    x = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    painted = by_instance(x)
    assert painted.shape == x.shape and painted.dtype == np.float32
    assert painted.min() >= 0 and painted.max() <= 1 and np.ptp(painted) > 0.1
    whole = np.pad(x, [(0, -shape[0] % 4), (0, -shape[1] % 4), (0, 0)], mode="symmetric")
    np.testing.assert_allclose(painted, by_instance.network(whole[None])[0, : shape[0], : shape[1]], atol=1e-4)


GOOD = np.full((20, 24, 3), 0.5, np.float32)


@pytest.mark.parametrize(("x", "says"), [
    (GOOD[:1, :1], "has 1 × 1 pixels, expected at least 16"), (GOOD[:15], "has 15 × 24 pixels"), (GOOD[..., 0], "must"),
    (np.broadcast_to(np.float32(0.5), (2200, 2200, 3)), "2200 × 2200 pixels, expected at most 4,500,000"),
    (np.stack([GOOD] * 2), "must be one picture"), (255 * GOOD, "divide 0-255"), (np.nan * GOOD, "must be finite"),
    ("cat.png", "must hold real numbers"), (None, "must hold real numbers"),
])
def test_what_is_no_photograph_is_refused_by_name(by_instance, x, says):
    with pytest.raises((ValueError, TypeError), match=says) as caught:
        by_instance(x)
    assert str(caught.value).startswith("photo ")


# ------------------------------------------------------------------------------------------------- training


@pytest.fixture(scope="module")
def mine():
    return [images.photo(name, size=None, color=True)[:50, :64] for name in ("china", "clock")]


def test_the_loss_is_that_of_repainting_each_photograph_alone(mine):
    """The network is told to return its photograph at another brightness, so that both terms count."""
    taught = training("style-dahlia", pictures=mine)
    taught.networks = {"painter": lambda x, training: 0.5 * x + 0.3}
    (x,) = taught.draw(tf.constant([0, 1]), 3)
    alone = []
    for one in x.numpy():
        small_ones = style.Distances(pretrained.shared("features"), np.pad(one, ((0, 4), (0, 4), (0, 0)), "symmetric"),
                                     painter.STYLES["dahlia"]())
        content, off = small_ones(0.5 * one[None] + 0.3, one[None])
        assert float(content[0]) > 1e-3 and float(off[0]) > 1e-3
        alone.append(float(content[0] + 25 * off[0]))
    assert float(taught.loss((x,))) == pytest.approx(np.mean(alone), rel=1e-4)


def test_crops_are_half_as_large_or_from_the_middle_and_sometimes_mirrored():
    """A chart that says row and column: what is half as large holds the means of 2 × 2, the middle begins at 6."""
    down, right = np.mgrid[:24, :24] / 255
    chart = np.stack([4 * down, 4 * right, 0 * down], -1).astype(np.float32)
    made, kinds = training("style-dahlia", pictures=[chart]), set()
    for step in range(30):
        (x,) = made.draw(tf.constant([0, step]), 2)
        assert x.shape == (2, 12, 12, 3)
        x = 255 / 4 * x.numpy()
        slope = np.diff(x, axis=1)[..., 0].round(3), np.diff(x, axis=2)[..., 1].round(3)
        kinds.add((slope[0][0, 0, 0], slope[1][0, 0, 0]))
        assert all(np.ptp(one) == 0 for one in slope)
        np.testing.assert_allclose(x.min(axis=(0, 1, 2))[:2], 0.5 if slope[0][0, 0, 0] == 2 else 6, atol=1e-3)
    assert kinds == {(1, 1), (1, -1), (2, 2), (2, -2)}


def test_every_photograph_is_cut_and_those_of_a_folder_as_the_step_says(monkeypatch):
    made = crops.Crops(8, [np.full((9, 9, 3), level, np.float32) for level in (0, 0.2, 1)])
    assert set(np.rint(255 * made.draw(tf.constant([0, 1]), 40)).ravel()) == {0, 51, 255}
    asked = []
    made.pictures = object.__new__(Photographs)
    made.pictures.window = 3
    monkeypatch.setattr(Photographs, "patches", lambda self, step, which, place: asked.append((int(step), *which)) or
                        np.zeros((len(which), 8, 8, 3), np.uint8))
    made.draw(tf.constant([2, 7]), 30)
    assert asked[0][0] == 7 and set(asked[0][1:]) == {0, 1, 2}


def test_photographs_of_a_folder_are_read_in_colour(tmp_path, mine):
    for i, x in enumerate(mine):
        Image.fromarray(np.rint(255 * x).astype(np.uint8)).save(tmp_path / f"{i}.png")
    read, held = (training("style-dahlia", pictures=pictures) for pictures in (Photographs(tmp_path, 24, True), mine))
    for step in range(3):
        a, b = (made.draw(tf.constant([0, step]), 4)[0].numpy() for made in (read, held))
        np.testing.assert_allclose(a, b, atol=1e-6)
        assert a.shape == (4, 12, 12, 3) and np.ptp(a, axis=-1).max() > 0.1


def test_a_painter_may_start_from_another(monkeypatch, mine):
    keras.utils.set_random_seed(7)
    other = {"painter": painter.build(**small("style-relief").options["network"])}
    stored, read = {key: np.asarray(value) for key, value in pretrained._named(other)}, pretrained.read
    monkeypatch.setattr(pretrained, "read", lambda name, *folder: stored if name == "style-dahlia" else
                        read(name, *folder))
    made = training("style-relief", pictures=mine)
    assert made.style == "relief"
    for a, b in zip(made.networks["painter"].variables, other["painter"].variables, strict=True):
        assert np.array_equal(a, b)


def test_too_small_photographs_are_refused(mine):
    with pytest.raises(ValueError, match="smallest side is 20 pixels, but patches have 24"):
        training("style-dahlia", pictures=[mine[0][:20]])


def stretched(x):
    return (x - x.min()) / np.ptp(x)


def test_what_is_watched_and_judged_did_not_train(monkeypatch, mine):
    asked, one = [], stretched(mine[0][:32, :32])
    for module in (painter, crops):
        monkeypatch.setattr(module, "photos", lambda split, **how: asked.append(split) or {"one": one})
    monkeypatch.setattr(painter, "repaint", lambda x, picture, weight: style.Repainted(1 - x, None, None))
    for pictures, splits in ((None, ["other", "train"]), (mine, ["train"])):
        made = training("style-dahlia", pictures=pictures)
        assert asked == splits
        asked.clear()
    made.ready, made.networks = lambda x: 1 - x, {"painter": lambda x, training: 1 - x}
    x = tf.stack(list(made.watched.values()))
    assert made.watch()["loss"] == pytest.approx(float(made.loss((x,))), rel=1e-4)
    content, off = made.distances(1 - x, x)
    made.ready = lambda x: x
    found = made.evaluate()
    assert asked == ["test"]
    loss, seen = found["content + 25 x style"], found["style with the contrast halved"]
    assert loss["value"] == pytest.approx(loss["the photographs"])
    assert loss["repaint, 150 steps"] == pytest.approx(float(content[0] + 25 * off[0]), rel=1e-4)
    assert seen["moved by"] == pytest.approx(abs(seen["value"] - seen["with all of it"]), rel=1e-4)
    assert seen["moved by"] > 0
    assert found["style of unseen layers"]["value"] > 0
    made.ready = stretched  # it forgets the contrast
    assert made.evaluate()["style with the contrast halved"]["moved by"] < 1e-3 * seen["moved by"]


def test_the_styles_are_small_colour_pictures_that_differ():
    pictures = [make() for make in painter.STYLES.values()]
    assert all(x.shape == (128, 128, 3) and 0 <= x.min() < x.max() <= 1 for x in pictures)
    assert len({x.tobytes() for x in pictures}) == len(pictures)
    assert small("style-tissue").options["style"] in painter.STYLES
