"""Blind deconvolution: the kernel that is found, and what is said of it."""

import re

import numpy as np
import pytest
from PIL import Image
from scipy import signal
from typer.testing import CliRunner

from helpers import restoration
from helpers.__main__ import app
from helpers.images import photo
from helpers.operators import Blur, measure
from helpers.restoration import aligned_psnr, blind, estimate_kernel, kernel_agreement, kernel_correlation

MOTION = Blur.motion(15, 30, border="reflect")


@pytest.fixture(scope="module")
def moved():
    """Hold a photograph, the same moved by 15 pixels with a grey level of noise, and the kernel found in it."""
    x = photo("coins")
    y = measure(x, MOTION, 1 / 255, np.random.default_rng(0))
    return x, y, estimate_kernel(y, 21)


def test_a_kernel_that_was_found_is_used_with_the_noise_that_was_told(monkeypatch):
    told, y = [], np.random.default_rng(0).random((40, 50))
    monkeypatch.setattr(blind, "estimate_kernel", lambda y, size, weight: MOTION.kernel)
    monkeypatch.setattr(blind, "estimate_noise", lambda y: 0.25)
    monkeypatch.setattr(blind, "total_variation", lambda y, operator, sigma: told.append((operator, sigma)))
    for sigma in (None, 0.1, 0.0):
        assert restoration.blind_deconvolution(y, 15, sigma)[1] is MOTION.kernel
    assert [sigma for _, sigma in told] == [0.25, 0.1, 0.0]
    assert all(np.array_equal(operator.forward(y), MOTION.forward(y)) for operator, _ in told)


def test_a_motion_is_found_and_undone(moved):
    x, y, kernel = moved
    assert kernel_correlation(kernel, MOTION.kernel) > 0.8
    x_hat = restoration.total_variation(y, Blur(kernel, border="reflect"), 1 / 255)
    assert aligned_psnr(x, x_hat) > aligned_psnr(x, y) + 4


def test_both_are_found_at_once(moved):
    _, y, kernel = moved
    part = y[60:160, 40:170]
    x_hat, found = restoration.blind_deconvolution(part, 9)
    assert x_hat.shape == part.shape and x_hat.dtype == part.dtype and np.isfinite(x_hat).all()
    assert np.array_equal(found, estimate_kernel(part, 9))
    assert kernel_correlation(kernel, kernel[::-1, ::-1]) > 0.5  # a straight line is its own mirror image, nearly


