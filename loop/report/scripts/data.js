// The page's data: JSON islands whose texts stand once (packing.py), and packed libraries.

const island = (id) => JSON.parse(document.getElementById(id).textContent);

/** Return what a gzipped and base64-coded script element holds, as text. */
const inflated = async (element) => {
  const text = atob(element.textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
};

const libraries = new Set();

/** Run a library that the page carries, once; the page's policy knows the hash of what comes out. */
const library = async (name) => {
  if (libraries.has(name)) return;
  libraries.add(name);
  const script = document.createElement("script");
  script.textContent = await inflated(document.getElementById(`library-${name}`));
  document.head.append(script);
};

/** Return a column with every text back in its place. */
const unpackedColumn = (column, { n, texts, hovers }) => {
  if (Array.isArray(column) || !column) return column;
  if (column.places) return column.places.map((place) => (place === null ? null : texts[place]));
  if (column.hover) return column.hover.map((i) => hovers[i].map((place) => texts[place]).join("<br>"));
  if (column.at) {
    const cells = new Array(n).fill(null);
    column.at.forEach((i, k) => { cells[i] = column.values[k]; });
    return cells;
  }
  return column;
};

/** Append a formula with its numbers lowered; as chemists write it, a single atom has none. */
const appendFormula = (element, formula) => {
  formula.split(/(?<=[A-Za-z)\]])(\d+(?:\.\d+)?)/).forEach((part, i) => {
    if (!part || (i % 2 === 1 && part === "1")) return;
    if (i % 2 === 0) {
      element.append(part);
      return;
    }
    const lowered = document.createElement("sub");
    lowered.textContent = part;
    // A long formula may be broken between two elements.
    element.append(lowered, document.createElement("wbr"));
  });
};

const create = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  });
  element.append(...children);
  return element;
};
