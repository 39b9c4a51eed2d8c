"""The commands that train, generate and play the league of digits: what they write, and how they refuse."""

import json
import os
import re
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import helpers.models  # noqa: F401 - keeps TensorFlow quiet
from helpers import pretrained
from helpers.__main__ import _sheet, app
from helpers.images import digits
from helpers.recipes import RECIPES
from tests.unit import toy

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras copies as NumPy 1 did


@pytest.fixture(autouse=True)
def sandbox(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(toy, "on_watch", [])


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(result, message):
    assert result.exit_code == 2, result.output
    assert re.fullmatch(r"error: [^\n]+\n", result.stderr), result.stderr
    assert message in result.stderr and result.stdout == ""


# -------------------------------------------------------------------------------------------------- generate


@pytest.mark.parametrize("name", ["gan", "vae", "diffusion-digits"])
def test_generate_writes_digits_with_their_labels(name, tmp_path):
    result = command("generate", name, "--n", 7, "--seed", 3, "-o", "out.npz")
    assert result.exit_code == 0, result.output
    assert result.stdout == "wrote 7 digits to out.npz\n" and result.stderr == ""
    with np.load("out.npz", allow_pickle=False) as archive:
        assert set(archive.files) == {"x", "y"}
        x, y = archive["x"], archive["y"]
    assert x.dtype == np.uint8 and x.shape == (7, 28, 28) and x.max() > 150
    assert y.shape == (7,) and y.dtype.kind == "i" and y.min() >= 0 and y.max() <= 9
    expected = pretrained.load(name).sample(7, 3, y)[..., 0]
    assert np.abs(x / 255 - expected).max() <= 0.5 / 255 + 1e-6, "rounded, not cut off"
    assert command("generate", name, "--n", 7, "--seed", 3, "-o", "again.npz").exit_code == 0
    assert command("generate", name, "--n", 7, "--seed", 4, "-o", "other.npz").exit_code == 0
    with np.load("again.npz") as again, np.load("other.npz") as other:
        assert np.array_equal(again["x"], x) and not np.array_equal(other["x"], x)
    assert sorted(os.listdir()) == ["again.npz", "other.npz", "out.npz"]


def test_generated_digits_can_be_read_back_and_are_as_asked():
    from helpers.league.digit_league import read_digits

    assert command("generate", "gan", "--n", 30, "--label", 4, "-o", "fours.npz").exit_code == 0
    x, y = read_digits("fours.npz")
    assert (y == 4).all() and np.mean(pretrained.load("classifier").read(x) == 4) > 0.8


@pytest.mark.parametrize(("n", "size"), [(1, (28, 28)), (5, (84, 56)), (9, (84, 84)), (10, (112, 84))])
def test_generate_draws_a_sheet(n, size):
    result = command("generate", "gan", "--n", n, "-o", "sheet.png", "--label", 3)
    assert result.exit_code == 0, result.output
    command("generate", "gan", "--n", n, "-o", "sheet.npz", "--label", 3)
    with Image.open("sheet.png") as sheet, np.load("sheet.npz") as archive:
        assert sheet.mode == "L" and sheet.size == size
        levels, x = np.asarray(sheet), archive["x"]
    columns = size[0] // 28
    for i in range(len(x)):
        row, column = 28 * (i // columns), 28 * (i % columns)
        assert np.array_equal(levels[row : row + 28, column : column + 28], x[i])
    assert levels.astype(int).sum() == x.astype(int).sum(), "the rest is black"


@pytest.mark.parametrize(("arguments", "message"), [
    (["gan", "--n", 0, "-o", "out.npz"], "n must be at least 1"),
    (["gan", "--n", -3, "-o", "out.npz"], "n must be at least 1"),
    (["gan", "--seed", -1, "-o", "out.npz"], "seed"),
    (["gam", "-o", "out.npz"], "did you mean 'gan'"), (["denoiser", "-o", "out.npz"], "name 'denoiser'"),
    (["gan", "-o", "out.txt"], "'out.txt' must end in .npz or .png"), (["gan", "-o", "out"], "output 'out'"),
    (["gan", "-o", "no/such/folder/out.npz"], "no/such/folder/out.npz' cannot be written"),
    (["gan", "-o", "folder.npz"], "folder.npz' cannot be written"),
])
def test_generate_refuses_plainly_and_writes_nothing(tmp_path, arguments, message):
    (tmp_path / "folder.npz").mkdir()
    refused(command("generate", *arguments), message)
    assert os.listdir() == ["folder.npz"]


@pytest.mark.parametrize("label", [12, 10, -1])
def test_generate_refuses_a_label_that_is_no_digit(label):
    refused(command("generate", "gan", "--label", label, "-o", "out.npz"), f"label must lie in 0 … 9, but {label} came")


def small_words():
    """Return untrained networks that paint from words, two of them as small as they can be."""
    recipes = [RECIPES[name] for name in ("tokenizer-robots", "chooser-robots", "words-robots")]
    reader, chooser, painter = (recipe._replace(options=recipe.options | small) for recipe, small in zip(recipes, (
        {}, {"picture": {"widths": (8, 8, 8)}, "caption": {"width": 16}},
        {"network": {"width": 16, "depth": 1, "heads": 2}}), strict=True))
    needed = {"tokenizer-robots": reader.ready().blank(reader), "chooser-robots": chooser.ready().blank(chooser)}
    return painter.ready().blank(painter, **needed)


@pytest.fixture
def untrained(monkeypatch):
    """Untrained models, those of diffusion as small as they can be, in the place of the shipped ones."""
    network = {"widths": (8, 8), "down": (1, 1), "up": (1,)}

    def load(name):
        keras.utils.set_random_seed(0)
        recipe, rng = RECIPES[name], np.random.default_rng(0)
        if name == "words-robots":
            return small_words()
        model = recipe.ready().blank(recipe._replace(options=recipe.options | {"network": network}))
        variables = [v for network in model.networks.values() for v in network.trainable_variables]
        for variable in variables:  # labels act through layers that start at zero
            variable.assign_add((0.1 * rng.standard_normal(variable.shape)).astype(np.float32))
        return model

    monkeypatch.setattr(pretrained, "load", load)


def test_generate_draws_digits_by_diffusion(untrained):
    result = command("generate", "diffusion-digits", "--label", 3, "--n", 5, "-o", "out.npz", "--guidance", 2)
    assert result.exit_code == 0 and result.stdout == "wrote 5 digits to out.npz\n" and result.stderr == ""
    with np.load("out.npz", allow_pickle=False) as archive:
        x, y = archive["x"], archive["y"]
    assert x.shape == (5, 28, 28) and y.tolist() == [3] * 5
    guided, plain = (pretrained.load("diffusion-digits").sample(5, 0, y, guidance=w)[..., 0] for w in (2, 1))
    assert np.abs(x / 255 - guided).max() <= 0.5 / 255 + 1e-6
    assert np.abs(plain - guided).max() > 2 / 255, "guidance makes a difference"


def test_generate_draws_robots_from_a_caption(untrained):
    words = ("diffusion-robots", "--caption", "A red robot with a hat", "--n", 3)
    result = command("generate", *words, "-o", "out.npz", "--guidance", 2)
    assert result.exit_code == 0 and result.stdout == "wrote 3 robots to out.npz\n" and result.stderr == ""
    with np.load("out.npz", allow_pickle=False) as archive:
        x, y = archive["x"], archive["y"]
    assert x.dtype == np.uint8 and x.shape == (3, 32, 32, 3) and y.tolist() == 3 * [[7, -1, -1, 6, -1, -1]]
    expected = pretrained.load("diffusion-robots").sample(3, 0, y, guidance=2)
    assert np.abs(x / 255 - expected).max() <= 0.5 / 255 + 1e-6
    assert command("generate", *words, "-o", "out.png").exit_code == 0
    with Image.open("out.png") as sheet:
        levels = np.asarray(sheet)
    assert levels.shape == (64, 64, 3) and (levels[32:, 32:] == 255).all(), "the rest is white"
    assert not np.array_equal(levels[:32, :32], x[0]), "guidance makes a difference"


def test_generate_paints_from_words(untrained):
    said = ("text-to-image", "--caption", "A red robot with a hat", "--n", 2, "--seed", 3)
    result = command("generate", *said, "--temperature", 0.5, "--choose", 2, "-o", "out.npz")
    assert result.exit_code == 0 and result.stdout == "wrote 2 robots to out.npz\n" and result.stderr == ""
    with np.load("out.npz", allow_pickle=False) as archive:
        x, y = archive["x"], archive["y"]
    assert x.dtype == np.uint8 and x.shape == (2, 32, 32, 3) and y.tolist() == 2 * [[7, -1, -1, 6, -1, -1]]
    how = {"caption": "A red robot with a hat", "temperature": 0.5}
    model = pretrained.load("words-robots")
    assert np.abs(x / 255 - model.sample(2, 3, **how, choose=2)).max() <= 0.5 / 255 + 1e-6
    assert command("generate", *said, "-o", "out.png").exit_code == 0
    with Image.open("out.png") as sheet:
        assert np.abs(np.asarray(sheet)[:, :32] / 255 - model.sample(2, 3, how["caption"])[0]).max() < 0.5 / 255 + 1e-6


def test_generate_leaves_open_what_no_caption_says(untrained):
    assert command("generate", "diffusion-robots", "--n", 1, "-o", "out.npz").exit_code == 0
    with np.load("out.npz", allow_pickle=False) as archive:
        assert archive["y"].tolist() == [[-1] * 6]


def test_generate_draws_patches_of_the_earth(untrained):
    result = command("generate", "diffusion-earth", "--n", 3, "--seed", 1, "-o", "out.npz")
    assert result.exit_code == 0 and result.stdout == "wrote 3 patches of the Earth to out.npz\n"
    with np.load("out.npz", allow_pickle=False) as archive:
        assert archive.files == ["x"], "nothing was asked for"
        x = archive["x"]
    assert x.dtype == np.uint8 and x.shape == (3, 32, 32, 3)
    assert np.abs(x / 255 - pretrained.load("diffusion-earth").sample(3, 1)).max() <= 0.5 / 255 + 1e-6
    assert command("generate", "diffusion-earth", "--n", 16, "-o", "out.png").exit_code == 0
    with Image.open("out.png") as sheet:
        assert sheet.size == (128, 128) and sheet.mode == "RGB"


def test_generate_draws_robots_on_speckles(untrained):
    result = command("generate", "stylegan-robots", "--n", 3, "--seed", 1, "--truncation", 0.5, "-o", "out.npz")
    assert result.exit_code == 0 and result.stdout == "wrote 3 robots on speckles to out.npz\n"
    with np.load("out.npz", allow_pickle=False) as archive:
        assert archive.files == ["x"], "nothing was asked for"
        x = archive["x"]
    expected = pretrained.load("stylegan-robots").sample(3, 1, truncation=0.5)
    assert x.shape == (3, 32, 32, 3) and np.abs(x / 255 - expected).max() <= 0.5 / 255 + 1e-6


def test_a_sheet_of_coloured_pictures_is_white_where_none_is():
    x = np.random.default_rng(0).integers(0, 200, (3, 5, 4, 3), np.uint8)
    sheet = _sheet(x)
    assert sheet.shape == (10, 8, 3) and (sheet[5:, 4:] == 255).all()
    assert np.array_equal(sheet[:5, 4:], x[1]) and np.array_equal(sheet[5:, :4], x[2])


@pytest.mark.parametrize(("arguments", "message"), [
    (["diffusion-robots", "--caption", "a red robot with a hut"], "did you mean 'hat'"),
    (["diffusion-robots", "--caption", "a red green robot"], "two things of the colour"),
    (["diffusion-robots", "--caption", ""], "hold no word"), (["diffusion-robots", "--label", 3], "label: it is for"),
    (["diffusion-digits", "--caption", "a three"], "caption: it is for robots"), (["gan", "--caption", "3"], "caption"),
    (["diffusion-digits", "--label", 12], "label must lie in 0 … 9"), (["diffusion-digit"], "'diffusion-digits'"),
    (["diffusion-robot"], "'diffusion-robots'"),
    (["diffusion-digits", "--guidance", -1], "guidance must be at least 0"),
    (["gan", "--guidance", 1], "guidance: gan has none"),
    (["diffusion-earth", "--label", 3], "label: it is for digits; of the Earth nothing"),
    (["diffusion-earth", "--caption", "a desert"], "caption: it is for robots; of the Earth nothing"),
    (["diffusion-earth", "--guidance", 2], "guidance: diffusion-earth has none"),
    (["text-to-image", "--caption", "a red robot with a hut"], "did you mean 'hat'"),
    (["text-to-image", "--caption", "a red blue robot"], "two things of the colour"),
    (["text-to-image", "--temperature", 0], "temperature must be above 0"),
    (["text-to-image", "--temperature", -1], "temperature must be above 0"),
    (["text-to-image", "--n", 0], "n must be at least 1"), (["text-to-image", "--choose", 0], "choose must"),
    (["text-to-image", "--guidance", 2], "guidance: text-to-image has none"),
    (["text-to-image", "--label", 2], "label: it is for digits"),
    (["gan", "--temperature", 1], "temperature: gan has none"), (["vae", "--choose", 2], "choose: vae has none"),
    (["stylegan-robots", "--caption", "a red robot"], "for diffusion-robots; of stylegan-robots nothing"),
    (["stylegan-robots", "--truncation", -0.5], "truncation must be at least 0"),
    (["diffusion-robots", "--truncation", 0.5], "truncation: diffusion-robots has none"),
    (["stylegan-robots", "--n", 0], "n must be at least 1"),
])
def test_generate_refuses_plainly_by_diffusion(untrained, arguments, message):
    refused(command("generate", *arguments, "-o", "out.png"), message)
    assert os.listdir() == []


def test_a_refused_label_leaves_the_old_file(tmp_path):
    (tmp_path / "out.npz").write_text("the old one")
    refused(command("generate", "gan", "--label", 12, "-o", "out.npz"), "label")
    assert (tmp_path / "out.npz").read_text() == "the old one"


def test_generate_welcomes_capital_letters():
    result = command("generate", "gan", "--n", 1, "-o", "OUT.NPZ")
    assert result.exit_code == 0, result.output


def test_generate_says_what_is_missing_without_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(pretrained.card, "__defaults__", (tmp_path,))
    monkeypatch.setattr(pretrained.load, "__defaults__", (tmp_path,))
    refused(command("generate", "gan", "-o", "out.npz"), "`python -m helpers train gan` makes it")


def test_wrong_kinds_of_options_are_usage_errors():
    for arguments in (["gan"], ["-o", "out.npz"], ["gan", "-o", "out.npz", "--n", "many"]):
        result = command("generate", *arguments)
        assert result.exit_code == 2 and "Usage" in result.output and "Traceback" not in result.output


# ---------------------------------------------------------------------------------------- the league of digits


@pytest.fixture(scope="module")
def six():
    """Six digits, read before the sandbox hides the cache."""
    data = digits()
    return np.rint(255 * data.x_test[:6, ..., 0]).astype(np.uint8), data.y_test[:6]


@pytest.fixture
def mine(six, tmp_path):
    np.savez(tmp_path / "mine.npz", x=six[0], y=six[1])
    return tmp_path / "mine.npz"


def test_the_league_of_digits_prints_a_table_and_writes_rows(mine):
    result = command("league", "--digits", mine, "--task", "hole", "--task", "noise50", "--method", "biharmonic",
                     "--method", "supervised U-Net", "--json", "rows.json", "--seed", 2)
    assert result.exit_code == 0, result.output
    lines = [line.split("  ") for line in result.stdout.splitlines() if " to " in line]
    shown = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert [line[:2] for line in shown] == [["hole", "supervised U-Net"], ["biharmonic", shown[1][1]],
                                            ["noise50", "supervised U-Net"]]
    for title in ("task", "method", "PSNR (dB)", "readable", "seconds", "95 %"):
        assert title in result.stdout
    document = json.loads(Path("rows.json").read_text())
    assert document["seed"] == 2 and len(document["rows"]) == 18
    best = np.mean([row["psnr"] for row in document["rows"] if row["task"] == "hole" and row["method"] != "biharmonic"])
    assert shown[0][2] == f"{best:.2f}"


@pytest.mark.parametrize(("arguments", "message"), [
    (["mine.npz"], "add --digits"), (["mine.npz", "--task", "hole"], "add --digits"),
    (["--digits", "--images", "photos"], "images: the league of digits takes an .npz file"),
    (["--digits", "gone.npz"], "no such file"), (["--digits", "notes.txt"], "cannot be read as an .npz file"),
    (["--digits", "mine.npz", "--task", "holes"], "did you mean 'hole'"),
    (["--digits", "mine.npz", "--task", "denoise25"], "task 'denoise25' is unknown"),
    (["--digits", "mine.npz", "--method", "gan inversion"], "did you mean 'GAN inversion'"),
    (["--digits", "mine.npz", "--task", "noise50", "--method", "biharmonic"], "none of biharmonic can do noise50"),
    (["--digits", "mine.npz", "--json", "no/such/folder/rows.json"], "cannot be written"),
    (["--digits", "mine.npz", "--task", "half", "--method", "as it came", "--seed", -1], "seed"),
])
def test_the_league_refuses_plainly(mine, arguments, message):
    (mine.parent / "notes.txt").write_text("some text")
    result = command("league", *arguments)
    assert result.exit_code == 2 and result.stdout == ""
    assert message in result.stderr.splitlines()[-1] and "Traceback" not in result.output


@pytest.mark.parametrize("arguments", [["--digits", "gone.npz"], ["--task", "unblur"], ["--images", "nowhere"]])
def test_a_refused_league_leaves_the_old_rows(tmp_path, arguments):
    (tmp_path / "rows.json").write_text("the old rows")
    assert command("league", *arguments, "--json", "rows.json").exit_code == 2
    assert (tmp_path / "rows.json").read_text() == "the old rows"


# ----------------------------------------------------------------------------------------------------- train


def test_train_writes_weights(monkeypatch, tmp_path):
    toy.install(monkeypatch)
    result = command("train", "toy", "-o", "out")
    assert result.exit_code == 0, result.output
    assert "wrote toy to out" in result.stdout and pretrained.names(tmp_path / "out") == ["toy"]


def test_train_stopped_by_ctrl_c_says_how_to_go_on(monkeypatch, tmp_path):
    toy.install(monkeypatch)
    toy.on_watch.append(lambda: os.kill(os.getpid(), signal.SIGINT))
    result = command("train", "toy", "-o", "out")
    assert result.exit_code == 130
    assert "stopped at step 3 of 12: the same command goes on from there" in result.stdout
    assert pretrained.names(tmp_path / "out") == []
    toy.on_watch.clear()
    assert command("train", "toy", "-o", "out").exit_code == 0
    assert pretrained.names(tmp_path / "out") == ["toy"]


@pytest.mark.parametrize(("arguments", "message"), [
    (["denoisr"], "did you mean 'denoiser'"),
    (["denoiser", "--photos", "nowhere"], "'nowhere': there is no such folder"),
    (["denoiser", "--photos", "empty"], "no picture in this folder"),
    (["gan", "--photos", "empty"], "photos: gan is not trained on photographs"),
    (["toy", "--epochs", 0], "epochs must be above 0"), (["toy", "--epochs", "nan"], "epochs must be finite"),
    (["toy", "--minutes", -1], "minutes must be above 0"), (["toy", "--strategy", -2], "strategy must be at least 1"),
    (["toy", "--strategy", 64], "strategy: TensorFlow has started with one CPU device"),
    (["toy", "-o", "file/weights"], "folder 'file/weights' cannot be written to"),
])
def test_train_refuses_plainly(monkeypatch, tmp_path, arguments, message):
    toy.install(monkeypatch)
    toy.build("a", 2, 0.1)  # TensorFlow has started
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    output = [] if "-o" in arguments else ["-o", "out"]
    refused(command("train", *arguments, *output), message)
    assert pretrained.names(tmp_path / "out") == []


def test_train_refuses_no_devices(monkeypatch):
    toy.install(monkeypatch)
    refused(command("train", "toy", "--strategy", 0, "-o", "out"), "strategy must be at least 1")


def test_a_training_that_diverges_says_so_in_one_line(monkeypatch):
    toy.install(monkeypatch, learning_rate=1e38, clipnorm=None, warmup=0)
    result = command("train", "toy", "-o", "out")
    assert result.exit_code == 2 and "error: the loss became" in result.stderr, result.exception
