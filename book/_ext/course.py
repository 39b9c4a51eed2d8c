"""What the course adds to Sphinx: measured running times, and no button that leads nowhere."""

import os
import re
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxRole


class RunningTime(nodes.General, nodes.Element):
    """A place where the running time of the page will stand."""


class RunningTimeRole(SphinxRole):
    """``{running-time}`seconds` `` is the time that this page's cells took, for example "6 seconds"."""

    def run(self):
        return [RunningTime()], []


class FillRunningTime(SphinxPostTransform):
    default_priority = 8

    def run(self, **kwargs):
        for node in list(self.document.findall(RunningTime)):
            runtime = (NbMetadataCollector.get_exec_data(self.env, self.env.docname) or {}).get("runtime")
            if runtime is None:
                text = "no time: nothing runs on this page"
            else:
                seconds = max(1, round(runtime))
                text = f"{seconds} second{'s' if seconds > 1 else ''}"
            node.replace_self(nodes.Text(text))


def keep_only_buttons_that_lead_somewhere(app, config):
    """Launch, source and issue buttons need a repository: without its address in _config.yml they go."""
    options = config.html_theme_options
    hosted = bool(options.get("repository_url"))
    for button in ("use_repository_button", "use_source_button", "use_issues_button"):
        options[button] = hosted
    if not hosted:
        options["launch_buttons"] = {}


def drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out Thebe, which Jupyter Book always loads: it runs cells on another host, and no button here asks."""
    context["script_files"] = [
        script for script in context["script_files"]
        if "thebe" not in f"{script.filename} {script.attributes.get('body')}".lower()
    ]


def mend_citation_list(app, pagename, templatename, context, doctree):
    """Drop the role "list" of bibliographies: their entries are no list items, and screen readers stumble over that."""
    if "body" in context:
        context["body"] = context["body"].replace('<div role="list" class="citation-list">', "<div>")


def hold_together(app, pagename, templatename, context, doctree):
    """Let no line begin with a formula's full stop or a number's unit; no space before a link is underlined."""
    if "body" in context:
        formula = r'[(“‘]*<span class="math notranslate nohighlight">[^<]*</span>[.,;:!?)”’]+'
        body = re.sub(formula, r'<span class="together">\g<0></span>', context["body"])
        parts = re.split(r"(<pre.*?</pre>)", body, flags=re.DOTALL)  # what is printed keeps its spaces
        parts[::2] = [re.sub(r"(?<=[\d>]) (?=(%|dB\b)[^<>]*<)", "\N{NO-BREAK SPACE}", part) for part in parts[::2]]
        body = "".join(parts)
        context["body"] = re.sub(r"Solution to(<a [^>]*>) ", r"Solution to \1", body)


def reach_tables(app, pagename, templatename, context, doctree):
    """Let the keyboard reach tables: on a phone a wide one scrolls inside its box."""
    if "body" in context:
        context["body"] = context["body"].replace('<table class="table">', '<table class="table" tabindex="0">')


def drop_icon_script(app, exception):
    """Empty the theme's icon script, 1.5 MB a page: every icon of this book comes from the theme's icon font."""
    script = Path(app.outdir) / "_static/scripts/fontawesome.js"
    if exception is None and script.exists():
        script.write_text("/* the icons come from the font */\n")


def setup(app):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's greetings would stand on the pages as warnings
    app.connect("html-page-context", drop_thebe)
    app.connect("html-page-context", mend_citation_list)
    app.connect("html-page-context", hold_together)
    app.connect("html-page-context", reach_tables)
    app.connect("build-finished", drop_icon_script)
    app.connect("config-inited", keep_only_buttons_that_lead_somewhere)
    app.add_node(RunningTime)
    app.add_role("running-time", RunningTimeRole())
    app.add_post_transform(FillRunningTime)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
