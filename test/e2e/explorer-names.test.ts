import { expect, test } from 'vitest';
import { exampleScored, seriousViolations, useDemo } from './demo-page.ts';

const demo = useDemo();

const names = ['ENSG00000141510_TP53', 'ENSG00000100037_MPAK1', 'ENSG00000113949_LNCB86'].map(
  (name) => `FUNC__${name}`,
);

/** A table of the three nodes; the last one is the source of nothing that has a score. */
function longTable(): string {
  const rows = [
    [0, 1, '0.25', 'false', '0', '0', '0.3', '0.2'],
    [1, 0, '0.125', 'true', '1e-310', '2e-310', '0.125', ''],
    [0, 2, '-0.05', 'false', '0.9', '1', '-0.05', '-0.05'],
    [1, 2, '-0.1', 'false', '0.99', '1', '-0.1', '-0.1'],
    [2, 0, '', 'false', '1', '1', '', ''],
    [2, 1, '', 'false', '1', '1', '', ''],
  ] as const;
  const lines = rows.map(([i, j, ...rest]) => [names[i], names[j], i, j, ...rest].join(','));
  const head = 'src_func,dst_func,src_idx,dst_idx,corr,has_edge,p_value,q_value,corr_a0_g1,corr_a1_g2';
  return [head, ...lines].join('\n');
}

async function openLongTable(): Promise<void> {
  const { page } = demo;
  await exampleScored(page);
  await page.getByText('Name lists and edge tables').click();
  await page.getByLabel('Edge table', { exact: true }).setInputFiles({
    name: 'long.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from(longTable()),
  });
  await page.getByText('6 rows', { exact: true }).first().waitFor();
}

const cell = (row: number, column: number) =>
  demo.page.getByRole('grid', { name: 'Edges' }).getByRole('row').nth(row).getByRole('gridcell').nth(column);

test('long names: a shared beginning goes, the end stays, and the tooltip has all of it', async () => {
  const { page } = demo;
  await openLongTable();
  expect(await cell(1, 0).textContent()).toBe('ENSG00000141510_TP53');
  // Bars are shares of the largest score.
  expect(await cell(2, 2).locator('i').getAttribute('style')).toContain('scaleX(0.5)');
  // No p or q is 0, nor a number that float64 holds a few bits of.
  for (const row of [1, 2]) {
    expect(await cell(row, 3).textContent()).toBe('< 1e−300');
    expect(await cell(row, 5).textContent()).toBe('< 1e−300');
  }
  await cell(1, 0).hover();
  const tooltip = page.getByRole('tooltip');
  await tooltip.getByText(`${names[0]!} → ${names[1]!}`).waitFor();
  const text = await tooltip.innerText();
  expect(text).toContain('score 0.2500 · p < 1e−300 · q < 1e−300');
  expect(text.replaceAll(/\s+/g, ' ')).toContain('layer 0→1 0.3000 layer 1→2 0.2000');
  expect(text).toContain('Not in the graph');
  expect(await seriousViolations(page)).toEqual([]);
});

test('a pair without a score says why; the pair under the pointer lights up in the table', async () => {
  const { page } = demo;
  await openLongTable();
  expect(await cell(5, 2).textContent()).toBe('–');
  await cell(5, 0).hover();
  await page
    .getByRole('tooltip')
    .getByText('No score: the activation of the source does not vary.')
    .waitFor();
  await cell(5, 0).click();
  await page
    .getByRole('status', { name: 'Selection' })
    .getByText(/No score: the activation of the source does not vary/)
    .waitFor();
  const square = (await page.getByRole('application', { name: /^Heatmap/ }).boundingBox())!;
  // Cells of three nodes are as large as cells get: the second row, first column, inside the labels at the left and on top.
  const side = 64;
  await page.mouse.move(square.x + 78 + side / 2, square.y + 70 + 1.5 * side);
  await page.getByRole('tooltip').getByText(`${names[1]!} → ${names[0]!}`).waitFor();
  expect(await page.locator('[data-lit]').textContent()).toContain('ENSG00000100037_MPAK1');
  await page.getByLabel('Search by name').fill('nobody');
  await page.getByText('No pair passes the search and the filters.').waitFor();
});

test('borders of columns drag, and two clicks give every name its room', async () => {
  const { page } = demo;
  await openLongTable();
  const head = page.getByRole('columnheader', { name: 'Source' });
  const width = async () => (await head.boundingBox())!.width;
  const before = await width();
  await head.locator('.resize').hover();
  await page.mouse.down();
  const { x, y, width: wide, height } = (await head.locator('.resize').boundingBox())!;
  await page.mouse.move(x + wide / 2 - 60, y + height / 2, { steps: 3 });
  await page.mouse.up();
  await expect.poll(async () => Math.abs((await width()) - (before - 60))).toBeLessThan(2);
  await head.locator('.resize').dblclick();
  const start = cell(1, 0).locator('.start');
  await expect
    .poll(() => start.evaluate((span) => span.scrollWidth - span.clientWidth))
    .toBeLessThanOrEqual(0);
  // Dragging sorts nothing.
  expect(await head.getAttribute('aria-sort')).toBe('none');
});

test('columns are hidden and moved, the head is reached by keyboard, and several keys sort', async () => {
  const { page } = demo;
  await openLongTable();
  const heads = () => page.getByRole('columnheader').allInnerTexts();
  const titles = async () => (await heads()).map((text) => text.split(/\s+[↓↑]/)[0]!);
  await page.locator('summary', { hasText: 'Columns' }).click();
  await page.getByLabel('Column Edge', { exact: true }).uncheck();
  await page.getByRole('button', { name: 'Move Score to the left' }).click();
  await expect.poll(async () => (await titles()).slice(0, 3)).toEqual(['Source', 'Score', 'Target']);
  expect(await titles()).not.toContain('Edge');
  expect(await seriousViolations(page)).toEqual([]);
  await page.locator('summary', { hasText: 'Columns' }).click();

  // One stop for the keyboard; arrows go along the head, Enter sorts, with Shift by one key more.
  const head = page.getByRole('columnheader', { name: 'Source' }).getByRole('button');
  await head.focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Shift+Enter');
  await page.getByText('↑1', { exact: true }).waitFor();
  const shown = () =>
    page
      .getByRole('grid', { name: 'Edges' })
      .getByRole('row')
      .evaluateAll((rows) =>
        rows
          .slice(1)
          .map((row) => [...row.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent)),
      );
  // By source, and within a source by score, the highest first; what has none comes last.
  await expect
    .poll(async () => (await shown()).map(([source, score]) => `${source!.slice(-4)} ${score!}`))
    .toEqual(['PAK1 0.1250', 'PAK1 −0.1000', 'CB86 –', 'CB86 –', 'TP53 0.2500', 'TP53 −0.0500']);

  // A file of names: what nodes are called, and found by.
  await page.getByLabel('Names', { exact: true }).setInputFiles({
    name: 'symbols.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('ENSG00000141510,p53\nENSG00000113949,lincRNA\n'),
  });
  await page.getByText('2 names', { exact: true }).waitFor();
  await page.getByRole('searchbox', { name: 'Search by name' }).fill('p53 > linc');
  await expect
    .poll(async () => (await shown()).map(([source, , target]) => [source, target]))
    .toEqual([['p53', 'lincRNA']]);
  await cell(1, 0).hover();
  await page.getByRole('tooltip').getByText(`${names[0]!} → ${names[2]!}`).waitFor();
});
