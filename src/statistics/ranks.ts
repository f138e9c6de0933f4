/** Samples of magnitudes: row-major `[samples, nodes]`. */
export type MagnitudeRows = Float32Array | Float64Array;

/** Columns that are ranked between two yields. */
const STEP = 16;

/**
 * Ranks of each column, counted from 1; equal values get the average of their ranks, whose correlations are Spearman's.
 *
 * @returns row-major `[samples, nodes]`, exact below 2^23 samples; yields some milliseconds of work apart
 */
export function* averageRanks(
  values: MagnitudeRows,
  nodes: number,
): Generator<undefined, Float32Array, undefined> {
  const samples = values.length / nodes;
  const ranks = new Float32Array(values.length);
  const column = new Float64Array(samples);
  for (let node = 0; node < nodes; node++) {
    for (let row = 0; row < samples; row++) column[row] = values[row * nodes + node]!;
    rankColumn(column, ranks, node, nodes);
    if (node % STEP === 0) yield;
  }
  return ranks;
}

function rankColumn(column: Float64Array, ranks: Float32Array, first: number, stride: number): void {
  const order = Uint32Array.from(column.keys()).sort((a, b) => column[a]! - column[b]!);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && column[order[end]!] === column[order[start]!]) end++;
    // Ranks start + 1 to end.
    const rank = (start + 1 + end) / 2;
    for (let at = start; at < end; at++) ranks[order[at]! * stride + first] = rank;
    start = end;
  }
}
