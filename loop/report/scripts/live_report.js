// A report that goes on: figures and the structure stay where they are and get the new data.

const ISLANDS = ["figure-data", "theme-data", "structure-data", "decision-data"];
let controller = new AbortController();
let filled = fill({ signal: controller.signal });

follow(async (next) => {
  await filled.whole; // figures are drawn once before they are drawn again
  const restore = place();
  const kept = filled.table?.remember();
  controller.abort();
  controller = new AbortController();
  delete document.documentElement.dataset.complete;

  const main = document.adoptNode(next.querySelector("main"));
  const plots = [...document.querySelectorAll(".js-plotly-plot")];
  const structure = document.getElementById("structure");
  carryOver(main, ["theme", ...plots.map((plot) => plot.id), ...(structure?.viewer ? ["structure"] : [])]);
  document.querySelector("main").replaceWith(main);
  for (const id of ISLANDS) {
    document.getElementById(id)?.remove();
    const island = next.getElementById(id);
    if (island) main.after(document.adoptNode(island));
  }
  filled = fill({ signal: controller.signal, kept });
  plots.filter((plot) => !plot.isConnected).forEach((plot) => Plotly.purge(plot));
  restore();
});
