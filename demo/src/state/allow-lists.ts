import { filter } from './edges.ts';
import { noteInput, type NamedFile } from './inputs.ts';
import { refuse } from './alerts.ts';

/** Uses a list of names, one per line, as the only sources or targets shown. An empty list is refused. */
export function setAllowList(side: 'sources' | 'targets', file: NamedFile): void {
  const names = new TextDecoder()
    .decode(file.bytes)
    .split(/[\r\n,;\t]+/)
    .map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
    .filter(Boolean);
  if (names.length === 0) {
    const message = `${file.name} contains no names; one per line was expected.`;
    noteInput(side, { name: file.name, note: message, refused: true });
    refuse(new Error(message));
    return;
  }
  filter.value = { ...filter.value, [side]: names };
  noteInput(side, { name: file.name, note: `${names.length.toLocaleString('en')} names`, refused: false });
}

/** Removes the filters, lists included. */
export function clearAllowLists(): void {
  noteInput('sources', undefined);
  noteInput('targets', undefined);
}
