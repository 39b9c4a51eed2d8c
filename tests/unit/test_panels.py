"""Where a page may place a panel, and what is delivered to it."""

import base64
import gzip
import json
import re
import sys
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.utils import new_document

from helpers.images import digits, photo
from helpers.league import photographs
from helpers.live import FIRST, LEVEL, PHOTO, kernel, knobs, pack, robots
from tests import javascript, pages

sys.path.insert(0, str(pages.ROOT / "book/_ext"))
import live


def page(*parts):
    document = new_document("page")
    document += [*parts]
    app = SimpleNamespace(env=SimpleNamespace(docname="book/page", metadata=defaultdict(dict)))
    live.find_places(app, document)
    return document, app.env.metadata["book/page"]


def box(*classes):
    return nodes.admonition("", nodes.title("", "Try <it>"), nodes.paragraph("", "words"), classes=[*classes])


def cell():
    return nodes.container("", nodes.image(uri="figure.png"), classes=["cell"])


def test_the_figure_before_it_goes_into_the_panel():
    document, about = page(nodes.paragraph(), cell(), box("live", "restore-digit"), nodes.paragraph())
    panel = document.next_node(live.Panel)
    assert [type(part) for part in document] == [nodes.paragraph, live.Panel, nodes.paragraph]
    assert panel.next_node(nodes.image)["uri"] == "figure.png" and "words" not in panel.astext()
    assert about["live"] == {"restore-digit"}


def test_the_title_of_a_panel_is_text():
    document, _ = page(cell(), box("live", "restore-digit"))
    writer = SimpleNamespace(body=[])
    live.visit(writer, document.next_node(live.Panel))
    assert "Try &lt;it&gt;" in writer.body[0] and f'data-digit="{FIRST[0]}"' in writer.body[0]


def test_the_same_panel_twice_on_a_page_is_refused():
    """Its parts are named once."""
    with pytest.raises(live.PanelError, match="twice"):
        page(cell(), box("live", "restore-digit"), cell(), box("live", "restore-digit"))


STATES = {"label": "a < b", "values": ["1", "2"], "start": 0, "words": ["“one”", "two"],
          "figures": {"kinds": ["image/png"], "lines": ["x", "y"], "states": [[[[0, 1]]], [[[1, 1]]]]}}


def turned():
    """Return a cell with its code that shows the states of a knob, as myst-nb nests them."""
    text = knobs.OPENING + json.dumps(STATES) + knobs.CLOSING
    script = nodes.container("", nodes.container("", nodes.raw("", text, format="html")), nb_element="mime_bundle")
    figure = nodes.container("", nodes.container("", nodes.image(uri="figure.png")), nb_element="mime_bundle")
    return nodes.container("", nodes.container("", nodes.literal_block("", "knob(…)"), classes=["cell_input"]),
                           nodes.container("", figure, script, classes=["cell_output"]), classes=["cell"])


def test_the_figure_of_a_knob_leaves_its_code_behind_and_its_states_leave_the_page():
    document, about = page(turned(), box("live", "turn-knob"), turned(), box("live", "turn-knob"))
    code, first, _, second = document
    assert code.astext() == "knob(…)" and code["classes"] == first[0]["classes"] == ["cell"]
    assert first.next_node(nodes.image)["uri"] == "figure.png" and not list(document.findall(nodes.raw))
    assert [panel["states"] for panel in (first, second)] == [
        ("knob-book-page-1", STATES), ("knob-book-page-2", STATES)]
    assert about["live"] == {"turn-knob"}


def test_a_knob_carries_all_but_its_figures_and_they_are_written_beside_it(tmp_path):
    document, _ = page(turned(), box("live", "turn-knob"))
    writer = SimpleNamespace(body=[], builder=SimpleNamespace(outdir=tmp_path))
    live.visit(writer, document.next_node(live.Panel))
    section = BeautifulSoup(writer.body[0], "html.parser").section
    head = json.loads(section["data-knob"])
    assert section["id"] == "live-knob-1" and head.pop("script") == "knob-book-page-1"
    assert head | {"figures": STATES["figures"]} == STATES and "figures" not in head
    written = (tmp_path / "_static/live/knob-book-page-1.js").read_text(encoding="utf-8")
    assert written == pack.script("knob-book-page-1", STATES["figures"])


def test_a_cell_that_gives_no_states_keeps_its_figure_and_a_warning_says_so(monkeypatch):
    said = []
    monkeypatch.setattr(live.LOG, "warning", lambda text, **_: said.append(text))
    document, about = page(cell(), box("live", "turn-knob"))
    assert [type(part) for part in document] == [nodes.container] and not about["live"]
    assert said == ["book/page: the cell before the panel 'turn-knob' gives no states"]


def test_states_without_a_panel_are_refused():
    with pytest.raises(live.PanelError, match="book/page: behind a cell that calls knob must stand"):
        page(turned(), nodes.paragraph())


