"""What a hosted book needs: a description and a picture for each page, a map of the site, a page for lost readers.

The site's address comes from ``html: baseurl`` in _config.yml, or from the variable ``BOOK_ADDRESS`` when a workflow
knows it better; ``BOOK_REPOSITORY`` does the same for ``repository: url``. Without an address nothing invents one: no
sitemap, no canonical links, and no pictures in the tags, which must be absolute.
"""

import html
import os
import re
from pathlib import Path

from docutils import nodes
from pages import plain, read

LONGEST = 200  # characters of a description
CARD = "_static/card.png"


def take_addresses(app, config):
    config.html_baseurl = os.environ.get("BOOK_ADDRESS") or config.html_baseurl or ""
    if config.html_baseurl and not config.html_baseurl.endswith("/"):
        config.html_baseurl += "/"
    if os.environ.get("BOOK_REPOSITORY"):
        config.html_theme_options["repository_url"] = os.environ["BOOK_REPOSITORY"]


# --------------------------------------------------------------------------------------------- tags of a page


def add_tags(app, name, template, context, doctree):
    """Add a description, Open Graph tags and the first figure of the page as its picture."""
    if doctree is None:
        return
    about = description(read(name, app.env.doc2path(name)), doctree)
    tags = {"og:title": plain(context.get("title", "")) or app.config.html_title,
            "og:type": "website" if name == app.config.root_doc else "article",
            "og:site_name": app.config.html_title, "og:description": about}
    figure = first_figure(context.get("body", ""))
    if name == app.config.root_doc:
        app.course_card = figure
    address = app.config.html_baseurl
    if address:
        tags["og:url"] = address + app.builder.get_target_uri(name)
        picture, alt = figure if figure and name != app.config.root_doc else (CARD, "Pictures that the course restored")
        if picture != CARD or figure or (Path(app.outdir) / CARD).exists():
            tags |= {"og:image": address + picture, "og:image:alt": alt}
    lines = [f'<meta name="description" content="{html.escape(about)}">'] if about else []
    lines += [f'<meta property="{key}" content="{html.escape(value)}">' for key, value in tags.items() if value]
    context["metatags"] = context.get("metatags", "") + "\n" + "\n".join(lines) + "\n"


def description(page, doctree):
    """Return the question of a page, or the first sentence of its text."""
    if page.question:
        text = plain(page.question)
    else:
        text = next((" ".join(one.astext().split()) for one in doctree.findall(nodes.paragraph)), "")
        text = re.split(r"(?<=[.?!])\s", text, maxsplit=1)[0]
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"


def first_figure(body):
    """Return (path in the site, alt text) of the first computed figure in the HTML of a page, or None."""
    for tag in re.findall(r"<img [^>]*>", body):
        source = re.search(r'src="(?:\.\./)*(_images/[^"]+\.png)"', tag)
        if source:
            alt = re.search(r'alt="([^"]*)"', tag)
            return source[1], html.unescape(alt[1]) if alt else ""
    return None


# --------------------------------------------------------------------------------------------- whole site


def finish(app, error):
    if error is not None or app.builder.name != "html":
        return
    site = Path(app.outdir)
    draw_card(site, getattr(app, "course_card", None), app.config.html_title)
    address = app.config.html_baseurl
    (site / "404.html").write_text(lost_page(address, app.config.html_title), encoding="utf-8")
    sitemap = site / "sitemap.xml"
    if address:
        urls = "\n".join(f"<url><loc>{html.escape(address + app.builder.get_target_uri(name))}</loc></url>"
                         for name in sorted(app.env.found_docs))
        sitemap.write_text('<?xml version="1.0" encoding="UTF-8"?>\n'
                           f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{urls}\n</urlset>\n',
                           encoding="utf-8")
    else:
        sitemap.unlink(missing_ok=True)


def draw_card(site, figure, title):
    """Draw the picture that stands for the whole course, 1200 × 630: the landing page's own figure and the title."""
    if not figure or not (site / figure[0]).is_file():
        return
    import matplotlib
    from PIL import Image, ImageDraw, ImageFont

    card = Image.new("RGB", (1200, 630), "white")
    with Image.open(site / figure[0]) as picture:
        scale = min(1120 / picture.width, 450 / picture.height)
        picture = picture.convert("RGB").resize((round(scale * picture.width), round(scale * picture.height)),
                                                Image.Resampling.LANCZOS)
    fonts = Path(matplotlib.get_data_path()) / "fonts/ttf"
    pen = ImageDraw.Draw(card)
    pen.text((600, 66), title, fill="#111111", font=ImageFont.truetype(fonts / "DejaVuSans-Bold.ttf", 46), anchor="mm")
    card.paste(picture, ((1200 - picture.width) // 2, 110 + (450 - picture.height) // 2))
    pen.text((600, 598), "A course that runs", fill="#333333", font=ImageFont.truetype(fonts / "DejaVuSans.ttf", 28),
             anchor="mm")
    card.save(site / CARD, optimize=True)


LOST = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Page not found · {title}</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; text-align: center;
         font: 1.1rem/1.6 system-ui, sans-serif; background: #fff; color: #222; }}
  main {{ padding: 1.5rem; max-width: 34rem; }}
  a {{ color: #0b57b0; }}
  @media (prefers-color-scheme: dark) {{ body {{ background: #14181e; color: #e6e6e6; }} a {{ color: #9ecbff; }} }}
</style>
</head>
<body>
<main>
<h1>This page is lost</h1>
<p>There is nothing at this address: the measurement is empty, and no prior can restore it.
Perhaps the page has moved.</p>
<p><a id="home" href="{home}">To the first page of {title}</a></p>
</main>
{script}</body>
</html>
"""
# A host shows this page at any address. So it loads nothing, and its link looks for the book from the top down.
SEARCH = """<script>
(async () => {
  const parts = location.pathname.split("/");
  for (let n = 1; n < parts.length; n++) {
    const root = parts.slice(0, n).join("/") + "/";
    const answer = await fetch(root + "searchindex.js", {method: "HEAD"}).catch(() => null);
    if (answer && answer.ok) {
      document.getElementById("home").href = root + "index.html";
      return;
    }
  }
})();
</script>
"""


def lost_page(address, title):
    """Return the HTML of 404.html: it works wherever the host shows it."""
    return LOST.format(title=html.escape(title), home=html.escape(address or "index.html"),
                       script="" if address else SEARCH)


def setup(app):
    app.connect("config-inited", take_addresses, priority=100)  # before course.py looks for a repository
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
