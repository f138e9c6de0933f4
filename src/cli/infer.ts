import { pathToFileURL } from 'node:url';
import { batches } from '../data/batches.ts';
import type { BackendName, Reduction } from '../engine/engine.ts';
import type { UncertaintyOptions } from '../engine/uncertainty-settings.ts';
import { MagnitudeEdgeInferer } from '../inferer.ts';
import { GsnnModel } from '../model/gsnn-model.ts';
import type { ExecutionProvider } from '../model/runtime.ts';
import type { LayerAggregation, Score } from '../scores/score-matrices.ts';
import { encodeBatches } from '../table/encode-batches.ts';
import { lossNames, type LossName } from '../training-graph/losses.ts';
import { Arguments, UsageError } from './arguments.ts';
import { chooseBackend, type ChosenBackend } from './backend.ts';
import type { Command } from './command.ts';
import { checkWritable, outputFormat, readInput, writeOutputs, type OutputFile } from './files.ts';
import { withProgress } from './progress.ts';
import { memoryBudgetHelp, memoryBudgetOption, readMemoryBudget } from './reading-options.ts';
import { RowCount } from './row-count.ts';
import { formatTable } from './summary.ts';
import { printLine, type Terminal } from './terminal.ts';

const help = `magnitude-edge infer --model M.onnx --data D.(npz|arrow|csv|parquet) --out E.(arrow|csv|parquet)

Runs a GSNN (ONNX profile v1) over the data and writes the edge table: every ordered pair of function nodes, scored by
the correlation of activation and gradient magnitudes, with p- and q-values, sorted.

  --score corr|partial                 plain, or given the target's known parents     (corr)
  --layer-agg mean|max                 over the pairs of layers                       (mean)
  --reduction l1|l2                    norm over a node's channels                    (l1)
  --post-norm                          values after each block's norm, not before it
  --ridge NUMBER                       for partial scores, in covariance units        (1e-8)
  --variance-floor NUMBER              variances up to this are none, in place of relative limits;
                                       1e-12 gives the NaN of the Python reference
  --loss ${lossNames.join('|')}
                                       what the gradients are of                      (mse)
  --loss-reduction mean|sum            over each batch                                (mean)
  --mask-missing-targets               targets may be missing (NaN, null, an empty cell, NA): they are left out of the loss
${memoryBudgetHelp}
  --batch-size N                                                                      (128)
  --include-self                       also score i -> i
  --top K, --max-q Q, --candidates-only
                                       only the first K rows, q up to Q, pairs that are no edges;
                                       p and q are over all pairs all the same
  --jackknife G                        standard errors and sign stability, by leaving out each of G groups
                                       of consecutive samples
  --permutations R                     an empirical p, from R shuffles of the targets within the groups
                                       (10 unless --jackknife says otherwise)
  --seed S                             what the shuffles come from                    (0)
  --backend auto|webgpu|cpu            where the statistics are computed              (auto)
  --execution-provider auto|webgpu|wasm  where the model runs                         (auto)
  --stats-out S.arrow                  the statistics, for 'magnitude-edge merge'
  --json                               the summary as one JSON object`;

