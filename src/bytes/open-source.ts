import type { ErrorCode } from '../errors.ts';
import { nodeProcess } from '../node-process.ts';
import { BytesInMemory, outOfRange, type ByteSource } from './byte-source.ts';
import { readCounted, readSource, toUrl, unreadable, type BinarySource } from './source.ts';

/** An open source and its metadata. */
export interface OpenedSource {
  readonly source: ByteSource;
  /** Name in error messages: its URL, its file name, or the caller's name for it */
  readonly name: string;
  /** Last modification, in milliseconds since 1970, if the system reports it */
  readonly modified?: number | undefined;
  /** Whether an external source was read into memory as a whole: a server without range requests, or a pipe */
  readonly whole?: boolean;
}

interface OpenOptions {
  /** Name in error messages; overrides the source's own. */
  readonly name?: string | undefined;
  /** Name in error messages of a source without a name of its own */
  readonly fallbackName: string;
  /** The code of the error when the source cannot be read. */
  readonly code: ErrorCode;
  readonly signal?: AbortSignal | undefined;
  /**
   * Called when a source is read into memory as a whole, before memory is taken: with its size if it is known, else, as
   * bytes arrive, with their number so far. @throws if it does not fit
   */
  readonly onWhole: (bytes: number, name: string, isWholeSize: boolean) => void;
}

/**
 * Opens a source for reading in ranges: files, Blobs, and URLs whose server supports range requests. Any other source
 * is read as a whole.
 * @throws MagnitudeEdgeError with `options.code` if the source cannot be read; the signal's reason once it is aborted
 */
export async function openSource(input: BinarySource, options: OpenOptions): Promise<OpenedSource> {
  options.signal?.throwIfAborted();
  if (input instanceof Blob) {
    const file = input as Blob & { readonly name?: unknown; readonly lastModified?: number };
    const ownName = typeof file.name === 'string' ? file.name : undefined;
    const name = options.name ?? ownName ?? options.fallbackName;
    return { source: new BlobSource(input, name, options), name, modified: file.lastModified };
  }
  if (input instanceof Uint8Array || input instanceof ArrayBuffer) return inMemory(input, options, false);
  const url = toUrl(input, options);
  const named = { ...options, name: options.name ?? url.href };
  if (url.protocol === 'file:') return openFile(url, named);
  return (await openRanges(url, named)) ?? inMemory(url, named, true);
}

async function inMemory(input: BinarySource, options: OpenOptions, whole: boolean): Promise<OpenedSource> {
  const { bytes, name } = await readSource(input, {
    ...options,
    onSize: (size, isWholeSize) => {
      if (whole) options.onWhole(size, options.name ?? options.fallbackName, isWholeSize);
    },
  });
  return { source: new BytesInMemory(bytes), name, whole };
}

type Named = OpenOptions & { readonly name: string };

class BlobSource implements ByteSource {
  readonly size: number;
  readonly #blob: Blob;
  readonly #name: string;
  readonly #options: OpenOptions;

