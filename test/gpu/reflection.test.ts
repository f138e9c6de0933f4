import { expect, test } from 'vitest';
import type { KernelDefinition } from '../../src/gpu/kernel.ts';
import * as scoreKernels from '../../src/engine/webgpu/scoring/score-kernels.ts';
import * as channelKernels from '../../src/engine/webgpu/scoring/channel-kernels.ts';
import * as partialKernels from '../../src/engine/webgpu/scoring/partial-kernels.ts';
import { selfTestKernel } from '../../src/gpu/self-test.ts';
import { configurations, productKernels } from '../../src/engine/webgpu/statistics/configurations.ts';
import * as statisticsKernels from '../../src/engine/webgpu/statistics/statistics-kernels.ts';
import { factorElements } from '../../src/engine/webgpu/scoring/target-blocks.ts';
import { TILES } from '../../src/engine/webgpu/statistics/gpu-matmul.ts';
import { isConstant } from '../../src/scoring/constant-nodes.ts';

const definitions = [
  selfTestKernel,
  ...Object.values(scoreKernels),
  ...Object.values(partialKernels),
  ...Object.values(statisticsKernels),
  ...Object.values(statisticsKernels.centreKernels),
  ...Object.values(productKernels),
  ...Object.values(channelKernels),
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
    Number(new RegExp(`const ${name}: \\w+ = ([^;]+?)u?;`).exec(code)![1]!);
  expect(constant('TILE')).toBe(statisticsKernels.TILE);
  expect(constant('PANEL')).toBe(partialKernels.PANEL);
  expect(constant('THREAD_SET')).toBe(partialKernels.THREAD_SET);
  expect(constant('WORKGROUP_SET')).toBe(partialKernels.WORKGROUP_SET);
  const own = ({ sources }: KernelDefinition, name: string): number =>
    Number(new RegExp(`const ${name}: u32 = (\\d+)u;`).exec(sources.at(-1)!)![1]!);
  expect(own(partialKernels.choleskyUpdateKernel, 'SIDE')).toBe(partialKernels.SIDE);
  expect(own(partialKernels.partialUpdateKernel, 'ACROSS')).toBe(partialKernels.UPDATE_PLACES);
  expect(4 * own(partialKernels.partialUpdateKernel, 'DOWN')).toBe(partialKernels.UPDATE_MEMBERS);
  // A workgroup's memory has room for a factor of that size on every device.
  expect(8 * factorElements(partialKernels.WORKGROUP_SET)).toBeLessThanOrEqual(16_384);
  expect(constant('NEEDS_FLOAT64')).toBe(partialKernels.NEEDS_FLOAT64);
  const share = constant('CONSTANT_SHARE');
  expect(isConstant(share, 1, undefined)).toBe(true);
  expect(isConstant(1.001 * share, 1, undefined)).toBe(false);
  expect(constant('TRIANGLE')).toBe(TILES.triangle);
  expect(constant('DIAGONAL_TILES')).toBe(TILES.diagonal);
  expect(constant('DIAGONAL')).toBe(statisticsKernels.DIAGONAL);
});

test.for(
  Object.entries(configurations).flatMap(([memory, ways]) =>
    Object.values(ways).map((way) => [memory, way.precision, way] as const),
  ),
)(
  "products from '%s', '%s', have tiles of the size that the host takes them for, and memory that every device has",
  ([, , { kernel, constants, span, tilesPerWorkgroup }]) => {
    const code = kernel.sources.join('\n');
    const { SIDE, WIDE, DEPTH, WORKGROUP } = constants;
    if (SIDE === undefined) {
      expect([span, tilesPerWorkgroup]).toEqual([WIDE === 1 ? 8 : 4, WORKGROUP]);
      return;
    }
    expect([span, tilesPerWorkgroup]).toEqual([4 * SIDE, 1]);
    expect(Number.parseInt(/const CHUNK: u32 = (\d+)u;/.exec(code)![1]!) % DEPTH!).toBe(0);
    // Vectors of 16 bytes in an operand, of which DEPTH for each group of four columns of both tiles.
    const operand = /struct Operand \{([^}]*)\}/.exec(code)?.[1]?.match(/vec4/g)?.length ?? 1;
    expect(2 * 16 * operand * DEPTH! * SIDE).toBeLessThanOrEqual(16_384);
    expect(SIDE * SIDE).toBeLessThanOrEqual(256);
  },
);
