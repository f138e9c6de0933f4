import type { Selection } from '../state/selection.ts';
import type { Box, Camera, FrameSize } from './camera.ts';
import { roleOf } from './graph.ts';
import { bend, clipped, isInSight, places, radii, type Places } from './places.ts';
import type { EdgeKind, Scene, SceneEdge } from './scene.ts';
import type { Arrow, ArrowStyle, Node, Shape } from './shapes.ts';

export interface Look {
  readonly ground: string;
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly known: string;
  readonly inferred: string;
  readonly positive: string;
  readonly accent: string;
}

/** What is highlighted. */
export interface Marks {
  readonly selection: Selection;
  /** What the pointer is on, here or in another view. */
  readonly lit: Selection;
  /** Nodes in focus; null for all. */
  readonly near: Uint8Array | null;
}

/** A scene as it is viewed. */
export interface Sight {
  readonly scene: Scene;
  readonly camera: Camera;
  readonly size: FrameSize;
  /** The part that is visible now, if more is drawn. */
  readonly frame?: Box;
  readonly look: Look;
  readonly marks: Marks;
}

/**
 * Shortest distance between discs, in pixels, at which an arrow has a head: on shorter ones only heads would be seen.
 */
const leastForHead = 26;

/** The network without names: edges under nodes. What is out of focus fades, what is out of sight is skipped. */
export function* networkShapes(sight: Sight): Generator<Shape> {
  const { scene, camera, size, look, marks } = sight;
  const at = places(scene, camera);
  const radius = radii(scene, camera);
  const isNear = (node: number) => marks.near === null || marks.near[node] === 1;
  const drawn = new Map<ArrowStyle, Arrow[]>();
  const styles = stylesOf(scene, look, marks.near !== null);
  for (const edge of scene.edges) {
    const isFaded = !edge.passes || !(isNear(edge.source) && isNear(edge.target));
    const style = styles(edge, isFaded);
    const arrow = arrowOf(edge, at, radius, size, style);
    if (!arrow) continue;
    const others = drawn.get(style);
    if (others) others.push(arrow);
    else drawn.set(style, [arrow]);
  }
  for (const arrows of drawn.values()) yield* arrows;
  for (let node = 0; node < scene.graph.names.length; node++)
    if (isInSight(at, node, size, 12))
      yield nodeShape(sight, at, radius[node]!, node, isNear(node) ? 1 : 0.15, false);
}

/**
 * Highlights, over everything: the selected pair however low its score, and what the pointer is on with its neighbours.
 */
export function* markShapes(sight: Sight): Generator<Shape> {
  const { scene, camera, size, look, marks } = sight;
  const at = places(scene, camera);
  const radius = radii(scene, camera);
  const style: ArrowStyle = { colour: look.accent, width: 2.5, dashed: false, opacity: 1 };
  const dashed: ArrowStyle = { ...style, dashed: true };
  const standing = new Set<number>();
  if (marks.lit.kind === 'node') {
    const { node } = marks.lit;
    const styles = stylesOf(scene, look, true);
    for (const edge of scene.edges) {
      if (edge.source !== node && edge.target !== node) continue;
      const arrow = arrowOf(edge, at, radius, size, styles(edge, false));
      if (arrow) yield arrow;
      standing.add(edge.source).add(edge.target);
    }
  }
  for (const marked of [marks.selection, marks.lit]) {
    if (marked.kind !== 'pair') continue;
    const { source, target } = marked;
    const isKnown = scene.edges.some(
      (edge) => edge.kind === 'known' && edge.source === source && edge.target === target,
    );
    const edge: SceneEdge = {
      source,
      target,
      kind: isKnown ? 'known' : 'inferred',
      strength: 1,
      passes: true,
    };
    const arrow = arrowOf(edge, at, radius, size, isKnown ? style : dashed);
    if (arrow) yield arrow;
  }
  const strong = standingOut(marks);
  for (const node of new Set([...standing, ...strong]))
    yield nodeShape(sight, at, radius[node]! + (strong.has(node) ? 2 : 0), node, 1, strong.has(node));
}