  constructor(blob: Blob, name: string, options: OpenOptions) {
    this.size = blob.size;
    this.#blob = blob;
    this.#name = name;
    this.#options = options;
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const wrong = outOfRange(this.size, start, end);
    if (wrong) throw wrong;
    try {
      return new Uint8Array(await this.#blob.slice(start, end).arrayBuffer());
    } catch (cause) {
      // Browsers refuse to read a File that has changed on disk since it was chosen.
      throw unreadable(
        this.#name,
        'reading it failed; it may have changed since it was chosen',
        this.#options,
        cause,
      );
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Loads Node's file system at run time, so that bundlers need not resolve it. */
async function openFile(url: URL, options: Named): Promise<OpenedSource> {
  const { name } = options;
  const fs = nodeProcess()?.getBuiltinModule('node:fs/promises');
  if (!fs) throw unreadable(name, 'a page cannot read file: URLs', options);
  const refuse = (cause: unknown): never => {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why = { ENOENT: 'there is no such file', EISDIR: 'it is a folder' }[String(code)];
    throw unreadable(name, why ?? 'reading it failed', options, cause);
  };
  const handle = await fs.open(url).catch(refuse);
  const found = await handle.stat().catch(refuse);
  if (!found.isFile()) {
    // A pipe has neither ranges nor a size. Opening it again would lose what its writer has begun to write.
    const pieces = handle.createReadStream({ signal: options.signal }) as AsyncIterable<Uint8Array>;
    const onSize = (size: number): void => {
      options.onWhole(size, name, false);
    };
    return {
      source: new BytesInMemory(await readCounted(pieces, onSize, name, options)),
      name,
      whole: true,
    };
  }
  const { size, mtimeMs: modified } = found;
  return {
    name,
    modified,
    source: {
      size,
      close: () => handle.close(),
      async read(start, end) {
        const wrong = outOfRange(size, start, end);
        if (wrong) throw wrong;
        const bytes = new Uint8Array(end - start);
        for (let at = 0; at < bytes.length;) {
          const length = Math.min(bytes.length - at, MOST_AT_ONCE);
          const { bytesRead } = await handle.read(bytes, at, length, start + at).catch(refuse);
          if (bytesRead === 0) throw unreadable(name, 'it became shorter while it was being read', options);
          at += bytesRead;
        }
        return bytes;
      },
    },
  };
}

/** Bytes per read; the system limits one to 2 GiB. */
const MOST_AT_ONCE = 1 << 28;

/** Bytes of the first request; its response shows whether the server supports ranges. */
const FIRST_BYTES = 1 << 16;

/** Opens a URL whose server supports range requests (RFC 9110, section 14); undefined if it does not. */
async function openRanges(url: URL, options: Named): Promise<OpenedSource | undefined> {
  const { name, signal } = options;
  const get = async (start: number, end: number): Promise<Response> => {
    try {
      // Ranges of a compressed response would count compressed bytes.
      const headers = { range: `bytes=${start}-${end - 1}`, 'accept-encoding': 'identity' };
      return await fetch(url, { headers, ...(signal ? { signal } : {}) });
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreadable(name, 'the request failed', options, cause);
    }
  };
  const bodyOf = async (response: Response): Promise<Uint8Array> => {
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreadable(name, 'reading it failed', options, cause);
    }
  };
  const first = await get(0, FIRST_BYTES);
  const size = first.status === 206 ? await sizeOf(first, url, signal) : undefined;
  if (size === undefined) {
    await first.body?.cancel();
    return undefined;
  }
  const beginning = await bodyOf(first);
  if (beginning.length !== Math.min(FIRST_BYTES, size)) return undefined;
  const version = versionOf(first);
  return {
    name,
    modified: modifiedOf(first),
    source: {
      size,
      close: () => Promise.resolve(),
      async read(start, end) {
        const wrong = outOfRange(size, start, end);
        if (wrong) throw wrong;
        if (end <= beginning.length) return beginning.subarray(start, end);
        if (start === end) return new Uint8Array();
        const response = await get(start, end);
        if (response.status === 206 && versionOf(response) === version) {
          const bytes = await bodyOf(response);
          if (bytes.length === end - start) return bytes;
          throw unreadable(
            name,
            `the server sent ${bytes.length} bytes, but ${end - start} were requested`,
            options,
          );
        }
        await response.body?.cancel();
        const answer = `${response.status} ${response.statusText}`.trim();
        const why = response.ok ? 'it changed while it was being read' : `the server answered ${answer}`;
        throw unreadable(name, why, options);
      },
    },
  };
}

/** Total size in bytes: from Content-Range, or from a HEAD request if another origin's server hides that header. */
async function sizeOf(
  partial: Response,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const said = /\/(\d+)$/.exec(partial.headers.get('content-range') ?? '')?.[1];
  if (said !== undefined) return Number(said);
  const head = await fetch(url, { method: 'HEAD', ...(signal ? { signal } : {}) }).catch(() => undefined);
  signal?.throwIfAborted();
  const length =
    head?.ok === true && !head.headers.has('content-encoding') && head.headers.get('content-length');
  return length === false || length === null ? undefined : Number(length);
}

function versionOf({ headers }: Response): string | null {
  return headers.get('etag') ?? headers.get('last-modified');
}

function modifiedOf({ headers }: Response): number | undefined {
  const at = Date.parse(headers.get('last-modified') ?? '');
  return Number.isNaN(at) ? undefined : at;
}
