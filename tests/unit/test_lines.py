"""What a line of a page may begin with: what the course's Sphinx extension holds together."""

import sys

import pytest

from tests import pages

GAP = "\N{NO-BREAK SPACE}"


@pytest.fixture
def held(monkeypatch):
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    sys.modules.pop("course", None)
    import course

    def body(text):
        context = {"body": text}
        course.hold_together(None, "page", "page.html", context, None)
        return context["body"]

    return body


@pytest.mark.parametrize(("text", "expected"), [
    ("<p>of 80 % sure</p>", f"<p>of 80{GAP}% sure</p>"),
    ("<td><strong>62</strong> %</td>", f"<td><strong>62</strong>{GAP}%</td>"),
    ("<p>gains 2.3 dB.</p>", f"<p>gains 2.3{GAP}dB.</p>"),
    ("<p>3 dBs and a % of it</p>", "<p>3 dBs and a % of it</p>"),
    ("<pre>18 %\n3 dB</pre><p>5 %</p>", f"<pre>18 %\n3 dB</pre><p>5{GAP}%</p>"),
    ('<img alt="95 % of it"/><p>x</p>', '<img alt="95 % of it"/><p>x</p>'),
])
def test_a_unit_stays_with_its_number_and_what_is_printed_as_it_is(held, text, expected):
    assert held(text) == expected
