"""The second way in: pages as notebooks in JupyterLab, from the landing page to a solved exercise."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests import pages

PAGES = ("index.md", "1-background/first-restoration.md", "1-background/quiz.md")
BIN = Path(sys.executable).parent
SOLUTION = """gain = 20 * np.log10(2)

check("first_restoration.halving", gain)"""


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """Start JupyterLab as ``make lab`` does, on copies of three pages, if there is a browser; yield its address."""
    book, settings = tmp_path_factory.mktemp("book"), tmp_path_factory.mktemp("settings")
    for page in PAGES:
        (book / page).parent.mkdir(exist_ok=True)
        shutil.copy(pages.ROOT / "book" / page, book / page)
    environment = os.environ | {"JUPYTER_CONFIG_DIR": str(settings), "JUPYTER_DATA_DIR": str(settings / "data")}
    subprocess.run([BIN / "jupytext-config", "set-default-viewer"], env=environment, check=True, capture_output=True)
    overrides = settings / "labconfig/default_setting_overrides.json"
    every_cell = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}  # also those out of sight
    overrides.write_text(json.dumps(json.loads(overrides.read_text()) | every_cell))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([BIN / "jupyter", "lab", "--no-browser", "--allow-root", f"--ServerApp.port={port}",
                               "--IdentityProvider.token=", f"--ServerApp.root_dir={book}"], env=environment,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{address}/api").close()
            break
        except OSError:
            time.sleep(0.5)
    yield address
    server.terminate()
    server.wait()


@pytest.fixture
def window(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    window = context.new_page()
    window.set_default_timeout(60_000)
    yield window
    context.close()


def test_from_the_landing_page_to_a_solved_exercise(lab, window):
    window.goto(f"{lab}/lab/tree/index.md")
    window.locator(".jp-MarkdownCell a", has_text="Restore your first photograph").first.click()
    window.get_by_role("tab", name="first-restoration.md").wait_for()
    window.locator("text=Damage a photograph on purpose >> visible=true").first.wait_for()
    window.get_by_role("menuitem", name="Run", exact=True).click()
    window.get_by_text("Run All Cells", exact=True).click()
    cell = window.locator(".jp-CodeCell", has_text='check("first_restoration.halving"')
    cell.get_by_text("Not yet").wait_for()
    cell.locator(".cm-content").click()
    window.keyboard.press("Control+A")
    window.keyboard.insert_text(SOLUTION)
    window.keyboard.press("Control+Enter")
    cell.get_by_text("✓ Right.").wait_for()


def test_a_page_without_code_asks_for_no_kernel(lab, window):
    window.goto(f"{lab}/lab/tree/1-background/quiz.md?reset")
    window.locator("text=Answers >> visible=true").first.wait_for()
    window.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for()
    assert window.locator(".jp-Dialog").count() == 0
