"""Look at a built page as a reader's browser does, and report every fault by name."""

import os
import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from bs4 import BeautifulSoup

from tests import pages

SITE = pages.ROOT / "_build/html"
PHONE, DESKTOP = 390, 1280
LARGEST_PAGE = 2_000_000  # bytes, MathJax apart
WAIT = 60_000  # milliseconds for what a panel computes: the machine may be busy
LEGIBLE = 9  # pixels of lettering
FIRST_SCREEN = 900  # pixels: the height of a small laptop's window
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
# No name but this machine's own leads anywhere: a page that asks another host is seen and gets no answer.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
READY = """async () => {
    await window.MathJax?.startup?.promise;
    document.body.getBoundingClientRect();  // lays the page out, which asks for its fonts
    await document.fonts.ready;
}"""
IN_THE_DARK = ["color-contrast", "link-in-text-block", "image-alt", "link-name"]  # what another theme can change
ALIKE = (Path(__file__).parent / "alike.js").read_text(encoding="utf-8")


def executable():
    """Return the path of a Chromium browser, or None."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Say nothing."""


def serve(folder):
    """Serve a folder on a free port of this machine; return the server and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def said(page, pattern):
    """Wait until the status of the page's panel has the words, and return all of it."""
    page.wait_for_function("pattern => new RegExp(pattern).test(document.querySelector('.live-status').textContent)",
                           arg=pattern, timeout=WAIT)
    return page.locator(".live-status").inner_text()


def altered(browser, address, name, change):
    """Return a page of its own window that gets the panel's script ``name`` changed, or for None not at all."""
    page = browser.new_context().new_page()

    def answer(route):
        if change is None:
            route.abort()
        else:
            response = route.fetch()
            route.fulfill(response=response, body=change(response.text()))

    page.route(f"**/live/{name}.js*", answer)
    page.goto(f"{address}/index.html")
    return page


def without_simd(text):
    """Return the script of the engine with a kernel that no browser takes."""
    return re.sub(r'"kernel":"[^"]*"', '"kernel":"AGFzbQ=="', text)


def with_another_sum(text):
    """Return the script of a network with a checksum that its weights do not have."""
    return text.replace('"crc32":', '"crc32":1')


def press(page, name):
    """Click on a button."""
    page.get_by_role("button", name=name, exact=True).click()


