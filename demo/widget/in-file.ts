import { noResult } from '../src/state/edges.ts';
import type { TableFacts } from './messages.ts';
import { showTable } from './show-table.ts';

/** Shows the table embedded in this file, gzip in base64. False if there is none. */
export function showTableInFile(): boolean {
  const [facts, data] = ['facts', 'table'].map((id) => document.getElementById(id)?.textContent);
  if (!facts || !data) return false;
  void unpack(data).then(
    (bytes) => showTable(JSON.parse(facts) as TableFacts, bytes),
    () => {
      noResult.value = 'The table in this file is damaged: parts of it are missing or were changed.';
    },
  );
  return true;
}

async function unpack(base64: string): Promise<Uint8Array<ArrayBuffer>> {
  const packed = Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
