import { signal } from '@preact/signals';

export interface Alert {
  readonly id: number;
  readonly code: string;
  readonly message: string;
}

/**
 * Error messages shown, newest first, at most three. They stay until dismissed, or until the next run or resampling.
 */
export const alerts = signal<readonly Alert[]>([]);
let next = 0;

/** Shows an error as one sentence. The same sentence is not shown twice. */
export function refuse(error: unknown): void {
  // An answer about a table that is no longer shown is not missed.
  if (error instanceof Error && 'code' in error && error.code === 'superseded') return;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  alerts.value = [
    { id: next++, code, message },
    ...alerts.value.filter((alert) => alert.message !== message),
  ].slice(0, 3);
}

export function dismiss(id: number): void {
  alerts.value = alerts.value.filter((alert) => alert.id !== id);
}

export function dismissAll(): void {
  alerts.value = [];
}
