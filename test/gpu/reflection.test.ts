import { expect, test } from 'vitest';
import type { KernelDefinition } from '../../src/gpu/kernel.ts';
import * as scoreKernels from '../../src/scores/webgpu-kernels.ts';
import { selfTestKernel } from '../../src/gpu/self-test.ts';
import * as statisticsKernels from '../../src/statistics/webgpu-kernels.ts';
import { EPS } from '../../src/scores/request.ts';

const definitions = [
  selfTestKernel,
  ...Object.values(scoreKernels),
  ...Object.values(statisticsKernels),
].filter(
  (value): value is KernelDefinition & typeof value => typeof value === 'object' && 'sources' in value,
);

test('every shader has a definition', () => {
  const files = Object.keys(import.meta.glob('../../shaders/*.wgsl')).map((path) => path.split('/').at(-1));
  expect(new Set(definitions.map(({ label }) => label))).toEqual(new Set(files));
});

test.for(definitions.map((definition, index) => [`${definition.label} (${index})`, definition] as const))(
  '%s has the bindings and uniform fields of its definition',
  ([, { sources, params, buffers }]) => {
    const code = sources.join('\n').replaceAll(/\/\/.*/g, '');
    const bindings = [...code.matchAll(/@group\(0\) @binding\((\d+)\) var<([^>]+)> (\w+)/g)]
      .map(([, binding, space, name]) => ({ binding: Number(binding), space, name }))
      .sort((a, b) => a.binding - b.binding);
    const spaces = { read: 'storage, read', 'read-write': 'storage, read_write' };
    expect(bindings).toEqual([
      { binding: 0, space: 'uniform', name: 'params' },
      ...Object.entries(buffers).map(([name, access], at) => ({
        binding: at + 1,
        space: spaces[access],
        name,
      })),
    ]);
    const fields = /struct Params \{([^}]*)\}/.exec(code)![1]!;
    // Four-byte scalars only: the fields lie one after the other, as packParams writes them.
    expect([...fields.matchAll(/(\w+): (\w+),/g)].map(([, name, type]) => [name, type])).toEqual(
      Object.entries(params),
    );
  },
);

test('constants that shaders and host share are the same', () => {
  const code = definitions.flatMap(({ sources }) => sources).join('\n');
  const constant = (name: string): number =>
    Number.parseFloat(new RegExp(`const ${name}: \\w+ = ([^;]+);`).exec(code)![1]!);
  expect(constant('TILE')).toBe(statisticsKernels.TILE);
  expect(constant('PRIVATE_SET')).toBe(scoreKernels.PRIVATE_SET);
  expect(constant('UNSETTLED')).toBe(scoreKernels.UNSETTLED);
  expect(constant('EPS')).toBe(EPS);
});
