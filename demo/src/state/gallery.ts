import { signal } from '@preact/signals';
import { mayFetch } from './consent.ts';
import { addressOf, fromAddress } from './fetched.ts';
import { openedRoles } from './link.ts';

/** A collection of results, each behind a link to this page. */
export interface Gallery {
  readonly title: string;
  readonly entries: readonly { readonly title: string; readonly about: string; readonly link: string }[];
}

export const gallery = signal<Gallery | null>(null);

const format = 'magnitude-edge gallery 1';
const mostEntries = 200;

/**
 * Opens a list by its address: JSON with `format`, `title` and `entries`, each with `title`, `about`, the addresses of
 * its files by role, relative to the list, and `settings` as in a link. The files of an entry are fetched, with
 * consent, only when the entry is opened.
 *
 * @throws Error if it is not such a list
 */
export async function openGallery(address: string): Promise<void> {
  if (!(await mayFetch({ gallery: address }))) return;
  const { bytes, name, address: base = '' } = await fromAddress(address);
  gallery.value = readGallery(new TextDecoder().decode(bytes), name, base);
}

/** @param base what addresses in the list are relative to */
export function readGallery(text: string, name: string, base: string): Gallery {
  const wrong = (why: string) => new Error(`${name} is no gallery: ${why}.`);
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw wrong('it is no JSON');
  }
  const read = list as { format?: unknown; title?: unknown; entries?: unknown } | null;
  if (read?.format !== format) throw wrong(`its format is not "${format}"`);
  if (!Array.isArray(read.entries)) throw wrong('it has no entries');
  const entries = (read.entries as unknown[]).slice(0, mostEntries).map((one, k) => {
    const entry = (one ?? {}) as Record<string, unknown>;
    const query = new URLSearchParams(textOf(entry.settings));
    for (const role of openedRoles) {
      query.delete(role);
      const file = textOf(entry[role]);
      if (file) query.set(role, addressOf(new URL(file, base).href).href);
    }
    return {
      title: textOf(entry.title) || `Entry ${k + 1}`,
      about: textOf(entry.about),
      link: `?${query.toString()}`,
    };
  });
  return { title: textOf(read.title) || 'Gallery', entries };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
