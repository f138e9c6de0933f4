import { pathToFileURL } from 'node:url';
import { batches } from '../data/batches.ts';
import type { BackendName, Precision, Reduction } from '../engine/engine.ts';
import type { UncertaintyOptions } from '../resampling/uncertainty-settings.ts';
import type { CheckpointSink, FitOptions } from '../inferer/inferer-options.ts';
import { MagnitudeEdgeInferer } from '../inferer/inferer.ts';
import { GsnnModel } from '../model/gsnn-model.ts';
import type { ExecutionProvider } from '../model/runtime.ts';
import { coverageWarning } from '../table/coverage-words.ts';
import { channelSumsBytes } from '../statistics/channel-sums.ts';
import { coverageFrom } from '../table/coverage-metadata.ts';
import { encodeBatchesWith } from '../table/encode-batches.ts';
import { readPositiveEdges } from '../table/positives.ts';
import { lossNames, type LossName } from '../training-graph/losses.ts';
import { Arguments, UsageError } from './arguments.ts';
import {
  backendHelp,
  backendOf,
  backendOptions,
  chooseBackend,
  readBackend,
  type ChosenBackend,
} from './backend.ts';
import type { Command } from './command.ts';
import {
  checkpointFile,
  checkpointHelp,
  checkpointOptions,
  readCheckpointSettings,
  type CheckpointSettings,
} from './checkpoint-file.ts';
import { expandPatterns, toUrl } from './data-paths.ts';
import { jsonReport, textReport } from './infer-report.ts';
import { startThreadForLargeModel } from './model-thread.ts';
import {
  checkInputs,
  readInput,
  summaryStream,
  writeOutputs,
  type OutputFile,
  type OutputFolder,
} from './files.ts';
import { checkNewFolder } from './partitions.ts';
import { placeOutputs, type OutputPlace } from './output-place.ts';
import { readOutputWeights } from './loss-files.ts';
import { withProgress } from './progress.ts';
import { readSampleSettings, sampleHelp, sampleOptions, type SampleSettings } from './reading-options.ts';
import { RowCount } from './row-count.ts';
import { rowGroupEncoder } from './row-group-threads.ts';
import {
  outputHelp,
  readScoreSettings,
  scoreHelp,
  scoreOptions,
  type ScoreSettings,
} from './score-options.ts';
import { printLine, type Terminal } from './terminal.ts';

const help = `magnitude-edge infer --model M.onnx --data D.(npz|arrow|feather|csv|tsv|parquet)... --out E.(arrow|csv|tsv|parquet)

Runs a GSNN (ONNX profile v1) over the data and writes the edge table: every ordered pair of function nodes, scored by
the correlation of activation and gradient magnitudes, with p- and q-values, sorted. Several files of data (also patterns
in quotes, such as 'part-*.parquet', and http addresses) are read one after the other as one data set, in blocks of rows.

${scoreHelp}
  --reduction l1|l2                    norm over a node's channels                    (l1)
  --post-norm                          takes values after each block's norm, not before it
  --loss ${lossNames.join('|')}
                                       loss whose gradients are taken                 (mse)
  --loss-reduction mean|sum            over each batch                                (mean)
  --output-weights W.csv               factors on each output's loss: columns output and weight; 1 if not listed
  --mask-edges E.csv                   edges to switch off in a model with an edge_mask input, and in its graph
  --mask-missing-targets               leaves missing targets (NaN, null, an empty cell, NA) out of the loss
${sampleHelp}
  --jackknife G                        standard errors and sign stability, by leaving out one of G groups
                                       of consecutive samples at a time
  --permutations R                     empirical p-values from R shuffles of the targets within the groups
                                       (10 groups unless --jackknife gives another number)
  --seed S                             seed of the shuffles                           (0)
${backendHelp('statistics')}
  --execution-provider auto|webgpu|wasm  where the model runs                         (auto)
${checkpointHelp}
  --stats-out S.arrow                  the statistics, for 'magnitude-edge evaluate' and 'magnitude-edge merge'
${outputHelp}`;

const options = {
  ...scoreOptions,
  model: { type: 'string' },
  data: { type: 'string', multiple: true },
  reduction: { type: 'string' },
  'post-norm': { type: 'boolean' },
  loss: { type: 'string' },
  'loss-reduction': { type: 'string' },
  'mask-missing-targets': { type: 'boolean' },
  'output-weights': { type: 'string' },
  'mask-edges': { type: 'string' },
  ...sampleOptions,
  jackknife: { type: 'string' },
  permutations: { type: 'string' },
  seed: { type: 'string' },
  ...backendOptions,
  'execution-provider': { type: 'string' },
  'stats-out': { type: 'string' },
  ...checkpointOptions,
} as const;

