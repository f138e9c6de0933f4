import { fittingLabel } from '../names/labels.ts';
import type { Box } from './camera.ts';
import { roleOf } from './graph.ts';
import { standingOut, type Sight } from './picture.ts';
import { isInSight, places, radii } from './places.ts';
import { neighbourhood } from './scene.ts';
import { textSize, type Text } from './shapes.ts';

/** Width of a text in CSS pixels. */
export type WidthOf = (text: string, bold: boolean) => number;

/** Most characters of a name; highlighted names are shown in full. */
const longestName = 14;
/** Most names shown; there is no space for more. */
const most = 300;
const lineHeight = textSize + 2;
const gap = 2;

const shortened = new WeakMap<readonly string[], string[]>();

/** The shortened name of a node that is not highlighted, cached. */
function shortName(labels: readonly string[], node: number): string {
  let short = shortened.get(labels);
  if (!short) shortened.set(labels, (short = []));
  return (short[node] ??= fittingLabel(labels[node]!, ({ length }) => length <= longestName));
}

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/**
 * Names that never overlap: highlighted nodes first, then nodes with many edges. A name is placed above its disc, else
 * to the right, to the left or below, where it covers no other name and, if possible, no disc; else it is omitted.
 * While the pointer is on a node, only its neighbours have names.
 */
export function* nameShapes(sight: Sight, widthOf: WidthOf): Generator<Text> {
  const { scene, camera, size, frame, look, marks } = sight;
  const { graph, degrees } = scene;
  const at = places(scene, camera);
  const radius = radii(scene, camera);
  const strong = standingOut(marks);
  const near = marks.lit.kind === 'node' ? neighbourhood(scene, [marks.lit.node], 1) : marks.near;
  const inSight = [...graph.names.keys()].filter((node) => isInSight(at, node, size, 10));
  const isOuter = (node: number) => roleOf(graph, node) !== 'function';
  const candidates = inSight
    .filter((node) => strong.has(node) || near === null || near[node] === 1)
    .sort(
      (a, b) =>
        Number(strong.has(b)) - Number(strong.has(a)) ||
        Number(isOuter(a)) - Number(isOuter(b)) ||
        degrees[b]! - degrees[a]! ||
        a - b,
    );
  const discs = new Cells(inSight.map((node) => discBox(at.x[node]!, at.y[node]!, radius[node]!)));
  const taken = new Cells([]);
  let count = 0;
  for (const node of candidates) {
    if (count === most) return;
    const bold = strong.has(node);
    const text = bold ? graph.labels[node]! : shortName(graph.labels, node);
    const spots = spotsAround(at.x[node]!, at.y[node]!, radius[node]! + (bold ? 2 : 0), widthOf(text, bold));
    const free = spots.filter(({ box }) => !taken.meets(box));
    const isSeen = frame && isInside(pointBox(at.x[node]!, at.y[node]!), frame);
    const spot = bestOf(free, { frame: isSeen ? frame : undefined, discs, isNeeded: bold });
    if (!spot) continue;
    count++;
    taken.add(spot.box);
    yield { kind: 'text', at: spot.at, align: spot.align, text, colour: look.ink, halo: look.ground, bold };
  }
}

interface Bounds {
  /** The visible frame, for a node inside it. */
  readonly frame: Box | undefined;
  readonly discs: Cells;
  /** Covers discs, or is cut, rather than being omitted. */
  readonly isNeeded: boolean;
}

const pointBox = (x: number, y: number): Box => ({ left: x, right: x, top: y, bottom: y });

/** The first spot that the frame does not cut and that covers no disc; else the next best. */
function bestOf<S extends { readonly box: Box }>(
  spots: readonly S[],
  { frame, discs, isNeeded }: Bounds,
): S | undefined {
  const isWhole = ({ box }: S) => !frame || isInside(box, frame);
  const isFree = ({ box }: S) => !discs.meets(box);
  const best = spots.find((spot) => isWhole(spot) && isFree(spot));
  if (best || !isNeeded) return best ?? spots.find(isFree);
  return spots.find(isWhole) ?? spots.find(isFree) ?? spots[0];
}

const isInside = (a: Box, b: Box): boolean =>
  a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;

const discBox = (x: number, y: number, radius: number): Box => ({
  left: x - radius,
  right: x + radius,
  top: y - radius,
  bottom: y + radius,
});

function spotsAround(x: number, y: number, radius: number, width: number) {
  const away = radius + 4;
  const half = lineHeight / 2;
  const spot = (align: Text['align'], at: readonly [number, number]) => {
    const left = align === 'start' ? at[0] : align === 'end' ? at[0] - width : at[0] - width / 2;
    const box: Box = { left: left - gap, right: left + width + gap, top: at[1] - half, bottom: at[1] + half };
    return { align, at, box };
  };
  return [
    spot('center', [x, y - away - half + 1]),
    spot('start', [x + away, y]),
    spot('end', [x - away, y]),
    spot('center', [x, y + away + half - 1]),
  ];
}

/** Boxes by grid cell, so that each is compared only with its neighbours. */
class Cells {
  readonly #cells = new Map<number, Box[]>();

  constructor(boxes: readonly Box[]) {
    for (const box of boxes) this.add(box);
  }

  add(box: Box): void {
    for (const cell of this.#cellsOf(box)) {
      const others = this.#cells.get(cell);
      if (others) others.push(box);
      else this.#cells.set(cell, [box]);
    }
  }

  meets(box: Box): boolean {
    for (const cell of this.#cellsOf(box))
      if (this.#cells.get(cell)?.some((other) => overlap(box, other))) return true;
    return false;
  }

  *#cellsOf({ left, right, top, bottom }: Box): Generator<number> {
    const side = 64;
    for (let row = Math.floor(top / side); row <= Math.floor(bottom / side); row++)
      for (let column = Math.floor(left / side); column <= Math.floor(right / side); column++)
        yield row * 65_536 + column;
  }
}
