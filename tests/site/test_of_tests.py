"""Pages with one fault each: the browser tests must name it."""

import pytest

from tests.site.browser import DESKTOP, PHONE, Visit, broken_links, serve

PAGE = """<!doctype html><html lang="en"><head><title>A page</title><meta name="viewport" content="width=device-width">
{head}</head><body><main><h1>A page</h1>{body}</main></body></html>"""
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
GOOD = f'<div class="cell_output"><img src="{PIXEL}" alt="one black pixel on white paper"></div>'
FAULTS = {
    "foreign script": ('<script src="https://example.org/tracker.js"></script>', "", "another host"),
    "foreign font": ("<style>@font-face{font-family:F;src:url(https://example.org/f.woff)}p{font-family:F}</style>",
                     "<p>text</p>", "another host"),
    "console error": ("<script>console.error('lost')</script>", "", "console: lost"),
    "script error": ("<script>nothing.at.all()</script>", "", "script error"),
    "missing file": ('<script src="gone.js"></script>', "", "gone.js"),
    "no alt text": ("", f'<div class="cell_output"><img src="{PIXEL}"></div>', "under five words"),
    "short alt text": ("", f'<div class="cell_output"><img src="{PIXEL}" alt="a figure"></div>', "under five words"),
    "missing picture": ("", '<img src="gone.png" alt="a picture that is not there">', "does not load"),
    "too wide": ("", '<div style="width:900px">wide</div>', "sideways"),
}


def faults(browser, tmp_path, head, body):
    (tmp_path / "index.html").write_text(PAGE.format(head=head, body=body), encoding="utf-8")
    (tmp_path / "favicon.ico").touch()
    server, address = serve(tmp_path)
    visit = Visit(browser, address, "index.html", width=PHONE)
    found = visit.faults(), visit.accessibility_faults()
    visit.close()
    server.shutdown()
    return found


def test_a_good_page_has_no_fault(browser, tmp_path):
    assert faults(browser, tmp_path, "", GOOD) == ([], [])


CHART = ('<svg xmlns="http://www.w3.org/2000/svg" width="{width}pt" height="100pt" viewBox="0 0 {width} 100">'
         '<g transform="translate(9 9) scale({size} -{size})"><path d="M0 0h50"/></g></svg>')


def visit(browser, tmp_path, body, width=PHONE):
    (tmp_path / "index.html").write_text(PAGE.format(head="", body=f'<article class="bd-article">{body}</article>'))
    (tmp_path / "favicon.ico").touch()
    _, address = serve(tmp_path)
    return Visit(browser, address, "index.html", width=width)


@pytest.mark.parametrize(("letters", "expected"), [(40, 0), (400, 1)])
def test_cut_code_is_seen(browser, tmp_path, letters, expected):
    body = f'<div class="highlight"><pre style="overflow:auto;width:500px">{"x" * letters}</pre></div>'
    seen = visit(browser, tmp_path, body, DESKTOP)
    assert len(seen.cut()) == expected
    seen.close()


def test_where_the_first_figure_ends(browser, tmp_path):
    tall = f'<div style="height:700px"></div><div class="cell_output"><img src="{PIXEL}" height="300"></div>'
    seen = visit(browser, tmp_path, tall, DESKTOP)
    assert 1000 < seen.first_figure() < 1200
    seen.close()
    seen = visit(browser, tmp_path, "<p>no figure</p>", DESKTOP)
    assert seen.first_figure() is None
    seen.close()


def test_small_lettering_in_a_chart_is_measured(browser, tmp_path):
    (tmp_path / "chart.svg").write_text(CHART.format(width=300, size=0.12))  # 12 points, 400 pixels wide
    body = '<div class="cell_output"><img src="chart.svg" style="width:200px" alt="a chart"></div>'
    seen = visit(browser, tmp_path, body)
    size, name = seen.smallest_chart_text()
    assert abs(size - 8) < 0.1 and name == "chart.svg"  # 12 points are 16 pixels, shown at half their size
    seen.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_named(browser, tmp_path, fault):
    head, body, expected = FAULTS[fault]
    found, _ = faults(browser, tmp_path, head, body)
    assert any(expected in one or expected.replace(" ", "") in one for one in found), found


def test_pale_text_is_named(browser, tmp_path):
    _, found = faults(browser, tmp_path, "", '<p style="color:#ccc;background:#fff">hard to read</p>')
    assert any("color-contrast" in one for one in found)


@pytest.mark.parametrize("link", ["gone.html", "index.html#gone", "#gone"])
def test_broken_link_is_named(tmp_path, link):
    (tmp_path / "index.html").write_text(PAGE.format(head="", body=f'<a href="{link}">here</a>'))
    assert broken_links(tmp_path)


def test_good_link_passes(tmp_path):
    body = '<a href="index.html#there">here</a><p id="there">there</p>'
    (tmp_path / "index.html").write_text(PAGE.format(head="", body=body))
    assert not broken_links(tmp_path)
