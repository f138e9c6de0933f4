import { MagnitudeEdgeError } from '../errors.ts';

/** Where the files of onnxruntime-web are, and what to do if they are missing. */

/** The builds of onnxruntime-web, by entry point, and the prefix of their file names. */
export const RUNTIME_FILES = {
  node: 'ort-wasm-simd-threaded',
  wasm: 'ort-wasm-simd-threaded',
  jspi: 'ort-wasm-simd-threaded.jspi',
  webgpu: 'ort-wasm-simd-threaded.asyncify',
} as const;
export type Build = keyof typeof RUNTIME_FILES;

export interface RuntimeFiles {
  /**
   * Where the runtime's `.wasm` and `.mjs` are: a prefix for their names; both addresses; or a function from the name
   * of a file, for instance `ort-wasm-simd-threaded.jspi.wasm`, to its address. If it returns undefined, that file
   * stays at its default. Default: next to the module.
   */
  readonly wasmPaths?:
    | string
    | { readonly wasm?: string | URL; readonly mjs?: string | URL }
    | ((file: string) => string | URL | undefined);
  /** The bytes of a build's `.wasm`, by file name; the file is not fetched then. */
  readonly wasmBinary?: (file: string) => Uint8Array | ArrayBuffer | Promise<Uint8Array | ArrayBuffer>;
}

/** The settings of onnxruntime-web that locate its files. */
interface FileSettings {
  wasmPaths?: string | { wasm?: string | URL; mjs?: string | URL };
  wasmBinary?: ArrayBufferLike | Uint8Array;
}

/** Tells the runtime where the files of a build are. */
export async function setFiles(env: FileSettings, build: Build, files: RuntimeFiles): Promise<void> {
  const { wasmPaths, wasmBinary } = files;
  const name = RUNTIME_FILES[build];
  if (typeof wasmPaths === 'function') {
    const [wasm, mjs] = [wasmPaths(`${name}.wasm`), wasmPaths(`${name}.mjs`)];
    env.wasmPaths = { ...(wasm === undefined ? {} : { wasm }), ...(mjs === undefined ? {} : { mjs }) };
  } else if (wasmPaths !== undefined) {
    env.wasmPaths = wasmPaths;
  }
  if (wasmBinary !== undefined) env.wasmBinary = await wasmBinary(`${name}.wasm`);
}

const whatHelps =
  "Vite up to 7 needs optimizeDeps: { exclude: ['onnxruntime-web'] } while developing; elsewhere the files of " +
  'onnxruntime-web/dist must be at that address, or configureRuntime({ wasmPaths }) must say where they are (docs/guide.md, "With a bundler")';

/** Messages of the runtime in other words, and what to do about them. */
const explanations: readonly (readonly [said: RegExp, why: string])[] = [
  [/magic word 00 61 73 6d, found 3c/, `the address of FILE answered with an HTML page. ${whatHelps}`],
  [
    /fetching of the wasm failed|magic word|dynamically imported module|importing a module script|initWasm\(\)' failed/,
    `FILE could not be fetched. ${whatHelps}`,
  ],
  [
    /Content Security Policy|unsafe-eval/i,
    "the page's policy does not allow WebAssembly: script-src needs 'wasm-unsafe-eval'",
  ],
];

/**
 * Why the runtime did not start, if its files or the page's policy are the cause.
 *
 * @param message of the runtime
 */
export function whyNotStarted(message: string, build: Build): string | undefined {
  const why = explanations.find(([said]) => said.test(message))?.[1];
  return why?.replace('FILE', `${RUNTIME_FILES[build]}.wasm`);
}

/** An error of the runtime, with its message. */
export function runtimeError(what: string, cause?: unknown): MagnitudeEdgeError {
  const why = cause instanceof Error ? `: ${cause.message.trim().replace(/\.$/, '')}` : '';
  return new MagnitudeEdgeError('runtime', `${what}${why}.`, { cause });
}
