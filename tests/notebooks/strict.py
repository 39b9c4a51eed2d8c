"""A pytest plugin that makes nbval strict: figures are compared too, and a cell without a first run is an error.

Behind the cell of an exercise its solution is proved too, in the same kernel: pages need not run a third time for it.

Two notebooks run at a time, so each kernel has sockets of its own, as in the build.
"""

import sys
import tempfile
from queue import Empty

import nbval.kernel
import pytest
from jupyter_client.manager import KernelManager
from nbval.plugin import IPyNbCell, IPyNbFile

from tests import pages
from tests.notebooks import executed

sys.path.insert(0, str(pages.ROOT / "book/_ext"))
from sockets import sockets

JUDGED = 300  # seconds that an exercise may take
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


def pytest_runtest_setup(item):
    if isinstance(item, IPyNbCell) and item.cell.execution_count is None:
        pytest.fail("this cell has no first run to compare with", pytrace=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    outcome = yield
    if outcome.excinfo or not isinstance(item, IPyNbCell) or "exercise" not in item.cell.metadata.get("tags", ()):
        return
    exercise = pages.exercise_of(item.cell)
    if exercise is None:
        outcome.force_exception(AssertionError("the cell of an exercise does not end in a check"))
        return
    page = pages.ROOT / item.path.relative_to(executed.FOLDER).with_suffix(".md")
    reply = _ask(item.parent.kernel, f"""__import__("sys").path.insert(0, {str(pages.ROOT)!r})
__import__("tests.exercises.proof", fromlist=["prove"]).prove({str(page)!r}, {exercise.name!r}, globals())""")
    if reply["status"] != "ok":
        outcome.force_exception(AssertionError(f"{exercise.name}: {reply.get('ename')}: {reply.get('evalue')}"))


def _ask(kernel, source):
    """Run source in a notebook's kernel and return the reply."""
    asked = kernel.execute_cell_input(source, allow_stdin=False)
    while True:
        try:
            message = kernel.get_message(stream="shell", timeout=JUDGED)
        except Empty:
            kernel.interrupt()
            return {"status": "error", "ename": "TimeoutError", "evalue": f"not judged within {JUDGED} s"}
        if message["parent_header"].get("msg_id") == asked:
            return message["content"]
