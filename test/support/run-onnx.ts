import * as ort from 'onnxruntime-web';

/** An array for a run: float32 unless its type says int64. */
export interface RunInput {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
  readonly type?: 'float32' | 'int64';
}

/** Runs an ONNX file once with the wasm provider and returns every output. */
export async function runOnnx(
  bytes: Uint8Array,
  inputs: Readonly<Record<string, RunInput>>,
): Promise<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>> {
  const session = await openOnnx(bytes);
  try {
    return await session.run(inputs);
  } finally {
    await session.release();
  }
}

/** A session of the wasm provider that takes and returns plain arrays. */
export async function openOnnx(bytes: Uint8Array) {
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  return {
    async run(inputs: Readonly<Record<string, RunInput>>) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, input]) => [name, tensorOf(input)]),
      );
      const outputs = await session.run(feeds);
      return Object.fromEntries(
        Object.entries(outputs).map(([name, { dims, data }]) => [name, { dims, data: data as Float32Array }]),
      );
    },
    release: () => session.release(),
  };
}

function tensorOf({ dims, data, type = 'float32' }: RunInput): ort.Tensor {
  if (type === 'float32') return new ort.Tensor('float32', Float32Array.from(data), dims);
  return new ort.Tensor('int64', BigInt64Array.from(Array.from(data, BigInt)), dims);
}

/**
 * Relative error of a whole array: largest difference over largest expected magnitude. NaN if either array holds one.
 */
export function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (found.length !== expected.length) return Infinity;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isNaN(found[i]! - expected[i]!)) return NaN;
    difference = Math.max(difference, Math.abs(found[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return difference === 0 ? 0 : difference / scale;
}
