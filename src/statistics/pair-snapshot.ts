import type { PairMoments } from './covariances.ts';
import type { Deviations, TiledMatmul } from './tiled-matmul.ts';

/** Columns per tile when only its diagonal is needed: wide enough for the kernel, with few superfluous products. */
const DIAGONAL_COLUMNS = 64;

/** Forms the products of a layer pair. */
export interface PairMatmuls {
  /** For partial correlations and statistics */
  readonly exact: TiledMatmul;
  /** For X^T Y of plain correlations */
  readonly plain: TiledMatmul;
}

/** A snapshot of the samples of one layer pair: rows, from which any products can be formed. */
export class PairSnapshot {
  readonly matmuls: PairMatmuls;
  /** n */
  readonly samples: number;
  readonly x: Deviations;
  readonly y: Deviations;
  /** Means and variances, from the sums of columns */
  readonly moments: PairMoments;
  #varX: Float64Array | undefined;

  constructor(matmuls: PairMatmuls, samples: number, x: Deviations, y: Deviations, moments: PairMoments) {
    this.matmuls = matmuls;
    this.samples = samples;
    this.x = x;
    this.y = y;
    this.moments = moments;
  }

  /** N, function nodes */
  get nodes(): number {
    return this.x.rows.nodes;
  }

  /**
   * Moments whose variances of x come from products and so agree bit for bit with covariances among x: duplicates of a
   * parent leave zero variance. Cached.
   */
  *exactMoments(): Generator<undefined, PairMoments, undefined> {
    const { nodes, samples, moments } = this;
    if (this.#varX === undefined) {
      const varX = new Float64Array(nodes);
      for (let first = 0; first < nodes; first += DIAGONAL_COLUMNS) {
        const own = Uint32Array.from(
          { length: Math.min(DIAGONAL_COLUMNS, nodes - first) },
          (_, k) => first + k,
        );
        const x = select(this.x, own);
        const { values, stride } = yield* this.matmuls.exact.tile(x, x, [0, x.rows.end], [0, own.length], {
          upperOnly: true,
        });
        own.forEach((i, k) => {
          const mean = moments.meanX[i]!;
          varX[i] = Math.max(values[k * stride + k]! * (1 / samples) - mean * mean, 0);
        });
      }
      this.#varX = varX;
    }
    return { ...moments, varX: this.#varX };
  }

  /** A copy of the same samples of some nodes. */
  select(nodes: Uint32Array): PairSnapshot {
    const { meanX, meanY, varX, varY, meanX2, meanY2 } = this.moments;
    const moments = {
      meanX: pickNodes(meanX, nodes),
      meanY: pickNodes(meanY, nodes),
      varX: pickNodes(varX, nodes),
      varY: pickNodes(varY, nodes),
      meanX2: pickNodes(meanX2, nodes),
      meanY2: pickNodes(meanY2, nodes),
    };
    return new PairSnapshot(
      this.matmuls,
      this.samples,
      select(this.x, nodes),
      select(this.y, nodes),
      moments,
    );
  }
}

/**
 * Forms `A^T B` for some columns of `b` only.
 *
 * @returns row-major `[a.rows.nodes, columns.length]`, a new array
 */
export function* productsWith(
  matmul: TiledMatmul,
  a: Deviations,
  b: Deviations,
  columns: Uint32Array,
): Generator<undefined, Float64Array, undefined> {
  const width = columns.length;
  const { nodes, end: rows } = a.rows;
  const formed = new Float64Array(nodes * width);
  for (let first = 0; first < width; first += matmul.tileColumns) {
    const end = Math.min(first + matmul.tileColumns, width);
    const some = select(b, columns.subarray(first, end));
    const { values, stride } = yield* matmul.tile(a, some, [0, rows], [0, end - first], {
      upperOnly: false,
    });
    for (let i = 0; i < nodes; i++) {
      formed.set(values.subarray(i * stride, i * stride + end - first), i * width + first);
    }
  }
  return formed;
}

function select({ rows, pivot }: Deviations, nodes: Uint32Array): Deviations {
  return { rows: rows.select(nodes), pivot: pickNodes(pivot, nodes) };
}

function pickNodes(values: Float64Array, nodes: Uint32Array): Float64Array {
  return Float64Array.from(nodes, (node) => values[node]!);
}
