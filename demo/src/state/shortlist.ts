import { computed, effect, signal } from '@preact/signals';
import { identityOf } from '../results/provenance.ts';
import { result } from './edges.ts';

/** A pair that the user wants to return to. */
export interface Listed {
  readonly source: string;
  readonly target: string;
  readonly note: string;
}

/** Shortlists of all models and tables that have one, by identity. */
const lists = signal<Readonly<Record<string, readonly Listed[]>>>({});

const stored = 'shortlists';

/** Restores the shortlists of earlier visits, and saves changes for later ones. */
export function rememberShortlists(): void {
  try {
    lists.value = JSON.parse(localStorage.getItem(stored) ?? '{}') as typeof lists.value;
  } catch {
    // Storage may be forbidden, or hold something else.
  }
  effect(() => {
    const text = JSON.stringify(lists.value);
    try {
      localStorage.setItem(stored, text);
    } catch {
      // The list then lasts as long as the page.
    }
  });
}

const key = computed(() => result.value && identityOf(result.value.provenance));

/** The shortlist of the result shown. */
export const shortlist = computed<readonly Listed[]>(() =>
  key.value === null ? [] : (lists.value[key.value] ?? []),
);

const setList = (list: readonly Listed[]): void => {
  if (key.value === null) return;
  const others = Object.entries(lists.value).filter(([of]) => of !== key.value);
  lists.value = Object.fromEntries(list.length > 0 ? [...others, [key.value, list]] : others);
};

const isOf = (source: string, target: string) => (one: Listed) =>
  one.source === source && one.target === target;

export const listed = (source: string, target: string): Listed | undefined =>
  shortlist.value.find(isOf(source, target));

/** Adds a pair to the list, or removes it with its note. */
export function toggleListed(source: string, target: string): void {
  const is = isOf(source, target);
  setList(
    shortlist.value.some(is)
      ? shortlist.value.filter((one) => !is(one))
      : [...shortlist.value, { source, target, note: '' }],
  );
}

export function setNote(source: string, target: string, note: string): void {
  const is = isOf(source, target);
  setList(shortlist.value.map((one) => (is(one) ? { ...one, note } : one)));
}

/** Adds the pairs of another shortlist that are not here yet. */
export function takeShortlist(list: readonly Listed[]): void {
  const fresh = list.filter(({ source, target }) => !shortlist.value.some(isOf(source, target)));
  if (fresh.length > 0) setList([...shortlist.value, ...fresh]);
}
