import { effect } from '@preact/signals';
import { edges, noResult, rows } from '../src/state/edges.ts';
import { select, selection, type Selection } from '../src/state/selection.ts';
import { theme } from '../src/state/theme.ts';
import { askHostBy, takeEvidence } from './evidence.ts';
import type { FromExplorer, ToExplorer } from './messages.ts';
import { restore, settingsNow } from './settings.ts';
import { showTable, version } from './show-table.ts';

/**
 * Milliseconds for which rows must stay unchanged before the host is told, so that half a search word is not reported.
 */
const pause = 150;

/** Waits for the page that holds this frame to hand over a port, then takes commands and reports changes over it. */
export function serveHost(): void {
  addEventListener('message', ({ data, ports, source }: MessageEvent<unknown>) => {
    if (data !== 'connect' || source !== parent || !ports[0]) return;
    const [port] = ports;
    port.onmessage = (event: MessageEvent<ToExplorer>) => {
      take(event.data);
    };
    askHostBy((id, request) => {
      port.postMessage({ kind: 'evidence', id, request } satisfies FromExplorer);
    });
    tellChanges((message, transfer = []) => {
      port.postMessage(message, transfer);
    });
  });
}

/** Names to select once a table is there to find them in. */
let wanted: readonly string[] | null = null;

function take(message: ToExplorer): void {
  switch (message.kind) {
    case 'table':
      void showTable(message.facts, message.bytes);
      break;
    case 'theme':
      theme.value = message.theme;
      break;
    case 'select':
      wanted = message.names;
      selectWanted();
      break;
    case 'settings':
      restore(message.settings);
      break;
    case 'evidence':
      takeEvidence(message.id, message);
      break;
    case 'notice':
      noResult.value = message.text;
      break;
  }
}

/** Names of what is selected: none, a node, or source and target. */
export function selectedNames(at: Selection, names: readonly string[]): string[] {
  const nodes = at.kind === 'none' ? [] : at.kind === 'node' ? [at.node] : [at.source, at.target];
  return nodes.map((node) => names[node] ?? '');
}

function selectWanted(): void {
  const names = edges.peek()?.names;
  if (!names || !wanted) return;
  const [source, target] = wanted.map((name) => names.indexOf(name));
  wanted = null;
  if (source === undefined) select({ names }, { kind: 'none' });
  else if (source < 0 || (target ?? 0) < 0) return;
  else
    select(
      { names },
      target === undefined ? { kind: 'node', node: source } : { kind: 'pair', source, target },
    );
}

function tellChanges(tell: (message: FromExplorer, transfer?: Transferable[]) => void): void {
  effect(() => {
    if (edges.value) selectWanted();
  });
  let told = '[]';
  effect(() => {
    const names = selectedNames(selection.value, edges.value?.names ?? []);
    if (JSON.stringify(names) === told) return;
    told = JSON.stringify(names);
    tell({ kind: 'selected', names });
  });
  effect(() => {
    tell({ kind: 'settings', settings: settingsNow() });
  });
  effect(() => {
    const [shown, of] = [rows.value, version.value];
    if (of === 0) return;
    const timer = setTimeout(() => {
      const all = shown.length === edges.peek()?.rows && shown.every((row, place) => row === place);
      const copy = all ? null : shown.slice();
      tell({ kind: 'rows', version: of, rows: copy }, copy ? [copy.buffer] : []);
    }, pause);
    return () => {
      clearTimeout(timer);
    };
  });
}
