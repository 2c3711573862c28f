// Small repairs of the theme, for keyboards, screen readers and narrow screens. The pages work without them.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  // The arrows that unfold a part of the sidebar have no name.
  for (const arrow of document.querySelectorAll("nav details > summary")) {
    const link = arrow.closest("li")?.querySelector(":scope > a");
    if (link) arrow.setAttribute("aria-label", `Pages under “${link.textContent.trim()}”`);
  }
  // The sidebar is more than its list of pages: logo and search are in no landmark.
  const sidebar = document.getElementById("pst-primary-sidebar");
  sidebar?.setAttribute("role", "navigation");
  sidebar?.setAttribute("aria-label", "Course");
  // Tables of many columns become cards on a narrow screen, where each cell says what it is.
  for (const table of document.querySelectorAll("article table.table")) {
    const names = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
    if (names.length < 4) continue;
    table.classList.add("cards");
    table.setAttribute("role", "table");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      [...row.cells].forEach((cell, index) => {
        cell.setAttribute("role", cell.closest("thead") ? "columnheader" : "cell");
        if (!cell.closest("thead") && names[index] && index > 0) cell.dataset.name = names[index];
      });
    }
  }
});
