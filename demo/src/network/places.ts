import type { Selection } from '../state/selection.ts';
import type { Camera, FrameSize } from './camera.ts';
import type { EdgeKind, Scene } from './scene.ts';

type Point = readonly [x: number, y: number];

/** Where nodes are in the frame, CSS pixels. */
export interface Places {
  readonly x: Float32Array;
  readonly y: Float32Array;
}

export function places({ positions, graph }: Scene, { scale, x, y }: Camera): Places {
  const nodes = graph.names.length;
  const at = { x: new Float32Array(nodes), y: new Float32Array(nodes) };
  for (let node = 0; node < nodes; node++) {
    at.x[node] = (positions[2 * node]! - x) * scale;
    at.y[node] = (positions[2 * node + 1]! - y) * scale;
  }
  return at;
}

export const isInSight = (at: Places, node: number, { width, height }: FrameSize, room: number): boolean =>
  at.x[node]! > -room && at.y[node]! > -room && at.x[node]! < width + room && at.y[node]! < height + room;

const largestRadius = 7;
/** Up to this many nodes, discs have their largest size, whatever the spacing. */
const few = 60;

const spacings = new WeakMap<Float32Array, number>();

/**
 * Radii of discs: small enough to leave gaps between most nodes, at any zoom; nodes with many edges have larger discs.
 */
export function radii({ positions, degrees }: Scene, { scale }: Camera): Float32Array {
  const nodes = degrees.length;
  let typical = largestRadius;
  if (nodes > few) {
    let spacing = spacings.get(positions);
    if (spacing === undefined) {
      spacing = spacingOf(positions);
      spacings.set(positions, spacing);
    }
    typical = Math.min(Math.max(0.3 * spacing * scale, 1.5), largestRadius);
  }
  const most = degrees.reduce((high, degree) => Math.max(high, degree), 1);
  return Float32Array.from(degrees, (degree) => typical * (0.7 + 0.5 * Math.sqrt(degree / most)));
}

/** Spacing of nodes along either axis, from the middle half of the nodes: outliers say nothing about the others. */
function spacingOf(positions: Float32Array): number {
  const half = [0, 1].map((axis) => {
    const along = positions.filter((_, k) => k % 2 === axis).sort();
    return along[Math.floor(0.75 * along.length)]! - along[Math.floor(0.25 * along.length)]!;
  }) as [number, number];
  return Math.sqrt((half[0] * half[1] * 8) / positions.length);
}

/** Inferred edges are curved, so that they separate from known ones and from nodes between their ends. */
export function bend(from: Point, to: Point, kind: EdgeKind): Point | null {
  if (kind === 'known' || kind === 'outer') return null;
  const amount = 0.22;
  return [
    (from[0] + to[0]) / 2 + amount * (to[1] - from[1]),
    (from[1] + to[1]) / 2 - amount * (to[0] - from[0]),
  ];
}

/** The point at a distance from `end` towards another one. */
export function clipped(end: Point, towards: Point, distance: number): Point {
  const length = Math.hypot(towards[0] - end[0], towards[1] - end[1]) || 1;
  const share = Math.min(distance / length, 0.5);
  return [end[0] + (towards[0] - end[0]) * share, end[1] + (towards[1] - end[1]) * share];
}

/** The node at a point of the frame; -1 if there is none. */
export function nodeAt(scene: Scene, camera: Camera, x: number, y: number): number {
  const at = places(scene, camera);
  let best = 144;
  let found = -1;
  for (let node = 0; node < at.x.length; node++) {
    const distance = (at.x[node]! - x) ** 2 + (at.y[node]! - y) ** 2;
    if (distance < best) [best, found] = [distance, node];
  }
  return found;
}

/** The edge between function nodes at a point of the frame. */
export function edgeAt(scene: Scene, camera: Camera, x: number, y: number): Selection {
  const at = places(scene, camera);
  let least = 36;
  let found: Selection = { kind: 'none' };
  for (const { source, target, kind } of scene.edges) {
    if (kind === 'outer') continue;
    const a = [at.x[source]!, at.y[source]!] as const;
    const b = [at.x[target]!, at.y[target]!] as const;
    const by = bend(a, b, kind);
    // Approximates the curve by two straight pieces that meet in its middle.
    const middle: Point = by ? [(a[0] + b[0] + 2 * by[0]) / 4, (a[1] + b[1] + 2 * by[1]) / 4] : b;
    const distance = Math.min(toSegment(a, middle, x, y), by ? toSegment(middle, b, x, y) : Infinity);
    if (distance < least) [least, found] = [distance, { kind: 'pair', source, target }];
  }
  return found;
}

/** Squared distance of a point to a segment. */
function toSegment(a: Point, b: Point, x: number, y: number): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const along = ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.min(Math.max(along, 0), 1);
  return (a[0] + t * dx - x) ** 2 + (a[1] + t * dy - y) ** 2;
}
