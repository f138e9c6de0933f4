import { format } from 'prettier';
import { expect, test } from 'vitest';
import type { GradientRule } from '../../../src/training-graph/gradients/rule.ts';
import { ruleFamilies, withoutGradient } from '../../../src/training-graph/gradients/table.ts';
import { lossNames } from '../../../src/training-graph/losses.ts';

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth'];

function inputsText({ inputs, throughSubgraphs }: GradientRule): string {
  if (throughSubgraphs === true) return 'none';
  return inputs === undefined ? 'all' : inputs.map((index) => ordinals[index]!).join(', ');
}

function page(): string {
  const families = Object.entries(ruleFamilies).map(([family, rules]) => {
    const rows = Object.entries(rules)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([op, rule]) => `| ${op} | ${inputsText(rule)} | ${rule.note ?? ''} |`);
    return [
      `## ${family}`,
      '',
      '| operator | inputs with gradients | limits and conventions |',
      '| --- | --- | --- |',
      ...rows,
    ].join('\n');
  });
  return [
    '# Operators with gradients',
    '',
    'Generated from the rules in `src/training-graph/gradients` by `npm run generate:ops`; every rule is tested against',
    'central differences in float64.',
    '',
    'Models may be written in operator set 13 or newer; training graphs are written in 18, or in the model’s own if that',
    'is newer. Values on a path that needs gradients have to be float32. Any other operator may stand where no gradient',
    'has to pass: on such a path it is refused with code `unsupported-op`, which names operator, node and path. Local',
    'functions are inlined, an If whose condition is known before the graph runs leaves its branch, and a Loop of known',
    'length is written out while that stays within about the size of the model (or 1,000 nodes); any other Loop or Scan is',
    'refused on such a path. What the body of an If, Loop or Scan reads from the graph around it counts as its input. Unless noted otherwise, sizes may be known only when the graph runs.',
    '',
    'Inputs that are not listed hold indices, shapes, axes, masks or types, or change the output in steps: no gradient',
    'passes them. Nothing else is left out: where a path leads through an input or output that a rule does not cover, the',
    'model is refused. `test/unit/training-graph/rule-inputs.test.ts` holds this against the standard’s list of inputs.',
    '',
    `Losses: ${lossNames.map((name) => `\`${name}\``).join(', ')}, each reduced by mean or sum, and functions of your own.`,
    'Cross-entropy takes class probabilities, or class indices (`targetKind`): those equal to `ignoreIndex` (-100, as in',
    'torch) do not count, and any other index that is no class gives NaN.',
    '',
    families.join('\n\n'),
    '',
    '## Operators that end a path',
    '',
    'Their outputs do not change with small changes of their inputs:',
    `${[...withoutGradient].sort().join(', ')}.`,
    '',
  ].join('\n');
}

test('docs/SUPPORTED_OPS.md is what the rules say', async () => {
  const text = await format(page(), { parser: 'markdown', printWidth: 110, proseWrap: 'preserve' });
  await expect(text).toMatchFileSnapshot('../../../docs/SUPPORTED_OPS.md');
});
