import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SCRATCH_BYTES } from '../../../../src/engine/webgpu/scoring/block.ts';
import { PANEL } from '../../../../src/engine/webgpu/scoring/partial-kernels.ts';
import {
  solutionBytes,
  substitutionShape,
  substitutionSteps,
  type SubstitutionStep,
} from '../../../../src/engine/webgpu/scoring/substitution-steps.ts';

const sizes = fc.record({
  targets: fc.integer({ min: 1, max: 12 }),
  largestSet: fc.integer({ min: 0, max: 1024 }),
  nodes: fc.integer({ min: 1, max: 10_000 }),
});
test('steps fit scratch memory and submits, and go through every panel of every source of every target', () => {
  fc.assert(
    fc.property(sizes, fc.constantFrom(2e8, 1e9, 5e10), (size, budget) => {
      const shape = substitutionShape(size, budget);
      expect(solutionBytes(shape)).toBeLessThanOrEqual(SCRATCH_BYTES);
      const panels = Math.max(1, Math.ceil(size.largestSet / PANEL));
      const solved = new Map<string, number>();
      let entries = 0;
      let longest = 0;
      let inOrder = true;
      let last: SubstitutionStep | undefined;
      for (const step of substitutionSteps(size, shape, budget)) {
        longest = Math.max(longest, step.operations);
        const places = step.places[1] - step.places[0];
        const targets = step.targets[1] - step.targets[0];
        const key = `${step.targets[0]} ${step.firstSource} ${step.kind} ${step.firstMember}`;
        // Ranges of places follow one another from the first on.
        const before = last?.kind === step.kind && last.firstMember === step.firstMember ? last.places[1] : 0;
        inOrder &&= step.places[0] === (solved.has(key) ? before : 0);
        solved.set(key, step.places[1]);
        if (step.kind === 'solve') entries += 4 * places * targets;
        last = step;
      }
      expect(inOrder).toBe(true);
      expect(longest).toBeLessThanOrEqual(budget);
      expect([...solved.values()].every((end) => end === shape.quarter)).toBe(true);
      // Whole quarters of all ranges of sources, so that at most what a range has too many is computed and not used.
      const ranges = Math.ceil(size.nodes / (4 * shape.quarter));
      expect(entries).toBe(panels * size.targets * ranges * 4 * shape.quarter);
      expect(solved.size).toBe((2 * panels - 1) * ranges * Math.ceil(size.targets / shape.slots));
    }),
    { numRuns: 40 },
  );
});
