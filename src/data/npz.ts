import { MagnitudeEdgeError } from '../errors.ts';
import type { Matrix, Samples } from './matrix.ts';
import { npyHeader, npyHeaderBytes, npyMatrixShape, readNpy, readNpyStrings } from './npy.ts';
import { checkShapes, type Reading } from './reading.ts';
import { zipEntries, type ZipEntry } from './zip.ts';

/**
 * Reads the arrays `x` `[samples, inputs]` and `y` `[samples, outputs]` of a NumPy archive (`numpy.savez` or
 * `numpy.savez_compressed`). Columns go by position, or by name where the archive has the arrays `x_names` or `y_names`.
 * Shapes are compared with the model and the budget before anything is unpacked.
 *
 * @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` for sizes or names that the model does not have,
 * `out-of-memory` for arrays beyond the budget
 */
export function readNpz(bytes: Uint8Array, reading: Reading): Samples {
  const { graph, name, budget } = reading;
  const entries = zipEntries(bytes, name);
  const [x, y] = [openArray('x', entries, name), openArray('y', entries, name)];
  const { input, output } = graph.nodeNames;
  const order = {
    x: columnOrder('x', x, input, entries, reading),
    y: columnOrder('y', y, output, entries, reading),
  };
  checkShapes(
    {
      x: { rows: x.rows, columns: order.x?.length ?? x.columns },
      y: { rows: y.rows, columns: order.y?.length ?? y.columns },
    },
    reading,
  );
  for (const { label, entry, rows, columns } of [x, y]) {
    // The file unpacked, and the float32 matrix.
    budget.take(
      entry.size + 4 * rows * columns,
      `array ${label} of ${rows} rows and ${columns} columns`,
      name,
    );
  }
  const read = ({ label, entry }: OpenArray, positions: readonly number[] | undefined): Matrix =>
    inOrder(readNpy(entry.read(), `${name}, array ${label}`), positions);
  return { x: read(x, order.x), y: read(y, order.y) };
}

/** An array whose header has been read. */
interface OpenArray {
  readonly label: 'x' | 'y';
  readonly entry: ZipEntry;
  readonly rows: number;
  readonly columns: number;
}

function openArray(label: 'x' | 'y', entries: ReadonlyMap<string, ZipEntry>, name: string): OpenArray {
  const entry = entries.get(`${label}.npy`);
  if (entry === undefined) {
    const found = [...entries.keys()].map((file) => file.replace(/\.npy$/, '')).join(', ') || 'no arrays';
    throw new MagnitudeEdgeError('invalid-data', `${name} has no array '${label}'; it holds ${found}.`, {
      details: { source: name, array: label },
    });
  }
  const array = `${name}, array ${label}`;
  const { rows, columns, fileBytes } = npyMatrixShape(npyHeader(entry.head(npyHeaderBytes), array), array);
  if (fileBytes !== entry.size) {
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${array}: its shape and dtype make a file of ${fileBytes} bytes, but the archive says ${entry.size}.`,
      { details: { source: name, array: label } },
    );
  }
  return { label, entry, rows, columns };
}

/** Bytes that an array of names may have: those of 100,000 names of 250 letters. */
const mostNameBytes = 1e8;

/** The position of each of the model's nodes, where the archive names its columns. */
function columnOrder(
  label: 'x' | 'y',
  { columns }: OpenArray,
  nodes: readonly string[],
  entries: ReadonlyMap<string, ZipEntry>,
  { name, budget }: Reading,
): number[] | undefined {
  const entry = entries.get(`${label}_names.npy`);
  if (entry === undefined) return undefined;
  const array = `${name}, array ${label}_names`;
  const refuse = (why: string): never => {
    throw new MagnitudeEdgeError('batch-mismatch', `${array} ${why}.`, { details: { source: name } });
  };
  if (entry.size > mostNameBytes) budget.take(entry.size, 'its names', array);
  const names = readNpyStrings(entry.read(), array);
  if (names.length !== columns) refuse(`holds ${names.length} names, but ${label} has ${columns} columns`);
  const positions = new Map(names.map((column, position) => [column, position]));
  if (positions.size < names.length) {
    refuse(`holds '${names.find((column, position) => positions.get(column) !== position)!}' more than once`);
  }
  const missing = nodes.filter((node) => !positions.has(node));
  if (missing.length > 0) {
    const known = new Set(nodes);
    const unknown = names.filter((column) => !known.has(column));
    const others = unknown.length === 0 ? '' : `; it has ${some(unknown)}, which the model does not know`;
    refuse(`lacks ${some(missing)}${others}`);
  }
  return nodes.map((node) => positions.get(node)!);
}

/** Some of a list of names, and how many more. */
function some(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((one) => `'${one}'`);
  return shown.join(', ') + (names.length > shown.length ? ` and ${names.length - shown.length} more` : '');
}

function inOrder({ rows, columns, values }: Matrix, positions: readonly number[] | undefined): Matrix {
  if (positions === undefined) return { rows, columns, values };
  if (positions.length === columns && positions.every((position, column) => position === column)) {
    return { rows, columns, values };
  }
  const chosen = new Float32Array(rows * positions.length);
  for (let row = 0, at = 0; row < rows; row++) {
    for (const position of positions) chosen[at++] = values[row * columns + position]!;
  }
  return { rows, columns: positions.length, values: chosen };
}
