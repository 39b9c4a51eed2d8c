"""What ``make fresh`` reports: packages that moved, and what the cells print and draw differently."""

import importlib

import pytest

from tests import pages

CELL = '<div class="cell_output"><pre>{text}</pre><img src="../_images/{picture}.png"></div>'


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    return importlib.import_module("fresh")


def site(folder, text, picture):
    (folder / "book").mkdir(parents=True)
    (folder / "book/page.html").write_text("<p>prose</p>" + CELL.format(text=text, picture=picture), encoding="utf-8")
    return folder


def test_packages_that_changed_came_or_went(fresh):
    before, after = {"keras": "3.15", "numpy": "2.4", "old": "1"}, {"keras": "3.16", "numpy": "2.4", "new": "2"}
    assert fresh.changes(before, after) == ["keras: 3.15 → 3.16", "new: none → 2", "old: 1 → none"]


def test_outputs_that_changed(fresh, tmp_path):
    before = fresh.outputs(site(tmp_path / "a", "PSNR 20.1\nsame", "0" * 40))
    after = fresh.outputs(site(tmp_path / "b", "PSNR 20.2\nsame", "1" * 40))
    assert before == {"book/page.html": ["figure 000000000000", "PSNR 20.1", "same"]}
    told = fresh.report(before, after)
    assert told[0] == "book/page.html: 4 lines"
    assert {one.strip() for one in told[1:]} == {"-figure 000000000000", "-PSNR 20.1", "+figure 111111111111",
                                                 "+PSNR 20.2"}
    assert fresh.report(before, before) == []


def test_a_page_that_vanished_is_told(fresh):
    assert fresh.report({"book/a.html": ["1"]}, {}) == ["book/a.html: 1 lines", "    -1"]
