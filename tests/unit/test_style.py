"""Repainting: distances as defined, a walk that goes downhill and stays in [0, 1], and the command."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from typer.testing import CliRunner

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import pretrained
from helpers.__main__ import STYLES, app
from helpers.images import photo, read_photo
from helpers.models import painter, style
from helpers.models.features import CONTENT, STYLE

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


@pytest.fixture(scope="module")
def net():
    return pretrained.load("features")


@pytest.fixture(scope="module")
def cat():
    return photo("cat", size=40, color=True)[:33]


@pytest.fixture(scope="module")
def dahlia():
    return photo("flower", size=48, color=True)[:, 8:40]


def mirrored(x):
    return np.pad(x, [(8, 8), (8, 8), (0, 0)], mode="symmetric")


def test_the_distances_are_what_their_definition_says(net, cat, dahlia):
    x = np.stack([np.clip(cat + 0.1, 0, 1), cat[::-1]])
    content, off = style.Distances(net, cat, dahlia)(tf.constant(x))
    wanted, targets = net.maps(mirrored(cat), (CONTENT,))[CONTENT], net.grams(mirrored(dahlia))
    for n in range(2):
        moved = net.maps(mirrored(x[n]), (CONTENT,))[CONTENT] - wanted
        assert float(content[n]) == pytest.approx((moved**2).sum() / (wanted**2).sum(), rel=1e-3)
        grams = net.grams(mirrored(x[n]))
        each = [((grams[name] - targets[name]) ** 2).sum() / (targets[name] ** 2).sum() for name in STYLE]
        assert float(off[n]) == pytest.approx(np.mean(each), rel=1e-3)


def test_nothing_is_nearer_than_the_picture_itself(net, cat, dahlia):
    distances = style.Distances(net, cat, dahlia)
    content, off = distances(tf.constant(cat[None]))
    assert float(content[0]) < 1e-9 and float(off[0]) > 1e-3
    content, off = distances(tf.constant(dahlia[None][:, :33, :, :].repeat(2, axis=2)[:, :, :40]))
    assert float(content[0]) > 0.01
    assert float(style.Distances(net, dahlia, dahlia)(tf.constant(dahlia[None]))[1][0]) < 1e-9
    assert float(style.Distances(net, cat, dahlia, ("stem",))(tf.constant(cat[None]))[1][0]) != float(off[0])


def test_the_slope_is_that_of_the_loss(net, cat, dahlia):
    """Along the gradient the loss rises as fast as the gradient is long."""
    distances = style.Distances(net, cat, dahlia)
    x = tf.Variable(0.5 * cat[None] + 0.25)

    def loss(x):
        content, off = distances(x)
        return content[0] + 10 * off[0]

    with tf.GradientTape() as tape:
        value = loss(x)
    gradient = tape.gradient(value, x)
    length = float(tf.norm(gradient))
    step = 0.02
    ends = [float(loss(x + sign * step * gradient / length)) for sign in (1, -1)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(length, rel=0.05)


@pytest.mark.parametrize("levels", [style.LEVELS, style.PIXELS])
def test_a_walk_goes_downhill_and_stays_a_picture(net, cat, dahlia, levels):
    found = style.repaint(cat, dahlia, weight=100, steps=30, features=net, levels=levels)
    assert found.x.shape == cat.shape and found.x.dtype == np.float32
    assert found.x.min() >= 0 and found.x.max() <= 1
    assert found.content.shape == found.style.shape == (30,)
    assert found.style[-1] < 0.5 * found.style[0] and found.content[0] < 1e-9 < found.content[-1]
    again = style.repaint(cat, dahlia, weight=100, steps=30, features=net, levels=levels)
    assert np.array_equal(again.x, found.x), "the same arguments, the same picture"


def test_the_end_is_what_was_reported(net, cat, dahlia):
    """The last note is of the picture before the last step, whose size is nearly zero."""
    found = style.repaint(cat, dahlia, weight=100, steps=30, features=net)
    content, off = style.Distances(net, cat, dahlia)(tf.constant(found.x[None]))
    assert float(content[0]) == pytest.approx(found.content[-1], rel=0.05)
    assert float(off[0]) == pytest.approx(found.style[-1], rel=0.05)


def test_the_weight_trades_content_for_style(net, cat, dahlia):
    little, much = (style.repaint(cat, dahlia, weight, steps=30, features=net) for weight in (1, 1000))
    assert little.content[-1] < 0.5 * much.content[-1] and much.style[-1] < 0.8 * little.style[-1]


def test_the_pyramid_leaves_a_smoother_picture(net, cat, dahlia):
    def chequers(x):
        return np.abs(x[:-1:2, ::2] - x[1::2, ::2] - x[:-1:2, 1::2] + x[1::2, 1::2]).mean()

    pixels, pyramid = (style.repaint(cat, dahlia, steps=40, features=net, levels=levels).x
                       for levels in (style.PIXELS, style.LEVELS))
    assert chequers(pyramid) < 0.8 * chequers(pixels)


def test_another_network_sees_another_style(net, cat, dahlia):
    from helpers.models.features import Features

    blind = style.repaint(cat, dahlia, steps=5, features=Features.blank())
    default = style.repaint(cat, dahlia, steps=5)
    np.testing.assert_allclose(default.x, style.repaint(cat, dahlia, steps=5, features=net).x, atol=1e-5)
    assert np.abs(blind.x - default.x).mean() > 0.01


def test_a_texture_has_the_style_and_comes_from_its_seed(net, dahlia):
    first, again, other = (style.texture(dahlia, steps=30, seed=seed, features=net) for seed in (0, 0, 1))
    assert first.x.shape == dahlia.shape and np.array_equal(first.x, again.x)
    assert np.abs(first.x - other.x).mean() > 0.03
    assert first.style[-1] < 0.2 * first.style[0]
    shallow = style.texture(dahlia, STYLE[:1], steps=30, features=net)

    def all_layers(x):
        return float(style.Distances(net, dahlia, dahlia)(x[None])[1][0])

    assert all_layers(first.x) < 0.5 * all_layers(shallow.x)


# --------------------------------------------------------------------------------------------------- bad input

GOOD = np.full((20, 24, 3), 0.5)


@pytest.mark.parametrize(("x", "says"), [
    (GOOD[:1, :1], "has 1 × 1 pixels, expected at least 16"), (GOOD[:15], "has 15 × 24 pixels"),
    (np.full((1300, 1200, 3), 0.5, np.float32), "expected at most 1,500,000"), (GOOD[..., 0], "must have"),
    (GOOD[..., :1], "must have shape"), (np.stack([GOOD] * 2), "must be one picture"), (255 * GOOD, "divide 0-255"),
    (np.nan * GOOD, "must be finite"), ("cat.png", "must hold real numbers"), (None, "must hold real numbers"),
])
def test_what_is_no_picture_is_refused_by_name(net, x, says):
    for name, arguments in (("photo", (x, GOOD)), ("picture", (GOOD, x))):
        with pytest.raises((ValueError, TypeError), match=says) as caught:
            style.repaint(*arguments, features=net)
        assert str(caught.value).startswith(f"{name} ")
    with pytest.raises((ValueError, TypeError), match=says) as caught:
        style.texture(x, features=net)
    assert str(caught.value).startswith("picture ")


@pytest.mark.parametrize(("name", "value"), [
    ("weight", -1), ("weight", 0), ("weight", float("nan")), ("weight", "much"),
    ("steps", 0), ("steps", 2.5), ("steps", True)])
def test_wrong_numbers_are_refused_by_name(net, name, value):
    with pytest.raises((ValueError, TypeError), match=f"^{name} "):
        style.repaint(GOOD, GOOD, features=net, **{name: value})


# ----------------------------------------------------------------------------------------------------- command


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, cat, dahlia):
    monkeypatch.chdir(tmp_path)
    for name, x in (("cat.png", cat), ("dahlia.jpg", dahlia)):
        Image.fromarray(np.rint(255 * x).astype(np.uint8)).save(name)
    Image.fromarray(np.rint(255 * cat[..., 0]).astype(np.uint8)).save("grey.png")
    clear = np.concatenate([255 * cat, np.full((*cat.shape[:2], 1), 100)], axis=-1)
    Image.fromarray(clear.astype(np.uint8), "RGBA").save("clear.png")
    Image.new("RGB", (1, 1)).save("dot.png")
    (tmp_path / "notes.txt").write_text("no picture")


def command(*arguments):
    return CliRunner().invoke(app, ["style", *map(str, arguments)])


@pytest.mark.parametrize("name", ["cat.png", "grey.png", "clear.png"])
def test_the_command_repaints(name, net, dahlia):
    done = command(name, "--like", "dahlia.jpg", "-o", "out.png", "--steps", 4, "--weight", 50)
    assert done.exit_code == 0, done.output
    assert "wrote out.png" in done.stdout and "step" in done.stderr
    x, like = read_photo(name, color=True), read_photo("dahlia.jpg", color=True)
    expected = style.repaint(x, like, 50, steps=4)
    np.testing.assert_allclose(read_photo("out.png", color=True), expected.x, atol=0.003)
    assert f"{expected.style[0]:.3g} from that of dahlia.jpg at first, {expected.style[-1]:.3g} at last" in done.stdout


def test_the_command_shrinks_to_the_size_that_was_asked():
    done = command("cat.png", "--like", "dahlia.jpg", "-o", "out.jpg", "--steps", 1, "--size", 24)
    assert done.exit_code == 0 and Image.open("out.jpg").size == (24, 20)


@pytest.mark.parametrize("name", ["cat.png", "grey.png", "clear.png"])
def test_the_command_paints_at_once(name):
    done = command(name, "--style", "relief", "-o", "out.png")
    assert done.exit_code == 0 and done.stdout == "wrote out.png\n", done.output
    expected = pretrained.shared("style-relief")(read_photo(name, color=True))
    np.testing.assert_allclose(read_photo("out.png", color=True), expected, atol=0.003)


def test_the_command_shrinks_forty_megapixels():
    Image.linear_gradient("L").resize((8000, 5000)).save("large.png", compress_level=1)
    done = command("large.png", "--style", "dahlia", "-o", "out.jpg", "--size", 64)
    assert done.exit_code == 0 and Image.open("out.jpg").size == (64, 40), done.output


def test_the_command_knows_the_styles_that_networks_have_learned():
    assert set(STYLES) == set(painter.STYLES)


@pytest.mark.parametrize(("arguments", "says"), [
    (("missing.png", "--like", "dahlia.jpg", "-o", "o.png"), "'missing.png': there is no such file"),
    (("cat.png", "--like", "notes.txt", "-o", "o.png"), "'notes.txt' cannot be read as a picture"),
    (("dot.png", "--like", "dahlia.jpg", "-o", "o.png"), "photo has 1 × 1 pixels"),
    (("cat.png", "--like", "dot.png", "-o", "o.png"), "picture has 1 × 1 pixels"),
    (("cat.png", "--like", "dahlia.jpg", "-o", "o.txt"), "what kind of picture is '.txt'"),
    (("cat.png", "--like", "dahlia.jpg", "-o", "no/o.png"), "cannot be written"),
    (("cat.png", "--like", "dahlia.jpg", "-o", "cat.png"), "output 'cat.png' is one of the two pictures"),
    (("cat.png", "--like", "dahlia.jpg", "-o", "./dahlia.jpg"), "is one of the two pictures"),
    (("cat.png", "--like", "dahlia.jpg", "-o", "o.png", "--weight", "-3"), "weight must be above 0"),
    (("cat.png", "--like", "dahlia.jpg", "-o", "o.png", "--steps", "0"), "steps must be at least 1"),
    (("cat.png", "--like", "dahlia.jpg", "-o", "o.png", "--size", "8"), "size must be from 16 to 1200"),
    (("cat.png", "-o", "o.png"), "style: say --style dahlia, relief, tissue, or --like and a picture"),
    (("cat.png", "--like", "dahlia.jpg", "--style", "relief", "-o", "o.png"), "style: say --style"),
    (("cat.png", "--style", "dalia", "-o", "o.png"), "did you mean 'dahlia'"),
    (("cat.png", "--style", "dahlia", "-o", "o.png", "--weight", "3"), "weight: it is for --like"),
    (("cat.png", "--style", "dahlia", "-o", "o.png", "--steps", "3"), "steps: it is for --like"),
    (("cat.png", "--style", "dahlia", "-o", "o.png", "--size", "3000"), "size must be from 16 to 2048"),
    (("cat.png", "--style", "dahlia", "-o", "cat.png"), "output 'cat.png' is the photograph"),
    (("dot.png", "--style", "dahlia", "-o", "o.png"), "photo has 1 × 1 pixels, expected at least 16"),
    (("notes.txt", "--style", "dahlia", "-o", "o.png"), "'notes.txt' cannot be read as a picture"),
])
def test_the_command_refuses_in_one_line(arguments, says, tmp_path):
    done = command(*arguments)
    assert done.exit_code == 2 and says in done.stderr.splitlines()[-1] and "Traceback" not in done.output
    assert not list(tmp_path.glob("o.*"))
