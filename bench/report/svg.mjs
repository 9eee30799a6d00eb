/** SVG as text: elements, escaping, and the colours of both themes. */

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escaped = (text) => String(text).replace(/[&<>"]/g, (letter) => ENTITIES[letter]);

/** A coordinate without a tail of digits that would change with every run. */
const written = (value) =>
  typeof value === "number" ? String(Math.round(value * 10) / 10) : escaped(value);

/**
 * An element; numbers are rounded to a tenth.
 *
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {string} [content] markup
 */
export function element(name, attributes, content) {
  const words = Object.entries(attributes).map(([key, value]) => ` ${key}="${written(value)}"`);
  const open = `<${name}${words.join("")}`;
  return content === undefined ? `${open}/>` : `${open}>${content}</${name}>`;
}

/**
 * A line of text.
 *
 * @param {number} x
 * @param {number} y of the base line
 * @param {string} content
 * @param {Record<string, string | number>} [attributes]
 */
export function text(x, y, content, attributes = {}) {
  return element("text", { x, y, ...attributes }, escaped(content));
}

/** Lines of rivals, so that neighbours differ in hue and in lightness. */
const HUES = [210, 25, 140, 280, 45, 180, 340, 90, 240, 10, 160, 310];

const huesOf = (lightness) =>
  HUES.map((hue, index) => `.hue-${index} { stroke: hsl(${hue} 55% ${lightness}%); }`).join("\n");

const dotsOf = (lightness) =>
  HUES.map((hue, index) => `.dot-${index} { fill: hsl(${hue} 55% ${lightness}%); }`).join("\n");

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 13px; }
.quiet { fill: #59636e; }
.small { font-size: 11px; }
.ground { fill: #ffffff; }
.grid { stroke: #d1d9e0; stroke-width: 1; }
.ours { fill: #1a7f5a; }
.rival { fill: #8c98a4; }
.range { stroke: #1f2328; stroke-width: 1; opacity: 0.6; }
.line { fill: none; stroke-width: 1.5; }
.our-line { fill: none; stroke: #1a7f5a; stroke-width: 3; }
.lead { stroke-width: 1; }
.our-text { fill: #1a7f5a; font-weight: 600; }
${huesOf(42)}
${dotsOf(42)}
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.quiet { fill: #9198a1; }
.ground { fill: #0d1117; }
.grid { stroke: #3d444d; }
.ours { fill: #3fb68b; }
.rival { fill: #6e7983; }
.range { stroke: #f0f6fc; }
.our-line { stroke: #3fb68b; }
.our-text { fill: #3fb68b; }
${huesOf(68)}
${dotsOf(68)}
}`;

/** How many hues there are. */
export const HUE_COUNT = HUES.length;

/**
 * A whole document with its ground and both themes.
 *
 * @param {object} page
 * @param {number} page.width
 * @param {number} page.height
 * @param {string} page.title read aloud instead of the picture
 * @param {readonly string[]} page.parts
 */
export function page({ width, height, title, parts }) {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${Math.round(width)} ${Math.round(height)}`,
    width: Math.round(width),
    height: Math.round(height),
    role: "img",
  };
  const content = [
    element("title", {}, escaped(title)),
    element("style", {}, STYLE),
    element("rect", { class: "ground", width: "100%", height: "100%" }),
    ...parts,
  ];
  return `${element("svg", attributes, `\n${content.join("\n")}\n`)}\n`;
}
