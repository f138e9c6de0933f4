import { PackedSymmetric } from '../statistics/packed-symmetric.ts';
import type { PairSnapshot } from '../statistics/pair-snapshot.ts';
import { runYielding, type Yielder } from '../statistics/yielder.ts';
import type { Tile } from '../statistics/tiled-matmul.ts';
import { scoredMoments } from './constant-nodes.ts';
import { scoreFewTargets } from './few-targets.ts';
import { flagConstants } from './node-flags.ts';
import { noSources, type PairBasis } from './pair-source.ts';
import type { TargetsRequest } from './score-matrices.ts';
import { createTileScorer, type TileScorer } from './score-statistics.ts';
import type { TargetRange } from './target-panels.ts';

/**
 * Scores of panels of targets, whose products are formed from the samples when they are asked for and let go afterwards:
 * no N x N sums exist, but those among the sources for partial scores of all targets, of one layer pair at a time.
 */
export class PanelScorer {
  /** `[nodes]`, of all panels scored so far; see {@link NODE_FLAG} */
  readonly nodeFlags: Uint8Array;
  readonly #pairs: readonly PairSnapshot[];
  readonly #request: TargetsRequest;
  readonly #yielder: Yielder;
  readonly #scoreTile: TileScorer;
  readonly #packed: PackedSymmetric | undefined;
  #pair = -1;
  #basis: PairBasis | undefined;
  #tile: Tile | undefined;

  /** @throws RangeError or `out-of-memory` where what it works in finds no room */
  constructor(pairs: readonly PairSnapshot[], request: TargetsRequest, yielder: Yielder) {
    const { nodes } = pairs[0]!;
    this.nodeFlags = new Uint8Array(nodes);
    this.#pairs = pairs;
    this.#request = request;
    this.#yielder = yielder;
    this.#scoreTile = createTileScorer(nodes, request, yielder);
    const whole = request.score === 'partial' && request.targets === undefined;
    this.#packed = whole ? new PackedSymmetric(nodes) : undefined;
  }

  /** Frees what it works in, for good. */
  release(): void {
    this.#packed?.discard();
  }

  /**
   * Scores all sources with the targets of a panel. Cheapest pair by pair, and panels in ascending order.
   *
   * @param panel positions among the targets asked for, which are all where none were named
   * @param out receives `[nodes, end - first]`, row-major, in its beginning
   */
  async score(pair: number, { first, end }: TargetRange, out: Float64Array): Promise<void> {
    const { targets } = this.#request;
    if (targets !== undefined) {
      const some = targets.subarray(first, end);
      const snapshot = this.#pairs[pair]!;
      await scoreFewTargets(
        snapshot,
        this.#request,
        this.#scoreTile,
        some,
        out,
        this.nodeFlags,
        this.#yielder,
      );
      return;
    }
    if (pair !== this.#pair || this.#basis === undefined) await this.#open(pair);
    const columns = { values: out, stride: end - first, first };
    for (let at = first; at < end;) {
      const tile = await this.#tileOf(at);
      const part = {
        ...tile,
        values: tile.values.subarray(at - tile.first),
        first: at,
        end: Math.min(end, tile.end),
      };
      await this.#scoreTile(this.#basis!, part, columns, this.nodeFlags);
      at = part.end;
    }
  }

  async #open(pair: number): Promise<void> {
    this.#tile = undefined;
    this.#basis = undefined;
    const snapshot = this.#pairs[pair]!;
    const { nodes, samples, products, x } = snapshot;
    let { moments } = snapshot;
    if (this.#packed !== undefined) {
      moments = await runYielding(snapshot.exactMoments(), this.#yielder);
      const { tileColumns } = products;
      for (let first = 0; first < nodes; first += tileColumns) {
        const columns = [first, Math.min(first + tileColumns, nodes)] as const;
        this.#packed.setColumns(
          await runYielding(products.tile(x, x, [0, x.rows.end], columns, true), this.#yielder),
        );
      }
    }
    this.#pair = pair;
    const { varianceFloor } = this.#request;
    moments = scoredMoments(moments, varianceFloor);
    flagConstants(moments, this.nodeFlags);
    this.#basis = { nodes, samples, moments, sources: this.#packed ?? noSources };
  }

  /** The tile of X^T Y that a target is in: the one at hand, or the next. */
  async #tileOf(target: number): Promise<Tile> {
    if (this.#tile !== undefined && target >= this.#tile.first && target < this.#tile.end) return this.#tile;
    this.#tile = undefined;
    const { nodes, products, x, y } = this.#pairs[this.#pair]!;
    const { tileColumns } = products;
    const first = target - (target % tileColumns);
    const columns = [first, Math.min(first + tileColumns, nodes)] as const;
    this.#tile = await runYielding(products.tile(x, y, [0, x.rows.end], columns, false), this.#yielder);
    return this.#tile;
  }
}