class Visit:
    """One page in one window: what it asked for, what it complained of, and the page itself.

    Without ``tab`` the visit opens a window of its own. A tab that other visits used saves most of the time of loading:
    its process runs, and the style sheets and scripts that all pages share are in its cache. Nothing that a page stores
    reaches the next.
    """

    def __init__(self, browser, address, path, width=DESKTOP, theme="light", tab=None):
        self.foreign, self.complaints, self.sizes = [], [], {}
        self.page, self._owned = tab or browser.new_page(), tab is None
        self._listeners = {
            "console": self._note,
            "pageerror": lambda error: self.complaints.append(f"script error: {error}"),
            "requestfailed": lambda request: self.complaints.append(f"failed: {request.url}"),
            "request": partial(self._see, address),
            "response": self._weigh,
        }
        for event, listener in self._listeners.items():
            self.page.on(event, listener)
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=theme)
        self.page.goto(f"{address}/{path}")
        self.page.evaluate(READY)
        self.page.add_style_tag(content="*, *::before, *::after { transition: none !important; }")  # colours at once
        self.turn(theme)

    def turn(self, theme):
        """Show the page light or dark."""
        self.page.emulate_media(color_scheme=theme)
        self.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)

    def _note(self, message):
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _see(self, address, request):
        if not request.url.startswith((address, "data:", "blob:")):
            self.foreign.append(request.url)

    def _weigh(self, response):
        if response.ok and response.request.resource_type in ("document", "script", "image"):
            self.sizes[response.url] = int(response.headers.get("content-length", 0))

    def close(self):
        if self._owned:
            self.page.close()
            return
        self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self.page.goto("about:blank")  # what the page still says is not the next one's
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)

    def faults(self):
        """Return what is wrong with how the page loads and lies."""
        faults = [f"asks another host: {url}" for url in self.foreign]
        faults += [one for one in self.complaints if not any(url in one for url in self.foreign)]
        width = self.page.evaluate("document.documentElement.scrollWidth")
        if width > self.page.viewport_size["width"]:
            faults.append(f"scrolls sideways: {width} pixels wide")
        figures = self.page.eval_on_selector_all(".cell_output img", "all => all.map(one => one.alt || '')")
        faults += [f"figure {i + 1} has the alt text {alt!r}, under five words"
                   for i, alt in enumerate(figures) if len(alt.split()) < 5]
        broken = self.page.eval_on_selector_all(
            "img", "all => all.filter(one => !one.complete || !one.naturalWidth).map(one => one.src)")
        return faults + [f"picture does not load: {source}" for source in broken]

    def cut(self):
        """Return the blocks of code and the formulas whose end lies outside their box, with how far."""
        return self.page.evaluate("""() => [
            ...document.querySelectorAll(".bd-article div.highlight pre, .bd-article mjx-container[display=true]")
        ].map(one => {
            const boxes = [one, one.closest("div.math") || one];  // a formula scrolls by itself or in its box
            const over = Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth));
            return [over, one.textContent.trim().slice(0, 60)];
        }).filter(([over]) => over > 1).map(([over, text]) => `cut by ${over} pixels: ${text}`)""")

    def first_figure(self):
        """Return where the first figure of the article ends, in pixels from the top of the page, or None."""
        return self.page.evaluate("""() => {
            const first = document.querySelector(".bd-article :is(.cover, .cell_output) img");
            return first && Math.round(first.getBoundingClientRect().bottom + window.scrollY);
        }""")

    def smallest_chart_text(self):
        """Return the size in pixels of the smallest lettering in the page's charts, as it is shown, with its chart."""
        found = []
        charts = self.page.eval_on_selector_all(
            ":is(.cell_output, .cover) img[src$='.svg']",
            "all => all.map(one => [one.src, one.getBoundingClientRect().width])")
        for source, shown in charts:
            text = self.page.evaluate("source => fetch(source).then(answer => answer.text())", source)
            points = float(re.search(r'<svg[^>]* width="([\d.]+)pt"', text)[1])
            sizes = [100 * float(size) for size in re.findall(r"scale\(([\d.]+) -[\d.]+\)", text)]
            found += [(size * shown / points, source.rsplit("/", 1)[-1]) for size in sizes]
        return min(found, default=None)

    def accessibility_faults(self, rules=None):
        """Return axe-core's serious and critical findings, for all its rules or some.

        The inner parts of MathJax's formulas are not ours. Of the words of code that look alike axe measures the
        contrast of one. Without ``preload`` it asks for no style sheets: it looks for those that others import at a
        wrong address, and the 404 would stand among the page's own complaints.
        """
        options = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": rules} if rules else {})
        self.page.evaluate(f"window.axe || (() => {{ {AXE_SCRIPT} }})()")
        self.page.evaluate(ALIKE)
        found = self.page.evaluate("""options => axe.run({ exclude: [["mjx-container"]] }, options)""", options)
        return [f"{one['id']}: {one['help']} ({len(one['nodes'])}×, first {one['nodes'][0]['html'][:150]})"
                for one in found["violations"] if one["impact"] in ("serious", "critical")]

    def weight(self):
        """Return the bytes of HTML, scripts and pictures that the page loaded, MathJax apart."""
        return sum(size for url, size in self.sizes.items() if "mathjax" not in url)


def faults_by_look(browser, address, path, tab, lesson=False):
    """Return what is wrong with a page on a desktop, light and dark, and on a phone, each with the page and the look.

    A lesson begins with a figure in the first screen. The phone loads the page anew: scripts ask for the width once.
    """
    desktop = Visit(browser, address, path, tab=tab)
    light = desktop.accessibility_faults() + desktop.cut()
    if lesson and not (desktop.first_figure() or FIRST_SCREEN + 1) <= FIRST_SCREEN:
        light.append(f"the first figure ends at {desktop.first_figure()} pixels")
    if desktop.weight() > LARGEST_PAGE:
        light.append(f"weighs {desktop.weight() / 1e6:.2f} MB")
    desktop.turn("dark")
    dark = desktop.accessibility_faults(IN_THE_DARK)
    light += desktop.faults()  # at the end: all that the page complained of
    desktop.close()

    phone = Visit(browser, address, path, PHONE, tab=tab)
    narrow = phone.accessibility_faults()
    size, chart = phone.smallest_chart_text() or (LEGIBLE, "")
    if size < LEGIBLE:
        narrow.append(f"lettering of {size:.1f} pixels in {chart}")
    narrow += phone.faults()
    phone.close()
    looks = {"on a desktop": light, "in the dark": dark, "on a phone": narrow}
    return [f"{path} {look}: {fault}" for look, found in looks.items() for fault in found]


def broken_links(site):
    """Return the internal links and anchors of a built site that lead nowhere."""
    site = Path(site).resolve()
    documents = {path: BeautifulSoup(path.read_bytes(), "html.parser") for path in site.rglob("*.html")
                 if "_static" not in path.parts}
    anchors = {path: {tag.get("id") for tag in soup.find_all(id=True)} | {a.get("name") for a in soup("a")}
               for path, soup in documents.items()}
    broken = []
    for path, soup in documents.items():
        for link in soup.find_all("a", href=True):
            parts = urlsplit(link["href"])
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                broken.append(f"{path.relative_to(site)}: {link['href']} is no file")
            elif parts.fragment and target in anchors and unquote(parts.fragment) not in anchors[target] | {"top"}:
                broken.append(f"{path.relative_to(site)}: {link['href']} is no anchor")
    return broken
