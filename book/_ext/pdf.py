"""Print the built book as one PDF: ``python book/_ext/pdf.py`` after ``make book``.

The pages of the table of contents are put into one file, with the links between them, and headless Chromium prints it.
"""

import os
import re
import shutil
import sys
from pathlib import Path

import yaml
from bs4 import BeautifulSoup
from pages import _files

from helpers.files import write_whole

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")


def together(site, names):
    """Return the HTML of all pages as one document: each page is an article whose anchors carry its name."""
    site = Path(site)
    whole = BeautifulSoup((site / f"{names[0]}.html").read_bytes(), "html.parser")
    keep = {name: f"page{i}" for i, name in enumerate(names)}
    folder = Path(names[0]).parent
    articles = []
    for name, prefix in keep.items():
        soup = whole if not articles else BeautifulSoup((site / f"{name}.html").read_bytes(), "html.parser")
        article = soup.find("article", class_="bd-article")
        article["id"], article["class"] = prefix, [*article["class"], "page"]
        for tag in article.find_all(id=True):
            tag["id"] = f"{prefix}-{tag['id']}"
        for tag in article.find_all("details"):
            tag["open"] = ""
        for tag in article.find_all("img", src=re.compile(r"^(?!data:|https?:)")):
            tag["src"] = os.path.relpath(os.path.normpath(Path(name).parent / tag["src"]), folder)
            tag.attrs.pop("loading", None)
        for tag in article.find_all("a", href=re.compile(r"^(?!https?:|mailto:)")):
            path, _, anchor = tag["href"].partition("#")
            page = os.path.normpath(Path(name).parent / path).removesuffix(".html") if path else name
            if page in keep:
                tag["href"] = f"#{keep[page]}-{anchor}" if anchor else f"#{keep[page]}"
            else:
                del tag["href"]
        articles.append(article.extract())
    body = whole.body
    for tag in body.find_all("script"):
        tag.extract()
    body.clear()
    content = whole.new_tag("div", attrs={"class": "bd-content"})
    content.extend(articles)
    body.append(content)
    return str(whole)


def print_pdf(page, browser):
    """Return one HTML file as a PDF with an outline, when its formulas are typeset and its pictures are there."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        window = running.new_page(color_scheme="light")
        window.set_default_timeout(0)
        window.goto(page.as_uri(), wait_until="load", timeout=0)
        window.evaluate("document.documentElement.dataset.theme = 'light'")
        window.evaluate("() => window.MathJax && window.MathJax.startup ? window.MathJax.startup.promise : null")
        printed = window.pdf(prefer_css_page_size=True, tagged=True, outline=True, display_header_footer=True,
                             header_template="<span></span>", footer_template='<div style="width:100%;'
                             'text-align:center;font-size:8px"><span class="pageNumber"></span></div>')
        running.close()
    return printed


def main(root=ROOT):
    site = Path(root) / "_build/html"
    browser = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        return "make pdf needs Chromium, Chrome or Edge: install one, or name it in the variable CHROMIUM"
    toc = yaml.safe_load((Path(root) / "_toc.yml").read_text(encoding="utf-8"))
    names = [toc["root"]]
    for part in toc.get("parts", [toc]):
        names += _files(part)
    if missing := [name for name in names if not (site / f"{name}.html").is_file()]:
        return f"{missing[0]} is not built: run make book first"
    page = site / Path(names[0]).parent / "whole-book.html"
    try:
        page.write_text(together(site, names), encoding="utf-8")
        printed = print_pdf(page, browser)
    finally:
        page.unlink(missing_ok=True)
    write_whole(Path(root) / "_build/book.pdf", lambda path: path.write_bytes(printed))
    print(f"The whole book on paper: {Path(root) / '_build/book.pdf'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
