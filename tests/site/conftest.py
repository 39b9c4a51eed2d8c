import pytest
from playwright.sync_api import sync_playwright

from tests.site import browser as look


@pytest.fixture(scope="session")
def browser():
    path = look.executable()
    if path is None:
        pytest.skip("no Chromium, Chrome or Edge on this machine: install one, or name it in the variable CHROMIUM")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=look.ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def tab(browser):
    """One tab for many visits."""
    tab = browser.new_page()
    yield tab
    tab.close()