@pytest.mark.parametrize(("shape", "size"), [((40, 64), 9), ((33, 47), 3), ((64, 24), 11), ((60, 60, 3), 7)])
def test_a_kernel_is_light_that_only_adds_and_is_not_lost(shape, size):
    y = np.random.default_rng(1).random(shape)
    seen = []
    kernel = estimate_kernel(y, size, watch=lambda k, x: seen.append((k, x)))
    assert seen[-1][0] is kernel and seen[-1][1].shape == shape[:2]
    for k, x in seen:
        assert k.min() >= 0 and abs(k.sum() - 1) < 1e-5 and np.isfinite(x).all()
        assert k.shape[0] == k.shape[1] and k.shape[0] % 2 == 1
    sides = [len(k) for k, _ in seen]
    assert sides == sorted(sides) and sides[0] == 3 and sides[-1] == size and kernel.shape == (size, size)
    for k, x in seen:  # picture and kernel are made smaller alike, but for a pixel of each
        assert x.shape[0] == 8 or abs(x.shape[0] - shape[0] * len(k) / size) < shape[0] / size + 1
    assert np.abs(np.array(signal_middle(kernel)) - size // 2).max() <= 0.51


def signal_middle(kernel):
    places = np.indices(kernel.shape)
    return [(place * kernel).sum() / kernel.sum() for place in places]


def test_the_kernel_step_is_least_squares_without_negative_weights():
    """Against SciPy's own solver, on a picture so small that the matrix can be written down."""
    from scipy.optimize import nnls

    rng = np.random.default_rng(3)
    x, size = rng.random((24, 24)).astype(np.float32), 3
    true = np.array([[0.0, 0.3, 0.0], [0.0, 0.5, 0.2], [0.0, 0.0, 0.0]])
    y = Blur(true).forward(x) + 0.02 * rng.standard_normal(x.shape).astype(np.float32)
    found = blind.kernel_of_edges(x, y, size, x.shape, ridge=0.01, iterations=3000)
    inside = np.zeros(x.shape, np.float32)
    inside[1 : 24 - 2, 1 : 24 - 2] = 1
    columns, target, edges = [], [], 0.0
    for dx, dy in zip(blind.gradient(x), blind.gradient(y), strict=True):
        dx = dx * inside
        edges += float((dx**2).sum())
        target.append(dy.ravel())
        columns.append(np.stack([np.roll(dx, (i - 1, j - 1), (0, 1)).ravel() for i in range(3) for j in range(3)], 1))
    matrix = np.concatenate([*columns, np.sqrt(0.01 * edges) * np.eye(9)])
    expected, _ = nnls(matrix, np.concatenate([*target, np.zeros(9)]))
    assert (expected == 0).any(), "the constraint must matter"
    assert np.abs(found.ravel() - expected).max() < 2e-3


def test_the_picture_step_is_the_papers():
    """Xu et al. 2011, written out with matrices on a tiny picture."""
    rng, shape, weight = np.random.default_rng(4), (5, 6), 0.03
    kernel = rng.random((3, 3)) / 4.5
    units = [unit.reshape(shape) for unit in np.eye(30)]
    K = np.stack([Blur(kernel).forward(unit).ravel() for unit in units], 1)
    right, down = (np.stack([(np.roll(unit, -1, axis) - unit).ravel() for unit in units], 1) for axis in (1, 0))
    y = rng.random(shape)
    x, beta = y.ravel(), 2 * weight
    while beta < 4:
        strong = (right @ x) ** 2 + (down @ x) ** 2 > weight / beta
        wanted = right.T @ (strong * (right @ x)) + down.T @ (strong * (down @ x))
        x = np.linalg.solve(K.T @ K + beta * (right.T @ right + down.T @ down), K.T @ y.ravel() + beta * wanted)
        beta *= 2
        assert 0 < strong.mean() < 1
    np.testing.assert_allclose(blind.sharp_edges(y, kernel, weight, last=4).ravel(), x, atol=1e-5)


def test_strong_edges_stay_as_steep_as_they_were_and_weak_ones_go():
    x = np.zeros((32, 32), np.float32)
    x[8:24, 8:24] = 0.8
    y = x + 0.01 * np.random.default_rng(0).standard_normal(x.shape).astype(np.float32)
    point = np.zeros((3, 3), np.float32)
    point[1, 1] = 1
    sharp = blind.sharp_edges(y, point, 0.01)
    assert np.abs(sharp - x).max() < 0.05
    assert np.abs(sharp[10:22, 10:22] - sharp[16, 16]).max() < 0.005 < np.ptp(y[10:22, 10:22])


def test_a_picture_goes_on_into_its_other_side_without_a_step():
    ramp = np.linspace(0, 1, 40, dtype=np.float32)[None, :] * np.ones((30, 1), np.float32)
    wrapped = blind.wrap(ramp, 10)
    assert wrapped.shape == (40, 50) and np.array_equal(wrapped[:30, :40], ramp)
    steps = np.abs(np.diff(np.concatenate([wrapped, wrapped[:, :1]], axis=1), axis=1))
    assert steps.max() < 0.2, "there is a step of 1 without it"


def test_the_strongest_edges_of_a_large_picture_are_looked_at():
    y = np.full((700, 900), 0.5, np.float32)
    y[450:650, 600:800] = np.random.default_rng(0).random((200, 200))
    part = blind._richest(y, 512)
    assert part.shape == (512, 512) and np.isclose(part.std() * 512, y.std() * np.sqrt(y.size), rtol=0.1)


@pytest.mark.parametrize("corner", [(0, 0), (0, 9), (7, 0), (7, 9)])
def test_edges_in_a_corner_are_looked_at_whole_and_the_border_is_none(corner):
    """A slope has a step only where its two ends would meet."""
    y = 0.5 * (np.linspace(0, 1, 25)[None, :] + np.linspace(0, 1, 19)[:, None])
    y[corner[0] :, corner[1] :][:12, :16] += 0.3 * np.random.default_rng(1).uniform(-1, 1, (12, 16))
    part = blind._richest(y, 12)
    windows = np.lib.stride_tricks.sliding_window_view(y, (12, 12))
    (top, left), = np.argwhere((windows == part).all(axis=(2, 3)))
    assert corner[0] - 1 <= top <= corner[0] and corner[1] <= left <= corner[1] + 4  # a last row has none below it


def test_a_kernel_is_tidied():
    """Faint weights and small islands go, diagonal neighbours are no islands, and the middle is the centre of mass."""
    kernel = np.zeros((9, 9))
    kernel[0, 0], kernel[1, 1], kernel[2, 2] = 2, 3, 2
    kernel[1, 2] = 0.29  # less than a tenth of the largest
    kernel[7, 7] = 0.5  # not faint by itself, but less than a tenth of the other island
    expected = np.zeros((9, 9))
    expected[3, 3], expected[4, 4], expected[5, 5] = np.array([2, 3, 2]) / 7
    np.testing.assert_allclose(blind._tidied(kernel), expected)


def test_a_sharp_photograph_has_nearly_a_point_for_a_kernel():
    assert restoration.kernel_radius(estimate_kernel(photo("camera", 128), 11)) < restoration.POINT
    assert restoration.kernel_radius(MOTION.kernel) > 3 * restoration.POINT


def test_halves_agree_about_a_motion_and_not_about_noise(moved):
    _, y, kernel = moved
    assert kernel_agreement(y, 21, kernel=kernel) > 0.8
    assert kernel_agreement(np.random.default_rng(0).random((60, 60)), 15) < 0.8


@pytest.mark.parametrize(("kernel", "shape", "halves"), [
    (np.ones((1, 5)), (60, 90), (30, 90)),  # along the motion to the right
    (np.ones((5, 1)), (90, 60), (90, 30)),
    (None, (60, 90), (60, 45)), (None, (90, 60), (45, 60)),  # across the longer side
    (np.ones((1, 5)), (27, 60), (27, 30)),  # there is too little room along the motion
])
def test_a_picture_is_cut_along_the_motion(monkeypatch, kernel, shape, halves):
    seen = []
    monkeypatch.setattr(blind, "estimate_kernel", lambda y, size, weight: seen.append(y) or np.eye(size))
    y = np.random.default_rng(0).random(shape).astype(np.float32)
    assert kernel_agreement(y, 7, kernel=kernel) == pytest.approx(1)
    assert [half.shape for half in seen] == [halves] * 2
    assert np.array_equal(np.concatenate(seen, axis=int(halves[0] == shape[0])), y)


def test_kernels_are_compared_at_their_best_shift():
    a, b = np.zeros((7, 7)), np.zeros((7, 7))
    a[1:4, 1:5], b[3:6, 2:6] = (np.arange(12).reshape(3, 4) + 1,) * 2
    assert kernel_correlation(a, b) == pytest.approx(1)
    assert kernel_correlation(a, 5 * b) == pytest.approx(1)
    assert kernel_correlation(a, b[:, ::-1]) < 0.99
    c = np.random.default_rng(0).random((5, 9))
    expected = signal.correlate(a, c).max() / np.sqrt((a**2).sum() * (c**2).sum())
    assert kernel_correlation(a, c) == pytest.approx(expected)


def test_pictures_are_compared_at_their_best_shift_and_without_their_rim():
    x = photo("cat", 64)
    assert aligned_psnr(x, np.roll(x, (2, -3), (0, 1))) > 100
    assert aligned_psnr(x, np.roll(x, (2, -3), (0, 1)), reach=2) < 40
    spoiled = x.copy()
    spoiled[:16] = 0
    assert aligned_psnr(x, spoiled) == np.inf
    white = np.ones((40, 50))
    assert aligned_psnr(white, white + 0.2) == np.inf, "what is brighter than white is shown as white"
    assert aligned_psnr(white, white - 0.1) == pytest.approx(20)


@pytest.mark.parametrize(("y", "size", "said"), [
    (np.full((30, 30), 0.5), 5, "y shows no edge"),
    (np.random.default_rng(0).random((30, 30)), 31, "size 31 is too large"),
    (np.random.default_rng(0).random((30, 33)), 17, "size 17 is too large"),
    (np.random.default_rng(0).random((30, 30)), 8, "size must be odd"),
    (np.random.default_rng(0).random((30, 30)), 1, "size must be at least 3"),
    (np.random.default_rng(0).random((30, 30)), 5.0, "size must be a whole number"),
    (np.random.default_rng(0).random((4, 40)), 3, "size 3 is too large"),
    (np.where(np.eye(30) > 0, np.nan, 0.5), 5, "y must be finite"),
    (255 * np.random.default_rng(0).random((30, 30)), 5, "y must lie in"),
    (np.random.default_rng(0).random(30), 5, "y must have"),
])
@pytest.mark.parametrize("function", [estimate_kernel, kernel_agreement, restoration.blind_deconvolution])
def test_what_cannot_be_done_is_said_in_a_sentence(function, y, size, said):
    with pytest.raises((ValueError, TypeError), match=re.escape(said)):
        function(y, size)


def test_other_arguments_are_named():
    y = photo("cat", 48)
    for arguments, said in (({"weight": 0.0}, "weight"), ({"weight": np.nan}, "weight")):
        with pytest.raises(ValueError, match=said):
            estimate_kernel(y, 5, **arguments)
    with pytest.raises(ValueError, match="sigma"):
        restoration.blind_deconvolution(y, 5, sigma=-1.0)
    with pytest.raises(ValueError, match="too large"):
        kernel_agreement(y[:40], 15)
    with pytest.raises(ValueError, match="other is a kernel"):
        kernel_correlation(np.ones((3, 3)), np.zeros((3, 3)))


# ------------------------------------------------------------------------------------------ on the command line


def command(*arguments):
    result = CliRunner().invoke(app, ["restore", *(str(argument) for argument in arguments)])
    assert "Traceback" not in result.output and (result.exception is None or isinstance(result.exception, SystemExit))
    return result


def written(path, x):
    Image.fromarray(np.rint(255 * np.clip(x, 0, 1)).astype(np.uint8)).save(path)
    return path


def test_the_command_says_how_far_halves_agree(tmp_path, moved):
    x, y, _ = moved
    photo_file, truth = written(tmp_path / "y.png", y), written(tmp_path / "x.png", x)
    result = command(photo_file, "-o", tmp_path / "out.png", "--blur", "unknown:21", "--noise", "1", "--truth", truth)
    assert result.exit_code == 0, result.output
    agreement = float(re.search(r"kernels that correlate by (\d\.\d\d)", result.stdout)[1])
    assert agreement == pytest.approx(kernel_agreement(np.rint(255 * y) / 255, 21, kernel=MOTION.kernel), abs=0.02)
    assert "deblur, total variation" in result.stdout and "do not rely" not in result.stdout
    out = np.asarray(Image.open(tmp_path / "out.png")) / 255
    assert aligned_psnr(x, out) > aligned_psnr(x, y) + 4


def test_a_sharp_picture_keeps_its_edges_and_that_is_said(tmp_path):
    x = photo("camera", 128)
    result = command(written(tmp_path / "x.png", x), "-o", tmp_path / "out.png", "--blur", "unknown:11", "--noise", "1")
    assert result.exit_code == 0 and "nearly a point" in result.stdout and "no blur was undone" in result.stdout
    assert aligned_psnr(x, np.asarray(Image.open(tmp_path / "out.png")) / 255, reach=0) > 38


def test_a_folder_notes_the_kernel_of_each_picture(tmp_path):
    (tmp_path / "in").mkdir()
    written(tmp_path / "in/a.png", photo("cat", 48))
    written(tmp_path / "in/flat.png", np.full((48, 48), 0.5))
    written(tmp_path / "in/tiny.png", photo("cat", 12))
    result = command(tmp_path / "in", "-o", tmp_path / "out", "--blur", "unknown:9", "--noise", "2")
    assert result.exit_code == 0, result.output
    assert re.search(r"a\.png: kernel: ", result.stdout)
    assert re.search(r"flat\.png: y shows no edge", result.stdout)
    assert re.search(r"tiny\.png: blur 'unknown:9': the square of 9 pixels", result.stdout)


@pytest.mark.parametrize(("options", "said"), [
    (["--blur", "unknown:8"], "blur 'unknown:8'"), (["--blur", "unknown:much"], "odd number"),
    (["--blur", "unknown:1"], "from 3 on"), (["--blur", "unknown:99"], "longer than half"),
    (["--blur", "unknown", "--scale", "2"], "neither --mask nor --scale"),
    (["--blur", "unknown", "--method", "network"], "cannot do deblur"),
    (["--blur", "unknown", "--task", "deblur"], "choose one"),
])
def test_other_wishes_for_an_unknown_blur_are_refused(tmp_path, options, said):
    result = command(written(tmp_path / "x.png", photo("cat", 48)), "-o", tmp_path / "out.png", *options)
    assert result.exit_code == 2 and said in result.output and not (tmp_path / "out.png").exists()
