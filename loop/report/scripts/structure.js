// A structure in three dimensions, by 3Dmol: with its cell, bonds and periodic images.

const ROUND = 0.04; // fraction of the cell within which an atom counts as lying on a face
const BOND = 1.15; // bonds reach so many times as far as the nearest neighbour
const STEP = 15; // degrees that a key turns

/** Return the atoms to draw: of the cells asked for and, as images, those on their far faces. */
const atomsOf = ({ lattice, species, places }, { cells, images }) => {
  const atoms = [];
  const shifts = (x) => {
    const own = ((x % 1) + 1) % 1;
    const base = own > 1 - ROUND ? own - 1 : own; // relaxation may have moved it over the face
    const all = Array.from({ length: cells }, (_, k) => base + k);
    return images && Math.abs(base) < ROUND ? [...all, base + cells] : all;
  };
  places.forEach((place, site) => {
    const [as, bs, cs] = place.map(shifts);
    for (const a of as) for (const b of bs) for (const c of cs) {
      const [x, y, z] = [0, 1, 2].map((k) => a * lattice[0][k] + b * lattice[1][k] + c * lattice[2][k]);
      atoms.push({ elem: species[site], x, y, z, site, bonds: [], bondOrder: [] });
    }
  });
  return atoms;
};

/** Join atoms that are about as near as the nearest neighbour of either. */
const bond = (atoms) => {
  const square = (p, q) => (p.x - q.x) ** 2 + (p.y - q.y) ** 2 + (p.z - q.z) ** 2;
  const nearest = atoms.map((p, i) => Math.min(...atoms.map((q, j) => (i === j ? Infinity : square(p, q)))));
  atoms.forEach((p, i) => atoms.forEach((q, j) => {
    if (i !== j && square(p, q) <= BOND ** 2 * Math.min(nearest[i], nearest[j])) {
      p.bonds.push(j);
      p.bondOrder.push(1);
    }
  }));
};

/**
 * Show structures that turn; what is bound to the page ends with the signal.
 *
 * A place that has a viewer keeps it: a browser allows a page but a few of them.
 */
