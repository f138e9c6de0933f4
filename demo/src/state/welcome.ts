import { computed, signal } from '@preact/signals';
import { inputs } from './inputs.ts';

const stored = 'welcomed';

const isDismissed = signal(hasBeenDismissed());

/** The page introduces itself until the user opens files or dismisses it. A link brings files. */
export const isWelcoming = computed(() => {
  if (isDismissed.value) return false;
  const isOfExample = Object.values(inputs.value).every(({ origin }) => !origin || origin === 'example');
  return isOfExample && !inputs.value.table && !bringsFiles();
});

const bringsFiles = (): boolean => {
  const query = new URLSearchParams(location.search);
  return ['model', 'table', 'disk', 'gallery', 'session'].some((role) => query.has(role));
};

function hasBeenDismissed(): boolean {
  try {
    return localStorage.getItem(stored) !== null;
  } catch {
    return false;
  }
}

export function dismissWelcome(): void {
  isDismissed.value = true;
  try {
    localStorage.setItem(stored, 'yes');
  } catch {
    // It then appears again at the next visit.
  }
}
