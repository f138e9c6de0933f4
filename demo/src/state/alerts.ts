import { signal } from '@preact/signals';

export interface Alert {
  readonly id: number;
  readonly code: string;
  readonly message: string;
}

/** Refusals on show, newest first. They stay until dismissed, or until what they were about has succeeded. */
export const alerts = signal<readonly Alert[]>([]);
let next = 0;

/** Shows a refusal as one sentence. The same sentence is not shown twice. */
export function refuse(error: unknown): void {
  // An answer about a table that is not on show any more is missed by nobody.
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
