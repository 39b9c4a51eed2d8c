"""Every page follows the anatomy: question, outcomes, prerequisites, measured time, claims, summary, exercises."""

import json
import re
import symtable

import jupytext
import pytest

from tests import pages
from tests.notebooks import executed

BY_NAME = {"ids": lambda page: page.stem}
MEASURED = re.compile(r"\b\d+(?:\.\d+)? ?(?:dB|ms|img/s|× faster|times faster)\b")


def prose(page):
    """Return the text of a page without its code, solutions and directives' code blocks."""
    text = "\n".join(cell.source for cell in pages.cells(page) if cell.cell_type == "markdown")
    return re.sub(r"```.*?```", "", text, flags=re.S)


def opening(page):
    """Return the box "Before you start"."""
    match = re.search(r":::\{admonition\} Before you start\n:class: tip\n(.*?)\n:::", prose(page), re.S)
    assert match, "no box “Before you start”"
    return match[1]


def section(page, title):
    """Return the text under one second-level heading."""
    match = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", prose(page), re.S | re.M)
    assert match, f"no section “{title}”"
    return match[1]


def bullets(text):
    return re.findall(r"^- ", text, re.M)


def tags(cell):
    return set(cell.metadata.get("tags", []))


@pytest.mark.parametrize("page", pages.lessons(), **BY_NAME)
def test_opening(page):
    box = opening(page)
    leads = ["**The question.**", "**You will be able to**", "**Read first:**", "**Time:**"]
    positions = [box.find(lead) for lead in leads]
    assert positions == sorted(positions) and -1 not in positions, f"the box lacks or misplaces one of {leads}"
    assert 3 <= len(bullets(box)) <= 6
    minutes = re.search(r"\*\*Time:\*\* (\d+) minutes to\s+read", box)
    assert minutes and 5 <= int(minutes[1]) <= 30
    assert "{running-time}`seconds`" in box, "the running time must be measured, not typed"


def test_the_first_page_says_how_long_all_pages_take():
    minutes = sum(int(re.search(r"\*\*Time:\*\* (\d+) minutes", opening(page))[1]) for page in pages.lessons())
    said = re.findall(r"about (\d+) hours", (pages.ROOT / "book/index.md").read_text(encoding="utf-8"))
    assert said and all(abs(60 * int(hours) - minutes) <= 30 for hours in said), f"it is {minutes / 60:.1f} hours"


@pytest.mark.parametrize("page", pages.lessons(), **BY_NAME)
def test_summary_answers_the_opening(page):
    summary = section(page, "Summary")
    assert len(bullets(summary)) == len(bullets(opening(page)))
    assert all(line.startswith("- You ") for line in re.findall(r"^- .*", summary, re.M)), "begin with “You …”"
    assert prose(page).index("## Summary") < prose(page).index("## Exercises")


@pytest.mark.parametrize("page", pages.notebooks(), **BY_NAME)
def test_claims_stand_behind_asserts(page):
    hidden = [cell for cell in pages.code_cells(page) if "remove-cell" in tags(cell)]
    assert any("assert" in cell.source for cell in hidden)


@pytest.mark.parametrize("page", pages.lessons(), **BY_NAME)
def test_predict_before_running(page):
    assert "**Predict" in prose(page)


@pytest.mark.parametrize("page", pages.notebooks(), **BY_NAME)
def test_no_measured_number_is_typed(page):
    teaching = prose(page).split("## Exercises")[0]
    assert not MEASURED.findall(teaching), "glue measured numbers instead of typing them"


@pytest.mark.parametrize("page", pages.pages(), **BY_NAME)
def test_page_works_in_jupyterlab(page):
    """There a {doc} role leads out of JupyterLab, and a page that names no kernel asks for one."""
    assert "{doc}" not in page.read_text(encoding="utf-8"), "link to a page as [words](folder/page.md)"
    assert jupytext.read(page).metadata.get("kernelspec", {}).get("name") == "python3"


@pytest.mark.parametrize("page", pages.notebooks(), **BY_NAME)
def test_code_stays_short(page):
    """What a reader has to read: no cell over 25 lines, no page over 180; blanks, exercises, hidden code apart."""
    unread = {"remove-cell", "remove-input", "exercise"}
    visible = [cell.source for cell in pages.code_cells(page) if not unread & tags(cell)]
    lengths = [sum(bool(line.strip()) for line in source.splitlines()) for source in visible]
    assert max(lengths, default=0) <= 25 and sum(lengths) <= 180


@pytest.mark.parametrize("page", pages.notebooks(), **BY_NAME)
def test_tensorflow_only_where_it_is_needed(page):
    code = "\n".join(cell.source for cell in pages.code_cells(page))
    uses_networks = re.search(r"\bkeras\b|helpers\.(models|pretrained)", code)
    assert uses_networks or "tensorflow" not in code, "TensorFlow costs seconds on every run of this page"


