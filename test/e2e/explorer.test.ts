import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tableFromIPC } from 'apache-arrow';
import { csvParse, tsvParse } from 'd3-dsv';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import {
  downloaded,
  exampleScored,
  expectPictures,
  seriousViolations,
  shownRows,
  useDemo,
} from './demo-page.ts';

interface Golden {
  readonly auc: number;
  readonly mrr: number;
  readonly top: readonly (readonly [string, string, number])[];
}

const expected = JSON.parse(
  await readFile(new URL('../../demo/public/example/expected.json', import.meta.url), 'utf8'),
) as { corr: Golden; partial: Golden };
const [source, target, score] = expected.corr.top[0]!;

const artifacts = new URL('../artifacts/', import.meta.url).pathname;
mkdirSync(artifacts, { recursive: true });

const demo = useDemo();

const openView = (name: string) => demo.page.getByRole('tab', { name }).click();
const numberOf = async (term: string) =>
  Number(
    await demo.page
      .locator('dt', { hasText: term })
      .locator('xpath=following-sibling::dd')
      .first()
      .innerText(),
  );

describe('views', () => {
  test('one selection: a row chosen in the table is the cell, the node and the target of the other views', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('gridcell', { name: source, exact: true }).first().click();
    const status = page.getByRole('status', { name: 'Selection' });
    await expect(status.innerText()).resolves.toContain(`${source} → ${target} · score ${score.toFixed(4)}`);
    await openView('Evidence');
    await page.getByRole('heading', { name: target, exact: true }).waitFor();
    // Its best candidate is the pair itself, and the scatter behind it holds the samples.
    await page
      .getByRole('img', { name: /Scatter of 2000 samples: .*; score 0\.\d{4}/ })
      .first()
      .waitFor();
    await page
      .getByRole('button', { name: new RegExp(`^Select .* to ${target}$`) })
      .nth(1)
      .click();
    await expect(status.innerText()).resolves.toContain(`→ ${target}`);
  });

  test('ranking: AUC and MRR of the held-out edges are those of the float64 oracle', async () => {
    const { page } = demo;
    await exampleScored(page);
    await openView('Ranking');
    await page.getByRole('img', { name: /ROC curve/ }).waitFor();
    // Four decimals are shown. Near-ties may change places between float32 and float64: one place is 1/(16 * 507).
    expect(Math.abs((await numberOf('ROC AUC')) - expected.corr.auc)).toBeLessThan(3e-4);
    expect(Math.abs((await numberOf('MRR')) - expected.corr.mrr)).toBeLessThan(2e-3);
  });

  test('significance: histogram and volcano plot say what they show', async () => {
    const { page } = demo;
    await exampleScored(page);
    await openView('Significance');
    await page.getByRole('img', { name: /^Histogram of p-values: \d+ at q ≤ 0\.01/ }).waitFor();
    await page.getByRole('img', { name: /pairs not in the graph and 17 known edges/ }).waitFor();
  });

  test('network: known and inferred edges, threshold and focus', async () => {
    const { page } = demo;
    await exampleScored(page);
    await openView('Network');
    await page.getByText(/^17 known, \d+ inferred/).waitFor();
    const slider = page.getByRole('slider', { name: 'Minimum score of inferred edges' });
    await slider.fill('0.7');
    const above = expected.corr.top.filter(([, , value]) => value >= 0.7).length;
    await page.getByText(`17 known, ${above} inferred`).waitFor();
    await page.getByLabel('Focus on the selection').selectOption('1');
  });

  test('heatmap: every order, and the arrow keys select the cells', async () => {
    const { page } = demo;
    await exampleScored(page);
    for (const order of ['name', 'degree', 'cluster', 'index'])
      await page.getByLabel('Order of nodes').selectOption(order);
    await page.getByRole('application', { name: /Heatmap/ }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page
      .getByRole('status', { name: 'Selection' })
      .getByText(/^f0 → f/)
      .waitFor();
  });
});

