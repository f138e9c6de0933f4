import { csvParse } from 'd3-dsv';
import { expect, test } from 'vitest';
import { downloaded, exampleScored, seriousViolations, useDemo } from './demo-page.ts';

const demo = useDemo();

const known = (row: { has_edge?: string }) => row.has_edge === 'true';

test('one filter for all views, live while one types, and files that say how large they will be', async () => {
  const { page } = demo;
  await exampleScored(page);
  const rows = csvParse((await downloaded(page, 'Download CSV')).bytes.toString('utf8'));
  const likely = rows.filter(({ q_value: q }) => q !== '' && Number(q) <= 0.05);
  const fresh = likely.filter((row) => !known(row));
  const status = page.getByRole('status', { name: 'Rows shown' });
  const tab = (name: string) => page.getByRole('tab', { name }).click();

  // No Enter: with every letter that makes a number.
  await page.getByLabel('q ≤').pressSequentially('0.05');
  await status.getByText(`${likely.length} of ${rows.length}`, { exact: true }).waitFor();
  const chip = (name: string) => page.getByRole('button', { name, exact: true });
  expect(await chip('q ≤ 0.05').getAttribute('aria-pressed')).toBe('true');
  await chip('new only').focus();
  await page.keyboard.press('Space');
  await status.getByText(`${fresh.length} of ${rows.length}`, { exact: true }).waitFor();

  // The heatmap covers the cells of all other pairs, and those alone.
  const passes = new Set(fresh.map(({ src_idx: i, dst_idx: j }) => `${i} ${j}`));
  await page.locator('canvas[data-order=index]').waitFor();
  const covered = () =>
    page.evaluate(
      (nodes) =>
        new Promise<string[]>((done) => {
          requestAnimationFrame(() => {
            requestAnimationFrame(() => {
              const canvas = document.querySelector<HTMLCanvasElement>('canvas.overlay')!;
              const ratio = canvas.width / canvas.clientWidth;
              const side = Math.min(canvas.clientWidth - 78 - 8, canvas.clientHeight - 70) / nodes;
              // Chromium complains of the second reading of a canvas that was not made for it.
              const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {
                willReadFrequently: true,
              })!;
              copy.drawImage(canvas, 0, 0);
              const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
              const opacity = (x: number, y: number) =>
                data[4 * (Math.round(y * ratio) * canvas.width + Math.round(x * ratio)) + 3]!;
              const open: string[] = [];
              for (let i = 0; i < nodes; i++)
                for (let j = 0; j < nodes; j++)
                  if (opacity(78 + (j + 0.5) * side, 70 + (i + 0.5) * side) < 100) open.push(`${i} ${j}`);
              done(open);
            });
          });
        }),
      24,
    );
  await expect.poll(covered).toEqual(
    [...passes].sort((a, b) => {
      const [i = 0, j = 0] = a.split(' ').map(Number);
      const [k = 0, l = 0] = b.split(' ').map(Number);
      return i - k || j - l;
    }),
  );
  expect(await seriousViolations(page)).toEqual([]);

  await tab('Significance');
  await page
    .getByRole('img', { name: `${fresh.length} pairs not in the graph and 0 known edges by score` })
    .waitFor();
  await tab('Network');
  await page.getByText(`17 known, ${Math.min(50, fresh.length)} inferred`).waitFor();
  await page.getByLabel('Minimum score of inferred edges').fill('0');
  const positive = fresh.filter(({ corr }) => Number(corr) >= 0);
  await page.getByText(`17 known, ${positive.length} inferred`).waitFor();
  await page.getByLabel('Search by name').fill('f13 >');
  const ofOne = positive.filter(({ src_func: source }) => source === 'f13');
  await page.getByText(`17 known, ${ofOne.length} inferred`).waitFor();

  // Networks hold what is known or significant, whatever is on show; other formats everything.
  const size = async (format: string) => {
    const shown = page.locator(`#size-${format.toLowerCase()}`);
    await expect.poll(() => shown.textContent()).toMatch(/\d/);
    return /([\d.,]+)\s(bytes|kB)/.exec((await shown.textContent()) ?? '');
  };
  const graphml = (await downloaded(page, 'Download GraphML')).bytes.toString('utf8');
  expect(graphml.match(/<edge /g)).toHaveLength(fresh.length + rows.filter(known).length);
  for (const format of ['CSV', 'GraphML', 'Cytoscape', 'Arrow', 'Parquet']) {
    const [, number = '', unit] = (await size(format)) ?? [];
    const said = Number(number.replace(',', '')) * (unit === 'kB' ? 1000 : 1);
    const { length } = (await downloaded(page, `Download ${format}`)).bytes;
    // Three digits are said; provenance inside files is not counted.
    expect(Math.abs(said / length - 1), format).toBeLessThan(0.08);
  }
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await status.getByText(`${rows.length} rows`, { exact: true }).waitFor();
  expect(await page.getByLabel('q ≤').inputValue()).toBe('');
});
