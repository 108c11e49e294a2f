// The table of decisions: filtered, sorted, a page at a time, and each row with all its details.

/** Fill the table; kept is what an earlier one remembered of its reader's choices. */
const decisionTable = ({ columns, questions, answers, cells, n, idDigits, suggestions, kept }) => {
  const PAGE = 50;
  const place = new Map(columns.map((column, j) => [column.key, j]));
  const bit = new Map(questions.map((question, i) => [question.key, 2 ** i]));
  const kinds = new Map([
    ...columns.map((column) => [column.key, column.kind]),
    ...questions.map((question) => [question.key, "flag"]),
  ]);
  const read = (i, name) => {
    const j = place.get(name);
    return j === undefined ? (answers[i] & bit.get(name)) !== 0 : cells[j][i];
  };
  const by = (id) => document.getElementById(id);
  const [table, filter, problem, sorter, way] = ["decision-table", "filter", "filter-problem", "sort", "way"].map(by);
  const state = { order: [], page: 0, column: -1, ascending: true, open: new Set() };

  // What is shown ---------------------------------------------------------------------------

  const minus = (text) => text.replace("-", "\u2212");
  const digits = (value, column) => minus(
    column.digits < 0 ? String(Number(value.toPrecision(3))) : value.toFixed(column.digits),
  );
  const spread = new Map(columns.map((column, j) => [j, place.get(`${column.key}_std`)]));
  const isSpread = (column) => column.key.endsWith("_std") && place.has(column.key.slice(0, -4));
  const shown = (i, j, { short }) => {
    const [value, column] = [cells[j][i], columns[j]];
    if (value === null || value === "") return "";
    if (column.kind === "id") return short ? value.slice(0, idDigits) : value;
    if (column.kind === "text") return value;
    const std = spread.get(j) === undefined ? null : cells[spread.get(j)][i];
    return std === null ? digits(value, column) : `${digits(value, column)} ± ${digits(std, column)}`;
  };
  const fill = (element, i, j, how) => {
    const text = shown(i, j, how);
    if (columns[j].key === "formula") appendFormula(element, text);
    else element.textContent = text;
  };
  const heads = columns.map((column, j) => ({ column, j })).filter(({ column }) => !isSpread(column));

  const details = (i) => {
    const list = create("dl", { class: "details" });
    for (const { column, j } of heads) {
      if (shown(i, j, { short: false }) === "") continue;
      const value = create("dd");
      fill(value, i, j, { short: false });
      if (column.unit) value.append(` ${column.unit}`);
      list.append(create("div", {}, create("dt", {}, column.label), value));
    }
    const yes = questions.filter((question) => read(i, question.key)).map((question) => question.key);
    list.append(create("div", {}, create("dt", {}, "It is"), create("dd", {}, yes.join(", ") || "–")));
    return create("tr", { class: "more" }, create("td", { colspan: heads.length + 1 }, list));
  };

  const line = (i) => {
    const isChosen = read(i, "chosen");
    const row = create("tr", { class: isChosen ? "chosen" : "rejected" });
    const isOpen = state.open.has(i);
    const name = `${cells[place.get("formula")][i]}, ${cells[place.get("candidate")][i].slice(0, idDigits)}`;
    const button = create("button", {
      type: "button", class: "toggle", "aria-expanded": String(isOpen), "aria-label": `All about ${name}`,
    }, isOpen ? "−" : "+");
    button.addEventListener("click", () => {
      if (state.open.has(i)) state.open.delete(i);
      else state.open.add(i);
      const now = line(i);
      if (row.nextElementSibling?.classList.contains("more")) row.nextElementSibling.remove();
      row.replaceWith(now);
      if (state.open.has(i)) now.after(details(i));
      now.querySelector(".toggle").focus();
    });
    row.append(create("td", { class: "l1" }, button));
    for (const { column, j } of heads) {
      const cell = create("td", { class: `l${column.level} in-${column.key} ${column.kind}` });
      fill(cell, i, j, { short: true });
      if (column.kind === "id") cell.title = cells[j][i] ?? "";
      if (column.key === "result" && /^(failed|in doubt)/.test(cells[j][i])) cell.classList.add("failed");
      row.append(cell);
    }
    return row;
  };

  const draw = () => {
    const first = state.page * PAGE;
    const page = state.order.slice(first, first + PAGE);
    const body = create("tbody");
    page.forEach((i) => {
      body.append(line(i));
      if (state.open.has(i)) body.append(details(i));
    });
    table.tBodies[0].replaceWith(body);
    const found = state.order.length;
    const range = found ? `${first + 1}–${first + page.length} of ${found}` : "none";
    by("shown").textContent = found === n ? range : `${range} (${n} in all)`;
    by("previous").disabled = state.page === 0;
    by("next").disabled = first + PAGE >= found;
    for (const head of table.tHead.rows[0].cells) {
      if (Number(head.dataset.column) === state.column) head.setAttribute("aria-sort", state.ascending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    sorter.value = String(state.column);
    way.textContent = state.ascending ? "↑" : "↓";
    way.setAttribute("aria-label", state.ascending ? "Ascending; turn round" : "Descending; turn round");
    way.disabled = state.column < 0;
  };

  // Which rows, in which order ---------------------------------------------------------------

  const isEmpty = (value) => value === null || value === "";
  const select = () => {
    let test;
    try {
      test = compileFilter(filter.value, kinds, read);
    } catch (error) {
      // What was found before stays until the filter can be read.
      problem.textContent = error.message;
      filter.setAttribute("aria-invalid", "true");
      return;
    }
    problem.textContent = "";
    filter.removeAttribute("aria-invalid");
    state.order = [];
    for (let i = 0; i < n; i += 1) if (test(i)) state.order.push(i);
    if (state.column >= 0) {
      const values = cells[state.column];
      const sign = state.ascending ? 1 : -1;
      state.order.sort((i, j) => {
        const [a, b] = [values[i], values[j]];
        if (isEmpty(a) || isEmpty(b)) return isEmpty(a) - isEmpty(b) || i - j;
        if (a === b) return i - j;
        return sign * (a < b ? -1 : 1);
      });
    }
    state.page = 0;
    draw();
  };
  const sortBy = (j) => {
    state.ascending = state.column === j ? !state.ascending : true;
    state.column = j;
    select();
  };
  const turn = (step) => {
    state.page += step;
    draw();
  };
  const find = (text) => {
    filter.value = text;
    select();
    by("decisions").scrollIntoView();
  };

  // Heads and controls -----------------------------------------------------------------------

  const row = table.tHead.insertRow();
  row.append(create("td", { class: "l1" }));
  sorter.append(create("option", { value: "-1" }, "order of decision"));
  for (const { column, j } of heads) {
    const button = create("button", { type: "button", title: column.explained || null }, column.label);
    if (column.unit) button.append(create("small", {}, column.unit));
    button.addEventListener("click", () => sortBy(j));
    row.append(create("th", { scope: "col", class: `l${column.level} ${column.kind}`, "data-column": j }, button));
    sorter.append(create("option", { value: j }, column.unit ? `${column.label} (${column.unit})` : column.label));
  }
  const suggest = (text) => {
    const button = create("button", { type: "button", class: "chip" }, text);
    button.addEventListener("click", () => {
      filter.value = text;
      select();
      filter.focus();
    });
    by("suggestions").append(button);
  };
  suggestions.forEach(suggest);
  by("names").textContent = [...kinds.keys()].join(", ");

  filter.addEventListener("input", select);
  sorter.addEventListener("change", () => {
    state.column = Number(sorter.value);
    state.ascending = true;
    select();
  });
  way.addEventListener("click", () => sortBy(state.column));
  by("previous").addEventListener("click", () => turn(-1));
  by("next").addEventListener("click", () => turn(1));
  by("all-columns").addEventListener("change", (event) => table.classList.toggle("all", event.target.checked));
  const candidates = cells[place.get("candidate")];
  const remember = () => ({
    filter: filter.value,
    column: columns[state.column]?.key,
    ascending: state.ascending,
    page: state.page,
    open: [...state.open].map((i) => [i, candidates[i]]),
    all: by("all-columns").checked,
  });
  if (kept) {
    filter.value = kept.filter;
    state.column = place.get(kept.column) ?? -1;
    state.ascending = kept.ascending;
    // Decisions are only added, unless it is another run.
    state.open = new Set(kept.open.filter(([i, candidate]) => candidates[i] === candidate).map(([i]) => i));
    by("all-columns").checked = kept.all;
    table.classList.toggle("all", kept.all);
  }
  select();
  if (kept?.page && kept.page * PAGE < state.order.length) turn(kept.page);
  return { remember, find, findCandidate: (candidate) => find(`candidate = ${candidate.slice(0, idDigits)}`) };
};
