// The data of the page, elements made of text (never of markup), numbers as people read them.
const DATA = JSON.parse(document.getElementById("data").textContent);
const NONE = "-";

function find(id) { return document.getElementById(id); }

// el("td", { class: "words" }, "text", other) - what is not an element is set as text.
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

function shown(id, is) { find(id).hidden = !is; }

// <option>s of a select; `choices` are [value, text].
function choose(select, choices, chosen) {
  select.replaceChildren(...choices.map(([value, text]) => el("option", { value }, text)));
  if (chosen !== undefined) select.value = chosen;
}

function decimals(value) {
  const size = Math.abs(value);
  if (size > 1e-6 && size < 0.001) return 1 - Math.floor(Math.log10(size));
  return size < 100 ? 3 : size < 1000 ? 1 : 0;
}

function score(value, digits = null) {
  if (value === null || value === undefined) return NONE;
  const places = digits ?? decimals(value);
  return value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}

function signed(value, digits = null) {
  if (value === null || value === undefined) return NONE;
  return (value > 0 ? "+" : value < 0 ? "\u2212" : "") + score(Math.abs(value), digits);
}

function percent(share) { return `${Math.round(100 * share)} %`; }

function chance(p) { return p === null ? NONE : p < 0.001 ? "< 0.001" : p.toFixed(3); }

function color(name) { return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim(); }
