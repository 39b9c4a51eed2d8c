"""Figures pixel by pixel: what stands where, in which grey, and what is left behind."""

import io
import re
import warnings

import IPython
import IPython.display
import matplotlib
import numpy as np
import pytest
from PIL import Image

from helpers import plots
from helpers.plots import GAP, LINE, MARGIN, chart, colorize, difference, done, show

matplotlib.use("Agg")
import matplotlib.pyplot as plt

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@pytest.fixture(autouse=True)
def clean_figures():
    """Start with no figure and Matplotlib's own settings, and leave nothing behind."""
    plt.close("all")
    with matplotlib.rc_context():
        yield
    assert plt.get_fignums() == [], "a figure was left open"


@pytest.fixture
def shown(monkeypatch):
    """Return the list of what was shown: (pixels (H, W, 3), alternative text)."""
    seen = []

    def render(figure, alt):
        figure.canvas.draw()
        seen.append((np.asarray(figure.canvas.buffer_rgba())[..., :3].copy(), alt))
        plt.close(figure)

    monkeypatch.setattr(plots, "_display", render)
    return seen


def levels(height, width, depth=None, seed=0):
    """Return random grey levels 0 … 255 and the image that has them."""
    shape = (height, width) if depth is None else (height, width, depth)
    values = np.random.default_rng(seed).integers(0, 256, shape)
    return values, (values / 255).astype(np.float32)


def enlarged(values, scale):
    """Return grey or colour levels with every pixel repeated ``scale`` times each way, in three channels."""
    colour = values if values.ndim == 3 else np.stack([values] * 3, axis=-1)
    return colour.repeat(scale, axis=0).repeat(scale, axis=1)


def cut(pixels, top, left, like):
    return pixels[top : top + like.shape[0], left : left + like.shape[1]]


# ----------------------------------------------------------------------------------------------- show: exact pixels


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("depth", [None, 1, 3])
def test_one_image_is_shown_exactly(shown, scale, depth):
    values, x = levels(37, 45, depth)
    show(x, scale=scale)
    pixels, _ = shown[0]
    expected = enlarged(values[..., 0] if depth == 1 else values, scale)
    assert pixels.shape == (37 * scale + 2 * MARGIN, 45 * scale + 2 * MARGIN, 3)
    assert np.array_equal(cut(pixels, MARGIN, MARGIN, expected), expected)
    pixels[MARGIN:-MARGIN, MARGIN:-MARGIN] = WHITE
    assert (pixels == WHITE).all(), "the margin is paper"


def test_every_level_keeps_its_value(shown):
    ramp = np.arange(256).reshape(16, 16)
    show(ramp / 255, scale=1)
    assert np.array_equal(cut(shown[0][0], MARGIN, MARGIN, ramp), enlarged(ramp, 1))


