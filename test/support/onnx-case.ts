import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web';
import { expect } from 'vitest';
import { MagnitudeEdgeError } from '../../src/index.ts';
import {
  buildTrainingGraph,
  type TrainingGraph,
  type TrainingGraphOptions,
} from '../../src/training-graph.ts';

/**
 * A model with inputs, and the expected results of its training graph: `model.onnx` and `case.json` in one folder. The
 * expected values come from PyTorch in float64.
 */
export interface OnnxCase {
  readonly note: string;
  readonly options: TrainingGraphOptions;
  readonly inputs: Readonly<Record<string, CaseArray>>;
  readonly target: CaseArray;
  readonly expected: Expected;
}

/**
 * `data` is nested as `dims` say, a plain number for a scalar; NaN and infinities are strings. With `sine` instead,
 * element i is sin(sine * i).
 */
interface CaseArray {
  readonly dtype: keyof typeof arrayTypes;
  readonly dims: readonly number[];
  readonly data?: unknown;
  readonly sine?: number;
}

interface Expected {
  /** A number, or the string that stands for NaN. */
  readonly loss?: number | string;
  readonly gradients?: Readonly<Record<string, CaseArray>>;
  readonly outputs?: Readonly<Record<string, CaseArray>>;
  /** Some elements of a large gradient, by flat index. */
  readonly gradientEntries?: Readonly<
    Record<string, { readonly at: readonly number[]; readonly data: unknown }>
  >;
  /** The model must be refused; `code` and a part of the message if they matter. */
  readonly refused?: string;
  readonly code?: string;
  readonly message?: string;
  /** Values that the loss does not depend on. */
  readonly disconnected?: readonly string[];
  /** Size of the training graph's file. */
  readonly bytesAtMost?: number;
}

const arrayTypes = {
  float32: Float32Array,
  float64: Float64Array,
  int64: BigInt64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int8: Int8Array,
  bool: Uint8Array,
} as const;

/** Error allowed to float32, relative to the largest expected element, on models of this size. */
const TOLERANCE = 1e-5;

/**
 * Builds the training graph of the case in `folder`, runs it with the wasm provider and compares all expected results.
 */
export async function checkOnnxCase(folder: URL): Promise<void> {
  const given = JSON.parse(readFileSync(new URL('case.json', folder), 'utf8')) as OnnxCase;
  const build = (): TrainingGraph =>
    buildTrainingGraph(readFileSync(new URL('model.onnx', folder)), given.options);
  const { expected } = given;
  if (expected.refused !== undefined) {
    requireRefusal(build, expected);
    return;
  }
  const built = build();
  expect(built.disconnected).toEqual(expected.disconnected ?? []);
  if (expected.bytesAtMost !== undefined)
    expect(built.bytes.length).toBeLessThanOrEqual(expected.bytesAtMost);
  const found = await run(built, given);
  if (expected.loss !== undefined) requireClose('loss', found.get(built.loss), [], flat(expected.loss));
  for (const [name, right] of entries(expected.gradients))
    requireClose(`gradient of ${name}`, found.get(gradientOf(built, name)), right.dims, elements(right));
  for (const [name, right] of entries(expected.outputs)) {
    if (built.outputs.includes(name))
      requireClose(`output ${name}`, found.get(name), right.dims, elements(right));
  }
  for (const [name, { at, data }] of Object.entries(expected.gradientEntries ?? {})) {
    const gradient = found.get(gradientOf(built, name))!;
    const picked = at.map((index) => gradient.data[index]!);
    requireClose(`gradient of ${name}`, { dims: [at.length], data: picked }, [at.length], flat(data));
  }
}

function requireRefusal(build: () => TrainingGraph, { code, message }: Expected): void {
  try {
    build();
  } catch (error) {
    if (!(error instanceof MagnitudeEdgeError)) throw error;
    if (code !== undefined) expect(error.code).toBe(code);
    if (message !== undefined) expect(error.message).toContain(message);
    return;
  }
  throw new Error('The model was not refused.');
}

interface Result {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

async function run(built: TrainingGraph, given: OnnxCase): Promise<ReadonlyMap<string, Result>> {
  const session = await ort.InferenceSession.create(built.bytes, { executionProviders: ['wasm'] });
  try {
    const feeds = built.inputs.map((name): [string, ort.Tensor] => {
      if (name === built.target) return [name, tensorOf(given.target)];
      if (!Object.hasOwn(built.parameters, name)) return [name, tensorOf(given.inputs[name]!)];
      const { dims, values } = built.parameters[name]!;
      return [name, new ort.Tensor('float32', values, dims)];
    });
    const results = await session.run(Object.fromEntries(feeds));
    return new Map(
      Object.entries(results).map(([name, { dims, data }]) => [
        name,
        { dims, data: Array.from(data, Number) },
      ]),
    );
  } finally {
    await session.release();
  }
}

function gradientOf({ gradients }: TrainingGraph, name: string): string {
  if (!Object.hasOwn(gradients, name)) throw new Error(`The training graph has no gradient of '${name}'.`);
  return gradients[name]!;
}

function tensorOf(array: CaseArray): ort.Tensor {
  const values = elements(array);
  const { dtype, dims } = array;
  if (dtype === 'int64') return new ort.Tensor(dtype, BigInt64Array.from(values, BigInt), dims);
  return new ort.Tensor(dtype, arrayTypes[dtype].from(values), dims);
}

function elements({ dims, data, sine }: CaseArray): number[] {
  const size = dims.reduce((count, dim) => count * dim, 1);
  return sine === undefined ? flat(data) : Array.from({ length: size }, (_, i) => Math.sin(sine * i));
}

function flat(data: unknown): number[] {
  return (Array.isArray(data) ? data.flat(Infinity) : [data]).map(Number);
}

function entries(arrays: Readonly<Record<string, CaseArray>> | undefined): [string, CaseArray][] {
  return Object.entries(arrays ?? {});
}

/** NaN and infinities must be where they are expected; other elements may be off by rounding. */
function requireClose(
  label: string,
  found: Result | undefined,
  dims: readonly number[],
  right: readonly number[],
): void {
  expect(found?.dims, `shape of ${label}`).toEqual(dims);
  const finite = right.filter(Number.isFinite);
  const scale = Math.max(0, ...finite.map(Math.abs));
  right.forEach((value, i) => {
    const other = found!.data[i]!;
    const close = Number.isFinite(value) && Math.abs(other - value) <= TOLERANCE * scale;
    if (!close) expect(other, `${label}, element ${i}`).toBe(value);
  });
}
