import type { ByteSource } from '../bytes/byte-source.ts';
import { crc32 } from '../bytes/crc32.ts';
import { inflated } from '../bytes/inflate.ts';
import { joinBytes } from '../bytes/join-bytes.ts';
import { MagnitudeEdgeError } from '../errors.ts';

const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;

/** The end record has 22 bytes and a comment of at most 65,535. */
const END_BYTES = 22;
const FARTHEST_END = END_BYTES + 0xffff;
const LOCATOR64_BYTES = 20;
/** Deflate expands one byte to at most 1032. */
const MOST_EXPANSION = 1032;
/** Bytes per read */
const READ_BYTES = 1 << 22;

type Refuse = (why: string, cause?: unknown) => never;

interface Facts {
  readonly name: string;
  /** Uncompressed bytes, as the archive claims */
  readonly size: number;
  /** Bytes in the archive */
  readonly packed: number;
  /** Offset of its local header */
  readonly offset: number;
  readonly deflated: boolean;
  readonly crc: number;
}

/** A file in an archive; read only on demand. */
export class ZipEntry {
  readonly #facts: Facts;
  readonly #source: ByteSource;
  readonly #refuse: Refuse;
  #start: number | undefined;

  constructor(facts: Facts, source: ByteSource, refuse: Refuse) {
    this.#facts = facts;
    this.#source = source;
    this.#refuse = refuse;
  }

  /** Uncompressed bytes, as the archive claims */
  get size(): number {
    return this.#facts.size;
  }

  /** Whether its bytes are stored uncompressed */
  get stored(): boolean {
    return !this.#facts.deflated;
  }

  /** At least the first `length` bytes, if the file has as many. */
  async head(length: number): Promise<Uint8Array> {
    if (this.stored) return this.range(0, Math.min(length, this.size));
    const pieces: Uint8Array[] = [];
    let have = 0;
    for await (const piece of this.#inflated()) {
      pieces.push(piece);
      have += piece.length;
      if (have >= length) break;
    }
    return joinBytes(pieces);
  }

  /** Bytes of a stored file; their CRC-32 is not checked. */
  async range(start: number, end: number): Promise<Uint8Array> {
    const place = await this.#place();
    return this.#source.read(place + start, place + end);
  }

  /** The whole file, checked like {@link ZipEntry.pieces}. */
  async read(): Promise<Uint8Array> {
    const bytes = new Uint8Array(this.size);
    let at = 0;
    for await (const piece of this.pieces()) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }

  /** The bytes in order. At the end, their number and CRC-32 are checked against the archive. */
  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    const { name, size, crc: expected } = this.#facts;
    let [length, crc] = [0, 0];
    for await (const piece of this.stored ? this.#packed() : this.#inflated()) {
      length += piece.length;
      if (length > size) this.#refuse(`${name} unpacks to more than the ${size} bytes that the archive says`);
      crc = crc32(piece, crc);
      yield piece;
    }
    if (length !== size) this.#refuse(`${name} unpacks to ${length} bytes, but the archive says ${size}`);
    if (crc !== expected) this.#refuse(`${name} does not match its CRC-32`);
  }

  async *#inflated(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield* inflated(this.#packed());
    } catch (cause) {
      if (cause instanceof MagnitudeEdgeError) throw cause;
      this.#refuse(`${this.#facts.name} could not be unpacked`, cause);
    }
  }

  /** Its bytes in the archive. */
  async *#packed(): AsyncGenerator<Uint8Array, void, undefined> {
    const start = await this.#place();
    const end = start + this.#facts.packed;
    for (let from = start; from < end; from += READ_BYTES)
      yield await this.#source.read(from, Math.min(from + READ_BYTES, end));
  }

  /** Offset of its bytes; the local header gives its own length. */
  async #place(): Promise<number> {
    if (this.#start !== undefined) return this.#start;
    const { name, offset, packed } = this.#facts;
    const { size } = this.#source;
    if (!(offset + 30 <= size)) this.#refuse(`${name} is not where the archive's list of files says`);
    const header = viewOf(await this.#source.read(offset, offset + 30));
    if (header.getUint32(0, true) !== localSignature)
      this.#refuse(`${name} is not where the archive's list of files says`);
    const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    if (start + packed > size) this.#refuse(`${name} extends beyond the archive`);
    this.#start = start;
    return start;
  }
}

/**
 * The files of a zip archive (APPNOTE 6.3.10; zip64 too), stored or deflated, by name.
 * @param name the archive's name in error messages
 * @throws MagnitudeEdgeError `invalid-data`; for a damaged file only when it is decompressed
 */
export async function zipEntries(source: ByteSource, name: string): Promise<Map<string, ZipEntry>> {
  const refuse: Refuse = (why, cause) => {
    throw new MagnitudeEdgeError('invalid-data', `${name} is a damaged .npz archive: ${why}.`, {
      details: { source: name },
      ...(cause === undefined ? {} : { cause }),
    });
  };
  try {
    const directory = await readDirectory(source, refuse);
    return new Map(directory.map((facts) => [facts.name, new ZipEntry(facts, source, refuse)]));
  } catch (cause) {
    if (cause instanceof RangeError) return refuse('it ends too early', cause);
    throw cause;
  }
}

async function readDirectory(source: ByteSource, refuse: Refuse): Promise<Facts[]> {
  const { count, start, end } = await findDirectory(source, refuse);
  if (!(start >= 0 && start <= end)) refuse('its list of files is missing');
  const bytes = await source.read(start, end);
  const view = viewOf(bytes);
  const files: Facts[] = [];
  for (let index = 0, at = 0; index < count; index++) {
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
    if (method !== 0 && method !== 8)
      refuse(`${name} is compressed by method ${method}, but only deflate can be read`);
    if (sizes.packed > source.size) refuse(`${name} extends beyond the archive`);
    const most = method === 0 ? sizes.packed : sizes.packed * MOST_EXPANSION;
    if (sizes.size > most) refuse(`${name} has ${sizes.packed} bytes, which cannot unpack to ${sizes.size}`);
    files.push({ name, ...sizes, deflated: method === 8, crc: view.getUint32(at + 16, true) });
    at = extra + extraLength + view.getUint16(at + 32, true);
  }
  return files;
}

/** Byte range of the list of files, and their number. */
async function findDirectory(
  source: ByteSource,
  refuse: Refuse,
): Promise<{ count: number; start: number; end: number }> {
  const { size } = source;
  const first = Math.max(0, size - FARTHEST_END - LOCATOR64_BYTES);
  const view = viewOf(await source.read(first, size));
  let end = view.byteLength - END_BYTES;
  const last = Math.max(0, view.byteLength - FARTHEST_END);
  while (end >= last && view.getUint32(end, true) !== endSignature) end--;
  if (end < last) return refuse('its list of files is missing');
  const locator = end - LOCATOR64_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== locator64Signature) {
    return { count: view.getUint16(end + 10, true), start: view.getUint32(end + 16, true), end: first + end };
  }
  const at = large(view, locator + 8);
  if (!(at + 56 <= size)) refuse('its list of files is missing');
  const end64 = viewOf(await source.read(at, at + 56));
  if (end64.getUint32(0, true) !== end64Signature) refuse('its list of files is missing');
  return { count: large(end64, 32), start: large(end64, 48), end: at };
}

/** Sizes of 4 GiB and more are in an extra field, in this order, each only if its 32 bits are all ones. */
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
      sizes[key] = large(view, field);
      field += 8;
    }
    return;
  }
}

function large(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
