"""The league tells the truth to the last row: nothing is lost, none left out in silence, no mean hides its count."""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from helpers import league
from helpers.__main__ import app
from helpers.images import PictureNote, photo
from helpers.league import LeagueTable, digit_league, photographs
from helpers.league.record import LeftOut, Record, rows_of
from tests.unit.worlds import random_digits

ROOT = Path(__file__).parents[2]
QUICK = ["--task", "denoise25", "--method", "total variation"]


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def save(path, x):
    Image.fromarray(np.rint(255 * x).astype(np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A photograph, an icon, a line of pixels, and a file that only looks like a picture."""
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    x = photo("cat", size=48)
    save(mine / "photo.png", x[:, :45])
    save(mine / "icon.png", x[:7, :8])
    save(mine / "line.png", x[:1, :40])
    (mine / "broken.png").write_bytes(b"\x89PNG nothing follows")
    (mine / ".hidden").write_text("nobody's business")
    return mine


def strict(text):
    """Read JSON as other languages do: NaN and Infinity are errors."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"bare {name} in the JSON"))


def test_one_unsuitable_picture_is_a_named_line_and_not_the_end(folder):
    result = command("league", "--images", folder, "--task", "denoise25", "--task", "superres2", "--task", "tomography",
                     "--method", "total variation", "--method", "Tikhonov", "--json", "rows.json")
    assert result.exit_code == 0, result.output
    assert "left out: broken.png: " in result.output and ".hidden" not in result.output
    assert "left out: line.png in superres2: x has shape (1, 40), too small" in result.output
    assert "tomography: only the middle square of" in result.output and "superres2: only even sides of" in result.output
    document = strict(Path("rows.json").read_text())
    assert document["complete"] is True
    assert {one["image"] for one in document["left out"]} == {"broken.png", "line.png"}
    played = {(row["task"], row["image"]) for row in document["rows"]}
    assert ("denoise25", "line.png") in played and ("superres2", "line.png") not in played
    assert {image for task, image in played if task == "superres2"} == {"photo.png", "icon.png"}


def test_small_pictures_have_no_ssim_and_do_not_count_as_zero(folder):
    result = command("league", "--images", folder, *QUICK, "--json", "rows.json")
    assert result.exit_code == 0 and "SSIM is a mean over the pictures whose sides" in result.output
    document = strict(Path("rows.json").read_text())
    ssim = {row["image"]: row["ssim"] for row in document["rows"]}
    assert ssim["icon.png"] is None and ssim["line.png"] is None and ssim["photo.png"] > 0.5
    (line,) = LeagueTable("rows.json").lines
    assert line["ssim"].mean == pytest.approx(ssim["photo.png"]) and line["pictures"] == 3
    assert line["ssim pictures"] == 1
    assert "nan" not in LeagueTable("rows.json")._repr_html_()


def test_a_mean_over_no_ssim_at_all_is_no_number(tmp_path):
    rows = [league.Row("denoise25", "a", "icon", 20.0, math.nan, 1.0)]
    league.save(rows, tmp_path / "rows.json")
    (line,) = LeagueTable(tmp_path / "rows.json").lines
    assert math.isnan(line["ssim"].mean) and line["ssim pictures"] == 0
    assert "nan" not in LeagueTable(tmp_path / "rows.json")._repr_html_()


def test_numbers_that_json_does_not_know_come_back(tmp_path):
    rows = [league.Row("denoise25", "a", "x", math.inf, math.nan, 1.0),
            league.Row("denoise25", "a", "y", 20.0, 0.5, 2.0)]
    league.save(rows, tmp_path / "rows.json")
    again = rows_of(strict((tmp_path / "rows.json").read_text()), league.Row)
    assert again[0].psnr == math.inf and math.isnan(again[0].ssim) and again[1] == rows[1]


def interrupted(monkeypatch, after):
    """Let the reader press Ctrl-C while a method works for the ``after``-th time."""
    calls = []

    def restore(y, operator, sigma):
        calls.append(y)
        if len(calls) == after:
            raise KeyboardInterrupt
        return y

    monkeypatch.setitem(photographs.METHODS, "total variation", league.Method(restore, photographs.KINDS))


def test_control_c_shows_and_keeps_what_is_done(folder, monkeypatch):
    interrupted(monkeypatch, after=5)  # two trials, two pictures
    result = command("league", "--images", folder, *QUICK, "--json", "rows.json")
    assert result.exit_code == 130 and "stopped: the means are over what was done" in result.output
    assert "total variation" in result.output
    document = strict(Path("rows.json").read_text())
    assert document["complete"] is False and [row["image"] for row in document["rows"]] == ["icon.png", "line.png"]


def test_control_c_before_the_first_row(folder, monkeypatch):
    interrupted(monkeypatch, after=1)
    Path("rows.json").write_text("an older league")
    result = command("league", "--images", folder, *QUICK, "--json", "rows.json")
    assert result.exit_code == 130 and "stopped before the first result" in result.output
    assert Path("rows.json").read_text() == "an older league"


def test_rows_are_on_the_disk_while_the_league_runs(tmp_path):
    record = Record(tmp_path / "rows.json", {"seed": 3}, every=0.0)
    record.row(league.Row("denoise25", "a", "x", 20.0, 0.5, 1.0))
    record.skip(LeftOut("y", "", "why"))
    record.skip(LeftOut("y", "", "why"))
    record.row(league.Row("denoise25", "a", "z", 21.0, 0.5, 1.0))
    document = strict((tmp_path / "rows.json").read_text())
    assert [row["image"] for row in document["rows"]] == ["x", "z"] and document["complete"] is False
    assert document["seed"] == 3 and document["left out"] == [
        {"image": "y", "task": "", "reason": "why", "method": ""}]
    seldom = Record(tmp_path / "seldom.json", every=1000.0)
    seldom.row(league.Row("denoise25", "a", "x", 20.0, 0.5, 1.0))
    assert not (tmp_path / "seldom.json").exists()
    seldom.write()
    assert strict((tmp_path / "seldom.json").read_text())["complete"] is True


def process(*arguments, stdout, **environment):
    return subprocess.Popen([sys.executable, "-m", "helpers", "league", *arguments], stdout=stdout, text=True,
                            stderr=subprocess.PIPE, cwd=ROOT, env=os.environ | environment)


def test_a_closed_pipe_loses_nothing(folder, tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    running = process("--images", str(folder), *QUICK, "--json", str(tmp_path / "rows.json"), stdout=writing)
    os.close(writing)
    said = running.communicate(timeout=120)[1]
    assert running.returncode == 0, said
    assert "total variation" in said and "left out: broken.png" in said and "Traceback" not in said
    assert len(strict((tmp_path / "rows.json").read_text())["rows"]) == 3


def test_a_console_of_ascii_shows_every_number(folder):
    running = process("--images", str(folder), *QUICK, stdout=subprocess.PIPE, PYTHONIOENCODING="ascii")
    shown, said = running.communicate(timeout=120)
    assert running.returncode == 0, said
    (line,) = (line for line in shown.splitlines() if "total variation" in line)
    assert "?" not in line and " to " in line and line.split()[-1] == "3"


def test_large_pictures_can_be_reduced_and_it_is_said(folder, monkeypatch):
    seen = []
    monkeypatch.setitem(photographs.METHODS, "total variation",
                        league.Method(lambda y, operator, sigma: seen.append(y.shape) or y, photographs.KINDS))
    result = command("league", "--images", folder, *QUICK, "--size", 16)
    assert result.exit_code == 0 and "at most 16 pixels wide and high: larger ones were reduced" in result.output
    assert max(max(shape) for shape in seen) == 16 and (16, 15) in seen and (7, 8) in seen
    assert command("league", "--images", folder, *QUICK, "--size", 3).exit_code == 2
    assert "size: the league of digits" in command("league", "--digits", "--size", 32).output


def test_the_time_is_told_before_the_start(monkeypatch):
    """A method that takes a microsecond a pixel: 64 × 64 of them tell what two larger pictures will take."""
    monkeypatch.setitem(photographs.METHODS, "total variation", league.Method(
        lambda y, operator, sigma: time.sleep(1e-5 * y.size) or y, photographs.KINDS))
    pictures = {"a": np.full((200, 100), 0.5, np.float32), "b": np.full((100, 130), 0.5, np.float32)}
    told, rows = [], []
    league.run(pictures, ["denoise25"], ["total variation"], each=rows.append,
               tell=lambda seconds: told.append((seconds, len(rows))))
    ((seconds, before),) = told
    assert before == 0 and len(rows) == 2
    assert 0.33 < seconds < 1.0, "33,000 pixels"


def test_a_long_league_announces_itself(folder, monkeypatch):
    monkeypatch.setattr(photographs, "_pace", lambda *_: 0.5)  # seconds a pixel
    result = command("league", "--images", folder, *QUICK)
    assert "this takes about" in result.output and "3 pictures" in result.output


def test_a_library_user_gets_the_refusal(folder):
    with pytest.raises(ValueError, match="too small"):
        league.run({"line": np.zeros((1, 40), np.float32)}, ["superres2"], ["Tikhonov"])
    with pytest.raises(ValueError, match="no picture can take part; line: x has shape"):
        league.run({"line": np.zeros((1, 40), np.float32)}, ["superres2"], ["Tikhonov"], skip=lambda _: None)


# ------------------------------------------------------------------------------------------------- digits


def written(path, x, y=None):
    np.savez(path, x=x, y=np.zeros(len(x), np.uint8) if y is None else y)
    return path


@pytest.fixture
def strokes():
    x = np.zeros((5, 28, 28), np.uint8)
    x[:, 6:22, 12:16] = 255
    return x


def test_digits_of_nought_and_one_are_black_and_white(tmp_path, strokes):
    with pytest.warns(PictureNote, match="only 0 and 1"):
        x, _ = digit_league.read_digits(written(tmp_path / "x.npz", strokes // 255))
    assert np.array_equal(x[..., 0], strokes / np.float32(255))


def test_dark_digits_on_white_paper_are_turned(tmp_path, strokes):
    for values, said in ((255 - strokes, "dark on white"), (1 - strokes // 255, "only 0 and 1|dark on white")):
        with pytest.warns(PictureNote, match=said):
            x, _ = digit_league.read_digits(written(tmp_path / "x.npz", values))
        assert np.array_equal(x[..., 0], strokes / np.float32(255))


def test_usual_digits_are_left_alone(tmp_path, strokes, recwarn):
    noise, _ = random_digits(0, 5)
    for values in (strokes, noise, strokes // 2):
        x, _ = digit_league.read_digits(written(tmp_path / "x.npz", values))
        assert np.array_equal(x[..., 0], values / np.float32(255))
    assert not [one for one in recwarn if one.category is PictureNote]


@pytest.mark.parametrize(("values", "says"), [(16, r"spans 0 … 16.*multiply it by 255 / 16"), (0, "black everywhere")])
def test_digits_of_another_range_are_asked_about(tmp_path, strokes, values, says):
    with pytest.raises(ValueError, match=says):
        digit_league.read_digits(written(tmp_path / "x.npz", (strokes // 255 * values).astype(np.uint8)))


def test_the_note_is_a_line_of_the_command(tmp_path, monkeypatch, strokes):
    monkeypatch.setattr(digit_league, "run", lambda *_, each, **__: each(
        digit_league.Row("hole", "as it came", 0, math.inf, 1.0, 0.1)))
    result = command("league", "--digits", written(tmp_path / "x.npz", strokes // 255), "--json",
                     tmp_path / "rows.json")
    assert result.exit_code == 0 and "note: digits: x holds only 0 and 1" in result.output
    assert strict((tmp_path / "rows.json").read_text())["rows"][0]["psnr"] is None


def fails(monkeypatch, *errors):
    """Let a method fail at each picture with the next error (None: it works), after its two trials."""
    turns = iter([None, None, *errors])

    def restore(y, operator, sigma):
        error = next(turns, None)
        if error is not None:
            raise error
        return y

    monkeypatch.setitem(photographs.METHODS, "total variation", league.Method(restore, photographs.KINDS))


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("out of\nmemory"), IndexError("3"), OSError("no")])
def test_any_failure_of_a_method_is_a_line_that_names_the_method(folder, monkeypatch, error):
    fails(monkeypatch, error)
    result = command("league", "--images", folder, *QUICK, "--method", "Wiener", "--json", "rows.json")
    assert result.exit_code == 0, result.output
    said = " ".join(f"{type(error).__name__}: {error}".removesuffix(": ").split())
    assert f"left out: icon.png in denoise25 (total variation): {said}" in result.output
    document = strict(Path("rows.json").read_text())
    assert len(document["rows"]) == 5 and document["complete"] is True
    assert document["left out"][-1]["method"] == "total variation"


def test_what_ends_a_league_in_the_middle_is_not_complete(folder, monkeypatch):
    fails(monkeypatch, None, SystemExit(3))
    assert command("league", "--images", folder, *QUICK, "--json", "rows.json").exit_code == 3
    document = strict(Path("rows.json").read_text())
    assert document["complete"] is False and len(document["rows"]) == 1


def test_a_disk_that_fills_up_loses_no_table(folder, monkeypatch):
    def full(*_):
        raise ValueError("path 'rows.json' cannot be written: no space left")

    monkeypatch.setattr("helpers.league.record.write_rows", full)
    result = command("league", "--images", folder, *QUICK, "--json", "rows.json")
    assert result.exit_code == 2 and "error: path 'rows.json' cannot be written" in result.output
    assert "total variation" in result.output and "left out: broken.png" in result.output
    record = Record("rows.json", every=0.0)
    record.row(league.Row("denoise25", "a", "x", 20.0, 0.5, 1.0))
    with pytest.raises(ValueError, match="no space"):
        record.write()


def test_a_task_named_twice_counts_once(folder):
    result = command("league", "--images", folder, *QUICK, *QUICK, "--json", "rows.json")
    assert result.exit_code == 0 and len(strict(Path("rows.json").read_text())["rows"]) == 3


def test_when_nobody_listens_at_all_the_league_goes_on(folder, tmp_path):
    """`2>&1 | head -1`: standard error, with the progress bar, is closed too."""
    reading, writing = os.pipe()
    os.close(reading)
    running = subprocess.run([sys.executable, "-m", "helpers", "league", "--images", str(folder), *QUICK, "--json",
                              str(tmp_path / "rows.json")], stdout=writing, stderr=writing, cwd=ROOT, timeout=120,
                             check=False)
    os.close(writing)
    document = strict((tmp_path / "rows.json").read_text())
    assert running.returncode == 0 and len(document["rows"]) == 3 and document["complete"] is True


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_table_that_finds_no_room_is_shown_on_standard_error(folder, tmp_path):
    with open("/dev/full", "w") as full:
        running = process("--images", str(folder), *QUICK, "--json", str(tmp_path / "rows.json"), stdout=full)
        said = running.communicate(timeout=120)[1]
    assert "total variation" in said and "left out: broken.png" in said and "Traceback" not in said
    assert running.returncode == 0 and strict((tmp_path / "rows.json").read_text())["complete"] is True


def test_the_foot_says_how_the_shipped_pictures_were_cut(folder):
    said = command("league", *QUICK, "--size", 16).output
    assert "squares of 16 × 16 pixels" in said and "larger ones were reduced" not in said


def test_what_is_no_file_is_named_and_a_folder_without_pictures_says_why(folder, tmp_path):
    (folder / "away.png").symlink_to(tmp_path / "nowhere.png")
    assert "left out: away.png: is no file" in command("league", "--images", folder, *QUICK).output
    for name in ("photo.png", "icon.png", "line.png", "away.png"):
        (folder / name).unlink()
    result = command("league", "--images", folder, *QUICK)
    assert result.exit_code == 2 and "can be read; broken.png: " in result.output


@pytest.mark.parametrize(("seconds", "told"), [(25, "25 seconds"), (600, "10 minutes"), (9000, "2.5 hours")])
def test_the_time_is_told_in_words_that_fit(capsys, seconds, told):
    from helpers.__main__ import _tell_time

    _tell_time(seconds, {"a": np.zeros((9, 9), np.float32)})
    assert f"this takes about {told}:" in capsys.readouterr().err


def test_digits_on_grey_are_said(tmp_path, strokes):
    for values in (np.where(strokes > 0, 0, 110), np.where(strokes > 0, 20, 200)):
        with pytest.warns(PictureNote, match="stands on grey"):
            digit_league.read_digits(written(tmp_path / "x.npz", values.astype(np.uint8)))


# ------------------------------------------------------------------------------------------------ training


def test_a_picture_too_small_for_training_is_named_at_once(tmp_path, monkeypatch):
    for name, size in (("large.png", 96), ("small.png", 50), ("tiny.png", 20)):
        save(tmp_path / name, photo("cat", size=size))
    started = time.process_time()
    result = command("train", "denoiser", "--photos", tmp_path, "--output", tmp_path / "weights", "--minutes", 1)
    assert result.exit_code == 2 and time.process_time() - started < 5
    assert "small.png (50 × 50 pixels) and 1 more is too small: patches of 80 × 80" in result.output
