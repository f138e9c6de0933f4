interface Points {
  readonly xs: ArrayLike<number>;
  readonly ys: ArrayLike<number>;
}

interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** Largest distance in pixels at which a point counts as pointed at. */
const reach = 10;

/** The point of any group nearest to a position in the plot; -1 if none is within reach. */
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
