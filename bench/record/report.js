// Tables are sorted by their heads, and machines found by what is typed. Without this all is shown as it is.
"use strict";

// A figure with its unit; days and versions begin with a number too, and are none.
const figure = (cell) => {
  const found = cell.textContent.trim().match(/^(-?\d+(?:\.\d+)?)(?:[\s%×]|$)/);
  return found ? Number(found[1]) : NaN;
};
const inOrder = new Intl.Collator("en", { numeric: true }).compare; // version 0.9.0 before 0.10.0

function sort(table, column, down) {
  const body = table.tBodies[0], rows = [...body.rows];
  const text = (row) => row.cells[column].textContent.trim();
  const numbers = rows.every((row) => !text(row) || !Number.isNaN(figure(row.cells[column])));
  rows.sort((a, b) => {
    if (!text(a) || !text(b)) return (text(a) ? 0 : 1) - (text(b) ? 0 : 1); // empty ones last
    const order = numbers ? figure(a.cells[column]) - figure(b.cells[column]) : inOrder(text(a), text(b));
    return down ? -order : order;
  });
  body.append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      sort(table, column, down);
    });
  });
}

const asked = document.querySelector("#find");
if (asked) {
  asked.closest("p").hidden = false;
  asked.addEventListener("input", () => {
    const words = asked.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = (text) => words.every((word) => text.toLowerCase().includes(word));
    let count = 0;
    for (const row of document.querySelectorAll("#machines tbody tr")) {
      row.hidden = !shown(row.textContent);
      count += row.hidden ? 0 : 1;
      document.getElementById(row.dataset.machine).hidden = row.hidden;
    }
    document.querySelector("#found").textContent = words.length ? `${count} found` : "";
  });
}

for (const price of document.querySelectorAll("input.price")) {
  price.closest("p").hidden = false;
  const answer = price.closest("p").querySelector("output");
  const rtf = Number(price.dataset.rtf);
  price.addEventListener("input", () => {
    const cost = Number(price.value) * rtf;
    answer.textContent = price.value && cost >= 0 ? `an hour of speech costs ${cost.toFixed(cost < 1 ? 3 : 2)}` : "";
  });
}

// What is folded is printed too.
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details:not([open])")) {
    one.open = true;
    one.dataset.folded = "";
  }
});
addEventListener("afterprint", () => {
  for (const one of document.querySelectorAll("details[data-folded]")) {
    one.open = false;
    delete one.dataset.folded;
  }
});