export const infer: Command = {
  help,
  async run(args, terminal) {
    const given = readSettings(args);
    if (given.executionProvider !== 'webgpu') startThreadForLargeModel(given.model);
    const settings = { ...given, data: await expandPatterns(given.data) };
    const { model, data, out, statsOut, outputWeights, maskEdges } = settings;
    await checkInputs(data, 'its samples would be counted twice');
    // A model's external data are read along with it.
    const inputs = [model, `${model}.data`, ...data, outputWeights, maskEdges];
    if (settings.partitioned) await checkNewFolder(out);
    const others = await placeOutputs(
      inputs.filter((path) => path !== undefined),
      [settings.partitioned ? undefined : out, statsOut, settings.checkpoint?.path],
    );
    const table = settings.partitioned ? undefined : others.shift();
    const statistics = statsOut === undefined ? undefined : others.shift();
    const [checkpointPlace] = others;
    const checkpoint = checkpointPlace && checkpointFile(checkpointPlace, settings.checkpoint!.resume);
    const chosen = await chooseBackend(settings.backend);
    try {
      await inferWith(chosen, settings, { table, statistics, checkpoint }, terminal);
    } finally {
      chosen.release();
    }
  },
};

interface Settings extends ScoreSettings {
  readonly model: string;
  readonly data: readonly string[];
  readonly reduction: Reduction;
  readonly usePreNorm: boolean;
  readonly loss: LossName;
  readonly lossReduction: 'mean' | 'sum';
  readonly maskMissingTargets: boolean;
  readonly outputWeights: string | undefined;
  readonly maskEdges: string | undefined;
  readonly reading: SampleSettings;
  readonly resampling: UncertaintyOptions | false;
  readonly backend: 'auto' | BackendName;
  readonly precision: Precision;
  readonly executionProvider: 'auto' | ExecutionProvider;
  readonly statsOut: string | undefined;
  readonly checkpoint: CheckpointSettings | undefined;
}

function readSettings(args: readonly string[]): Settings {
  const given = new Arguments(args, options, { allowed: false });
  return {
    ...readScoreSettings(given),
    model: given.required('model'),
    data: given.requiredList('data'),
    reduction: given.choice('reduction', ['l1', 'l2'], 'l1'),
    usePreNorm: !given.flag('post-norm'),
    loss: given.choice('loss', lossNames, 'mse'),
    lossReduction: given.choice('loss-reduction', ['mean', 'sum'], 'mean'),
    maskMissingTargets: given.flag('mask-missing-targets'),
    outputWeights: given.text('output-weights'),
    maskEdges: given.text('mask-edges'),
    reading: readSampleSettings(given),
    resampling: readResampling(given),
    ...readBackend(given),
    executionProvider: given.choice('execution-provider', ['auto', 'webgpu', 'wasm'], 'auto'),
    statsOut: given.text('stats-out'),
    checkpoint: readCheckpointSettings(given),
  };
}

/** Either of its two options requests resampling. */
function readResampling(given: Arguments): UncertaintyOptions | false {
  const groups = given.wholeNumber('jackknife', 2);
  const permutations = given.wholeNumber('permutations', 1);
  const seed = given.wholeNumber('seed', 0);
  if (groups !== undefined || permutations !== undefined) return { groups, permutations, seed };
  if (seed === undefined) return false;
  throw new UsageError('--seed needs --permutations');
}

/** Most bytes of channel values that are kept; beyond that they become sums. */
const KEPT_CHANNEL_BYTES = 2 ** 32;

/**
 * Most bytes for channel values: at least twice what their sums take, so that some samples fit alongside the sums.
 * Ranks and resampling need all samples.
 */
function maxChannelBytes({ channelGroups, layers }: GsnnModel, { score, resampling }: Settings): number {
  if (score !== 'channel' || resampling !== false) return Number.MAX_SAFE_INTEGER;
  return Math.max(KEPT_CHANNEL_BYTES, 2 * channelSumsBytes(layers - 1, channelGroups.length));
}

interface Places {
  /** Undefined if a folder is written */
  readonly table: OutputPlace | undefined;
  readonly statistics: OutputPlace | undefined;
  readonly checkpoint: CheckpointSink | undefined;
}

