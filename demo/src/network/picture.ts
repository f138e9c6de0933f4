import type { Selection } from '../state/selection.ts';
import type { Camera, NetworkData } from './scene.ts';
import type { Shape } from './shapes.ts';

export interface Look {
  readonly ground: string;
  readonly ink: string;
  readonly known: string;
  readonly inferred: string;
  readonly positive: string;
  readonly accent: string;
}

const radius = 6;
const lineHeight = 12;

const toScreen = (data: NetworkData, { scale, x, y }: Camera, node: number): [number, number] => [
  (data.positions[2 * node]! - x) * scale,
  (data.positions[2 * node + 1]! - y) * scale,
];

/** The network as shapes: edges under nodes under names; what is out of focus fades, what is out of sight is left out. */
export function* networkShapes(
  data: NetworkData,
  camera: Camera,
  size: { readonly width: number; readonly height: number },
  look: Look,
  selection: Selection,
  near: Uint8Array | null,
): Generator<Shape> {
  const isSeen = ([x, y]: readonly [number, number], room: number) =>
    x > -room && y > -room && x < size.width + room && y < size.height + room;
  const isNear = (node: number) => near === null || near[node] === 1;
  const nodeRadius = data.names.length > 1500 ? 3 : radius;
  yield* edgeShapes(data, camera, look, selection, isNear, nodeRadius);

  const labelled: number[] = [];
  for (let node = 0; node < data.names.length; node++) {
    const at = toScreen(data, camera, node);
    if (!isSeen(at, 10)) continue;
    const isSelected = selects(selection, node);
    yield {
      kind: 'disc',
      at,
      radius: isSelected ? nodeRadius + 2 : nodeRadius,
      fill: isSelected ? look.accent : look.ground,
      ring: isSelected ? look.accent : look.ink,
      opacity: isNear(node) ? 1 : 0.15,
    };
    if (isNear(node)) labelled.push(node);
  }
  // Names only where there is room for them, and always on what is selected.
  const roomy = labelled.length <= 150;
  const places = labelled.map((node) => toScreen(data, camera, node));
  for (const [k, node] of labelled.entries()) {
    const bold = selects(selection, node);
    if (!roomy && !bold) continue;
    yield {
      kind: 'text',
      ...besideOrAbove(places[k]!, places, nodeRadius),
      text: data.names[node]!,
      colour: look.ink,
      halo: look.ground,
      bold,
    };
  }
}

/** Where the name of a disc stands: above it, or beside it where another disc stands there. */
function besideOrAbove(
  [x, y]: readonly [number, number],
  others: readonly (readonly [number, number])[],
  nodeRadius: number,
): { at: [number, number]; align: 'center' | 'start' } {
  const above = nodeRadius + 9;
  const isTaken = others.some(
    ([otherX, otherY]) =>
      otherY < y && y - otherY < above + lineHeight / 2 + nodeRadius && Math.abs(otherX - x) < 2 * nodeRadius,
  );
  return isTaken ? { at: [x + nodeRadius + 4, y], align: 'start' } : { at: [x, y - above], align: 'center' };
}

function* edgeShapes(
  data: NetworkData,
  camera: Camera,
  look: Look,
  selection: Selection,
  isNear: (node: number) => boolean,
  nodeRadius: number,
): Generator<Shape> {
  const colours = [look.known, look.inferred, look.positive];
  for (let edge = 0; edge < data.kinds.length; edge++) {
    const [source, target] = [data.edges[2 * edge]!, data.edges[2 * edge + 1]!];
    if (source === target) continue;
    const from = toScreen(data, camera, source);
    const to = toScreen(data, camera, target);
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (length < 2 * nodeRadius) continue;
    const kind = data.kinds[edge]!;
    const isSelected =
      selection.kind === 'pair' && selection.source === source && selection.target === target;
    // Lines end at the discs, so that their heads are seen.
    const inset = (nodeRadius + 2) / length;
    const by = bend(from, to, kind);
    yield {
      kind: 'arrow',
      by,
      from: [from[0] + (to[0] - from[0]) * inset, from[1] + (to[1] - from[1]) * inset],
      to: [to[0] + (from[0] - to[0]) * inset, to[1] + (from[1] - to[1]) * inset],
      colour: isSelected ? look.accent : colours[kind]!,
      width: isSelected
        ? 3
        : kind === 0
          ? 1.2
          : 0.8 + 1.8 * Math.max(0, data.scores[edge]! / data.extent || 0),
      dashed: kind !== 0,
      opacity: isNear(source) && isNear(target) ? 1 : 0.08,
    };
  }
}

/** Inferred edges bow, so that they part from known ones and from the nodes between their ends. */
function bend(
  from: readonly [number, number],
  to: readonly [number, number],
  kind: number,
): [number, number] {
  const amount = kind === 0 ? 0 : 0.22;
  return [
    (from[0] + to[0]) / 2 + amount * (to[1] - from[1]),
    (from[1] + to[1]) / 2 - amount * (to[0] - from[0]),
  ];
}

const selects = (selection: Selection, node: number): boolean =>
  selection.kind === 'node'
    ? selection.node === node
    : selection.kind === 'pair' && (selection.source === node || selection.target === node);

/** The node, else the edge, at a point of the screen. */
export function hit(data: NetworkData, camera: Camera, x: number, y: number): Selection {
  let best = 144;
  let node = -1;
  for (let k = 0; k < data.names.length; k++) {
    const [nx, ny] = toScreen(data, camera, k);
    const distance = (nx - x) ** 2 + (ny - y) ** 2;
    if (distance < best) [best, node] = [distance, k];
  }
  if (node >= 0) return { kind: 'node', node };
  let least = 36;
  let found = -1;
  for (let edge = 0; edge < data.kinds.length; edge++) {
    const a = toScreen(data, camera, data.edges[2 * edge]!);
    const b = toScreen(data, camera, data.edges[2 * edge + 1]!);
    const [cx, cy] = bend(a, b, data.kinds[edge]!);
    // The curve as two straight pieces that meet in its middle.
    const middle: [number, number] = [(a[0] + b[0] + 2 * cx) / 4, (a[1] + b[1] + 2 * cy) / 4];
    const distance = Math.min(toSegment(a, middle, x, y), toSegment(middle, b, x, y));
    if (distance < least) [least, found] = [distance, edge];
  }
  if (found < 0) return { kind: 'none' };
  return { kind: 'pair', source: data.edges[2 * found]!, target: data.edges[2 * found + 1]! };
}

/** Squared distance of a point to a segment. */
function toSegment(a: readonly [number, number], b: readonly [number, number], x: number, y: number): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const along = ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.min(Math.max(along, 0), 1);
  return (a[0] + t * dx - x) ** 2 + (a[1] + t * dy - y) ** 2;
}
