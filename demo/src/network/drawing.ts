import type { LegendItem } from '../figure/legend.ts';
import type { Drawing, Room } from '../figure/source.ts';
import { widthInFigure } from '../figure/text.ts';
import { centred, extentOf, type Box, type Camera, type FrameSize } from './camera.ts';
import type { WidthOf } from './names.ts';
import { overlayShapes } from './overlay.ts';
import { networkShapes, type Look, type Sight } from './picture.ts';
import type { EdgeKind, Scene } from './scene.ts';
import { svgOfShapes, textSize, type Shape } from './shapes.ts';

const widthOf: WidthOf = (text, bold) => widthInFigure(text, textSize, bold);
/** Largest ratio of height to width. */
const tallest = 1.25;
/** Initial margins around nodes for names, before their size is known. */
const firstRoom: Box = { left: 40, right: 40, top: 18, bottom: 18 };
/** Names are placed anew at each size, so that it takes a few passes to find the one that fills the width. */
const passes = 3;

/**
 * The visible part at the width of the figure, with text at its usual size: names are placed for that. Trimmed to the
 * content.
 */
export function networkDrawing(sight: Sight, { width, showsSelection }: Room): Drawing {
  const none = { kind: 'none' } as const;
  const marks = { ...sight.marks, lit: none, ...(showsSelection ? {} : { selection: none }) };
  const seen = { ...sight, marks };
  const legend = legendOf(seen);
  if (width === null) {
    const content = `<svg width="${seen.size.width}" height="${seen.size.height}">${svgOfShapes(shapesOf(seen))}</svg>`;
    return { ...seen.size, content, legend };
  }
  const region = regionInSight(seen);
  let room = firstRoom;
  let shapes: Shape[] = [];
  let box = room;
  for (let pass = 0; pass < passes; pass++) {
    const { camera, size, inner } = framing(region, room, width);
    shapes = shapesOf({ ...seen, camera, size });
    box = within(boxOf(shapes), region.isCut, size);
    room = {
      left: Math.max(0, inner.left - box.left),
      right: Math.max(0, box.right - inner.right),
      top: Math.max(0, inner.top - box.top),
      bottom: Math.max(0, box.bottom - inner.bottom),
    };
  }
  const full = Math.max(width, box.right - box.left);
  const height = ((box.bottom - box.top) * width) / full;
  const left = (box.left + box.right - full) / 2;
  const sides = [left, box.top, full, box.bottom - box.top].map((side) => side.toFixed(1));
  return {
    width,
    height,
    content: `<svg width="${width}" height="${height.toFixed(1)}" viewBox="${sides.join(' ')}">${svgOfShapes(shapes)}</svg>`,
    legend,
  };
}

const shapesOf = (sight: Sight): Shape[] => [...networkShapes(sight), ...overlayShapes(sight, widthOf)];

/** The visible part of the layout, and the sides at which the frame cuts it off. */
interface Region extends Box {
  readonly isCut: Readonly<Record<keyof Box, boolean>>;
}

function regionInSight({ scene: { positions }, camera, size }: Sight): Region {
  const at = extentOf(positions);
  const [left, top] = [Math.max(at.left, camera.x), Math.max(at.top, camera.y)];
  const right = Math.min(at.right, camera.x + size.width / camera.scale);
  const bottom = Math.min(at.bottom, camera.y + size.height / camera.scale);
  const isCut = {
    left: left > at.left,
    right: right < at.right,
    top: top > at.top,
    bottom: bottom < at.bottom,
  };
  // With no node in sight the figure would be empty: show the whole network.
  return left < right || top < bottom ? { left, right, top, bottom, isCut } : { ...at, isCut };
}

/** The camera with which a region fills a width next to the margins for names. */
function framing(region: Region, room: Box, width: number): { camera: Camera; size: FrameSize; inner: Box } {
  const [wide, tall] = [region.right - region.left || 1, region.bottom - region.top || 0.1];
  const scale = Math.min(
    Math.max(width - room.left - room.right, 40) / wide,
    Math.max(tallest * width - room.top - room.bottom, 40) / tall,
  );
  const height = tall * scale + room.top + room.bottom;
  const size = { width, height };
  const middle = [(region.left + region.right) / 2, (region.top + region.bottom) / 2] as const;
  const camera = centred(
    middle[0] + (room.right - room.left) / 2 / scale,
    middle[1] + (room.bottom - room.top) / 2 / scale,
    scale,
    size,
  );
  const left = (region.left - camera.x) * scale;
  const top = (region.top - camera.y) * scale;
  return { camera, size, inner: { left, top, right: left + wide * scale, bottom: top + tall * scale } };
}

/** Extends no further than the frame on the sides where it cuts the network off. */
const within = (box: Box, isCut: Region['isCut'], { width, height }: FrameSize): Box => ({
  left: isCut.left ? 0 : box.left,
  right: isCut.right ? width : box.right,
  top: isCut.top ? 0 : box.top,
  bottom: isCut.bottom ? height : box.bottom,
});

function boxOf(shapes: readonly Shape[]): Box {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  const take = (x: number, y: number, half: number, tall: number) => {
    left = Math.min(left, x - half);
    right = Math.max(right, x + half);
    top = Math.min(top, y - tall);
    bottom = Math.max(bottom, y + tall);
  };
  for (const shape of shapes) {
    if (shape.kind === 'node') take(...shape.at, shape.radius + 2, shape.radius + 2);
    else if (shape.kind === 'text') {
      const half = widthOf(shape.text, shape.bold) / 2;
      const shift = { start: half, center: 0, end: -half }[shape.align];
      take(shape.at[0] + shift, shape.at[1], half + 2, textSize / 2 + 2);
    } else if (shape.by) {
      // The curve reaches half as far as its control point.
      const [a, b] = [shape.from, shape.to];
      take((a[0] + b[0] + 2 * shape.by[0]) / 4, (a[1] + b[1] + 2 * shape.by[1]) / 4, 2, 2);
    }
  }
  return left > right ? { left: 0, right: 1, top: 0, bottom: 1 } : { left, right, top, bottom };
}

const names: Readonly<Record<EdgeKind, readonly [label: string, colour: keyof Look]>> = {
  known: ['known', 'known'],
  inferred: ['inferred', 'inferred'],
  positive: ['positive', 'positive'],
  outer: ['input, output', 'soft'],
};

/** What the kinds of edges in a scene look like. */
function legendOf({ scene, look }: { readonly scene: Scene; readonly look: Look }): LegendItem[] {
  const kinds = new Set(scene.edges.map(({ kind }) => kind));
  return (Object.keys(names) as EdgeKind[])
    .filter((kind) => kinds.has(kind))
    .map((kind) => {
      const [label, colour] = names[kind];
      const form = kind === 'outer' ? 'square' : kind === 'known' ? 'line' : 'dashed';
      return { label, form, colour: look[colour] };
    });
}
