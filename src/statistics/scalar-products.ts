import type { ProductKernel } from './products.ts';

const WIDTH = 4;

/**
 * Products in plain JavaScript: runs wherever the language does, and is what the WebAssembly kernel is checked
 * against. Columns are packed into panels of four, so that the innermost loop reads two contiguous streams and keeps
 * sixteen sums in registers.
 */
export function createScalarProducts(nodes: number, maxRows: number): ProductKernel {
  const panels = Math.ceil(nodes / WIDTH);
  const packedX = new Float64Array(panels * WIDTH * maxRows);
  const packedY = new Float64Array(panels * WIDTH * maxRows);
  return {
    description: 'plain JavaScript',
    addProducts(x, y, rows, sumXY, sumXX) {
      pack(x, rows, nodes, packedX);
      pack(y, rows, nodes, packedY);
      const panel = rows * WIDTH;
      for (let j = 0; j < panels; j++) {
        for (let i = 0; i < panels; i++) {
          addBlock(packedX, i * panel, packedY, j * panel, rows, sumXY, i * WIDTH, j * WIDTH, nodes);
          if (i <= j) {
            addBlock(packedX, i * panel, packedX, j * panel, rows, sumXX, i * WIDTH, j * WIDTH, nodes);
          }
        }
      }
    },
  };
}

/** `[rows, nodes]` to panels of four columns, `[panel, rows, 4]`, missing columns zero. */
function pack(source: Float64Array, rows: number, nodes: number, packed: Float64Array): void {
  const panels = Math.ceil(nodes / WIDTH);
  for (let p = 0; p < panels; p++) {
    const columns = Math.min(WIDTH, nodes - p * WIDTH);
    let to = p * rows * WIDTH;
    for (let k = 0; k < rows; k++, to += WIDTH) {
      const from = k * nodes + p * WIDTH;
      for (let c = 0; c < WIDTH; c++) packed[to + c] = c < columns ? source[from + c]! : 0;
    }
  }
}

/** One 4 x 4 block of a product, added to `sum` at row i0, column j0 (rows and columns past the edge dropped). */
function addBlock(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  rows: number,
  sum: Float64Array,
  i0: number,
  j0: number,
  nodes: number,
): void {
  let [s00, s01, s02, s03] = [0, 0, 0, 0];
  let [s10, s11, s12, s13] = [0, 0, 0, 0];
  let [s20, s21, s22, s23] = [0, 0, 0, 0];
  let [s30, s31, s32, s33] = [0, 0, 0, 0];
  for (let k = 0; k < rows; k++) {
    const b0 = b[bAt]!;
    const b1 = b[bAt + 1]!;
    const b2 = b[bAt + 2]!;
    const b3 = b[bAt + 3]!;
    const a0 = a[aAt]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = a[aAt + 1]!;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = a[aAt + 2]!;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = a[aAt + 3]!;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
    aAt += WIDTH;
    bAt += WIDTH;
  }
  const columns = Math.min(WIDTH, nodes - j0);
  const at = i0 * nodes + j0;
  addRow(sum, at, columns, s00, s01, s02, s03);
  if (i0 + 1 < nodes) addRow(sum, at + nodes, columns, s10, s11, s12, s13);
  if (i0 + 2 < nodes) addRow(sum, at + 2 * nodes, columns, s20, s21, s22, s23);
  if (i0 + 3 < nodes) addRow(sum, at + 3 * nodes, columns, s30, s31, s32, s33);
}

function addRow(
  sum: Float64Array,
  at: number,
  columns: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
): void {
  sum[at]! += s0;
  if (columns > 1) sum[at + 1]! += s1;
  if (columns > 2) sum[at + 2]! += s2;
  if (columns > 3) sum[at + 3]! += s3;
}
