import { xxhash32, xxhash32Text } from '../bytes/xxhash32.ts';
import { MagnitudeEdgeError } from '../errors.ts';
import { decodeModel } from '../onnx/decode.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import { readSource, type BinarySource } from '../bytes/source.ts';

export interface ReadModelOptions {
  /** Contents of external data files by the name in the model; files next to a model's URL are fetched. */
  readonly externalData?: Readonly<Record<string, BinarySource>> | undefined;
  /** Name of the model in messages. Default: its URL or file name. */
  readonly name?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An ONNX model, and its name in messages. */
export interface NamedModel {
  readonly name: string;
  readonly model: OnnxModel;
  /** Eight hexadecimal digits: a hash of the bytes of the file and of its external data */
  readonly fingerprint: () => string;
}

/**
 * Reads an ONNX model and the external data files that it names.
 * @throws MagnitudeEdgeError `invalid-model`, naming the model and what is wrong with it
 */
export async function readModel(source: BinarySource, options: ReadModelOptions = {}): Promise<NamedModel> {
  const { externalData = {}, signal } = options;
  const read = { code: 'invalid-model', signal } as const;
  const file = await readSource(source, { ...read, name: options.name, fallbackName: 'the model' });
  const contents: Record<string, Uint8Array> = {};
  for (const [location, data] of Object.entries(externalData)) {
    contents[location] = (await readSource(data, { ...read, fallbackName: location })).bytes;
  }
  for (;;) {
    try {
      const model = decodeModel(file.bytes, { externalData: contents });
      // The model's tensors are views of the bytes, so keeping those takes no more memory.
      return {
        name: file.name,
        model,
        fingerprint: () => fingerprintOf([file.bytes, ...Object.values(contents)]),
      };
    } catch (error) {
      if (!(error instanceof MagnitudeEdgeError)) throw error;
      const location = error.details.location;
      const sibling =
        typeof location === 'string' && !(location in contents) && siblingOf(file.url, location);
      if (!sibling) throw withName(error, file.name);
      try {
        contents[location] = (await readSource(sibling, { ...read, fallbackName: location })).bytes;
      } catch {
        signal?.throwIfAborted();
        throw withName(error, file.name);
      }
    }
  }
}

function fingerprintOf(files: readonly Uint8Array[]): string {
  return xxhash32Text(JSON.stringify(files.map((bytes) => [bytes.length, xxhash32(bytes)])));
}

/** A file in the model's folder; a model must not choose what else is fetched. */
function siblingOf(url: URL | undefined, location: string): URL | undefined {
  if (!url || location === '' || location === '.' || location === '..' || /[\\/:]/.test(location))
    return undefined;
  return new URL(encodeURIComponent(location), url);
}

function withName(error: MagnitudeEdgeError, name: string): MagnitudeEdgeError {
  return new MagnitudeEdgeError(error.code, `${name}: ${error.message}`, {
    details: { ...error.details, source: name },
    cause: error.cause,
  });
}