@pytest.mark.parametrize("page", pages.notebooks(), **BY_NAME)
def test_networks_come_from_where_keras_is_set_up(page):
    """``from helpers.models import keras, tf``: whatever else stands in the cell, and in whatever order."""
    code = "\n".join(cell.source for cell in pages.code_cells(page))
    assert not re.search(r"^\s*(import|from) (keras|tensorflow)\b|^import helpers\.models", code, re.M)


def globals_of(scope):
    """Return the global names that a function reads, those of the functions inside it included."""
    own = {symbol.get_name() for symbol in scope.get_symbols() if symbol.is_global()}
    return own.union(*map(globals_of, scope.get_children()))


@pytest.mark.parametrize("page", [page for page in pages.notebooks() if "knob(" in page.read_text(encoding="utf-8")],
                         **BY_NAME)
def test_a_knob_still_turns_when_the_page_has_run(page):
    """Readers are invited to call its function: no later cell may give another meaning to a name that it reads."""
    cells = [symtable.symtable(cell.source, page.name, "exec") for cell in pages.code_cells(page)]
    turned = 0
    for number, cell in enumerate(pages.code_cells(page)):
        for name in re.findall(r"^knob\((\w+),", cell.source, re.M):
            (draw,) = (scope for scope in cells[number].get_children() if scope.get_name() == name)
            later = {symbol.get_name() for scope in cells[number + 1:] for symbol in scope.get_symbols()
                     if symbol.is_assigned()}
            assert not globals_of(draw) & later, f"{name} reads what later cells assign: bind it, as in (t, y=y)"
            turned += 1
    assert turned, "the page names a knob and has none"


def test_few_cells_are_exempt_from_comparison():
    cells = [cell for page in pages.notebooks() for cell in pages.code_cells(page)]
    exempt = [cell for cell in cells if {"nbval-ignore-output", "nbval-skip"} & tags(cell)
              or re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_(IGNORE_OUTPUT|SKIP)", cell.source)]
    assert len(exempt) < 0.05 * len(cells), f"{len(exempt)} of {len(cells)} cells escape the second run"
    assert not [cell for cell in exempt if pages.exercise_of(cell)], "their solutions would not be proved"


@pytest.mark.parametrize("page", pages.notebooks(), **BY_NAME)
def test_page_was_executed_and_is_warning_free(page):
    notebook = json.loads(executed.path(page).read_text(encoding="utf-8"))
    outputs = [output for cell in notebook["cells"] if cell["cell_type"] == "code" for output in cell["outputs"]]
    assert outputs
    assert not [output for output in outputs if output.get("name") == "stderr" or output["output_type"] == "error"]


# ---------------------------------------------------------------------------------------- symbols and references

LATEX_WORDS = re.compile(r"\\(?:begin|end|label|mathrm|text|operatorname\*?|textrm|mathtt)\{[^}]*\}|\\[,;:!|{}\\ ]")
GREEK = ("alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi pi rho sigma tau phi "
         "varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega ell nabla partial").split()


def symbols(text):
    """Return the letters and Greek letters that stand in the formulas of a text."""
    text = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)
    formulas = re.findall(r"\$\$(.*?)\$\$", text, re.S)
    formulas += re.findall(r"\$([^$]+)\$", re.sub(r"\$\$.*?\$\$", "", text, flags=re.S))
    found = set()
    for formula in formulas:
        formula = LATEX_WORDS.sub(" ", formula)
        found |= {name for name in re.findall(r"\\([A-Za-z]+)", formula) if name in GREEK}
        found |= set(re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", formula)))
    return found


@pytest.mark.parametrize("page", pages.notebooks(), **BY_NAME)
def test_symbols_are_in_the_notation_table(page):
    table = symbols((pages.ROOT / "book/appendix/notation.md").read_text(encoding="utf-8"))
    missing = symbols(page.read_text(encoding="utf-8")) - table
    assert not missing, f"not in the notation table: {sorted(missing)}"


def test_every_reference_is_cited_and_complete():
    text = "\n".join(page.read_text(encoding="utf-8") for page in (pages.ROOT / "book").rglob("*.md"))
    cited = {key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text) for key in keys.split(",")}
    library = (pages.ROOT / "book/references.bib").read_text(encoding="utf-8")
    entries = dict(re.findall(r"@\w+\{([^,]+),(.*?)\n\}", library, re.S))
    assert len(entries) == library.count("@"), "a key stands twice in references.bib, or an entry does not end"
    assert set(entries) == cited
    for key, entry in entries.items():
        fields = set(re.findall(r"^\s*(\w+)\s*=", entry, re.M))
        assert {"author", "title", "year"} <= fields, f"{key} lacks author, title or year"
        assert {"journal", "booktitle", "publisher", "eprint"} & fields, f"{key} lacks its venue"
