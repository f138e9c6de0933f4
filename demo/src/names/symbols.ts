import { signal } from '@preact/signals';

/** Symbols shown instead of node names, by name or by a part of it; null without a file of names. */
export const symbols = signal<ReadonlyMap<string, string> | null>(null);

const separators = /__|[_:|/\s]/;

/** The symbol of a node: by its whole name, else by the first part of it that has one. */
export function symbolOf(known: ReadonlyMap<string, string>, name: string): string | undefined {
  const whole = known.get(name);
  if (whole !== undefined) return whole;
  for (const part of name.split(separators)) {
    const symbol = known.get(part);
    if (symbol !== undefined) return symbol;
  }
  return undefined;
}
