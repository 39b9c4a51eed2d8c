"""Progress: every page of the table of contents with its exercises and quiz questions, to be ticked.

It takes the place of an admonition with the class ``progress``, whose words JupyterLab shows instead. The list is made
from what Sphinx has read, so it is never out of date. ``progress.js`` fills in what this reader did; without it the
page is a list to print.
"""

from html import escape
from pathlib import Path

from docutils import nodes
from pages import boxes
from quiz import Question
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import exercise_subtitle, is_exercise_node


class Chapter(nodes.General, nodes.Element):
    """A place for the list of a chapter's ``pages``."""


CONTROLS = """
<noscript><p>Your browser runs no scripts here, so nothing can be remembered. You can print this page and tick it on
paper.</p></noscript>
<div class="progress-controls" hidden>
<progress aria-label="share of the course that is done"></progress>
<p class="progress-all"></p>
<p class="progress-forgets" hidden>This browser does not let the book remember anything: your ticks are lost when you
leave a page. A private window and a blocked storage are the usual reasons.</p>
<p><button type="button" class="progress-save">Save to a file</button><button type="button" class="progress-load">Load a
file</button><button type="button" class="progress-forget">Forget all</button>
<input type="file" accept=".txt,text/plain" aria-label="file of progress" hidden></p>
<p class="progress-said" role="status"></p>
</div>
"""


def find_place(app, doctree):
    for box in boxes(doctree, "progress"):
        box["classes"].clear()  # the controls would inherit "progress": a thin bar that hides what it holds
        box.replace_self([nodes.raw("", CONTROLS, format="html"), *sections(app.env, doctree)])
        app.env.metadata[app.env.docname]["progress"] = True


def sections(env, doctree):
    """Return one section for each chapter of the table of contents."""
    env.note_dependency(str(Path(env.srcdir, env.config.external_toc_path)))
    toc, found = env.external_site_map, []
    for chapter in toc.root.subtrees:
        pages = [page for page in below(toc, chapter) if page != env.docname]
        if not pages:
            continue
        name = chapter.caption or "Pages"
        section = nodes.section(names=[nodes.fully_normalize_name(name)])
        section += [nodes.title("", name), Chapter("", pages=pages)]
        doctree.note_implicit_target(section, section)
        found.append(section)
    return found


def below(toc, tree):
    """Yield the pages of a part of the table of contents, in its order."""
    for page in tree.files():
        name = page.removesuffix(".md")
        yield name
        for subtree in toc[page].subtrees if page in toc else []:
            yield from below(toc, subtree)


class FillChapters(SphinxPostTransform):
    default_priority = 8

    def run(self, **kwargs):
        for node in list(self.document.findall(Chapter)):
            here, builder = self.env.docname, self.app.builder
            rows = [row(self.env, page, builder.get_relative_uri(here, page)) for page in node["pages"]
                    if page in self.env.titles]
            html = "\n".join(['<div class="progress-chapter">', '<p class="progress-total"></p>',
                              '<ul class="progress-pages">', *rows, "</ul>", "</div>"])
            node.replace_self(nodes.raw("", html, format="html"))


def row(env, page, address):
    """Return one page as a list item: its name, and a box for each thing to do there."""
    title = escape(env.titles[page].astext())
    items = []
    for kind, label, name in todo(env).get(page, []):
        name = escape(name)
        if kind == "exercise":
            state = f'<input type="checkbox" autocomplete="off" data-done="exercise {label}" aria-label="done: {name}">'
        else:
            state = f'<span class="progress-answer" data-quiz="{label}">☐</span>'
        items.append(f'<li>{state} <a href="{address}#{label}">{name}</a></li>')
    inside = f'<ul class="progress-items">{"".join(items)}</ul>' if items else ""
    box = f'<input type="checkbox" autocomplete="off" data-done="page {escape(page)}" aria-label="read: {title}">'
    return f'<li>{box} <a class="progress-page" href="{address}">{title}</a>{inside}</li>'


# ------------------------------------------------------------------------ what there is to do, page by page


def todo(env):
    if not hasattr(env, "course_todo"):
        env.course_todo = {}
    return env.course_todo


def collect(app, doctree):
    """Note the exercises and questions of a page that was read."""
    found = []
    for node in doctree.findall(lambda one: is_exercise_node(one) or isinstance(one, Question)):
        if isinstance(node, Question):
            found.append(("quiz", node["label"], node["title"]))
        else:
            name = node.next_node(exercise_subtitle)
            found.append(("exercise", node["label"], name.astext() if name is not None else "exercise"))
    todo(app.env)[app.env.docname] = found


def forget(app, env, page):
    todo(env).pop(page, None)


def merge(app, env, pages, other):
    todo(env).update({page: found for page, found in todo(other).items() if page in pages})


def list_again(app, env):
    """Write the page of progress again whenever a title, an exercise or a question has changed."""
    now = ({page: title.astext() for page, title in env.titles.items()}, dict(todo(env)))
    if getattr(env, "course_listed", None) == now:
        return []
    env.course_listed = now
    return [page for page, about in env.metadata.items() if about.get("progress")]


def setup(app):
    app.setup_extension("quiz")
    app.add_node(Chapter)
    app.add_post_transform(FillChapters)
    app.connect("doctree-read", find_place, priority=100)  # before the table of contents of the page is made
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", list_again)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
