import { runYielding, type Yielder } from '../../statistics/yielder.ts';
import type { ConditionalScores } from '../select-edges.ts';
import { solveDefinite } from '../solve-definite.ts';
import { aggregateChannels } from './aggregate.ts';
import type { ChannelAggregation } from './request.ts';
import type { RidgeSolver } from './ridge-solver.ts';
import { addMultiple } from './times-rows.ts';

/**
 * Relative rounding error of the float32 products in F'F: channels that are independent only below it count as
 * dependent.
 */
const ROUNDOFF = 1e-6;
/** Most bytes of regressions that are kept for the next step. */
const CACHE_BYTES = 2 ** 28;

/**
 * Channel scores of targets for which sources have been selected; the rows of B of these sources are no longer
 * penalised (method.md, "Stagewise selection"). With H_T the regression of the channels T of those sources on all
 * channels, `B_T = B_j + (E - H_T) H_TT^-1 B_Tj`: only a system of size |T| is factored.
 */
export class ConditionalChannels implements ConditionalScores {
  readonly nodes: number;
  readonly #solvers: readonly RidgeSolver[];
  readonly #layerAgg: ChannelAggregation;
  readonly #first: ArrayLike<number>;
  readonly #yielder: Yielder;
  readonly #selected: number[][];
  /** The most recently used regressions, in the order of their use */
  readonly #cache = new Map<string, Float64Array>();
  #cacheBytes = 0;

  /**
   * @param solvers one per layer pair, or one for 'pooled'
   * @param first aggregated scores before any selection, row-major `[nodes, nodes]`
   */
  constructor(
    solvers: readonly RidgeSolver[],
    layerAgg: ChannelAggregation,
    first: ArrayLike<number>,
    yielder: Yielder,
  ) {
    this.nodes = solvers[0]!.system.nodes;
    this.#solvers = solvers;
    this.#layerAgg = layerAgg;
    this.#first = first;
    this.#yielder = yielder;
    this.#selected = Array.from({ length: this.nodes }, () => []);
  }

  async columns(targets: Uint32Array): Promise<Float64Array[]> {
    const columns: Float64Array[] = [];
    for (const target of targets) columns.push(await runYielding(this.#column(target), this.#yielder));
    return columns;
  }

  select(source: number, target: number): void {
    this.#selected[target]!.push(source);
  }

  conditioned(target: number): number {
    return this.#selected[target]!.length;
  }

  *#column(target: number): Generator<undefined, Float64Array, undefined> {
    const { nodes } = this;
    if (this.conditioned(target) === 0) {
      return Float64Array.from({ length: nodes }, (_, source) => this.#first[source * nodes + target]!);
    }
    const perPair: Float64Array[] = [];
    for (const pair of this.#solvers.keys()) perPair.push(yield* this.#pairColumn(pair, target));
    return aggregateChannels(perPair, this.#layerAgg === 'max' ? 'max' : 'mean');
  }

  *#pairColumn(pair: number, target: number): Generator<undefined, Float64Array, undefined> {
    const { sources, targets } = this.#solvers[pair]!.system;
    const size = sources.channels.length;
    const width = targets.starts[target + 1]! - targets.starts[target]!;
    // Source columns that are conditioned on, and H_T' for each. Channels that are constant here are not in the
    // regression.
    const selected: number[] = [];
    const rows: Float64Array[] = [];
    for (const source of this.#selected[target]!) {
      const own = yield* this.#regression(pair, 'source', source);
      const first = sources.starts[source]!;
      for (let column = first; column < sources.starts[source + 1]!; column++) {
        selected.push(column);
        rows.push(own.subarray((column - first) * size, (column - first + 1) * size));
      }
    }
    const b = (yield* this.#regression(pair, 'target', target)).slice();
    const system = Float64Array.from({ length: selected.length ** 2 }, (_, at) => {
      const [a, c] = [Math.floor(at / selected.length), at % selected.length];
      return rows[a]![selected[c]!]!;
    });
    const right = selected.map((column) => Array.from({ length: width }, (_, c) => b[c * size + column]!));
    const weights = solveDefinite(system, right, ROUNDOFF);
    if (weights === undefined) return new Float64Array(this.nodes).fill(NaN);
    selected.forEach((column, t) => {
      weights[t]!.forEach((weight, c) => {
        addMultiple(b, c * size, rows[t]!, -weight);
        b[c * size + column]! += weight;
      });
    });
    return blockRoots(b, sources.starts, width);
  }

  /** The regression of a node's channels, cached. */
  *#regression(
    pair: number,
    side: 'source' | 'target',
    node: number,
  ): Generator<undefined, Float64Array, undefined> {
    const key = `${pair} ${side} ${node}`;
    let values = this.#cache.get(key);
    if (values === undefined) {
      const solver = this.#solvers[pair]!;
      values = yield* side === 'source' ? solver.ofSource(node) : solver.ofTarget(node);
      this.#cacheBytes += values.byteLength;
    }
    // Most recently used, so dropped last.
    this.#cache.delete(key);
    this.#cache.set(key, values);
    for (const [oldest, { byteLength }] of this.#cache) {
      if (this.#cacheBytes <= CACHE_BYTES) break;
      this.#cache.delete(oldest);
      this.#cacheBytes -= byteLength;
    }
    return values;
  }
}

/**
 * `||B_ij||_F` over the root of the number of target columns, for each source i.
 *
 * @param b B_j', row-major `[width, source columns]`
 * @returns NaN if a side has no column
 */
function blockRoots(b: Float64Array, starts: Uint32Array, width: number): Float64Array {
  const nodes = starts.length - 1;
  const size = starts[nodes]!;
  const roots = new Float64Array(nodes);
  for (let node = 0; node < nodes; node++) {
    const [first, end] = [starts[node]!, starts[node + 1]!];
    let squares = first === end ? NaN : 0;
    for (let c = 0; c < width; c++) {
      for (let column = first; column < end; column++) squares += b[c * size + column]! ** 2;
    }
    roots[node] = Math.sqrt(squares / width);
  }
  return roots;
}
