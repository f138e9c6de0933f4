import type { Shape } from './shapes.ts';

type Point = readonly [number, number];

/** A node that could be named. */
export interface Named {
  readonly text: string;
  readonly at: Point;
  /** Named in any case, and heavier. */
  readonly bold: boolean;
}

const lineHeight = 12;
/** Width of a letter, more or less: what it takes to keep names apart. */
const letter = 6.3;
/** Names at most; there is no room for more. */
const most = 400;

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * Names that do not run into each other, the first of `nodes` first: above their disc, or beside it where another disc or name
 * stands there, or not at all.
 *
 * @param discs places of all discs in sight
 */
export function* placedNames(
  nodes: readonly Named[],
  discs: readonly Point[],
  radius: number,
  look: { readonly ink: string; readonly ground: string },
): Generator<Shape> {
  const taken: Box[] = [];
  let count = 0;
  for (const { text, at, bold } of nodes) {
    if (count >= most && !bold) continue;
    const above = { at: [at[0], at[1] - radius - 9] as const, align: 'center' as const };
    const beside = { at: [at[0] + radius + 4, at[1]] as const, align: 'start' as const };
    const isFree = (box: Box) => !taken.some((other) => overlap(box, other));
    const spot =
      !isUnderDisc(at, discs, radius) && isFree(boxOf(text, above))
        ? above
        : isFree(boxOf(text, beside)) || bold
          ? beside
          : null;
    if (!spot) continue;
    count++;
    taken.push(boxOf(text, spot));
    yield { kind: 'text', ...spot, text, colour: look.ink, halo: look.ground, bold };
  }
}

function boxOf(text: string, { at: [x, y], align }: { readonly at: Point; readonly align: string }): Box {
  const width = text.length * letter;
  const left = align === 'center' ? x - width / 2 : x;
  return { left, right: left + width, top: y - lineHeight / 2, bottom: y + lineHeight / 2 };
}

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Whether another disc stands where a name above the disc would. */
function isUnderDisc([x, y]: Point, discs: readonly Point[], radius: number): boolean {
  const reach = radius + 9 + lineHeight / 2 + radius;
  return discs.some(
    ([otherX, otherY]) => otherY < y && y - otherY < reach && Math.abs(otherX - x) < 2 * radius,
  );
}
