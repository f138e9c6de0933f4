import { signal } from '@preact/signals';

/** The last thing copied, for a moment, so that its button can say so. */
export const copied = signal<string | null>(null);

/** Copies text to the clipboard. False if that is forbidden. */
export async function copy(what: string, text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return false;
  }
  copied.value = what;
  setTimeout(() => {
    if (copied.value === what) copied.value = null;
  }, 2000);
  return true;
}
