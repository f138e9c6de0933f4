import { symbolOf, symbols } from './symbols.ts';

/** Names are shortened if the longest has more characters than this. */
const longest = 16;
const separator = /[_:.|/\-\s]/;

const made = new WeakMap<
  readonly string[],
  { readonly of: typeof symbols.value; readonly labels: readonly string[] }
>();

/**
 * Labels of nodes in views: names without their common prefix, if names are long. `FUNC__ENSG01_A` and `FUNC__ENSG02_B`
 * become `ENSG01_A` and `ENSG02_B`. Different names stay different; files and links keep the full names. A file of
 * names replaces labels by symbols.
 */
export function labelsOf(names: readonly string[]): readonly string[] {
  const known = symbols.value;
  const before = made.get(names);
  if (before?.of === known) return before.labels;
  const length = sharedLength(names);
  const short = length === 0 ? names : names.map((name) => name.slice(length));
  const labels = known ? short.map((label, node) => symbolOf(known, names[node]!) ?? label) : short;
  made.set(names, { of: known, labels });
  return labels;
}

/** Length of the prefix that all names share, up to a separator. */
function sharedLength(names: readonly string[]): number {
  const [first = ''] = names;
  if (names.length < 2 || !names.some((name) => name.length > longest)) return 0;
  let shared = first.length;
  for (const name of names) {
    let same = 0;
    while (same < shared && name[same] === first[same]) same++;
    shared = same;
  }
  // No name may become empty.
  const least = names.reduce((shortest, { length }) => Math.min(shortest, length), Infinity);
  shared = Math.min(shared, least - 1);
  while (shared > 0 && !separator.test(first[shared - 1]!)) shared--;
  return shared;
}

/** Most characters of an end that is kept. */
const longestEnd = 14;

/**
 * A label as a start, which may be truncated, and an end, which stays: the last separator and what follows it, or half
 * of a label without one.
 */
export function halvesOf(label: string): readonly [start: string, end: string] {
  let at = label.length - 1;
  while (at > 0 && !separator.test(label[at]!)) at--;
  const isShort = label.length <= longest / 2;
  if (isShort) return [label, ''];
  const end = at > 0 ? label.length - at : Math.floor(label.length / 2);
  const cut = label.length - Math.min(end, longestEnd);
  return [label.slice(0, cut), label.slice(cut)];
}

/**
 * The longest form of a label that fits: whole, else with its middle elided.
 * @param fits whether a text fits
 */
export function fittingLabel(label: string, fits: (text: string) => boolean): string {
  if (fits(label)) return label;
  const [start, end] = halvesOf(label);
  for (let kept = start.length - 1; kept > 0; kept--) {
    const text = `${start.slice(0, kept)}…${end}`;
    if (fits(text)) return text;
  }
  for (let kept = end.length - 1; kept > 0; kept--) {
    const text = `…${end.slice(-kept)}`;
    if (fits(text)) return text;
  }
  return '…';
}
