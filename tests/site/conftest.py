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


@pytest.fixture(scope="module")
def address():
    """Serve the built book."""
    server, address = look.serve(look.SITE)
    yield address
    server.shutdown()


@pytest.fixture
def visit(browser, address):
    """Return a function that opens a page in a fresh window; at the end no visit may have complained."""
    visits = []

    def open_page(path, **options):
        visits.append(look.Visit(browser, address, path, **options))
        return visits[-1]

    yield open_page
    complaints = [one for each in visits for one in each.complaints + each.foreign]
    for each in visits:
        each.close()
    assert not complaints
