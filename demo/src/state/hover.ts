import { batch, signal } from '@preact/signals';
import { isSame, type Selection } from './selection.ts';

/** What the pointer is on, in whatever view: the same pair lights up in all of them. */
export const hovered = signal<Selection>({ kind: 'none' });
/** Where the pointer is, CSS pixels of the window. */
export const pointer = signal<{ readonly x: number; readonly y: number }>({ x: 0, y: 0 });

/** The pointer is on something, seen by an element at a place of its own. */
export function hover(at: Selection, place: { readonly x: number; readonly y: number }): void {
  batch(() => {
    pointer.value = place;
    if (!isSame(at, hovered.peek())) hovered.value = at;
  });
}

export const hoverNothing = (): void => {
  hover({ kind: 'none' }, pointer.peek());
};
