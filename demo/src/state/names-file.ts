import { symbols } from '../names/symbols.ts';
import { refuse } from './alerts.ts';
import { noteInput, type NamedFile } from './inputs.ts';

/** Uses a table of ids and symbols, one pair per line, to label nodes. A file without pairs is refused. */
export function setNames(file: NamedFile): void {
  const pairs = new TextDecoder()
    .decode(file.bytes)
    .split(/\r?\n/)
    .map((line) => line.split(/[,;\t]/).map((field) => field.trim().replace(/^"(.*)"$/, '$1')))
    .flatMap(([id, symbol]) => (id && symbol ? [[id, symbol] as const] : []));
  if (pairs.length === 0) {
    const message = `${file.name} contains no names; lines of an id and a symbol were expected.`;
    noteInput('names', { name: file.name, note: message, refused: true });
    refuse(new Error(message));
    return;
  }
  symbols.value = new Map(pairs);
  noteInput('names', { name: file.name, note: `${pairs.length.toLocaleString('en')} names`, refused: false });
}
