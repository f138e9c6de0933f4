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

/** The bytes of a frame, the parts as they are. */
export function encodeFrame({ header, parts }: OutgoingFrame): Uint8Array[] {
  const pieces = parts.map((part) => (part instanceof Uint8Array ? [part] : part));
  const lengths = pieces.map((part) => part.reduce((bytes, { byteLength }) => bytes + byteLength, 0));
  const json = new TextEncoder().encode(JSON.stringify({ ...header, parts: lengths }));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, json.length, true);
  return [length, json, ...pieces.flat()];
}

/** Takes frames from bytes as they come, each part in a place of its own from the start: nothing is copied. */
export class FrameParser {
  #wanted = new Uint8Array(4);
  #filled = 0;
  #header: Frame['header'] | undefined;
  #lengths: number[] = [];
  #parts: Uint8Array[] = [];
  #step: () => Frame | undefined = this.#takeLength;

  /** Where the next bytes go; of one byte at least. */
  get place(): Uint8Array {
    return this.#wanted.subarray(this.#filled);
  }

  /**
   * @param bytes that were written to {@link place}
   * @returns the frame that ends with them
   * @throws MagnitudeEdgeError `invalid-data` for what is no frame
   */
  advance(bytes: number): Frame | undefined {
    this.#filled += bytes;
    let frame: Frame | undefined;
    // Nothing may be wanted, of a part without a byte.
    while (this.#filled === this.#wanted.length) frame = this.#step() ?? frame;
    return frame;
  }

  /** @throws MagnitudeEdgeError `invalid-data` for bytes that end within a frame */
  end(): void {
    if (this.#step !== this.#takeLength || this.#filled > 0) throw noFrame('the stream ended within it');
  }

  #takeLength(): undefined {
    const size = new DataView(this.#wanted.buffer).getUint32(0, true);
    if (size > LONGEST_HEADER) throw noFrame(`it announces a header of ${size} bytes`);
    this.#want(size, this.#takeHeader);
  }

  #takeHeader(): Frame | undefined {
    this.#header = parseHeader(this.#wanted);
    this.#lengths = lengths(this.#header);
    this.#parts = [];
    return this.#wantNextPart();
  }

  #takePart(): Frame | undefined {
    this.#parts.push(this.#wanted);
    return this.#wantNextPart();
  }

  #wantNextPart(): Frame | undefined {
    const length = this.#lengths[this.#parts.length];
    if (length !== undefined) {
      this.#want(length, this.#takePart);
      return undefined;
    }
    this.#want(4, this.#takeLength);
    return { header: this.#header!, parts: this.#parts };
  }

  #want(bytes: number, step: () => Frame | undefined): void {
    this.#wanted = new Uint8Array(bytes);
    this.#filled = 0;
    this.#step = step;
  }
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
