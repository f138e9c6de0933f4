import { escapeXml } from '../export/xml.ts';

/** Fonts that figure editors have, or replace by one of the same width. */
export const figureFont = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', sans-serif";
/** Size of most text, CSS pixels; the text size chosen for a figure refers to it. */
export const letterSize = 11;

let context: OffscreenCanvasRenderingContext2D | null = null;

/** Width of a text in the figure's font, CSS pixels. */
export function widthInFigure(text: string, size = letterSize, isBold = false): number {
  context ??= new OffscreenCanvas(1, 1).getContext('2d')!;
  context.font = `${isBold ? 600 : 400} ${size}px ${figureFont}`;
  return context.measureText(text).width;
}

export interface TextStyle {
  readonly size?: number;
  readonly isBold?: boolean;
  readonly colour: string;
  readonly align?: 'start' | 'middle' | 'end';
}

/** A line of text whose baseline is at y. */
export function textElement(
  text: string,
  x: number,
  y: number,
  { size = letterSize, isBold = false, colour, align = 'start' }: TextStyle,
): string {
  const anchor = align === 'start' ? '' : ` text-anchor="${align}"`;
  const weight = isBold ? ' font-weight="600"' : '';
  return `<text x="${short(x)}" y="${short(y)}" font-size="${size}"${weight}${anchor} fill="${colour}">${escapeXml(text)}</text>`;
}

/** Lines no wider than `width`, broken at spaces, and within words that are longer than a line. */
export function linesOf(text: string, width: number, size: number, isBold = false): string[] {
  const lines: string[] = [];
  const fits = (line: string) => widthInFigure(line, size, isBold) <= width;
  let line = '';
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line ? `${line} ${word}` : word;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    if (line) lines.push(line);
    line = word;
    while (!fits(line) && line.length > 1) {
      let kept = line.length - 1;
      while (kept > 1 && !fits(line.slice(0, kept))) kept--;
      lines.push(line.slice(0, kept));
      line = line.slice(kept);
    }
  }
  return line ? [...lines, line] : lines;
}

/** A coordinate rounded to a hundredth of a pixel. */
export const short = (value: number): string => String(Math.round(100 * value) / 100);
