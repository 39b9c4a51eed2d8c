"""A pytest plugin that makes nbval strict: figures are compared too, and a cell without a first run is an error."""

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile


@pytest.hookimpl(hookwrapper=True)
def pytest_collect_file(file_path, parent):
    outcome = yield
    for collector in outcome.get_result() or []:
        if isinstance(collector, IPyNbFile):
            collector.skip_compare = tuple(key for key in collector.skip_compare if not key.startswith("image/"))


def pytest_collection_modifyitems(items):
    unrun = [item for item in items if isinstance(item, IPyNbCell) and item.cell.execution_count is None]
    if unrun:  # nbval would run such a cell and compare its output with nothing
        raise pytest.UsageError(f"{len(unrun)} cells have no first run to compare with, such as {unrun[0].nodeid}")
