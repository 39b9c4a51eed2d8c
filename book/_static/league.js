/* Makes the columns of a league sortable: each heading becomes a button, and aria-sort tells the order. Where rows are
   of several damages, a menu above the table shows those of one. */
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

  function addFilter(table) {
    const column = [...table.tHead.rows[0].cells].findIndex((heading) => heading.textContent === "Damage");
    if (column < 0) return;
    const rows = [...table.tBodies[0].rows];
    const menu = document.createElement("select");
    menu.append(new Option("all damages", ""));
    new Set(rows.map((row) => row.cells[column].dataset.value)).forEach((damage) => menu.append(new Option(damage)));
    menu.addEventListener("change", () => rows.forEach((row) => {
      row.hidden = menu.value !== "" && row.cells[column].dataset.value !== menu.value;
    }));
    const label = document.createElement("label");
    label.className = "league-filter";
    label.append("Show ", menu);
    table.closest(".league").before(label);
  }

  function prepare(table) {
    addFilter(table);
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);   // with the places where a narrow column may break it
      button.addEventListener("click", () => sort(table, column));
      heading.replaceChildren(button);
    });
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".league table").forEach(prepare));
})();
