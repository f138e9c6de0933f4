import extended from '../../shaders/shared/extended.wgsl?raw';
import selfTest from '../../shaders/self-test.wgsl?raw';
import { MagnitudeEdgeError } from '../errors.ts';
import { BufferPool, createStorage, storageFrom } from './buffer.ts';
import { describeAdapter, type GpuContext } from './device.ts';
import { created } from './error-scope.ts';
import { compileKernel, type KernelDefinition } from './kernel.ts';
import { readBack } from './readback.ts';
import { Recorder } from './recorder.ts';

/** Pairs of numbers -> results of extended-precision arithmetic on them. */
export const selfTestKernel = {
  label: 'self-test.wgsl',
  sources: [extended, selfTest],
  params: { count: 'u32', zero: 'u32' },
  buffers: { numbers: 'read', results: 'read-write' },
} as const satisfies KernelDefinition;

const WORKGROUP = 64;

/** Pairs whose sums and products leave a rounding error, over a wide range of sizes and both orders. */
function testPairs(): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 2 * WORKGROUP }, (_, k) => {
    const sign = k % 3 === 0 ? -1 : 1;
    return (sign * (1 + Math.SQRT2 * k)) / 3 ** ((k * 7) % 23);
  });
}

/** Results per device, finished or pending. */
const tested = new WeakMap<GPUDevice, Promise<void>>();

/**
 * Checks, once per device, that the rounding errors which extended precision relies on survive its shader compiler.
 * WGSL allows compilers to reassociate float arithmetic, and drivers have been wrong before.
 *
 * @throws `gpu-validation` if they do not, since this library's kernels would lose digits there; `device-lost`
 */
export function checkArithmetic(context: GpuContext): Promise<void> {
  let test = tested.get(context.device);
  if (test === undefined) {
    test = run(context);
    tested.set(context.device, test);
    test.catch(() => tested.delete(context.device));
  }
  return test;
}

async function run(context: GpuContext): Promise<void> {
  const kernel = await compileKernel(context, selfTestKernel, { WORKGROUP });
  const pool = new BufferPool();
  try {
    const pairs = testPairs();
    const what = 'the self-test';
    const numbers = pool.keep(await created(context, what, () => storageFrom(context, 'self-test', pairs)));
    const results = pool.keep(
      await created(context, what, () => createStorage(context, 'self-test results', 4 * 2 * 4 * WORKGROUP)),
    );
    await new Recorder(context)
      .dispatch(kernel, { count: WORKGROUP, zero: 0 }, { numbers, results }, [1, 1, 1])
      .submit(what);
    const [bytes] = await readBack(context, [results]);
    const failed = failures(pairs, new Float32Array(bytes!));
    if (failed.length === 0) return;
    throw new MagnitudeEdgeError(
      'gpu-validation',
      `The shader compiler of '${describeAdapter(context.adapterInfo)}' loses the rounding errors of ${failed.join(', ')}: ` +
        'scores would lose digits, so this device is not used.',
      { details: { failed } },
    );
  } finally {
    pool.destroy();
  }
}

/** 48 products of digits: 16 times 512^2 + 2 * 512 * 511, which float32 holds exactly. */
const DIGIT_PRODUCTS = 16 * (512 ** 2 + 2 * 512 * 511);

/** Names of the operations that disagree with float64; exported for its own test. */
export function failures(pairs: Float32Array, results: Float32Array): string[] {
  const failed = new Set<string>();
  for (let pair = 0; 2 * pair < pairs.length; pair++) {
    const [x, y] = [pairs[2 * pair]!, pairs[2 * pair + 1]!];
    const words = (which: number): number =>
      results[8 * pair + 2 * which]! + results[8 * pair + 2 * which + 1]!;
    const within = (name: string, found: number, expected: number, bits: number): void => {
      if (!(Math.abs(found - expected) <= Math.abs(expected) * 2 ** -bits)) failed.add(name);
    };
    within('sums', words(0), x + y, 45);
    within('products', words(1), x * y, 45);
    within('square roots', words(2), Math.sqrt(Math.abs(x)), 43);
    within('digits', words(3), DIGIT_PRODUCTS, 60);
  }
  return [...failed];
}
