"""The commands do what their options say, print the numbers of what they wrote, and refuse before they work."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import helpers.models
import helpers.training
from helpers import images, league, pretrained
from helpers.__main__ import app
from helpers.images import photo, read_photo
from helpers.league import digit_league, digit_tasks, photographs
from helpers.metrics import psnr
from helpers.operators import Downsample, Radon
from tests.unit import toy
from tests.unit.worlds import put_digits, random_digits


@pytest.fixture(autouse=True)
def sandbox(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGE_COURSE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    put_digits(monkeypatch, random_digits(0, 40), random_digits(1, 7))
    for name, size in (("a.png", 45), ("b.png", 48)):
        Image.fromarray(np.rint(255 * photo("cat", size, color=True)[:, :44]).astype(np.uint8)).save(name)


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def listen(monkeypatch, answer=None):
    """Let every method of both leagues note what it is given."""
    heard = []

    def restore(y, operator, sigma):
        heard.append((np.array(y), operator, sigma))
        if answer is not None:
            return answer(y, operator)
        return operator.adjoint(y) if isinstance(operator, (Downsample, Radon)) else y

    methods = {name: league.Method(restore, method.kinds) for name, method in league.METHODS.items()}
    monkeypatch.setattr(photographs, "METHODS", methods)
    monkeypatch.setattr(digit_league, "METHODS", dict.fromkeys(digit_league.METHODS, restore))
    return heard


# -------------------------------------------------------------------------------------------------- the seed


@pytest.mark.parametrize("task", league.TASKS)
def test_restore_damages_with_the_seed_and_prints_the_psnr_of_what_it_wrote(task, monkeypatch):
    """Not of the damaged picture, not of another: of the restored one that now lies in the file."""
    printed = {}
    for seed in (0, 5):
        truth, y, _, sigma = league.damage(read_photo("a.png"), task, seed)
        rng = np.random.default_rng(3)
        restored = np.clip(truth + 0.1 * rng.standard_normal(truth.shape), -0.5, 1.5)
        heard = listen(monkeypatch, lambda y, operator, restored=restored: restored)
        result = command("restore", "a.png", "--task", task, "--method", "total variation", "--grey", "-o", "out.png",
                         *(["--seed", seed] if seed else []))
        assert result.exit_code == 0, result.output
        assert len(heard) == 1 and np.array_equal(heard[0][0], y) and heard[0][2] == sigma
        assert f"{task}, total variation:" in result.stdout and "wrote out.png" in result.stdout
        (printed[seed],) = (float(one) for one in re.findall(r"(-?[\d.]+) dB", result.stdout))
        with Image.open("out.png") as written:
            found = np.asarray(written, np.float32) / 255
        assert abs(psnr(truth, found) - printed[seed]) < 0.0051, "the file, rounded as it is"
        assert abs(psnr(truth, restored) - printed[seed]) < 0.02
    if task not in ("block", "superres2", "tomography"):
        assert not np.array_equal(*(league.damage(read_photo("a.png"), task, seed)[1] for seed in (0, 5)))


def test_restore_keeps_colours_unless_told_otherwise(monkeypatch):
    for options, shape in (([], (45, 44, 3)), (["--color"], (45, 44, 3)), (["--grey"], (45, 44))):
        heard = listen(monkeypatch)
        assert command("restore", "a.png", "--task", "denoise15", "--method", "network", "-o", "out.png",
                       *options).exit_code == 0
        assert heard[0][0].shape == shape
        assert np.array_equal(heard[0][0], league.damage(read_photo("a.png", color=len(shape) == 3), "denoise15")[1])


@pytest.mark.parametrize("seed", [None, 9])
def test_the_league_of_photographs_plays_with_the_seed_on_the_pictures_it_is_told(seed, monkeypatch):
    heard = listen(monkeypatch)
    tasks, methods = ("denoise25", "missing80"), ("total variation", "Wiener")
    result = command("league", "--images", ".", *(part for task in tasks for part in ("--task", task)),
                     *(part for method in methods for part in ("--method", method)), "--json", "rows.json",
                     *([] if seed is None else ["--seed", seed]))
    assert result.exit_code == 0, result.output
    wanted = [league.damage(read_photo(name), task, seed or 0)[1] for task in tasks for name in ("a.png", "b.png")]
    for y in wanted:
        assert sum(np.array_equal(y, one[0]) for one in heard) >= len(methods)
    other = [league.damage(read_photo(name), task, 1)[1] for task in tasks for name in ("a.png", "b.png")]
    assert not any(np.array_equal(y, one[0]) for y in other for one in heard)
    assert f'"seed": {seed or 0}' in Path("rows.json").read_text()


def test_the_league_plays_the_test_photographs_unless_told_otherwise(monkeypatch):
    heard = listen(monkeypatch)
    monkeypatch.setattr(images, "photo", lambda name, size=256, color=False: np.full(
        (80, 80), (sum(map(ord, name)) % 250) / 255, np.float32))
    assert command("league", "--task", "missing50", "--method", "biharmonic").exit_code == 0
    shown = {round(255 * float(y.max())) for y, _, _ in heard}
    assert shown == {sum(map(ord, name)) % 250 for name in images.SPLITS["test"]}


class Reader:
    def read(self, x):
        return np.zeros(len(x), int)


@pytest.mark.parametrize("seed", [None, 9])
@pytest.mark.parametrize("own", [False, True])
def test_the_league_of_digits_plays_with_the_seed_on_the_digits_it_is_told(seed, own, monkeypatch):
    heard = listen(monkeypatch)
    for door in ("load", "shared"):
        monkeypatch.setattr(pretrained, door, lambda *_: Reader(), raising=False)
    x = images.digits().x_test
    if own:
        mine = random_digits(5, 6)
        np.savez("mine.npz", x=mine[0], y=mine[1])
        x = (mine[0][..., None] / 255).astype(np.float32)
    result = command("league", "--digits", *(["mine.npz"] if own else []), "--task", "missing75", "--task", "noise50",
                     "--json", "rows.json", *([] if seed is None else ["--seed", seed]))
    assert result.exit_code == 0, result.output
    for task in ("missing75", "noise50"):
        y = digit_tasks.damage(x, task, seed or 0)[0]
        whole = [one for one in heard if one[0].shape == y.shape and np.allclose(one[0], y, atol=1e-6)]
        assert len(whole) == len(digit_league.able(task))


# ------------------------------------------------------------------------------------------ refusals before work


@pytest.fixture
def work(monkeypatch):
    """Count whatever takes long: methods, samples, steps of a training, models that are loaded."""
    done = []

    def note(name, function=None):
        return lambda *a, **k: done.append(name) or (function(*a, **k) if function else None)

    for kind, module in (("photographs", photographs), ("digits", digit_league)):
        play = note(f"a method for {kind}")
        methods = {name: league.Method(play, method.kinds) if module is photographs else play
                   for name, method in module.METHODS.items()}
        monkeypatch.setattr(module, "METHODS", methods)
    for door in ("load", "shared"):
        monkeypatch.setattr(pretrained, door, note("a model is loaded"), raising=False)
    monkeypatch.setattr(helpers.training.Loop, "run", note("a training"))
    toy.install(monkeypatch)
    Path("folder.png").mkdir()
    Path("folder.json").mkdir()
    Path("folder.npz").mkdir()
    Path("file").write_text("")
    Path("notes.txt").write_text("no picture")
    Path("pictures").mkdir()
    shutil.copy("a.png", "pictures/a.png")
    for name, rows, level in (("black", 0, 0), ("white", 45, 255), ("mostly", 40, 255), ("half", 20, 255),
                              ("grey", 30, 128)):
        levels = np.zeros((45, 44), np.uint8)
        levels[:rows] = level
        Image.fromarray(levels).save(f"{name}.png")
    Image.fromarray(np.eye(60, dtype=np.uint8) * 255).save("sized.png")
    np.savez("mine.npz", x=random_digits(5, 3)[0], y=random_digits(5, 3)[1])
    return done


TO_RESTORE = ["restore", "a.png", "--task", "denoise25", "--method", "total variation"]
REFUSED = {
    "restore: the folder is missing": [*TO_RESTORE, "-o", "no/such/out.png"],
    "restore: a folder has that name": [*TO_RESTORE, "-o", "folder.png"],
    "restore: below a file": [*TO_RESTORE, "-o", "file/out.png"],
    "restore: no kind of picture": [*TO_RESTORE, "-o", "out.xyz"],
    "restore: a kind that is only read": [*TO_RESTORE, "-o", "out.psd"],
    "restore: no extension": [*TO_RESTORE, "-o", "out"],
    "restore: no such photo": ["restore", "gone.png", *TO_RESTORE[2:], "-o", "out.png"],
    "restore: no picture": ["restore", "notes.txt", *TO_RESTORE[2:], "-o", "out.png"],
    "restore: negative seed": [*TO_RESTORE, "-o", "out.png", "--seed", -1],
    "restore: unknown method": [*TO_RESTORE[:-1], "totl variation", "-o", "out.png"],
    "restore: method cannot": [*TO_RESTORE[:-1], "biharmonic", "-o", "out.png"],
    "restore: a folder takes no task": ["restore", ".", *TO_RESTORE[2:], "-o", "out.png"],
    "restore: nothing is wrong": ["restore", "a.png", "-o", "out.png"],
    "restore: a task and a damage": [*TO_RESTORE, "--noise", "25", "-o", "out.png"],
    "restore: over the original": ["restore", "a.png", "--noise", "25", "-o", "a.png"],
    "restore: over the original of a task": [*TO_RESTORE, "-o", "a.png"],
    "restore: over the mask": ["restore", "a.png", "--mask", "b.png", "-o", "b.png", "--force"],
    "restore: no noise": ["restore", "a.png", "--noise", "much", "-o", "out.png"],
    "restore: a part of the range": ["restore", "a.png", "--noise", "0.1", "-o", "out.png"],
    "restore: no blur": ["restore", "a.png", "--blur", "gausian:1.6", "-o", "out.png"],
    "restore: a blur without width": ["restore", "a.png", "--blur", "gaussian", "-o", "out.png"],
    "restore: a blur larger than the picture": ["restore", "a.png", "--blur", "gaussian:90", "-o", "out.png"],
    "restore: a kernel that is no picture": ["restore", "a.png", "--blur", "notes.txt", "-o", "out.png"],
    "restore: a mask of another size": ["restore", "a.png", "--mask", "sized.png", "-o", "out.png"],
    "restore: no mask": ["restore", "a.png", "--mask", "gone.png", "-o", "out.png"],
    "restore: a mask without lost pixels": ["restore", "a.png", "--mask", "black.png", "-o", "out.png"],
    "restore: a mask of lost pixels only": ["restore", "a.png", "--mask", "white.png", "-o", "out.png"],
    "restore: a mask that is mostly white": ["restore", "a.png", "--mask", "mostly.png", "-o", "out.png"],
    "restore: a grey mask": ["restore", "a.png", "--mask", "grey.png", "-o", "out.png"],
    "restore: lost without a mask": ["restore", "a.png", "--noise", "9", "--lost", "white", "-o", "out.png"],
    "restore: lost is no colour": ["restore", "a.png", "--mask", "half.png", "--lost", "grey", "-o", "out.png"],
    "restore: a kernel of zeros": ["restore", "a.png", "--blur", "black.png", "-o", "out.png"],
    "restore: a kernel larger than the picture": ["restore", "a.png", "--blur", "sized.png", "-o", "out.png"],
    "restore: scale 0": ["restore", "a.png", "--scale", 0, "-o", "out.png"],
    "restore: scale 7": ["restore", "a.png", "--scale", 7, "-o", "out.png"],
    "restore: a truth of another size": ["restore", "a.png", "--noise", "9", "--truth", "b.png", "-o", "out.png"],
    "restore: method cannot do it": ["restore", "a.png", "--blur", "motion:5", "--method", "network", "-o", "out.png"],
    "restore: a folder into a file": ["restore", "pictures", "--noise", "9", "-o", "out.png"],
    "restore: a folder into itself": ["restore", "pictures", "--noise", "9", "-o", "pictures", "--force"],
    "restore: an empty folder": ["restore", "folder.png", "--noise", "9", "-o", "out"],
    "league: json below a missing folder": ["league", "--images", ".", "--json", "no/such/rows.json"],
    "league: json is a folder": ["league", "--images", ".", "--json", "folder.json"],
    "league: second task unknown": ["league", "--images", ".", "--task", "denoise25", "--task", "denoise52"],
    "league: second method unknown": ["league", "--images", ".", "--method", "Wiener", "--method", "Weiner"],
    "league: no folder": ["league", "--images", "gone"],
    "league: negative seed": ["league", "--images", ".", "--seed", -1],
    "league: nothing to play": ["league", "--images", ".", "--task", "deblur", "--method", "biharmonic"],
    "league: digits without --digits": ["league", "mine.npz"],
    "digits: json is a folder": ["league", "--digits", "mine.npz", "--json", "folder.json"],
    "digits: json below a missing folder": ["league", "--digits", "--json", "no/such/rows.json"],
    "digits: second task unknown": ["league", "--digits", "--task", "hole", "--task", "holes"],
    "digits: second method unknown": ["league", "--digits", "--method", "biharmonic", "--method", "harmonic"],
    "digits: a folder of photographs": ["league", "--digits", "--images", "."],
    "digits: no such file": ["league", "--digits", "gone.npz"],
    "digits: no archive": ["league", "--digits", "notes.txt"],
    "generate: below a missing folder": ["generate", "gan", "-o", "no/such/out.npz"],
    "generate: a folder has that name": ["generate", "gan", "-o", "folder.npz"],
    "generate: another kind of file": ["generate", "gan", "-o", "out.txt"],
    "generate: unknown generator": ["generate", "gna", "-o", "out.npz"],
    "generate: none": ["generate", "gan", "--n", 0, "-o", "out.npz"],
    "generate: no digit": ["generate", "gan", "--label", 10, "-o", "out.npz"],
    "generate: negative seed": ["generate", "vae", "--seed", -2, "-o", "out.npz"],
    "train: unknown model": ["train", "gna", "-o", "out"],
    "train: a file in the way": ["train", "toy", "-o", "file"],
    "train: below a file": ["train", "toy", "-o", "file/out"],
    "train: no epochs": ["train", "toy", "--epochs", 0, "-o", "out"],
    "train: no minutes": ["train", "toy", "--minutes", -1, "-o", "out"],
    "train: no devices": ["train", "toy", "--strategy", 0, "-o", "out"],
    "train: no photographs": ["train", "denoiser", "--photos", "gone", "-o", "out"],
    "train: photographs for digits": ["train", "classifier", "--photos", ".", "-o", "out"],
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_refused_before_any_work(case, work):
    """One line on standard error, and not a second lost."""
    before = sorted(os.listdir())
    result = command(*REFUSED[case])
    assert result.exit_code == 2 and result.stdout == "" and "Traceback" not in result.stderr
    assert re.fullmatch(r"error: .+", result.stderr.splitlines()[-1]), result.stderr
    assert work == [], "this took time before it was refused"
    assert [name for name in sorted(os.listdir()) if name != "out"] == before


def test_the_counters_count(work):
    """The same commands with nothing wrong in them do work."""
    for arguments in ([*TO_RESTORE, "-o", "out.png"], ["league", "--images", ".", "--task", "denoise25"],
                      ["league", "--digits", "mine.npz", "--task", "hole"], ["generate", "gan", "-o", "out.npz"],
                      ["train", "toy", "-o", "out"]):
        work.clear()
        command(*arguments)
        assert work, arguments
