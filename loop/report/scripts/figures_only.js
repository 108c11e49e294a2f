// A page of figures alone: each in its place.

(async () => {
  await library("plotly");
  drawFigures({ figures: island("figure-data"), dark: island("theme-data") });
  document.documentElement.dataset.complete = String(Math.round(performance.now()));
})().catch((error) => {
  const told = create("p", { class: "warning" }, `The figures cannot be drawn: ${error.message}. They need a browser of 2023 or later.`);
  document.querySelector("header").append(told);
});
