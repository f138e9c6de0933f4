import { signal } from '@preact/signals';
import { refuse } from './alerts.ts';

/** The last attempt to copy, for a moment, so that its button can say how it ended. */
export const lastCopy = signal<{ readonly what: string; readonly worked: boolean } | null>(null);

/** Copies text to the clipboard. If that is forbidden, the page says so: no caller has to. */
export async function copy(what: string, text: string): Promise<void> {
  const worked = await write(text);
  if (!worked)
    refuse(new Error('Nothing was copied: the browser does not let this page write to the clipboard.'));
  const attempt = { what, worked };
  lastCopy.value = attempt;
  setTimeout(() => {
    if (lastCopy.value === attempt) lastCopy.value = null;
  }, 2000);
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
