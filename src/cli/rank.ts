import { CsvTokenizer } from '../data/csv-tokenizer.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { decodeTable, encodeTable } from '../table/formats.ts';
import { evaluateTargetRanking } from '../table/ranking.ts';
import { Arguments, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { checkWritable, outputFormat, readInput, writeOutputs } from './files.ts';
import { printLine } from './terminal.ts';

const help = `magnitude-edge rank --edges E.(arrow|csv|parquet) --positives P.csv

Ranks edges that are known among all scored sources of their targets: mean reciprocal rank and top@k.
P.csv has a header and the columns src and dst (or src_func and dst_func), names of function nodes.

  --score-col NAME                 the column to rank by, highest first   (corr)
  --top-k K,K,...                                                         (1,3,5)
  --out R.(arrow|csv|parquet)      one row per positive edge
  --json                           the summary as one JSON object`;

const options = {
  edges: { type: 'string' },
  positives: { type: 'string' },
  'score-col': { type: 'string' },
  'top-k': { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const rank: Command = {
  help,
  async run(args, terminal) {
    const given = new Arguments(args, options, { allowed: false });
    const edges = given.required('edges');
    const format = outputFormat(edges);
    const positives = given.required('positives');
    const topK = readTopK(given.text('top-k'));
    const out = given.text('out');
    const outFormat = out === undefined ? undefined : outputFormat(out);
    if (out !== undefined) await checkWritable(out);
    const table = await decodeTable(await readInput(edges), format, edges);
    const pairs = readPositives(await readInput(positives), positives);
    const scoreCol = given.text('score-col') ?? 'corr';
    const { detail, summary } = evaluateTargetRanking(table, pairs, { scoreCol, topK });
    if (out !== undefined && outFormat)
      await writeOutputs([{ path: out, bytes: encodeTable(detail, outFormat) }]);
    if (given.flag('json')) {
      printLine(terminal.out, JSON.stringify({ command: 'rank', edges, positives, scoreCol, ...summary }));
      return;
    }
    for (const [name, value] of Object.entries(summary)) {
      printLine(terminal.out, `${name.padEnd(12)}${Number.isInteger(value) ? value : value.toFixed(4)}`);
    }
    if (out !== undefined) printLine(terminal.out, `wrote ${out}: ${detail.numRows} rows`);
  },
};

function readTopK(text: string | undefined): number[] {
  if (text === undefined) return [1, 3, 5];
  const values = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (values.every((value) => Number.isSafeInteger(value) && value >= 1)) return values;
  throw new UsageError(
    `--top-k is '${text}', whole numbers of at least 1 with commas between them were expected`,
  );
}

/** Names of the two columns, in the order in which they are looked for. */
const columnNames = [
  ['src', 'dst'],
  ['src_func', 'dst_func'],
  ['source', 'target'],
] as const;

/** @throws MagnitudeEdgeError `invalid-data` */
function readPositives(bytes: Uint8Array, name: string): [src: string, dst: string][] {
  const refuse = (why: string): never => {
    throw new MagnitudeEdgeError('invalid-data', `${name}${why}.`, { details: { source: name } });
  };
  const rows: { cells: string[]; line: number }[] = [];
  const tokenizer = new CsvTokenizer((cells, line) => {
    if (cells.some((cell) => cell.trim() !== '')) rows.push({ cells, line });
  });
  tokenizer.push(new TextDecoder().decode(bytes));
  if (!tokenizer.end()) refuse(' ends inside a quoted cell');
  const header = rows.shift()?.cells.map((cell) => cell.trim()) ?? [];
  const found = columnNames.find((pair) => pair.every((column) => header.includes(column)));
  if (!found) {
    return refuse(
      ` has the header '${header.join(',').slice(0, 60)}', the columns src and dst were expected`,
    );
  }
  const [src, dst] = found.map((column) => header.indexOf(column)) as [number, number];
  return rows.map(({ cells, line }) => {
    const pair = [cells[src]?.trim() ?? '', cells[dst]?.trim() ?? ''] as [string, string];
    return pair.includes('') ? refuse(`, line ${line} lacks a source or a target`) : pair;
  });
}
