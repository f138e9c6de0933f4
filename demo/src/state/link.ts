import { isColumnKey, noFilter } from '../edges/row-query.ts';
import { nodeOrders } from '../edges/node-order.ts';
import { aggregations, correlations, scoreNames } from '../edges/score-kind.ts';
import type { FileFacts } from '../results/provenance.ts';
import { edges, filter, result, sort } from './edges.ts';
import { inputs, type InputRole } from './inputs.ts';
import { defaultParams, wholeNumbers, type Params } from '../results/params.ts';
import { params } from './params.ts';
import { select, selection } from './selection.ts';
import { currentInputs } from './session.ts';
import { defaultOrder, heatmapOrder, networkThreshold, view, viewNames } from './view.ts';

/** Roles of files that a link can name by address. */
export const linkedRoles = ['model', 'data', 'positives', 'table'] as const;
/** All roles that an address can name: a whole session, too. */
export const openedRoles = [...linkedRoles, 'session'] as const;
export type OpenedRole = (typeof openedRoles)[number];

type Origin = Pick<FileFacts, 'origin' | 'address'>;

/** The files and parameters that a link restores: those of the result shown, before the first result those chosen. */
function toRestore(): { files: Partial<Record<InputRole, Origin>>; settings: Params } {
  const shown = result.value?.provenance;
  const files: Partial<Record<InputRole, Origin>> = {};
  const { model, data } =
    shown?.kind === 'fit' ? shown : shown ? { model: null, data: null } : currentInputs.value;
  if (model) files.model = model;
  if (data) files.data = data;
  if (shown?.kind === 'file') files.table = shown.file;
  for (const role of ['positives', 'sources', 'targets'] as const) {
    const input = inputs.value[role];
    if (input?.origin) files[role] = { origin: input.origin, address: input.address ?? null };
  }
  return { files, settings: shown?.kind === 'fit' ? shown.params : params.value };
}

/** Files that a link cannot restore, because they are on a disk. */
export const filesLeftBehind = (): InputRole[] => {
  const { files } = toRestore();
  return (Object.keys(files) as InputRole[]).filter((role) => files[role]?.origin === 'disk');
};

/** An address as it is written in a link: short if the file is next to the page. */
function written(address: string): string {
  const folder = new URL('./', location.href).href;
  return address.startsWith(folder) ? address.slice(folder.length) : address;
}

/**
 * The address that restores the results shown: files by address, everything else by value, defaults omitted. Files from
 * a disk are listed as missing, so that no other files are taken for them.
 */
export function sessionLink(): string {
  const query = new URLSearchParams();
  const { files, settings } = toRestore();
  const isExample = Object.values(files).every(({ origin }) => origin === 'example');
  for (const role of linkedRoles) {
    const address = files[role]?.address;
    if (address && !isExample) query.set(role, written(address));
  }
  const missing = filesLeftBehind();
  if (missing.length > 0) query.set('disk', missing.join(','));
  for (const key of Object.keys(defaultParams) as (keyof Params)[])
    if (settings[key] !== defaultParams[key]) query.set(key, String(settings[key]));
  if (view.value !== 'heatmap') query.set('view', view.value);
  if (heatmapOrder.value !== defaultOrder) query.set('heatmap', heatmapOrder.value);
  if (networkThreshold.value !== null) query.set('threshold', String(networkThreshold.value));
  const keys = [sort.value, ...(sort.value.then ?? [])];
  const order = keys.map(({ column, descending }) => `${column} ${descending ? 'down' : 'up'}`).join(',');
  if (order !== 'score down') query.set('sort', order);
  const { search, minScore, maxQ, edges: shown } = filter.value;
  if (search) query.set('search', search);
  if (minScore !== null) query.set('minScore', String(minScore));
  if (maxQ !== null) query.set('maxQ', String(maxQ));
  if (shown !== 'all') query.set('edges', shown);
  const names = edges.value?.names ?? [];
  const at = selection.value;
  if (at.kind === 'pair') query.set('select', `${names[at.source] ?? ''}>${names[at.target] ?? ''}`);
  if (at.kind === 'node') query.set('select', names[at.node] ?? '');
  const text = query.toString();
  return `${location.origin}${location.pathname}${text ? `?${text}` : ''}`;
}

/** Applies the settings of an address. What is missing or invalid stays as it is. */
export function restoreSettings(query: URLSearchParams): void {
  const read: Record<string, unknown> = { ...params.value };
  for (const [key, fallback] of Object.entries(defaultParams)) {
    const text = query.get(key);
    if (text === null) continue;
    const value = readAs(typeof fallback, text);
    if (isAllowed(key as keyof Params, value)) read[key] = value;
  }
  params.value = read as unknown as Params;
  const shown = viewNames.find((name) => name === query.get('view'));
  if (shown) view.value = shown;
  const [first, ...then] = (query.get('sort') ?? '').split(',').flatMap((key) => {
    const [column = '', direction] = key.split(' ');
    return isColumnKey(column) ? [{ column, descending: direction !== 'up' }] : [];
  });
  if (first) sort.value = then.length > 0 ? { ...first, then } : first;
  const number = (key: string) => {
    const text = query.get(key);
    return text !== null && Number.isFinite(Number(text)) ? Number(text) : null;
  };
  const order = nodeOrders.find((name) => name === query.get('heatmap'));
  if (order) heatmapOrder.value = order;
  const threshold = number('threshold');
  if (threshold !== null && threshold >= 0) networkThreshold.value = threshold;
  const kinds = query.get('edges');
  filter.value = {
    ...noFilter,
    search: query.get('search') ?? '',
    minScore: number('minScore'),
    maxQ: number('maxQ'),
    edges: kinds === 'new' || kinds === 'known' ? kinds : 'all',
  };
}

/** Selects what an address names, once a table is there to find it in. */
export function restoreSelection(query: URLSearchParams): void {
  const names = edges.value?.names ?? [];
  const text = query.get('select') ?? '';
  const node = names.indexOf(text);
  if (node >= 0) select({ names }, { kind: 'node', node });
  else
    // A name may contain the separator.
    for (let at = text.indexOf('>'); at >= 0; at = text.indexOf('>', at + 1)) {
      const [source, target] = [names.indexOf(text.slice(0, at)), names.indexOf(text.slice(at + 1))];
      if (source < 0 || target < 0) continue;
      select({ names }, { kind: 'pair', source, target });
      return;
    }
}

/** A text as a number or a boolean; null if it is neither. */
function readAs(kind: string, text: string): unknown {
  if (kind === 'number') return text.trim() === '' ? null : Number(text);
  if (kind === 'boolean') return text === 'true' || (text === 'false' ? false : null);
  return text;
}

const choices: Partial<Record<keyof Params, readonly unknown[]>> = {
  score: scoreNames,
  layerAgg: aggregations,
  correlation: correlations,
  reduction: ['l1', 'l2'],
  loss: ['mse', 'l1', 'huber', 'bce-with-logits', 'cross-entropy'],
  backend: ['auto', 'webgpu', 'cpu'],
  executionProvider: ['auto', 'webgpu', 'wasm'],
};

function isAllowed(key: keyof Params, value: unknown): boolean {
  if (key === 'ridge') return Number.isFinite(value) && Number(value) >= 0;
  if (key === 'channelLambda' || key === 'regressionLambda')
    return Number.isFinite(value) && Number(value) > 0;
  const range = wholeNumbers[key];
  if (range)
    return Number.isSafeInteger(value) && Number(value) >= range.least && Number(value) <= range.most;
  return choices[key]?.includes(value) ?? typeof value === 'boolean';
}
