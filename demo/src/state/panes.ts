import { effect, signal } from '@preact/signals';
import { viewNames, type ViewName } from './view.ts';

/** Whether inputs, method and run are shown on the left. */
export const showsSide = signal(true);
/** The table's share of the width, next to its views; 0 and 1 hide one of the two. */
export const defaultShare = 0.51;
export const tableShare = signal(defaultShare);
/** A second view in addition to the first. */
export const secondView = signal<ViewName | null>(null);

/** Shares below this, or as close to 1, close a pane: nothing could be read in it. */
const least = 0.14;

export function setTableShare(share: number): void {
  tableShare.value = share < least ? 0 : share > 1 - least ? 1 : share;
}

const stored = 'panes';

/** Restores the panes of the last visit, and saves changes for the next one. */
export function rememberPanes(): void {
  try {
    const [side, share, second] = JSON.parse(localStorage.getItem(stored) ?? '[]') as unknown[];
    if (typeof side === 'boolean') showsSide.value = side;
    if (typeof share === 'number' && share >= 0 && share <= 1) setTableShare(share);
    secondView.value = viewNames.find((name) => name === second) ?? null;
  } catch {
    // Storage may be forbidden, or hold something else.
  }
  effect(() => {
    const now = JSON.stringify([showsSide.value, tableShare.value, secondView.value]);
    try {
      localStorage.setItem(stored, now);
    } catch {
      // They then last as long as the page.
    }
  });
}
