import { signal } from '@preact/signals';
import { addressOf, isOfThisSite } from './fetched.ts';

/** A pending question: whether files from other sites may be fetched. */
export interface Question {
  readonly files: readonly { readonly role: string; readonly url: URL }[];
  answer(allowed: boolean): void;
}

export const question = signal<Question | null>(null);

/**
 * Asks before anything is fetched from another site: otherwise a link made by someone else would tell that site who
 * opens it, and load whatever it likes. Files of this site need no consent.
 */
export async function mayFetch(addresses: Readonly<Record<string, string>>): Promise<boolean> {
  const files = Object.entries(addresses)
    .map(([role, text]) => ({ role, url: addressOf(text) }))
    .filter(({ url }) => !isOfThisSite(url));
  if (files.length === 0) return true;
  const allowed = await new Promise<boolean>((resolve) => {
    question.value = { files, answer: resolve };
  });
  question.value = null;
  return allowed;
}
