import { axisLabels, gutter, type LabelScene } from './axis-labels.ts';
import { dimTheRest, type Passing } from './dimming.ts';

export interface OverlayScene extends LabelScene {
  /** The rows that pass the filters; null if all do. */
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

function drawLabels(context: CanvasRenderingContext2D, scene: OverlayScene): void {
  const widthOf = (text: string, size: number) => {
    context.font = `${size}px ${scene.font}`;
    return context.measureText(text).width;
  };
  for (const { text, at, size, align, isTurned, isMarked } of axisLabels(scene, widthOf)) {
    context.save();
    context.font = `${size}px ${scene.font}`;
    context.fillStyle = isMarked ? scene.ink : scene.soft;
    context.textAlign = align;
    context.textBaseline = 'middle';
    context.translate(...at);
    if (isTurned) context.rotate(-Math.PI / 2);
    context.fillText(text, 0, 0);
    context.restore();
  }
}
