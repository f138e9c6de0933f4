import { magnitudesOfSaved, selectSavedChannels } from '../engine/channels/score-saved.ts';
import { createEngine, type DeviceOptions } from '../engine/create.ts';
import type { BackendName, Reduction } from '../engine/engine.ts';
import { openConditionalScores } from '../engine/select-magnitudes.ts';
import { functionParents } from '../model/graph.ts';
import { magnitudeProvenance, magnitudeSettings, ranOn } from '../scoring/magnitude-settings.ts';
import {
  selectEdges,
  selectionPlan,
  type ConditionalScores,
  type Selection,
  type SelectionPlan,
} from '../scoring/select-edges.ts';
import { createYielder } from '../statistics/yielder.ts';
import { raggedFromLists } from '../statistics/ragged.ts';
import { edgeSet } from '../table/edge-set.ts';
import { encodeTable, type TableFormat } from '../table/formats.ts';
import { scoreColumnOf } from '../table/score-column.ts';
import { selectionTable } from '../table/selection-table.ts';
import { Arguments } from './arguments.ts';
import { backendHelp, backendOptions, chooseBackend, readBackend } from './backend.ts';
import type { Command } from './command.ts';
import { channelsOf, readStatistics } from './evaluate.ts';
import { checkInputs, outputFormat, summaryStream, writeOutputs } from './files.ts';
import { placeOutputs } from './output-place.ts';
import { readScoring, scoringHelp, scoringOptions } from './score-options.ts';
import { oneLine, printLine } from './terminal.ts';

const help = `magnitude-edge select --stats S.arrow... --out E.(arrow|csv|tsv|parquet)

Selects the best candidate edges step by step: further candidates of a target are scored given the edges already selected. With corr and partial scores these join the target's conditioning set; with regression and channel scores they are no
longer penalised by the ridge. Known edges are not selected. Several statistics files (infer --stats-out, merge) are added up.
Channel scores need files that hold channels (infer --score channel --stats-out).

  --steps N                            largest number of steps                        (10)
  --per-step N                         most edges per step, each of another target    (1)
  --stop-at NUMBER                     stops when no edge scores at least this        (0)
${scoringHelp}
${backendHelp('scores')}
  --format arrow|csv|tsv|parquet       format of the table, if the name of --out does not show it
  --json                               prints the summary as one JSON object`;

const options = {
  ...scoringOptions,
  stats: { type: 'string', multiple: true },
  steps: { type: 'string' },
  'per-step': { type: 'string' },
  'stop-at': { type: 'string' },
  ...backendOptions,
  out: { type: 'string' },
  format: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const select: Command = {
  help,
  async run(args, terminal) {
    const given = new Arguments(args, options, { allowed: false });
    const scoring = readScoring(given);
    const plan = selectionPlan({
      steps: given.wholeNumber('steps', 1),
      perStep: given.wholeNumber('per-step', 1),
      stopAt: given.number('stop-at', { least: -Infinity }),
    });
    const paths = given.requiredList('stats');
    const out = given.required('out');
    const said = given.text('format');
    const format = outputFormat(
      out,
      said === undefined
        ? undefined
        : given.choice<TableFormat>('format', ['arrow', 'csv', 'tsv', 'parquet'], 'csv'),
    );
    const { backend: requested, precision } = readBackend(given);
    await checkInputs(paths, 'its samples would be counted twice');
    const [place] = await placeOutputs(paths, [out]);
    const saved = await readStatistics(paths);
    const chosen = await chooseBackend(requested);
    try {
      const table = await selected(saved, scoring, plan, {
        backend: chosen.backend === 'cpu' ? 'cpu' : requested,
        device: chosen.gpu?.device,
        precision,
      });
      await writeOutputs([{ place: place!, bytes: encodeTable(table, format) }]);
      const { samples, nodes } = saved.statistics;
      const ended = table.schema.metadata.get('ended');
      const column = scoreColumnOf(table);
      const edges = Array.from({ length: table.numRows }, (_, row) => {
        const at = (name: string): unknown => table.getChild(name)!.get(row);
        return { step: at('step'), src: at('src_func'), dst: at('dst_func'), [column]: at(column) };
      });
      const report = {
        command: 'select',
        stats: paths,
        out,
        functions: nodes,
        samples,
        score: scoring.score,
        ...plan,
        ended,
      };
      printLine(
        summaryStream(terminal, place),
        given.flag('json')
          ? JSON.stringify({ ...report, edges })
          : [
              `stats    ${paths.join(', ')}: ${samples} samples, ${nodes} function nodes`,
              `wrote    ${out}: ${table.numRows} edges, ended by ${ended === 'steps' ? '--steps' : '--stop-at'}`,
              ...edges.map((edge) =>
                oneLine(
                  `${edge.step as number}  ${String(edge.src)} -> ${String(edge.dst)}  ${Number(edge[column]).toFixed(4)}`,
                ),
              ),
            ].join('\n'),
      );
    } finally {
      chosen.release();
    }
  },
};

async function selected(
  saved: Awaited<ReturnType<typeof readStatistics>>,
  scoring: ReturnType<typeof readScoring>,
  plan: SelectionPlan,
  { backend, ...on }: DeviceOptions & { readonly backend: 'auto' | BackendName },
) {
  const { score, layerAgg, lambda, varianceFloor } = scoring;
  const { statistics, origin } = saved;
  const { structure, usePreNorm, loss } = origin;
  const reduction = origin.reduction as Reduction;
  const { nodes, samples, pairs } = statistics;
  const known = edgeSet(structure.edgeIndex['function,function'], nodes);
  const work = (scores: ConditionalScores): Promise<Selection> =>
    selectEdges(scores, known, plan, createYielder());
  if (score === 'channel') {
    const selection = await selectSavedChannels(channelsOf(saved, 'Channel scores'), scoring, work);
    const of = { layerAgg, lambda, varianceFloor, samples, backend: 'cpu', solver: 'cpu' };
    return selectionTable(selection, structure, { score, usePreNorm, loss, ...of }, plan);
  }
  const { engine, release } = await createEngine(backend, { nodes, pairs: pairs.length, reduction }, on);
  try {
    await engine.merge(statistics);
    const settings = magnitudeSettings({ ...scoring, score });
    const request = { ...settings, conditioningSets: raggedFromLists(functionParents(structure)) };
    const magnitudes = () => magnitudesOfSaved(channelsOf(saved, "Spearman's correlations"), reduction);
    const opened = await openConditionalScores(engine, samples, request, magnitudes);
    try {
      const selection = await work(opened.scores);
      const of = { reduction, samples, ...ranOn(engine.diagnostics.backend, on.precision ?? 'exact') };
      const provenance = { score, usePreNorm, loss, ...magnitudeProvenance(settings, of) };
      return selectionTable(selection, structure, provenance, plan);
    } finally {
      await opened.release();
    }
  } finally {
    await release();
  }
}
