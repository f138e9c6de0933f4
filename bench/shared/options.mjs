/** Command-line options of a part of the benchmark. */
import { parseArgs } from 'node:util';

/**
 * Reads `--name value` for each default: a number if the default is one, else text; `--name` alone if the default is
 * false.
 *
 * @template {Record<string, number | string | boolean>} T
 * @param {T} defaults
 * @returns {{ [K in keyof T]: T[K] extends number ? number : T[K] extends boolean ? boolean : string }}
 * @throws if an option is unknown, or a number was expected
 */
export function readOptions(defaults) {
  const entries = Object.entries(defaults);
  const { values } = parseArgs({
    options: Object.fromEntries(
      entries.map(([name, value]) => [
        name,
        typeof value === 'boolean'
          ? { type: /** @type {const} */ ('boolean'), default: value }
          : { type: /** @type {const} */ ('string'), default: String(value) },
      ]),
    ),
  });
  const read = entries.map(([name, value]) => {
    if (typeof value === 'boolean') return [name, values[name]];
    const text = String(values[name]);
    if (typeof value === 'string') return [name, text];
    if (!Number.isFinite(Number(text))) throw new Error(`--${name} takes a number, not '${text}'.`);
    return [name, Number(text)];
  });
  return Object.fromEntries(read);
}
