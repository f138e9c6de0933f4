import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { absorbRows } from '../../../../src/scoring/channel/absorb.ts';
import { partNorms, regress, ridgeOf } from '../../../../src/scoring/channel/regression.ts';
import { factorLength, factorRidge } from '../../../../src/scoring/channel/ridge-factor.ts';
import { systemGram } from '../../../../src/scoring/channel/system-gram.ts';
import {
  channelMoments,
  channelSystem,
  meanSquares,
  type ChannelSystem,
  type LayerPair,
} from '../../../../src/scoring/channel/system.ts';
import { pairsOfSums } from '../../../../src/scoring/channel/sums.ts';
import {
  addChannelSums,
  emptyChannelSums,
  type ChannelSums,
} from '../../../../src/statistics/channel-sums.ts';
import {
  cheaperForm,
  partsOf,
  triangleColumns,
  type Part,
  type RidgeForm,
} from '../../../../src/scoring/channel/ridge-form.ts';
import { mixedBlocks, scalarMixedBlocks, type MixedBlocks } from '../../../../src/statistics/mixed-blocks.ts';
import { raggedFromLists, type RaggedIndices } from '../../../../src/statistics.ts';
import { runToEnd } from '../../../../src/statistics/yielder.ts';
import { channelCase, channelCases, type ChannelCase } from '../../../support/channel-case.ts';
import { randomNumbers } from '../../../support/random-numbers.ts';

const fixture = (name: string): ChannelCase =>
  channelCase(readFileSync(new URL(`../../../fixtures/channels/${name}.npz`, import.meta.url)));

/** A part's squared norms put where they belong, and rooted. */
function place(out: Float64Array, nodes: number, part: Part, norms: Float32Array): void {
  const count = part.end - part.first;
  norms.forEach((square, at) => {
    if (part.form === 'dual') out[part.first * nodes + at] = Math.sqrt(square);
    else out[Math.floor(at / count) * nodes + part.first + (at % count)] = Math.sqrt(square);
  });
}

function scores(memory: MixedBlocks, system: ChannelSystem, form: RidgeForm): Float64Array {
  const out = new Float64Array(system.nodes ** 2);
  const part = { form, first: 0, end: system.nodes };
  place(out, system.nodes, part, runToEnd(regress(memory, system, part))[0]!);
  return out;
}

function expectWithin(found: Float64Array, right: Float64Array, tolerance: number): void {
  const largest = right.reduce((most, value) => (value > most ? value : most), 0);
  found.forEach((value, at) => {
    if (Number.isNaN(right[at]!)) expect(value).toBeNaN();
    else expect(Math.abs(value - right[at]!) / largest).toBeLessThan(tolerance);
  });
}

/** Sums over all samples: over some of them in two steps, over the others about pivots of their own, and merged. */
function sumsOf(given: ChannelCase, samples: number): ChannelSums {
  const { channels, groups } = given;
  const bounds = [0, Math.floor(samples / 3), Math.floor(samples / 2), samples] as const;
  const [first, second, last] = [0, 1, 2].map((k) => given.batch(bounds[k]!, bounds[k + 1]!));
  const over = (parts: readonly ReturnType<ChannelCase['batch']>[]): ChannelSums => {
    const sums = emptyChannelSums(
      parts[0]!.activations.map((x) => {
        const { mean } = channelMoments([x], channels);
        return Float64Array.from(groups.indices, (channel) => mean[channel]!);
      }),
    );
    for (const { activations, gradients } of parts) {
      sums.pairs.forEach((pair, p) => {
        const rows = { x: [activations[p]!], u: [gradients[p]!] };
        runToEnd(absorbRows(mixedBlocks(), pair, rows, groups.indices, channels));
      });
    }
    return { ...sums, samples: parts.reduce((sum, { size }) => sum + size, 0) };
  };
  return addChannelSums(over([first!, second!]), over([last!]));
}

/** Random values of 300 samples. */
function wideCase(): { groups: RaggedIndices; pairs: LayerPair[]; channels: number } {
  const random = randomNumbers(5);
  const sizes = [300, ...Array.from({ length: 100 }, (_, node) => 1 + (node % 7))];
  const channels = sizes.reduce((sum, size) => sum + size, 0);
  let next = 0;
  const groups = raggedFromLists(sizes.map((size) => Array.from({ length: size }, () => next++)));
  const [x, u] = [0, 1].map(() => [Float32Array.from({ length: 300 * channels }, () => random())]);
  const pair = { x: x!, u: u!, samples: 300 };
  const [momentsX, meanSquareU] = [channelMoments(pair.x, channels), meanSquares(pair.u, channels)];
  return { groups, channels, pairs: [{ ...pair, momentsX, meanSquareU }] };
}

