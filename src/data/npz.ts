import type { ByteSource } from '../bytes/byte-source.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import type { Matrix } from './matrix.ts';
import {
  npyElements,
  npyHeader,
  npyHeaderBytes,
  npyMatrixShape,
  readNpyStrings,
  type NpyHeader,
  type NpyMatrixShape,
} from './npy.ts';
import { PieceReader } from './piece-reader.ts';
import { checkShapes, type OpenSamples, type Reading } from './reading.ts';
import { zipEntries, type ZipEntry } from './zip.ts';

/**
 * Opens a NumPy archive (`numpy.savez` or `numpy.savez_compressed`) with the arrays `x` `[samples, inputs]` and `y`
 * `[samples, outputs]`. Columns are matched by position, or by name if the archive has the arrays `x_names` or
 * `y_names`.
 *
 * @throws MagnitudeEdgeError `invalid-data`, `batch-mismatch` for sizes or names that the model does not have
 */
export async function openNpz(source: ByteSource, reading: Reading): Promise<OpenSamples> {
  const { graph, name } = reading;
  const entries = await zipEntries(source, name);
  const [x, y] = [await openArray('x', entries, name), await openArray('y', entries, name)];
  const { input, output } = graph.nodeNames;
  const order = {
    x: await columnOrder('x', x, input, entries, reading),
    y: await columnOrder('y', y, output, entries, reading),
  };
  checkShapes(
    {
      x: { rows: x.rows, columns: order.x?.length ?? x.columns },
      y: { rows: y.rows, columns: order.y?.length ?? y.columns },
    },
    reading,
  );
  return {
    rows: x.rows,
    async *blocks(first) {
      const bytes = Math.min(BLOCK_BYTES, reading.budget.remaining / 4);
      const step = Math.max(1, Math.floor(bytes / (bytesOfRow(x) + bytesOfRow(y))));
      const sides = [arrayBlocks(x, first, step, reading), arrayBlocks(y, first, step, reading)] as const;
      for (;;) {
        // Also at the end, where an array's CRC-32 is verified.
        const [xs, ys] = [await sides[0].next(), await sides[1].next()];
        if (xs.done === true || ys.done === true) return;
        yield { x: inOrder(xs.value, order.x), y: inOrder(ys.value, order.y) };
      }
    },
  };
}

/** Bytes of the arrays read at a time */
const BLOCK_BYTES = 1 << 23;

/** An array whose header has been read. */
interface OpenArray extends NpyMatrixShape {
  readonly label: 'x' | 'y';
  readonly entry: ZipEntry;
  readonly header: NpyHeader;
}

function bytesOfRow({ columns, width }: OpenArray): number {
  return Math.max(columns * width, 1);
}

/** Rows of an array from `first` on, `step` at a time. */
async function* arrayBlocks(
  array: OpenArray,
  first: number,
  step: number,
  { name, budget }: Reading,
): AsyncGenerator<Matrix, void, undefined> {
  const { label, entry, rows, columns, header } = array;
  const blockRows = Math.min(step, rows);
  // In the file's type, and as float32.
  const bytes = blockRows * (bytesOfRow(array) + 4 * columns);
  budget.copy().take(bytes, `${blockRows} rows of array ${label}`, name);
  if (!(header.fortranOrder && rows > 1 && columns > 1)) {
    yield* rowMajorBlocks(array, first, step);
  } else if (entry.stored && entry.size > budget.remaining / 4) {
    yield* columnMajorBlocks(array, first, step);
  } else {
    const whole = `array ${label} of ${rows} rows, which is stored column by column,`;
    budget.copy().take(entry.size + 4 * rows * columns, whole, name);
    const packed = await entry.read();
    const values = new Float32Array(rows * columns);
    for (let column = 0; column < columns; column++) readColumn(array, packed, column, rows, values);
    for (let start = first; start < rows; start += step) {
      const end = Math.min(start + step, rows);
      yield { rows: end - start, columns, values: values.subarray(start * columns, end * columns) };
    }
  }
}

