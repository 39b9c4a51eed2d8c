"""A pytest plugin that makes nbval compare figures too: the second run must draw the same pixels."""

import pytest
from nbval.plugin import IPyNbFile


@pytest.hookimpl(hookwrapper=True)
def pytest_collect_file(file_path, parent):
    outcome = yield
    for collector in outcome.get_result() or []:
        if isinstance(collector, IPyNbFile):
            collector.skip_compare = tuple(key for key in collector.skip_compare if not key.startswith("image/"))
