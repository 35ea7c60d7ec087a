/** Small helpers about elements. */

/**
 * The one element that a selector finds.
 * @param {string} selector
 * @param {ParentNode} [within]
 * @returns {any}
 */
export const $ = (selector, within = document) => within.querySelector(selector);

/**
 * A new element. Properties are attributes, but `on...` are listeners; null and false are left out.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node|string|null)} children
 * @returns {any}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** One of the drawings at the head of the page; what it means is said beside it, so it is hidden to readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Let an icon that is there show another drawing. */
export function setIcon(within, name) {
  $("use", within).setAttribute("href", `#icon-${name}`);
}

/** Seconds as a clock shows them: 75 is 1:15. */
export function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Seconds in words, as roughly as they are known. */
export function roughly(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return `${Math.round(seconds / 60)} min`;
}

/** How long something lasted. */
export const lasting = (seconds) => (seconds < 90 ? `${seconds.toFixed(1)} s` : roughly(seconds));

/** Small things that this browser keeps; where it keeps none, they are forgotten. */
export const stored = {
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch (error) {
      console.info("not kept:", error);
    }
  },
};

/** Whether somebody would rather have things stand still. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
