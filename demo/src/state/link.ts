import { isColumnKey, noFilter } from '../edges/row-query.ts';
import { nodeOrders } from '../edges/node-order.ts';
import { edges, filter, sort } from './edges.ts';
import { defaultParams, params, wholeNumbers, type Params } from './params.ts';
import { selection } from './selection.ts';
import { defaultOrder, defaultThreshold, heatmapOrder, networkThreshold, view, viewNames } from './view.ts';

/** Roles of files that a link can name by their addresses. */
export const linkedRoles = ['model', 'data', 'positives', 'table'] as const;
export type LinkedRole = (typeof linkedRoles)[number];

/** Addresses of the files that were fetched; files from a disk have none. */
export const addresses: Partial<Record<LinkedRole, string>> = {};

/** The address that restores this session: files by address, everything else by value, defaults left out. */
export function sessionLink(): string {
  const query = new URLSearchParams();
  for (const role of linkedRoles) if (addresses[role]) query.set(role, addresses[role]);
  for (const key of Object.keys(defaultParams) as (keyof Params)[])
    if (params.value[key] !== defaultParams[key]) query.set(key, String(params.value[key]));
  if (view.value !== 'heatmap') query.set('view', view.value);
  if (heatmapOrder.value !== defaultOrder) query.set('heatmap', heatmapOrder.value);
  if (networkThreshold.value !== defaultThreshold) query.set('threshold', String(networkThreshold.value));
  const { column, descending } = sort.value;
  if (column !== 'score' || !descending) query.set('sort', `${column} ${descending ? 'down' : 'up'}`);
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

/** Takes over what an address says. What it does not say, or says wrongly, stays as it is. */
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
  const [column, direction] = query.get('sort')?.split(' ') ?? [];
  if (column && isColumnKey(column)) sort.value = { column, descending: direction !== 'up' };
  const number = (key: string) => {
    const text = query.get(key);
    return text !== null && Number.isFinite(Number(text)) ? Number(text) : null;
  };
  const order = nodeOrders.find((name) => name === query.get('heatmap'));
  if (order) heatmapOrder.value = order;
  const threshold = number('threshold');
  if (threshold !== null && threshold >= 0 && threshold <= 1) networkThreshold.value = threshold;
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
  const [source, target] = (query.get('select') ?? '').split('>').map((name) => names.indexOf(name));
  if (source === undefined || source < 0) return;
  if (target === undefined) selection.value = { kind: 'node', node: source };
  else if (target >= 0) selection.value = { kind: 'pair', source, target };
}

/** What a text says as a number or a boolean, null where it says none. */
function readAs(kind: string, text: string): unknown {
  if (kind === 'number') return text.trim() === '' ? null : Number(text);
  if (kind === 'boolean') return text === 'true' || (text === 'false' ? false : null);
  return text;
}

const choices: Partial<Record<keyof Params, readonly unknown[]>> = {
  score: ['corr', 'partial'],
  layerAgg: ['mean', 'max'],
  reduction: ['l1', 'l2'],
  loss: ['mse', 'l1', 'huber', 'bce-with-logits', 'cross-entropy'],
  backend: ['auto', 'webgpu', 'cpu'],
  executionProvider: ['auto', 'webgpu', 'wasm'],
};

function isAllowed(key: keyof Params, value: unknown): boolean {
  if (key === 'ridge') return Number.isFinite(value) && Number(value) >= 0;
  const range = wholeNumbers[key];
  if (range)
    return Number.isSafeInteger(value) && Number(value) >= range.least && Number(value) <= range.most;
  return choices[key]?.includes(value) ?? typeof value === 'boolean';
}
