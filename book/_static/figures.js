/* A figure or a printed table that is wider than a phone scrolls in its box: the keyboard has to reach it, by a name. */
(() => {
  "use strict";

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(":is(.cell_output, .cover):has(img.wide), .cell_output pre").forEach((box) => {
      if (box.scrollWidth <= box.clientWidth) return;   // nothing to scroll, as on a desktop
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", box.querySelector("img.wide")?.alt ?? "What the code prints");
    });
  });

  /* A formula in a line of text cannot break: the few that are longer than a phone's line shrink to it. */
  window.addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    document.querySelectorAll(".bd-article mjx-container:not([display])").forEach((formula) => {
      const room = (formula.closest("p, li, dd, td, th")?.clientWidth ?? 0) - 8;  // a full stop may follow
      const width = formula.getBoundingClientRect().width;
      if (room <= 0 || width <= room) return;
      formula.style.fontSize = `${parseFloat(getComputedStyle(formula).fontSize) * room / width}px`;
    });
  });
})();
