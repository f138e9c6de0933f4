/** Targets by degrees of freedom: within a class, scores, z and p sort alike. */
export interface DegreesOfFreedomGroups {
  /** N: class of each target */
  readonly classOf: Uint16Array | Uint32Array;
  /** Square root of each class's degrees of freedom; 0 if there are fewer than two, which makes p 1 (method.md) */
  readonly roots: Float64Array;
}

/**
 * @param samples n
 * @param conditioned |S_j| of each target for partial scores; absent: the same for all targets
 */
export function degreesOfFreedomGroups(
  nodes: number,
  samples: number,
  conditioned: Int32Array | undefined,
): DegreesOfFreedomGroups {
  const sizes = [...new Set(conditioned ?? [0])].sort((a, b) => a - b);
  const classes = new Map(sizes.map((size, index) => [size, index]));
  const classOf = new Uint32Array(nodes);
  conditioned?.forEach((size, target) => (classOf[target] = classes.get(size)!));
  return { classOf, roots: Float64Array.from(sizes, (size) => rootOfFreedom(samples, size)) };
}

/** Square root of the degrees of freedom; 0 if there are fewer than two. @param conditioned |S_j| */
export function rootOfFreedom(samples: number, conditioned: number): number {
  const df = samples - 3 - conditioned;
  return df < 2 ? 0 : Math.sqrt(df);
}

/** Square root of the degrees of freedom of each target. */
export function rootsOfTargets({ classOf, roots }: DegreesOfFreedomGroups): Float64Array {
  return Float64Array.from(classOf, (index) => roots[index]!);
}
