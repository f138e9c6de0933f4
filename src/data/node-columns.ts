import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';

/** The column of each node, as positions in the table's own column order. */
export interface NodeColumns {
  /** One per input node */
  readonly x: readonly number[];
  /** One per output node */
  readonly y: readonly number[];
}

/**
 * Finds the column of each input and output node: by its name, or by `x:name` for an input and `y:name` for an output.
 * A node that is both needs the prefixed columns, since one column cannot be both. Other columns are ignored.
 *
 * @param name the table's name in error messages
 * @throws MagnitudeEdgeError `batch-mismatch` when a node has no column of its own, `invalid-data` when one has several
 */
export function findNodeColumns(header: readonly string[], graph: GsnnGraph, name: string): NodeColumns {
  const { input, output } = graph.nodeNames;
  const positions = new Map<string, number[]>();
  header.forEach((column, position) => {
    const same = positions.get(column);
    if (same) same.push(position);
    else positions.set(column, [position]);
  });
  const outputs = new Set(output);
  const shared = new Set(input.filter((node) => outputs.has(node)));
  const columnsOf = (node: string, prefix: 'x' | 'y'): readonly number[] => {
    const prefixed = positions.get(`${prefix}:${node}`) ?? [];
    return shared.has(node) ? prefixed : [...(positions.get(node) ?? []), ...prefixed];
  };
  checkShared([...shared], positions, columnsOf, name);
  const missing = [
    ...input.filter((node) => columnsOf(node, 'x').length === 0).map((node) => `input node '${node}'`),
    ...output.filter((node) => columnsOf(node, 'y').length === 0).map((node) => `output node '${node}'`),
  ];
  if (missing.length > 0) {
    throw new MagnitudeEdgeError(
      'batch-mismatch',
      `${name} has no column for ${listed(missing)}: it has ${header.length} columns, but the model needs one for each of ${input.length} input and ${output.length} output nodes.`,
      { details: { source: name, missing: missing.length } },
    );
  }
  const only = (node: string, prefix: 'x' | 'y'): number => {
    const [position, second] = columnsOf(node, prefix);
    if (second === undefined) return position!;
    const found = [...new Set([header[position!]!, header[second]!])].map((column) => `'${column}'`);
    const which =
      found.length === 1
        ? `more than one column ${found[0]!}`
        : `two columns for '${node}', ${found.join(' and ')}`;
    throw new MagnitudeEdgeError('invalid-data', `${name} has ${which}.`, {
      details: { source: name, column: node },
    });
  };
  return { x: input.map((node) => only(node, 'x')), y: output.map((node) => only(node, 'y')) };
}

/** Refuses a table that has one column for a node that is both input and output. */
function checkShared(
  shared: readonly string[],
  positions: ReadonlyMap<string, unknown>,
  columnsOf: (node: string, prefix: 'x' | 'y') => readonly number[],
  name: string,
): void {
  const ambiguous = shared.filter(
    (node) => positions.has(node) && (columnsOf(node, 'x').length === 0 || columnsOf(node, 'y').length === 0),
  );
  if (ambiguous.length === 0) return;
  const node = ambiguous[0]!;
  throw new MagnitudeEdgeError(
    'batch-mismatch',
    `${name}: ${listed(ambiguous.map((one) => `'${one}'`))} of the model ${ambiguous.length === 1 ? 'is an input node and an output node' : 'are input nodes and output nodes'}, ` +
      `and one column cannot be both: name the columns 'x:${node}' for the input and 'y:${node}' for the target, or give .npz, whose columns go by position.`,
    { details: { source: name, shared: ambiguous.length } },
  );
}

/** The first items of a list, and how many more there are. */
function listed(items: readonly string[]): string {
  const shown = items.slice(0, 5);
  return shown.join(', ') + (items.length > shown.length ? `, and ${items.length - shown.length} more` : '');
}
