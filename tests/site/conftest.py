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
def site():
    """Return the folder of the built book; a module that builds a site of its own puts that in its place."""
    return look.SITE


@pytest.fixture(scope="module")
def address(site):
    """Serve the site."""
    server, address = look.serve(site)
    yield address
    server.shutdown()


@pytest.fixture
def visit(request, browser, address):
    """Return a function that opens a page, by default the module's ``PAGE``, in a fresh window.

    At the end no visit may have complained.
    """
    visits, page = [], getattr(request.module, "PAGE", "index.html")

    def open_page(path=page, **options):
        visits.append(look.Visit(browser, address, path, **options))
        return visits[-1]

    yield open_page
    complaints = [one for each in visits for one in each.complaints + each.foreign]
    for each in visits:
        each.close()
    assert not complaints
