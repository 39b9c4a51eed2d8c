"""The page "Restore a photo of your own" runs unchanged on the pictures that readers bring, and says what is true of
them.

Small pictures of many kinds take the place of the page's cup of coffee; every cell runs, its asserts included.
"""

import re
import warnings

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

from helpers import league, plots
from helpers.images import photo
from helpers.operators import Identity, measure
from tests import pages

PAGE = pages.ROOT / "book/6-faq/your-own-photo.md"


def portrait(path):
    """20:9, in colour, as telephones take it."""
    Image.fromarray(data.astronaut()[:480, 150:366]).resize((72, 160)).save(path, quality=95)


def panorama(path):
    Image.fromarray(data.camera()[100:180, :]).resize((200, 32)).save(path)


def icon(path):
    """A red disk with a hole, drawn, on a transparent ground."""
    i, j = np.indices((16, 16)) - 7.5
    alpha = np.where((np.hypot(i, j) < 7) & (np.hypot(i, j) > 3), 255, 0)
    Image.fromarray(np.stack([200 + 0 * alpha, 30 + 0 * alpha, 40 + 0 * alpha, alpha], -1).astype(np.uint8)).save(path)


def larger_icon(path):
    Image.fromarray(data.coffee()[:300, 100:400]).resize((48, 48)).quantize(16).save(path)


def moon(path):
    Image.fromarray(data.moon()[::4, ::4]).save(path)


def text(path):
    Image.fromarray(data.page()[:112, 60:188]).save(path)


def lawn(path):
    """16 bits."""
    tifffile.imwrite(path, 257 * data.grass()[:96, :96].astype(np.uint16))


# One is called as the page's own, and is another.
KINDS = {"portrait.jpg": portrait, "panorama.png": panorama, "icon.png": icon, "larger icon.png": larger_icon,
         "coffee.png": moon, "text.png": text, "lawn.tif": lawn}


def code(path):
    """Return the page's cells with this picture in place of its own."""
    cells = [cell.source for cell in pages.code_cells(PAGE)]
    line = re.compile(r"^path = Path\(skimage.*$", re.M)
    assert sum(len(line.findall(cell)) for cell in cells) == 1, "the page asks for one line to be changed"
    return [line.sub(f"path = {str(path)!r}", cell) for cell in cells]


@pytest.mark.parametrize("name", KINDS)
def test_the_page_survives(name, tmp_path, monkeypatch, capsys):
    matplotlib.use("Agg")
    figures = []

    def display(figure, alt):
        figures.append(figure.get_size_inches() * figure.dpi)
        plt.close(figure)

    monkeypatch.setattr(plots, "_display", display)
    KINDS[name](tmp_path / name)
    page = {"__name__": "__main__"}
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # a division by zero on the way to a number that is printed
        for i, cell in enumerate(code(tmp_path / name)):
            exec(compile(cell, f"<cell {i}>", "exec"), page)
    printed = capsys.readouterr().out
    print(printed)  # for those who read a failure
    assert not re.search(r"\b(nan|inf)\b", printed)
    refused = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert len(refused) == 1 and "only with --force" in refused[0]
    assert printed.count("from the truth") == 4 and "restored 0, done before 2" in printed
    assert len(figures) == 4 and all(160 < width <= 812 and height < 1200 for width, height in figures)
    # what the run says of this picture is so
    said = re.search(r"under (\d) of 4 damages: (.*)\.", printed)
    ahead = [task for task, (_, gain) in page["gain"].items() if gain > 0]
    assert int(said[1]) == len(ahead) and said[2] == (", ".join(ahead) or "none")
    assert (f"Only {page['x'].size} pixels" in printed) == (page["x"].size < 10_000)
    verdict = re.search(rf"For {name}, under noise of \d+/255: (.*?)(?: or (.*), too close to tell)?\.$", printed, re.M)
    errors = page["errors"]
    assert verdict[1] == page["first"] and (verdict[2] is None) == page["clear"]
    if page["clear"]:
        assert errors[page["first"]] <= 1.1 * min(errors.values()), "the forecast was sure of a worse method"


def test_luck_is_about_what_one_draw_does():
    """Of the difference of two forecasts, with the true σ, on small photographs under noise."""
    cell = next(cell.source for cell in pages.code_cells(PAGE) if "def foretell" in cell.source)
    page = {"league": league, "np": np, "Identity": Identity}
    exec(cell[: cell.index("rng =")], page)
    sigma, off, luck = 25 / 255, [], []
    for name in ("camera", "coffee"):
        x = photo(name, 64)
        for seed in range(20):
            rng = np.random.default_rng(seed)
            y = measure(x, Identity(), sigma, rng)
            push = rng.choice([-1, 1], y.shape).astype(np.float32)
            one, a = page["foretell"]("Wiener", y, sigma, push)
            other, b = page["foretell"]("total variation", y, sigma, push)
            off.append(one - other - np.mean((a - x) ** 2) + np.mean((b - x) ** 2))
            luck.append(4 * sigma * np.std(a - b) / np.sqrt(y.size))
    assert 0.4 < np.sqrt(np.mean(np.square(off))) / np.mean(luck) < 1.3


def test_what_is_too_small_is_said(tmp_path):
    Image.fromarray(data.camera()[:5, :40]).save(tmp_path / "strip.png")
    page = {"__name__": "__main__"}
    with pytest.raises(ValueError, match="side under 8 pixels"):
        for cell in code(tmp_path / "strip.png"):
            exec(cell, page)
    assert "gain" not in page


def test_the_text_speaks_of_other_pictures_too():
    """What only the cup fulfils is said of the cup: so its parts stand in sentences that name it."""
    prose = "\n".join(cell.source for cell in pages.cells(PAGE) if cell.cell_type == "markdown")
    for sentence in re.split(r"(?<=[.?!])\s", prose.split("## Exercises")[0]):
        if re.search(r"\b(wood|rim|saucer|spoon)\b", sentence):
            assert "cup" in sentence, sentence

