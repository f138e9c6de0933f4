import type { Dimension, Tensor } from '../../onnx/graph.ts';
import { float32Tensor, int64Tensor } from '../../onnx/tensor.ts';
import type { GraphBuilder } from '../graph-builder.ts';
import { entryCount, isSelection, oncePerMatrix, type SparseMatrix } from './sparse-matrix.ts';

/** Up to this many elements, a dense matrix costs less than the overhead of a sparse one. */
const DENSE_ELEMENTS = 1 << 16;

/** Approximate number of elements of the constants in a product with the matrix. */
export function productSize(matrix: SparseMatrix): number {
  if (isSelection(matrix)) return matrix.rows;
  const dense = matrix.rows * matrix.columns;
  return dense <= DENSE_ELEMENTS ? dense : 2 * entryCount(matrix);
}

/**
 * `y[b, :] = matrix x[b, :]` for `x` of shape `[batch, matrix.columns]`, in the form that runtimes compute fastest: one
 * gather for a selection, one product for a small matrix, and otherwise products of small dense blocks. No scatter, so
 * results do not depend on the order of threads.
 */
function sparseProduct(graph: GraphBuilder, x: string, matrix: SparseMatrix): string {
  if (isSelection(matrix)) return graph.gather(x, graph.constant(selected(matrix)), 1);
  if (matrix.rows * matrix.columns <= DENSE_ELEMENTS)
    return graph.matMul(x, graph.constant(denseTransposed(matrix)));
  return blockedProduct(graph, x, matrix);
}

const selected = oncePerMatrix(({ rows, column }) => int64Tensor([rows], column));

const denseTransposed = oncePerMatrix(({ rows, columns, starts, column, value }) => {
  const elements = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let e = starts[row]!; e < starts[row + 1]!; e++) elements[column[e]! * rows + row] = value[e]!;
  }
  return float32Tensor([columns, rows], elements);
});

/** Rows that read the same columns: a dense block. */
interface Block {
  readonly rows: number[];
  readonly columns: Int32Array;
}

/**
 * Rows of a GSNN's sparse layers come in groups that read the same columns (the channels of a node, the edges out of
 * it), so the matrix is a set of small dense blocks. Blocks are padded to a few sizes. Each size takes one gather and
 * one batched product, with samples along the last axis, so that whole rows are copied and multiplied.
 */
function blockedProduct(graph: GraphBuilder, x: string, matrix: SparseMatrix): string {
  const samplesLast = graph.transpose(x, [1, 0]);
  const batch: Dimension = graph.shape(x)?.[0];
  const { parts, order } = blocksPlanned(matrix);
  const products = parts.map(({ columns, weights }) => {
    const indices = graph.constant(columns);
    const product = graph.matMul(graph.constant(weights), graph.gather(samplesLast, indices, 0));
    return graph.reshape(product, [weights.dims[0]! * weights.dims[1]!, batch]);
  });
  return graph.transpose(graph.gather(graph.concat(products, 0), graph.constant(order), 0), [1, 0]);
}

/** The constants of a blocked product. */
interface BlocksPlan {
  readonly parts: readonly {
    /** `[blocks, width]` */
    readonly columns: Tensor;
    /** `[blocks, height, width]` */
    readonly weights: Tensor;
  }[];
  /** Index of each row of the matrix among those of all parts. */
  readonly order: Tensor;
}

const blocksPlanned = oncePerMatrix((matrix: SparseMatrix): BlocksPlan => {
  const order = new Int32Array(matrix.rows);
  let written = 0;
  const parts = bucketsOf(blocksOf(matrix)).map(({ height, width, blocks }) => {
    const columns = new Int32Array(blocks.length * width);
    const weights = new Float32Array(blocks.length * height * width);
    blocks.forEach((block, k) => {
      // Padding reads a column that the block reads anyway, with weight 0.
      for (let c = 0; c < width; c++) columns[k * width + c] = block.columns[c] ?? block.columns[0]!;
      block.rows.forEach((row, r) => {
        order[row] = written + k * height + r;
        const at = (k * height + r) * width;
        for (let e = matrix.starts[row]!, c = 0; e < matrix.starts[row + 1]!; e++, c++)
          weights[at + c] = matrix.value[e]!;
      });
    });
    written += blocks.length * height;
    return {
      columns: int64Tensor([blocks.length, width], columns),
      weights: float32Tensor([blocks.length, height, width], weights),
    };
  });
  return { parts, order: int64Tensor([matrix.rows], order) };
});

