/* A chart that is wider than a phone scrolls inside its box: the keyboard has to reach the box, and it needs a name. */
(() => {
  "use strict";

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".cell_output:has(img.wide)").forEach((box) => {
      if (box.scrollWidth <= box.clientWidth) return;   // nothing to scroll, as on a desktop
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", box.querySelector("img.wide").alt);
    });
  });
})();
