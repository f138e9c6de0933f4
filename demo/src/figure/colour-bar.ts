import { ticks, tickText } from '../charts/scale.ts';
import { short, textElement, widthInFigure } from './text.ts';

/** What colours mean: from the lowest value at the bottom to the highest at the top. */
export interface ColourBar {
  readonly label: string;
  readonly domain: readonly [low: number, high: number];
  /** Colours at equal distances, lowest first. */
  readonly colours: readonly string[];
  /** Share of the bar below a value. */
  readonly place: (value: number) => number;
}

const thickness = 11;
const gap = 12;
const longest = 150;
const lineHeight = 13;

/** Values labelled next to the bar, with their texts: round numbers that do not overlap. */
export function barTicks({ domain, place }: ColourBar, length: number): { value: number; text: string }[] {
  const candidates = ticks(domain, 4);
  const step = (candidates[1] ?? 1) - (candidates[0] ?? 0);
  let last = -Infinity;
  return candidates.flatMap((value) => {
    const at = place(value) * length;
    if (at - last < lineHeight) return [];
    last = at;
    return [{ value, text: tickText(value, step) }];
  });
}

/** Width that a bar takes at the right of a drawing. */
export function barWidth(bar: ColourBar): number {
  const texts = barTicks(bar, longest).map(({ text }) => text);
  const widest = Math.max(thickness + 6 + Math.max(...texts.map((text) => widthInFigure(text))));
  return gap + Math.max(widest, widthInFigure(bar.label));
}

/** The bar with its ticks; its corner is at (x, y), its length at most `room`. */
export function barContent(bar: ColourBar, x: number, y: number, room: number, ink: string): string {
  const length = Math.min(longest, Math.max(room - lineHeight - 8, 40));
  const [left, top] = [x + gap, y + lineHeight + 4];
  const last = bar.colours.length - 1;
  const stops = bar.colours.map((colour, k) => `<stop offset="${short(k / last)}" stop-color="${colour}"/>`);
  const marks = barTicks(bar, length).map(({ value, text }) => {
    const at = top + length * (1 - bar.place(value));
    const [from, to] = [left + thickness, left + thickness + 3];
    return `<path d="M${short(from)},${short(at)}H${short(to)}" stroke="${ink}" stroke-width="0.8"/>${textElement(text, to + 3, at + 3.8, { colour: ink })}`;
  });
  return [
    `<g class="colour-bar">`,
    `<linearGradient id="bar" x1="0" y1="1" x2="0" y2="0">${stops.join('')}</linearGradient>`,
    textElement(bar.label, left, y + lineHeight - 3, { colour: ink }),
    `<rect x="${short(left)}" y="${short(top)}" width="${thickness}" height="${short(length)}" fill="url(#bar)" stroke="${ink}" stroke-width="0.5"/>`,
    ...marks,
    '</g>',
  ].join('\n');
}
