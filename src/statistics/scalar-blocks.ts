import type { BlockKernel, BlockMemory, PackedRows } from './block-kernel.ts';
import { PIECE_ROWS } from './row-buffer.ts';

const WIDTH = 4;

/**
 * Blocks in plain JavaScript: runs everywhere, and is the reference for the WebAssembly kernel. The innermost loop
 * keeps sixteen sums.
 */
export const scalarBlockKernel: BlockKernel = {
  description: 'plain JavaScript',
  leftWidth: WIDTH,
  rightWidth: WIDTH,
  chunkRows: 1,
  open({ left: leftColumns, right: rightColumns, sums: length }): BlockMemory {
    const values = new Float64Array(length + (leftColumns + rightColumns) * PIECE_ROWS);
    const places = { left: length, right: length + leftColumns * PIECE_ROWS };
    let rows = 0;
    return {
      sums: values.subarray(0, length),
      addBlocks(left, right, panels, { at: out, stride, overwrite }) {
        if (overwrite) {
          const columns = panels * WIDTH;
          for (let row = 0, at = out; row < WIDTH; row++, at += stride) values.fill(0, at, at + columns);
        }
        for (let panel = 0; panel < panels; panel++) {
          const block = { at: out + panel * WIDTH, stride };
          const from = places.right + (right + panel * WIDTH) * rows;
          addBlock(values, places.left + left * rows, from, rows, block);
        }
      },
      pack(side, own, columns) {
        rows = own.values.length / own.nodes;
        packPanels(own, columns, values.subarray(places[side]));
      },
    };
  },
};

/** Adds the product of two panels to a 4 x 4 block, row by row. */
function addBlock(
  values: Float64Array,
  left: number,
  right: number,
  rows: number,
  { at: out, stride }: { readonly at: number; readonly stride: number },
): void {
  const [out1, out2, out3] = [out + stride, out + 2 * stride, out + 3 * stride];
  let [s00, s01, s02, s03] = [values[out]!, values[out + 1]!, values[out + 2]!, values[out + 3]!];
  let [s10, s11, s12, s13] = [values[out1]!, values[out1 + 1]!, values[out1 + 2]!, values[out1 + 3]!];
  let [s20, s21, s22, s23] = [values[out2]!, values[out2 + 1]!, values[out2 + 2]!, values[out2 + 3]!];
  let [s30, s31, s32, s33] = [values[out3]!, values[out3 + 1]!, values[out3 + 2]!, values[out3 + 3]!];
  for (let k = 0; k < rows; k++) {
    const b0 = values[right]!;
    const b1 = values[right + 1]!;
    const b2 = values[right + 2]!;
    const b3 = values[right + 3]!;
    const a0 = values[left]!;
    s00 += a0 * b0;
    s01 += a0 * b1;
    s02 += a0 * b2;
    s03 += a0 * b3;
    const a1 = values[left + 1]!;
    s10 += a1 * b0;
    s11 += a1 * b1;
    s12 += a1 * b2;
    s13 += a1 * b3;
    const a2 = values[left + 2]!;
    s20 += a2 * b0;
    s21 += a2 * b1;
    s22 += a2 * b2;
    s23 += a2 * b3;
    const a3 = values[left + 3]!;
    s30 += a3 * b0;
    s31 += a3 * b1;
    s32 += a3 * b2;
    s33 += a3 * b3;
    left += WIDTH;
    right += WIDTH;
  }
  values.set([s00, s01, s02, s03], out);
  values.set([s10, s11, s12, s13], out1);
  values.set([s20, s21, s22, s23], out2);
  values.set([s30, s31, s32, s33], out3);
}

function packPanels(
  { values, nodes, pivot }: PackedRows,
  [first, end]: readonly [number, number],
  packed: Float64Array,
): void {
  let to = 0;
  const rows = values.length / nodes;
  for (let column = first; column < end; column += WIDTH) {
    const columns = Math.min(WIDTH, end - column);
    for (let c = 0; c < columns; c++) {
      const shift = pivot?.[column + c] ?? 0;
      for (let k = 0, from = column + c, at = to + c; k < rows; k++, from += nodes, at += WIDTH) {
        packed[at] = values[from]! - shift;
      }
    }
    to += rows * WIDTH;
  }
}
