import { expect } from 'vitest';
import { createStorage } from '../../src/gpu/buffer.ts';
import type { GpuContext } from '../../src/gpu/device.ts';
import { compileKernel, type KernelDefinition } from '../../src/gpu/kernel.ts';
import { Recorder, workgroups } from '../../src/gpu/recorder.ts';
import extended from '../../shaders/shared/extended.wgsl?raw';
import { checkArithmetic, failures } from '../../src/gpu/self-test.ts';
import { floats, randomNumbers, readFloats } from '../support/gpu-arrays.ts';
import { test } from '../support/gpu.ts';

const COUNT = 4096;

/** Runs `expression` over vec2f inputs a and b; returns (high, low) pairs. */
async function evaluate(
  gpu: GpuContext,
  expression: string,
  a: number[],
  b: number[],
): Promise<Float32Array> {
  const definition = {
    label: expression,
    sources: [
      extended,
      `struct Params { zero: u32 }
      @group(0) @binding(0) var<uniform> params: Params;
      @group(0) @binding(1) var<storage, read> left: array<vec2f>;
      @group(0) @binding(2) var<storage, read> right: array<vec2f>;
      @group(0) @binding(3) var<storage, read_write> result: array<vec2f>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
        fence = params.zero;
        let a = left[id.x];
        let b = right[id.x];
        result[id.x] = ${expression};
      }`,
    ],
    params: { zero: 'u32' },
    buffers: { left: 'read', right: 'read', result: 'read-write' },
  } as const satisfies KernelDefinition;
  const kernel = await compileKernel(gpu, definition);
  const result = createStorage(gpu, 'result', 4 * a.length);
  await new Recorder(gpu)
    .dispatch(
      kernel,
      { zero: 0 },
      { left: floats(gpu, a), right: floats(gpu, b), result },
      workgroups(a.length / 2 / 64),
    )
    .submit('extended precision');
  return readFloats(gpu, result);
}

/** Numbers as (high, low) pairs, over sixty binary orders of magnitude and both signs. */
function pairs(seed: number): number[] {
  const random = randomNumbers(seed);
  return Array.from({ length: COUNT }, () => {
    const value = (random() - 0.5) * 2 ** Math.floor(60 * random() - 30);
    const high = Math.fround(value);
    return [high, Math.fround(value - high)];
  }).flat();
}

const value = (words: ArrayLike<number>, index: number): number => words[2 * index]! + words[2 * index + 1]!;

test('sums of two float32 keep their rounding error, whatever the shader compiler does', async ({ gpu }) => {
  const a = pairs(1);
  const b = pairs(2);
  const found = await evaluate(gpu, 'two_sum(a.x, b.x)', a, b);
  for (let e = 0; e < COUNT; e++) {
    // Exact in float64 but for the widest spreads, where float64 itself rounds.
    const exact = a[2 * e]! + b[2 * e]!;
    expect(found[2 * e]).toBe(Math.fround(exact));
    expect(Math.abs(value(found, e) - exact)).toBeLessThanOrEqual(Math.abs(exact) * 2 ** -52);
  }
});

test('products of two float32 keep their rounding error exactly', async ({ gpu }) => {
  const a = pairs(3);
  const b = pairs(4);
  const found = await evaluate(gpu, 'two_product(a.x, b.x)', a, b);
  for (let e = 0; e < COUNT; e++) expect(value(found, e)).toBe(a[2 * e]! * b[2 * e]!);
});

test.for([
  // Bounds of the double-word algorithms (Joldes, Muller, Popescu 2017), in units of 2^-48, rounded up.
  ['ds_add(a, b)', 3, (a: number, b: number) => a + b, (a: number, b: number) => Math.abs(a + b)],
  ['ds_multiply(a, b)', 8, (a: number, b: number) => a * b, (a: number, b: number) => Math.abs(a * b)],
  ['ds_divide(a, b)', 16, (a: number, b: number) => a / b, (a: number, b: number) => Math.abs(a / b)],
  [
    'ds_subtract_product(a, a, b)',
    16,
    (a: number, b: number) => a - a * b,
    (a: number, b: number) => Math.abs(a) + Math.abs(a * b),
  ],
  ['ds_sqrt(abs(a.x) * vec2f(1.0, 0.0))', 16, undefined, undefined],
] as const)('%s is within %d / 2^48 of float64', async ([expression, units, exact, size], { gpu }) => {
  const a = pairs(5);
  const b = pairs(6);
  const found = await evaluate(gpu, expression, a, b);
  for (let e = 0; e < COUNT; e++) {
    const root = Math.sqrt(Math.abs(a[2 * e]!));
    const expected = exact?.(value(a, e), value(b, e)) ?? root;
    const scale = size?.(value(a, e), value(b, e)) ?? root;
    expect(Math.abs(value(found, e) - expected)).toBeLessThanOrEqual(units * 2 ** -48 * scale);
  }
});

test('the self-test passes here, and names what a compiler without rounding errors loses', async ({
  gpu,
}) => {
  await checkArithmetic(gpu);
  const pairs = Float32Array.of(1, 2 ** -30, 3, 5);
  const exact = (x: number, y: number): number[] => {
    const words = (value: number): number[] => [Math.fround(value), value - Math.fround(value)];
    const digits = [16 * (512 ** 2 + 2 * 512 * 511), 0];
    return [...words(x + y), ...words(x * y), ...words(Math.sqrt(x)), ...digits];
  };
  const results = Float32Array.from([...exact(1, 2 ** -30), ...exact(3, 5)]);
  expect(failures(pairs, results)).toEqual([]);
  const fast = results.map((word, k) => (k % 2 === 1 ? 0 : word));
  expect(failures(pairs, fast)).toEqual(['sums', 'square roots']);
});
