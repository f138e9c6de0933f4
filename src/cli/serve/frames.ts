import { MagnitudeEdgeError } from '../../errors.ts';

/**
 * One message of the pipe between a host program and `magnitude-edge serve`: a 4-byte length (little endian), as many
 * bytes of JSON (an object), then the binary parts one after the other, whose lengths stand in the JSON under `parts`.
 */
export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly parts: readonly Uint8Array[];
}

/** A frame on its way out, whose parts may be in pieces that are sent one after the other. */
export interface OutgoingFrame {
  readonly header: Frame['header'];
  readonly parts: readonly (Uint8Array | readonly Uint8Array[])[];
}

/** Far above any request; what is longer is no header. */
const LONGEST_HEADER = 2 ** 26;

/**
 * The frames of a stream, each with bytes of its own.
 * @throws MagnitudeEdgeError `invalid-data` for what is no frame, and for a stream that ends within one
 */
export async function* readFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Frame, void, undefined> {
  const bytes = new ByteReader(stream);
  for (;;) {
    const length = await bytes.read(4, true);
    if (length === undefined) return;
    const size = new DataView(length.buffer).getUint32(0, true);
    if (size > LONGEST_HEADER) throw noFrame(`it announces a header of ${size} bytes`);
    const header = parseHeader((await bytes.read(size))!);
    const parts: Uint8Array[] = [];
    for (const part of lengths(header)) parts.push((await bytes.read(part))!);
    yield { header, parts };
  }
}

/** The bytes of a frame, the parts as they are. */
export function encodeFrame({ header, parts }: OutgoingFrame): Uint8Array[] {
  const pieces = parts.map((part) => (part instanceof Uint8Array ? [part] : part));
  const lengths = pieces.map((part) => part.reduce((bytes, { byteLength }) => bytes + byteLength, 0));
  const json = new TextEncoder().encode(JSON.stringify({ ...header, parts: lengths }));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, json.length, true);
  return [length, json, ...pieces.flat()];
}

function parseHeader(json: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(json));
  } catch {
    throw noFrame('its header is no JSON');
  }
  if (typeof header !== 'object' || header === null) throw noFrame('its header is no object');
  return header as Record<string, unknown>;
}

function lengths({ parts = [] }: Record<string, unknown>): number[] {
  if (Array.isArray(parts) && parts.every((part) => Number.isSafeInteger(part) && part >= 0))
    return parts as number[];
  throw noFrame('its parts are no list of lengths');
}

function noFrame(why: string): MagnitudeEdgeError {
  return new MagnitudeEdgeError('invalid-data', `What came through the pipe is no frame: ${why}.`);
}

/** Takes chunks of any size, gives pieces of the sizes asked for. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** @returns undefined where the stream ends before the first byte and `mayEnd` */
  async read(size: number, mayEnd = false): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const wanted = new Uint8Array(size);
    let filled = 0;
    for (;;) {
      const taken = this.#rest.subarray(0, size - filled);
      wanted.set(taken, filled);
      filled += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
      if (filled === size) return wanted;
      const next = await this.#chunks.next();
      if (next.done === true) {
        if (mayEnd && filled === 0) return undefined;
        throw noFrame('the stream ended within it');
      }
      this.#rest = next.value;
    }
  }
}
