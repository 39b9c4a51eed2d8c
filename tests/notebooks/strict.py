"""A pytest plugin that makes nbval strict: figures are compared too, and a cell without a first run is an error.

Two notebooks run at a time, so each kernel has sockets of its own, as in the build.
"""

import sys
import tempfile

import nbval.kernel
import pytest
from jupyter_client.manager import KernelManager
from nbval.plugin import IPyNbCell, IPyNbFile

from tests import pages

sys.path.insert(0, str(pages.ROOT / "book/_ext"))
from sockets import sockets

SOCKETS = tempfile.TemporaryDirectory(prefix="notebooks-")


class OwnSockets(KernelManager):
    """A manager whose kernel takes no port that another one may take in the same moment."""

    started = 0

    def __init__(self, **settings):
        OwnSockets.started += 1
        super().__init__(config=sockets(f"{SOCKETS.name}/{OwnSockets.started}"), **settings)


nbval.kernel.KernelManager = OwnSockets


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
