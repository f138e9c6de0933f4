import { MagnitudeEdgeError, type ErrorCode } from '../errors.ts';
import { nodeProcess } from '../node-process.ts';

/** Where bytes may come from. A string is a URL; in Node also a path, resolved against the working directory. */
export type BinarySource = string | URL | Blob | ArrayBuffer | Uint8Array;

export interface NamedBytes {
  readonly bytes: Uint8Array;
  /** What messages call the source: its URL, its file name, or what the caller said. */
  readonly name: string;
  /** Where it was fetched from; absent for bytes that were there already. */
  readonly url?: URL;
}

export interface ReadOptions {
  /** What messages call the source, whatever it is. */
  readonly name?: string | undefined;
  /** What messages call a source that has no name of its own, as in 'the model'. */
  readonly fallbackName: string;
  /** The code of the error when the source cannot be read. */
  readonly code: ErrorCode;
  readonly signal?: AbortSignal | undefined;
  /** Called with the bytes that a source has or says it has, before they are held. */
  readonly onSize?: ((bytes: number) => void) | undefined;
}

/** True for everything that {@link readSource} takes. */
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
 * Reads a source to its end. Bytes are taken as they are, without a copy.
 * @throws MagnitudeEdgeError with `options.code` when there is nothing to read there.
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
  // Servers of single-page applications, and of notebooks, answer so to addresses that they do not know.
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

/** Node's fetch takes no file: URL. Its file system is asked for at run time: no bundler has to find it. */
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

/** Where a string or URL leads. @throws MagnitudeEdgeError with `options.code` for no URL */
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
