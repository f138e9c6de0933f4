import { MagnitudeEdgeError } from '../../errors.ts';

/**
 * One message on the pipe between a host program and `magnitude-edge serve`: a 4-byte length (little endian), that many
 * bytes of JSON (an object), then the binary parts one after the other, whose lengths the JSON lists under `parts`.
 */
export interface Frame {
  readonly header: Readonly<Record<string, unknown>>;
  readonly parts: readonly Uint8Array[];
}

/** An outgoing frame. A part may consist of pieces that are sent one after the other. */
export interface OutgoingFrame {
  readonly header: Frame['header'];
  readonly parts: readonly (Uint8Array | readonly Uint8Array[])[];
}

/** Far longer than any request; anything longer is not a header. */
const LONGEST_HEADER = 2 ** 26;

/** The bytes of a frame; parts are not copied. */
export function encodeFrame({ header, parts }: OutgoingFrame): Uint8Array[] {
  const pieces = parts.map((part) => (part instanceof Uint8Array ? [part] : part));
  const lengths = pieces.map((part) => part.reduce((bytes, { byteLength }) => bytes + byteLength, 0));
  const json = new TextEncoder().encode(JSON.stringify({ ...header, parts: lengths }));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, json.length, true);
  return [length, json, ...pieces.flat()];
}

/** Parses frames from a stream of bytes. Each part is read directly into a buffer of its own: nothing is copied. */
export class FrameParser {
  #buffer = new Uint8Array(4);
  #filled = 0;
  #header: Frame['header'] | undefined;
  #lengths: number[] = [];
  #parts: Uint8Array[] = [];
  #step: () => Frame | undefined = this.#takeLength;

  /** Where to write the next bytes; at least one byte long. */
  get place(): Uint8Array {
    return this.#buffer.subarray(this.#filled);
  }

  /**
   * @param bytes number of bytes written to {@link place}
   * @returns the frame that they complete
   * @throws MagnitudeEdgeError `invalid-data` for bytes that are not a frame
   */
  advance(bytes: number): Frame | undefined {
    this.#filled += bytes;
    let frame: Frame | undefined;
    // An empty part needs no bytes.
    while (this.#filled === this.#buffer.length) frame = this.#step() ?? frame;
    return frame;
  }

  /** @throws MagnitudeEdgeError `invalid-data` if the bytes end within a frame */
  end(): void {
    if (this.#step !== this.#takeLength || this.#filled > 0) throw noFrame('the stream ended within it');
  }

  #takeLength(): undefined {
    const size = new DataView(this.#buffer.buffer).getUint32(0, true);
    if (size > LONGEST_HEADER) throw noFrame(`it announces a header of ${size} bytes`);
    this.#expect(size, this.#takeHeader);
  }

  #takeHeader(): Frame | undefined {
    this.#header = parseHeader(this.#buffer);
    this.#lengths = lengths(this.#header);
    this.#parts = [];
    return this.#expectNextPart();
  }

  #takePart(): Frame | undefined {
    this.#parts.push(this.#buffer);
    return this.#expectNextPart();
  }

  #expectNextPart(): Frame | undefined {
    const length = this.#lengths[this.#parts.length];
    if (length !== undefined) {
      this.#expect(length, this.#takePart);
      return undefined;
    }
    this.#expect(4, this.#takeLength);
    return { header: this.#header!, parts: this.#parts };
  }

  #expect(bytes: number, step: () => Frame | undefined): void {
    this.#buffer = new Uint8Array(bytes);
    this.#filled = 0;
    this.#step = step;
  }
}

function parseHeader(json: Uint8Array): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(json));
  } catch {
    throw noFrame('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null) throw noFrame('its header is not an object');
  return header as Record<string, unknown>;
}

function lengths({ parts = [] }: Record<string, unknown>): number[] {
  if (Array.isArray(parts) && parts.every((part) => Number.isSafeInteger(part) && part >= 0))
    return parts as number[];
  throw noFrame('its parts are not a list of lengths');
}

function noFrame(why: string): MagnitudeEdgeError {
  return new MagnitudeEdgeError(
    'invalid-data',
    `The bytes that came through the pipe are not a frame: ${why}.`,
  );
}