/** Nodes that are selected or under the pointer, alone or as ends of a pair. */
export function standingOut({ selection, lit }: Pick<Marks, 'selection' | 'lit'>): Set<number> {
  const nodes = [selection, lit].flatMap((at) =>
    at.kind === 'none' ? [] : at.kind === 'node' ? [at.node] : [at.source, at.target],
  );
  return new Set(nodes);
}

function nodeShape(
  { scene: { graph }, look, marks: { selection } }: Sight,
  at: Places,
  radius: number,
  node: number,
  opacity: number,
  stands: boolean,
): Node {
  const isOuter = roleOf(graph, node) !== 'function';
  const isSelected = stands && standingOut({ selection, lit: { kind: 'none' } }).has(node);
  return {
    kind: 'node',
    form: isOuter ? 'square' : 'disc',
    at: [at.x[node]!, at.y[node]!],
    radius: isOuter ? 0.8 * radius : radius,
    fill: isSelected ? look.accent : isOuter ? look.line : look.ground,
    ring: stands ? look.accent : isOuter ? look.soft : look.ink,
    opacity,
  };
}

/** The style of an edge: one object for all edges of one kind and strength, so that they can be drawn together. */
function stylesOf(
  scene: Scene,
  look: Look,
  isFocused: boolean,
): (edge: SceneEdge, isFaded: boolean) => ArrowStyle {
  const colours: Readonly<Record<EdgeKind, string>> = {
    known: look.known,
    inferred: look.inferred,
    positive: look.positive,
    outer: look.soft,
  };
  // Thousands of known edges would hide the inferred ones.
  const calm = isFocused ? 1 : Math.min(1, Math.max(0.14, 300 / scene.edges.length));
  const made = new Map<string, ArrowStyle>();
  return ({ kind, strength }, isFaded) => {
    const isGraph = kind === 'known' || kind === 'outer';
    const step = isGraph ? 0 : Math.round(4 * strength);
    const key = `${kind} ${step} ${isFaded}`;
    let style = made.get(key);
    if (!style) {
      style = {
        colour: colours[kind],
        width: kind === 'outer' ? 0.8 : kind === 'known' ? 1.2 : 0.8 + 0.45 * step,
        dashed: !isGraph,
        opacity: isFaded ? 0.08 : kind === 'known' ? calm : kind === 'outer' ? 0.6 * calm : 1,
      };
      made.set(key, style);
    }
    return style;
  };
}

/** An edge from disc to disc; null if it is out of sight, or too short to be seen. */
function arrowOf(
  { source, target, kind }: SceneEdge,
  at: Places,
  radius: Float32Array,
  size: FrameSize,
  style: ArrowStyle,
): Arrow | null {
  const from = [at.x[source]!, at.y[source]!] as const;
  const to = [at.x[target]!, at.y[target]!] as const;
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (length < radius[source]! + radius[target]! + 2) return null;
  const by = bend(from, to, kind);
  if (!isCurveInSight(from, by ?? from, to, size)) return null;
  return {
    kind: 'arrow',
    from: clipped(from, by ?? to, radius[source]! + 1),
    to: clipped(to, by ?? from, radius[target]! + 2),
    by,
    hasHead: kind !== 'outer' && length > leastForHead,
    style,
  };
}

function isCurveInSight(
  a: readonly [number, number],
  b: readonly [number, number],
  c: readonly [number, number],
  { width, height }: FrameSize,
): boolean {
  return (
    Math.max(a[0], b[0], c[0]) > 0 &&
    Math.min(a[0], b[0], c[0]) < width &&
    Math.max(a[1], b[1], c[1]) > 0 &&
    Math.min(a[1], b[1], c[1]) < height
  );
}
