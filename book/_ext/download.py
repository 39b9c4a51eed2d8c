"""Every page with cells as a notebook that opens in plain Jupyter, offered by the page's download button.

Plain Jupyter knows no MyST: boxes become quotations, hints and solutions fold, measured numbers and the numbers of
formulas are filled in, and links to other pages become their titles. Outputs are left out: the reader runs the cells.
"""

import re
from pathlib import Path

import jupytext
import nbformat
from myst_nb.ext.glue.crossref import read_glue_cache
from myst_nb.sphinx_ import NbMetadataCollector
from pages import LINK, linked, read

ROLE = re.compile(r"\{([\w:-]+)\}`([^`]+)`")
OPEN = re.compile(r"^(:{3,}|`{3,})\{([\w-]+)\} ?(.*)$")
FENCE = re.compile(r"^(`{3,}|~{3,})")
WELCOME = """*This notebook is the page “{title}” of the course “{course}”, without its outputs: run the cells and see.
It needs the course's packages and its module `helpers`. In the course's folder, `pip install -r requirements.txt`
(or `make lab`) installs all of them.*"""
CHECK = """from importlib.util import find_spec

if find_spec("helpers") is None:
    raise ModuleNotFoundError("This notebook needs the course's module helpers: "
                              "run `pip install -r requirements.txt` in the course's folder.")"""


def convert(text, course, look_up):
    """Return a page's MyST text as a notebook; ``look_up(role, content)`` gives what stands for a role."""
    notebook = jupytext.reads(text, fmt="md:myst")
    notebook.metadata = nbformat.NotebookNode(
        kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
        language_info={"name": "python"})
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = readable(cell.source, look_up)
        elif "remove-cell" in cell.metadata.get("tags", []):  # the claims' proofs: folded, as the page hides them
            cell.metadata["jupyter"] = {"source_hidden": True}
    title = re.search(r"^# (.+)$", text, re.M)
    notebook.cells[:0] = [
        nbformat.v4.new_markdown_cell(WELCOME.format(title=title[1] if title else course, course=course)),
        nbformat.v4.new_code_cell(CHECK)]
    notebook.cells = [cell for cell in notebook.cells if cell.source.strip()]
    for i, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{i}"  # the same file from the same page
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def readable(text, look_up):
    """Return MyST Markdown as the Markdown that plain Jupyter shows."""
    lines, out = text.split("\n"), []
    while lines:
        line = lines.pop(0)
        opened = OPEN.match(line)
        if opened:
            marks, name, title = opened.groups()
            out += _directive(name, title, _body(lines, marks), look_up)
        elif fence := FENCE.match(line):
            out += [line, *_body(lines, fence[1]), fence[1]]
        elif not re.match(r"^(\([\w.-]+\)=|%.*)$", line):  # labels and comments
            out.append(_inline(line, look_up))
    return "\n".join(out)


def _body(lines, marks):
    """Take the lines up to the closing marks away from ``lines`` and return them."""
    body = []
    while lines:
        line = lines.pop(0)
        if line.strip() == marks:
            break
        body.append(line)
    return body


def _directive(name, title, body, look_up):
    options = {}
    while body and (option := re.match(r"^:([\w-]+):(.*)$", body[0])):
        options[option[1]] = option[2].strip()
        body = body[1:]
    if name == "math":
        return ["$$", *body, "$$"]
    inner = readable("\n".join(body), look_up).strip("\n").split("\n")
    title = _inline(title, look_up)
    if name == "exercise":
        return [f"**Exercise. {title}**", "", *inner]
    if name in ("hint", "solution", "dropdown"):
        summary = {"hint": "Hint", "solution": "Solution"}.get(name, title)
        return ["<details>", f"<summary>{summary}</summary>", "", *inner, "", "</details>", ""]
    if name in ("image", "figure"):
        return [f"*{options['alt']}*"] if "alt" in options else []
    heading = [title] if name == "admonition" else [name.capitalize()] if not title else [title]
    return ["> " + line if line else ">" for line in [f"**{heading[0]}**", "", *inner]]


def _inline(line, look_up):
    line = re.sub(r"^(\$\$.*?|)\$\$ \(([\w.-]+)\)$", lambda m: rf"{m[1]}\tag{{{look_up('tag', m[2])}}}$$", line)
    line = LINK.sub(lambda m: look_up("page", f"{m[1]} <{m[2]}>"), line)
    line = ROLE.sub(lambda m: look_up(m[1], m[2]), line)
    return re.sub(r"\[([^]]+)\]\{[.#][^}]*\}", r"\1", line)


def answers(app, name):
    """Return the function that ``convert`` asks: numbers, titles and citations of one page."""
    env = app.env
    folder = Path(app.outdir).parent / "jupyter_execute"
    glued = {}

    def glue(content):
        key, _, form = content.partition(":")
        if not glued:
            glued.update(read_glue_cache(folder, name) or {"": None})
        try:
            text = glued[key]["data"]["text/plain"]
        except KeyError:
            return "…"
        try:
            return format(float(text) if form.endswith(("f", "e", "g", "%")) else int(text), form) if form else (
                text.strip("'\""))
        except ValueError:
            return text.strip("'\"")

    def look_up(role, content):
        if role.startswith("glue"):
            return glue(content)
        if role == "running-time":
            runtime = (NbMetadataCollector.get_exec_data(env, name) or {}).get("runtime")
            return "a few seconds" if runtime is None else f"{max(1, round(runtime))} seconds"
        if role in ("eq", "tag"):
            equation = env.get_domain("math").equations.get(content)
            number = str(equation[1]) if equation else content
            return f"({number})" if role == "eq" else number
        if role.startswith("cite"):
            works = [re.sub(r"^([a-z-]+)(\d{4}).*$", lambda m: f"{m[1].capitalize()} {m[2]}", key.strip())
                     for key in content.split(",")]
            return ", ".join(works) if role == "cite:t" else f"({'; '.join(works)})"
        text, _, target = content.rstrip(">").rpartition("<") if content.endswith(">") else ("", "", content)
        if role == "page":
            address = app.config.html_baseurl.rstrip("/")
            return f"[{text.strip()}]({address}/{linked(name, target)}.html)" if address else f"“{text.strip()}”"
        return text.strip() or target

    return look_up


def write(app, name, template, context, doctree):
    """Write the notebook of a page beside its source, and let the theme's download button offer it."""
    if doctree is None or app.builder.name != "html":
        return
    page = read(name, app.env.doc2path(name))
    if not page.notebook:
        return
    path = Path(app.outdir) / "_sources" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(convert(page.text, app.config.html_title or app.config.project, answers(app, name)), path)
    context["ipynb_source"] = f"{name}.ipynb"


def setup(app):
    app.connect("html-page-context", write, priority=400)  # before the theme's buttons, which ask for the notebook
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
