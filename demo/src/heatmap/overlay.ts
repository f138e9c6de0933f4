import { fittingLabel } from '../names/labels.ts';
import { dimTheRest, type Passing } from './dimming.ts';
import type { PlotSize, Viewport } from './viewport.ts';

/** Room around the plot, CSS pixels: for labels at the left and on top. */
export const gutter = { left: 78, top: 70, right: 8 };
const leastLabelled = 9;

export interface OverlayScene {
  readonly at: Viewport;
  readonly size: PlotSize;
  /** Names in the order of rows and columns. */
  readonly nameAt: (place: number) => string;
  readonly nodes: number;
  readonly hovered: { row: number; column: number } | null;
  /** Places of the selection; a whole row and column where only a node is selected. */
  readonly selected: { row: number | null; column: number | null };
  /** What passes the filters; null where everything does. */
  readonly passing: Passing | null;
  readonly ground: readonly [red: number, green: number, blue: number];
  readonly ink: string;
  readonly soft: string;
  readonly accent: string;
  readonly font: string;
}

/** Labels, the cell under the pointer and the selected one: what must stay sharp at any zoom. */
export function drawOverlay(canvas: HTMLCanvasElement, scene: OverlayScene): void {
  const { at, size, hovered, selected } = scene;
  const ratio = canvas.width / (size.width + gutter.left + gutter.right);
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width + gutter.left + gutter.right, size.height + gutter.top);
  drawAxisTitles(context, scene);
  drawLabels(context, scene);
  context.save();
  context.beginPath();
  context.rect(gutter.left, gutter.top, size.width, size.height);
  context.clip();
  if (scene.passing) {
    context.translate(gutter.left, gutter.top);
    dimTheRest(context, scene.passing, at, size, scene.ground);
    context.translate(-gutter.left, -gutter.top);
  }
  const x = (column: number) => gutter.left + (column - at.column) * at.scale;
  const y = (row: number) => gutter.top + (row - at.row) * at.scale;
  const side = Math.max(at.scale, 3);
  const span = scene.nodes * at.scale;
  const outline = (row: number | null, column: number | null, width: number, colour: string) => {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(
      column === null ? x(0) : x(column) - 0.5,
      row === null ? y(0) : y(row) - 0.5,
      column === null ? span : side,
      row === null ? span : side,
    );
  };
  if (hovered) outline(hovered.row, hovered.column, 1.5, scene.ink);
  if (selected.row !== null && selected.row === selected.column) {
    outline(selected.row, null, 1.5, scene.accent);
    outline(null, selected.column, 1.5, scene.accent);
  } else if (selected.row !== null) outline(selected.row, selected.column, 2.5, scene.accent);
  context.restore();
}

function drawAxisTitles(context: CanvasRenderingContext2D, { size, soft, font }: OverlayScene): void {
  context.font = `11px ${font}`;
  context.fillStyle = soft;
  context.textAlign = 'right';
  context.textBaseline = 'alphabetic';
  context.fillText('source ↓', gutter.left - 8, gutter.top - 6);
  context.textAlign = 'left';
  if (size.width > 60) context.fillText('target →', 8, 14);
}

function drawLabels(context: CanvasRenderingContext2D, scene: OverlayScene): void {
  const { at, size, nodes, nameAt, hovered, selected } = scene;
  const isMarked = (place: number, axis: 'row' | 'column') =>
    hovered?.[axis] === place || selected[axis] === place;
  context.font = `${Math.min(11, Math.max(at.scale, leastLabelled))}px ${scene.font}`;
  // Where rows are too low for letters, every so many-th one is named.
  const step = Math.ceil(leastLabelled / at.scale);
  const isNamed = (place: number, axis: 'row' | 'column') => place % step === 0 || isMarked(place, axis);
  const isHidden = (place: number, axis: 'row' | 'column') => {
    if (step === 1 || isMarked(place, axis)) return false;
    return [hovered?.[axis], selected[axis]].some(
      (other) => other !== null && other !== undefined && Math.abs(other - place) < step,
    );
  };
  context.textBaseline = 'middle';
  const visible = (start: number, length: number) => [
    Math.max(0, Math.ceil(start - 0.5)),
    Math.min(nodes, Math.floor(start + length / at.scale + 0.5)),
  ];
  context.textAlign = 'right';
  const [top, bottom] = visible(at.row, size.height) as [number, number];
  for (let row = top; row < bottom; row++) {
    if (!isNamed(row, 'row') || isHidden(row, 'row')) continue;
    context.fillStyle = isMarked(row, 'row') ? scene.ink : scene.soft;
    const y = gutter.top + (row + 0.5 - at.row) * at.scale;
    context.fillText(shortened(context, nameAt(row), gutter.left - 8), gutter.left - 6, y);
  }
  context.textAlign = 'left';
  const [left, right] = visible(at.column, size.width) as [number, number];
  for (let column = left; column < right; column++) {
    if (!isNamed(column, 'column') || isHidden(column, 'column')) continue;
    context.fillStyle = isMarked(column, 'column') ? scene.ink : scene.soft;
    context.save();
    context.translate(gutter.left + (column + 0.5 - at.column) * at.scale, gutter.top - 5);
    context.rotate(-Math.PI / 2);
    context.fillText(shortened(context, nameAt(column), gutter.top - 22), 0, 0);
    context.restore();
  }
}

const shortened = (context: CanvasRenderingContext2D, name: string, width: number): string =>
  fittingLabel(name, (text) => context.measureText(text).width <= width);