function blocksOf({ rows, starts, column }: SparseMatrix): Block[] {
  const blocks: Block[] = [];
  // Blocks by a hash of their columns.
  const blocksByHash = new Map<number, Block[]>();
  for (let row = 0; row < rows; row++) {
    const own = column.subarray(starts[row], starts[row + 1]);
    let hash = own.length;
    for (const index of own) hash = Math.imul(hash ^ index, 0x01000193);
    // Rows without entries read the first column with weight 0.
    const columns = own.length > 0 ? own : Int32Array.of(0);
    const candidates = blocksByHash.get(hash);
    const block = candidates?.find((other) => sameNumbers(other.columns, columns));
    if (block !== undefined) block.rows.push(row);
    else {
      const made = { rows: [row], columns };
      blocks.push(made);
      if (candidates === undefined) blocksByHash.set(hash, [made]);
      else candidates.push(made);
    }
  }
  return blocks;
}

function sameNumbers(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((number, at) => number === b[at]);
}

/** Blocks that are padded to one size. */
interface Bucket {
  readonly height: number;
  readonly width: number;
  readonly blocks: Block[];
}

/**
 * Most elements of padding with which a bucket may join the product of another: with 128 samples they take about as
 * long as the steps of a separate product, each of which also takes a third of a millisecond when a runtime loads the
 * graph.
 */
const PADDING = 1024;

function bucketsOf(blocks: readonly Block[]): readonly Bucket[] {
  const buckets = new Map<string, Bucket>();
  for (const block of blocks) {
    const [height, width] = [paddedSize(block.rows.length), paddedSize(block.columns.length)];
    const key = `${height}x${width}`;
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, { height, width, blocks: [block] });
    else bucket.blocks.push(block);
  }
  const area = ({ height, width }: Bucket): number => height * width;
  const kept: Bucket[] = [];
  // Largest first, so that the bucket that a smaller one may join already exists.
  for (const bucket of [...buckets.values()].sort((a, b) => area(b) - area(a))) {
    const padding = (host: Bucket): number => bucket.blocks.length * (area(host) - area(bucket));
    const host = kept.findLast(({ height, width }) => height >= bucket.height && width >= bucket.width);
    if (host && padding(host) <= PADDING) host.blocks.push(...bucket.blocks);
    else kept.push(bucket);
  }
  return kept;
}

/** The next of 1, 2, 3, 4, 6, 8, 12, 16, 24, ...: few sizes, and at most half as much padding as size. */
function paddedSize(size: number): number {
  const power = 2 ** Math.floor(Math.log2(size));
  if (size === power) return size;
  return size <= 1.5 * power ? 1.5 * power : 2 * power;
}

/**
 * A constant linear map, sample by sample: `y[b, :] = matrix x[b, :]`, for `x` with its batch axis first. `y` has the given
 * shape, with its batch axis at `batchAxis`.
 */
export function sparseMap(
  graph: GraphBuilder,
  x: string,
  matrix: SparseMatrix,
  shape: readonly Dimension[],
  batchAxis: number,
): string {
  const batch = graph.shape(x)?.[0];
  const flat = graph.reshape(x, [batch, matrix.columns]);
  const rest = shape.filter((_, axis) => axis !== batchAxis);
  const shaped = graph.reshape(sparseProduct(graph, flat, matrix), [batch, ...rest]);
  const axes = rest.map((_, axis) => axis + 1);
  return graph.transpose(shaped, [...axes.slice(0, batchAxis), 0, ...axes.slice(batchAxis)]);
}