describe('channel regression', () => {
  for (const name of channelCases) {
    const given = fixture(name);
    const { pairs, groups, channels, lambda, nodes, samples } = given;
    const systems = [
      ...pairs.map((pair, p) => ({
        system: channelSystem([pair], groups, channels, lambda),
        right: given.oracle('pairs').subarray(p * nodes ** 2, (p + 1) * nodes ** 2),
        what: `pair ${p}`,
      })),
      {
        system: channelSystem(pairs, groups, channels, lambda),
        right: given.oracle('pooled'),
        what: 'pooled',
      },
    ];
    for (const { system, right, what } of systems) {
      // Standardised values and products in float32, some tens of them added up: 1e-6 of the largest score is what rounding
      // leaves, and either way of coming to B has it.
      it.each(['dual', 'primal'] as const)(`${name}, ${what}: %s is what numpy finds`, (form) => {
        expectWithin(scores(mixedBlocks(), system, form), right, 1e-6);
        expectWithin(scores(scalarMixedBlocks(), system, form), right, 1e-6);
      });
    }

    it(`${name}: sums of samples, in two pieces about other pivots, give what numpy finds`, () => {
      const sums = sumsOf(given, samples);
      const own = { ...groups, indices: Uint32Array.from(groups.indices.keys()) };
      const ofSums = pairsOfSums(sums);
      const fromSums = [...ofSums.map((pair) => [pair]), ofSums].map((some) =>
        channelSystem(some, own, sums.channels, lambda),
      );
      systems.forEach(({ right }, s) => {
        expectWithin(scores(mixedBlocks(), fromSums[s]!, 'primal'), right, 1e-6);
      });
    });

    it.each([1, 2, 3, 5])(`${name}: %i threads have all of it between them`, (threads) => {
      const memories = Array.from({ length: threads }, () => mixedBlocks());
      for (const { system, right } of systems) {
        const form = cheaperForm(system);
        const ridge = ridgeOf(system, form);
        const pieces = triangleColumns(ridge.size, threads).map((columns, t) =>
          runToEnd(systemGram(memories[t]!, system, form, columns)),
        );
        const factor = new Float32Array(factorLength(ridge.size));
        runToEnd(factorRidge(memories[0]!, pieces, ridge, factor));
        const found = new Float64Array(nodes ** 2).fill(NaN);
        const parts = partsOf(system, form, threads);
        expect(parts.length).toBeLessThanOrEqual(threads);
        parts.forEach((part, t) => {
          const [norms] = runToEnd(partNorms(memories[t]!, system, part, factor, [undefined]));
          place(found, nodes, part, norms!);
        });
        expectWithin(found, right, 1e-6);
      }
    });
  }

  it('rows of U in another order are those of a shuffled copy', () => {
    const { pairs, groups, channels, lambda, samples, nodes } = fixture('more-samples');
    const order = Uint32Array.from({ length: samples }, (_, row) => (row * 7 + 3) % samples);
    const [pair] = [pairs[0]!];
    const rows = pair.u.flatMap((block) =>
      Array.from({ length: block.length / channels }, (_, r) =>
        block.subarray(r * channels, (r + 1) * channels),
      ),
    );
    const shuffled = new Float32Array(samples * channels);
    order.forEach((from, to) => {
      shuffled.set(rows[from]!, to * channels);
    });
    for (const form of ['dual', 'primal'] as const) {
      const part = { form, first: 0, end: nodes };
      const [plain, ordered, again] = runToEnd(
        regress(mixedBlocks(), channelSystem([pair], groups, channels, lambda), part, [
          undefined,
          [order],
          undefined,
        ]),
      );
      const copy = channelSystem([{ ...pair, u: [shuffled] }], groups, channels, lambda);
      expect(ordered).toEqual(runToEnd(regress(mixedBlocks(), copy, part))[0]);
      expect(again).toEqual(plain);
      expect(ordered).not.toEqual(plain);
    }
  });

  it('larger than a panel both ways, and a node wider than one', () => {
    // 300 observations and 697 channels, one node with 300 of them: block borders of every loop are crossed.
    const { groups, pairs, channels } = wideCase();
    const system = channelSystem(pairs, groups, channels, 3);
    const [dual, primal] = (['dual', 'primal'] as const).map((form) => scores(mixedBlocks(), system, form));
    expectWithin(dual!, primal!, 1e-6);
    expectWithin(scores(scalarMixedBlocks(), system, 'dual'), primal!, 1e-6);
  });
});
