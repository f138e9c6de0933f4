import type { ScoreCoverage } from '../engine/scores/unscored.ts';
import type { GsnnModel } from '../model/gsnn-model.ts';
import { nothingScored, unscoredInWords } from '../table/coverage-words.ts';
import type { RanOn } from './backend.ts';
import type { RowCount } from './row-count.ts';
import type { ScoreSettings } from './score-options.ts';
import { formatTable } from './summary.ts';

/** The settings that a report repeats. */
export interface ReportedSettings extends Pick<ScoreSettings, 'score'> {
  readonly model: string;
  readonly data: readonly string[];
  readonly out: string;
  readonly statsOut?: string | undefined;
  readonly resampling: object | false;
}

/** The outcome of a run. */
export interface InferReport {
  readonly samples: number;
  /** Samples of the checkpoint that the fit resumed from */
  readonly resumedFrom: number | undefined;
  readonly batches: number;
  readonly rows: RowCount;
  readonly coverage: ScoreCoverage;
  /** How the statistics were computed */
  readonly notes: readonly string[];
  /** Workers of the CPU backend; undefined for any other */
  readonly workers: number | undefined;
  /** What a reader of the results must know */
  readonly warnings: readonly string[];
  readonly seconds: Readonly<Record<string, number>>;
}

/** For programs. */
export function jsonReport(
  model: GsnnModel,
  ranOn: RanOn,
  settings: ReportedSettings,
  report: InferReport,
): string {
  const { executionProvider, threads, fallbacks } = model.diagnostics;
  const { nodeNames, edgeIndex } = model.graph;
  return JSON.stringify({
    command: 'infer',
    model: settings.model,
    data: settings.data.length === 1 ? settings.data[0] : settings.data,
    out: settings.out,
    ...(settings.statsOut === undefined ? {} : { statsOut: settings.statsOut }),
    inputs: nodeNames.input.length,
    functions: nodeNames.function.length,
    outputs: nodeNames.output.length,
    functionEdges: edgeIndex['function,function'][0].length,
    layers: model.layers,
    norm: model.norm,
    samples: report.samples,
    ...(report.resumedFrom === undefined ? {} : { resumedFrom: report.resumedFrom }),
    batches: report.batches,
    rows: report.rows.count,
    score: settings.score,
    unscored: report.coverage.unscored,
    candidates: report.coverage.candidates,
    ...(settings.resampling ? { uncertainty: resamplingOf(report.rows) } : {}),
    backend: ranOn.backend,
    backendReason: ranOn.reason,
    backendNotes: report.notes,
    ...(report.workers === undefined ? {} : { workers: report.workers }),
    executionProvider,
    threads,
    fallbacks,
    warnings: report.warnings,
    seconds: report.seconds,
    top: report.rows.top,
  });
}

/** For people. */
export function textReport(
  model: GsnnModel,
  ranOn: RanOn,
  settings: ReportedSettings,
  report: InferReport,
): string {
  const { executionProvider, threads } = model.diagnostics;
  const { nodeNames, edgeIndex } = model.graph;
  const nodes = `${nodeNames.input.length} input, ${nodeNames.function.length} function and ${nodeNames.output.length} output nodes`;
  const seconds = Object.entries(report.seconds).map(([what, time]) => `${what} ${time.toFixed(2)} s`);
  const { coverage } = report;
  const warnings = report.warnings.map((warning) => `warning  ${warning}`);
  const lines = [
    // Warnings come first if there is nothing else to read.
    ...(nothingScored(coverage) ? warnings : []),
    `model    ${settings.model}: ${nodes}, ${edgeIndex['function,function'][0].length} edges between functions, ${model.layers} blocks, norm ${model.norm}`,
    `data     ${settings.data.join(', ')}: ${report.samples} samples`,
    `ran on   ${ranOn.backend} (${ranOn.reason})${workersInWords(report.workers)}; model on ${executionProvider}, ${threads} thread${threads === 1 ? '' : 's'}`,
    `time     ${seconds.join(', ')}`,
    ...(nothingScored(coverage) ? [] : warnings),
    ...(settings.resampling ? [`errors   ${resamplingInWords(report.rows)}`] : []),
    `unscored ${unscoredInWords(coverage)}`,
    `wrote    ${settings.out}: ${report.rows.count} rows`,
    ...(settings.statsOut === undefined
      ? []
      : [`wrote    ${settings.statsOut}: statistics of ${report.samples} samples`]),
    '',
    formatTable(report.rows.top),
  ];
  return lines.join('\n').trimEnd();
}

function workersInWords(workers = 0): string {
  return workers === 0 ? '' : `, ${workers} worker${workers === 1 ? '' : 's'}`;
}

/** How the scores were resampled, from the table's metadata. */
function resamplingOf({ metadata }: RowCount): Record<'groups' | 'permutations' | 'seed', number> {
  const number = (key: string): number => Number(metadata.get(key));
  return { groups: number('groups'), permutations: number('permutations'), seed: number('seed') };
}

function resamplingInWords(rows: RowCount): string {
  const { groups, permutations, seed } = resamplingOf(rows);
  const shuffles = permutations > 0 ? `; empirical p by ${permutations} shuffles, seed ${seed}` : '';
  return `by ${groups} groups of samples${shuffles}`;
}
