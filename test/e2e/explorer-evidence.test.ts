import { csvParse } from 'd3-dsv';
import { expect, test } from 'vitest';
import { downloaded, exampleScored, seriousViolations, shownRows, useDemo } from './demo-page.ts';

const demo = useDemo();

/** A number as it is shown or written; NaN for a dash and for nothing. */
const numberIn = (text: string) => (text === '' ? NaN : Number(text.replace('−', '-').replace('%', '')));

/** Four decimals are shown, of magnitudes in single precision. */
function expectClose(value: number, expected: number): void {
  if (Number.isNaN(expected)) expect(value).toBeNaN();
  else expect(Math.abs(value - expected)).toBeLessThan(2e-4);
}

test('a pair: rank, path, what the parents explain, text to copy, and a shortlist that stays', async () => {
  const { page } = demo;
  await exampleScored(page);
  const rows = csvParse((await downloaded(page, 'Download CSV')).bytes.toString('utf8'));
  const known = rows.filter(({ has_edge: edge }) => edge === 'true');
  // A target with a known parent, and its best source that is none.
  const pair = rows.find(
    ({ has_edge: edge, dst_func: target }) =>
      edge === 'false' && known.some((other) => other.dst_func === target),
  )!;
  const [source, target] = [pair.src_func!, pair.dst_func!];
  await page.getByRole('searchbox', { name: 'Search by name' }).fill(`${source} > ${target}`);
  await page.getByRole('gridcell', { name: target, exact: true }).first().waitFor();
  await page.getByRole('grid', { name: 'Edges' }).getByRole('row').nth(1).click();
  await page.getByRole('tab', { name: 'Evidence' }).click();
  const evidence = page.getByRole('region', { name: 'Evidence for the pair' });
  const fact = (label: string) =>
    evidence.locator('.facts-of-pair > div').filter({ has: page.getByText(label, { exact: true }) });

  const rivals = rows.filter(({ dst_func, corr }) => dst_func === target && corr !== '');
  const rank = 1 + rivals.filter(({ corr }) => Number(corr) > Number(pair.corr)).length;
  expect(await fact('Rank').locator('dd').first().innerText()).toBe(`${rank} of ${rivals.length}`);
  // The way by Dijkstra's neighbour sets, as far as they grow.
  const reached = [new Set([source])];
  while (!reached.at(-1)!.has(target)) {
    const last = reached.at(-1)!;
    const next = new Set([...last, ...known.filter((e) => last.has(e.src_func!)).map((e) => e.dst_func!)]);
    if (next.size === last.size) break;
    reached.push(next);
  }
  const steps = reached.length - 1;
  const path = reached.at(-1)!.has(target) ? `${steps} step${steps === 1 ? '' : 's'}` : 'none';
  expect(await fact('Known path').locator('dd').first().innerText()).toBe(path);

  // The correlation of each layer pair is the table's; given the parents it is the table's partial score.
  const explained = async (column: number) => {
    await evidence.getByRole('columnheader', { name: 'Given the parents' }).waitFor();
    const cells = await evidence.locator(`tbody td:nth-child(${column})`).allInnerTexts();
    return cells.map(numberIn);
  };
  const layers = ['corr_a0_g1', 'corr_a1_g2', 'corr_a2_g3'];
  (await explained(3)).forEach((value, k) => {
    expectClose(value, numberIn(pair[layers[k]!]!));
  });
  const given = await explained(4);
  const shares = await explained(2);
  expect(shares.every((share) => share >= 0 && share <= 100)).toBe(true);
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
  const [shown] = await shownRows(page);
  given.forEach((value, k) => {
    expectClose(value, numberIn(shown![`layer ${k}→${k + 1}`]!));
  });
  await page.getByLabel('Score', { exact: true }).selectOption('corr');
  await expect.poll(() => page.getByRole('columnheader', { name: 'n cond' }).count()).toBe(0);

  await demo.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await evidence.getByRole('button', { name: 'Copy as text' }).click();
  await evidence.getByRole('button', { name: 'Copied' }).waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(
    new RegExp(`^${source} → ${target}: score ${Number(pair.corr).toFixed(4)}; .*rank ${rank} of`),
  );
  expect(text).toContain('Model model.onnx (SHA-256 ');

  await evidence.getByRole('button', { name: 'Shortlist' }).click();
  await evidence.getByLabel('Note').fill('ask, "them"');
  expect(await seriousViolations(page)).toEqual([]);
  await page.reload();
  await exampleScored(page);
  await page.getByRole('button', { name: 'on the shortlist only' }).click();
  await page.locator('[role=grid][aria-rowcount="2"]').waitFor();
  const list = csvParse((await downloaded(page, 'Shortlist (1)')).bytes.toString('utf8'));
  expect(list).toHaveLength(1);
  expect(list[0]).toMatchObject({
    src_func: source,
    dst_func: target,
    note: 'ask, "them"',
    has_edge: 'false',
  });
  expect(Number(list[0]!.corr)).toBeCloseTo(Number(pair.corr), 5);
});

