"""What other extensions ask about a page: its question, how long it takes, and what to read before it."""

import posixpath
import re
from pathlib import Path
from typing import NamedTuple

import yaml
from docutils import nodes

LINK = re.compile(r"\[([^]]+)\]\((?!\w+:)([^)\s]+)\.md\)")  # words and target of a link to another page


class Page(NamedTuple):
    """One page, as the box at its top describes it. What the box does not say is empty."""

    name: str  # "book/2-concepts/generation"
    text: str
    notebook: bool
    question: str
    minutes: str
    first: list  # names of the pages to read first


def read(name, path):
    """Return the :class:`Page` of one source file."""
    text = Path(path).read_text(encoding="utf-8")
    first = [linked(name, target) for _, target in LINK.findall(_lead(text, r"\*\*Read first:\*\*"))]
    return Page(name, text, text.startswith("---\njupytext:"), _lead(text, r"\*\*The question\.\*\*"),
                "".join(re.findall(r"^\*\*Time:\*\* (\d+) minutes", text, re.M)[:1]), first)


def linked(name, target):
    """Return the name of the page that a link on the page ``name`` leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def boxes(doctree, kind):
    """Return the admonitions of a class: JupyterLab shows their words, an extension puts something in their place."""
    return [node for node in doctree.findall(nodes.admonition) if kind in node["classes"]]


def _lead(text, words):
    """Return the rest of the paragraph that begins with some bold words."""
    found = re.search(rf"^{words} *(.*?)\n\n", text, re.M | re.S)
    return " ".join(found[1].split()) if found else ""


def chapters(source):
    """Return the chapters of the table of contents, (caption, names of pages), without the appendix."""
    toc = yaml.safe_load((Path(source) / "_toc.yml").read_text(encoding="utf-8"))
    return [(part["caption"], list(_files(part))) for part in toc.get("parts", [])
            if re.match(r"\d", part.get("caption", ""))]


def _files(entry):
    for part in entry.get("chapters", []) + entry.get("sections", []):
        if "file" in part:
            yield part["file"]
        yield from _files(part)


def plain(text):
    """Return a line of Markdown as bare words: no links, no emphasis, no roles, no dollar signs."""
    text = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\{[\w:-]+\}`([^`<]*?)(?: *<[^`>]*>)?`", r"\1", text)
    return re.sub(r"[*`$]", "", text).strip()
