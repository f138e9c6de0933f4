import { effect, signal } from '@preact/signals';
import { viewNames, type ViewName } from './view.ts';

/** Inputs, method and run at the left are in sight. */
export const showsSide = signal(true);
/** The table's share of the width beside its views; 0 and 1 leave the other alone. */
export const defaultShare = 0.51;
export const tableShare = signal(defaultShare);
/** A second view beside the first. */
export const secondView = signal<ViewName | null>(null);

/** Shares below this, or so near to 1, close a pane: nothing could be read in it. */
const least = 0.14;

export function setTableShare(share: number): void {
  tableShare.value = share < least ? 0 : share > 1 - least ? 1 : share;
}

const stored = 'panes';

/** Takes the panes as they were at the last visit, and keeps them for the next one. */
export function rememberPanes(): void {
  try {
    const [side, share, second] = JSON.parse(localStorage.getItem(stored) ?? '[]') as unknown[];
    if (typeof side === 'boolean') showsSide.value = side;
    if (typeof share === 'number' && share >= 0 && share <= 1) setTableShare(share);
    secondView.value = viewNames.find((name) => name === second) ?? null;
  } catch {
    // Storage may be forbidden, or hold what something else has written.
  }
  effect(() => {
    const now = JSON.stringify([showsSide.value, tableShare.value, secondView.value]);
    try {
      localStorage.setItem(stored, now);
    } catch {
      // They last as long as the page then.
    }
  });
}
