/**
 * One texel of the heatmap in 32 bits: the smallest and the largest score of the cells that it covers, 15 bits each
 * over [-1, 1], a bit for "covers an edge of the graph" and a bit for "covers a score". Colours need no more precision;
 * exact numbers come from the table.
 */
export const edgeBit = 1 << 30;
export const scoreBit = 1 << 31;
const steps = 16383;

export const emptyCell = 0;

export function packCell(min: number, max: number, edge: boolean): number {
  const scored = min <= max;
  const low = scored ? quantise(min) | (quantise(max) << 15) | scoreBit : 0;
  return (low | (edge ? edgeBit : 0)) >>> 0;
}

const quantise = (score: number) => Math.round(Math.min(Math.max(score, -1), 1) * steps) + steps;

export const cellMin = (cell: number): number => ((cell & 0x7fff) - steps) / steps;
export const cellMax = (cell: number): number => (((cell >>> 15) & 0x7fff) - steps) / steps;
export const cellHasScore = (cell: number): boolean => (cell & scoreBit) !== 0;
export const cellHasEdge = (cell: number): boolean => (cell & edgeBit) !== 0;

/** The texel that covers both: the smaller minimum and the larger maximum. */
export function joinCells(a: number, b: number): number {
  if (!cellHasScore(a)) return (b | (a & edgeBit)) >>> 0;
  if (!cellHasScore(b)) return (a | (b & edgeBit)) >>> 0;
  const min = Math.min(a & 0x7fff, b & 0x7fff);
  const max = Math.max(a & 0x3fff8000, b & 0x3fff8000);
  return (min | max | ((a | b) & edgeBit) | scoreBit) >>> 0;
}

/**
 * The score that a texel shows: the one of larger magnitude, so that a lone strong edge survives zooming out. NaN if
 * empty.
 */
export function shownScore(cell: number): number {
  if (!cellHasScore(cell)) return Number.NaN;
  const min = cellMin(cell);
  const max = cellMax(cell);
  return -min > max ? min : max;
}
