import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PANEL, THREAD_SET } from '../../../../src/engine/webgpu/scoring/partial-kernels.ts';
import {
  factorElements,
  largestSet,
  planTargets,
} from '../../../../src/engine/webgpu/scoring/target-blocks.ts';
import { raggedFromLists } from '../../../../src/statistics.ts';

const NODES = 60;
const setLists = fc.array(fc.uniqueArray(fc.nat(NODES - 1), { maxLength: 50 }), {
  minLength: NODES,
  maxLength: NODES,
});

test('every target is in one block, whose plan leads back to its members', () => {
  fc.assert(
    fc.property(setLists, fc.integer({ min: 1, max: 80 }), (lists, rows) => {
      const sets = raggedFromLists(lists.map((list) => list.sort((a, b) => a - b)));
      const limits = { rows, factorElements: 4000 };
      // Two panels, the second with rows beyond the last target.
      const panels = [0, 24].map((row) => ({ row, rows: row === 0 ? 24 : 40 }));
      const blocks = panels.flatMap((panel) => planTargets(sets, panel, limits, 45));
      for (const { targets } of blocks) expect(targets.every((target) => target < 24)).toBe(targets[0]! < 24);
      const seen = blocks.flatMap(({ targets }) => targets).sort((a, b) => a - b);
      expect(seen).toEqual(lists.flatMap((list, target) => (list.length <= 45 ? [target] : [])));
      for (const block of blocks) {
        const sizes = block.targets.map((target) => lists[target]!.length);
        const alone = block.targets.length === 1;
        expect(alone || block.rowSources.length <= rows).toBe(true);
        expect(alone || block.factorElements <= limits.factorElements).toBe(true);
        expect(block.largestSet).toBe(Math.max(...sizes));
        for (const most of [THREAD_SET, PANEL]) {
          expect(sizes.every((size) => size > most) || sizes.every((size) => size <= most)).toBe(true);
        }
        expect(block.members).toBe(sizes.reduce((sum, size) => sum + size, 0));
        let factor = 0;
        block.targets.forEach((target, slot) => {
          const [node, at, size, first] = block.plan.subarray(4 * slot, 4 * slot + 4);
          expect([node, size, first]).toEqual([target, lists[target]!.length, factor]);
          factor += factorElements(size!);
          const members = block.plan.subarray(at, at! + 2 * size!);
          lists[target]!.forEach((source, k) => {
            expect(members[2 * k]).toBe(source);
            expect(block.rowSources[members[2 * k + 1]!]).toBe(source);
          });
        });
      }
    }),
  );
});

test('the rows of the largest set fit what a device binds', () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };
  expect(largestSet(limits, 64)).toBe(1024);
  expect(largestSet(limits, 16_384)).toBe(1024);
  expect(largestSet(limits, 20_000)).toBe(838);
  expect(largestSet({ ...limits, maxBufferSize: 2 ** 26 }, 20_000)).toBe(419);
});
