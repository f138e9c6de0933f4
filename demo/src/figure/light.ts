import { render, type ComponentChild } from 'preact';
import { figureFont } from './text.ts';

/** Renders `content` out of sight, in the light theme and the figure's font, while `read` reads it. */
export function inLight<T>(content: ComponentChild, read: (host: HTMLElement) => T): T {
  const host = document.createElement('div');
  host.className = 'in-light';
  host.style.fontFamily = figureFont;
  document.body.append(host);
  try {
    render(content, host);
    return read(host);
  } finally {
    render(null, host);
    host.remove();
  }
}

/** Style properties to copy for marks, and for text. */
const ofMarks = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity'];
const ofText = [...ofMarks, 'font-size', 'font-weight'];
/** What an element without the attribute looks like: such styles are not written. */
const natural: Readonly<Record<string, string>> = {
  stroke: 'none',
  'stroke-width': '1px',
  'stroke-dasharray': 'none',
  opacity: '1',
  'font-weight': '400',
};

/** The children of an SVG element, with their styles written into attributes: a file has no style sheet. */
export function svgContent(svg: Element): string {
  const copy = svg.cloneNode(true) as Element;
  const originals = svg.querySelectorAll('*');
  copy.querySelectorAll('*').forEach((element, k) => {
    const style = getComputedStyle(originals[k]!);
    const isGroup = element.tagName === 'g';
    for (const property of isGroup ? [] : element.tagName === 'text' ? ofText : ofMarks) {
      const value = style.getPropertyValue(property);
      if (value === natural[property]) element.removeAttribute(property);
      else
        element.setAttribute(
          property,
          property === 'font-size' ? String(parseFloat(value)) : plainColour(value),
        );
    }
    for (const attribute of ['class', 'style']) element.removeAttribute(attribute);
  });
  const serializer = new XMLSerializer();
  return [...copy.childNodes].map((node) => serializer.serializeToString(node)).join('');
}

/** Mixed colours in a form that every program reads: `color(srgb 0.5 0 1)` becomes `rgb(128, 0, 255)`. */
function plainColour(value: string): string {
  const [, channels] = /^color\(srgb ([^/)]+)\)$/.exec(value) ?? [];
  if (!channels) return value;
  return `rgb(${channels
    .trim()
    .split(/\s+/)
    .map((channel) => Math.round(255 * Number(channel)))
    .join(', ')})`;
}

/** A canvas as an image inside an SVG. */
export const imageOf = (canvas: HTMLCanvasElement, width: number, height: number): string =>
  `<image width="${width}" height="${height}" preserveAspectRatio="none" href="${canvas.toDataURL()}"/>`;
