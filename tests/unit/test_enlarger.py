"""Enlarging four times: the bicubic rule, the order of the pixels, the two losses, agreement with what was given."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from typer.testing import CliRunner

from helpers import images, metrics, pretrained, recipes
from helpers.__main__ import LOSSES, app
from helpers.models import crops, enlarger
from helpers.operators import Downsample
from tests.unit.worlds import small, training

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


@pytest.fixture(scope="module")
def cat():
    return images.photo("cat", size=64, color=True)


@pytest.fixture(scope="module")
def stirred():
    """An untrained enlarger whose last layer is not zero."""
    keras.utils.set_random_seed(0)
    made = enlarger.Enlarger.blank(small("sr-pixel"))
    rng = np.random.default_rng(0)
    for variable in made.network.trainable_variables:
        variable.assign_add(0.05 * rng.standard_normal(variable.shape).astype(np.float32))
    return made


# -------------------------------------------------------------------------------------------------- the network


def test_before_any_training_it_is_the_bicubic_rule(cat):
    """Inside, where no rule for the border plays a part, as Keys's cubic with a = -1/2 has it, written by hand."""
    keras.utils.set_random_seed(0)
    y = Downsample(4).forward(cat)
    found = enlarger.Enlarger.blank(recipes.recipe("sr-feature"))(y)
    np.testing.assert_allclose(found, enlarger.enlarge(y), atol=1e-6)

    def weight(t):
        t = abs(t)
        return 1.5 * t**3 - 2.5 * t**2 + 1 if t < 1 else -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0

    rows = np.array([[weight((i + 0.5) / 4 - 0.5 - k) for k in range(16)] for i in range(64)])
    expected = np.einsum("ik,jl,klc->ijc", rows, rows, y)
    np.testing.assert_allclose(found[8:-8, 8:-8], np.clip(expected, 0, 1)[8:-8, 8:-8], atol=1e-5)


def test_sixteen_channels_become_the_pixels_of_their_place_row_by_row():
    x = np.random.default_rng(0).random((2, 3, 5, 48)).astype(np.float32)
    layer = enlarger.PixelShuffle()
    found = layer(x).numpy()
    assert found.shape == (2, 12, 20, 3) == layer.compute_output_shape(x.shape)
    assert layer.compute_output_shape((None, None, None, 48)) == (None, None, None, 3)
    np.testing.assert_array_equal(found, x.reshape(2, 3, 5, 4, 4, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 12, 20, 3))


def test_the_shipped_size_is_what_the_cards_count():
    for name in ("sr-pixel", "sr-feature"):
        network = recipes.recipe(name).ready().blank(recipes.recipe(name)).network
        assert 2 * network.count_params() < 350_000 and len(network.trainable_variables) == len(network.variables)
    assert recipes.recipe("sr-pixel")._replace(what="", options={}) == recipes.recipe("sr-feature")._replace(
        what="", options={}), "the same steps, batch and seed"


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 6), (16, 33)])
def test_any_size_comes_back_four_times_as_large(stirred, shape):
    y = np.random.default_rng(0).random((*shape, 3)).astype(np.float32)
    x = stirred(y)
    assert x.shape == (4 * shape[0], 4 * shape[1], 3) and x.dtype == np.float32
    assert x.min() >= 0 and x.max() <= 1 and np.array_equal(x, stirred(y))
    if min(shape) > 4:
        assert np.abs(x - enlarger.enlarge(y)).max() > 0.01


GOOD = np.full((20, 24, 3), 0.5, np.float32)


@pytest.mark.parametrize(("y", "says"), [
    (GOOD[..., 0], "must"), (np.stack([GOOD] * 2), "must be one picture"), (255 * GOOD, "divide 0-255"),
    (np.broadcast_to(np.float32(0.5), (1200, 1000, 3)), "1000 × 1200 pixels, expected at most 1,000,000"),
    (np.nan * GOOD, "must be finite"), (GOOD[:0], "empty"), ("cat.png", "must hold real numbers"),
])
def test_what_is_no_photograph_is_refused_by_name(stirred, y, says):
    for one in (stirred, enlarger.enlarge):
        with pytest.raises((ValueError, TypeError), match=says) as caught:
            one(y)
        assert str(caught.value).startswith("photo ")


def test_weights_of_another_model_are_refused():
    blank = enlarger.Enlarger.blank(small("sr-pixel"))
    with pytest.raises(ValueError, match="weights belong to another model"):
        pretrained.put(blank.networks, pretrained.read("style-dahlia"))


# ---------------------------------------------------------------------------------------------------- agreement


