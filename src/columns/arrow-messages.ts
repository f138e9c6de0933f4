import { readNow, type ByteReading } from '../bytes/byte-reading.ts';
import type { CodecName } from './codecs.ts';
import { FlatTable } from './flatbuffer.ts';

/** A record batch, or the values of a dictionary, as described by its message. */
export interface ArrowBatch {
  readonly rows: number;
  /** Row and null counts of each field, depth first */
  readonly nodes: readonly (readonly number[])[];
  /** Offset in the body and length in bytes of each buffer */
  readonly buffers: readonly (readonly number[])[];
  /** Number of variadic buffers of each view column, in addition to its own two */
  readonly variadic: readonly (readonly number[])[];
  readonly codec: CodecName | undefined;
  /** Before Arrow 1.0, unions also had a validity buffer */
  readonly unionsHaveValidity: boolean;
  readonly body: Uint8Array;
}

/** Location of a message with record data, and what must be known before it is read. */
interface PlacedBatch {
  readonly rows: number;
  readonly codec: CodecName | undefined;
  /** Where the message begins and ends in the file */
  readonly start: number;
  readonly end: number;
}

/** A part of an Arrow file; parts are listed in the order in which they must be read. */
export type ArrowPart =
  | (PlacedBatch & { readonly is: 'batch' })
  | (PlacedBatch & {
      readonly is: 'dictionary';
      readonly id: number;
      /** Whether it extends an earlier dictionary */
      readonly delta: boolean;
    });

export interface ArrowMessages {
  readonly schema: FlatTable;
  /** Bytes of the metadata that contains the schema */
  readonly schemaBytes: number;
  readonly parts: readonly ArrowPart[];
}

const fileMagic = new TextEncoder().encode('ARROW1');
const continuation = 0xffffffff;

/** Bytes read before a message's length is known: one read covers the metadata of most messages. */
const METADATA_BYTES = 1 << 15;

