"""Photographs that are read as they are needed: the same draws as from memory, and never more than some are held."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import recipes
from helpers import train as command
from helpers.images import cache_folder, folder, read_photo
from helpers.images.folder import Photographs
from helpers.models import denoiser

pytestmark = [pytest.mark.timeout(120), pytest.mark.filterwarnings("ignore:__array__ implementation")]
TINY = {"patch": 16, "sigma_max": 0.2, "network": {"channels": (4, 4, 4)}}


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Six noise pictures of several sizes, 20 to 30 pixels high, each at its own level, and what is not to be read.

    That is a file that is no picture, a hidden one and a folder.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine").mkdir()
    rng = np.random.default_rng(0)
    for i in range(6):
        levels = 40 * i + rng.integers(0, 20, (20 + 2 * i, 40))
        Image.fromarray(levels.astype(np.uint8)).save(tmp_path / "mine" / f"{i}.png")
    (tmp_path / "mine" / "words.txt").write_text("no picture")
    (tmp_path / "mine" / "below").mkdir()
    for name in (".hidden", "below/6.png"):
        shutil.copy(tmp_path / "mine/0.png", tmp_path / "mine" / name)
    return tmp_path / "mine"


def ask(pictures, step, count=None):
    """Return the numbers of the pictures that a step may see, by their levels."""
    which = np.arange(count or pictures.window)
    found = pictures.patches(step, which, np.full((len(which), 2), 0.5, np.float32))
    return [int(patch.min()) // 40 for patch in found]


def test_a_folder_gives_the_batches_that_memory_gave(mine):
    recipe = recipes.RECIPES["denoiser"]._replace(options=TINY)
    held = denoiser.Training(recipe, [read_photo(path) for path in sorted(mine.glob("*.png"))])
    read = denoiser.Training(recipe, Photographs(mine, 16))
    for step in (0, 7):
        for a, b in zip(held.draw(np.array([0, step], np.int32), 5), read.draw(np.array([0, step], np.int32), 5),
                        strict=True):
            assert np.array_equal(a, b) and a.shape[:3] == (5, 16, 16)


def test_patches_reach_every_edge(mine):
    pictures = Photographs(mine, 16)
    corners = np.array([[0, 0], [np.nextafter(np.float32(1), np.float32(0))] * 2], np.float32)
    x = np.asarray(Image.open(mine / "5.png"))
    first, last = pictures.patches(0, [5, 5], corners)
    assert np.array_equal(first, x[:16, :16]) and np.array_equal(last, x[-16:, -16:])


def test_few_are_held_and_all_have_their_turn_once_a_round(mine, monkeypatch):
    monkeypatch.setattr(folder, "HELD", 2.5 * 25 * 40)
    decoded = []
    monkeypatch.setattr(folder, "read_photo", lambda path, **how: decoded.append(path.name) or read_photo(path, **how))
    pictures = Photographs(mine, 16)
    assert decoded == [] or decoded == ["words.txt"], "headers are enough"
    decoded.clear()
    assert pictures.window == 2 and len(pictures) == 6
    seen = [ask(pictures, step) for step in range(6 * folder.STAY)]
    assert len(pictures.held) <= 2
    assert sorted(decoded) == sorted([f"{i}.png" for i in range(6)] + [decoded[0]]), "the last window meets the first"
    assert {one for pair in seen for one in pair} == set(range(6))
    assert seen[:folder.STAY] == [seen[0]] * folder.STAY and seen[folder.STAY][0] == seen[0][1]
    again = Photographs(mine, 16)
    assert ask(again, 13) == seen[13], "a training that goes on sees what it would have seen"


def test_small_folders_are_decoded_once(mine, monkeypatch):
    decoded = []
    monkeypatch.setattr(folder, "read_photo", lambda path, **how: decoded.append(path.name) or read_photo(path, **how))
    pictures = Photographs(mine, 16)
    assert [ask(pictures, step) for step in (0, 1000)] == [list(range(6))] * 2
    assert decoded.count("3.png") == 1


def test_what_breaks_in_mid_run_is_left_out_and_another_takes_its_place(mine):
    pictures = Photographs(mine, 16)
    assert list(pictures.left_out) == ["words.txt"]
    content = (mine / "2.png").read_bytes()
    (mine / "2.png").write_bytes(content[:-40])
    assert ask(pictures, 0) == [0, 1, 3, 3, 4, 5]
    assert list(pictures.left_out) == ["words.txt", "2.png"] and "cannot be read" in pictures.left_out["2.png"]
    (mine / "2.png").write_bytes(content)
    later = Photographs(mine, 16)
    Image.new("L", (15, 40)).save(mine / "4.png")
    assert ask(later, 0) == [0, 1, 2, 3, 5, 5]
    assert later.left_out["4.png"] == "has become smaller than a patch"


def test_when_no_picture_can_be_read_any_more_that_is_said(mine):
    pictures = Photographs(mine, 16)
    for path in mine.glob("[0-9].png"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="mine': no picture in this folder can be read") as caught:
        ask(pictures, 0)
    assert pictures.failure is caught.value


def test_pictures_are_decoded_by_one_thread_at_a_time(mine, monkeypatch):
    pictures, held = Photographs(mine, 16), []
    monkeypatch.setattr(folder, "read_photo",
                        lambda path, **how: held.append(pictures.lock.locked()) or read_photo(path, **how))
    ask(pictures, 0)
    assert held == [True] * 6 and not pictures.lock.locked()


@pytest.mark.parametrize(("way", "shape"), [(4, (20, 50)), (5, (50, 20)), (6, (50, 20))])
def test_headers_know_what_lies_on_its_side(tmp_path, way, shape):
    picture = Image.fromarray(np.zeros((20, 50), np.uint8))
    turned = Image.Exif()
    turned[0x0112] = way
    picture.save(tmp_path / "a.jpg", exif=turned)
    assert folder._shape(tmp_path / "a.jpg") == shape == read_photo(tmp_path / "a.jpg").shape


@pytest.mark.parametrize(("change", "message"), [
    (lambda mine: shutil.rmtree(mine), "photos .*mine': there is no such folder"),
    (lambda mine: [path.unlink() for path in mine.glob("*.png")], r"no picture in this folder can be read; words\.txt"),
    (lambda mine: Image.new("L", (15, 90)).save(mine / "thin.png"), r"thin\.png \(90 × 15 pixels\) is too small"),
])
def test_a_folder_that_cannot_be_used(mine, change, message):
    change(mine)
    with pytest.raises(ValueError, match=message):
        Photographs(mine, 16)


def test_another_folder_of_the_same_names_has_another_fingerprint(mine, tmp_path):
    before = Photographs(mine, 16).fingerprint()
    assert Photographs(mine, 16).fingerprint() == before
    content = (mine / "0.png").read_bytes()
    (mine / "0.png").write_bytes(content[:-1] + b"x")  # as long as it was
    other = Photographs(mine, 16).fingerprint()
    (mine / "0.png").rename(mine / "00.png")
    assert len({before, other, Photographs(mine, 16).fingerprint()}) == 3


def test_a_folder_that_vanishes_in_training_is_one_error_and_the_steps_are_kept(mine, monkeypatch, tmp_path):
    monkeypatch.setattr(folder, "HELD", 1)
    monkeypatch.setattr(folder, "STAY", 1)
    monkeypatch.setitem(recipes.RECIPES, "denoiser", recipes.RECIPES["denoiser"]._replace(
        options=TINY, steps=6, batch=4, warmup=1, look=0, record=1))
    whole, reads = folder.read_photo, []

    def read(path, **how):
        reads.append(path)
        if len(reads) == 4:
            mine.rename(tmp_path / "away")
        return whole(path, **how)

    monkeypatch.setattr(folder, "_shape", lambda path: (20, 40) if path.suffix == ".png" else whole(path).shape)
    monkeypatch.setattr(folder, "read_photo", read)
    monkeypatch.setattr(denoiser.Training, "evaluate", lambda self: {})
    with pytest.raises(ValueError, match="mine': the folder has vanished") as caught:
        command.train("denoiser", photos=mine, folder="out", progress=False)
    assert "\n" not in str(caught.value)
    (checkpoint,) = (cache_folder() / "training").glob("*.npz")
    with np.load(checkpoint) as archive:
        assert json.loads(str(archive["story"]))["step"] == 3
    (tmp_path / "away").rename(mine)
    assert command.train("denoiser", photos=mine, folder="out", progress=False)
    card = json.loads((tmp_path / "out/denoiser.json").read_text())
    assert [int(step) for step, _ in card["loss"]] == [1, 2, 3, 4, 5, 6]