const options = {
  model: { type: 'string' },
  data: { type: 'string' },
  out: { type: 'string' },
  score: { type: 'string' },
  'layer-agg': { type: 'string' },
  reduction: { type: 'string' },
  'post-norm': { type: 'boolean' },
  ridge: { type: 'string' },
  'variance-floor': { type: 'string' },
  loss: { type: 'string' },
  'loss-reduction': { type: 'string' },
  'mask-missing-targets': { type: 'boolean' },
  ...memoryBudgetOption,
  'batch-size': { type: 'string' },
  'include-self': { type: 'boolean' },
  top: { type: 'string' },
  'max-q': { type: 'string' },
  'candidates-only': { type: 'boolean' },
  jackknife: { type: 'string' },
  permutations: { type: 'string' },
  seed: { type: 'string' },
  backend: { type: 'string' },
  'execution-provider': { type: 'string' },
  'stats-out': { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const infer: Command = {
  help,
  async run(args, terminal) {
    const settings = readSettings(args);
    await checkWritable(settings.out);
    if (settings.statsOut !== undefined) await checkWritable(settings.statsOut);
    const chosen = await chooseBackend(settings.backend);
    try {
      await inferWith(chosen, settings, terminal);
    } finally {
      chosen.release();
    }
  },
};

interface Settings {
  readonly model: string;
  readonly data: string;
  readonly out: string;
  readonly format: ReturnType<typeof outputFormat>;
  readonly score: Score;
  readonly layerAgg: LayerAggregation;
  readonly reduction: Reduction;
  readonly usePreNorm: boolean;
  readonly ridge: number;
  readonly varianceFloor: number | undefined;
  readonly loss: LossName;
  readonly lossReduction: 'mean' | 'sum';
  readonly maskMissingTargets: boolean;
  readonly memoryBudget: number | undefined;
  readonly batchSize: number;
  readonly excludeSelf: boolean;
  readonly top: number | undefined;
  readonly maxQ: number | undefined;
  readonly candidatesOnly: boolean;
  readonly resampling: UncertaintyOptions | false;
  readonly backend: 'auto' | BackendName;
  readonly executionProvider: 'auto' | ExecutionProvider;
  readonly statsOut: string | undefined;
  readonly json: boolean;
}

function readSettings(args: readonly string[]): Settings {
  const given = new Arguments(args, options, { allowed: false });
  const out = given.required('out');
  return {
    model: given.required('model'),
    data: given.required('data'),
    out,
    format: outputFormat(out),
    score: given.choice('score', ['corr', 'partial'], 'corr'),
    layerAgg: given.choice('layer-agg', ['mean', 'max'], 'mean'),
    reduction: given.choice('reduction', ['l1', 'l2'], 'l1'),
    usePreNorm: !given.flag('post-norm'),
    ridge: given.number('ridge', { least: 0 }) ?? 1e-8,
    varianceFloor: given.number('variance-floor', { least: 0 }),
    loss: given.choice('loss', lossNames, 'mse'),
    lossReduction: given.choice('loss-reduction', ['mean', 'sum'], 'mean'),
    maskMissingTargets: given.flag('mask-missing-targets'),
    memoryBudget: readMemoryBudget(given),
    batchSize: given.wholeNumber('batch-size', 1) ?? 128,
    excludeSelf: !given.flag('include-self'),
    top: given.wholeNumber('top', 0),
    maxQ: given.number('max-q', { least: 0, most: 1 }),
    candidatesOnly: given.flag('candidates-only'),
    resampling: readResampling(given),
    backend: given.choice('backend', ['auto', 'webgpu', 'cpu'], 'auto'),
    executionProvider: given.choice('execution-provider', ['auto', 'webgpu', 'wasm'], 'auto'),
    statsOut: given.text('stats-out'),
    json: given.flag('json'),
  };
}

/** Asked for by either of its two halves. */
function readResampling(given: Arguments): UncertaintyOptions | false {
  const groups = given.wholeNumber('jackknife', 2);
  const permutations = given.wholeNumber('permutations', 1);
  const seed = given.wholeNumber('seed', 0);
  if (groups !== undefined || permutations !== undefined) return { groups, permutations, seed };
  if (seed === undefined) return false;
  throw new UsageError('--seed goes with --permutations');
}

async function inferWith(chosen: ChosenBackend, settings: Settings, terminal: Terminal): Promise<void> {
  const clock = new Stopwatch();
  const { loss, lossReduction, executionProvider, reduction, usePreNorm, resampling } = settings;
  await using model = await GsnnModel.load(pathToFileURL(settings.model), {
    name: settings.model,
    loss,
    lossReduction,
    executionProvider,
    ...(settings.maskMissingTargets ? { maskMissingTargets: true } : {}),
    ...(chosen.gpu ? { device: chosen.gpu.device } : {}),
  });
  const data = batches(await readInput(settings.data), model, {
    batchSize: settings.batchSize,
    name: settings.data,
    ...(settings.memoryBudget === undefined ? {} : { memoryBudget: settings.memoryBudget }),
  });
  await using inferer = await MagnitudeEdgeInferer.create(model, {
    reduction,
    usePreNorm,
    backend: chosen.backend,
    uncertainty: resampling,
  });
  clock.lap('load');
  printLine(
    terminal.err,
    `statistics on ${chosen.backend} (${chosen.reason}), model on ${model.diagnostics.executionProvider}`,
  );
  const samples = await withProgress(terminal, { what: 'fit', unit: 'batch' }, (progress) =>
    inferer.fit(data, {
      onProgress: ({ batch, batches, samples }) => {
        progress.update({ done: batch, total: batches, samples });
      },
    }),
  );
  clock.lap('fit');
  const rows = await withProgress(terminal, { what: 'uncertainty', unit: 'scoring' }, async (progress) => {
    const batchesOut = new RowCount(
      inferer.evaluateBatches({
        ...settings,
        onResample: (done, total) => {
          progress.update({ done, total });
        },
      }),
      () => {
        clock.lap('evaluate');
      },
    );
    const files: OutputFile[] = [{ path: settings.out, bytes: encodeBatches(batchesOut, settings.format) }];
    if (settings.statsOut !== undefined)
      files.push({ path: settings.statsOut, bytes: await inferer.saveStats() });
    await writeOutputs(files);
    return batchesOut;
  });
  clock.lap('write');
  const { notes, workers, warnings } = inferer.diagnostics;
  const report = { samples, batches: data.length, rows, notes, workers, warnings, seconds: clock.seconds };
  printLine(
    terminal.out,
    settings.json ? jsonReport(model, chosen, settings, report) : textReport(model, chosen, settings, report),
  );
}

interface Report {
  readonly samples: number;
  readonly batches: number | undefined;
  readonly rows: RowCount;
  /** What the statistics were computed with */
  readonly notes: readonly string[];
  /** Workers of the CPU backend; undefined with another */
  readonly workers: number | undefined;
  /** What a reader of the results has to know */
  readonly warnings: readonly string[];
  readonly seconds: Readonly<Record<string, number>>;
}

function jsonReport(model: GsnnModel, chosen: ChosenBackend, settings: Settings, report: Report): string {
  const { executionProvider, threads, fallbacks } = model.diagnostics;
  const { nodeNames, edgeIndex } = model.graph;
  return JSON.stringify({
    command: 'infer',
    model: settings.model,
    data: settings.data,
    out: settings.out,
    ...(settings.statsOut === undefined ? {} : { statsOut: settings.statsOut }),
    inputs: nodeNames.input.length,
    functions: nodeNames.function.length,
    outputs: nodeNames.output.length,
    functionEdges: edgeIndex['function,function'][0].length,
    layers: model.layers,
    norm: model.norm,
    samples: report.samples,
    batches: report.batches,
    rows: report.rows.count,
    score: settings.score,
    ...(settings.resampling ? { uncertainty: resamplingOf(report.rows) } : {}),
    backend: chosen.backend,
    backendReason: chosen.reason,
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

function textReport(model: GsnnModel, chosen: ChosenBackend, settings: Settings, report: Report): string {
  const { executionProvider, threads } = model.diagnostics;
  const { nodeNames, edgeIndex } = model.graph;
  const nodes = `${nodeNames.input.length} input, ${nodeNames.function.length} function and ${nodeNames.output.length} output nodes`;
  const seconds = Object.entries(report.seconds).map(([what, time]) => `${what} ${time.toFixed(2)} s`);
  const lines = [
    `model    ${settings.model}: ${nodes}, ${edgeIndex['function,function'][0].length} edges between functions, ${model.layers} blocks, norm ${model.norm}`,
    `data     ${settings.data}: ${report.samples} samples`,
    `ran on   ${chosen.backend} (${chosen.reason})${workersInWords(report.workers)}; model on ${executionProvider}, ${threads} thread${threads === 1 ? '' : 's'}`,
    `time     ${seconds.join(', ')}`,
    ...report.warnings.map((warning) => `warning  ${warning}`),
    ...(settings.resampling ? [`errors   ${resamplingInWords(report.rows)}`] : []),
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

/** How the table says that its scores were resampled. */
function resamplingOf({ metadata }: RowCount): Record<'groups' | 'permutations' | 'seed', number> {
  const number = (key: string): number => Number(metadata.get(key));
  return { groups: number('groups'), permutations: number('permutations'), seed: number('seed') };
}

function resamplingInWords(rows: RowCount): string {
  const { groups, permutations, seed } = resamplingOf(rows);
  const shuffles = permutations > 0 ? `; empirical p by ${permutations} shuffles, seed ${seed}` : '';
  return `by ${groups} groups of samples${shuffles}`;
}

/** Seconds from one lap to the next. */
class Stopwatch {
  readonly seconds: Record<string, number> = {};
  #last = performance.now();

  lap(what: string): void {
    const now = performance.now();
    this.seconds[what] = Math.round(now - this.#last) / 1000;
    this.#last = now;
  }
}
