import type { Range } from './products.ts';
import { hasSums } from './sums.ts';
import type { ChannelSystem } from './system.ts';

/**
 * How B is computed. `primal`: from F'F and F'U, a system of source channels. `dual`: from FF', a system of
 * observations, if these are fewer than the source channels.
 */
export type RidgeForm = 'primal' | 'dual';

/** Operations in float64 take about twice as long. */
const DOUBLE = 2;

/**
 * Cost of a form, in multiplications and additions of float32. @param orders of the rows of U, each of which adds
 * products
 */
export function costOf(system: ChannelSystem, form: RidgeForm, orders = 1): number {
  const { sources, targets, observations: n } = system;
  const [k, m] = [sources.channels.length, targets.channels.length];
  if (hasSums(system)) return (DOUBLE * k ** 3) / 3 + 2 * k * k * m;
  return form === 'dual'
    ? n * n * k + (DOUBLE * n ** 3) / 3 + 2 * n * n * k + 2 * n * k * m * orders
    : n * k * k + (DOUBLE * k ** 3) / 3 + (2 * n * k * m + 2 * k * k * m) * orders;
}

/** The cheaper form; for sums there is only one. */
export function cheaperForm(system: ChannelSystem): RidgeForm {
  if (hasSums(system)) return 'primal';
  return costOf(system, 'dual') < costOf(system, 'primal') ? 'dual' : 'primal';
}

/** Rows and columns of the system that a form factors. */
export function systemSize({ observations, sources }: ChannelSystem, form: RidgeForm): number {
  return form === 'dual' ? observations : sources.channels.length;
}

/** Part of a regression: some of the source nodes (`dual`) or of the target nodes (`primal`). */
export interface Part {
  readonly form: RidgeForm;
  /** Nodes `first .. end` */
  readonly first: number;
  readonly end: number;
}

/** Parts of a regression with about the same number of columns each, without empty parts. */
export function partsOf({ sources, targets }: ChannelSystem, form: RidgeForm, count: number): Part[] {
  const { starts } = form === 'dual' ? sources : targets;
  const bounds = Array.from({ length: count + 1 }, (_, k) => nodeAt(starts, k / count));
  return ranges(bounds).map(([first, end]) => ({ form, first, end }));
}

/** Ranges of columns of a triangle, of about equal area. */
export function triangleColumns(size: number, count: number): Range[] {
  return ranges(Array.from({ length: count + 1 }, (_, k) => Math.round(size * Math.sqrt(k / count))));
}

/** The nonempty ranges between bounds. */
function ranges(bounds: readonly number[]): Range[] {
  return bounds.slice(1).flatMap((end, k): Range[] => (bounds[k]! < end ? [[bounds[k]!, end]] : []));
}

/** The node whose columns contain that share of all columns. */
function nodeAt(starts: Uint32Array, share: number): number {
  const nodes = starts.length - 1;
  if (share >= 1) return nodes;
  const column = share * starts[nodes]!;
  let node = 0;
  while (node < nodes && starts[node + 1]! <= column) node++;
  return node;
}
