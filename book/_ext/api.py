"""The API page: autodoc reads the docstrings of helpers, without loading TensorFlow."""

import re


def mend(app, what, name, thing, options, lines):
    """Let reStructuredText take formulas with bars as they are, and a doctest after a section as an example."""
    if lines and re.match(r"Alias for field number \d+", lines[0]):  # Python's own words, which say nothing
        lines.clear()
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "===")):
            lines[i] = "".join(part if part.startswith("`") else part.replace("|", r"\|")
                               for part in re.split(r"(``.*?``|`[^`]*`)", line))
    first = next((i for i, line in enumerate(lines) if line.startswith(">>>")), None)
    if first is not None and any(re.match(r"-{3,}$", line) for line in lines[:first]):
        lines[first:first] = ["Examples", "--------"]


def setup(app):
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.napoleon")
    config = app.config
    config.autodoc_mock_imports = ["keras", "tensorflow"]
    config.autodoc_typehints = "none"
    config.autodoc_member_order = "bysource"
    config.autodoc_preserve_defaults = True  # as in the source: FOLDER, not its path here
    config.napoleon_use_param = config.napoleon_use_rtype = config.napoleon_use_ivar = False
    # Python's own exceptions are documented on another host, which this book does not ask
    config.nitpick_ignore_regex = [*config.nitpick_ignore_regex, ("py:(exc|class|obj)", r"\w+(Error|Interrupt)")]
    app.connect("autodoc-process-docstring", mend, priority=100)  # before napoleon
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
