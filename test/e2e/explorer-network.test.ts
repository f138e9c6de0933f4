import type { Page } from 'playwright';
import { expect, test } from 'vitest';
import { exampleFile } from '../support/example-data.ts';
import { exampleScored, figureOf, seriousViolations, useDemo } from './demo-page.ts';

const demo = useDemo();

const picture = (page: Page) => page.getByRole('application', { name: /^Network of 24 function nodes/ });

/** Places of discs in the picture as SVG. */
async function discsIn(page: Page): Promise<string[]> {
  const { bytes } = await figureOf(page, 'SVG', { Width: 'screen' });
  return [...bytes.toString('utf8').matchAll(/<circle cx="([\d.-]+)" cy="([\d.-]+)"/g)].map(
    ([, x, y]) => `${x} ${y}`,
  );
}

/** Where a node's name stands in the picture as SVG, CSS pixels of the frame, with whether it is set off. */
async function namesIn(page: Page): Promise<Map<string, { x: number; y: number; bold: boolean }>> {
  const { bytes } = await figureOf(page, 'SVG', { Width: 'screen' });
  const found = [
    ...bytes
      .toString('utf8')
      .matchAll(/<text x="([\d.-]+)" y="([\d.-]+)"[^>]*font-weight="(\d+)"[^>]*>([^<]*)</g),
  ];
  return new Map(
    found.map(([, x, y, weight, name]) => [name!, { x: Number(x), y: Number(y), bold: weight === '600' }]),
  );
}

test('the graph is there as soon as a model is read, with inputs and outputs, before any run', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByRole('tab', { name: 'Network' }).click();
  await page.getByText(/^17 known, 50 inferred/).waitFor();
  // Layers of the example: inputs at the left of functions, those at the left of outputs.
  const names = await namesIn(page);
  expect(names.get('in0')!.x).toBeLessThan(names.get('f0')!.x);
  expect(names.get('f12')!.x).toBeLessThan(names.get('o0')!.x);
  expect(await seriousViolations(page)).toEqual([]);

  // A node that is looked for comes into the middle and is selected.
  await page.getByLabel('Find a node').fill('f13');
  await page.getByLabel('Find a node').press('Enter');
  const status = page.getByRole('status', { name: 'Selection' });
  await status.getByText('f13', { exact: true }).waitFor();
  const box = (await picture(page).boundingBox())!;
  await expect
    .poll(async () => {
      const { x, bold } = (await namesIn(page)).get('f13')!;
      return bold && Math.abs(x - box.width / 2);
    })
    .toBeLessThan(30);

  // It moves with the pointer; the rest stays.
  await page.getByRole('button', { name: 'Fit all' }).click();
  const at = (await namesIn(page)).get('f13')!;
  const before = new Set(await discsIn(page));
  // The name is above the disc, half a line and the disc's own radius away.
  await page.mouse.move(box.x + at.x, box.y + at.y + 16);
  await page.getByRole('tooltip').getByText('→ f14').waitFor();
  await page.mouse.down();
  await page.mouse.move(box.x + at.x + 60, box.y + at.y + 56, { steps: 4 });
  await page.mouse.up();
  await page.mouse.move(2, 2);
  const moved = (await discsIn(page)).filter((place) => !before.has(place));
  // It is selected, and drawn once more for that.
  expect(new Set(moved).size).toBe(1);
  expect(moved[0]).toBe(`${(at.x + 60).toFixed(1)} ${(at.y + 56).toFixed(1)}`);

  // Other scores of the model leave all of it where it was put.
  const ofCorrelation = () => page.getByText(/corr, mean of layers/);
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  await ofCorrelation().waitFor({ state: 'detached' });
  expect(await discsIn(page)).toContain(moved[0]);
  await page.getByLabel('Score', { exact: true }).selectOption('corr');
  await ofCorrelation().waitFor();
  expect(await discsIn(page)).toContain(moved[0]);

  // A pair chosen in the table is drawn, however low it scores, with the names of both ends.
  await page.getByRole('searchbox', { name: 'Search by name' }).fill('f0 > f23');
  await page.getByRole('gridcell', { name: 'f23', exact: true }).click();
  await page.getByLabel('Focus on the selection').selectOption('1');
  await expect.poll(async () => (await namesIn(page)).get('f23')?.bold).toBe(true);
  expect((await namesIn(page)).get('f0')?.bold).toBe(true);
  await page.getByRole('button', { name: 'Clear filters' }).click();

  // Plus, minus and the arrow keys do the same as the buttons.
  await picture(page).focus();
  await page.keyboard.press('+');
  await page.keyboard.press('ArrowRight');
  await status.getByText('f0', { exact: true }).waitFor();

  // Another model without data: its graph alone.
  await page.getByLabel('Model', { exact: true }).setInputFiles(await exampleFile('model.onnx'));
  await page.getByText('24 function nodes, 17 edges').waitFor();
  await picture(page).waitFor();
});

test('before any run: a model alone', async () => {
  await demo.open({ query: '?model=./example/model.onnx' });
  const { page } = demo;
  await page.getByRole('tab', { name: 'Network' }).click();
  await page.getByText('17 known', { exact: true }).waitFor();
  await picture(page).waitFor();
  await page.getByLabel('Layout').selectOption('force');
  expect((await namesIn(page)).has('f0')).toBe(true);
});
