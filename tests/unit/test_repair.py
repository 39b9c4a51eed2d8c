"""The command for damaged pictures: what its words mean, what it writes, and that nothing is lost on the way."""

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from scipy import ndimage
from typer.testing import CliRunner

from helpers import images, league, pretrained, repair, repair_folder, writing
from helpers.__main__ import app
from helpers.images import photo
from helpers.league import photographs
from helpers.metrics import psnr
from helpers.operators import Downsample, Identity, Mask


@pytest.fixture(autouse=True)
def sandbox(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def command(*arguments):
    result = CliRunner().invoke(app, ["restore", *(str(argument) for argument in arguments)])
    assert "Traceback" not in result.output and (result.exception is None or isinstance(result.exception, SystemExit))
    return result


def done(*arguments):
    result = command(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def levels(x):
    return np.rint(255 * np.clip(x, 0, 1)).astype(np.uint8)


def write(name, x):
    Image.fromarray(x if x.dtype == np.uint8 else levels(x)).save(name)
    return name


def colors(size=40):
    return photo("cat", size, color=True)[:, :-3]


def play(monkeypatch, restore):
    """Let every method of the league be this one."""
    methods = {name: league.Method(restore, method.kinds) for name, method in league.METHODS.items()}
    monkeypatch.setattr(photographs, "METHODS", methods)


TV = ("--method", "total variation")


# ------------------------------------------------------------------------------------------ what the words mean


@pytest.mark.parametrize(("text", "sigma"), [
    ("auto", None), ("AUTO", None), ("25", 25 / 255), ("2.5", 2.5 / 255), ("0", 0), ("1", 1 / 255),
    ("25/255", 25 / 255), ("0.5/255", 0.5 / 255), ("400/4095", 400 / 4095), (" 7 / 255 ", 7 / 255), ("2e1", 20 / 255)])
def test_noise_is_said_in_grey_levels(text, sigma):
    assert repair.read_noise(text) == (None if sigma is None else pytest.approx(sigma))


@pytest.mark.parametrize("text", ["", "much", "-3", "nan", "inf", "1e999", "1/0", "0.1", "300", "5/1", "25,5", "1.2.3"])
def test_other_noise_is_refused_by_name(text):
    with pytest.raises(ValueError, match="noise"):
        repair.read_noise(text)


def test_blurs_are_those_of_a_camera():
    """Like SciPy's, mirrored at the border."""
    x = np.random.default_rng(0).random((30, 26))
    blur, length = repair.read_blur("gaussian:1.6")
    assert length == 1.6
    wanted = ndimage.gaussian_filter(x, 1.6, mode="reflect", radius=7)
    np.testing.assert_allclose(blur.forward(x), wanted, atol=1e-12)
    motion, length = repair.read_blur("motion:5:90")
    along = ndimage.convolve1d(x, motion.kernel[:, motion.kernel.shape[1] // 2], axis=0, mode="reflect")
    np.testing.assert_allclose(motion.forward(x), along, atol=1e-12)
    assert length == 5
    level = repair.read_blur("motion:5")[0].forward(x)  # without an angle: each row alone, and its light stays in it
    np.testing.assert_allclose(level.sum(axis=1), x.sum(axis=1))
    kernel = np.array([[0, 0, 0, 0, 0], [0, 9, 0, 0, 0], [0, 30, 60, 3, 0]], np.uint8)
    write("kernel.png", kernel)
    wanted = ndimage.convolve(x, kernel / kernel.sum(), mode="reflect")
    np.testing.assert_allclose(repair.read_blur("kernel.png")[0].forward(x), wanted, atol=1e-7)


@pytest.mark.parametrize("shape", [(4, 4), (4, 3), (5, 2), (1, 6)])
def test_a_kernel_with_even_sides_has_its_centre_where_scipy_has_it(shape):
    x = np.random.default_rng(0).random((12, 11))
    kernel = np.random.default_rng(1).integers(0, 200, shape).astype(np.uint8)
    write("kernel.png", kernel)
    wanted = ndimage.convolve(x, kernel / kernel.sum(), mode="reflect")
    np.testing.assert_allclose(repair.read_blur("kernel.png")[0].forward(x), wanted, atol=1e-7)


def test_empty_margins_of_a_kernel_are_cut_off():
    kernel = np.zeros((41, 60), np.uint8)
    kernel[20, 28:33] = 100
    write("kernel.png", kernel)
    assert repair.read_blur("kernel.png")[0].kernel.shape == (1, 5)


@pytest.mark.parametrize("text", ["gaussian", "gaussian:", "gaussian:x", "gaussian:0", "gaussian:-1", "gaussian:nan",
                                  "gaussian:1:2", "motion", "motion:0", "motion:2.5", "motion:3:4:5", "motion:3:inf",
                                  "gaussian:1e9", "motion:1e9", "blur:3", "", "gone.png"])
def test_other_blurs_are_refused_by_name(text):
    with pytest.raises(ValueError, match="blur"):
        repair.read_blur(text)


def test_a_mask_means_what_it_is_said_to_mean():
    lost = np.zeros((20, 30), bool)
    lost[4:6] = True
    write("white.png", 255 * lost.astype(np.uint8))
    write("black.png", 255 * (~lost).astype(np.uint8))
    write("ones.png", lost.astype(np.uint8))
    soft = 255 * lost.astype(np.uint8)
    soft[6, ::2] = 100  # the edge of a soft brush
    write("soft.png", soft)
    for name, said in (("white.png", None), ("white.png", "white"), ("black.png", "black"), ("ones.png", None)):
        known, words = repair.read_mask(name, said)
        assert np.array_equal(known, ~lost), name
        assert "10.00%" in words and (said or "white") in words and name in words
    assert np.array_equal(repair.read_mask("soft.png")[0], soft == 0)
    assert np.array_equal(repair.read_mask("white.png", "black")[0], lost)
    with pytest.raises(ValueError, match=r"black\.png.*--lost white or --lost black"):
        repair.read_mask("black.png")


def test_what_is_combined_acts_in_the_order_of_a_camera():
    """Larger pixels, then the blur in them, then the scratches."""
    lost = np.zeros((10, 12), np.uint8)
    lost[3] = 255
    write("mask.png", lost)
    damage = repair.read_damage("5", "gaussian:0.8", "mask.png", None, 2)
    x = np.random.default_rng(0).random((20, 24))
    small = ndimage.gaussian_filter(x.reshape(10, 2, 12, 2).mean(axis=(1, 3)), 0.8, mode="reflect", radius=4)
    np.testing.assert_allclose(damage.a.forward(x), np.where(lost, 0, small), atol=1e-12)
    assert damage.kinds == ["inpaint", "deblur", "superres"] and damage.sigma == 5 / 255


@pytest.mark.parametrize(("options", "sigma", "kind", "operator"), [
    ({"noise": "auto"}, None, "denoise", Identity), ({"blur": "gaussian:1"}, None, "deblur", None),
    ({"mask": "mask.png"}, 0, "inpaint", Mask), ({"scale": 3}, 0, "superres", Downsample),
    ({"scale": 3, "noise": "auto"}, None, "superres", Downsample)])
def test_noise_is_looked_for_where_it_can_be_told(options, sigma, kind, operator):
    write("mask.png", 255 * np.eye(20, dtype=np.uint8))
    damage = repair.read_damage(**options)
    assert damage.sigma == sigma and damage.kinds == [kind]
    assert operator is None or type(damage.a) is operator


# ------------------------------------------------------------------------------------------ which method


def test_the_methods_chosen_are_the_winners_of_the_league():
    rows = [league.Row(**row) for row in json.loads(Path(images.__file__).parents[2].joinpath(
        "book/5-outlook/league-photos.json").read_text())["rows"]]
    best = {}
    for line in league.summarise(rows):
        best.setdefault(line["task"], line["method"])
    for task, method in best.items():
        kind = "wide hole" if task == "block" else league.TASKS[task].kind
        assert repair.BEST[kind] == method, task


def test_a_wide_hole_is_told_from_scratches():
    wide, thin = np.ones((100, 100), bool), np.ones((100, 100), bool)
    wide[30:70, 30:70] = False
    thin[::20] = thin[:, ::20] = thin[40:44] = False
    choose = lambda known, shape: repair.choose(repair.Damage(0.0, known=known), shape)  # noqa: E731
    assert choose(wide, (100, 100)) == repair.BEST["wide hole"]
    assert choose(thin, (100, 100)) == repair.BEST["inpaint"]
    assert choose(thin, (2048, 2048)) == repair.FOR_LARGE
    assert repair.choose(repair.Damage(0.1, known=wide), (100, 100)) == repair.BEST["inpaint"]


def test_named_methods_are_used_and_the_unable_refused(monkeypatch):
    write("a.png", colors())
    used = []
    methods = {name: league.Method(lambda y, operator, sigma, name=name: used.append(name) or y, method.kinds)
               for name, method in league.METHODS.items()}
    monkeypatch.setattr(photographs, "METHODS", methods)
    assert "non-local means" in done("a.png", "--noise", "9", "--method", "non-local means", "-o", "o.png")
    assert "network" in done("a.png", "--noise", "9", "-o", "o.png")
    assert used == ["non-local means", "network"]
    result = command("a.png", "--blur", "gaussian:1", "--method", "biharmonic", "-o", "o.png")
    assert result.exit_code == 2 and "total variation" in result.stderr


# ------------------------------------------------------------------------------------------ what is restored


def test_a_method_gets_the_picture_its_operator_and_its_noise(monkeypatch):
    x = write("a.png", colors())
    lost = np.zeros((40, 37), np.uint8)
    lost[:, 5] = 255
    write("mask.png", lost)
    heard = []

    def restore(y, operator, sigma):
        heard.append((y, operator, sigma))
        return operator.adjoint(y) * 4

    play(monkeypatch, restore)
    done("a.png", "--noise", "7", "--mask", "mask.png", "--scale", "2", "--blur", "motion:3:20", "-o", "o.png")
    ((y, operator, sigma),) = heard
    known = lost == 0
    assert np.array_equal(y[known], images.read_photo(x, color=True)[known]) and sigma == 7 / 255
    np.testing.assert_array_equal(operator.forward(np.ones((80, 74))) > 0.5, known)
    assert Image.open("o.png").size == (74, 80)


def test_the_noise_is_estimated_from_what_can_be_seen(monkeypatch):
    """Neither lost nor transparent pixels count."""
    seen = []
    monkeypatch.setattr(repair.restoration, "estimate_noise", lambda y, operator=None: seen.append(operator) or 0.125)
    play(monkeypatch, lambda y, operator, sigma: y)
    alpha = np.full((40, 37), 255, np.uint8)
    alpha[:9] = 0
    write("a.png", np.dstack([levels(colors()), alpha]))
    assert "31.88/255" in done("a.png", "--noise", "auto", "-o", "o.png")
    assert np.array_equal(seen[-1].mask, alpha > 0)
    write("mask.png", 255 * np.eye(40, 37, dtype=np.uint8))
    done("a.png", "--noise", "auto", "--mask", "mask.png", "-o", "o.png")
    assert np.array_equal(seen[-1].mask, (alpha > 0) & ~np.eye(40, 37, dtype=bool))
    write("b.png", colors())
    done("b.png", "--noise", "auto", "-o", "o.png")
    assert seen[-1] is None


@pytest.mark.parametrize("method", ["biharmonic", "total variation", "Tikhonov"])
def test_known_pixels_stay_and_what_stands_at_lost_ones_is_nobodys_business(method):
    x = images.photo("coins", 48)
    lost = np.zeros((48, 48), np.uint8)
    lost[20:22] = lost[:, 30] = 255
    write("mask.png", lost)
    for name, under in (("nan.tif", np.nan), ("low.tif", -9999), ("white.tif", 1)):
        tifffile.imwrite(name, np.where(lost, np.float32(under), x))
        done(name, "--mask", "mask.png", "--method", method, "-o", f"o-{name}")
    results = [tifffile.imread(f"o-{name}") for name in ("nan.tif", "low.tif", "white.tif")]
    for result in results:
        assert np.array_equal(result[lost == 0], x[lost == 0]) and np.array_equal(result, results[0])
    assert psnr(x, results[0]) > psnr(x, np.where(lost, 0, x)) + 10


def test_a_mask_far_from_the_borders_leaves_all_but_a_window_alone(monkeypatch):
    shapes = []
    play(monkeypatch, lambda y, operator, sigma: shapes.append(y.shape) or y * 0)
    lost = np.zeros((400, 500), np.uint8)
    lost[200:203, 240:260] = 255
    write("mask.png", lost)
    x = np.random.default_rng(0).integers(1, 255, (400, 500)).astype(np.uint8)
    write("a.png", x)
    done("a.png", "--mask", "mask.png", "-o", "o.png")
    assert shapes == [(3 + 2 * repair.MARGIN, 20 + 2 * repair.MARGIN)]
    assert np.array_equal(np.asarray(Image.open("o.png")), np.where(lost, 0, x))


def test_a_really_blurred_photograph_gains_three_decibels_with_its_rim():
    """The default method, the noise estimated."""
    x = np.rint(255 * photo("camera", None)[60:188, 150:278]) / 255
    y = ndimage.gaussian_filter(x, 1.6) + np.random.default_rng(0).standard_normal(x.shape) / 255
    write("y.png", y)
    write("x.png", x)
    told = done("y.png", "--blur", "gaussian:1.6", "--truth", "x.png", "-o", "o.png")
    x_hat, y = (np.asarray(Image.open(name)) / 255 for name in ("o.png", "y.png"))
    assert repair.BEST["deblur"] in told and f"{psnr(x, x_hat):.2f} dB" in told
    assert psnr(x, x_hat) > psnr(x, y) + 3
    rim = np.ones(x.shape, bool)
    rim[8:-8, 8:-8] = False
    assert ((x_hat - x)[rim] ** 2).mean() < 0.6 * ((y - x)[rim] ** 2).mean()


# ------------------------------------------------------------------------------------------ what is written


def test_depth_transparency_and_colours_stay(monkeypatch):
    play(monkeypatch, lambda y, operator, sigma: y)
    rng = np.random.default_rng(0)
    grey16 = rng.integers(0, 65536, (9, 7), dtype=np.uint16)
    color16 = rng.integers(0, 65536, (9, 7, 3), dtype=np.uint16)
    rgba16 = rng.integers(1, 65536, (9, 7, 4), dtype=np.uint16)
    tifffile.imwrite("g.tif", grey16)
    tifffile.imwrite("c.tif", color16, photometric="rgb")
    tifffile.imwrite("t.tif", rgba16, photometric="rgb", extrasamples=["unassalpha"])
    tifffile.imwrite("f.tif", rng.random((9, 7)).astype(np.float32))
    for name in ("g.tif", "c.tif", "t.tif", "f.tif"):
        done(name, "--noise", "9", "-o", f"o-{name}")
        assert np.array_equal(tifffile.imread(f"o-{name}"), tifffile.imread(name)), name
        done(name, "--noise", "9", "-o", "o.png")
        again = images.read_picture("o.png", white=65535)
        first = images.read_picture(name, white=1 if name == "f.tif" else 65535)
        assert again.bits == 16 and np.abs(again.x - first.x).max() <= 0.51 / 65535
        assert (again.alpha is None) == (first.alpha is None)
        assert again.alpha is None or np.array_equal(again.alpha, first.alpha)
    rgba = rng.integers(0, 256, (9, 7, 4), dtype=np.uint8)
    for name in ("a.png", "a.webp", "a.tiff"):
        write("a.png", rgba)
        done("a.png", "--noise", "9", "-o", f"o-{name}")
        assert np.array_equal(np.asarray(Image.open(f"o-{name}")), rgba), name
    said = done("a.png", "--noise", "9", "-o", "o.jpg")
    assert "no transparency" in said and Image.open("o.jpg").mode == "RGB"
    assert "8 bits" in done("g.tif", "--noise", "9", "-o", "o.jpg")
    write("one.png", np.repeat(rgba[..., :1], 3, axis=2))
    done("one.png", "--noise", "9", "-o", "o.png")
    assert np.array_equal(np.asarray(Image.open("o.png")), np.asarray(Image.open("one.png")))
    done("a.png", "--noise", "9", "--grey", "-o", "o.png")
    assert Image.open("o.png").mode == "LA"


def test_transparency_grows_with_the_picture(monkeypatch):
    play(monkeypatch, lambda y, operator, sigma: y.repeat(3, axis=0).repeat(3, axis=1))
    rgba = np.full((9, 7, 4), 100, np.uint8)
    rgba[:4, :, 3] = 255
    write("a.png", rgba)
    done("a.png", "--scale", "3", "-o", "o.png")
    large = np.asarray(Image.open("o.png"))
    assert large.shape == (27, 21, 4) and (large[0, :, 3] == 255).all() and (large[-1, :, 3] == 100).all()


def test_the_result_lies_as_it_is_seen_and_in_colours_as_they_are_seen(monkeypatch):
    play(monkeypatch, lambda y, operator, sigma: y)
    x = levels(colors())
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(x).save("turned.png", exif=exif)
    done("turned.png", "--noise", "9", "-o", "o.png")
    with Image.open("o.png") as written:
        assert written.getexif().get(0x0112, 1) == 1
        assert np.array_equal(np.asarray(written), np.rot90(x, -1))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))  # any profile but sRGB that Pillow can make
    lab = ImageCms.profileToProfile(Image.fromarray(x), ImageCms.createProfile("sRGB"), profile, outputMode="LAB")
    lab.save("lab.tif", icc_profile=profile.tobytes())
    for name in ("o.png", "o.tif", "o.jpg", "o.webp"):
        done("lab.tif", "--noise", "9", "-o", name)
        with Image.open(name) as written:
            own = ImageCms.ImageCmsProfile(io.BytesIO(written.info["icc_profile"]))
            seen = ImageCms.profileToProfile(written, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        assert np.abs(np.asarray(seen).astype(int) - x).mean() < (2.5 if name != "o.jpg" else 4), name


def test_the_psnr_is_that_of_the_file(monkeypatch):
    """A JPEG loses what the method had won; a truth is compared as it is seen."""
    play(monkeypatch, lambda y, operator, sigma: y)
    x = levels(colors())
    write("x.png", x)
    write("y.png", np.clip(x + np.random.default_rng(0).normal(0, 4, x.shape), 0, 255).astype(np.uint8))
    for name in ("o.jpg", "o.png"):
        said = done("y.png", "--noise", "4", "--truth", "x.png", "-o", name)
        assert f" {psnr(x / 255, np.asarray(Image.open(name)) / 255):.2f} dB" in said
    said = done("y.png", "--noise", "4", "--truth", "x.png", "--grey", "-o", "o.png")
    grey = images.read_photo("x.png")
    assert f" {psnr(grey, np.asarray(Image.open('o.png')) / 255):.2f} dB" in said
    assert "dB" not in done("y.png", "--noise", "4", "-o", "o.png")


def test_white_is_meant_for_a_truth_of_the_same_depth(monkeypatch):
    """12 bits in 16, measured by a truth that says what is white, by one that does not, and by one of the same kind."""
    play(monkeypatch, lambda y, operator, sigma: y)
    x = photo("cat", 40)
    for name, white in (("y.tif", 4095), ("truth.tif", 4095), ("bright.tif", 30000)):
        tifffile.imwrite(name, np.rint(white * x).astype(np.uint16))
    write("truth.png", x)
    tifffile.imwrite("floats.tif", (4095 * x).astype(np.float32))
    for truth in ("truth.png", "truth.tif", "floats.tif"):
        said = done("y.tif", "--noise", "1", "--white", "4095", "--truth", truth, "-o", "o.tif")
        assert float(said.split(" dB")[0].split()[-1]) > 50, truth
    said = done("bright.tif", "--noise", "1", "--white", "30000", "--truth", "bright.tif", "-o", "o.tif")
    assert float(said.split(" dB")[0].split()[-1]) > 80, "white is a level of this truth too"
    Image.fromarray(levels(x)).save("two.tif", save_all=True, append_images=[Image.fromarray(levels(1 - x))])
    said = done("y.tif", "--noise", "1", "--white", "4095", "--truth", "two.tif", "-o", "o.tif")
    assert "note: truth: it holds 2 pages, and the first is read" in said


def test_originals_are_overwritten_by_force_only_and_links_stay_links(monkeypatch):
    play(monkeypatch, lambda y, operator, sigma: y * 0)
    write("a.png", colors())
    os.symlink("a.png", "link.png")
    os.link("a.png", "hard.png")
    os.symlink("elsewhere.png", "loose.png")
    before = Path("a.png").read_bytes()
    for output in ("a.png", "./a.png", "link.png", "hard.png"):
        result = command("a.png", "--noise", "9", "-o", output)
        assert result.exit_code == 2 and "--force" in result.stderr and Path("a.png").read_bytes() == before
    done("a.png", "--noise", "9", "-o", "loose.png")
    assert Path("loose.png").is_symlink() and np.asarray(Image.open("elsewhere.png")).max() == 0
    done("link.png", "--noise", "9", "-o", "link.png", "--force")
    assert Path("link.png").is_symlink() and np.asarray(Image.open("a.png")).shape == (40, 37, 3)
    assert np.asarray(Image.open("a.png")).max() == 0


def test_a_sheet_shows_before_and_after(monkeypatch):
    play(monkeypatch, lambda y, operator, sigma: operator.adjoint(y) * 0 + 1)
    x = levels(colors())
    write("a.png", x)
    write("mask.png", 255 * np.eye(40, 37, dtype=np.uint8))
    assert "wrote o-compare.png" in done("a.png", "--mask", "mask.png", "--noise", "3", "--compare", "-o", "o.png")
    sheet = np.asarray(Image.open("o-compare.png"))
    panels, step = sheet[-40:], (sheet.shape[1] + 8) // 2  # below their names
    assert (panels[:, step : step + 37] == 255).all()
    assert step > 37 + 8 and (sheet[:-40, step - 8 : step] == 255).all(), "a name runs into the next one"
    assert (sheet[:-40, :step] < 128).any() and (sheet[:-40, step:] < 128).any()
    lost = np.eye(40, 37, dtype=bool)
    assert np.array_equal(panels[:, :37][~lost], x[~lost]) and len(np.unique(panels[:, :37][lost], axis=0)) == 1
    write("b-compare.png", x)
    for force in ([], ["--force"]):  # a sheet takes the place of no original, ever
        result = command("b-compare.png", "--noise", "9", "--compare", "-o", "b.png", *force)
        assert result.exit_code == 2 and "original" in result.stderr


@pytest.mark.parametrize(("arguments", "said"), [
    (["holidais", "--noise", "auto", "-o", "restored"], "photo 'holidais': there is no such file or folder"),
    (["holidais", "--task", "denoise25", "-o", "restored"], "photo 'holidais': there is no such file or folder"),
    (["holidays", "--task", "denoise25", "-o", "restored"], "photo 'holidays' is a folder"),
    (["a.png", "--noise", "auto", "-o", "restored"], "choose from .png"),
    (["a.png", "--noise", "auto", "-o", "gone/a.png"], "there is no folder 'gone'"),
])
def test_what_is_wrong_with_a_name_is_said_of_that_name(arguments, said):
    Path("holidays").mkdir()
    write("a.png", colors())
    result = command(*arguments)
    assert result.exit_code == 2 and said in result.stderr and not Path("restored").exists()


def test_what_a_kind_of_file_cannot_hold_is_told_before_the_work(monkeypatch):
    used = []
    play(monkeypatch, lambda y, operator, sigma: used.append(1) or y)
    monkeypatch.setitem(writing.KINDS, ".webp", writing.KINDS[".webp"]._replace(longest=70))
    write("a.png", colors())
    result = command("a.png", "--scale", "2", "-o", "o.webp")
    assert result.exit_code == 2 and "70 pixels" in result.stderr and used == [] and not Path("o.webp").exists()


# ------------------------------------------------------------------------------------------ folders


@pytest.fixture
def folder():
    Path("in/sub").mkdir(parents=True)
    for i, name in enumerate(["a.png", "b.png", "sub/c.png", "d.png"]):
        write(f"in/{name}", np.full((12, 10), 40 * i + 20, np.uint8))
    Image.fromarray(np.full((12, 10), 9, np.uint8)).save("in/e.gif")
    Path("in/notes.txt").write_text("no picture")
    Path("in/cut.png").write_bytes(Path("in/a.png").read_bytes()[:50])
    Path("in/.hidden").write_text("")
    return ["a.png", "b.png", "d.png", "e.gif.png", "sub/c.png"]


def results(output):
    return sorted(str(path.relative_to(output)) for path in Path(output).rglob("*.*") if path.name != "restore.json")


def counting(monkeypatch, stop_after=None):
    seen = []

    def restore(y, operator, sigma):
        if len(seen) == stop_after:
            raise KeyboardInterrupt
        seen.append(float(y.max()))
        return y

    play(monkeypatch, restore)
    return seen


@pytest.mark.parametrize("output", ["out", "in/out", "in/sub/out"])
def test_a_folder_goes_into_a_folder_even_inside_itself(folder, output, monkeypatch):
    seen = counting(monkeypatch)
    said = done("in", "--noise", "9", "-o", output)
    assert results(output) == folder and len(seen) == 5
    assert "restored 5, done before 0" in said and "skipped 2" in said
    assert "notes.txt" in said and "cut.png" in said and ".hidden" not in said
    said = done("in", "--noise", "9", "-o", output)
    assert "restored 0, done before 5" in said and len(seen) == 5, "nothing is done twice, and no result is restored"
    other = done("in", "--noise", "8", "-o", "other")
    assert results("other") == folder
    assert ("earlier run" in other) == output.startswith("in")


@pytest.mark.parametrize("stop", [0, 2, 4])
def test_a_run_that_was_stopped_goes_on_where_it_stopped(folder, stop, monkeypatch):
    seen = counting(monkeypatch, stop_after=stop)
    result = command("in", "--noise", "9", "-o", "out")
    assert result.exit_code == 130 and len(results("out")) == stop and "goes on" in result.output
    before = {name: os.stat(Path("out") / name).st_mtime_ns for name in results("out")}
    rest = counting(monkeypatch)
    done("in", "--noise", "9", "-o", "out")
    assert results("out") == folder and len(rest) == 5 - stop and not set(rest) & set(seen)
    assert all(os.stat(Path("out") / name).st_mtime_ns == when for name, when in before.items())


def test_other_settings_are_another_folder(folder, monkeypatch):
    seen = counting(monkeypatch)
    write("mask.png", 255 * np.eye(12, 10, dtype=np.uint8))
    done("in", "--noise", "9", "--mask", "mask.png", "-o", "out")
    for options in (["--noise", "8", "--mask", "mask.png"], ["--noise", "9", "--mask", "mask.png", "--grey"],
                    ["--noise", "9"], ["--noise", "9", "--mask", "mask.png", *TV]):
        result = command("in", *options, "-o", "out")
        assert result.exit_code == 2 and "--force" in result.stderr, options
    write("mask.png", 255 * np.eye(12, 10, 1, dtype=np.uint8))
    assert command("in", "--noise", "9", "--mask", "mask.png", "-o", "out").exit_code == 2, "another mask"
    assert len(seen) == 5
    assert "restored 5" in done("in", "--noise", "8", "-o", "out", "--force")


def test_a_forced_run_that_was_stopped_goes_on_too(folder, monkeypatch):
    counting(monkeypatch)
    done("in", "--noise", "9", "-o", "out")
    counting(monkeypatch, stop_after=2)
    assert command("in", "--noise", "8", "-o", "out", "--force").exit_code == 130
    counting(monkeypatch)
    assert "restored 3, done before 2" in done("in", "--noise", "8", "-o", "out")


def test_a_picture_that_changed_is_restored_again(folder, monkeypatch):
    counting(monkeypatch)
    done("in", "--noise", "9", "-o", "out")
    later = os.stat("out/b.png").st_mtime_ns + 10**9
    os.utime("in/b.png", ns=(later, later))
    seen = counting(monkeypatch)
    assert "restored 1, done before 4" in done("in", "--noise", "9", "-o", "out") and len(seen) == 1


def test_files_that_are_there_already_are_not_replaced(folder, monkeypatch):
    counting(monkeypatch)
    Path("out").mkdir()
    Path("out/b.png").write_text("somebody's own")
    result = command("in", "--noise", "9", "-o", "out")
    assert result.exit_code == 2 and "b.png" in result.stderr and "--force" in result.stderr
    assert Path("out/b.png").read_text() == "somebody's own" and results("out") == ["b.png"]


def test_a_mask_and_a_kernel_in_the_folder_are_not_restored(folder, monkeypatch):
    counting(monkeypatch)
    write("in/mask.png", 255 * np.eye(12, 10, dtype=np.uint8))
    write("in/kernel.png", np.full((3, 3), 20, np.uint8))
    done("in", "--mask", "in/mask.png", "--blur", "in/kernel.png", "-o", "out")
    assert results("out") == folder


def test_pictures_of_another_size_than_the_mask_are_skipped_by_name(folder, monkeypatch):
    counting(monkeypatch)
    write("in/other.png", np.zeros((5, 5), np.uint8))
    write("mask.png", 255 * np.eye(12, 10, dtype=np.uint8))
    said = done("in", "--mask", "mask.png", "-o", "out")
    assert results("out") == folder and "other.png: mask 'mask.png' has 10 × 12 pixels" in said


def test_what_should_be_known_of_a_file_is_said_in_a_folder_too(folder, monkeypatch):
    counting(monkeypatch)
    pages = [Image.fromarray(np.full((12, 10), level, np.uint8)) for level in (90, 120, 150)]
    pages[0].save("in/pages.tif", save_all=True, append_images=pages[1:])
    Image.fromarray(np.full((12, 10, 4), 99, np.uint8)).save("in/f.webp", lossless=True)
    said = done("in", "--noise", "9", "-o", "out")
    assert "notes on 1:\n  pages.tif: it holds 3 pages, and the first is read\n" in said


def test_a_full_disk_ends_the_run_and_loses_nothing(folder, monkeypatch):
    counting(monkeypatch)
    whole = writing.write_picture

    def full(path, x, form):
        if path.name == "d.png":
            raise ValueError(f"path {str(path)!r} cannot be written: No space left on device")
        whole(path, x, form)

    monkeypatch.setattr(writing, "write_picture", full)
    result = command("in", "--noise", "9", "-o", "out")
    assert result.exit_code == 2 and "d.png" in result.stderr and "No space left" in result.stderr
    assert results("out") == ["a.png", "b.png"]
    monkeypatch.setattr(writing, "write_picture", whole)
    assert "restored 3, done before 2" in done("in", "--noise", "9", "-o", "out")


def test_a_folder_without_a_picture_is_an_error():
    Path("in").mkdir()
    Path("in/notes.txt").write_text("no picture")
    result = command("in", "--noise", "9", "-o", "out")
    assert result.exit_code == 2 and "notes.txt" in result.stdout and "no picture" in result.stderr


def test_names_that_differ_only_in_their_kind_do_not_meet():
    names = [Path(name) for name in ("a.gif", "a.png", "a.gif.png", "B.PNG", "b.png")]
    targets = repair_folder._targets(names)
    assert targets == {Path("a.png"): Path("a.png"), Path("a.gif.png"): Path("a.gif.png"), Path("B.PNG"): Path("B.PNG")}


# ------------------------------------------------------------------------------------------ the network


def test_the_denoiser_is_chosen_in_one_place(monkeypatch):
    calls = []
    monkeypatch.setattr(pretrained, "shared", lambda name: lambda y, sigma: calls.append((name, y.ndim)) or y * 0.5)
    y = np.random.default_rng(0).random((16, 16, 3))
    np.testing.assert_allclose(league.METHODS["network"].restore(y, Identity(), 0.1), y * 0.5)
    league.METHODS["network"].restore(y, Identity(), 0.05)
    league.METHODS["network"].restore(y[..., 0], Identity(), 0.1)
    assert calls == [("denoiser-colour", 3), ("denoiser", 3), ("denoiser", 2)]
    league.METHODS["plug-and-play network"].restore(y[::2, ::2], Downsample(2), 0.01)
    assert [name for name, _ in calls[3:]] == sorted((name for name, _ in calls[3:]), reverse=True), "noisy first"
    assert {name for name, _ in calls[3:]} == {"denoiser", "denoiser-colour"}


def test_colours_with_little_noise_are_denoised_as_brightness_and_contrasts(monkeypatch):
    """An orthonormal change of basis, so that the noise keeps its level, and one that is undone."""
    seen = []
    monkeypatch.setattr(pretrained, "shared", lambda name: lambda y, sigma: seen.append((name, y, sigma)) or y)
    rng = np.random.default_rng(0)
    y, noise = rng.random((16, 16, 3)), rng.standard_normal((16, 16, 3))
    for picture in (y, y + noise, y[..., :1].repeat(3, axis=2)):
        np.testing.assert_allclose(photographs.denoiser(picture)(picture, 0.01), picture, atol=1e-6)
    planes = [plane for name, plane, sigma in seen if (name, sigma) == ("denoiser", 0.01)]
    np.testing.assert_allclose(np.sum((planes[1] - planes[0]) ** 2, axis=2), np.sum(noise**2, axis=2), rtol=1e-5)
    np.testing.assert_allclose(planes[2], np.stack([3**0.5 * y[..., 0], 0 * y[..., 0] + 0.5, 0 * y[..., 0] + 0.5], 2),
                               atol=1e-6)
