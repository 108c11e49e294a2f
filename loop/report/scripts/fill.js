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

  const mark = (name) => { document.documentElement.dataset[name] = String(Math.round(performance.now())); };
  /** Let the browser show what is there before it is busy again; in a hidden tab nothing is shown. */
  const shown = () => new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 500);
  });
  const isInWindow = (element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom > 0 && top < window.innerHeight;
  };

  const whole = (async () => {
    const isDrawnLater = ![...document.querySelectorAll(".plot")].some(isInWindow);
    if (isDrawnLater) {
      mark("ready");
      await shown();
    }
    const figureData = island("figure-data");
    if (Object.keys(figureData.figures).length) {
      await library("plotly");
      drawFigures({ ...figureData, dark: island("theme-data"), texts: decisionData.texts, onCandidate: table.findCandidate, signal });
    }
    if (!isDrawnLater) mark("ready");
    if (document.getElementById("structure-data")) {
      await shown(); // the drawing stands there meanwhile
      await library("3dmol");
      structureViewer({ structures: island("structure-data"), onCandidate: table.findCandidate, signal });
    }
    mark("complete");
  })().catch((error) => {
    const told = create("p", { class: "warning" }, `The figures cannot be drawn: ${error.message}. They need a browser of 2023 or later.`);
    document.querySelector("header").append(told);
  });
  return { table, whole };
};
