import { Inflate, inflateSync } from 'fflate';
import { MagnitudeEdgeError } from '../errors.ts';
import { crc32 } from '../csv/gunzip.ts';

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;

/** The end record is 22 bytes and a comment of at most 65,535. */
const farthestEnd = 22 + 0xffff;
/** Deflate makes at most 1032 bytes of one. */
const mostExpansion = 1032;

/** A file of an archive; nothing of it is unpacked before it is asked for. */
export class ZipEntry {
  readonly name: string;
  /** Bytes when unpacked, as the archive claims */
  readonly size: number;
  readonly #packed: Uint8Array;
  readonly #deflated: boolean;
  readonly #crc: number;
  readonly #refuse: (why: string, cause?: unknown) => never;

  constructor(
    facts: { name: string; size: number; packed: Uint8Array; deflated: boolean; crc: number },
    refuse: (why: string, cause?: unknown) => never,
  ) {
    this.name = facts.name;
    this.size = facts.size;
    this.#packed = facts.packed;
    this.#deflated = facts.deflated;
    this.#crc = facts.crc;
    this.#refuse = refuse;
  }

  /** At least the first `length` bytes, where the file has so many. */
  head(length: number): Uint8Array {
    if (!this.#deflated) return this.#packed.subarray(0, length);
    const chunks: Uint8Array[] = [];
    let have = 0;
    const inflate = new Inflate((chunk) => {
      chunks.push(chunk);
      have += chunk.length;
    });
    try {
      const step = 1 << 12;
      for (let at = 0; at < this.#packed.length && have < length; at += step) {
        inflate.push(this.#packed.subarray(at, at + step), at + step >= this.#packed.length);
      }
    } catch (cause) {
      this.#refuse(`${this.name} could not be unpacked`, cause);
    }
    const whole = new Uint8Array(have);
    let at = 0;
    for (const chunk of chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    return whole;
  }

  /** The whole file, its length and CRC-32 compared with what the archive says of them. */
  read(): Uint8Array {
    const bytes = this.#deflated ? this.#inflate() : this.#packed;
    if (bytes.length !== this.size) {
      this.#refuse(`${this.name} unpacks to ${bytes.length} bytes, and the archive says ${this.size}`);
    }
    if (crc32(bytes) !== this.#crc) this.#refuse(`${this.name} does not agree with its CRC-32`);
    return bytes;
  }

  #inflate(): Uint8Array {
    try {
      return inflateSync(this.#packed, { out: new Uint8Array(this.size) });
    } catch (cause) {
      return this.#refuse(`${this.name} could not be unpacked`, cause);
    }
  }
}

/**
 * The files of a zip archive (APPNOTE 6.3.10; zip64 too), stored or deflated, by their names.
 * @param name what messages call the archive
 * @throws MagnitudeEdgeError `invalid-data`; of files that are unpacked, as they are
 */
export function zipEntries(bytes: Uint8Array, name: string): Map<string, ZipEntry> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new MagnitudeEdgeError('invalid-data', `${name} is a damaged .npz archive: ${why}.`, {
      details: { source: name },
      ...(cause === undefined ? {} : { cause }),
    });
  };
  try {
    return readDirectory(bytes, refuse);
  } catch (cause) {
    if (cause instanceof RangeError) return refuse('it ends too early', cause);
    throw cause;
  }
}

function readDirectory(
  bytes: Uint8Array,
  refuse: (why: string, cause?: unknown) => never,
): Map<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const large = (at: number): number => Number(view.getBigUint64(at, true));
  let end = bytes.length - 22;
  const last = Math.max(0, bytes.length - farthestEnd);
  while (end >= last && view.getUint32(end, true) !== endSignature) end--;
  if (end < last) return refuse('its list of files is missing');
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (end >= 20 && view.getUint32(end - 20, true) === locator64Signature) {
    const end64 = large(end - 12);
    if (view.getUint32(end64, true) !== end64Signature) refuse('its list of files is missing');
    count = large(end64 + 32);
    at = large(end64 + 48);
  }
  const entries = new Map<string, ZipEntry>();
  for (let index = 0; index < count; index++) {
    if (view.getUint32(at, true) !== entrySignature) refuse('its list of files is cut short');
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    const extra = at + 46 + nameLength;
    const sizes = {
      size: view.getUint32(at + 24, true),
      packed: view.getUint32(at + 20, true),
      offset: view.getUint32(at + 42, true),
    };
    readSizes64(view, extra, extra + extraLength, sizes);
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    if (flags & 1) refuse(`${name} is encrypted`);
    if (method !== 0 && method !== 8) refuse(`${name} is packed by method ${method}, not deflated`);
    if (view.getUint32(sizes.offset, true) !== localSignature) refuse(`${name} is not where it should be`);
    const start =
      sizes.offset + 30 + view.getUint16(sizes.offset + 26, true) + view.getUint16(sizes.offset + 28, true);
    if (start + sizes.packed > bytes.length) refuse(`${name} ends after the archive`);
    const most = method === 0 ? sizes.packed : sizes.packed * mostExpansion;
    if (sizes.size > most) refuse(`${name} of ${sizes.packed} bytes cannot unpack to ${sizes.size}`);
    const packed = bytes.subarray(start, start + sizes.packed);
    const facts = {
      name,
      size: sizes.size,
      packed,
      deflated: method === 8,
      crc: view.getUint32(at + 16, true),
    };
    entries.set(name, new ZipEntry(facts, refuse));
    at = extra + extraLength + view.getUint16(at + 32, true);
  }
  return entries;
}

/** Sizes of 4 GiB and more stand in an extra field, in this order, each only where its 32 bits say so. */
function readSizes64(
  view: DataView,
  start: number,
  end: number,
  sizes: { size: number; packed: number; offset: number },
): void {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let field = at + 4;
    for (const key of ['size', 'packed', 'offset'] as const) {
      if (sizes[key] !== 0xffffffff) continue;
      sizes[key] = Number(view.getBigUint64(field, true));
      field += 8;
    }
    return;
  }
}
