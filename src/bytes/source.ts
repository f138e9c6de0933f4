import { MagnitudeEdgeError, type ErrorCode } from '../errors.ts';
import { nodeProcess } from '../node-process.ts';

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
  /** For HTTP: called with the size that the server announces before reading, and with the actual size after. */
  readonly onSize?: ((bytes: number) => void) | undefined;
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
  const length = response.headers.get('content-length');
  if (length !== null) options.onSize?.(Number(length));
  const bytes = await readBody(response, name, options);
  options.onSize?.(bytes.length);
  return bytes;
}

async function readBody(body: Blob | Response, name: string, options: ReadOptions): Promise<Uint8Array> {
  try {
    return new Uint8Array(await body.arrayBuffer());
  } catch (cause) {
    options.signal?.throwIfAborted();
    throw unreadable(name, 'reading it failed', options, cause);
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
