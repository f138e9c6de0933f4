import { scoreSaved, scoreSavedRanks } from '../engine/channels/score-saved.ts';
import { scoreMagnitudes } from '../engine/score-magnitudes.ts';
import { magnitudeProvenance, magnitudeSettings, ranOn } from '../scoring/magnitude-settings.ts';
import type { Scores } from '../engine/scores/scores.ts';
import type { SavedChannels } from '../statistics/saved-channels.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { createEngine, type EngineChoice } from '../engine/create.ts';
import type { Precision, Reduction } from '../engine/engine.ts';
import { functionParents } from '../model/graph.ts';
import { coverageWarning, unscoredInWords } from '../table/coverage-words.ts';
import { raggedFromLists } from '../statistics/ragged.ts';
import { coverageFrom } from '../table/coverage-metadata.ts';
import { edgeTableBatches, type EdgeTableProvenance } from '../table/edge-table.ts';
import { encodeBatchesWith } from '../table/encode-batches.ts';
import { decodeStatistics } from '../table/statistics-file.ts';
import { mergeSaved, type SavedStatistics } from '../table/statistics-origin.ts';
import { Arguments } from './arguments.ts';
import { backendHelp, backendOptions, chooseBackend, readBackend } from './backend.ts';
import type { Command } from './command.ts';
import { checkInputs, readInput, summaryStream, writeOutputs } from './files.ts';
import { checkNewFolder } from './partitions.ts';
import { placeOutputs } from './output-place.ts';
import { RowCount } from './row-count.ts';
import { rowGroupEncoder } from './row-group-threads.ts';
import {
  outputHelp,
  readScoreSettings,
  scoreHelp,
  scoreOptions,
  type ScoreSettings,
} from './score-options.ts';
import { formatTable } from './summary.ts';
import { printLine } from './terminal.ts';

const help = `magnitude-edge evaluate --stats S.arrow... --out E.(arrow|csv|tsv|parquet)

Scores statistics (infer --stats-out, merge) without the model or the data. Several files are added up, as by merge.

${scoreHelp}
${backendHelp('scores')}
${outputHelp}`;

const options = {
  ...scoreOptions,
  stats: { type: 'string', multiple: true },
  ...backendOptions,
} as const;

export const evaluate: Command = {
  help,
  async run(args, terminal) {
    const given = new Arguments(args, options, { allowed: false });
    const settings = readScoreSettings(given);
    const paths = given.requiredList('stats');
    const { backend: requested, precision } = readBackend(given);
    await checkInputs(paths, 'its samples would be counted twice');
    const { out, partitioned } = settings;
    if (partitioned) await checkNewFolder(out);
    const [place] = await placeOutputs(paths, [partitioned ? undefined : out]);
    const saved = await readStatistics(paths);
    const chosen = await chooseBackend(requested);
    try {
      const { statistics, origin } = saved;
      const choice = await createEngine(
        chosen.backend === 'cpu' ? 'cpu' : requested,
        {
          nodes: statistics.nodes,
          pairs: statistics.pairs.length,
          reduction: origin.reduction as Reduction,
        },
        { device: chosen.gpu?.device, precision },
      );
      try {
        await choice.engine.merge(statistics);
        const rowGroups = rowGroupEncoder(settings, statistics.nodes);
        const rows = new RowCount(scoredRows(choice, precision, saved, settings), () => undefined);
        await writeOutputs([
          place
            ? { place, bytes: encodeBatchesWith(rowGroups, rows, settings.format, settings) }
            : { folder: out, batches: rows },
        ]);
        const report = { paths, settings, saved, rows, backend: rows.metadata.get('backend')! };
        printLine(summaryStream(terminal, place), settings.json ? jsonReport(report) : textReport(report));
      } finally {
        await choice.release();
      }
    } finally {
      chosen.release();
    }
  },
};

/** Reads one statistics file, or merges several. */
export async function readStatistics(paths: readonly string[]): Promise<SavedStatistics> {
  let merged: SavedStatistics | undefined;
  for (const path of paths) {
    const saved = decodeStatistics(await readInput(path), path);
    merged = merged === undefined ? saved : mergeSaved(merged, saved, path);
  }
  return merged!;
}

async function* scoredRows(
  { engine, device }: EngineChoice,
  precision: Precision,
  saved: SavedStatistics,
  settings: ScoreSettings,
) {
  const { statistics, origin } = saved;
  const { structure, reduction, usePreNorm, loss } = origin;
  const { score, layerAgg, lambda, varianceFloor } = settings;
  const conditioningSets = raggedFromLists(functionParents(structure));
  const { samples } = statistics;
  const of = { usePreNorm, loss, samples };
  if (score === 'channel') {
    const channels = channelsOf(saved, 'Channel scores');
    const { scores, backend } = await scoreSaved(channels, settings, device, precision);
    yield* rowsOf(scores, { score, layerAgg, lambda, varianceFloor, ...of, ...ranOn(backend, precision) });
    return;
  }
  const { backend } = engine.diagnostics;
  const request = { ...magnitudeSettings({ ...settings, score }), conditioningSets };
  const scores =
    request.correlation === 'spearman'
      ? await scoreSavedRanks(channelsOf(saved, "Spearman's correlations"), reduction as Reduction, request)
      : await scoreMagnitudes(engine, request);
  const madeFrom = { reduction, samples, ...ranOn(backend, precision) };
  yield* rowsOf(scores, { score, ...of, ...magnitudeProvenance(request, madeFrom) });

  async function* rowsOf(scored: Scores, provenance: EdgeTableProvenance) {
    try {
      yield* edgeTableBatches(scored, structure, conditioningSets, provenance, settings);
    } finally {
      scored.release();
    }
  }
}

/** @param what what needs the channels, for the error message */
export function channelsOf({ channels }: SavedStatistics, what: string): SavedChannels {
  if (channels !== undefined) return channels;
  throw new MagnitudeEdgeError(
    'invalid-data',
    `${what} need channel values, which the statistics lack: write them with infer --stats-out and --score channel or --correlation spearman.`,
  );
}

interface Report {
  readonly paths: readonly string[];
  readonly settings: ScoreSettings;
  readonly saved: SavedStatistics;
  readonly rows: RowCount;
  readonly backend: string;
}

function jsonReport({ paths, settings, saved, rows, backend }: Report): string {
  const { nodes, pairs, samples } = saved.statistics;
  const coverage = coverageFrom(rows.metadata)!;
  const warning = coverageWarning(coverage);
  return JSON.stringify({
    command: 'evaluate',
    stats: paths,
    out: settings.out,
    functions: nodes,
    pairs: pairs.length,
    samples,
    rows: rows.count,
    score: settings.score,
    unscored: coverage.unscored,
    candidates: coverage.candidates,
    backend,
    warnings: warning === undefined ? [] : [warning],
    top: rows.top,
  });
}

function textReport({ paths, settings, saved, rows, backend }: Report): string {
  const { nodes, samples } = saved.statistics;
  const coverage = coverageFrom(rows.metadata)!;
  const warning = coverageWarning(coverage);
  return [
    ...(warning === undefined ? [] : [`warning  ${warning}`]),
    `stats    ${paths.join(', ')}: ${samples} samples, ${nodes} function nodes`,
    `ran on   ${backend}`,
    `unscored ${unscoredInWords(coverage)}`,
    `wrote    ${settings.out}: ${rows.count} rows`,
    '',
    formatTable(rows.top),
  ]
    .join('\n')
    .trimEnd();
}
