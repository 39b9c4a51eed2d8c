"""Pages with one fault each: the browser tests must name it."""

import pytest

from tests.site.browser import DESKTOP, PHONE, Visit, broken_links, faults_by_look, serve

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


CODE = '<div class="highlight"><pre style="overflow:auto">{}</pre></div>'
WORDS = "<span>np</span><span>.</span>" * 20
PALE = 'style="color:#ccc"'
DARK = "<style>[data-theme=dark] body { background: #222; color: #ddd } [data-theme=dark] %s</style>"
GROUNDS = """<style>code { color: #767676 }</style><p><code class="literal"><span>good</span></code></p>
<p style="background:#ccc"><code class="literal"><span>bad</span></code></p>"""
ALL = "dark desktop phone"
CHANGES = "<script>matchMedia('(prefers-color-scheme: dark)').onchange = () => console.error('lost')</script>"
BY_LOOK = {  # the head, the body, the looks in which the fault stands, and its name
    "no alt text": ("", f'<div class="cell_output"><img src="{PIXEL}"></div>', "desktop phone", "under five words"),
    "pale in the dark": (DARK % "p { color: #333 }", "<p>some words</p>", "dark", "color-contrast"),
    "pale word of code": ("", CODE.format(f"{WORDS}<span {PALE}>if</span>{WORDS}"), ALL, "color-contrast"),
    "pale code in the dark": (DARK % "b { color: #333 }", CODE.format(f"{WORDS}<b><span>if</span></b>{WORDS}"), "dark",
                              "color-contrast"),
    "a letter, a sign before it": ("", CODE.format(f"<i {PALE}><span>n</span><span>(</span><span>np</span></i>"), ALL,
                                   "color-contrast"),
    "a hidden word before it": ("", CODE.format(f"<i {PALE}><span hidden>if</span><span>if</span></i>"), ALL,
                                "color-contrast"),
    "on another ground": ("", GROUNDS, ALL, "color-contrast"),
    "too wide for a phone": ("", '<div style="width:700px">wide</div>', "phone", "sideways"),
    "cut code": ("", CODE.format("x" * 400), "desktop", "cut by"),
    "small chart": ("", '<div class="cell_output"><img src="chart.svg" width="50%" alt="a chart"></div>', "phone",
                    "lettering of 7.5 pixels in chart.svg"),
    "console error": ("<script>console.error('lost')</script>", "", "desktop phone", "console: lost"),
    "error on a phone": ("<script>if (innerWidth < 500) nothing.at.all()</script>", "", "phone", "script error"),
    "error in the dark": (CHANGES, "", "desktop", "console: lost"),
}


@pytest.mark.parametrize("fault", BY_LOOK)
def test_a_fault_is_named_with_its_look(browser, tab, tmp_path, fault):
    head, body, looks, expected = BY_LOOK[fault]
    article = f'<article class="bd-article">{body}</article>'
    (tmp_path / "index.html").write_text(PAGE.format(head=head, body=article), encoding="utf-8")
    (tmp_path / "favicon.ico").touch()
    (tmp_path / "chart.svg").write_text(CHART.format(width=300, size=0.12))
    server, address = serve(tmp_path)
    found = faults_by_look(browser, address, "index.html", tab)
    server.shutdown()
    assert sorted(one.split(":")[0].split()[-1] for one in found if expected in one) == looks.split(), found


def test_a_visit_to_a_used_tab_finds_it_new(browser, tab, tmp_path):
    """Neither what the last page stored nor what it complained of reaches the next."""
    body = "<script>if (localStorage.length) console.error('kept'); localStorage.a = 1; console.error('first')</script>"
    (tmp_path / "index.html").write_text(PAGE.format(head="", body=body), encoding="utf-8")
    (tmp_path / "favicon.ico").touch()
    server, address = serve(tmp_path)
    for _ in range(2):
        seen = Visit(browser, address, "index.html", tab=tab)
        assert seen.complaints == ["console: first"]
        seen.close()
    server.shutdown()


@pytest.mark.parametrize("link", ["gone.html", "index.html#gone", "#gone"])
def test_broken_link_is_named(tmp_path, link):
    (tmp_path / "index.html").write_text(PAGE.format(head="", body=f'<a href="{link}">here</a>'))
    assert broken_links(tmp_path)


def test_good_link_passes(tmp_path):
    body = '<a href="index.html#there">here</a><p id="there">there</p>'
    (tmp_path / "index.html").write_text(PAGE.format(head="", body=body))
    assert not broken_links(tmp_path)
