"""The world of robots: its parts, drawing and exact reading, words, splits, and what happens to bad input."""

import io
import itertools
import time
import zipfile
from importlib import metadata

import numpy as np
import pytest
from PIL import Image

from helpers.images import robots
from helpers.images.robot_search import Search
from helpers.images.robots import (
    ATTRIBUTES,
    CHOICES,
    COLOURS,
    HELD_OUT,
    KINDS,
    PHRASES,
    WORLD,
    allowed,
    caption,
    draw_robots,
    from_index,
    index,
    layers,
    parse,
    parts,
    read,
    render,
    speckles,
    training_robots,
    unseen_robots,
)

FOLDER = metadata.distribution("robohash").locate_file("robohash/sets/set1")
SOME = draw_robots(1000, seed=0, split="all")


@pytest.fixture(scope="module", autouse=True)
def empty_cache(tmp_path_factory):
    """What is tested was made by the code as it is now, and not by the one that filled the cache of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMAGE_COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        robots._parts.cache_clear()
        yield
    robots._parts.cache_clear()


def drawing(kind, colour, design):
    """Return one part as its PNG holds it."""
    name = {"head": "face"}.get(kind, kind)
    (file,) = (FOLDER / COLOURS[colour]).glob(f"*/*_{name}-{design + 1:02d}.png")
    return Image.open(file).convert("RGBA")


def pasted_by_pillow(attributes, size):
    """Draw a robot another way: Pillow pastes at 300 pixels, then takes means over areas."""
    colour, *designs = (int(value) for value in attributes)
    picture = Image.new("RGBA", (300, 300), "white")
    for kind, design in zip(("body", "head", "accessory", "eyes", "mouth"), designs, strict=True):
        picture.alpha_composite(drawing(kind, colour, design))
    return shrunk_by_pillow(picture.convert("RGB"), size)


def shrunk_by_pillow(picture, size):
    """Take means over areas of 300 / size pixels: repeat each pixel, then reduce by a whole number, 75."""
    return np.asarray(picture.resize((75 * size, 75 * size), Image.Resampling.NEAREST).reduce(75), np.float32) / 255


def rmse(x, y):
    return np.sqrt(np.square(x - y).mean(axis=(-3, -2, -1)))


def neighbours(attributes, changes=1):
    """Return all robots that differ from one in so many attributes."""
    found = []
    for columns in itertools.combinations(range(len(ATTRIBUTES)), changes):
        for values in itertools.product(range(CHOICES), repeat=changes):
            other = attributes.copy()
            other[list(columns)] = values
            if (other != attributes).sum() == changes:
                found.append(other)
    return np.array(found)


# ----------------------------------------------------------------------------------------------- parts


@pytest.mark.parametrize("size", [32, 64])
def test_parts_are_premultiplied_and_safe(size):
    found = parts(size)
    assert tuple(found) == KINDS
    for values in found.values():
        assert values.shape == (10, 10, size, size, 4)
        assert values.dtype == np.float32
        assert values.min() >= 0
        assert values.max() <= 1
        assert (values[..., :3] <= values[..., 3:]).all()
        assert (values[..., 3].max(axis=(2, 3)) > 0.4).all()  # no part is missing
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0
    found.clear()
    assert tuple(parts(size)) == KINDS


def test_small_parts_are_means_of_large_ones():
    for kind, large in parts(64).items():
        means = large.reshape(10, 10, 32, 2, 32, 2, 4).mean(axis=(3, 5))
        np.testing.assert_allclose(parts(32)[kind], means, atol=2e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_parts_are_what_pillow_makes_of_the_drawings(kind):
    for colour, design in [(0, 0), (4, 7), (9, 3)]:
        picture = drawing(kind, colour, design).convert("RGBa")  # premultiplied, as Pillow calls it
        small = shrunk_by_pillow(picture, 32)
        np.testing.assert_allclose(parts(32)[kind][colour, design], small, atol=1.5 / 255)


@pytest.mark.parametrize("kind", KINDS)
def test_a_design_has_the_same_outline_in_every_colour(kind):
    """The number in front of a file's name is shuffled from colour to colour, the one at its end is not."""
    outline = parts(64)[kind][..., 3] > 0.5
    both = (outline & outline[:1]).sum(axis=(2, 3))
    either = (outline | outline[:1]).sum(axis=(2, 3))
    assert (both >= 0.9 * either).all()


