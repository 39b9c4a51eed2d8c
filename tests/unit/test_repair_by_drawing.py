"""Digits and robots restored by drawing: the command, its sheet, what it says, and how it refuses."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers import pretrained, repair_by_drawing
from helpers.__main__ import app
from helpers.images import digits, robots
from helpers.posterior import samplers

MODEL = ["--model", "diffusion-digits"]
MASK = ["--mask", "digit-mask.png"]


def command(*arguments):
    return CliRunner().invoke(app, ["restore", *(str(argument) for argument in arguments)])


def save(name, x):
    Image.fromarray(np.rint(255 * np.clip(x, 0, 1)).astype(np.uint8)).save(name)


@pytest.fixture(scope="module")
def digit():
    return digits().x_test[3, ..., 0]


@pytest.fixture
def files(digit, tmp_path, monkeypatch):
    """A digit and a robot, each with a mask whose lower half is lost."""
    monkeypatch.chdir(tmp_path)
    save("digit.png", digit)
    save("robot.png", robots.render(robots.unseen_robots(1)[0]))
    for name, size in (("digit", 28), ("robot", 32)):
        lost = np.zeros((size, size))
        lost[size // 2 :] = 1
        save(f"{name}-mask.png", lost)


def tiles(path, count, size):
    """Return the pictures of a sheet, each enlarged pixel checked and taken once."""
    sheet = np.asarray(Image.open(path))
    large, step = 4 * size, (sheet.shape[1] + 8) // count
    found = []
    for k in range(count):
        tile = sheet[-large:, k * step : k * step + large]
        found.append(tile[::4, ::4])
        assert np.array_equal(tile, found[-1].repeat(4, axis=0).repeat(4, axis=1)), "each pixel is a square"
    return found


@pytest.fixture
def drawn(monkeypatch):
    """Let the sampler draw pictures that are known, and the classifier read a 7 and then 4s."""
    heard = []

    def sample(y, operator, sigma, model, n, seed, method):
        heard.append((y, operator, sigma, n, seed, method, model.name))
        x = 1.2 * np.random.default_rng(seed).random((n, *y.shape)).astype(np.float32) - 0.1
        return np.where(operator.mask[..., None], y, x) if hasattr(operator, "mask") else x

    def read(x):
        return np.array([7] + [4] * (len(x) - 1))

    monkeypatch.setattr(pretrained, "shared", lambda name: SimpleNamespace(read=read, name=name))
    monkeypatch.setattr(samplers, "sample", sample)
    return heard


def test_the_sheet_shows_y_answers_mean_and_spread(files, digit, drawn):
    result = command("digit.png", "-o", "sheet.png", *MODEL, *MASK, "--n", 3)
    assert result.exit_code == 0, result.output
    said = result.stdout.splitlines()
    assert said[0].startswith("mask: 50.00% of the pixels are lost") and len(said) == 3
    assert said[1:] == ["read as 4 in 2 of 3 (67%), 7 in 1 of 3 (33%)",
                        "wrote sheet.png: 3 answers, their mean and their spread"]
    y, *three, mean, spread = tiles("sheet.png", 6, 28)
    known = np.rint(255 * digit[:14])
    assert np.array_equal(y[:14, :, 0], known) and (y[14:] == y[14, 0]).all(), "lost ones are red"
    assert y[14, 0, 0] > y[14, 0, 1] + 100
    lost = np.clip(1.2 * np.random.default_rng(0).random((3, 28, 28))[:, 14:] - 0.1, 0, 1)
    for one, below in zip(three, lost, strict=True):
        assert np.array_equal(one[:14, :, 0], known) and np.abs(one[14:, :, 0] - 255 * below).max() <= 0.51
    assert np.abs(np.mean(three, axis=0) - mean).max() <= 1.01
    assert spread.max() == 255 and not spread[:14].any()
    expected = np.std(lost, axis=0)
    assert np.abs(spread[14:, :, 0] - 255 * expected / expected.max()).max() <= 1


def test_a_robot_is_read_and_the_same_seed_draws_the_same(files, drawn):
    arguments = ["robot.png", "--model", "diffusion-robots", "--noise", 5, "--mask", "robot-mask.png", "--n", 2]
    said = [command(*arguments, "-o", name, "--seed", seed).stdout for name, seed in
            (("a.png", 1), ("b.png", 1), ("c.png", 2))]
    for attribute in robots.ATTRIBUTES:
        assert f"{attribute}: " in said[0]
    assert {asked[-2:] for asked in drawn} == {("gibbs", "diffusion-robots")}
    blurred = command("robot.png", "--model", "diffusion-robots", "--noise", 5, "--blur", "gaussian:2", "-o", "d.png")
    assert blurred.exit_code == 0 and drawn[-1][-2] == "pgdm", "odds under a blur were not checked"
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes() != Path("c.png").read_bytes()
    assert len(tiles("a.png", 5, 32)) == 5


def test_what_the_sampler_is_told(files, digit, drawn):
    arguments = ["digit.png", "-o", "sheet.png", "--model", "diffusion-digits"]
    assert command(*arguments, "--mask", "digit-mask.png", "--seed", 4).exit_code == 0
    assert command(*arguments, "--noise", 51).exit_code == 0
    assert command(*arguments, "--blur", "gaussian:1", "--noise", 2.55).exit_code == 0
    (y, mask, sigma, n, seed, *how), (whole, _, level, *_), (_, blur, *_) = drawn
    assert how == ["pgdm", "diffusion-digits"]
    assert mask.mask[:14].all() and not mask.mask[14:].any() and (sigma, n, seed) == (0, 8, 4)
    assert not y[14:].any() and y.shape == (28, 28, 1) and np.allclose(whole[..., 0], digit, atol=1 / 255)
    assert level == pytest.approx(0.2) and "blur" in blur.name


def test_shares_are_said_most_frequent_first(monkeypatch):
    pictures = robots.render(robots.unseen_robots(4))
    pictures[3] = 0.5
    lines = repair_by_drawing.reading(pictures, "diffusion-robots")
    read, _ = robots.read(pictures)
    for line, name, values in zip(lines, robots.ATTRIBUTES, read.T, strict=False):
        assert line.startswith(f"{name}: ")
        counts = [int(part.split(" in ")[1].split()[0]) for part in line.split(": ")[1].split(", ")]
        assert counts == sorted(np.bincount(values)[np.unique(values)], reverse=True) and sum(counts) == 4
    assert lines[6:] == ["no robot of the world: 1 of 4 (25%); the nearest was read"]


REFUSED = {
    "another size": (["robot.png", *MODEL, "--noise", 9], "photo 'robot.png' has 32 × 32 pixels"),
    "no such picture": (["gone.png", *MODEL, "--noise", 9], "photo 'gone.png': there is no such file"),
    "no such mask": (["digit.png", *MODEL, "--mask", "gone.png"], "gone.png': there is no such file"),
    "a mask of another size": (["digit.png", *MODEL, "--mask", "robot-mask.png"], "pixels, but 'digit.png' has"),
    "no answers": (["digit.png", *MODEL, *MASK, "--n", 0], "n must be from 1 to 64, but 0"),
    "too many answers": (["digit.png", *MODEL, *MASK, "--n", 65], "n must be from 1 to 64, but 65"),
    "an unknown model": (["digit.png", "--model", "diffusion-digit", *MASK], "did you mean 'diffusion-digits'"),
    "nothing wrong": (["digit.png", *MODEL], "what is wrong with the picture?"),
    "noise that is to be estimated": (["digit.png", *MODEL, "--noise", "auto"], "noise: say its σ"),
    "a blur that is to be found": (["digit.png", *MODEL, "--blur", "unknown"], "has to be told the blur"),
    "n without a model": (["digit.png", "--noise", 9, "--n", 3], "n: how many answers are drawn is for --model"),
    "a method": (["digit.png", *MODEL, *MASK, "--method", "network"], "method: it does not go with --model"),
    "larger": (["digit.png", *MODEL, *MASK, "--scale", 2], "scale: it does not go with --model"),
    "a negative seed": (["digit.png", *MODEL, *MASK, "--seed", -1], "seed"),
    "a folder": ([".", *MODEL, *MASK], "is a folder"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refusals_are_one_line_and_write_nothing(files, what, monkeypatch):
    monkeypatch.setattr(samplers, "sample", lambda *_: pytest.fail("work began"))
    arguments, message = REFUSED[what]
    result = command(*arguments, "-o", "sheet.png")
    assert result.exit_code == 2 and result.stdout == "" and message in result.stderr.splitlines()[-1]
    assert not Path("sheet.png").exists() and "Traceback" not in result.output


@pytest.mark.parametrize(("output", "message"), [
    ("sheet.jpg", "must end in .png"), ("digit.png", "is the picture itself"), ("digit-mask.png", "is the input"),
    ("no/such/sheet.png", "cannot be written"),
])
def test_the_sheet_overwrites_nothing(files, output, message):
    before = {path: path.read_bytes() for path in Path().iterdir()}
    result = command("digit.png", *MODEL, *MASK, "-o", output)
    assert result.exit_code == 2 and message in result.stderr
    assert before == {path: path.read_bytes() for path in Path().iterdir()}