test('two results: correlation against partial, and partial before and after an edge', async () => {
  const { page } = demo;
  await exampleScored(page);
  const csv = async () => csvParse((await downloaded(page, 'Download CSV')).bytes.toString('utf8'));
  const before = await csv();
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
  const after = await csv();
  await page.getByRole('tab', { name: 'Compare' }).click();
  const figure = (label: string) =>
    page.locator('dt', { hasText: label }).locator('xpath=following-sibling::dd').first().innerText();
  await page.getByRole('img', { name: /^\d+ pairs: corr, .* against partial, / }).waitFor();
  const partialOf = new Map(after.map((row) => [`${row.src_func!} ${row.dst_func!}`, row.corr!]));
  const both = before
    .map(
      (row) =>
        [numberIn(row.corr!), numberIn(partialOf.get(`${row.src_func!} ${row.dst_func!}`)!), row] as const,
    )
    .filter(([a, b]) => !Number.isNaN(a) && !Number.isNaN(b));
  expect(await figure('Pairs with both')).toBe(String(both.length));
  const mean = (k: 0 | 1) => both.reduce((sum, pair) => sum + pair[k], 0) / both.length;
  const [x, y] = [mean(0), mean(1)];
  const sum = (of: (pair: (typeof both)[number]) => number) =>
    both.reduce((total, pair) => total + of(pair), 0);
  const r =
    sum(([a, b]) => (a - x) * (b - y)) / Math.sqrt(sum(([a]) => (a - x) ** 2) * sum(([, b]) => (b - y) ** 2));
  expectClose(Number(await figure('Correlation')), r);
  const [a, b, largest] = both.toSorted((p, q) => Math.abs(q[1] - q[0]) - Math.abs(p[1] - p[0]))[0]!;
  const first = page.locator('tbody tr').first();
  expect(await first.getByRole('button').innerText()).toBe(`${largest.src_func!} → ${largest.dst_func!}`);
  expectClose(numberIn(await first.locator('td').nth(3).innerText()), b - a);

  // An edge that is added conditions the scores of its target, and no others.
  await first.getByRole('button').click();
  const [source, target] = [largest.src_func!, largest.dst_func!];
  await page.getByRole('button', { name: `Before and after ${source} → ${target}` }).click();
  await page.getByRole('img', { name: new RegExp(`against partial, with ${source} → ${target}`) }).waitFor();
  const changed = await page.locator('tbody tr').evaluateAll((rows) =>
    rows
      .map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))
      .filter((cells) => !['0.0000', '−0.0000'].includes(cells[3]!))
      .map((cells) => cells[0]!.split(' → ')[1]!),
  );
  expect(changed.length).toBeGreaterThan(0);
  expect(new Set(changed)).toEqual(new Set([target]));
  expect(await seriousViolations(page)).toEqual([]);
});