describe('out', () => {
  test('every table format opens in a reader of its own and holds the same numbers', async () => {
    const { page } = demo;
    await exampleScored(page);
    const text = async (button: string) => (await downloaded(page, button)).bytes.toString('utf8');
    const first = { src_func: source, dst_func: target };
    const close = (value: unknown) => {
      expect(Math.abs(Number(value) - score)).toBeLessThan(1e-5);
    };

    const csv = csvParse(await text('Download CSV'));
    expect(csv).toHaveLength(552);
    expect(csv[0]).toMatchObject(first);
    close(csv[0]!.corr);
    const tsv = tsvParse(await text('Download TSV'));
    expect(tsv.map((row) => row.corr)).toEqual(csv.map((row) => row.corr));
    const arboreto = tsvParse(await text('Download arboreto'));
    expect(arboreto.columns).toEqual(['TF', 'target', 'importance']);
    expect(arboreto).toHaveLength(csv.filter((row) => row.corr !== '').length);
    expect(arboreto[0]).toMatchObject({ TF: source, target });
    close(arboreto[0]!.importance);

    const arrow = tableFromIPC((await downloaded(page, 'Download Arrow')).bytes);
    close(arrow.getChild('corr')?.get(0));
    expect(arrow.schema.metadata.get('score')).toBe('corr');
    const parquet = (await downloaded(page, 'Download Parquet')).bytes;
    const buffer = parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.byteLength);
    const records = await parquetReadObjects({ file: buffer as ArrayBuffer });
    expect(records).toHaveLength(552);
    expect(records[0]).toMatchObject(first);
    close(records[0]!.corr);

    // GraphML by the browser's own XML parser, which has seen nothing of ours.
    const graphml = await text('Download GraphML');
    const counts = await page.evaluate((xml) => {
      const parsed = new DOMParser().parseFromString(xml, 'application/xml');
      const kinds = [...parsed.querySelectorAll('edge > data[key=kind]')].map((data) => data.textContent);
      return {
        errors: parsed.querySelectorAll('parsererror').length,
        nodes: parsed.querySelectorAll('node').length,
        known: kinds.filter((kind) => kind === 'known').length,
      };
    }, graphml);
    expect(counts).toEqual({ errors: 0, nodes: 24, known: 17 });
    const cytoscape = JSON.parse(await text('Download Cytoscape')) as {
      elements: { nodes: unknown[]; edges: { data: { score: number } }[] };
    };
    expect(cytoscape.elements.nodes).toHaveLength(24);
    close(cytoscape.elements.edges[0]!.data.score);
  });

  test('only the rows on show, in the order on show', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('searchbox', { name: 'Search by name' }).fill(`${source} > `);
    await page.getByRole('button', { name: 'new only' }).click();
    await page.getByRole('columnheader', { name: 'Target' }).getByRole('button').click();
    await page.getByText('Only the rows shown').click();
    const grid = page.getByRole('grid', { name: 'Edges' });
    await page.waitForFunction(
      () => Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')) < 300,
    );
    const count = Number(await grid.getAttribute('aria-rowcount')) - 1;
    const arrow = tableFromIPC((await downloaded(page, 'Download Arrow')).bytes);
    expect(arrow.numRows).toBe(count);
    expect(arrow.schema.metadata.get('score')).toBe('corr');
    const names = Array.from({ length: count }, (_, row) => String(arrow.getChild('dst_func')!.get(row)));
    expect(names).toEqual(names.toSorted(new Intl.Collator('en', { numeric: true }).compare));
    expect(csvParse((await downloaded(page, 'Download CSV')).bytes.toString())).toHaveLength(count);
  });

  test('each view leaves as SVG that parses and PNG that decodes', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('gridcell', { name: source, exact: true }).first().click();
    for (const view of ['Heatmap', 'Network', 'Evidence', 'Ranking', 'Significance']) {
      await openView(view);
      await page.getByRole('tabpanel').locator('canvas, figure svg').first().waitFor();
      await expectPictures(page, view);
    }
  });

  test('a link restores parameters, filters, view and selection', async () => {
    const query = `?score=partial&layerAgg=max&view=evidence&edges=new&sort=dst%20up&select=${source}%3E${target}`;
    await demo.open({ query });
    const { page } = demo;
    await exampleScored(page);
    await expect(page.getByLabel('Score', { exact: true }).inputValue()).resolves.toBe('partial');
    await expect(page.getByLabel('Aggregate').inputValue()).resolves.toBe('max');
    await page.getByRole('heading', { name: target, exact: true }).waitFor();
    await page
      .getByRole('columnheader', { name: 'Target' })
      .and(page.locator('[aria-sort=ascending]'))
      .waitFor();
    await page.getByRole('button', { name: 'Copy link' }).click();
    const link = new URL(page.url()).searchParams;
    expect(Object.fromEntries(link)).toEqual(Object.fromEntries(new URLSearchParams(query)));
  });

  test('the methods text names the parameters used', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('button', { name: 'Methods text' }).click();
    const text = await page.getByRole('dialog').innerText();
    for (const fact of [
      '24 function nodes',
      '2000 samples',
      'batches of 128',
      'l1 norm',
      'Pearson',
      '3 layer pairs',
    ])
      expect(text).toContain(fact);
  });
});