def test_eyes_and_mouth_never_meet():
    """The exact search and the layers rest on it."""
    for size in (32, 64):
        eyes, mouth = ((parts(size)[kind][..., 3] > 0).any(axis=(0, 1)) for kind in ("eyes", "mouth"))
        assert not (eyes & mouth).any()


# ----------------------------------------------------------------------------------------------- drawing


@pytest.mark.parametrize("size, many", [(32, 25), (64, 5)])
def test_render_agrees_with_pillow(size, many):
    """Pasting small parts is not quite shrinking the pasted picture, but nearly: and the same robot is nearest."""
    some = SOME[:many]
    x, y = render(some, size), np.stack([pasted_by_pillow(each, size) for each in some])
    assert rmse(x, y).max() < 0.012
    assert np.abs(x - y).mean() < 0.001
    assert np.array_equal(read(y)[0], some)


def test_render_takes_any_leading_shape():
    x = render(SOME[:6])
    assert x.shape == (6, 32, 32, 3)
    assert x.dtype == np.float32
    assert np.array_equal(render(SOME[:6].reshape(2, 3, 6)), x.reshape(2, 3, 32, 32, 3))
    assert np.array_equal(render(SOME[0].tolist()), x[0])
    assert np.array_equal(render(SOME[:6].astype(np.uint8)), x)
    assert x.flags.writeable


def test_render_in_one_batch_or_in_many():
    assert np.array_equal(render(SOME[:600]), np.concatenate([render(SOME[i : i + 7]) for i in range(0, 600, 7)])[:600])


def test_render_stays_in_range_and_is_white_outside():
    x = render(SOME)
    assert x.min() >= 0
    assert x.max() <= 1
    assert (x[:, 0, 0] == 1).all()
    assert (x[:, -1].min(axis=(1, 2)) < 0.6).all()  # every body reaches the lower edge


def test_every_attribute_changes_the_picture_enough_to_be_read():
    least = dict.fromkeys(ATTRIBUTES, np.inf)
    for robot in SOME[:60]:
        others = neighbours(robot)
        distance = rmse(render(others), render(robot))
        for column, name in enumerate(ATTRIBUTES):
            least[name] = min(least[name], distance[others[:, column] != robot[column]].min())
    floor = {"colour": 0.05, "body": 0.03, "head": 0.02, "accessory": 0.01, "eyes": 0.01, "mouth": 0.006}
    assert all(least[name] > floor[name] for name in ATTRIBUTES), least


def test_render_draws_over_a_thousand_robots_a_second():
    start = time.process_time()
    render(SOME)
    assert time.process_time() - start < 1


# ----------------------------------------------------------------------------------------------- backgrounds


def test_robots_stand_before_speckles():
    behind = speckles(20, seed=3)
    x = render(SOME[:20], background="speckles", seed=3)
    assert np.array_equal(x, render(SOME[:20], background=behind.background))
    alpha = np.max([parts(32)[kind][SOME[:20, 0], SOME[:20, i + 1], ..., 3] for i, kind in enumerate(KINDS)], axis=0)
    assert np.array_equal(x[alpha == 0], behind.background[alpha == 0])
    np.testing.assert_allclose(x[alpha == 1], render(SOME[:20])[alpha == 1], atol=1e-6)
    assert not np.array_equal(x, render(SOME[:20], background="speckles", seed=4))


def test_one_background_serves_many_robots():
    grey = np.full(3, 0.5)
    assert np.array_equal(render(SOME[:2], background=grey)[:, 0, 0], np.full((2, 3), 0.5, np.float32))


def test_speckles_lie_where_they_are_said_to_lie():
    known = speckles(50, size=64, seed=1, count=8)
    assert known.background.shape == (50, 64, 64, 3)
    assert known.background.dtype == np.float32
    middle = np.arange(64) + 0.5
    apart = np.hypot(middle[:, None] - known.row[..., None, None], middle - known.column[..., None, None])
    far = (apart > known.radius[..., None, None] + 0.5).all(axis=1)
    assert (known.background[far] == 1).all()
    last = apart[:, -1] < known.radius[:, -1, None, None] - 0.5  # wholly inside the disc that covers all others
    assert last.any(axis=(1, 2)).all()
    for picture, inside, colour in zip(known.background, last, known.colour[:, -1], strict=True):
        np.testing.assert_allclose(picture[inside], np.broadcast_to(colour, (inside.sum(), 3)), atol=1e-6)