async function inferWith(
  chosen: ChosenBackend,
  settings: Settings,
  places: Places,
  terminal: Terminal,
): Promise<void> {
  const clock = new Stopwatch();
  const { loss, lossReduction, executionProvider, reduction, usePreNorm, resampling } = settings;
  await using model = await GsnnModel.load(pathToFileURL(settings.model), {
    name: settings.model,
    loss,
    lossReduction,
    executionProvider,
    batches: settings.reading,
    ...(settings.maskMissingTargets ? { maskMissingTargets: true } : {}),
    ...(chosen.gpu ? { device: chosen.gpu.device } : {}),
  });
  const data = batches(settings.data.map(toUrl), model, {
    ...settings.reading,
    name: settings.data,
  });
  const fitOptions = await readFitOptions(settings, model);
  await using inferer = await MagnitudeEdgeInferer.create(model, {
    reduction,
    usePreNorm,
    // With 'auto' the library falls back if the device is too small or inexact.
    backend: chosen.backend === 'cpu' ? 'cpu' : settings.backend,
    precision: settings.precision,
    uncertainty: resampling,
    // No other score is requested later.
    channels: needsChannels(settings) && { maxBytes: maxChannelBytes(model, settings) },
  });
  const ranOn = backendOf(inferer, chosen);
  const rowGroups = rowGroupEncoder(settings, model.graph.nodeNames.function.length);
  clock.lap('load');
  printLine(
    terminal.err,
    `statistics on ${ranOn.backend} (${ranOn.reason}), model on ${model.diagnostics.executionProvider}`,
  );
  let batchesDone = 0;
  let resumedFrom: number | undefined;
  const samples = await withProgress(terminal, { what: 'fit', unit: 'batch' }, (progress) =>
    inferer.fit(data, {
      ...fitOptions,
      checkpoint: places.checkpoint && {
        ...settings.checkpoint,
        sink: places.checkpoint,
        onResume: (held, batches) => {
          resumedFrom = held;
          batchesDone = batches;
          printLine(terminal.err, `resumes from ${settings.checkpoint!.path}: ${held} samples`);
        },
      },
      onProgress: ({ batch, batches: total, samples }) => {
        batchesDone = batch;
        progress.update({ done: batch, total, samples });
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
    const files: (OutputFile | OutputFolder)[] = [
      places.table
        ? { place: places.table, bytes: encodeBatchesWith(rowGroups, batchesOut, settings.format, settings) }
        : { folder: settings.out, batches: batchesOut },
    ];
    if (places.statistics)
      files.push({
        place: places.statistics,
        bytes: await inferer.saveStats({ channels: needsChannels(settings) }),
      });
    await writeOutputs(files);
    return batchesOut;
  });
  clock.lap('write');
  const { notes, workers, warnings: ofInferer } = inferer.diagnostics;
  const coverage = coverageFrom(rows.metadata)!;
  const ofScores = coverageWarning(coverage);
  const warnings = ofScores === undefined ? ofInferer : [ofScores, ...ofInferer];
  const { seconds } = clock;
  const report = {
    samples,
    resumedFrom,
    batches: batchesDone,
    rows,
    coverage,
    notes,
    workers,
    warnings,
    seconds,
  };
  printLine(
    summaryStream(terminal, places.table),
    settings.json ? jsonReport(model, ranOn, settings, report) : textReport(model, ranOn, settings, report),
  );
}

/** Ranks need the magnitudes of all samples, which the channel values provide. */
function needsChannels({ score, correlation }: ScoreSettings): boolean {
  return score === 'channel' || correlation === 'spearman';
}

/** Settings of the loss and of the graph, read from files. */
async function readFitOptions(
  { outputWeights, maskEdges }: Settings,
  model: GsnnModel,
): Promise<Pick<FitOptions, 'outputWeights' | 'maskedEdges'>> {
  const { output } = model.graph.nodeNames;
  return {
    ...(outputWeights === undefined
      ? {}
      : { outputWeights: readOutputWeights(await readInput(outputWeights), output, outputWeights) }),
    ...(maskEdges === undefined
      ? {}
      : { maskedEdges: readPositiveEdges(await readInput(maskEdges), maskEdges) }),
  };
}

/** Measures the seconds of each lap. */
class Stopwatch {
  readonly seconds: Record<string, number> = {};
  #last = performance.now();

  lap(what: string): void {
    const now = performance.now();
    this.seconds[what] = Math.round(now - this.#last) / 1000;
    this.#last = now;
  }
}