export function isArrowFile(bytes: Uint8Array): boolean {
  return fileMagic.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads the messages of Arrow IPC, file or stream format, without their bodies. Each message is read once, at an offset
 * within the file.
 * @param size bytes of the file
 * @throws RangeError for damaged bytes, naming the damage
 */
export function* readMessages(size: number): ByteReading<ArrowMessages> {
  const beginning = yield [0, Math.min(fileMagic.length, size)];
  return yield* isArrowFile(beginning) ? readFile(size) : readStream(size);
}

/** Reads a record batch, or the values of a dictionary, with its body. */
export function* readPart({ start, end, is }: ArrowPart): ByteReading<ArrowBatch> {
  const bytes = yield [start, end];
  const message = readNow(readMessage(bytes.length, 0), bytes);
  const batch = is === 'batch' ? message.header : message.header?.table(1);
  if (batch === undefined) throw new RangeError('one of its messages is empty');
  return readBatch(batch, bytes.subarray(message.bodyStart, message.end), message.version);
}

/** Reads by the footer; its blocks must follow one another and end before it. */
function* readFile(size: number): ByteReading<ArrowMessages> {
  const end = size - fileMagic.length;
  if (end < fileMagic.length + 4) throw new RangeError('its end is missing');
  const ending = yield [end - 4, size];
  if (fileMagic.some((byte, index) => ending[4 + index] !== byte)) throw new RangeError('its end is missing');
  const length = new DataView(ending.buffer, ending.byteOffset).getInt32(0, true);
  const start = end - 4 - length;
  if (length <= 0 || start < fileMagic.length) throw new RangeError('its footer extends beyond the file');
  const footer = FlatTable.root(yield [start, end - 4]);
  const schema = footer.table(1);
  if (schema === undefined) throw new RangeError('its schema is missing');
  const parts: ArrowPart[] = [];
  for (const [field, is] of [
    [2, 'dictionary'],
    [3, 'batch'],
  ] as const) {
    let earliest = fileMagic.length;
    for (const [offset = 0, metadataLength = 0, bodyLength = 0] of footer.words(field, 3)) {
      const message = offset >= earliest ? yield* readMessage(size, offset) : undefined;
      // A block's metadata length has 32 bits, followed by padding.
      const part =
        message?.bodyStart === offset + (metadataLength % 2 ** 32) &&
        message.end === message.bodyStart + bodyLength &&
        message.end <= start
          ? partOf(message)
          : undefined;
      if (part?.is !== is) throw new RangeError('its footer does not match the rest of the file');
      parts.push(part);
      earliest = part.end;
    }
  }
  return { schema, schemaBytes: length, parts };
}

function* readStream(size: number): ByteReading<ArrowMessages> {
  const first = yield* readMessage(size, 0);
  if (first.type !== messageTypes.schema) throw new RangeError('its schema is missing');
  const parts: ArrowPart[] = [];
  for (let at = first.end; at + 4 <= size;) {
    const message = yield* readMessage(size, at);
    if (message.type === messageTypes.end) break;
    const part = partOf(message);
    if (part === undefined) throw new RangeError('it has a message that is not a record batch');
    parts.push(part);
    at = message.end;
  }
  return { schema: first.header!, schemaBytes: first.bodyStart, parts };
}

const messageTypes = { end: 0, schema: 1, dictionary: 2, batch: 3 } as const;

interface Message {
  /** V4 is 3, V5 is 4 */
  readonly version: number;
  readonly type: number;
  readonly header: FlatTable | undefined;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
}

/** The message at `start`, without its body. Before Arrow 0.15, no continuation marker preceded its length. */
function* readMessage(size: number, start: number): ByteReading<Message> {
  let bytes = yield [start, Math.min(start + METADATA_BYTES, size)];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const prefix = view.getUint32(0, true) === continuation ? 8 : 4;
  const length = view.getInt32(prefix - 4, true);
  const bodyStart = start + prefix + length;
  if (length === 0) {
    return { version: 0, type: messageTypes.end, header: undefined, start, bodyStart, end: bodyStart };
  }
  if (length < 0 || bodyStart > size)
    throw new RangeError('the metadata of a message extends beyond the file');
  if (prefix + length > bytes.length) bytes = yield [start, bodyStart];
  const message = FlatTable.root(bytes.subarray(prefix, prefix + length));
  const bodyLength = message.int64(3);
  if (!(bodyLength >= 0 && bodyStart + bodyLength <= size)) {
    throw new RangeError('the body of a message extends beyond the file');
  }
  const header = message.table(2);
  if (header === undefined) throw new RangeError('one of its messages is empty');
  const [version, type] = [message.int16(0), message.uint8(1)];
  return { version, type, header, start, bodyStart, end: bodyStart + bodyLength };
}

function partOf({ type, header, start, end }: Message): ArrowPart | undefined {
  const placed = (batch: FlatTable): PlacedBatch => ({
    rows: batch.int64(0),
    codec: codecOf(batch),
    start,
    end,
  });
  if (type === messageTypes.batch) return { is: 'batch', ...placed(header!) };
  if (type !== messageTypes.dictionary) return undefined;
  const values = header!.table(1);
  if (values === undefined) throw new RangeError('one of its dictionaries is empty');
  return { is: 'dictionary', id: header!.int64(0), delta: header!.uint8(2) !== 0, ...placed(values) };
}

function codecOf(batch: FlatTable): CodecName | undefined {
  const compression = batch.table(3);
  return compression && (compression.uint8(0) === 1 ? 'ZSTD' : 'LZ4_FRAME');
}

function readBatch(batch: FlatTable, body: Uint8Array, version: number): ArrowBatch {
  return {
    rows: batch.int64(0),
    nodes: batch.words(1, 2),
    buffers: batch.words(2, 2),
    variadic: batch.words(4, 1),
    codec: codecOf(batch),
    unionsHaveValidity: version < 4,
    body,
  };
}
