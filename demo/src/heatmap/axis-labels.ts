import { fittingLabel } from '../names/labels.ts';
import type { PlotSize, Viewport } from './viewport.ts';

/** Margins around the plot, CSS pixels: for labels on the left and on top. */
export const gutter = { left: 78, top: 70, right: 8 };
const leastSize = 9;
const largestSize = 11;

export interface LabelScene {
  readonly at: Viewport;
  readonly size: PlotSize;
  /** Names in the order of rows and columns. */
  readonly nameAt: (place: number) => string;
  readonly nodes: number;
  readonly hovered: { row: number; column: number } | null;
  /** Places of the selection; for a selected node, its row and column. */
  readonly selected: { row: number | null; column: number | null };
}

/** A label outside the square; `at` is its end (right) or start (left), at half its height. */
export interface AxisLabel {
  readonly text: string;
  readonly at: readonly [x: number, y: number];
  readonly size: number;
  readonly align: 'left' | 'right';
  /** Whether it runs upwards. */
  readonly isTurned: boolean;
  readonly isMarked: boolean;
}

/** Names of rows and columns, only every n-th if cells are too small for text, and the axis titles. */
export function* axisLabels(
  { at, size, nodes, nameAt, hovered, selected }: LabelScene,
  widthOf: (text: string, size: number) => number,
): Generator<AxisLabel> {
  const plain = { size: largestSize, isTurned: false, isMarked: false };
  yield { ...plain, text: 'source ↓', at: [gutter.left - 8, gutter.top - 10], align: 'right' };
  if (size.width > 60) yield { ...plain, text: 'target →', at: [8, 10], align: 'left' };
  const letters = Math.min(largestSize, Math.max(at.scale, leastSize));
  const step = Math.ceil(leastSize / at.scale);
  const shortened = (name: string, width: number) =>
    fittingLabel(name, (text) => widthOf(text, letters) <= width);
  const labelled = function* (axis: 'row' | 'column', start: number, length: number) {
    const marked = [hovered?.[axis], selected[axis]];
    const first = Math.max(0, Math.ceil(start - 0.5));
    const last = Math.min(nodes, Math.floor(start + length / at.scale + 0.5));
    for (let place = first; place < last; place++) {
      const isMarked = marked.includes(place);
      // A marked name replaces those that it would touch.
      const isCovered =
        step > 1 && marked.some((other) => typeof other === 'number' && Math.abs(other - place) < step);
      if (isMarked || (place % step === 0 && !isCovered)) yield { place, isMarked };
    }
  };
  for (const { place, isMarked } of labelled('row', at.row, size.height)) {
    const y = gutter.top + (place + 0.5 - at.row) * at.scale;
    const text = shortened(nameAt(place), gutter.left - 8);
    yield { text, at: [gutter.left - 6, y], size: letters, align: 'right', isTurned: false, isMarked };
  }
  for (const { place, isMarked } of labelled('column', at.column, size.width)) {
    const x = gutter.left + (place + 0.5 - at.column) * at.scale;
    const text = shortened(nameAt(place), gutter.top - 22);
    yield { text, at: [x, gutter.top - 5], size: letters, align: 'left', isTurned: true, isMarked };
  }
}
