import type { Tile } from '../statistics/tiled-matmul.ts';
import { runYielding, type Yielder } from '../statistics/yielder.ts';
import { flagConstants } from './node-flags.ts';
import { PartialScorer } from './partial.ts';
import { pearsonScores } from './pearson.ts';
import type { PairBasis, ProductSource, ScoreColumns } from './product-source.ts';
import type { ScoreRequest, TargetsRequest } from './score-matrices.ts';
import type { TargetRange } from './target-panels.ts';

/** Sources scored between two checks of the clock. */
const STEP = 64;

/** The only loop over scores: those of a panel of targets, from products that are held or formed on demand. */
export class PanelScorer {
  /** `[nodes]`, of all panels scored so far; see {@link NODE_FLAG} */
  readonly nodeFlags: Uint8Array;
  readonly #products: ProductSource;
  readonly #scoreTile: TileScorer;

  /**
   * @param products for the same request
   * @throws RangeError or `out-of-memory` if scratch memory runs out
   */
  constructor(products: ProductSource, request: ScoreRequest, yielder: Yielder) {
    this.nodeFlags = new Uint8Array(products.nodes);
    this.#products = products;
    this.#scoreTile = createTileScorer(products.nodes, request, yielder);
  }

  /** Frees the products for good. */
  release(): void {
    this.#products.release();
  }

  /**
   * Scores all sources with the targets of a panel; see {@link ProductSource.open}.
   *
   * @param out receives `[nodes, panel.end - panel.first]`, row-major, at its start
   */
  async score(pair: number, panel: TargetRange, out: Float64Array | Float32Array): Promise<void> {
    const products = await this.#products.open(pair, panel);
    flagConstants(products.moments, this.nodeFlags);
    const stride = panel.end - panel.first;
    let column = 0;
    for await (const tile of products.tiles) {
      const columns = { values: out, stride, first: tile.first - column };
      await this.#scoreTile(products, tile, columns, this.nodeFlags);
      column += tile.end - tile.first;
    }
  }
}

/** Writes the scores of the targets of a tile, and flags targets whose sets are singular. */
type TileScorer = (source: PairBasis, tile: Tile, out: ScoreColumns, nodeFlags: Uint8Array) => Promise<void>;

/** Creates the scorer of a request, for one tile after another. */
function createTileScorer(nodes: number, request: TargetsRequest, yielder: Yielder): TileScorer {
  if (request.score === 'partial') {
    const partial = new PartialScorer(nodes, request);
    return (source, tile, out, flags) => runYielding(partial.score(source, tile, out, flags), yielder);
  }
  return async (source, tile, out) => {
    for (let first = 0; first < nodes; first += STEP) {
      pearsonScores(source, tile, first, Math.min(first + STEP, nodes), out);
      await yielder();
    }
  };
}
