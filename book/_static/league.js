/* Makes the columns of a league sortable: each heading becomes a button, and aria-sort tells the order. */
(() => {
  "use strict";

  const OTHER = { ascending: "descending", descending: "ascending" };

  function compare(kind, order) {
    const sign = order === "ascending" ? 1 : -1;
    return ([a], [b]) => {
      if (a === "" || b === "") return (a === "") - (b === "");   // what was not played stands last, in either order
      return sign * (kind === "text" ? a.localeCompare(b) : Number(a) - Number(b));
    };
  }

  function sort(table, column) {
    const headings = [...table.tHead.rows[0].cells];
    const heading = headings[column];
    const first = heading.dataset.kind === "text" ? "ascending" : "descending";
    const order = OTHER[heading.getAttribute("aria-sort")] || first;
    headings.forEach((one) => one.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", order);
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => [row.cells[column].dataset.value, row]);
    rows.sort(compare(heading.dataset.kind, order));   // stable: equal rows keep the order of the last sort
    body.append(...rows.map(([, row]) => row));
  }

  function prepare(table) {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = heading.textContent;
      button.addEventListener("click", () => sort(table, column));
      heading.replaceChildren(button);
    });
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".league table").forEach(prepare));
})();