def test_speckles_do_not_depend_on_how_many_or_how_large():
    few, many, large = speckles(3), speckles(5), speckles(3, size=64)
    assert all(np.array_equal(one, other[:3]) for one, other in zip(few, many, strict=True))
    np.testing.assert_allclose(large.row, 2 * few.row)
    np.testing.assert_allclose(large.radius, 2 * few.radius)
    means = large.background.reshape(3, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert np.abs(means - few.background).mean() < 0.01


# ----------------------------------------------------------------------------------------------- reading


@pytest.mark.parametrize("noise", [0, 0.03])
def test_a_thousand_robots_are_read_without_fault_in_under_ten_seconds(noise):
    x = render(SOME)
    x += noise * np.random.default_rng(0).standard_normal(x.shape, dtype=np.float32)
    start = time.process_time()
    found, distance = read(x)
    assert time.process_time() - start < 10
    assert np.array_equal(found, SOME)
    np.testing.assert_allclose(distance, noise, atol=0.003)
    if not noise:
        assert (distance == 0).all()


def test_large_robots_are_read_too():
    assert np.array_equal(read(render(SOME[:100], 64))[0], SOME[:100])


def test_read_keeps_leading_shapes():
    found, distance = read(render(SOME[:6]).reshape(2, 3, 32, 32, 3))
    assert np.array_equal(found, SOME[:6].reshape(2, 3, 6))
    assert distance.shape == (2, 3)
    assert distance.dtype == np.float32
    found, distance = read(render(SOME[0]))
    assert found.shape == (6,)
    assert distance.shape == ()


def hard_pictures():
    """Return pictures that are no robots: noise, one colour, halves and mixtures of two robots, hidden faces."""
    rng = np.random.default_rng(0)
    one, other = render(draw_robots(4, 1, "all")), render(draw_robots(4, 2, "all"))
    dressed = draw_robots(4, 3, "all")
    dressed[:, 3] = [1, 1, 5, 5]  # accessories that eyes and mouth cover in part
    hidden = render(dressed)
    hidden[:, 13:18] = rng.random((4, 5, 32, 3))
    return np.concatenate([
        rng.random((4, 32, 32, 3)), np.ones((4, 32, 32, 3)) * np.linspace(0, 1, 4)[:, None, None, None],
        (one + other) / 2, np.where(np.arange(32)[:, None, None] < 16, one, other), hidden,
    ]).astype(np.float32)


def test_no_robot_is_nearer_than_the_one_that_is_read():
    """Against brute force over 5,000 robots, and over all that differ from the answer in one or two attributes."""
    x = hard_pictures()
    found, distance = read(x)
    np.testing.assert_allclose(rmse(render(found), x), distance, atol=1e-6)
    for robot in render(from_index(np.random.default_rng(4).choice(WORLD, 5000, replace=False))):
        assert (rmse(x, robot) > distance - 1e-5).all()
    for picture, robot, best in zip(x[::2], found[::2], distance[::2], strict=True):
        others = np.concatenate([neighbours(robot), neighbours(robot, 2)])
        assert rmse(render(others), picture).min() > best - 1e-5


def test_what_the_search_says_a_robot_costs_is_what_it_costs():
    """With every accessory, also those that eyes and mouth cover in part: of a robot itself nothing is left over."""
    some = draw_robots(40, 7, "all")
    some[:, 0], some[:, 3] = 3, np.arange(40) % 10
    x = (render(some) - 1).reshape(40, -1)
    cost, designs = Search({kind: parts(32)[kind][3] for kind in KINDS}).best(x)
    assert np.array_equal(designs, some[:, 1:])
    np.testing.assert_allclose(cost, -np.square(x).sum(axis=1), atol=0.01)


def test_read_forgives_values_outside_the_range():
    x = 1.2 * (render(SOME[:50]) - 0.5) + 0.5
    assert x.min() < 0 and x.max() > 1
    assert np.array_equal(read(x)[0], SOME[:50])


# ----------------------------------------------------------------------------------------------- layers


@pytest.mark.parametrize("size", [32, 64])
def test_layers_add_up_to_every_robot(size):
    taken = layers(6, size)
    some = draw_robots(2000 if size == 32 else 100, seed=5, split="all")
    some[:, 0] = 6
    _, body, head, accessory, eyes, mouth = some.T
    group = taken.group[accessory]
    total = (taken.base[body, head] + taken.accessory[body, head, accessory] + taken.eyes[group, body, head, eyes]
             + taken.mouth[group, body, head, mouth])
    np.testing.assert_allclose(total, render(some, size), atol=1e-6)
    assert len(taken.eyes) == 3


# ----------------------------------------------------------------------------------------------- words


def test_every_design_has_words_of_its_own():
    phrases = [phrase for kind in KINDS for phrase in PHRASES[kind]]
    firsts = [phrase.split()[0] for phrase in phrases]
    assert [len(PHRASES[kind]) for kind in KINDS] == [CHOICES] * 5
    assert len(set(firsts)) == 50
    assert not set(firsts) & {*COLOURS, "gray", *robots.FILLERS, *robots._vocabulary()[1]}


def test_captions_are_read_back():
    some = np.concatenate([SOME, np.repeat(np.arange(10), 6).reshape(10, 6)])
    captions = caption(some)
    assert len(set(captions)) == len(np.unique(some, axis=0))
    assert np.array_equal(parse(captions, complete=True), some)


def test_shortened_captions_are_read_back():
    rng = np.random.default_rng(0)
    some = np.where(rng.random(SOME.shape) < 0.5, SOME, robots.UNSAID)
    assert np.array_equal(parse(caption(some)), some)


def test_captions_are_english():
    assert caption([4, 5, 3, 0, 6, 5]) == ("an orange robot with a pole body, an egg head, the number seven, owl eyes "
                                           "and an oval mouth")
    assert caption([-1, -1, 9, 7, -1, -1]) == "a robot with a boxy head and an aerial"
    assert caption([7, -1, -1, -1, -1, -1]) == "a red robot"
    assert caption([-1] * 6) == "a robot"


@pytest.mark.parametrize("words, attributes", [
    ("a robot", [-1, -1, -1, -1, -1, -1]),
    ("HAT; green", [2, -1, -1, 6, -1, -1]),
    ("an egg head and a gray robot", [3, -1, 3, -1, -1, -1]),
    ("owl eye, tin-can, pole", [-1, 5, 4, -1, 6, -1]),
    ("the red robot with the red... a red robot", [7, -1, -1, -1, -1, -1]),
])
def test_parse_is_free_in_order_and_form(words, attributes):
    assert parse(words).tolist() == attributes


@pytest.mark.parametrize("words, says", [
    ("a bleu robot", "'bleu' is unknown: did you mean 'blue'"),
    ("a robot with hatt", "did you mean 'hat'"),
    ("a xyzzyx robot", "choose from"),
    ("a red and green robot", "say two things of the colour, the second is 'green'"),
    ("a blue robot with a red hat", "say two things of the colour"),
    ("an egg head and a boxy head", "two things of the head"),
    ("a red robot with a head", "do not say which head: put a word before it, as in 'a chinned head'"),
    ("an egg body", "what stands before 'body' tells the head, not the body"),
    ("a robot with red eyes", "what stands before 'eyes' tells the colour, not the eyes"),
    ("an egg, a head", "do not say which head"),
    ("", "hold no word"),
    ("?!", "hold no word"),
])
def test_parse_refuses_with_a_reason(words, says):
    with pytest.raises(ValueError, match=r"^words") as error:
        parse(words)
    assert says in str(error.value)


def test_parse_can_ask_for_everything():
    with pytest.raises(ValueError, match=r"leave open: colour, mouth$"):
        parse("a robot with a barrel body, an egg head, an antenna and angry eyes", complete=True)


# ----------------------------------------------------------------------------------------------- numbers and splits


def test_every_number_is_one_robot():
    every = from_index(np.arange(WORLD))
    assert np.array_equal(index(every), np.arange(WORLD))
    assert every.min() == 0 and every.max() == 9
    assert from_index(123456).tolist() == [1, 2, 3, 4, 5, 6]


def test_every_value_is_held_out_equally_often():
    for partners in HELD_OUT.values():
        assert sorted(partners) == list(range(CHOICES))


def pairs_shown(attributes, names):
    first, second = (attributes[:, ATTRIBUTES.index(name)] for name in names)
    return set(zip(first.tolist(), second.tolist(), strict=True))


@pytest.mark.parametrize("names", HELD_OUT)
def test_captions_of_training_show_exactly_the_allowed_pairs(names):
    shown = pairs_shown(parse(caption(draw_robots(3000, seed=1))), names)
    held_out = set(enumerate(HELD_OUT[names]))
    assert len(held_out) == 10
    assert shown == set(itertools.product(range(CHOICES), repeat=2)) - held_out
    assert held_out <= pairs_shown(draw_robots(3000, seed=1, split="held-out"), names)


def test_training_shows_every_other_pair():
    some = draw_robots(5000)
    for names in itertools.combinations(ATTRIBUTES, 2):
        assert len(pairs_shown(some, names)) == (90 if names in HELD_OUT else 100)


def test_splits_share_the_world():
    shown = allowed(from_index(np.arange(WORLD)))
    assert shown.sum() == 810_000
    assert allowed(draw_robots(5000, 2, "train")).all()
    assert not allowed(draw_robots(5000, 2, "held-out")).any()
    assert 0.78 < allowed(draw_robots(5000, 2, "all")).mean() < 0.84
    assert allowed(SOME.reshape(10, 100, 6)).shape == (10, 100)
    assert isinstance(bool(allowed(SOME[0])), bool)


@pytest.mark.parametrize("split", robots.SPLITS)
def test_draws_are_uniform_and_seeded(split):
    some = draw_robots(20_000, 7, split)
    assert np.array_equal(some, draw_robots(20_000, 7, split))
    assert not np.array_equal(some, draw_robots(20_000, 8, split))
    for column in range(6):
        assert np.abs(np.bincount(some[:, column], minlength=10) / 20_000 - 0.1).max() < 0.012  # 5.6 deviations


def test_training_and_unseen_robots_share_nothing():
    training, unseen = index(training_robots(405_000)), index(unseen_robots(405_000))
    assert len(np.unique(np.concatenate([training, unseen]))) == 810_000
    assert allowed(from_index(np.concatenate([training, unseen]))).all()
    assert np.array_equal(training_robots(100), training_robots(1000)[:100])
    assert np.array_equal(unseen_robots(100), unseen_robots(1000)[:100])
    for column in range(6):
        assert np.bincount(training_robots(2000)[:, column], minlength=10).min() > 150


# ----------------------------------------------------------------------------------------------- bad input


ROBOT = SOME[:1]
PICTURE = np.ones((1, 32, 32, 3), np.float32)


@pytest.mark.parametrize("call", [render, index, allowed, caption])
@pytest.mark.parametrize("attributes, kind, says", [
    ([[0, 0, 0, 0, 0, 10]], ValueError, "must lie in"),
    ([[0, 0, 0, 0, 0, -2]], ValueError, "must lie in"),
    ([[0.0] * 6], TypeError, "whole numbers"),
    ([[True] * 6], TypeError, "whole numbers"),
    ([["red"] * 6], TypeError, "whole numbers"),
    ([0] * 5, ValueError, "shape"),
    (3, ValueError, "shape"),
    (np.zeros((0, 6), int), ValueError, "empty"),
    ([[1], [1, 2]], TypeError, "cannot be read"),
    (None, TypeError, "whole numbers"),
])
def test_attributes_that_are_no_robot(call, attributes, kind, says):
    with pytest.raises(kind, match=r"^attributes ") as error:
        call(attributes)
    assert says in str(error.value)


def test_only_captions_leave_attributes_open():
    for call in (render, index, allowed):
        with pytest.raises(ValueError, match=r"^attributes must lie in 0"):
            call([0, 0, 0, 0, 0, -1])


@pytest.mark.parametrize("call, kind, says", [
    (lambda: parts(48), ValueError, "size must be 32 or 64"),
    (lambda: parts(32.0), TypeError, "size"),
    (lambda: parts([32]), TypeError, "size"),
    (lambda: render(ROBOT, 128), ValueError, "size must be 32 or 64"),
    (lambda: render(ROBOT, background="black"), ValueError, "background 'black' is unknown"),
    (lambda: render(ROBOT, background=None), TypeError, "background"),
    (lambda: render(ROBOT, background=np.full(3, 255)), ValueError, "background must lie in"),
    (lambda: render(ROBOT, background=np.ones((2, 32, 32, 3))), ValueError, "background has shape"),
    (lambda: render(ROBOT, background="speckles", seed=-1), ValueError, "seed"),
    (lambda: speckles(0), ValueError, "n must be at least 1"),
    (lambda: speckles(1, count=0), ValueError, "count"),
    (lambda: read(PICTURE[:, :31]), ValueError, "x must have shape"),
    (lambda: read(np.zeros((1, 28, 28, 3))), ValueError, "x must have shape"),
    (lambda: read(np.zeros((32, 32, 1))), ValueError, "x must have shape"),
    (lambda: read(np.zeros((32, 32))), ValueError, "x must have shape"),
    (lambda: read(PICTURE[:0]), ValueError, "x is empty"),
    (lambda: read(PICTURE * np.nan), ValueError, "x must be finite"),
    (lambda: read(PICTURE * 255), ValueError, "x must lie in [0, 1] or near it"),
    (lambda: read("robot"), TypeError, "x must hold real numbers"),
    (lambda: layers(10), ValueError, "colour must be from 0 to 9"),
    (lambda: layers("red"), TypeError, "colour"),
    (lambda: layers(0, 16), ValueError, "size"),
    (lambda: caption(SOME.reshape(10, 100, 6)), ValueError, "attributes must have shape"),
    (lambda: parse([]), ValueError, "words"),
    (lambda: parse(7), TypeError, "words must be a string"),
    (lambda: parse(["red", 7]), TypeError, "words must be a string"),
    (lambda: parse("red", complete="yes"), TypeError, "complete"),
    (lambda: from_index(WORLD), ValueError, "number must lie in"),
    (lambda: from_index(-1), ValueError, "number must lie in"),
    (lambda: from_index(0.5), TypeError, "number must hold whole numbers"),
    (lambda: draw_robots(0), ValueError, "n must be at least 1"),
    (lambda: draw_robots(1, -1), ValueError, "seed"),
    (lambda: draw_robots(1, split="test"), ValueError, "split 'test' is unknown"),
    (lambda: draw_robots(1, split="heldout"), ValueError, "did you mean 'held-out'"),
    (lambda: training_robots(0), ValueError, "n must be from 1 to 405000"),
    (lambda: training_robots(405_001), ValueError, "n must be from 1 to 405000"),
    (lambda: unseen_robots(1.5), TypeError, "n must be a whole number"),
])
def test_bad_input(call, kind, says):
    with pytest.raises(kind) as error:
        call()
    assert says in str(error.value)


# ----------------------------------------------------------------------------------------------- cache and package


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """An empty cache folder, and a count of how often the drawings were read."""
    right = tuple(np.rint(values * 65535).astype(np.uint16) for values in parts(32).values())
    computed = []
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(robots, "_read_parts", lambda size: computed.append(size) or right)

    def load():
        robots._parts.cache_clear()
        computed.clear()
        for kind, values in parts(32).items():
            assert np.array_equal(values, np.divide(right[KINDS.index(kind)], 65535, dtype=np.float32))
        return len(computed)

    yield load
    robots._parts.cache_clear()


def saved(**arrays):
    memory = io.BytesIO()
    np.savez(memory, **arrays)
    return memory.getvalue()


def not_arrays(data):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for kind in KINDS:
            archive.writestr(f"{kind}.npy", "not an array")
    return memory.getvalue()


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: b"nonsense", lambda data: data[: len(data) // 2], not_arrays,
    lambda data: data[:100_000] + bytes(255 - byte for byte in data[100_000:100_500]) + data[100_500:],
    lambda data: saved(body=np.zeros(3)),
    lambda data: saved(**{kind: np.zeros((10, 10, 64, 64, 4), np.uint16) for kind in KINDS}),
    lambda data: saved(**{kind: np.zeros((10, 10, 32, 32, 4)) for kind in KINDS}),
], ids=["empty", "nonsense", "half-written", "no arrays", "flipped bits", "one kind", "other size", "other type"])
def test_damaged_cache_is_made_anew(tmp_path, fresh_cache, damage):
    assert fresh_cache() == 1
    file = tmp_path / "robots-32-v1.npz"
    file.write_bytes(damage(file.read_bytes()))
    assert fresh_cache() == 1
    assert fresh_cache() == 0
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_second_load_takes_under_fifty_milliseconds(fresh_cache):
    fresh_cache()

    def seconds():
        robots._parts.cache_clear()
        start = time.process_time()
        parts(32)
        return time.process_time() - start

    assert min(seconds() for _ in range(5)) < 0.05


def test_missing_package_is_one_clear_error(tmp_path, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(metadata, "distribution", missing)
    robots._parts.cache_clear()
    with pytest.raises(ModuleNotFoundError, match=r"^the robots come with the package robohash, .*pip") as error:
        render(ROBOT)
    assert error.value.__context__ is None
    assert list(tmp_path.iterdir()) == []
    robots._parts.cache_clear()
