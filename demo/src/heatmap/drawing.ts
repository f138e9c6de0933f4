import type { ColourBar } from '../figure/colour-bar.ts';
import type { LegendItem } from '../figure/legend.ts';
import { imageOf } from '../figure/light.ts';
import type { Drawing, Room } from '../figure/source.ts';
import { short, textElement, widthInFigure } from '../figure/text.ts';
import { lightColour } from '../state/theme.ts';
import { axisLabels, gutter, type LabelScene } from './axis-labels.ts';
import { dimTheRest, type Passing } from './dimming.ts';
import type { View } from './painter.ts';
import { channelsOf } from './palette.ts';
import { largestScale } from './viewport.ts';

/** What a heatmap shows, in colours of the light theme. */
export interface Shown extends Pick<LabelScene, 'nodes' | 'nameAt' | 'selected'> {
  readonly view: View;
  readonly passing: Passing | null;
  /** The largest |score|, at which colours are saturated. */
  readonly extent: number;
  readonly isSigned: boolean;
  readonly draw: (view: View) => Promise<HTMLCanvasElement>;
}

/** Longest side of the image in pixels: more tiles would not fit on a GPU at once. */
const mostPixels = 2048;

/** The visible cells at the width of the figure, with text at its usual size; no empty space beside the square. */
export async function heatmapDrawing(shown: Shown, { width, ratio }: Room): Promise<Drawing> {
  const { view, nodes, nameAt, selected } = shown;
  const rows = Math.min(nodes - view.at.row, view.size.height / view.at.scale);
  const columns = Math.min(nodes - view.at.column, view.size.width / view.at.scale);
  const fitting = width === null ? view.at.scale : (width - gutter.left - gutter.right) / columns;
  const scale = Math.min(fitting, largestScale);
  const size = { width: columns * scale, height: rows * scale };
  const at = { ...view.at, scale };
  const labels = axisLabels({ at, size, nodes, nameAt, hovered: null, selected }, widthInFigure);
  const [ink, soft] = [lightColour('--ink'), lightColour('--ink-soft')];
  const texts = [...labels].map(({ text, at: [x, y], size, align, isTurned, isMarked }) => {
    const style = {
      size,
      colour: isMarked ? ink : soft,
      align: align === 'right' ? 'end' : 'start',
    } as const;
    // Lowers the baseline by a third of the font size, which centres the text.
    return isTurned
      ? `<g transform="translate(${short(x)},${short(y)}) rotate(-90)">${textElement(text, 0, size / 3, style)}</g>`
      : textElement(text, x, y + size / 3, style);
  });
  const image = imageOf(await imageFrom(shown, at, size, ratio), size.width, size.height);
  return {
    width: gutter.left + size.width + gutter.right,
    height: gutter.top + size.height,
    content: [
      `<g transform="translate(${gutter.left},${gutter.top})">`,
      image,
      `<rect width="${short(size.width)}" height="${short(size.height)}" fill="none" stroke="${soft}" stroke-width="0.5"/>`,
      outlineOf(selected, at, size),
      '</g>',
      ...texts,
    ].join('\n'),
    bar: barOf(shown),
    legend: legendOf(shown, ink),
  };
}

/** The cells as an image at the resolution of the figure, up to {@link mostPixels} a side. */
async function imageFrom(
  { view, passing, draw }: Shown,
  at: View['at'],
  size: View['size'],
  ratio: number,
): Promise<HTMLCanvasElement> {
  const fine = Math.min(ratio, mostPixels / Math.max(size.width, size.height));
  const inPixels = {
    at: { ...at, scale: at.scale * fine },
    size: { width: Math.round(size.width * fine), height: Math.round(size.height * fine) },
  };
  const canvas = await draw({ ...view, ...inPixels, ratio: 1 });
  const ground = channelsOf(lightColour('--surface'));
  if (passing) dimTheRest(canvas.getContext('2d')!, passing, inPixels.at, inPixels.size, ground);
  return canvas;
}

/** Outline of the selected cell, or of the row and column of a selected node. */
function outlineOf({ row, column }: Shown['selected'], at: View['at'], size: View['size']): string {
  if (row === null || column === null) return '';
  const [x, y] = [(column - at.column) * at.scale, (row - at.row) * at.scale];
  const side = Math.max(at.scale, 3);
  const colour = lightColour('--focus');
  const rect = (left: number, top: number, width: number, height: number) =>
    left + width < 0 || top + height < 0 || left > size.width || top > size.height
      ? ''
      : `<rect x="${short(left)}" y="${short(top)}" width="${short(width)}" height="${short(height)}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
  return row === column
    ? rect(0, y, size.width, side) + rect(x, 0, side, size.height)
    : rect(x, y, side, side);
}

/** Symmetric about 0, or from 0 upwards by square roots. */
function barOf({ extent, isSigned }: Shown): ColourBar {
  const [negative, zero, positive] = ['--negative-full', '--score-zero', '--positive-full'].map(
    lightColour,
  ) as [string, string, string];
  return isSigned
    ? {
        label: 'score',
        domain: [-extent, extent],
        colours: [negative, zero, positive],
        place: (value) => (value / extent + 1) / 2,
      }
    : {
        label: 'score',
        domain: [0, extent],
        colours: [zero, positive],
        place: (value) => Math.sqrt(value / extent),
      };
}

function legendOf({ view, passing }: Shown, ink: string): LegendItem[] {
  return [
    ...(view.marksEdges ? [{ label: 'edge of the graph', form: 'disc', colour: ink } as const] : []),
    ...(passing
      ? [{ label: 'faded: does not pass the filters', form: 'square', colour: '#e6e6e6' } as const]
      : []),
  ];
}