def test_a_book_of_knobs_alone_packs_no_network(tmp_path):
    app = SimpleNamespace(env=SimpleNamespace(metadata={"a": {"live": {"turn-knob"}}, "b": {}}), outdir=tmp_path,
                          builder=SimpleNamespace(format="html"))
    live.deliver(app, None)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("parts", [
    [box("live", "restore-digit")],
    [nodes.paragraph(), box("live", "restore-digit")],
    [cell(), box("live")],
    [cell(), box("live", "restore-dog")],
], ids=["nothing before it", "no cell before it", "no name", "unknown name"])
def test_a_panel_that_cannot_be_placed_is_refused(parts):
    with pytest.raises(live.PanelError, match=r"book/page: .*restore-digit"):
        page(*parts)


def test_a_page_without_a_panel_loads_nothing():
    added = []
    app = SimpleNamespace(env=SimpleNamespace(metadata={"a": {"live": {"restore-digit"}}, "b": {}}),
                          add_css_file=added.append, add_js_file=lambda name, **options: added.append(name))
    live.add_scripts(app, "b", "", {}, None)
    assert not added
    live.add_scripts(app, "a", "", {}, None)
    assert added == ["live/live.css", "live/live.js", "live/restore_digit.js"]


def test_what_is_delivered():
    """The digits are the first held-out ones of each class, the worker's source is whole, and all of it is JSON."""
    contents = live.contents()
    assert set(contents) == {"engine-and-methods", "digits", "photo", "robot-world", *pack.SERVED}
    assert contents["robot-world"] == robots.content()
    _, _, x, labels = digits()
    for label, one in enumerate(contents["digits"]):
        pixels = np.frombuffer(base64.b64decode(one["pixels"]), np.uint8).reshape(28, 28, 1) / np.float32(255)
        np.testing.assert_array_equal(pixels, x[np.flatnonzero(labels == label)[0]])
    cat = contents["photo"]
    for kind, x in (("grey", photo(PHOTO)), ("colours", photo(PHOTO, color=True))):
        pixels = [np.frombuffer(base64.b64decode(one), np.uint8).reshape(cat["height"], cat["width"])
                  for one in cat["pixels"][kind]]
        np.testing.assert_allclose(np.dstack(pixels) / 255, np.atleast_3d(x), rtol=0, atol=0.51 / 255)
    assert cat["colourFrom"] == photographs.COLOUR_FROM
    source = contents["engine-and-methods"]["source"]
    assert all((javascript.STATIC / name).read_text(encoding="utf-8") in source for name in live.WORKER)
    assert base64.b64decode(contents["engine-and-methods"]["kernel"]) == kernel.translate()
    text = pack.script("digits", contents["digits"])
    assert json.loads(text.removeprefix('live.deliver("digits", ').removesuffix(");\n")) == contents["digits"]


def test_the_panel_begins_as_its_figure_does():
    """restore_digit.js takes the digit from the page, and loses its lower half."""
    assert FIRST[1] == "half" and 0 <= FIRST[0] <= 9
    assert "i < PIXELS / 2 ? 1 : 0" in (javascript.STATIC / "restore_digit.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(("panel", "loads"), [
    ("restore_digit.js", ["classifier", "restorer", "inverter", "gan", "vae", "diffusion-digits"]),
    ("denoise_photo.js", ["photo", "denoiser"]),
    ("denoise_photo.js", ["photo", "denoiser-colour"]),
    ("mix.js", ["stylegan-robots", "robot-world"]),
])
def test_the_panel_says_how_much_comes(panel, loads):
    script, contents = (javascript.STATIC / panel).read_text(encoding="utf-8"), live.contents()
    total = sum(len(pack.script(name, contents[name])) for name in ("engine-and-methods", *loads))
    worker = (javascript.STATIC / "worker.js").read_text(encoding="utf-8")  # it says which network an answer waits for
    assert all(f'"{name}"' in script + worker for name in loads)
    assert round(total / 1e6) == int(re.search(r"(is|are) coming: about (\d+) MB", script)[2])


def test_the_panel_says_of_each_thing_how_much_comes():
    script, contents = (javascript.STATIC / "draw.js").read_text(encoding="utf-8"), live.contents()
    things = re.findall(r"needs: \[(.*?)\], size: (\d+)", script)
    assert len(things) == 2
    for needs, size in things:
        names = "engine-and-methods", *re.findall(r'"([\w-]+)"', needs)
        assert round(sum(len(pack.script(name, contents[name])) for name in names) / 1e6) == int(size)


def test_the_scripts_of_all_panels_are_small():
    """Compressed, as a server sends them, with the program of the kernel."""
    scripts = [path.read_bytes() for path in javascript.STATIC.glob("*.js")]
    assert sum(len(gzip.compress(one)) for one in [*scripts, kernel.packed().encode()]) < 60_000


def test_the_photograph_and_its_noise_are_those_of_the_figure():
    script = (javascript.STATIC / "denoise_photo.js").read_text(encoding="utf-8")
    assert int(re.search(r"ADDED = (\d+)", script)[1]) == round(255 * LEVEL)


def test_the_kernel_is_small():
    assert kernel.translate()[:4] == b"\0asm" and len(kernel.translate()) < 2000


def test_the_scripts_of_all_panels_are_light():
    """What a page could load before the networks come, as a host sends it."""
    packed = [gzip.compress(path.read_bytes()) for path in javascript.STATIC.iterdir()]
    assert len(packed) >= 7 and sum(map(len, packed)) < 60_000
