import type { MixedBlocks } from '../../statistics/mixed-blocks.ts';
import {
  addGramOfPanels,
  addGramOfRows,
  GRAM_DEPTH,
  gramBytes,
  gramScratch,
  type UpperColumns,
} from './gram.ts';
import { matrixBytes, newMatrix, placeIn } from './panels.ts';
import type { Range } from './products.ts';
import { ObservationRows } from './rows.ts';
import { addGramOfSums, hasSums } from './sums.ts';
import type { ChannelSystem } from './system.ts';
import type { RidgeForm } from './ridge-form.ts';

/**
 * Columns of the matrix whose system a form factors: of FF' for `dual`, of F'F for `primal`.
 *
 * @returns yields some milliseconds of work apart
 * @throws RangeError, `out-of-memory`
 */
export function* systemGram(
  memory: MixedBlocks,
  system: ChannelSystem,
  form: RidgeForm,
  [first, end]: Range,
): Generator<undefined, UpperColumns, undefined> {
  const stride = end - first;
  const sums: UpperColumns = { values: new Float64Array(end * stride), stride, first, end };
  if (hasSums(system)) {
    for (const segment of system.segments) {
      addGramOfSums(system, segment, sums);
      yield;
    }
    return sums;
  }
  yield* form === 'dual' ? addOuter(memory, system, sums) : addInner(memory, system, sums);
  return sums;
}

function* addOuter(memory: MixedBlocks, system: ChannelSystem, sums: UpperColumns): Generator<undefined> {
  const columns = system.sources.channels.length;
  memory.clear(matrixBytes(sums.end, columns) + gramBytes(memory, sums.end));
  const f = newMatrix(memory, sums.end, columns);
  new ObservationRows(system).standardized([0, sums.end], f);
  yield;
  yield* addGramOfRows(memory, gramScratch(memory, sums.end), f, columns, sums);
}

function* addInner(memory: MixedBlocks, system: ChannelSystem, sums: UpperColumns): Generator<undefined> {
  const { first, end } = sums;
  const { observations: n } = system;
  memory.clear(matrixBytes(GRAM_DEPTH, end) + gramBytes(memory, end));
  const piece = newMatrix(memory, GRAM_DEPTH, end);
  const scratch = gramScratch(memory, end);
  const rows = new ObservationRows(system);
  const { single } = memory;
  for (let row = 0; row < n; row += GRAM_DEPTH) {
    const depth = Math.min(GRAM_DEPTH, n - row);
    rows.standardized([row, row + depth], piece, [0, end]);
    single.packColumns('left', piece, depth, end, scratch.left.address);
    single.packColumns('right', placeIn(piece, 0, first), depth, end - first, scratch.right.address);
    yield* addGramOfPanels(memory, scratch, scratch.left.address, depth, sums);
  }
}
