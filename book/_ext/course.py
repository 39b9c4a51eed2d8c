"""What the course adds to Sphinx: the running time of a page, measured when the book was built."""

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


def setup(app):
    app.add_node(RunningTime)
    app.add_role("running-time", RunningTimeRole())
    app.add_post_transform(FillRunningTime)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
