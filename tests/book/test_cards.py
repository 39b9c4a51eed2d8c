"""The page of model cards shows every number of the cards, and the build notices when a card changes."""

import hashlib
import json
import re

import pytest
from bs4 import BeautifulSoup

from helpers import pretrained
from tests import pages, small_site

PAGE = "book/appendix/model-cards"


def leaves(value):
    """Yield every number and word of a nested value, truth values apart."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    elif value is not None and not isinstance(value, bool):
        yield value


def missing(card, html):
    """Return what a card says and its section of the page does not."""
    section = BeautifulSoup(html, "html.parser").find("section", id=card["name"])
    shown = section.get_text().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    numbers = [float(number.replace(",", "").replace("−", "-"))
               for number in re.findall(r"−?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?", shown)]
    keys = ["parameters", "metrics", "data", "command", "versions", "weights", "sha256"]
    converted = "minutes" not in card  # others trained it
    keys += ["source", "licence"] if converted else ["minutes", "held out as it went", "hardware"]
    said = [card[key] for key in keys]
    if not converted:
        said.append({key: value for key, value in card["recipe"].items() if key not in ("what", "data")})
        said.append(card.get("processor minutes"))
    return [leaf for leaf in leaves(said) if not (
        leaf in shown if isinstance(leaf, str) else any(abs(one - leaf) <= 1e-3 * abs(leaf) for one in numbers))]


@pytest.mark.parametrize("name", pretrained.names())
def test_every_number_is_on_the_page(name):
    html = (pages.ROOT / "_build/html" / f"{PAGE}.html").read_text(encoding="utf-8")
    assert not missing(pretrained.card(name), html)


# ------------------------------------------------------------------- a small site with cards of its own

CARD = {
    "name": "toy", "what": "a toy: it stands | for all", "data": "the pictures of a test",
    "command": "python -m helpers train toy", "parameters": 1234567, "minutes": 12.3, "processor minutes": 23.4,
    "hardware": "a chip, 2 cores", "versions": {"numpy": "9.8.7"}, "needs": {"other": "fedcba9876543210"},
    "began with": {"older": "89abcdef01234567"},
    "recipe": {"what": "a toy", "steps": 5000, "learning_rate": 5e-05, "betas": [0.25, 0.75], "clipnorm": None,
               "xla": False, "options": {"sigma_max": 0.21568627450980393, "network": {"width": 48}}, "seed": 0},
    "metrics": {
        "PSNR at sigma = 25/255 (dB)": {"value": 29.123456, "dct_shrinkage": 28.2},
        "PSNR at sigma = 50/255 (dB)": {"value": 26.5, "dct_shrinkage": 24.75},
        "ELBO (nats)": {"value": -1357.9},
        "samples": {"distance": 375.25, "floor": 3.40625, "multiple of the floor": 110.5, "rarest class": 0.0625},
        "samples, guided": {"distance": 374.5, "floor": 3.5, "multiple of the floor": 110.25, "rarest class": 0.03125},
        "hole": {"value": {"psnr": 21.5, "readable": 0.875}, "biharmonic": {"psnr": 16.25, "readable": 0.59}},
    },
    "held out as it went": [[1000, {"PSNR": 25.5}], [2000, {"PSNR": 27.25}]],
    "loss": [[50, 2.5, 0.5], [100, 1.5, -0.5], [150, 0.5, 0.25]],
}


def put(folder, card, content=b"numbers"):
    """Write a card and its weights."""
    card = card | {"weights": f"{card['name']}.safetensors", "sha256": hashlib.sha256(content).hexdigest()}
    folder.mkdir(exist_ok=True)
    (folder / card["weights"]).write_bytes(content)
    (folder / f"{card['name']}.json").write_text(json.dumps(card), encoding="utf-8")
    return card


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Return a function that builds the site: (what it read, the page's HTML, the warnings)."""
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    small_site.write(tmp_path, {"index.md": "# Cards\n\n```{model-cards}\n```\n"})
    settings = {"extensions": ["myst_parser", "sphinx_design", "cards"], "myst_enable_extensions": ["colon_fence"],
                "model_cards": str(tmp_path / "weights")}

    def run():
        read, warnings = small_site.build(tmp_path, settings)
        return read, (tmp_path / "html/index.html").read_text(encoding="utf-8"), warnings

    return run


def test_a_card_of_every_shape(build, tmp_path):
    card = put(tmp_path / "weights", CARD)
    _, html, warnings = build()
    assert not warnings
    assert not missing(card, html)
    assert "7 seas" in missing(card | {"data": "7 seas"}, html) and missing(card | {"minutes": 987.6}, html)
    assert missing(card | {"processor minutes": 876.5}, html)
    section = BeautifulSoup(html, "html.parser").find("section", id="toy")
    assert len(section.find_all("polyline")) == 2 and "linear" in section.figure.get_text()
    header = [cell.get_text() for cell in section.table.find_all("th")]
    assert header == ["measured", "this model", "dct shrinkage"] and len(section.table.find_all("tr")) == 3
    assert max(len(row.find_all(["th", "td"])) for row in section.find_all("tr")) == 3, "wider than a phone"


def test_a_card_of_a_network_that_others_trained(build, tmp_path):
    gone = ("minutes", "hardware", "held out as it went", "loss")
    card = {key: value for key, value in CARD.items() if key not in gone}
    card |= {"source": "a package 1.2.3, a file", "licence": "a licence", "command": "python -m helpers convert x",
             "metrics": {"a photograph": {"says": "Egyptian cat", "probability": 0.3872}}}
    card = put(tmp_path / "weights", card)
    _, html, warnings = build()
    assert not warnings
    assert not missing(card, html)
    for key in ("source", "licence", "command"):
        assert missing(card | {key: "another one"}, html)
    text = BeautifulSoup(html, "html.parser").find("section", id="toy").get_text()
    assert "9.8.7" in text and "minutes" not in text and "setting by setting" not in text


def test_the_build_notices_a_change(build, tmp_path):
    weights = tmp_path / "weights"
    put(weights, CARD)
    assert build()[0] == ["index"]
    assert build()[0] == [], "nothing changed, so nothing is read again"
    put(weights, CARD | {"minutes": 45.6})
    assert "45.6 minutes" in build()[1]
    put(weights, CARD | {"name": "another"})
    assert 'id="another"' in build()[1]
    (weights / "another.json").unlink()
    assert 'id="another"' not in build()[1]


def test_altered_weights_are_named(build, tmp_path):
    put(tmp_path / "weights", CARD)
    (tmp_path / "weights/toy.safetensors").write_bytes(b"other numbers")
    assert "toy.safetensors is missing or altered" in build()[2]
