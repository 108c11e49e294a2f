// The report: everything in its place.

/**
 * Fill the page with its data, once or again; what is bound to it ends with the signal.
 *
 * Returns the table of decisions, and a promise of the rest.
 */
const fill = ({ signal, kept }) => {
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

  const decisionData = island("decision-data");
  const table = decisionTable({
    ...decisionData,
    kept,
    cells: decisionData.cells.map((column) => unpackedColumn(column, decisionData)),
  });
  for (const link of document.querySelectorAll("[data-filter]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      table.find(link.dataset.filter);
    });
  }

  const whole = (async () => {
    const figureData = island("figure-data");
    if (Object.keys(figureData.figures).length) {
      await library("plotly");
      drawFigures({ ...figureData, dark: island("theme-data"), texts: decisionData.texts, onCandidate: table.findCandidate, signal });
    }
    document.documentElement.dataset.ready = String(Math.round(performance.now()));
    if (document.getElementById("structure-data")) {
      // The drawing stands there meanwhile.
      await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
      await library("3dmol");
      structureViewer({ structures: island("structure-data"), onCandidate: table.findCandidate, signal });
    }
    document.documentElement.dataset.complete = String(Math.round(performance.now()));
  })().catch((error) => {
    const told = create("p", { class: "warning" }, `The figures cannot be drawn: ${error.message}. They need a browser of 2023 or later.`);
    document.querySelector("header").append(told);
  });
  return { table, whole };
};
