import { MagnitudeEdgeError } from '../errors.ts';
import type { GsnnGraph } from '../model/graph.ts';
import type { Matrix, Samples } from './matrix.ts';

/** Which column of a table holds which node: positions in the table's own order of columns. */
export interface NodeColumns {
  /** One per input node */
  readonly x: readonly number[];
  /** One per output node */
  readonly y: readonly number[];
}

/**
 * Finds the column of each input and output node by its name; further columns are left alone.
 * @param name what messages call the table
 * @throws MagnitudeEdgeError `batch-mismatch` when a node has no column, `invalid-data` when one has several
 */
export function findNodeColumns(header: readonly string[], graph: GsnnGraph, name: string): NodeColumns {
  const positions = new Map<string, number>();
  const repeated = new Set<string>();
  header.forEach((column, position) => {
    if (positions.has(column)) repeated.add(column);
    else positions.set(column, position);
  });
  const { input, output } = graph.nodeNames;
  const missing = [
    ...input.filter((node) => !positions.has(node)).map((node) => `input node '${node}'`),
    ...output.filter((node) => !positions.has(node)).map((node) => `output node '${node}'`),
  ];
  if (missing.length > 0) {
    const shown =
      missing.slice(0, 5).join(', ') + (missing.length > 5 ? `, and ${missing.length - 5} more` : '');
    throw new MagnitudeEdgeError(
      'batch-mismatch',
      `${name} has no column for ${shown}: it has ${header.length} columns, and the model needs one for each of ${input.length} input and ${output.length} output nodes.`,
      { details: { source: name, missing: missing.length } },
    );
  }
  const ambiguous = [...input, ...output].find((node) => repeated.has(node));
  if (ambiguous !== undefined) {
    throw new MagnitudeEdgeError('invalid-data', `${name} has more than one column '${ambiguous}'.`, {
      details: { source: name, column: ambiguous },
    });
  }
  return {
    x: input.map((node) => positions.get(node)!),
    y: output.map((node) => positions.get(node)!),
  };
}

/** Gathers whole columns into the two row-major matrices. */
export function samplesFromColumns(
  columns: ReadonlyMap<number, ArrayLike<number>>,
  { x, y }: NodeColumns,
  rows: number,
): Samples {
  const gather = (positions: readonly number[]): Matrix => {
    const values = new Float32Array(rows * positions.length);
    positions.forEach((position, column) => {
      const source = columns.get(position)!;
      for (let row = 0; row < rows; row++) values[row * positions.length + column] = source[row]!;
    });
    return { rows, columns: positions.length, values };
  };
  return { x: gather(x), y: gather(y) };
}

/**
 * A column of a columnar file as plain numbers.
 * @param values typed array or list; 64-bit integers come as bigint
 * @param firstRow the row of the file that `values[0]` belongs to
 * @throws MagnitudeEdgeError `invalid-data` at the first entry that is not a number
 */
export function numericColumn(
  values: ArrayLike<unknown>,
  column: string,
  name: string,
  firstRow = 0,
): ArrayLike<number> {
  if (
    ArrayBuffer.isView(values) &&
    !(values instanceof BigInt64Array) &&
    !(values instanceof BigUint64Array)
  ) {
    return values as unknown as ArrayLike<number>;
  }
  const numbers = new Float64Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') {
      const found =
        value === null || value === undefined
          ? 'empty'
          : typeof value === 'string'
            ? `'${value.slice(0, 40)}'`
            : `of type ${typeof value}`;
      throw new MagnitudeEdgeError(
        'invalid-data',
        `${name}, column '${column}', row ${firstRow + row + 1} is ${found}, a number was expected.`,
        { details: { source: name, column, row: firstRow + row + 1 } },
      );
    }
    numbers[row] = Number(value);
  }
  return numbers;
}
