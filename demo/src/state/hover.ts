import { batch, signal } from '@preact/signals';
import { isSame, type Selection } from './selection.ts';

/** What the pointer is on, in whatever view: the same pair lights up in all of them. */
export const hovered = signal<Selection>({ kind: 'none' });
/** Where the pointer is, CSS pixels of the window. */
export const pointer = signal<Place>({ x: 0, y: 0 });

interface Place {
  readonly x: number;
  readonly y: number;
}

/** What the tooltip says of something that is neither a node nor a pair of the table. */
export interface Note {
  readonly title: string;
  readonly lines: readonly string[];
}
export const note = signal<Note | null>(null);

/** The pointer is on something, seen by an element at a place of its own. */
export function hover(at: Selection, place: Place): void {
  batch(() => {
    pointer.value = place;
    note.value = null;
    if (!isSame(at, hovered.peek())) hovered.value = at;
  });
}

export const hoverNothing = (): void => {
  hover({ kind: 'none' }, pointer.peek());
};

/** As {@link hover}, for what only one view has. */
export function hoverNote(about: Note, place: Place): void {
  batch(() => {
    hover({ kind: 'none' }, place);
    note.value = about;
  });
}
