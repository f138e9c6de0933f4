import { fittingLabel, labelsOf } from '../names/labels.ts';
import type { Selection } from '../state/selection.ts';
import type { Camera, NetworkData } from './scene.ts';
import { placedNames } from './placed-names.ts';
import type { Shape } from './shapes.ts';

export interface Look {
  readonly ground: string;
  readonly ink: string;
  readonly known: string;
  readonly inferred: string;
  readonly positive: string;
  readonly accent: string;
}

/** What stands out. */
export interface Marks {
  readonly selection: Selection;
  /** What the pointer is on, here or in another view. */
  readonly lit: Selection;
  /** Nodes in focus; null for all. */
  readonly near: Uint8Array | null;
}

const largestRadius = 6;
/** Letters of a name; what stands out has all of them. */
const longestName = 14;
/** Nodes up to which discs are as large as they get, whatever stands beside them. */
const few = 60;

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
  marks: Marks,
): Generator<Shape> {
  const { selection, lit, near } = marks;
  const isSeen = ([x, y]: readonly [number, number], room: number) =>
    x > -room && y > -room && x < size.width + room && y < size.height + room;
  const isNear = (node: number) => near === null || near[node] === 1;
  const radius = discRadius(data, camera);
  yield* edgeShapes(data, camera, look, marks, radius);

  const places: [number, number][] = [];
  const named: { node: number; at: [number, number] }[] = [];
  for (let node = 0; node < data.names.length; node++) {
    const at = toScreen(data, camera, node);
    if (!isSeen(at, 10)) continue;
    const isSelected = selects(selection, node);
    const stands = isSelected || selects(lit, node);
    yield {
      kind: 'disc',
      at,
      radius: stands ? Math.max(radius + 2, 5) : radius,
      fill: isSelected ? look.accent : look.ground,
      ring: stands ? look.accent : look.ink,
      opacity: isNear(node) || stands ? 1 : 0.15,
    };
    places.push(at);
    if (isNear(node) || stands) named.push({ node, at });
  }
  const labels = labelsOf(data.names);
  const degrees = degreesOf(data);
  const isBold = (node: number) => selects(selection, node) || selects(lit, node);
  named.sort(
    (a, b) => Number(isBold(b.node)) - Number(isBold(a.node)) || degrees[b.node]! - degrees[a.node]!,
  );
  const fits = (text: string) => text.length <= longestName;
  const texts = named.map(({ node, at }) => {
    const bold = isBold(node);
    return { text: bold ? labels[node]! : fittingLabel(labels[node]!, fits), at, bold };
  });
  yield* placedNames(texts, places, radius, look);
}

const degreesByEdges = new WeakMap<Uint32Array, Uint32Array>();

function degreesOf({ edges, names }: NetworkData): Uint32Array {
  let degrees = degreesByEdges.get(edges);
  if (!degrees) {
    degrees = new Uint32Array(names.length);
    for (const node of edges) degrees[node]! += 1;
    degreesByEdges.set(edges, degrees);
  }
  return degrees;
}

const spacings = new WeakMap<Float32Array, number>();

/** Discs leave room between them where most nodes are, at any zoom. */
function discRadius({ names, positions }: NetworkData, { scale }: Camera): number {
  if (names.length <= few) return largestRadius;
  let spacing = spacings.get(positions);
  if (spacing === undefined) {
    // The middle half of either axis: single nodes far out say nothing about the others.
    const half = [0, 1].map((axis) => {
      const along = positions.filter((_, k) => k % 2 === axis).sort();
      return along[Math.floor(0.75 * along.length)]! - along[Math.floor(0.25 * along.length)]!;
    }) as [number, number];
    spacing = Math.sqrt((half[0] * half[1] * 4) / names.length);
    spacings.set(positions, spacing);
  }
  return Math.min(Math.max(0.3 * spacing * scale, 1.5), largestRadius);
}

function* edgeShapes(
  data: NetworkData,
  camera: Camera,
  look: Look,
  { selection, lit, near }: Marks,
  nodeRadius: number,
): Generator<Shape> {
  const colours = [look.known, look.inferred, look.positive];
  const isNear = (node: number) => near === null || near[node] === 1;
  // Thousands of known edges would cover what is inferred.
  const calm = near === null ? Math.min(1, Math.max(0.3, 500 / data.kinds.length)) : 1;
  const drawn = new Set<string>();
  for (let edge = 0; edge < data.kinds.length; edge++) {
    const [source, target] = [data.edges[2 * edge]!, data.edges[2 * edge + 1]!];
    if (source === target) continue;
    const from = toScreen(data, camera, source);
    const to = toScreen(data, camera, target);
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (length < 2 * nodeRadius) continue;
    const kind = data.kinds[edge]!;
    const isBetweenNear = isNear(source) && isNear(target);
    const isMarked = isPair(selection, source, target) || isPair(lit, source, target);
    if (isMarked) drawn.add(`${source} ${target}`);
    // Lines end at the discs, so that their heads are seen.
    const inset = (nodeRadius + 2) / length;
    const by = bend(from, to, kind);
    yield {
      kind: 'arrow',
      by,
      from: [from[0] + (to[0] - from[0]) * inset, from[1] + (to[1] - from[1]) * inset],
      to: [to[0] + (from[0] - to[0]) * inset, to[1] + (from[1] - to[1]) * inset],
      colour: isMarked ? look.accent : colours[kind]!,
      width: isMarked ? 3 : kind === 0 ? 1.2 : 0.8 + 1.8 * Math.max(0, data.scores[edge]! / data.extent || 0),
      dashed: kind !== 0,
      opacity: isMarked ? 1 : !isBetweenNear ? 0.08 : kind === 0 ? calm : 1,
    };
  }
  // What is selected is there, however low it scores.
  for (const marked of [selection, lit]) {
    if (marked.kind !== 'pair' || drawn.has(`${marked.source} ${marked.target}`)) continue;
    const [from, to] = [toScreen(data, camera, marked.source), toScreen(data, camera, marked.target)];
    const by = bend(from, to, 1);
    yield { kind: 'arrow', from, to, by, colour: look.accent, width: 2.5, dashed: true, opacity: 1 };
  }
}

const isPair = (at: Selection, source: number, target: number): boolean =>
  at.kind === 'pair' && at.source === source && at.target === target;

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
