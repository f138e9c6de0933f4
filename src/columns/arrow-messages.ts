import type { CodecName } from './codecs.ts';
import { FlatTable } from './flatbuffer.ts';

/** A record batch, or the values of a dictionary, as its message describes it. */
export interface ArrowBatch {
  readonly rows: number;
  /** Rows and nulls of each field, depth first */
  readonly nodes: readonly (readonly number[])[];
  /** Where each buffer lies in the body, and its bytes */
  readonly buffers: readonly (readonly number[])[];
  /** How many buffers each column of views has beside its own two */
  readonly variadic: readonly (readonly number[])[];
  readonly codec: CodecName | undefined;
  /** Before Arrow 1.0 unions had a buffer of validity as well */
  readonly unionsHaveValidity: boolean;
  readonly body: Uint8Array;
}

/** What an Arrow file holds, in the order in which it is to be read. */
export type ArrowPart =
  | { readonly is: 'batch'; readonly batch: ArrowBatch }
  | {
      readonly is: 'dictionary';
      readonly id: number;
      /** Whether it goes on from an earlier one */
      readonly delta: boolean;
      readonly batch: ArrowBatch;
    };

export interface ArrowMessages {
  readonly schema: FlatTable;
  /** Bytes of the metadata that the schema is part of */
  readonly schemaBytes: number;
  readonly parts: readonly ArrowPart[];
}

const fileMagic = new TextEncoder().encode('ARROW1');
const continuation = 0xffffffff;

export function isArrowFile(bytes: Uint8Array): boolean {
  return fileMagic.every((byte, index) => bytes[index] === byte);
}

/**
 * The messages of Arrow IPC, file or stream format. Each is looked for once, at a place within the bytes.
 * @throws RangeError for damaged bytes, saying how
 */
export function readMessages(bytes: Uint8Array): ArrowMessages {
  return isArrowFile(bytes) ? readFile(bytes) : readStream(bytes);
}

/** By the footer: its blocks lie one after the other, before it. */
function readFile(bytes: Uint8Array): ArrowMessages {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - fileMagic.length;
  if (end < 4 || fileMagic.some((byte, index) => bytes[end + index] !== byte)) {
    throw new RangeError('its end is missing');
  }
  const length = view.getInt32(end - 4, true);
  const start = end - 4 - length;
  if (length <= 0 || start < fileMagic.length) throw new RangeError('its footer is not in the file');
  const footer = FlatTable.root(bytes.subarray(start, end - 4));
  const schema = footer.table(1);
  if (schema === undefined) throw new RangeError('its schema is missing');
  const parts: ArrowPart[] = [];
  for (const [field, is] of [
    [2, 'dictionary'],
    [3, 'batch'],
  ] as const) {
    let earliest = fileMagic.length;
    for (const [offset = 0, metadataLength = 0, bodyLength = 0] of footer.words(field, 3)) {
      const message = readMessage(bytes, offset);
      // The block's metadata length is 32 bits, and padding.
      const agrees =
        offset >= earliest &&
        message.bodyStart - offset === metadataLength % 2 ** 32 &&
        message.end === message.bodyStart + bodyLength &&
        message.end <= start;
      const part = agrees ? partOf(message) : undefined;
      if (part?.is !== is) throw new RangeError('its footer does not agree with what is in the file');
      parts.push(part);
      earliest = message.end;
    }
  }
  return { schema, schemaBytes: length, parts };
}

function readStream(bytes: Uint8Array): ArrowMessages {
  const first = readMessage(bytes, 0);
  if (first.type !== messageTypes.schema) throw new RangeError('its schema is missing');
  const parts: ArrowPart[] = [];
  for (let at = first.end; at + 4 <= bytes.length;) {
    const message = readMessage(bytes, at);
    if (message.type === messageTypes.end) break;
    const part = partOf(message);
    if (part === undefined) throw new RangeError('it has a message that is no record batch');
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
  readonly bodyStart: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

/** The message at a place; before Arrow 0.15 no continuation marker preceded its length. */
function readMessage(bytes: Uint8Array, offset: number): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const marked = view.getUint32(offset, true) === continuation;
  const start = offset + (marked ? 8 : 4);
  const length = view.getInt32(start - 4, true);
  const nothing = {
    version: 0,
    type: messageTypes.end,
    header: undefined,
    bodyStart: start,
    end: start,
    bytes,
  };
  if (length === 0) return nothing;
  const bodyStart = start + length;
  if (length < 0 || bodyStart > bytes.length)
    throw new RangeError('the metadata of a message ends after the file');
  const message = FlatTable.root(bytes.subarray(start, bodyStart));
  const bodyLength = message.int64(3);
  if (!(bodyLength >= 0 && bodyStart + bodyLength <= bytes.length)) {
    throw new RangeError('the body of a message ends after the file');
  }
  const header = message.table(2);
  if (header === undefined) throw new RangeError('a message of it is empty');
  return {
    version: message.int16(0),
    type: message.uint8(1),
    header,
    bodyStart,
    end: bodyStart + bodyLength,
    bytes,
  };
}

function partOf({ version, type, header, bodyStart, end, bytes }: Message): ArrowPart | undefined {
  const body = bytes.subarray(bodyStart, end);
  if (type === messageTypes.batch) return { is: 'batch', batch: readBatch(header!, body, version) };
  if (type !== messageTypes.dictionary) return undefined;
  const values = header!.table(1);
  if (values === undefined) throw new RangeError('a dictionary of it is empty');
  return {
    is: 'dictionary',
    id: header!.int64(0),
    delta: header!.uint8(2) !== 0,
    batch: readBatch(values, body, version),
  };
}

function readBatch(batch: FlatTable, body: Uint8Array, version: number): ArrowBatch {
  const compression = batch.table(3);
  return {
    rows: batch.int64(0),
    nodes: batch.words(1, 2),
    buffers: batch.words(2, 2),
    variadic: batch.words(4, 1),
    codec: compression && (compression.uint8(0) === 1 ? 'ZSTD' : 'LZ4_FRAME'),
    unionsHaveValidity: version < 4,
    body,
  };
}
