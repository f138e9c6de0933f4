import type { BlockKernel, PackedRows, Side } from '../../src/statistics/block-kernel.ts';

const [LEFT, RIGHT] = [4, 8];

/**
 * The twin of `chunkedBlockKernel` in plain JavaScript, without fused products: each chunk is summed in float32,
 * rounded at every step, and the sums of chunks in float64.
 */
export function scalarChunkedKernel(chunkRows: number): BlockKernel {
  return {
    description: 'plain JavaScript, float32 in chunks',
    leftWidth: LEFT,
    rightWidth: RIGHT,
    chunkRows,
    open({ sums: length }) {
      const sums = new Float64Array(length);
      const packed: Record<Side, Column[]> = { left: [], right: [] };
      return {
        sums,
        addBlocks(left, right, panels, { at, stride, overwrite }) {
          for (let i = 0; i < LEFT; i++) {
            for (let j = 0; j < panels * RIGHT; j++) {
              const place = at + i * stride + j;
              if (overwrite) sums[place] = 0;
              const [a, b] = [packed.left[left + i], packed.right[right + j]];
              if (a === undefined || b === undefined) continue;
              a.forEach((chunk, c) => {
                const { values, scale } = b[c]!;
                const sum = chunk.values.reduce(
                  (sum, value, k) => Math.fround(sum + Math.fround(value * values[k]!)),
                  0,
                );
                sums[place]! += sum * (chunk.scale * scale);
              });
            }
          }
        },
        pack(side, rows, [first, end]) {
          packed[side] = Array.from({ length: end - first }, (_, c) =>
            chunksOfColumn(rows, first + c, chunkRows),
          );
        },
      };
    },
  };
}

type Column = readonly { readonly values: Float32Array; readonly scale: number }[];

function chunksOfColumn(
  { values, nodes, row, pivot }: PackedRows,
  column: number,
  chunkRows: number,
): Column {
  const chunks = new Map<number, number[]>();
  for (let k = 0; k < values.length / nodes; k++) {
    const chunk = Math.floor((row + k) / chunkRows);
    chunks.set(chunk, [...(chunks.get(chunk) ?? []), values[k * nodes + column]! - (pivot?.[column] ?? 0)]);
  }
  return Array.from(chunks.values(), (deviations) => {
    const largest = deviations.reduce((most, deviation) => Math.max(most, Math.abs(deviation)), 0);
    const plain = largest === 0 || (largest >= 2 ** -50 && largest <= 2 ** 50);
    const scale = plain ? 1 : 2 ** Math.floor(Math.log2(largest));
    return { values: Float32Array.from(deviations, (deviation) => deviation / scale), scale };
  });
}
