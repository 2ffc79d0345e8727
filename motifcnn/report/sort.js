// Sort a table of motifs by the column whose heading is clicked; missing values stay last.
(function () {
  "use strict";
  document.querySelectorAll("table.motifs").forEach(function (table) {
    var headings = Array.prototype.slice.call(table.tHead.rows[0].cells);
    headings.forEach(function (heading, column) {
      heading.tabIndex = 0;
      heading.setAttribute("role", "button");
      function sort() {
        var upward = heading.getAttribute("aria-sort") !== "ascending";
        var numeric = heading.dataset.sort === "number";
        var rows = Array.prototype.slice.call(table.tBodies[0].rows);
        rows.sort(function (one, other) {
          var a = one.cells[column].dataset.value, b = other.cells[column].dataset.value;
          if (a === "" || b === "") { return (a === "") - (b === ""); }
          var order = numeric ? parseFloat(a) - parseFloat(b) : a.localeCompare(b, "en", { numeric: true });
          return upward ? order : -order;
        });
        rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
        headings.forEach(function (cell) { cell.removeAttribute("aria-sort"); });
        heading.setAttribute("aria-sort", upward ? "ascending" : "descending");
      }
      heading.addEventListener("click", sort);
      heading.addEventListener("keydown", function (event) {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
      });
    });
  });
  // On paper nothing can be unfolded; pages of motifs that are not significant are spared.
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details:not(.rest)").forEach(function (box) { box.open = true; });
  });
})();
