// Figures: drawn when they come near the window, at the latest before printing, in the theme's
// colours; a point leads to its decision.

/** Draw the figures; what is bound to them ends with the signal, if there is one. */
const drawFigures = ({ figures, hovers, dark, texts, onCandidate, signal }) => {
  const config = {
    displaylogo: false,
    responsive: true,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    // Plotly 4 offers by default to upload a figure's data; a campaign's data stays here.
    showSendToCloud: false,
    plotlyServerURL: "",
  };
  const drawn = new Set();

  /** Return a copy of layout or style with the theme's colours in place of the light ones. */
  const themed = (value, key) => {
    if (theme.name() === "light") return value;
    if (key === "colorscale") return dark.colorscale;
    if (typeof value === "string") return dark.colours[value.toLowerCase()] ?? value;
    if (Array.isArray(value)) return value.length > 200 ? value : value.map((each) => themed(each));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, themed(each, name)]));
  };
  const DATA = new Set(["x", "y", "text", "customdata", "hovertemplate"]);
  const trace = (each) => Object.fromEntries(
    Object.entries(each).map(([name, value]) => [name, DATA.has(name) ? value : themed(value, name)]),
  );
  /** Return traces and layout in the theme's colours; a square figure is no higher than wide. */
  const copy = (element) => {
    const { data, layout } = figures[element.id];
    const own = structuredClone(themed(layout));
    own.uirevision = "kept"; // drawn again with other data, a figure keeps what its reader chose
    if (own.yaxis?.scaleanchor) {
      const { l = 0, r = 0, t = 0, b = 0 } = own.margin ?? {};
      own.height = Math.min(layout.height, element.clientWidth - l - r + t + b);
      element.style.height = `${own.height}px`;
    }
    return { data: data.map(trace), layout: own };
  };

  const draw = (element) => {
    if (drawn.has(element)) return;
    drawn.add(element);
    const { data } = figures[element.id];
    for (const each of data) {
      if (each.text) each.text = unpackedColumn(each.text, { texts, hovers });
      if (each.customdata) each.customdata = unpackedColumn(each.customdata, { texts, hovers });
    }
    const { data: traces, layout } = copy(element);
    const options = { ...config, toImageButtonOptions: { format: "svg", filename: element.id } };
    element.removeAllListeners?.("plotly_click");
    Plotly.react(element, traces, layout, options);
    element.on("plotly_click", (event) => {
      const candidate = event.points[0].customdata;
      if (candidate && onCandidate) onCandidate(candidate);
    });
  };

  const places = Object.keys(figures).map((id) => document.getElementById(id));
  const near = new IntersectionObserver((entries) => {
    entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      near.unobserve(entry.target);
      draw(entry.target);
    });
  }, { rootMargin: "400px" });
  places.forEach((element) => near.observe(element));

  const redraw = () => drawn.forEach((element) => {
    const { data, layout } = copy(element);
    Plotly.react(element, data, layout);
  });
  theme.follow(redraw, signal);
  signal?.addEventListener("abort", () => near.disconnect());
  // A printed page has another width than the window; the figures follow.
  window.addEventListener("beforeprint", () => places.forEach(draw), { signal });
  window.matchMedia("print").addEventListener("change", () => {
    drawn.forEach((element) => Plotly.Plots.resize(element));
  }, { signal });
};
