import { MagnitudeEdgeError, type ErrorCode } from '../errors.ts';
import { nodeProcess } from '../node-process.ts';
import { joinBytes } from './join-bytes.ts';

/** A source of bytes. A string is a URL; in Node also a path, resolved against the working directory. */
export type BinarySource = string | URL | Blob | ArrayBuffer | Uint8Array;

export interface NamedBytes {
  readonly bytes: Uint8Array;
  /** Name in error messages: its URL, its file name, or the caller's name for it. */
  readonly name: string;
  /** Where the bytes were fetched from; absent for bytes and Blobs that were passed in. */
  readonly url?: URL;
}

export interface ReadOptions {
  /** Name in error messages; overrides the source's own. */
  readonly name?: string | undefined;
  /** Name in error messages of a source without a name of its own, such as 'the model'. */
  readonly fallbackName: string;
  /** The code of the error when the source cannot be read. */
  readonly code: ErrorCode;
  readonly signal?: AbortSignal | undefined;
  /**
   * For HTTP: called before reading with the size that the server announces, or, if no size is known, with the number of
   * bytes so far as they arrive. An error that it throws ends the reading.
   */
  readonly onSize?: ((bytes: number, isWholeSize: boolean) => void) | undefined;
}

/** True for everything that {@link readSource} accepts. */
export function isBinarySource(source: unknown): source is BinarySource {
  return (
    typeof source === 'string' ||
    source instanceof URL ||
    source instanceof Blob ||
    source instanceof ArrayBuffer ||
    source instanceof Uint8Array
  );
}

/**
 * Reads a whole source. Bytes in memory are returned without a copy.
 * @throws MagnitudeEdgeError with `options.code` if the source cannot be read.
 */
export async function readSource(source: BinarySource, options: ReadOptions): Promise<NamedBytes> {
  options.signal?.throwIfAborted();
  if (source instanceof Uint8Array) return { bytes: source, name: options.name ?? options.fallbackName };
  if (source instanceof ArrayBuffer)
    return { bytes: new Uint8Array(source), name: options.name ?? options.fallbackName };
  if (source instanceof Blob) {
    const ownName = 'name' in source && typeof source.name === 'string' ? source.name : undefined;
    const name = options.name ?? ownName ?? options.fallbackName;
    return { bytes: await readBody(source, name, options), name };
  }
  const url = toUrl(source, options);
  const name = options.name ?? url.href;
  return { bytes: await readUrl(url, name, options), name, url };
}

async function readUrl(url: URL, name: string, options: ReadOptions): Promise<Uint8Array> {
  if (url.protocol === 'file:') return readFile(url, name, options);
  let response: Response;
  try {
    response = await fetch(url, options.signal ? { signal: options.signal } : {});
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw unreadable(name, 'the request failed', options, cause);
  }
  if (!response.ok) {
    throw unreadable(
      url.href,
      `the server answered ${response.status} ${response.statusText}`.trim(),
      options,
    );
  }
  // Servers of single-page applications, and of notebooks, respond to unknown addresses with an HTML page.
  if (response.headers.get('content-type')?.startsWith('text/html') === true)
    throw unreadable(url.href, 'this address answered with an HTML page', options);
  const { headers, body } = response;
  // The length of a compressed response is not that of its content.
  const length = headers.has('content-encoding') ? null : headers.get('content-length');
  if (length !== null) options.onSize?.(Number(length), true);
  else if (options.onSize && body) return readCounted(piecesOf(body), options.onSize, name, options);
  return readBody(response, name, options);
}

async function readBody(body: Blob | Response, name: string, options: ReadOptions): Promise<Uint8Array> {
  try {
    return new Uint8Array(await body.arrayBuffer());
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw unreadable(name, 'reading it failed', options, cause);
  }
}

/** Joins pieces of a source of unknown size; `onSize` is called with the number of bytes as they arrive. */
export async function readCounted(
  pieces: AsyncIterable<Uint8Array>,
  onSize: NonNullable<ReadOptions['onSize']>,
  name: string,
  options: Pick<ReadOptions, 'code' | 'signal'>,
): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      onSize(bytes, false);
      read.push(piece);
    }
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof MagnitudeEdgeError) throw cause;
    throw unreadable(name, 'reading it failed', options, cause);
  }
  return joinBytes(read);
}

/** The pieces of a stream, which not every browser iterates by itself. */
async function* piecesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}

/** Node's fetch does not support file: URLs. The file system is loaded at run time: bundlers need not resolve it. */
async function readFile(url: URL, name: string, options: ReadOptions): Promise<Uint8Array> {
  const fs = nodeProcess()?.getBuiltinModule('node:fs/promises');
  if (!fs) throw unreadable(name, 'a page cannot read file: URLs', options);
  try {
    return await fs.readFile(url, options.signal ? { signal: options.signal } : {});
  } catch (cause) {
    options.signal?.throwIfAborted();
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw unreadable(name, missing ? 'there is no such file' : 'reading it failed', options, cause);
  }
}

/** Resolves a string or URL. @throws MagnitudeEdgeError with `options.code` for an invalid URL */
export function toUrl(source: string | URL, options: ReadOptions): URL {
  if (source instanceof URL) return source;
  try {
    return new URL(source, baseUrl());
  } catch (cause) {
    throw unreadable(source, 'it is not a valid URL', options, cause);
  }
}

function baseUrl(): string | undefined {
  const process = nodeProcess();
  if (!process) return globalThis.location.href;
  const pathToFileURL = process.getBuiltinModule('node:url').pathToFileURL;
  return pathToFileURL(`${process.cwd()}/`).href;
}

export function unreadable(
  name: string,
  why: string,
  options: Pick<ReadOptions, 'code'>,
  cause?: unknown,
): MagnitudeEdgeError {
  return new MagnitudeEdgeError(options.code, `${name} could not be read: ${why}.`, {
    details: { source: name },
    ...(cause === undefined ? {} : { cause }),
  });
}
