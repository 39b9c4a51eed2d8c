"""Figures of the course: rows of pictures that share one grey scale, error maps, and charts in one style.

Pictures are pixel-exact: every image pixel covers the same whole number of figure pixels. Charts are vector graphics on
no paper at all, so that they are sharp at any size and a page may show them light or dark.
"""

import io
import math
import textwrap
from collections.abc import Iterable

import numpy as np

from helpers import validation

# Okabe and Ito's palette: told apart with every common kind of colour vision
COLORS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
BACKGROUNDS = {  # paper, ink
    "none": ("none", "#767676"),  # a contrast of 4.5 with white paper and of 4.1 with dark pages
    "light": ("#ffffff", "#222222"), "dark": ("#181818", "#e6e6e6"),
}

ROW_WIDTH = 800  # pixels: as wide as the book's text column
GAP, MARGIN, LINE = 12, 6, 19  # pixels between pictures, around them, and for one line of a title
CHARACTER = 8  # pixels that a character of a title takes on average
ERROR_SHADES = 33  # odd: no error has a shade of its own; few: the figure fits the 256 colours of a small PNG
FRAME = [("black", 2.2), ("white", 0.75)]  # shade and points: a white line in a black one shows on every picture
SMALLEST = 68  # pixels: smaller pictures, such as digits, are enlarged to about this width


