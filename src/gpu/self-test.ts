import extended from '../../shaders/shared/extended.wgsl?raw';
import selfTest from '../../shaders/self-test.wgsl?raw';
import selfTestDot from '../../shaders/self-test-dot.wgsl?raw';
import { MagnitudeEdgeError } from '../errors.ts';
import { BufferPool, createStorage, storageFrom, type OwnedBuffer } from './buffer.ts';
import { assertAlive, describeAdapter, type GpuContext } from './device.ts';
import { created } from './error-scope.ts';
import { compileKernel, type KernelDefinition } from './kernel.ts';
import { readBack } from './readback.ts';
import { Recorder } from './recorder.ts';

/** Pairs of numbers -> what extended precision makes of them. */
export const selfTestKernel = {
  label: 'self-test.wgsl',
  sources: [extended, selfTest],
  params: { count: 'u32', zero: 'u32' },
  buffers: { numbers: 'read', results: 'read-write' },
} as const satisfies KernelDefinition;

/** The name of WGSL's language extension for integer dot products. */
export const INTEGER_DOT = 'packed_4x8_integer_dot_product';

/** Pairs of words -> their dot products as four signed bytes each. */
export const selfTestDotKernel = {
  label: 'self-test-dot.wgsl',
  sources: [`requires ${INTEGER_DOT};`, selfTestDot],
  params: { count: 'u32' },
  buffers: { words: 'read', results: 'read-write' },
} as const satisfies KernelDefinition;

/** What a device turned out to be able to do: what kernels are picked by. */
export interface Arithmetic {
  /** Integer dot products are there, and right */
  readonly integerDot: boolean;
  /** `fma` rounds once; nothing here depends on it */
  readonly fusedMultiplyAdd: boolean;
}

const WORKGROUP = 64;

/** Pairs whose sums and products leave a rounding error, over a wide range of sizes and both orders. */
function testPairs(): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: 2 * WORKGROUP }, (_, k) => {
    const sign = k % 3 === 0 ? -1 : 1;
    return (sign * (1 + Math.SQRT2 * k)) / 3 ** ((k * 7) % 23);
  });
}

/** Devices that were tested, or are being tested. */
const tested = new WeakMap<GPUDevice, Promise<Arithmetic>>();

/**
 * Checks, once per device, that the rounding errors which extended precision lives on survive its shader compiler.
 * WGSL allows compilers to reassociate float arithmetic, and drivers have been wrong before.
 *
 * @returns what the device does beyond that
 * @throws `gpu-validation` where they do not: this library's kernels would give wrong digits there; `device-lost`
 */
export function checkArithmetic(context: GpuContext): Promise<Arithmetic> {
  let test = tested.get(context.device);
  if (test === undefined) {
    test = run(context);
    tested.set(context.device, test);
    test.catch(() => tested.delete(context.device));
  }
  return test;
}

async function run(context: GpuContext): Promise<Arithmetic> {
  const kernel = await compileKernel(context, selfTestKernel, { WORKGROUP });
  const pool = new BufferPool();
  try {
    const pairs = testPairs();
    const [numbers, results] = await create(context, pool, pairs, 4 * 2 * 5 * WORKGROUP);
    await new Recorder(context)
      .dispatch(kernel, { count: WORKGROUP, zero: 0 }, { numbers, results }, [1, 1, 1])
      .submit('the self-test');
    const [bytes] = await readBack(context, [results]);
    const found = new Float32Array(bytes!);
    const failed = failures(pairs, found);
    if (failed.length === 0) {
      return { integerDot: await testIntegerDot(context), fusedMultiplyAdd: fuses(pairs, found) };
    }
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

/** Buffers for the operands, filled, and for so many bytes of results; the pool's. */
async function create(
  context: GpuContext,
  pool: BufferPool,
  operands: Parameters<typeof storageFrom>[2],
  bytes: number,
): Promise<readonly [OwnedBuffer, OwnedBuffer]> {
  const what = 'the self-test';
  return [
    pool.keep(await created(context, what, () => storageFrom(context, 'self-test', operands))),
    pool.keep(await created(context, what, () => createStorage(context, 'self-test results', bytes))),
  ];
}

/** 48 products of digits: 16 times 512^2 + 2 * 512 * 511, which float32 holds exactly. */
const DIGIT_PRODUCTS = 16 * (512 ** 2 + 2 * 512 * 511);

/** Names of what does not agree with float64; exported for its own test. */
export function failures(pairs: Float32Array, results: Float32Array): string[] {
  const failed = new Set<string>();
  for (let pair = 0; 2 * pair < pairs.length; pair++) {
    const [x, y] = [pairs[2 * pair]!, pairs[2 * pair + 1]!];
    const words = (which: number): number =>
      results[10 * pair + 2 * which]! + results[10 * pair + 2 * which + 1]!;
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

/** Whether every multiply-add found the rounding error of its product. */
function fuses(pairs: Float32Array, results: Float32Array): boolean {
  for (let pair = 0; 2 * pair < pairs.length; pair++) {
    const found = results[10 * pair + 8]! + results[10 * pair + 9]!;
    const exact = pairs[2 * pair]! * pairs[2 * pair + 1]!;
    if (found !== exact) return false;
  }
  return true;
}

/** Words whose bytes reach both ends of their range, in all places. */
function testWords(): Uint32Array<ArrayBuffer> {
  const bytes = Int8Array.from({ length: 8 * WORKGROUP }, (_, k) =>
    k % 3 === 0 ? -128 : k % 5 === 0 ? 127 : ((k * 2654435761) >>> 7) & 0xff,
  );
  return new Uint32Array(bytes.buffer);
}

/** The sum of the products of the signed bytes of two words. */
export function dotOfBytes(a: number, b: number): number {
  const byte = (word: number, place: number): number => (word << (24 - 8 * place)) >> 24;
  return [0, 1, 2, 3].reduce((sum, place) => sum + byte(a, place) * byte(b, place), 0);
}

/** Whether the device has integer dot products, and they are right. No error: kernels without them are there. */
async function testIntegerDot(context: GpuContext): Promise<boolean> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu as Partial<GPU> | undefined;
  if (gpu?.wgslLanguageFeatures?.has(INTEGER_DOT) !== true) return false;
  const pool = new BufferPool();
  try {
    const kernel = await compileKernel(context, selfTestDotKernel, { WORKGROUP });
    const pairs = testWords();
    const [words, results] = await create(context, pool, pairs, 4 * WORKGROUP);
    await new Recorder(context)
      .dispatch(kernel, { count: WORKGROUP }, { words, results }, [1, 1, 1])
      .submit('the self-test');
    const [bytes] = await readBack(context, [results]);
    return new Int32Array(bytes!).every(
      (found, pair) => found === dotOfBytes(pairs[2 * pair]!, pairs[2 * pair + 1]!),
    );
  } catch (error) {
    assertAlive(context);
    if (error instanceof MagnitudeEdgeError && error.code === 'gpu-validation') return false;
    throw error;
  } finally {
    pool.destroy();
  }
}