def test_an_answer_is_made_to_agree_and_moves_as_little_as_possible(cat):
    """The correction has the form Aᵀ v, so it stands upright on everything that A does not see."""
    operator, rng = Downsample(4), np.random.default_rng(0)
    y, x_hat = operator.forward(cat), rng.random(cat.shape)
    found = enlarger.agree(x_hat, y)
    np.testing.assert_allclose(operator.forward(found), y, atol=1e-7)
    unseen = rng.standard_normal(cat.shape)
    unseen -= 16 * operator.adjoint(operator.forward(unseen))
    assert abs(np.sum((found - x_hat) * unseen)) < 1e-9 < np.abs(found - x_hat).max()
    np.testing.assert_allclose(enlarger.agree(found, y), found, atol=1e-12)
    assert metrics.psnr(cat, found) > metrics.psnr(cat, x_hat)  # the truth agrees, so nobody moves away from it


# ----------------------------------------------------------------------------------------------------- training


def test_the_losses_are_their_definitions_seen_through_the_window(cat):
    """By hand, in NumPy: means of squares, and squares of features beside those of the truth."""
    x = np.stack([cat[:48, :48], cat[16:, 16:]])
    place = tf.constant([[3, 5], [0, 0]])
    small_ones = np.stack([Downsample(4).forward(one) for one in x])
    inside = np.s_[:, 3:43, 5:45]
    for name in ("sr-pixel", "sr-feature"):
        made = training(name, pictures=[cat])
        x_hat = made.networks["enlarger"](small_ones).numpy()[inside]
        expected = made.pixels * np.mean((x_hat - x[inside]) ** 2)
        if made.features:
            a, b = (pretrained.shared("features").maps(np.clip(one, 0, 1), enlarger.SEEN)
                    for one in (x_hat, x[inside]))
            expected += made.features * np.mean([np.sum((a[k] - b[k]) ** 2) / np.sum(b[k] ** 2) for k in a])
        assert float(made.loss((tf.constant(x), place))) == pytest.approx(expected, rel=2e-2 if made.features else 1e-4)


def test_the_distance_of_features_is_relative_to_the_truth_and_a_mean_over_layers():
    far = object.__new__(enlarger.FeatureDistance)
    far.part = lambda x: [x, x**2]
    x = tf.constant(np.random.default_rng(0).random((2, 8, 8, 3)), tf.float32)
    assert float(far(0 * x, x)) == pytest.approx(1) and float(far(2 * x, x)) == pytest.approx((1 + 9) / 2)


def test_layers_that_train_do_not_judge():
    assert not set(enlarger.SEEN) & set(enlarger.UNSEEN)
    made = training("sr-feature")
    assert made.far.part.output_names == list(enlarger.SEEN) and made.judge.part.output_names == list(enlarger.UNSEEN)


@pytest.mark.parametrize("name", ["sr-pixel", "sr-feature"])
def test_gradients_reach_every_weight_and_one_batch_is_learned_by_heart(name, cat):
    keras.utils.set_random_seed(0)
    recipe = recipes.recipe(name)
    made = enlarger.Training(recipe._replace(options=recipe.options | {
        "patch": 48, "start": None, "network": {"width": 24, "blocks": 1}}), pictures=[cat[:48, :48]])
    batch = tf.constant(cat[None, 8:32, 8:32]), tf.constant([[4, 4]])
    variables = made.networks["enlarger"].trainable_variables
    optimizer = keras.optimizers.Adam(5e-3)
    optimizer.build(variables)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = made.loss(batch)
        slopes = tape.gradient(loss, variables)
        optimizer.apply(slopes, variables)
        return loss, slopes

    losses = [step() for _ in range(150)]
    assert all(np.abs(slope).max() > 0 for slope in losses[1][1])
    assert float(losses[-1][0]) < 0.1 * float(losses[0][0])


def test_the_second_training_begins_where_the_first_one_ended(cat):
    recipe = recipes.recipe("sr-feature")
    assert recipe.options["start"] == "sr-pixel"
    made = enlarger.Training(recipe, pictures=[cat.repeat(3, 0).repeat(3, 1)])
    for name, values in pretrained.read("sr-pixel").items():
        found = dict(pretrained._named(made.networks))[name]
        assert np.array_equal(found, values.astype(np.float32))


def test_windows_lie_at_every_phase_and_small_pictures_are_means(cat):
    made = training("sr-pixel", pictures=[cat])
    places = np.concatenate([made.draw(tf.constant([0, step]), 8)[1] for step in range(30)])
    assert places.min() == 0 and places.max() == enlarger.EDGE and len({tuple(p % 2) for p in places}) == 4
    x, _ = made.draw(tf.constant([0, 1]), 2)
    np.testing.assert_allclose(tf.nn.avg_pool2d(x, 4, 4, "VALID")[0], Downsample(4).forward(x[0].numpy()), atol=1e-6)