@pytest.mark.parametrize("width", [17, 45, 46, 101, 104, 189, 191, 240])
def test_widths_that_inches_cannot_hold_exactly(shown, width):
    """57 pixels are 0.57 inches, and 0.57 · 100 is a little less than 57."""
    values, x = levels(5, width)
    show(x, scale=1)
    pixels, _ = shown[0]
    assert pixels.shape[1] == width + 2 * MARGIN
    assert np.array_equal(cut(pixels, MARGIN, MARGIN, values), enlarged(values, 1))


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("columns", [1, 2, 5])
@pytest.mark.parametrize("titled", [False, True])
def test_a_grid_is_shown_exactly(shown, scale, columns, titled):
    """Five pictures, grey and colour, at the places that gap, margin and titles give."""
    height, width = 21, 34
    pictures = [levels(height, width, 3 if i % 2 else None, seed=i) for i in range(5)]
    show([x for _, x in pictures], ["a"] * 5 if titled else None, columns=columns, scale=scale)
    pixels, _ = shown[0]
    line = LINE if titled else 0
    rows = -(-5 // columns)
    assert pixels.shape[0] == rows * (line + scale * height) + (rows - 1) * GAP + 2 * MARGIN
    assert pixels.shape[1] == columns * scale * width + (columns - 1) * GAP + 2 * MARGIN
    for i, (values, _) in enumerate(pictures):
        top = MARGIN + (i // columns) * (line + scale * height + GAP) + line
        left = MARGIN + (i % columns) * (scale * width + GAP)
        expected = enlarged(values, scale)
        assert np.array_equal(cut(pixels, top, left, expected), expected), f"picture {i}"
        title = pixels[top - line : top, left : left + scale * width]
        assert not titled or (title != WHITE).any(), f"title {i} is missing"


def test_all_pictures_share_one_grey_scale(shown):
    """A dull picture stays dull beside a contrasty one, and values outside [0, 1] are clipped."""
    dull, loud = np.full((8, 8), 0.4), np.full((8, 8), 2.5)
    loud[0] = -1
    show([dull, loud], columns=2, scale=1)
    pixels, _ = shown[0]
    assert (cut(pixels, MARGIN, MARGIN, dull) == 102).all()
    second = cut(pixels, MARGIN, MARGIN + 8 + GAP, loud)
    assert (second[0] == 0).all()
    assert (second[1:] == 255).all()


def test_shapes_of_input_give_one_figure(shown):
    """One image, a list, a tuple, a batch and a dict are the same picture."""
    _, x = levels(9, 11, 3)
    for images in (x, [x], (x,), x[None], {"": x}):
        show(images, scale=2)
    first, *others = (pixels for pixels, _ in shown)
    assert len(others) == 4
    assert all(np.array_equal(first, pixels) for pixels in others)


def test_a_batch_of_digits_is_shown_in_rows(shown):
    batch = np.random.default_rng(0).random((12, 28, 28, 1)).astype(np.float32)
    show(batch, columns=6, scale=1)
    assert shown[0][0].shape == (2 * 28 + GAP + 2 * MARGIN, 6 * 28 + 5 * GAP + 2 * MARGIN, 3)


def test_a_dict_gives_the_titles(shown):
    _, x = levels(80, 80)
    show({"true": x, "noisy\n20 dB": x})
    show([x, x], ["true", "noisy\n20 dB"])
    assert np.array_equal(shown[0][0], shown[1][0])
    assert shown[0][1] == "2 pictures: true; noisy, 20 dB"


def test_alternative_text(shown):
    _, x = levels(20, 20)
    show(x)
    show(x, "one")
    show(x, alt="a camera on its tripod")
    assert [alt for _, alt in shown] == ["1 picture", "1 picture: one", "a camera on its tripod"]


@pytest.mark.parametrize(("count", "side"), [(1, 256), (3, 256), (4, 256), (8, 28), (30, 28), (2, 500)])
def test_pages_are_not_wider_than_the_text(shown, count, side):
    """By default as many columns and as large a scale as fit."""
    show([np.zeros((side, side))] * count)
    assert shown[0][0].shape[1] <= plots.ROW_WIDTH + 2 * MARGIN


def test_small_pictures_are_enlarged_by_a_whole_number(shown):
    values, x = levels(28, 28)
    show([x] * 10)
    pixels, _ = shown[0]
    scale = (pixels.shape[1] - 2 * MARGIN - 9 * GAP) // 280
    assert scale == 2
    expected = enlarged(values, scale)
    assert np.array_equal(cut(pixels, MARGIN, MARGIN, expected), expected)


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("titled", [False, True])
def test_the_zoom_row_is_exact(shown, scale, titled):
    """Under its picture, each square is enlarged by a whole number; a thin black frame covers its rim."""
    side, zoom = 60, (7, 11, 20)
    pictures = [levels(side, side, 3 if i else None, seed=i) for i in range(2)]
    show([x for _, x in pictures], ["a", "b"] if titled else None, columns=2, scale=scale, zoom=zoom)
    pixels, _ = shown[0]
    line = LINE if titled else 0
    assert pixels.shape[0] == line + 2 * scale * side + GAP // 2 + 2 * MARGIN
    for i, (values, _) in enumerate(pictures):
        left = MARGIN + i * (scale * side + GAP)
        expected = enlarged(values[7:27, 11:31], 3 * scale)
        top = MARGIN + line + scale * side + GAP // 2
        detail = cut(pixels, top, left, expected)
        assert np.array_equal(detail[3:-3, 3:-3], expected[3:-3, 3:-3])
        assert (detail[0] == BLACK).all()
        assert (detail[:, -1] == BLACK).all()
        picture = cut(pixels, MARGIN + line, left, enlarged(values, scale))
        changed = (picture != enlarged(values, scale)).any(axis=2)
        rows, columns = np.nonzero(changed)  # the frame around the square, at most three pixels thick
        assert abs(rows.min() - 7 * scale) <= 2
        assert abs(rows.max() - 27 * scale) <= 2
        assert abs(columns.min() - 11 * scale) <= 2
        assert abs(columns.max() - 31 * scale) <= 2
        assert not changed[7 * scale + 3 : 27 * scale - 3, 11 * scale + 3 : 31 * scale - 3].any()


def test_the_whole_picture_as_zoom(shown):
    values, x = levels(30, 30)
    show(x, zoom=[0, 0, 30], scale=1)
    detail = cut(shown[0][0], MARGIN + 30 + GAP // 2, MARGIN, values)
    assert np.array_equal(detail[3:-3, 3:-3], enlarged(values, 1)[3:-3, 3:-3])


def test_dark_background(shown):
    values, x = levels(40, 40)
    show(x, "title", scale=1, background="dark")
    pixels, _ = shown[0]
    paper = matplotlib.colors.to_rgb(plots.BACKGROUNDS["dark"][0])
    assert max(paper) < 0.2
    for corner in (pixels[0, 0], pixels[-1, -1]):
        assert np.array_equal(corner, np.rint(255 * np.array(paper)))
    assert np.array_equal(cut(pixels, MARGIN + LINE, MARGIN, values), enlarged(values, 1))
    assert pixels[: MARGIN + LINE].max() > 200, "the title is light"


def test_show_changes_nothing(shown):
    x = np.random.default_rng(0).standard_normal((6, 6))
    before = x.copy()
    assert show(x) is None
    assert np.array_equal(x, before)


@pytest.mark.parametrize(
    ("images", "titles"),
    [(np.zeros((2, 9, 9, 1)), ["a"]), ({"a": np.zeros((9, 9))}, ["a", "b"]), (np.zeros((9, 9)), [])],
    ids=["fewer", "more", "none"],
)
def test_mismatched_titles(shown, images, titles):
    with pytest.raises(ValueError, match=rf"titles has {len(titles)} entries, expected \d like images"):
        show(images, titles)
    assert shown == []


def test_a_chart_before_it_does_not_disturb_the_pictures(shown):
    """chart() changes Matplotlib's settings for good: show() must not mind."""
    values, x = levels(33, 21)
    chart()
    plt.close("all")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        show(x, scale=2)
    assert np.array_equal(cut(shown[0][0], MARGIN, MARGIN, enlarged(values, 2)), enlarged(values, 2))


# ----------------------------------------------------------------------------------------------- display


def test_a_notebook_gets_the_same_pixels_and_the_text(monkeypatch):
    """Through the real door: the PNG that a notebook is handed."""
    handed = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", handed.append)
    values, x = levels(33, 41, 3)
    assert show(x, scale=2, alt="what it shows") is None
    (picture,) = handed
    assert picture.alt == "what it shows"
    pixels = np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"))
    assert pixels.shape == (66 + 2 * MARGIN, 82 + 2 * MARGIN, 3)
    assert np.array_equal(cut(pixels, MARGIN, MARGIN, enlarged(values, 2)), enlarged(values, 2))


@pytest.mark.parametrize("colors", [2, 200, 5000])
@pytest.mark.parametrize("grey", [False, True])
def test_a_small_file_loses_nothing(monkeypatch, colors, grey):
    """Grey figures and those of few colours are packed tightly: still the same pixels."""
    handed = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", handed.append)
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 256, (colors, 1 if grey else 3))
    values = np.broadcast_to(palette[rng.integers(0, colors, (60, 80))], (60, 80, 3))
    show(values / 255, scale=1)
    pixels = np.asarray(Image.open(io.BytesIO(handed[0].data)).convert("RGB"))
    assert np.array_equal(cut(pixels, MARGIN, MARGIN, values), values)


def test_the_file_says_how_large_its_lettering_is(monkeypatch):
    """The book reads it, and keeps a row of pictures wide enough on a phone."""
    handed = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", handed.append)
    for title in ("title", ""):
        show(levels(20, 20)[1], title)
    with_title, without = (Image.open(io.BytesIO(one.data)).info for one in handed)
    assert abs(float(with_title["Lettering"]) - 10 * 100 / 72) < 0.1 and "Lettering" not in without


def test_the_same_picture_is_the_same_file(monkeypatch):
    """Bit for bit, as the comparison of a second run of the book needs it."""
    handed = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", handed.append)
    for _ in range(2):
        show(levels(20, 20)[1], "title")
    assert handed[0].data == handed[1].data


def test_outside_a_notebook_a_window_opens_and_closes(monkeypatch):
    opened = []
    monkeypatch.setattr(plt, "show", lambda: opened.append(plt.get_fignums()))
    assert show(np.zeros((5, 5))) is None
    assert opened == [[1]]


# ----------------------------------------------------------------------------------------------- error maps


def test_difference_is_black_where_equal_and_tells_signs_apart():
    x = np.full((3, 4), 0.5)
    x_hat = x.copy()
    x_hat[0], x_hat[2] = 0.7, 0.3
    map_ = difference(x, x_hat)
    bright, none, dark = map_[0, 0], map_[1, 0], map_[2, 0]
    assert map_.shape == (3, 4, 3)
    assert map_.dtype == np.float32
    assert none.max() < 0.1
    assert bright[0] > 0.9 > 0.75 > bright[2], "too bright is red"
    assert dark[2] > 0.9 > 0.7 > dark[0], "too dark is blue"


def test_difference_grows_to_the_limit_and_stays_there():
    x = np.zeros((1, 4))
    errors = np.array([[0.05, 0.1, 0.2, 0.9]])
    red = difference(x, errors, limit=0.2)[0, :, 0]
    assert red[0] < red[1] < red[2] == red[3]


def test_difference_of_colour_is_the_mean_over_channels():
    x = np.full((2, 2, 3), 0.5)
    x_hat = x + np.array([0.3, 0, -0.15])
    grey = np.full((2, 2), 0.5)
    np.testing.assert_allclose(difference(x, x_hat), difference(grey, grey + 0.05), atol=1e-6)


def test_difference_counts_overshoot_as_clipped():
    x = np.ones((2, 2))
    assert np.array_equal(difference(x, x + 0.4), difference(x, x))


# ----------------------------------------------------------------------------------------------- colorize


def test_colorize_spans_the_finite_values():
    values = np.array([[1.0, 2.0, 3.0]])
    colors = colorize(values, "viridis")
    viridis = matplotlib.colormaps["viridis"]
    np.testing.assert_allclose(colors[0], [viridis(0.0)[:3], viridis(0.5)[:3], viridis(1.0)[:3]], atol=1e-6)
    assert colors.dtype == np.float32


def test_colorize_of_nan_is_light_grey_and_moves_no_colour():
    values = np.array([[1.0, np.nan, 3.0]])
    colors = colorize(values)
    np.testing.assert_allclose(colors[0, 1], 0.85)
    assert np.array_equal(colors[0, [0, 2]], colorize(values[:, [0, 2]])[0])


def test_colorize_of_infinity_is_the_last_colour():
    """Infinite values must not swallow the range of the finite ones."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        colors = colorize(np.array([[1.0, 2.0, 3.0, np.inf, -np.inf]]))[0]
    assert np.array_equal(colors[:3], colorize(np.array([[1.0, 2.0, 3.0]]))[0])
    assert np.array_equal(colors[3], colors[2])
    assert np.array_equal(colors[4], colors[0])


def test_colorize_with_a_given_range():
    inside = colorize(np.array([[0.0, 5.0, 10.0]]), low=0, high=10)
    beyond = colorize(np.array([[-7.0, 5.0, 99.0]]), low=0, high=10)
    assert np.array_equal(inside, beyond)


def test_colorize_of_a_constant():
    colors = colorize(np.full((2, 3), 7.0))
    np.testing.assert_allclose(colors, np.broadcast_to(matplotlib.colormaps["viridis"](0.0)[:3], (2, 3, 3)), atol=1e-6)


def test_colorized_pictures_can_be_shown(shown):
    colors = colorize(np.array([[0.0, np.nan], [2.0, 3.0]]))
    show(colors, scale=4)
    expected = enlarged(np.rint(255 * colors).astype(int), 4)
    assert np.array_equal(cut(shown[0][0], MARGIN, MARGIN, expected), expected)


# ----------------------------------------------------------------------------------------------- charts


def test_chart_labels():
    ax = chart(xlabel="iteration", ylabel="error", title="descent", yscale="log")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("iteration", "error", "descent")
    assert ax.get_yscale() == "log"
    ax.plot([1, 2], [1, 3])
    assert matplotlib.colors.to_hex(ax.lines[0].get_color()).upper() == plots.COLORS[0]
    plt.close("all")


def test_chart_with_several_columns_labels_each():
    axes = chart(3, height=2, xlabel="sigma")
    assert isinstance(axes, list)
    assert [ax.get_xlabel() for ax in axes] == ["sigma"] * 3
    assert axes[0].figure.get_size_inches()[1] == 2
    plt.close("all")


def test_done_shows_the_chart_and_leaves_nothing(monkeypatch):
    opened = []
    monkeypatch.setattr(plt, "show", lambda: opened.append(plt.get_fignums()))
    chart(xlabel="x")
    assert done() is None
    assert opened == [[1]]
    assert plt.get_fignums() == []


@pytest.fixture
def displayed(monkeypatch):
    """Return the list of what done() hands to a notebook."""
    seen = []
    monkeypatch.setattr(IPython, "get_ipython", lambda: object())
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: seen.append(data))
    return seen


def test_a_chart_is_a_vector_graphic_without_paper_and_always_the_same(displayed):
    for _ in range(2):
        chart(xlabel="step", ylabel="error").plot([3, 1, 2])
        done()
    first, second = (one["image/svg+xml"] for one in displayed)
    assert first == second and first.count("<svg") == 1
    assert "fill: #ffffff" not in first, "white paper would glare on a dark page"


def test_a_chart_with_a_picture_becomes_pixels_that_dark_pages_show_too(displayed):
    chart(xlabel="across").imshow(np.zeros((4, 4)))
    done()
    with Image.open(io.BytesIO(displayed[0]["image/png"])) as picture:
        assert float(picture.info["Lettering"]) >= 20  # 12 points at 144 dots per inch are 24 pixels
        shade, alpha = np.moveaxis(np.asarray(picture.convert("RGBA")).astype(int), -1, 0)[[1, 3]]
    assert alpha[0, 0] == 0, "white paper would glare on a dark page"
    below = np.s_[-40:]  # the name of the axis
    assert (alpha[below] > 200).any() and (abs(shade[below][alpha[below] > 200] - 0x76) <= 2).all()


def test_black_marks_beside_a_picture_are_not_black_on_a_dark_page(displayed):
    left, right = chart(columns=2)
    left.imshow(np.zeros((4, 4)))
    right.scatter([0, 1, 2], [0, 1, 2], s=400, color=["black", "#ffffff", "C0"])
    done()
    with Image.open(io.BytesIO(displayed[0]["image/png"])) as picture:
        pixels = np.asarray(picture.convert("RGBA")).astype(int)
    pixels = pixels[:, pixels.shape[1] // 2 :]
    solid = pixels[pixels[..., 3] == 255][:, :3]
    assert solid.max(axis=1).min() > 0x60, "black marks are drawn in the ink of the lettering"
    assert (solid == 255).all(axis=1).any() and (solid == [0x00, 0x72, 0xB2]).all(axis=1).any(), "and no others"


def test_of_very_many_points_only_the_points_become_pixels(displayed):
    """The style sheet inverts vector graphics on a dark page; lettering in pixels would stay black on black."""
    ax = chart(xlabel="step")
    ax.scatter(*np.random.default_rng(0).random((2, 20_000)))
    ax.plot(np.random.default_rng(1).random(20_000))
    done()
    drawn, = (one["image/svg+xml"] for one in displayed)
    assert drawn.count("<image") == 1 and len(drawn) < 400_000
    assert "step" in re.findall("<!-- (.*?) -->", drawn), "the label is drawn as letters"
    assert "fill: #ffffff" not in drawn


def test_lettering_is_legible_on_a_phone_and_charts_fit_the_column():
    """A phone shows 358 pixels of a page, a desktop 752; a point is 4/3 of a pixel."""
    ax = chart(xlabel="x")
    width = ax.figure.get_figwidth() * 96
    smallest = min(text.get_fontsize() for text in [ax.xaxis.label, *ax.get_xticklabels()]) * 4 / 3
    assert smallest * 358 / width >= 9 and width <= 752
    assert chart(2)[0].figure.get_figwidth() * 96 <= 752
    plt.close("all")
