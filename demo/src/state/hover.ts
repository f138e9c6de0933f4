import { batch, signal } from '@preact/signals';
import { isSame, type Selection } from './selection.ts';

/** What the pointer is on, in whatever view: all views highlight the same pair. */
export const hovered = signal<Selection>({ kind: 'none' });
/** Position of the pointer, CSS pixels of the window. */
export const pointer = signal<Place>({ x: 0, y: 0 });

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Text of the tooltip for something that is neither a node nor a pair of the table. */
export interface Note {
  readonly title: string;
  readonly lines: readonly string[];
}
export const note = signal<Note | null>(null);

/** Records what the pointer is on, and where in the window. */
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

/** As {@link hover}, for something that only one view has. */
export function hoverNote(about: Note, place: Place): void {
  batch(() => {
    hover({ kind: 'none' }, place);
    note.value = about;
  });
}
