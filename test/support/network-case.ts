import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Table } from 'apache-arrow';
import { expect } from 'vitest';
import { type NamedPair, readPositiveEdges } from '../../src/index.ts';
import { errorOfTable } from './golden-channels.ts';
import { npzArrays } from './npz-arrays.ts';

/** Figures of one score, with the numbers of pairs and positives behind them, if known. */
export interface KeptFigures {
  readonly scored_pairs?: number;
  readonly scored_positives?: number;
  readonly [figure: string]: unknown;
}

/** A model with data and held-out edges, and its known results. */
export interface NetworkCase {
  readonly name: string;
  readonly model: string;
  readonly data: string;
  readonly heldOut: string;
  readonly positives: readonly NamedPair[];
  /** By score: computed with model and scores in float64, or stored by the recovery benchmark */
  readonly figures: Readonly<Record<string, KeptFigures>>;
  /** Score matrices in float64, `[source, target]`, NaN for no score; undefined if there are no matrices */
  readonly scores: Readonly<Record<string, Float64Array>> | undefined;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Folder of networks of real size with numpy's results: too large to be stored here, so most machines have none. Next
 * to the checkout, or wherever the variable says.
 */
const networks = process.env.MAGNITUDE_EDGE_NETWORKS ?? join(root, '../shared/networks');

const json = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

function caseIn(folder: string, name: string): NetworkCase {
  const heldOut = join(folder, 'heldout.csv');
  const matrices = join(folder, 'scores64.npz');
  const kept = join(folder, 'recovery.json');
  const ofBenchmark = join(root, 'bench/recovery/results/files', `${name}.json`);
  return {
    name,
    model: join(folder, 'model.onnx'),
    data: join(folder, 'data.npz'),
    heldOut,
    positives: readPositiveEdges(new Uint8Array(readFileSync(heldOut)), heldOut),
    figures: existsSync(kept)
      ? (json(kept) as NetworkCase['figures'])
      : benchmarkFigures(json(ofBenchmark) as { figures: NetworkCase['figures'] }),
    scores: existsSync(matrices)
      ? Object.fromEntries(
          Object.entries(npzArrays(new Uint8Array(readFileSync(matrices)))).map(([score, { data }]) => [
            score,
            Float64Array.from(data),
          ]),
        )
      : undefined,
  };
}

/** Renames the benchmark's scores and figures to those of {@link KeptFigures}. */
function benchmarkFigures({ figures }: { figures: NetworkCase['figures'] }): NetworkCase['figures'] {
  const of = { corr: 'corr mean', regression: 'regression mean 0.3', channel: 'channel mean 3' };
  return Object.fromEntries(
    Object.entries(of).map(([score, name]) => {
      const { ap, ...rest } = figures[name]!;
      return [score, { ...rest, average_precision: ap }];
    }),
  );
}

/** The bundled example, and the networks of real size if there are any. */
export const networkCases: readonly NetworkCase[] = [
  caseIn(join(root, 'demo/public/example'), 'example'),
  ...['signalling-batch', 'signalling-layer']
    .map((name) => [join(networks, name), name] as const)
    .filter(([folder]) => existsSync(join(folder, 'scores64.npz')))
    .map(([folder, name]) => caseIn(folder, name)),
];

/**
 * Checks the scores of a table of all pairs against float64, within 1e-3 of the largest; most of that is due to the
 * model's own float32.
 */
export function expectScores64({ scores, name }: NetworkCase, score: string, table: Table): void {
  const right = scores?.[score];
  if (right === undefined) return;
  expect(errorOfTable(table, right, Math.sqrt(right.length)), `${name}, ${score}`).toBeLessThan(1e-3);
}

/** Names of the figures of {@link KeptFigures} in the library and the command. */
const FIGURES = {
  auc: 'auc',
  average_precision: 'average_precision',
  mrr: 'mrr_by_target',
  mrr_by_source: 'mrr_by_source',
  'top@1': 'hits@1_by_target',
  'top@5': 'hits@5_by_target',
  'top@20': 'hits@20_by_target',
  median_rank: 'median_rank_by_target',
} as const;

/** Checks figures, with hits at 1, 5 and 20, to two digits: the error is at most half a unit of the second digit. */
export function expectFigures(
  { figures, name }: NetworkCase,
  score: string,
  found: {
    readonly positives: number;
    readonly pairs: number;
    readonly figures: Readonly<Record<string, number>>;
  },
): void {
  const right = figures[score]!;
  if (right.scored_pairs !== undefined) expect(found.pairs).toBe(right.scored_pairs);
  if (right.scored_positives !== undefined) expect(found.positives).toBe(right.scored_positives);
  const kept = Object.entries(FIGURES).filter(([figure]) => right[figure] !== undefined);
  expect(kept.length).toBeGreaterThanOrEqual(6);
  for (const [figure, ours] of kept) {
    const value = right[figure] as number;
    const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
    expect(Math.abs(found.figures[ours]! - value), `${name}, ${score}: ${figure}`).toBeLessThanOrEqual(
      unit / 2,
    );
  }
}
