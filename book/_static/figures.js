/* A figure or a printed table that is wider than a phone scrolls in its box: the keyboard has to reach it, by a name. */
(() => {
  "use strict";

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".cell_output:has(img.wide), .cell_output pre").forEach((box) => {
      if (box.scrollWidth <= box.clientWidth) return;   // nothing to scroll, as on a desktop
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", box.querySelector("img.wide")?.alt ?? "What the code prints");
    });
  });
})();
