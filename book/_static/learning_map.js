/* The learning map: hover or focus of a page marks the way to it, and what the reader has done is coloured.

   What is done is read from where progress.js keeps it; without scripts the map is a drawing with links. */
(() => {
  "use strict";

  const map = document.querySelector(".learning-map svg");
  if (!map) return;
  const pages = new Map([...map.querySelectorAll("a[data-page]")].map((one) => [one.dataset.page, one]));
  const lines = [...map.querySelectorAll("path[data-from]")];

  /* All pages on the way to one, itself included. */
  function way(name, found = new Set()) {
    const page = pages.get(name);
    if (!page || found.has(name)) return found;
    found.add(name);
    for (const first of page.dataset.first.split(" ").filter(Boolean)) way(first, found);
    return found;
  }

  function mark(name) {
    const on = name ? way(name) : new Set();
    map.classList.toggle("marked", on.size > 0);
    for (const [page, link] of pages) link.classList.toggle("on-the-way", on.has(page));
    for (const line of lines) {
      line.classList.toggle("on-the-way", on.has(line.dataset.from) && on.has(line.dataset.to));
    }
  }

  function colour() {
    let kept = "";
    try {
      kept = window.localStorage.getItem("image-course-progress") || "";
    } catch {
      return;  // a browser that remembers nothing
    }
    const done = new Set(kept.split(/\r?\n/));
    for (const [page, link] of pages) {
      const read = done.has(`page ${page} done`);
      link.classList.toggle("done", read);
      const label = [...link.querySelectorAll("tspan")].map((one) => one.textContent).join(" ");
      link.setAttribute("aria-label", read ? `${label} (read)` : label);
    }
  }

  for (const [name, link] of pages) {
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => mark(name));
    for (const event of ["mouseleave", "blur"]) link.addEventListener(event, () => mark(null));
  }
  window.addEventListener("storage", colour);
  window.addEventListener("pageshow", colour);
  colour();
})();
