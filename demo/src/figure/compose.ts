import { escapeXml } from '../export/xml.ts';
import { barContent, barWidth } from './colour-bar.ts';
import { legendContent } from './legend.ts';
import type { Drawing, FigureSource, Room } from './source.ts';
import { figureFont, letterSize, linesOf, short, textElement } from './text.ts';

/** How a figure is exported. */
export interface FigureSettings {
  readonly title: string;
  /** Null: as wide as on screen, at {@link screenPoints}. */
  readonly widthMm: number | null;
  /** Null: follows from the width. */
  readonly heightMm: number | null;
  readonly dpi: number;
  /** Font size in points. */
  readonly points: number;
  readonly showsLegend: boolean;
  readonly showsProvenance: boolean;
  readonly showsSelection: boolean;
}

export interface Figure {
  /** A complete SVG file in millimetres. */
  readonly svg: string;
  readonly widthMm: number;
  readonly heightMm: number;
}

/** Provenance of a figure: one line below it, and the full text inside its file. */
export interface About {
  readonly line: string;
  readonly text: string;
}

const mmPerPoint = 25.4 / 72;
/** A font size of 11 CSS pixels, in points. */
export const screenPoints = 8.25;
const padding = 6;
const titleSize = 13;
const smallSize = 8.5;
const ink = '#1b2229';
const soft = '#525e6a';

/** Title, drawing, colour bar, legend and provenance on white, in the size requested. */
export async function composeFigure(
  source: FigureSource,
  settings: FigureSettings,
  about: About,
): Promise<Figure> {
  const mmPerPixel = (settings.points * mmPerPoint) / letterSize;
  const ratio = (settings.dpi * mmPerPixel) / 25.4;
  const { widthMm, heightMm, showsSelection } = settings;
  const width = widthMm === null ? null : widthMm / mmPerPixel - 2 * padding;
  const title = (room: number) => linesOf(settings.title, room, titleSize, true);
  const small = (room: number) => (settings.showsProvenance ? linesOf(about.line, room, smallSize) : []);
  const room: Room = { width, height: null, ratio, showsSelection };
  const draw = async (height: number | null): Promise<Drawing> => {
    const first = await source.draw({ ...room, height });
    const bar = settings.showsLegend && first.bar ? barWidth(first.bar) : 0;
    // Only now is it known that a colour bar takes part of the width.
    return bar > 0 && width !== null ? source.draw({ ...room, height, width: width - bar }) : first;
  };
  let drawing = await draw(null);
  const bar = settings.showsLegend ? drawing.bar : undefined;
  const inner = width ?? drawing.width + (bar ? barWidth(bar) : 0);
  const legend = settings.showsLegend ? (drawing.legend ?? []) : [];
  const top = padding + title(inner).length * (titleSize + 4) + (settings.title ? 3 : 0);
  const foot =
    legendContent(legend, 0, 0, inner, ink).height + small(inner).length * (smallSize + 3) + 2 * padding;
  if (heightMm !== null && source.hasFreeHeight)
    drawing = await draw(Math.max(heightMm / mmPerPixel - top - foot, 60));
  const below = top + drawing.height + padding / 2;
  const marks = legendContent(legend, padding, below, inner, ink);
  const lines = [
    ...title(inner).map((line, k) =>
      textElement(line, padding, padding + titleSize - 1 + k * (titleSize + 4), {
        size: titleSize,
        isBold: true,
        colour: ink,
      }),
    ),
    `<g transform="translate(${padding},${short(top)})">${drawing.content}</g>`,
    ...(bar ? [barContent(bar, padding + drawing.width, top, drawing.height, ink)] : []),
    marks.content,
    ...small(inner).map((line, k) =>
      textElement(line, padding, below + marks.height + smallSize + k * (smallSize + 3), {
        size: smallSize,
        colour: soft,
      }),
    ),
  ];
  const [fullWidth, fullHeight] = [inner + 2 * padding, top + drawing.height + foot];
  const [w, h] = [widthMm ?? fullWidth * mmPerPixel, fullHeight * mmPerPixel].map(short) as [string, string];
  return {
    widthMm: Number(w),
    heightMm: Number(h),
    svg: `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="${w}mm" height="${h}mm" viewBox="0 0 ${w} ${h}">
<title>${escapeXml(settings.title)}</title>
<desc>${escapeXml(about.text)}</desc>
<rect width="100%" height="100%" fill="#fff"/>
<g transform="scale(${mmPerPixel.toFixed(6)})" font-family="${escapeXml(figureFont)}">
${lines.join('\n')}
</g>
</svg>
`,
  };
}
