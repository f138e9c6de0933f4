import type { Table } from 'apache-arrow';
import { MagnitudeEdgeError } from '../errors.ts';
import { decodeTable, encodeTable } from '../table/formats.ts';
import { readPositiveEdges, type NamedPair } from '../table/positives.ts';
import { evaluateTargetRanking } from '../table/ranking.ts';
import { evaluateRecovery, type Recovery, type RecoveryOptions } from '../table/recovery.ts';
import { scoreColumnOf } from '../table/score-column.ts';
import { Arguments, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { checkInputs, inputFormat, outputFormat, readInput, writeOutputs } from './files.ts';
import { placeOutputs } from './output-place.ts';
import { memoryBudgetHelp, memoryBudgetOption, readMemoryBudget } from './reading-options.ts';
import { printLine, type Terminal } from './terminal.ts';

const help = `magnitude-edge rank --edges E.(arrow|csv|tsv|parquet) --positives P.(csv|tsv)

Ranks known edges (positives) among all scored sources of their targets: mean reciprocal rank and top@k. If the table has
all rows, also among the pairs that are not known edges (has_edge): AUC, average and early precision, and mean reciprocal
rank, hits@k and median rank by target and by source, with bootstrap intervals.
P has the columns src and dst (or src_func and dst_func, source and target, TF and target, Gene1 and Gene2), which name
function nodes; without such a header its first two columns are used. Rows that a column 'label' (or a third column
without a header) marks with 0 are not positives. Edges that name nodes missing from the table, and edges without a
score, count as missed and are reported.

  --score-col NAME                 the column to rank by, highest first   (corr, or score)
  --top-k K,K,...                                                         (1,3,5)
  --bootstrap N                    bootstrap samples for the intervals; 0 for no intervals  (1000)
  --seed S                         seed of the bootstrap samples          (0)
  --out R.(arrow|csv|tsv|parquet)    one row per positive edge
${memoryBudgetHelp}
  --json                           prints the summary as one JSON object`;

const options = {
  edges: { type: 'string' },
  positives: { type: 'string' },
  'score-col': { type: 'string' },
  'top-k': { type: 'string' },
  bootstrap: { type: 'string' },
  seed: { type: 'string' },
  ...memoryBudgetOption,
  out: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const rank: Command = {
  help,
  async run(args, terminal) {
    const given = new Arguments(args, options, { allowed: false });
    const edges = given.required('edges');
    const format = inputFormat(edges);
    const positives = given.required('positives');
    const topK = readTopK(given.text('top-k'));
    const resamples = given.wholeNumber('bootstrap', 0);
    const seed = given.wholeNumber('seed', 0);
    const out = given.text('out');
    const outFormat = out === undefined ? undefined : outputFormat(out);
    const memoryBudget = readMemoryBudget(given);
    await checkInputs([edges, positives], 'one is the table and the other the positives');
    const [place] = await placeOutputs([edges, positives], [out]);
    const table = await decodeTable(await readInput(edges), format, edges, { memoryBudget });
    const pairs = readPositiveEdges(await readInput(positives), positives);
    const scoreCol = given.text('score-col') ?? scoreColumnOf(table);
    const { detail, summary, unknown, unscored } = evaluateTargetRanking(table, pairs, { scoreCol, topK });
    const count = detail.numRows;
    warn(terminal, positives, count, unknown, 'name nodes that the table does not have');
    warn(terminal, positives, count, unscored, 'have no score');
    if (place && outFormat) await writeOutputs([{ place, bytes: encodeTable(detail, outFormat) }]);
    const recovery = recoveryOf(table, pairs, { scoreCol, hits: topK, resamples, seed });
    if (given.flag('json')) {
      const counts = { unknown: unknown.length, unscored: unscored.length };
      printLine(
        terminal.out,
        JSON.stringify({ command: 'rank', edges, positives, scoreCol, ...summary, ...counts, recovery }),
      );
      return;
    }
    const { n_positives, ...rates } = summary;
    const lines = { n_positives, unknown: unknown.length, unscored: unscored.length, ...rates };
    for (const [name, value] of Object.entries(lines) as [string, number][]) {
      printLine(terminal.out, `${name.padEnd(12)}${Number.isInteger(value) ? value : value.toFixed(4)}`);
    }
    printRecovery(terminal, recovery);
    if (out !== undefined) printLine(terminal.out, `wrote ${out}: ${detail.numRows} rows`);
  },
};

/** Figures among the pairs that are not known edges; or why there are none, if the table lacks what they need. */
function recoveryOf(
  table: Table,
  positives: readonly NamedPair[],
  options: RecoveryOptions,
): Recovery | { readonly unavailable: string } {
  try {
    return evaluateRecovery(table, positives, options);
  } catch (error) {
    const cannot =
      error instanceof MagnitudeEdgeError && ['invalid-data', 'no-positives'].includes(error.code);
    if (cannot) return { unavailable: error.message };
    throw error;
  }
}

function printRecovery({ out }: Terminal, recovery: ReturnType<typeof recoveryOf>): void {
  if ('unavailable' in recovery) {
    printLine(out, `no figures among all pairs: ${recovery.unavailable}`);
    return;
  }
  const { positives, pairs, figures, intervals } = recovery;
  printLine(out, '');
  printLine(out, `among ${pairs} scored pairs that are not known edges, ${positives} positives with a score`);
  for (const [name, value] of Object.entries(figures)) {
    const interval = intervals[name]?.map((end) => end.toFixed(4)).join(' to ');
    printLine(out, `${name.padEnd(24)}${value.toFixed(4)}${interval === undefined ? '' : `  (${interval})`}`);
  }
}

/** Reports which positives count as missed, and why. */
function warn(
  { err }: Terminal,
  file: string,
  count: number,
  missed: readonly NamedPair[],
  why: string,
): void {
  if (missed.length === 0) return;
  const shown = missed.slice(0, 3).map(([source, target]) => `${source} -> ${target}`);
  const more = missed.length > shown.length ? ', …' : '';
  printLine(
    err,
    `${file}: ${missed.length} of ${count} positives ${why} and count as missed: ${shown.join(', ')}${more}`,
  );
}

function readTopK(text: string | undefined): number[] {
  if (text === undefined) return [1, 3, 5];
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (values.every((value) => Number.isSafeInteger(value) && value >= 1)) return values;
  throw new UsageError(
    `--top-k is '${text}', whole numbers of at least 1, separated by commas, were expected`,
  );
}
