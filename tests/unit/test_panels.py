"""Where a page may place a panel, and what is delivered to it."""

import base64
import json
import re
import sys
from collections import defaultdict
from types import SimpleNamespace

import numpy as np
import pytest
from docutils import nodes
from docutils.utils import new_document

from helpers.images import digits
from helpers.live import FIRST, kernel, pack
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
    assert set(contents) == {"engine-and-methods", "digits", *pack.SERVED}
    _, _, x, labels = digits()
    for label, one in enumerate(contents["digits"]):
        pixels = np.frombuffer(base64.b64decode(one["pixels"]), np.uint8).reshape(28, 28, 1) / np.float32(255)
        np.testing.assert_array_equal(pixels, x[np.flatnonzero(labels == label)[0]])
    source = contents["engine-and-methods"]["source"]
    assert all((javascript.STATIC / name).read_text(encoding="utf-8") in source for name in live.WORKER)
    assert base64.b64decode(contents["engine-and-methods"]["kernel"]) == kernel.translate()
    text = pack.script("digits", contents["digits"])
    assert json.loads(text.removeprefix('live.deliver("digits", ').removesuffix(");\n")) == contents["digits"]


def test_the_panel_begins_as_its_figure_does():
    """restore_digit.js takes the digit from the page, and loses its lower half."""
    assert FIRST[1] == "half" and 0 <= FIRST[0] <= 9
    assert "i < PIXELS / 2 ? 1 : 0" in (javascript.STATIC / "restore_digit.js").read_text(encoding="utf-8")


def test_the_panel_says_how_much_comes():
    script = (javascript.STATIC / "restore_digit.js").read_text(encoding="utf-8")
    total = sum(len(pack.script(name, content)) for name, content in live.contents().items() if name != "digits")
    assert round(total / 1e6) == int(re.search(r"are coming: about (\d+) MB", script)[1])


def test_the_kernel_is_small():
    assert kernel.translate()[:4] == b"\0asm" and len(kernel.translate()) < 2000