const structureViewer = ({ structures, onCandidate, signal }) => {
  const by = (id) => document.getElementById(id);
  const [holder, chooser, save, legend] = ["structure", "structure-choice", "structure-save", "structure-legend"].map(by);
  const canvas = document.createElement("canvas");
  const isThere = Boolean(holder.viewer);
  if (!isThere && !(canvas.getContext("webgl2") || canvas.getContext("webgl"))) return; // the drawing stays
  holder.hidden = false;
  by("structure-controls").hidden = false;
  document.body.classList.add("has-viewer");
  // The page scrolls over it; a wheel with Ctrl, or the keys, come nearer.
  holder.addEventListener("wheel", (event) => { if (!event.ctrlKey) event.stopImmediatePropagation(); }, { capture: true, signal });
  const paper = () => getComputedStyle(document.body).backgroundColor;
  const asHex = (colour) => `#${colour.match(/\d+/g).slice(0, 3).map((x) => Number(x).toString(16).padStart(2, "0")).join("")}`;
  const viewer = holder.viewer ?? $3Dmol.createViewer(holder, { backgroundColor: asHex(paper()), antialias: true, orthographic: true, disableFog: false });
  holder.viewer = viewer;
  let file = null;

  const show = ({ keep = false } = {}) => {
    const chosen = structures[Number(chooser.value)];
    holder.dataset.candidate = chosen.candidate;
    holder.dataset.best = String(chooser.value === "0");
    const view = keep ? viewer.getView() : null;
    const cells = by("structure-cells").checked ? 2 : 1;
    const atoms = atomsOf(chosen, { cells, images: by("structure-images").checked });
    if (by("structure-bonds").checked) bond(atoms);
    const colours = new Map(chosen.legend);
    const colour = (atom) => colours.get(atom.elem) ?? "#888888";
    viewer.removeAllModels();
    viewer.removeAllShapes();
    const model = viewer.addModel();
    model.addAtoms(atoms);
    viewer.setStyle({}, { sphere: { radius: 0.5, colorfunc: colour }, stick: { radius: 0.09, colorfunc: colour } });
    const [a, b, c] = chosen.lattice.map(([x, y, z]) => ({ x, y, z }));
    const sum = (...all) => all.reduce((p, q) => ({ x: p.x + q.x, y: p.y + q.y, z: p.z + q.z }), { x: 0, y: 0, z: 0 });
    for (const [along, one, other] of [[a, b, c], [b, a, c], [c, a, b]]) {
      for (const start of [sum(), one, other, sum(one, other)]) {
        viewer.addCylinder({ start, end: sum(start, along), radius: 0.025, color: "#8b949e" });
      }
    }
    viewer.setHoverable({}, true, (atom) => {
      viewer.removeAllLabels();
      viewer.addLabel(`${atom.elem}, site ${atom.site}`, { position: atom, fontSize: 12, backgroundColor: "#1f2328", fontColor: "#ffffff" });
    }, () => viewer.removeAllLabels());
    if (view) viewer.setView(view);
    else {
      viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
      viewer.zoomTo();
      viewer.zoom(1.6);
      viewer.rotate(-24, "vz");
      viewer.rotate(-76, "vx");
    }
    viewer.render();
    holder.setAttribute("aria-label", `${chosen.name}, ${chosen.species.length} atoms in their cell, in three dimensions. Arrow keys turn it, plus and minus come nearer and go away, Home sets it back.`);
    legend.replaceChildren(...chosen.legend.map(([symbol, tint]) => {
      const dot = document.createElement("i");
      dot.style.background = tint;
      const entry = document.createElement("span");
      entry.append(dot, symbol);
      return entry;
    }));
    if (file) URL.revokeObjectURL(file);
    file = URL.createObjectURL(new Blob([chosen.cif], { type: "chemical/x-cif" }));
    save.href = file;
    save.download = chosen.file;
  };

  const keys = {
    ArrowLeft: () => viewer.rotate(-STEP, "vy"),
    ArrowRight: () => viewer.rotate(STEP, "vy"),
    ArrowUp: () => viewer.rotate(-STEP, "vx"),
    ArrowDown: () => viewer.rotate(STEP, "vx"),
    "+": () => viewer.zoom(1.2),
    "=": () => viewer.zoom(1.2),
    "-": () => viewer.zoom(1 / 1.2),
    Home: () => show(),
  };
  holder.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
    viewer.render();
  }, { signal });
  for (const button of document.querySelectorAll("[data-turn]")) {
    button.addEventListener("click", () => { keys[button.dataset.turn](); viewer.render(); });
  }

  // An option holds no markup: small digits stand for lowered ones.
  const lowered = (formula) => formula.replace(/(?<=[A-Za-z)])\d+(?![\d.])/g, (digits) => (digits === "1" ? "" : [...digits].map((d) => "₀₁₂₃₄₅₆₇₈₉"[d]).join("")));
  structures.forEach(({ name, values, candidate }, i) => {
    chooser.append(create("option", { value: i }, `${i === 0 ? "best: " : ""}${lowered(name)}, ${values} (${candidate.slice(0, 10)})`));
  });
  chooser.addEventListener("change", () => show());
  ["structure-bonds", "structure-images", "structure-cells"].forEach((id) => by(id).addEventListener("change", () => show({ keep: id !== "structure-cells" })));
  by("structure-find").addEventListener("click", () => onCandidate(structures[Number(chooser.value)].candidate));
  theme.follow(() => { viewer.setBackgroundColor(asHex(paper())); viewer.render(); }, signal);
  const size = new ResizeObserver(() => { viewer.resize(); viewer.render(); });
  size.observe(holder);
  signal.addEventListener("abort", () => {
    size.disconnect();
    URL.revokeObjectURL(file);
  });
  // What was looked at before is looked at still, unless that was the best and there is a better.
  const before = structures.findIndex(({ candidate }) => candidate === holder.dataset.candidate);
  if (before > 0 && holder.dataset.best === "false") chooser.value = String(before);
  show({ keep: isThere && structures[Number(chooser.value)].candidate === holder.dataset.candidate });
};
