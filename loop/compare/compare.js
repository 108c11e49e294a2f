"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figure-data").textContent);
  const plots = Object.entries(figures).map(([id, { data, layout }]) => {
    const element = document.getElementById(id);
    Plotly.newPlot(element, data, layout, {
      displaylogo: false,
      responsive: true,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
      // Plotly offers by default to upload a figure's data; a campaign's data stays here.
      showSendToCloud: false,
      plotlyServerURL: "",
      toImageButtonOptions: { format: "svg", filename: id },
    });
    return element;
  });
  // A printed page has another width than the window; the figures follow.
  const resize = () => plots.forEach((element) => Plotly.Plots.resize(element));
  window.matchMedia("print").addEventListener("change", resize);
})();
