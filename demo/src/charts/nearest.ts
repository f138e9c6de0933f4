interface Points {
  readonly xs: ArrayLike<number>;
  readonly ys: ArrayLike<number>;
}

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** Pixels from a point within which it is meant. */
const reach = 10;

/** The point of any group that is nearest to a place of the plot, -1 where none is near. */
export function nearestPoint(
  { xs, ys }: Points,
  groups: readonly Uint32Array[],
  px: number,
  py: number,
  scales: Scales,
): number {
  let nearest = -1;
  let least = reach ** 2;
  for (const group of groups)
    for (const point of group) {
      const distance = (scales.x(xs[point]!) - px) ** 2 + (scales.y(ys[point]!) - py) ** 2;
      if (distance < least) [least, nearest] = [distance, point];
    }
  return nearest;
}
