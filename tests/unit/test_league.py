"""The league and its two commands: rows, JSON, the reader's own pictures, and plain errors."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from typer.testing import CliRunner

from helpers import league
from helpers.__main__ import app
from helpers.files import write_whole
from helpers.images import photo
from helpers.league import LeagueTable
from helpers.metrics import psnr

COLUMNS = ["task", "method", "image", "psnr", "ssim", "seconds"]


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def picture(path, size=(40, 36), mode="L"):
    levels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(levels).convert(mode).save(path)
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for name in ("b.png", "a.jpg"):
        Image.fromarray(np.rint(255 * photo("cat", size=48)).astype(np.uint8)).save(folder / name)
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.mark.parametrize("task", league.TASKS)
def test_every_able_method_restores_every_task(task):
    """Each method gives a picture of the right shape, and what it gives is finite."""
    x = photo("cat", size=64)
    for method in league.able(task):
        row = league.play(x, task, method, "cat")
        assert list(row._fields) == COLUMNS
        assert math.isfinite(row.psnr) and math.isfinite(row.ssim) and row.seconds > 0


@pytest.mark.parametrize("task", league.TASKS)
def test_a_real_method_beats_doing_nothing(task):
    x = photo("cat", size=96)
    best = max(league.play(x, task, method).psnr for method in ("total variation", "Tikhonov"))
    nothing = "as it came" if "as it came" in league.able(task) else "skimage FBP"
    assert best > league.play(x, task, nothing).psnr + 0.5


def test_damage_is_the_same_for_the_same_seed():
    x = photo("coins", size=64)
    for task in league.TASKS:
        first, again, other = (league.damage(x, task, seed)[1] for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        if task not in ("block", "superres2", "tomography"):  # nothing random there
            assert not np.array_equal(first, other)


def test_damage_crops_only_what_a_task_needs():
    x = photo("coins", size=64)[:, :51]
    assert league.damage(x, "denoise25")[0].shape == (64, 51)
    assert league.damage(x, "superres2")[0].shape == (64, 50)
    assert league.damage(x, "tomography")[0].shape == (51, 51)


def test_noisy_psnr_is_the_noise_level():
    x = np.full((128, 128), 0.5, np.float32)
    for task, sigma in (("denoise15", 15 / 255), ("denoise25", 25 / 255)):
        row = league.play(x, task, "as it came")
        assert abs(row.psnr + 20 * math.log10(sigma)) < 0.15


def test_league_writes_rows_versions_and_seed(folder, tmp_path):
    out = tmp_path / "league.json"
    result = command("league", "--images", folder, "--task", "denoise25", "--method", "total variation",
                     "--method", "skimage TV", "--json", out, "--seed", 3)
    assert result.exit_code == 0, result.output
    document = json.loads(out.read_text())
    assert document["seed"] == 3 and {"python", "numpy", "scikit-image"} <= set(document["versions"])
    assert [list(row) for row in document["rows"]] == [COLUMNS] * 4
    assert {row["image"] for row in document["rows"]} == {"a.jpg", "b.png"}
    assert "total variation" in result.output and "denoise25" in result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["league.json", "mine"]


def test_same_seed_same_quality(folder):
    pictures = league.folder_pictures(folder)
    runs = [league.run(pictures, ["missing50"], ["total variation", "biharmonic"], seed=5) for _ in range(2)]
    assert [row.psnr for row in runs[0]] == [row.psnr for row in runs[1]]


def test_summary_is_sorted_and_has_intervals():
    rows = [league.Row("denoise25", "a", str(i), 20.0 + i, 0.5, 1.0) for i in range(4)]
    rows += [league.Row("denoise25", "b", str(i), 30.0 + i, 0.9, 2.0) for i in range(4)]
    first, second = league.summarise(rows)
    assert (first["method"], second["method"]) == ("b", "a")
    assert first["psnr"].low < first["psnr"].mean == 31.5 < first["psnr"].high and first["seconds"] == 2.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["league", "--task", "denoise52"], "denoise25"),
        (["league", "--method", "total varation"], "total variation"),
        (["league", "--images", "nowhere"], "no such folder"),
        (["league", "--task", "deblur", "--method", "biharmonic"], "can do"),
        (["league", "--json", "no/such/folder/x.json"], "cannot be written"),
    ],
)
def test_league_refuses_plainly(arguments, message):
    result = command(*arguments)
    assert result.exit_code == 2 and message in result.output and "Traceback" not in result.output


def test_folder_without_pictures(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing to see")
    result = command("league", "--images", tmp_path)
    assert result.exit_code == 2 and "no picture" in result.output


@pytest.mark.parametrize(("mode", "color"), [("L", True), ("RGB", False), ("RGB", True), ("CMYK", True)])
def test_restore_writes_a_picture(tmp_path, mode, color):
    photo_file = picture(tmp_path / "in.tif", mode=mode)
    result = command("restore", photo_file, "--task", "denoise25", "--method", "total variation",
                     "-o", tmp_path / "out.png", *([] if color else ["--grey"]))
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out.png") as restored:
        assert restored.size == (40, 36) and restored.mode == ("RGB" if color and mode != "L" else "L")


def test_restore_a_picture_that_is_damaged_already(tmp_path):
    x = photo("cat", size=64)
    _, y, _, _ = league.damage(x, "denoise25")
    Image.fromarray(np.rint(255 * np.clip(y, 0, 1)).astype(np.uint8)).save(tmp_path / "noisy.png")
    result = command("restore", tmp_path / "noisy.png", "--noise", "25", "--method", "total variation",
                     "-o", tmp_path / "out.png")
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out.png") as restored:
        assert psnr(x, np.asarray(restored) / 255) > psnr(x, y) + 3


def test_one_pixel_and_flat_pictures(tmp_path):
    for levels in (np.full((1, 1), 77, np.uint8), np.full((9, 5), 255, np.uint8)):
        Image.fromarray(levels).save(tmp_path / "in.png")
        result = command("restore", tmp_path / "in.png", "--task", "denoise15", "--method", "total variation",
                         "-o", tmp_path / "out.png")
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.png", "--task", "denoise25", "--method", "total variation"], "no such file"),
        (["notes.txt", "--task", "denoise25", "--method", "total variation"], "cannot be read"),
        (["cut.png", "--task", "denoise25", "--method", "total variation"], "cannot be read"),
        (["in.png", "--task", "denoise25", "--method", "biharmonic"], "cannot do"),
        (["in.png", "--task", "unblur", "--method", "total variation"], "deblur"),
        (["in.png"], "what is wrong"),
    ],
)
def test_restore_refuses_plainly_and_writes_nothing(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "in.png")
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "cut.png").write_bytes((tmp_path / "in.png").read_bytes()[:300])
    before = sorted(os.listdir())
    result = command("restore", *arguments, "-o", "out.png")
    assert result.exit_code == 2 and message in result.output and "Traceback" not in result.output
    assert sorted(os.listdir()) == before


@pytest.mark.parametrize("output", ["no/such/folder/out.png", "out.xyz", "out"])
def test_restore_refuses_an_impossible_output(tmp_path, output):
    result = command("restore", picture(tmp_path / "in.png"), "--task", "denoise25", "--method", "total variation",
                     "-o", tmp_path / output)
    assert result.exit_code == 2 and "out" in result.output
    assert os.listdir(tmp_path) == ["in.png"]


def test_a_write_that_breaks_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.png"
    path.write_text("the old one")

    def full_disk(temporary):
        temporary.write_text("half of the n")
        raise OSError("No space left on device")

    with pytest.raises(ValueError, match="No space left"):
        write_whole(path, full_disk)
    assert path.read_text() == "the old one" and os.listdir(tmp_path) == ["out.png"]


def test_help_needs_no_heavy_import():
    code = "import sys; sys.argv = ['helpers', '--help']; import runpy\n" \
           "try: runpy.run_module('helpers', run_name='__main__')\n" \
           "except SystemExit: pass\nassert not {'tensorflow', 'skimage', 'scipy'} & set(sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "league" in result.stdout and "restore" in result.stdout


def test_table_shows_every_mean_and_marks_the_best(tmp_path):
    rows = [{"task": task, "method": method, "image": str(i), "psnr": value + i, "ssim": 0.5, "seconds": 1.0}
            for i in range(3) for task, method, value in
            (("denoise25", "Wiener", 20.0), ("denoise25", "network", 30.0), ("deblur", "Wiener", 25.0))]
    (tmp_path / "league.json").write_text(json.dumps({"rows": rows}))
    whole, every = BeautifulSoup(LeagueTable(tmp_path / "league.json")._repr_html_(), "html.parser").find_all("table")
    cells = {row.find("th").get_text(): [cell.get_text() for cell in row.find_all("td")]
             for row in whole.tbody.find_all("tr")}
    assert [one.get_text() for one in whole.thead.find_all("th")] == ["Method", "denoise25", "deblur"]
    assert cells == {"Wiener": ["21.00", "26.00"], "network": ["31.00", "–"]}
    assert {one.get_text() for one in whole.find_all("strong")} == {"31.00", "26.00"}
    assert len(every.tbody.find_all("tr")) == 3 and "20.00 to 22.00" in every.get_text()


@pytest.mark.parametrize("text", [None, "", "{}", '{"rows": []}', '{"rows": [{"a": 1}]}'])
def test_a_file_that_holds_no_league_is_named(tmp_path, text):
    path = tmp_path / "wrong.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=r"path '.*wrong\.json' is no file of a league"):
        LeagueTable(path)
