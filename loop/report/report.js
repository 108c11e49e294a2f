"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);

  // What stands once in the data and is wanted in many places (packing.py) ------------------

  const { figures, hovers } = read("figure-data");
  const { columns, cells, n: nRows, texts: phrases, idDigits } = read("decision-data");
  const unpacked = (column) => {
    if (column && column.places) return column.places.map((place) => (place === null ? null : phrases[place]));
    if (column && column.hover) return column.hover.map((i) => hovers[i].map((place) => phrases[place]).join("<br>"));
    return column;
  };
  const rows = Array.from({ length: nRows }, () => new Array(cells.length));
  cells.forEach((column, j) => unpacked(column).forEach((cell, i) => { rows[i][j] = cell; }));

  // Figures ---------------------------------------------------------------------------------

  const config = {
    displaylogo: false,
    responsive: true,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    // Plotly 4 offers by default to upload a figure's data; a campaign's data stays here.
    showSendToCloud: false,
    plotlyServerURL: "",
  };
  const plots = [];
  for (const [id, { data, layout }] of Object.entries(figures)) {
    for (const trace of data) {
      if (trace.text) trace.text = unpacked(trace.text);
      if (trace.customdata) trace.customdata = unpacked(trace.customdata);
    }
    const element = document.getElementById(id);
    config.toImageButtonOptions = { format: "svg", filename: id };
    Plotly.newPlot(element, data, layout, { ...config });
    element.on("plotly_click", (event) => {
      const candidate = event.points[0].customdata;
      if (candidate) find(candidate);
    });
    plots.push(element);
  }
  // A printed page has another width than the window; the figures follow.
  const resize = () => plots.forEach((element) => Plotly.Plots.resize(element));
  window.matchMedia("print").addEventListener("change", resize);

  // The CIF ---------------------------------------------------------------------------------

  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    const label = button.textContent;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(source.textContent);
        button.textContent = "Copied";
      } catch {
        // The browser forbids it to this page: leave the text selected, ready to be copied.
        source.closest("details").open = true;
        window.getSelection().selectAllChildren(source);
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }

  // The table of decisions ------------------------------------------------------------------

  const PAGE = 50;
  const place = Object.fromEntries(columns.map((column, i) => [column.key, i]));
  const texts = rows.map((row) => row.map((cell) => (cell === null ? "" : String(cell))).join(" ").toLowerCase());
  const table = document.getElementById("decision-table");
  const filter = document.getElementById("filter");
  const state = { order: rows.map((_, i) => i), page: 0, column: -1, ascending: true };

  const minus = (text) => text.replace("-", "\u2212");
  const shown = (cell, column) => {
    if (cell === null || cell === "") return "";
    if (Array.isArray(cell)) return cell.map((x) => minus(x.toFixed(column.digits))).join(" ± ");
    if (typeof cell !== "number") return column.key === "candidate" ? cell.slice(0, idDigits) : cell;
    return minus(column.digits < 0 ? String(Number(cell.toPrecision(3))) : cell.toFixed(column.digits));
  };
  const sortable = (cell) => (Array.isArray(cell) ? cell[0] : cell);

  const matches = (i, terms) => terms.every((term) => {
    const colon = term.indexOf(":");
    const column = colon > 0 ? place[term.slice(0, colon)] : undefined;
    if (column === undefined) return texts[i].includes(term);
    const cell = rows[i][column];
    return cell !== null && String(cell).toLowerCase().startsWith(term.slice(colon + 1));
  });

  const select = () => {
    const terms = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    state.order = rows.map((_, i) => i).filter((i) => matches(i, terms));
    if (state.column >= 0) {
      const sign = state.ascending ? 1 : -1;
      const value = (i) => sortable(rows[i][state.column]);
      const isEmpty = (x) => x === null || x === "";
      state.order.sort((i, j) => {
        const [a, b] = [value(i), value(j)];
        if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b) || i - j;
        if (a === b) return i - j;
        return sign * (a < b ? -1 : 1);
      });
    }
    state.page = 0;
    draw();
  };

  const draw = () => {
    const first = state.page * PAGE;
    const page = state.order.slice(first, first + PAGE);
    const body = document.createElement("tbody");
    for (const i of page) {
      const line = body.insertRow();
      line.className = rows[i][place.decision] === "chosen" ? "chosen" : "rejected";
      columns.forEach((column, j) => {
        const cell = line.insertCell();
        cell.textContent = shown(rows[i][j], column);
        cell.className = column.digits ? "number" : `in-${column.key}`;
        if (column.key === "candidate") cell.title = rows[i][j];
        if (column.key === "result" && rows[i][j].startsWith("failed")) cell.classList.add("failed");
      });
    }
    table.tBodies[0].replaceWith(body);
    const n = state.order.length;
    const range = n ? `${first + 1}–${first + page.length} of ${n}` : "none";
    document.getElementById("shown").textContent = n === rows.length ? range : `${range} (${rows.length} in all)`;
    document.getElementById("previous").disabled = state.page === 0;
    document.getElementById("next").disabled = first + PAGE >= n;
    [...table.tHead.rows[0].cells].forEach((head, j) => {
      if (j === state.column) head.setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
  };

  const sortBy = (j) => {
    state.ascending = state.column === j ? !state.ascending : true;
    state.column = j;
    select();
  };

  const find = (candidate) => {
    filter.value = `candidate:${candidate.slice(0, idDigits)}`;
    select();
    document.getElementById("decisions").scrollIntoView();
  };

  const turn = (by) => {
    state.page += by;
    draw();
  };

  const heads = table.tHead.insertRow();
  columns.forEach((column, j) => {
    const head = document.createElement("th");
    const button = document.createElement("button");
    head.scope = "col";
    head.className = column.digits ? "number" : "";
    button.type = "button";
    button.textContent = column.label;
    button.title = column.explained || `sort by ${column.label.toLowerCase()}`;
    if (column.unit) {
      const unit = document.createElement("small");
      unit.textContent = column.unit;
      button.append(unit);
    }
    button.addEventListener("click", () => sortBy(j));
    head.append(button);
    heads.append(head);
  });
  filter.addEventListener("input", select);
  document.getElementById("previous").addEventListener("click", () => turn(-1));
  document.getElementById("next").addEventListener("click", () => turn(1));
  select();
})();
