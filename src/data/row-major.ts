import { MagnitudeEdgeError, type ErrorDetails } from '../errors.ts';

/** A matrix from the caller: row-major in one typed array, or a list of rows. */
export type RowMajorValues = Float32Array | readonly ArrayLike<number>[];

/**
 * The values as one float32 array, row-major `[rows, columns]`; not copied if they are one already.
 * @param what the values' name in error messages, such as 'batch 3, x'
 * @param details of the error
 * @throws MagnitudeEdgeError `batch-mismatch` when the sizes disagree
 */
export function toRowMajor(
  values: RowMajorValues,
  rows: number,
  columns: number,
  what: string,
  details: ErrorDetails = {},
): Float32Array {
  const refuse = (why: string): never => {
    throw new MagnitudeEdgeError('batch-mismatch', `${what[0]!.toUpperCase()}${what.slice(1)} ${why}.`, {
      details,
    });
  };
  if (ArrayBuffer.isView(values)) {
    if (values.length !== rows * columns) {
      refuse(
        `holds ${values.length} values, but ${rows} samples of ${columns} columns, as the model takes them, are ${rows * columns}`,
      );
    }
    return values instanceof Float32Array ? values : Float32Array.from(values as Float64Array);
  }
  if (!Array.isArray(values)) return refuse('is neither a typed array nor a list of rows');
  if (values.length !== rows) refuse(`holds ${values.length} samples, but ${rows} were expected`);
  const flat = new Float32Array(rows * columns);
  values.forEach((row: ArrayLike<number>, index) => {
    if (row.length !== columns) {
      refuse(`row ${index} holds ${row.length} values, but the model takes ${columns}`);
    }
    // Typed arrays hold nothing but numbers; null in a list would become 0.
    const other = Array.isArray(row) ? row.findIndex((value) => typeof value !== 'number') : -1;
    if (other >= 0) {
      refuse(
        `row ${index} holds ${String(row[other])} at ${other}, a number was expected (NaN where it is missing)`,
      );
    }
    flat.set(row, index * columns);
  });
  return flat;
}