def show(images, titles=None, columns=None, zoom=None, scale=None, background="none", alt=None):
    """Show one image or a grid of them, pixel-exact and on one grey scale: 0 is black, 1 is white.

    Parameters
    ----------
    images : image, list of images, batch (N, H, W, C), or dict from title to image
        Grey (H, W) or (H, W, 1), colour (H, W, 3). Values outside [0, 1] are clipped.
    titles : list of str, optional
        One for each image.
    columns : int, optional
        Pictures in a row; by default as many as fit the width of a page.
    zoom : (top, left, size), optional
        Under each picture, the square of that corner and side, enlarged to the picture's width.
    scale : int, optional
        Figure pixels per image pixel; by default as many as fit.
    background : "none", "light" or "dark"
        The paper between the pictures; with none, the page shows through, light or dark.
    alt : str, optional
        What the figure shows, for those who cannot see it; by default its titles. (On a page of the book the
        cell's metadata carry the text instead.)
    """
    images, titles = _collect(images, titles)
    validation.choice(background, "background", BACKGROUNDS)
    height, width = images[0].shape[:2]
    if any(picture.shape[:2] != (height, width) for picture in images):
        raise ValueError(f"images must share one height and width, but their shapes are "
                         f"{sorted({picture.shape[:2] for picture in images})}")
    if columns is None:
        columns = min(len(images), max(1, (ROW_WIDTH + GAP) // (max(width, SMALLEST) + GAP)))
    columns = min(validation.integer(columns, "columns", low=1), len(images))
    if scale is None:
        scale = max(1, min((ROW_WIDTH - GAP * (columns - 1)) // (columns * width), 360 // height))
    scale = validation.integer(scale, "scale", low=1)
    if zoom is not None:
        if not isinstance(zoom, (tuple, list)) or len(zoom) != 3:
            raise TypeError(f"zoom must be (top, left, size), but {validation.brief(zoom)} came")
        zoom = tuple(validation.integer(value, "zoom", low=0) for value in zoom)
    titles = [_wrap(title, scale * width + GAP) for title in titles]
    crops = None if zoom is None else [_crop(picture, zoom) for picture in images]
    figure = _grid(images, titles, crops, zoom, columns, scale, BACKGROUNDS[background])
    _display(figure, alt or _sentence(titles, len(images)))


def _collect(images, titles):
    """Return a list of checked, clipped images and a list of as many titles."""
    if isinstance(images, dict):
        titles, images = list(images) if titles is None else titles, list(images.values())
    elif not isinstance(images, (list, tuple)):
        images = validation.array(images, "images", ranks=(2, 3, 4))
        one = images.ndim == 2 or (images.ndim == 3 and images.shape[2] in (1, 3))
        images = [images] if one else list(images)
    if not images:
        raise ValueError("images is empty")
    images = [np.clip(validation.image(x, f"images[{i}]", slack=4.0), 0, 1) for i, x in enumerate(images)]
    images = [x[..., 0] if x.ndim == 3 and x.shape[2] == 1 else x for x in images]
    if titles is None:
        titles = [""] * len(images)
    elif isinstance(titles, str):
        titles = [titles]
    elif not isinstance(titles, Iterable):
        raise TypeError(f"titles must be a list of strings, but {validation.brief(titles)} came")
    titles = list(titles)
    if len(titles) != len(images):
        raise ValueError(f"titles has {len(titles)} entries, expected {len(images)} like images")
    return images, [str(title) for title in titles]


def _wrap(title, width):
    """Break the lines of a title that are wider than its picture."""
    characters = max(6, width // CHARACTER)
    return "\n".join("\n".join(textwrap.wrap(line, characters)) for line in title.split("\n"))


def _crop(picture, zoom):
    top, left, size = zoom
    if size < 1 or top + size > picture.shape[0] or left + size > picture.shape[1]:
        raise ValueError(f"zoom {zoom} leaves the picture of shape {picture.shape[:2]}")
    return picture[top : top + size, left : left + size]


def _grid(images, titles, crops, zoom, columns, scale, colors):
    """Lay the pictures out on a figure whose units are pixels."""
    import matplotlib.pyplot as plt

    paper, ink = colors
    height, width = (scale * side for side in images[0].shape[:2])
    rows = math.ceil(len(images) / columns)
    lines = max(title.count("\n") + 1 if title else 0 for title in titles)
    enlarged = 0 if crops is None else width + GAP // 2  # height of an enlarged square and the gap above it
    pitch_x, pitch_y = width + GAP, LINE * lines + height + enlarged + GAP
    total_width = columns * pitch_x - GAP + 2 * MARGIN
    total_height = rows * pitch_y - GAP + 2 * MARGIN
    figure = plt.figure(figsize=(total_width / 100, total_height / 100), dpi=100, facecolor=paper,
                        layout="none")

    def shades(picture):
        levels = np.rint(255 * picture).astype(np.uint8)
        if levels.ndim == 2:  # as colour: Matplotlib's way from grey values to levels is off by one for some
            levels = np.stack([levels] * 3, axis=-1)
        return levels

    def place(picture, left, top, height):
        axes = figure.add_axes(
            [left / total_width, 1 - (top + height) / total_height, width / total_width, height / total_height]
        )
        axes.imshow(shades(picture), interpolation="nearest", aspect="auto")
        axes.set_axis_off()
        return axes

    if crops is None:  # one pair of axes for all pictures: axes of their own cost far more time
        sheet = figure.add_axes([0, 0, 1, 1])
    for i, picture in enumerate(images):
        left = MARGIN + (i % columns) * pitch_x
        top = MARGIN + (i // columns) * pitch_y + LINE * lines
        if crops is None:
            low = total_height - top - height
            sheet.imshow(shades(picture), extent=(left, left + width, low, low + height), interpolation="nearest")
        for j, line in enumerate(reversed(titles[i].split("\n"))):
            figure.text((left + width / 2) / total_width, 1 - (top - 6 - LINE * j) / total_height, line,
                        ha="center", va="baseline", color=ink, fontsize=10)
        if crops is not None:
            row, column, size = zoom
            axes = place(picture, left, top, height)
            for shade, line in FRAME:
                axes.add_patch(plt.Rectangle((column - 0.5, row - 0.5), size, size, fill=False, color=shade,
                                             linewidth=line, antialiased=False))
            detail = place(crops[i], left, top + height + GAP // 2, width)
            detail.add_patch(plt.Rectangle((0, 0), 1, 1, transform=detail.transAxes, fill=False, color="black",
                                           linewidth=1.5, antialiased=False))
    if crops is None:
        sheet.set(xlim=(0, total_width), ylim=(0, total_height), aspect="auto")
        sheet.set_axis_off()
    return figure


def _display(figure, alt):
    """Show a finished figure as it is: the notebook's own display would crop it and shift its pixels."""
    import matplotlib.pyplot as plt

    try:
        from IPython import get_ipython
        from IPython.display import Image, display
    except ImportError:
        def get_ipython():
            return None

    if get_ipython() is None:
        plt.show()
    else:
        display(Image(_png(figure), format="png", alt=alt))
    plt.close(figure)


def _png(figure, dpi=100):
    """Return a finished figure as a PNG file, in grey or with a palette where that loses nothing: far smaller.

    The file says how many pixels its smallest lettering has, since the book keeps lettering legible on a phone.
    """
    from matplotlib.text import Text
    from PIL import Image, PngImagePlugin

    drawn, packed, notes = io.BytesIO(), io.BytesIO(), PngImagePlugin.PngInfo()
    figure.savefig(drawn, format="png", dpi=dpi, bbox_inches=None, facecolor=figure.get_facecolor())
    sizes = [text.get_fontsize() for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    if sizes:
        notes.add_text("Lettering", f"{min(sizes) * dpi / 72:.1f}")
    with Image.open(drawn) as picture:
        levels = np.asarray(picture.convert("RGBA"))
    grey = (levels[..., :3] == levels[..., :1]).all()
    if (levels[..., 3] == 255).all():
        picture = Image.fromarray(levels[..., 0] if grey else levels[..., :3])
    else:
        picture = Image.fromarray(np.ascontiguousarray(levels[..., [0, 3]] if grey else levels))
    numbers = np.ascontiguousarray(levels).view(">u4").astype(np.uint32)  # one for each pixel: quick to sort
    colors, index = np.unique(numbers, return_inverse=True)
    palette = colors.astype(">u4").view(np.uint8).reshape(-1, 4)
    if len(palette) <= 256:
        picture = Image.fromarray(index.reshape(levels.shape[:2]).astype(np.uint8), mode="P")
        picture.putpalette(palette[:, :3].tobytes())
        packed_alpha = {} if (palette[:, 3] == 255).all() else {"transparency": palette[:, 3].tobytes()}
        picture.save(packed, format="png", optimize=True, pnginfo=notes, **packed_alpha)
    else:
        picture.save(packed, format="png", optimize=True, pnginfo=notes)
    return packed.getvalue()


def _sentence(titles, count):
    named = "; ".join(title.replace("\n", ", ") for title in titles if title)
    return f"{count} picture{'s' if count > 1 else ''}" + (f": {named}" if named else "")


def colorize(values, colormap="viridis", low=None, high=None, shades=256):
    """Turn an array (H, W) into a colour picture (H, W, 3) that ``show`` takes; NaN becomes light grey.

    ``low`` and ``high`` are the values of the first and last of the ``shades``, by default the smallest and largest
    finite one.
    """
    import matplotlib

    values = validation.array(values, "values", ranks=(2,), finite=False).astype(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        raise ValueError("values must hold at least one finite value, but all are NaN or infinite")
    validation.choice(colormap, "colormap", matplotlib.colormaps)
    low = values[finite].min() if low is None else validation.number(low, "low")
    high = values[finite].max() if high is None else validation.number(high, "high")
    if low > high:
        raise ValueError(f"low must not exceed high, but low={low:g} and high={high:g} came")
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    shades = matplotlib.colormaps[colormap].resampled(validation.integer(shades, "shades", low=2))
    colors = shades(np.clip(np.nan_to_num(scaled), 0, 1))[..., :3]
    return np.where(np.isnan(values)[..., None], 0.85, colors).astype(np.float32)


def difference(x, x_hat, limit=0.15):
    """Return a map of the error x_hat - x as a colour picture that ``show`` takes.

    Black is no error, blue too dark, red too bright; the colours are full at ± ``limit``. Colour images are
    averaged over channels.
    """
    x, x_hat = validation.image(x, "x"), validation.image(x_hat, "x_hat", slack=4.0)
    validation.same_shape(x_hat, "x_hat", x, "x")
    limit = validation.number(limit, "limit", low=0, open_low=True)
    error = np.clip(x_hat, 0, 1) - x
    error = error.mean(axis=2) if error.ndim == 3 else error
    return colorize(error, "berlin", -limit, limit, ERROR_SHADES)


def chart(columns=1, height=3.3, **labels):
    """Open a figure for curves in the style of the book and return its axes (a list if ``columns`` > 1).

    ``labels`` go to every axes: ``xlabel="iteration", ylabel="error", title=…, yscale="log"``. End the cell with
    ``done()``, which shows the figure and returns nothing.
    """
    import matplotlib.pyplot as plt

    columns = validation.integer(columns, "columns", low=1)
    height = validation.number(height, "height", low=0, open_low=True)
    plt.rcParams.update(STYLE | {"axes.prop_cycle": plt.cycler(color=COLORS)})
    width = CHART_WIDTH if columns == 1 else WIDE_CHART
    figure, axes = plt.subplots(1, columns, figsize=(width, height), squeeze=False)
    try:
        for ax in axes[0]:
            ax.set(**labels)
    except (AttributeError, TypeError, ValueError) as error:
        plt.close(figure)
        raise TypeError(f"labels cannot be given to the axes: {error}") from None
    return axes[0, 0] if columns == 1 else list(axes[0])


def done():
    """Show the current chart and close it: a vector graphic, or pixels if it holds a picture.

    Very many points become pixels inside the graphic, whose lettering stays as sharp as elsewhere.
    """
    import matplotlib.pyplot as plt

    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        def get_ipython():
            return None

    figure = plt.gcf()
    if get_ipython() is None:
        plt.show()
    else:
        for paper in [figure.patch, *(ax.patch for ax in figure.axes)]:
            paper.set_alpha(0)
        if any(ax.images for ax in figure.axes):
            _grey_for_black(figure, BACKGROUNDS["none"][1])
            display({"image/png": _png(figure, dpi=STYLE["figure.dpi"])}, raw=True)
        else:
            drawn = _svg(figure)
            if len(drawn) > LARGEST_SVG:
                for mark in [mark for ax in figure.axes for mark in (*ax.lines, *ax.collections)]:
                    mark.set_rasterized(True)
                drawn = _svg(figure)
            display({"image/svg+xml": drawn}, raw=True)
    plt.close(figure)


def _grey_for_black(figure, ink):
    """Draw what is black in a figure, its lettering and axes above all, in an ink that is read on any page."""
    from matplotlib.collections import Collection
    from matplotlib.colors import same_color, to_rgb
    from matplotlib.lines import Line2D
    from matplotlib.spines import Spine
    from matplotlib.text import Text

    for part in [*figure.findobj(Text), *figure.findobj(Line2D)]:
        if same_color(part.get_color(), "black"):
            part.set_color(ink)
    for line in figure.findobj(Line2D):
        if same_color(line.get_markeredgecolor(), "black"):
            line.set_markeredgecolor(ink)
    for marks in figure.findobj(Collection):  # of a scatter plot
        for shades, put in [(marks.get_facecolor(), marks.set_facecolor), (marks.get_edgecolor(), marks.set_edgecolor)]:
            shades = shades.copy()
            shades[~shades[:, :3].any(axis=1), :3] = to_rgb(ink)
            put(shades)
    for spine in figure.findobj(Spine):
        spine.set_edgecolor(ink)


def _svg(figure):
    """Return a figure as SVG without paper; the same figure gives the same text."""
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "chart", "savefig.facecolor": "none", "axes.facecolor": "none"}):
        figure.savefig(text, format="svg", bbox_inches=None, metadata={"Date": None, "Creator": None})
    return text.getvalue()


CHART_WIDTH, WIDE_CHART = 6.2, 7.8  # inches of 96 pixels: one chart, and several side by side
LARGEST_SVG = 250_000  # bytes with every point as a vector
STYLE = {
    "figure.dpi": 144, "figure.constrained_layout.use": True, "figure.facecolor": "white",
    "font.size": 12, "axes.titlesize": 12, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.color": "#808080", "grid.alpha": 0.25, "axes.axisbelow": True, "lines.linewidth": 1.8,
    "legend.frameon": False, "savefig.bbox": "standard",
}
