import { createStorage } from '../../../gpu/buffer.ts';
import type { GpuContext } from '../../../gpu/device.ts';
import { created } from '../../../gpu/error-scope.ts';
import { readBack } from '../../../gpu/readback.ts';
import type { PairStatistics, SufficientStatistics } from '../../../statistics/sufficient-statistics.ts';
import type { SumSource } from './sum-source.ts';
import { unpackColumns, unpackTargets, unpackSources } from './transfer.ts';

/** Most bytes of rows of X^T X fetched at a time. */
const FETCH_BYTES = 64 * 2 ** 20;

/** Copies statistics from the GPU to the host, piece by piece. */
export async function readStatistics(
  context: GpuContext,
  sums: SumSource,
  samples: number,
): Promise<SufficientStatistics> {
  const { nodes, pairs } = sums.layout;
  const bytes = await readBack(context, [sums.pivots, sums.columnSums]);
  const [pivots, columnSums] = bytes.map((words) => new Float32Array(words));
  const columns = { pivots: pivots!, columnSums: columnSums! };
  const read: PairStatistics[] = [];
  for (let p = 0; p < pairs; p++) {
    const pair = unpackColumns(sums.layout, p, columns);
    await readTargets(context, sums, p, pair);
    await readSources(context, sums, p, pair);
    read.push(pair.statistics);
  }
  return { nodes, samples, pairs: read };
}

type UnpackedColumns = ReturnType<typeof unpackColumns>;

async function readTargets(
  context: GpuContext,
  sums: SumSource,
  p: number,
  pair: UnpackedColumns,
): Promise<void> {
  for (const panel of sums.layout.panels) {
    const [words] = await readBack(context, [await sums.sumXY(p, panel)]);
    unpackTargets(sums.layout, panel, new Float32Array(words!), pair);
  }
}

async function readSources(
  context: GpuContext,
  sums: SumSource,
  p: number,
  pair: UnpackedColumns,
): Promise<void> {
  const { nodes, stride } = sums.layout;
  const most = Math.max(1, Math.min(nodes, Math.floor(FETCH_BYTES / (8 * stride))));
  const lines = await created(context, 'lines for the host', () =>
    createStorage(context, 'lines for the host', 8 * stride * most),
  );
  try {
    for (let first = 0; first < nodes; first += most) {
      const count = Math.min(most, nodes - first);
      await sums.rowsXX(
        p,
        Uint32Array.from({ length: count }, (_, k) => first + k),
        lines,
      );
      const [words] = await readBack(context, [{ ...lines, size: 8 * stride * count }]);
      unpackSources(sums.layout, first, count, new Float32Array(words!), pair);
    }
  } finally {
    lines.destroy();
  }
}