describe('manners', () => {
  test('axe finds nothing serious, in any view, light or dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await demo.open({ colorScheme });
      const { page } = demo;
      await exampleScored(page);
      await page.getByRole('gridcell', { name: source, exact: true }).first().click();
      for (const view of ['Heatmap', 'Network', 'Evidence', 'Ranking', 'Significance', 'Edge recovery']) {
        await openView(view);
        await page.screenshot({ path: `${artifacts}explorer-${view.toLowerCase()}-${colorScheme}.png` });
        expect(await seriousViolations(page), `${view}, ${colorScheme}`).toEqual([]);
      }
    }
  });

  test('the keyboard alone: from the table to a view, by names that are spoken', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByRole('grid', { name: 'Edges' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.locator('[role=row][aria-selected=true]').waitFor();
    const [, second] = await shownRows(page);
    await page
      .getByRole('status', { name: 'Selection' })
      .getByText(`${second!.Source!} → ${second!.Target!}`)
      .waitFor();
    await page.keyboard.press('End');
    await page.locator('[role=row][aria-rowindex="553"][aria-selected=true]').waitFor();
    await page.getByRole('tab', { name: 'Heatmap' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.getByRole('tab', { name: 'Network', selected: true }).waitFor();
  });

  test('nothing jumps, from the first paint to the last view', async () => {
    const { page } = demo;
    await page.addInitScript(() => {
      const shifts: string[] = [];
      Object.assign(globalThis, { shifts });
      interface Shift extends PerformanceEntry {
        readonly value: number;
        readonly hadRecentInput: boolean;
        readonly sources: readonly { readonly node: Node | null }[];
      }
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput, sources } of list.getEntries() as Shift[]) {
          const moved = sources
            // A cell's number that gets shorter as live scores settle starts further to the right; a cell must not.
            .filter(({ node }) => !(node instanceof Text && node.parentElement?.role === 'gridcell'))
            .map(({ node }) => (node instanceof Element ? node : node?.parentElement))
            .map((element) => `${element?.localName} ${element?.className} ${element?.textContent}`);
          // Less than a thousandth of the screen times the way moved is no jump: text that is one pixel wider.
          if (!hadRecentInput && value > 1e-3 && moved.length > 0)
            shifts.push(`${value.toFixed(4)} ${moved.join(', ')}`);
        }
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await page.reload();
    await exampleScored(page);
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('button', { name: 'Pause', disabled: true }).waitFor();
    await exampleScored(page);
    for (const view of ['Network', 'Evidence', 'Ranking', 'Significance', 'Edge recovery', 'Heatmap']) {
      await openView(view);
      await page.getByRole('tabpanel').waitFor();
      // What comes late has come once the page has nothing to do, and has painted.
      await page.evaluate(
        () =>
          new Promise((done) => {
            requestIdleCallback(() => requestAnimationFrame(() => requestAnimationFrame(done)));
          }),
      );
    }
    expect(await page.evaluate(() => (globalThis as unknown as { shifts: string[] }).shifts)).toEqual([]);
  });

  test('every other button: theme, zoom, copying the methods, closing them', async () => {
    const { page } = demo;
    await exampleScored(page);
    const theme = () => page.evaluate(() => document.documentElement.dataset.theme ?? 'auto');
    for (const expectedTheme of ['light', 'dark', 'auto']) {
      await page.getByRole('button', { name: /^Theme/ }).click();
      expect(await theme()).toBe(expectedTheme);
    }
    const readoutAt = async (x: number, y: number) => {
      await page.getByRole('application', { name: /Heatmap/ }).hover({ position: { x, y } });
      return page.locator('.readout p').innerText();
    };
    const whole = await readoutAt(300, 200);
    expect(whole).toMatch(/^f\d+ → f\d+ · /);
    for (let step = 0; step < 4; step++) await page.getByRole('button', { name: 'Zoom in' }).click();
    await expect.poll(() => readoutAt(300, 200)).not.toBe(whole);
    await page.getByRole('button', { name: 'Zoom out' }).click();
    await page.getByRole('button', { name: 'Fit all' }).click();
    await expect.poll(() => readoutAt(300, 200)).toBe(whole);
    await demo.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Methods text' }).click();
    await page.getByRole('button', { name: 'Copy', exact: true }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('magnitude edge inference');
    await page.getByRole('button', { name: 'Close' }).click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  });

  test('a phone: nothing wider than the screen', async () => {
    await demo.open({ viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true });
    const { page } = demo;
    await exampleScored(page);
    await page.screenshot({ path: `${artifacts}explorer-phone.png`, fullPage: true });
    await expect(page.evaluate(() => document.documentElement.scrollWidth)).resolves.toBeLessThanOrEqual(375);
    for (const tab of [
      ...(await page.getByRole('tab').all()),
      page.getByRole('button', { name: 'Figure' }),
    ]) {
      await tab.scrollIntoViewIfNeeded();
      const { x, width } = (await tab.boundingBox())!;
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x + width).toBeLessThanOrEqual(375);
      // Nothing lies over it: a tab that is cut would be scrolled into sight by the click.
      expect(
        await tab.evaluate((element) => {
          const box = element.getBoundingClientRect();
          const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
          return element.contains(at);
        }),
      ).toBe(true);
    }
  });

  test('without WebGPU the CPU does the work and the sheet says so', async () => {
    const { page } = demo;
    await page.addInitScript(() => {
      // As in a browser that has never heard of it.
      Reflect.deleteProperty(Navigator.prototype, 'gpu');
    });
    await page.reload();
    await exampleScored(page);
    await page.getByText('What was read').click();
    await page.getByText('missing in this browser; the CPU does the work').waitFor();
    const [first] = await shownRows(page);
    expect(first).toMatchObject({ Source: source, Target: target });
  });

  test('works offline after the first load', async () => {
    const { page, context } = demo;
    await exampleScored(page);
    await page.waitForFunction(() => document.documentElement.dataset.offline === 'ready');
    await context.setOffline(true);
    await page.reload();
    await exampleScored(page);
    const [first] = await shownRows(page);
    expect(first).toMatchObject({ Source: source, Target: target });
  });
});
