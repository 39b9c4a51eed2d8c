"""Look at a built page as a reader's browser does, and report every fault by name."""

import os
import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

PHONE, DESKTOP = 390, 1280
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


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


class Visit:
    """One page in one window: what it asked for, what it complained of, and the page itself."""

    def __init__(self, browser, address, path, width=DESKTOP, theme="light"):
        self.foreign, self.complaints, self.sizes = [], [], {}
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        self.page.route("**/*", partial(self._guard, address))
        self.page.on("response", self._weigh)
        self.page.goto(f"{address}/{path}", wait_until="networkidle")
        self.page.add_style_tag(content="*, *::before, *::after { transition: none !important; }")  # colours at once
        self.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)

    def _note(self, kind, text):
        if kind == "error":
            self.complaints.append(f"console: {text}")

    def _guard(self, address, route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            self.foreign.append(route.request.url)
            route.abort()

    def _weigh(self, response):
        if response.ok and response.request.resource_type in ("document", "script", "image"):
            self.sizes[response.url] = int(response.headers.get("content-length", 0))

    def close(self):
        self.context.close()

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
            ".cell_output img[src$='.svg']", "all => all.map(one => [one.src, one.getBoundingClientRect().width])")
        for source, shown in charts:
            text = self.page.evaluate("source => fetch(source).then(answer => answer.text())", source)
            points = float(re.search(r'<svg[^>]* width="([\d.]+)pt"', text)[1])
            sizes = [100 * float(size) for size in re.findall(r"scale\(([\d.]+) -[\d.]+\)", text)]
            found += [(size * shown / points, source.rsplit("/", 1)[-1]) for size in sizes]
        return min(found, default=None)

    def accessibility_faults(self):
        """Return axe-core's serious and critical findings; the inner parts of MathJax's formulas are not ours.

        Without ``preload`` it asks for no style sheets: it looks for those that others import at a wrong address, and
        the 404 would stand among the page's own complaints.
        """
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page, context={"exclude": [["mjx-container"]]},
                          options={"resultTypes": ["violations"], "preload": False}).response["violations"]
        return [f"{one['id']}: {one['help']} ({len(one['nodes'])}×, first {one['nodes'][0]['html'][:150]})"
                for one in found if one["impact"] in ("serious", "critical")]

    def weight(self):
        """Return the bytes of HTML, scripts and pictures that the page loaded, MathJax apart."""
        return sum(size for url, size in self.sizes.items() if "mathjax" not in url)


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