async function* rowMajorBlocks(
  array: OpenArray,
  first: number,
  step: number,
): AsyncGenerator<Matrix, void, undefined> {
  const { entry, header, rows, columns } = array;
  const rowBytes = columns * array.width;
  // Reading from the first row on covers all bytes, so that their CRC-32 can be verified; later rows of a stored file
  // are read directly.
  const inOrder = first === 0 || !entry.stored ? new PieceReader(entry.pieces()) : undefined;
  await inOrder?.skip(header.dataOffset + first * rowBytes);
  for (let start = first; start < rows; start += step) {
    const count = Math.min(step, rows - start);
    const from = header.dataOffset + start * rowBytes;
    const bytes = await (inOrder?.take(count * rowBytes) ?? entry.range(from, from + count * rowBytes));
    const values = new Float32Array(count * columns);
    npyElements(bytes, header, values);
    yield { rows: count, columns, values };
  }
  await inOrder?.end();
}

/** For a stored file: a strip of each column at a time. The CRC-32 cannot be verified from strips. */
async function* columnMajorBlocks(
  array: OpenArray,
  first: number,
  step: number,
): AsyncGenerator<Matrix, void, undefined> {
  const { entry, header, rows, columns, width } = array;
  for (let start = first; start < rows; start += step) {
    const count = Math.min(step, rows - start);
    const values = new Float32Array(count * columns);
    for (let column = 0; column < columns; column++) {
      const from = header.dataOffset + (column * rows + start) * width;
      const strip = await entry.range(from, from + count * width);
      npyElements(strip, header, values, { at: column, stride: columns });
    }
    yield { rows: count, columns, values };
  }
}

function readColumn(
  { header, columns, width }: OpenArray,
  file: Uint8Array,
  column: number,
  rows: number,
  into: Float32Array,
): void {
  const from = header.dataOffset + column * rows * width;
  npyElements(file.subarray(from, from + rows * width), header, into, { at: column, stride: columns });
}

async function openArray(
  label: 'x' | 'y',
  entries: ReadonlyMap<string, ZipEntry>,
  name: string,
): Promise<OpenArray> {
  const entry = entries.get(`${label}.npy`);
  if (entry === undefined) {
    const found = [...entries.keys()].map((file) => file.replace(/\.npy$/, '')).join(', ') || 'no arrays';
    throw new MagnitudeEdgeError('invalid-data', `${name} has no array '${label}'; it holds ${found}.`, {
      details: { source: name, array: label },
    });
  }
  const array = `${name}, array ${label}`;
  const header = npyHeader(await entry.head(npyHeaderBytes), array);
  const shape = npyMatrixShape(header, array);
  const { fileBytes } = shape;
  if (fileBytes !== entry.size) {
    throw new MagnitudeEdgeError(
      'invalid-data',
      `${array}: its shape and dtype need a file of ${fileBytes} bytes, but the archive says ${entry.size}.`,
      { details: { source: name, array: label } },
    );
  }
  return { ...shape, label, entry, header };
}

/** Names up to this many bytes are not charged to the budget: 100,000 names of 250 letters. */
const mostNameBytes = 1e8;

/** The column of each of the model's nodes, if the archive names its columns; undefined otherwise. */
async function columnOrder(
  label: 'x' | 'y',
  { columns }: OpenArray,
  nodes: readonly string[],
  entries: ReadonlyMap<string, ZipEntry>,
  { name, budget }: Reading,
): Promise<number[] | undefined> {
  const entry = entries.get(`${label}_names.npy`);
  if (entry === undefined) return undefined;
  const array = `${name}, array ${label}_names`;
  const refuse = (why: string): never => {
    throw new MagnitudeEdgeError('batch-mismatch', `${array} ${why}.`, { details: { source: name } });
  };
  if (entry.size > mostNameBytes) budget.copy().take(entry.size, 'its names', array);
  const names = readNpyStrings(await entry.read(), array);
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
