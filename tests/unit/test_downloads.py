"""Downloaded notebooks keep hints, solutions and proofs folded: a reader sees the question before the answer."""

import importlib
import re

import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from tests import pages

PAGE = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A page

:::{exercise} Change: double it
:label: page-double

What is twice VISIBLE?
:::

```{code-cell} ipython3
:tags: [exercise]

VISIBLE_STUB = ...
```

%s

Then it goes on, VISIBLE again.

```{code-cell} ipython3
:tags: [remove-cell]

assert HIDDEN_PROOF
```

```{code-cell} ipython3
:tags: [hide-input]

VISIBLE_CODE = 1
```
"""
FOLDED = {
    "hint": ":::{hint}\n:class: dropdown\nHIDDEN\n:::",
    "solution": ":::{solution} page-double\n:class: dropdown\n\nHIDDEN\n\n```python\nHIDDEN = 2\n```\n\n- HIDDEN\n:::",
    "solution without options": ":::{solution} page-double\nHIDDEN\n:::",
    "longer fence": "::::{solution} page-double\n:::{note}\nHIDDEN\n:::\n\nHIDDEN\n::::",
    "backticks": "````{solution} page-double\n:class: dropdown\n\n```python\nHIDDEN = 2\n```\n````",
    "dropdown": ":::{dropdown} More about it\nHIDDEN\n:::",
}


@pytest.fixture
def download(monkeypatch):
    monkeypatch.syspath_prepend(pages.ROOT / "book/_ext")
    return importlib.import_module("download")


def notebook(download, text):
    return download.convert(text, "A course", lambda role, content: "…")


def shown(source):
    """Return the text that a reader of a Markdown cell sees before any click, and what is folded away."""
    soup = BeautifulSoup(MarkdownIt("commonmark", {"html": True}).enable("table").render(source), "html.parser")
    folded = []
    for box in soup.find_all("details"):
        assert box.find("summary", recursive=False) is not None, "nothing to click on"
        if not box.has_attr("open"):
            box.find("summary").extract()
            folded.append(box.get_text())
            box.extract()
    return soup.get_text(), "\n".join(folded)


@pytest.mark.parametrize("kind", FOLDED)
def test_what_answers_is_folded_and_all_else_is_open(download, kind):
    cells = notebook(download, PAGE % FOLDED[kind]).cells
    seen, folded = zip(*(shown(cell.source) for cell in cells if cell.cell_type == "markdown"), strict=True)
    seen, folded = "\n".join(seen), "\n".join(folded)
    assert "HIDDEN" not in seen and folded.count("HIDDEN") == FOLDED[kind].count("HIDDEN")
    assert seen.count("VISIBLE") == 2 and "VISIBLE" not in folded


def test_proofs_are_folded_and_other_cells_are_not(download):
    for cell in notebook(download, PAGE % "").cells:
        if cell.cell_type == "code":
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            assert folded == ("HIDDEN_PROOF" in cell.source), cell.source


@pytest.mark.parametrize("page", pages.lessons(), ids=lambda page: page.stem)
def test_no_page_shows_a_solution_or_a_hint_unfolded(download, page):
    text = page.read_text(encoding="utf-8")
    seen, folded = "", ""
    for cell in notebook(download, text).cells:
        if cell.cell_type == "markdown":
            before, after = shown(cell.source)
            seen, folded = seen + before + "\n", folded + after + "\n"
        elif "remove-cell" in cell.metadata.get("tags", []):
            assert cell.metadata["jupyter"]["source_hidden"] is True
    asked = re.sub(r"(?ms)^(:{3,})\{(solution|hint)\}.*?^\1$", "", text)
    for exercise in pages.exercises(page):
        for line in pages.solution(page, exercise).splitlines():
            assert line.strip() in folded
            if len(line.strip()) > 12 and line.strip() not in asked:
                assert line.strip() not in seen, f"{exercise.name}: {line}"
    for hint in re.findall(r"(?ms)^:::\{hint\}[^\n]*\n(?::[^\n]*\n)*\s*(.*?)\n:::$", text):
        phrases = re.split(r"[`*$\\_{}\[\]]|\n", re.sub(r"\{[\w:]+\}`[^`]*`", "`", hint))
        longest = max(phrases, key=len).strip()
        assert longest in folded and longest not in seen, longest