def test_photographs_of_a_folder_are_read_in_colour(tmp_path, cat):
    from helpers.images.folder import Photographs

    Image.fromarray(np.rint(255 * cat).astype(np.uint8)).save(tmp_path / "cat.png")
    read, held = (training("sr-pixel", pictures=pictures) for pictures in (Photographs(tmp_path, 24, True), [cat]))
    a, b = (made.draw(tf.constant([0, 3]), 4)[0].numpy() for made in (read, held))
    np.testing.assert_allclose(a, b, atol=1e-6)
    assert a.shape == (4, 12, 12, 3) and np.ptp(a, axis=-1).max() > 0.1


def test_what_is_watched_and_judged_did_not_train(monkeypatch, cat):
    asked = []
    for module in (enlarger, crops):
        monkeypatch.setattr(module, "photos", lambda split, **how: asked.append(split) or {"one": cat})
    made = training("sr-pixel")
    assert sorted(asked) == ["other", "train"]
    asked.clear()
    training("sr-pixel", pictures=[cat])
    assert asked == ["train"]  # of a folder's photographs the shipped ones are no part
    asked.clear()
    before = made.watch()["psnr"]
    made.ready = lambda y: cat
    assert before < 40 < made.watch()["psnr"] and made.watch()["unseen features"] == 0
    found = made.evaluate()
    assert asked == ["test"] and found["psnr"]["value"] > 100 > 40 > found["psnr"]["bicubic"]
    assert found["off, made small again"]["bicubic"] > 1e-3 > found["off, made small again"]["made to agree"]
    assert 0 == found["features of unseen layers"]["value"] < found["features of unseen layers"]["bicubic"]


# ------------------------------------------------------------------------------------------------------ command


@pytest.fixture
def folder(tmp_path, monkeypatch, cat):
    monkeypatch.chdir(tmp_path)
    levels = np.rint(255 * cat[:40]).astype(np.uint8)
    Image.fromarray(levels).save("cat.png")
    Image.fromarray(levels[..., 0]).save("grey.png")
    Image.fromarray(np.concatenate([levels, levels[..., :1]], -1), "RGBA").save("clear.png")
    Image.new("RGB", (1, 1), (10, 200, 90)).save("dot.png")
    Image.new("L", (8000, 5000)).save("large.png", compress_level=1)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def command(*arguments):
    return CliRunner().invoke(app, ["enlarge", *map(str, arguments)])


def test_the_command_enlarges_what_can_be_read(folder):
    for name, loss in (("cat.png", "pixel"), ("grey.png", "feature"), ("clear.png", "feature"), ("dot.png", "pixel")):
        done = command(name, "-o", "out.png", *(("--loss", loss) if loss != "pixel" else ()))
        y = images.read_photo(name, color=True)
        assert done.exit_code == 0, done.output
        assert done.stdout == f"wrote out.png, {4 * y.shape[1]} × {4 * y.shape[0]} pixels\n"
        x, written = pretrained.shared(f"sr-{loss}")(y), images.read_photo("out.png", color=True)
        if name == "grey.png":  # the networks lay a little colour on grey, and the command takes it away again
            assert np.ptp(x, axis=2).max() > 0.005 and not np.ptp(written, axis=2).any()
            x = x.mean(axis=2, keepdims=True)
        np.testing.assert_allclose(written, np.broadcast_to(x, written.shape), atol=0.003)
    assert {f"sr-{loss}" for loss in LOSSES} <= set(recipes.RECIPES)


def test_a_jpeg_is_written_as_finely_as_restore_does(folder):
    assert command("cat.png", "-o", "out.jpg").exit_code == 0
    x = pretrained.shared("sr-pixel")(images.read_photo("cat.png", color=True))
    Image.fromarray(np.rint(255 * x).astype(np.uint8)).save("expected.jpg", quality=95, subsampling=0)
    with Image.open("out.jpg") as found, Image.open("expected.jpg") as expected:
        assert found.quantization == expected.quantization and found.layer == expected.layer


@pytest.mark.parametrize(("arguments", "says"), [
    (("missing.png", "-o", "o.png"), "'missing.png': there is no such file"),
    (("notes.txt", "-o", "o.png"), "'notes.txt' cannot be read as a picture"),
    (("large.png", "-o", "o.png"), "photo has 8000 × 5000 pixels, expected at most 1,000,000"),
    (("cat.png", "-o", "o.txt"), "what kind of picture is '.txt'"),
    (("cat.png", "-o", "no/o.png"), "cannot be written"),
    (("cat.png", "-o", "cat.png"), "output 'cat.png' is the photograph"),
    (("cat.png", "-o", "o.png", "--loss", "pixels"), "did you mean 'pixel'"),
])
def test_the_command_refuses_in_one_line(folder, arguments, says):
    done = command(*arguments)
    assert done.exit_code == 2 and says in done.stderr.splitlines()[-1] and "Traceback" not in done.output
    assert not list(folder.glob("o.*"))
