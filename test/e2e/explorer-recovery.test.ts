import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { maskShare, type Edge } from '../../demo/src/graph/change.ts';
import { seeded } from '../../demo/src/graph/random.ts';
import { batches, GsnnModel, MagnitudeEdgeInferer, rocAuc, type NamedEdge } from 'magnitude-edge';
import { exampleFile, exampleFolder, repeatedExample } from '../support/example-data.ts';
import { exampleScored, expectPictures, layerNormScored, useDemo } from './demo-page.ts';

const expected = JSON.parse(await readFile(new URL('expected.json', exampleFolder), 'utf8')) as {
  partial: { auc: number };
};

const demo = useDemo();

interface Found {
  readonly auc: number;
  readonly mrr: number;
  readonly ranks: readonly (number | null)[];
}

interface Row {
  readonly src_func: string;
  readonly dst_func: string;
  readonly corr: number;
  readonly has_edge: boolean;
}

/** The example with edges switched off in the model, by the library alone: fit without them, score, rank. */
async function foundByLibrary(masked: readonly NamedEdge[]): Promise<Found> {
  const model = await GsnnModel.load((await exampleFile('model.onnx')).buffer);
  const inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
  try {
    await inferer.fit(batches((await exampleFile('data.npz')).buffer, model, { batchSize: 128 }), {
      maskedEdges: masked,
    });
    const table = await inferer.evaluate();
    const key = (src: string, dst: string) => `${src} ${dst}`;
    const wanted = new Set(masked.map((edge) => key(...edge)));
    const rows = ([...table] as Row[]).filter((row) => !row.has_edge && !Number.isNaN(row.corr));
    const { detail, summary } = MagnitudeEdgeInferer.evaluateTargetRanking(
      table,
      masked.map(([src, dst]): [string, string] => [src, dst]),
    );
    return {
      auc: rocAuc(
        Float64Array.from(rows, (row) => row.corr),
        rows.map((row) => wanted.has(key(row.src_func, row.dst_func))),
      ),
      mrr: summary.mrr!,
      ranks: [...(detail.getChild('rank') as Iterable<number | null>)],
    };
  } finally {
    await inferer.release();
    await model.release();
  }
}

/** The example's edges between function nodes, by name. */
let edges: NamedEdge[];
beforeAll(async () => {
  const model = await GsnnModel.load((await exampleFile('model.onnx')).buffer);
  const { nodeNames, edgeIndex } = model.graph;
  const [sources, targets] = edgeIndex['function,function'];
  edges = Array.from(sources, (source, k) => [nodeNames.function[source]!, nodeNames.function[targets[k]!]!]);
  await model.release();
});

const openTry = () => demo.page.getByRole('tab', { name: 'Edge recovery' }).click();
const numberOf = async (term: string) =>
  Number(
    await demo.page
      .locator('dt', { hasText: term })
      .locator('xpath=following-sibling::dd')
      .first()
      .innerText(),
  );
/** Rows of the table of repeats, as they are shown. */
const repeats = () =>
  demo.page
    .getByRole('table', { name: /^Masked edges/ })
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent)),
    );
const ranksIn = (cell: string) => [...cell.matchAll(/\((\d+|–)\)/g)].map(([, rank]) => Number(rank));

describe('masked in the model', () => {
  test('a random share, repeat by repeat: AUC, MRR and ranks are those of the library', async () => {
    const { page } = demo;
    await exampleScored(page);
    await openTry();
    await page.getByText(/switched off in the model/).waitFor();
    await page.getByRole('button', { name: 'Figure' }).click();
    await page.getByRole('alert').filter({ hasText: 'There is no picture in this view yet.' }).waitFor();
    await page.getByRole('button', { name: 'Dismiss this message' }).click();
    await page.getByLabel('Repeats').fill('3');
    await page.getByRole('button', { name: 'Mask a random share' }).click();
    await page.getByText('3 of 3', { exact: true }).waitFor();
    await page.getByText('Masked in the model: each repeat is a separate fit').waitFor();
    const indexed = edges.map((_, edge): Edge => [edge, edge]);
    const oracle: Found[] = [];
    for (const repeat of [1, 2, 3]) {
      const { masked } = maskShare(indexed, 0.2, seeded(repeat));
      oracle.push(await foundByLibrary(masked.map(([edge]) => edges[edge]!)));
    }
    const shown = await repeats();
    for (const [k, { auc, mrr, ranks }] of oracle.entries()) {
      // Shown with four decimals; both sides run the same arithmetic.
      expect(Math.abs(Number(shown[k]![1]) - auc)).toBeLessThan(6e-5);
      expect(Math.abs(Number(shown[k]![2]) - mrr)).toBeLessThan(6e-5);
      expect(ranksIn(shown[k]![3]!)).toEqual(ranks);
    }
    const mean = oracle.reduce((sum, { auc }) => sum + auc, 0) / oracle.length;
    expect(Math.abs((await numberOf('Mean AUC')) - mean)).toBeLessThan(6e-5);
    await page.getByRole('img', { name: /^AUC over 3 repeats/ }).waitFor();
    await expectPictures(page, 'Edge recovery');
    await page.screenshot({ path: new URL('../artifacts/explorer-masked.png', import.meta.url).pathname });
  });

  test('one selected edge', async () => {
    const { page } = demo;
    await exampleScored(page);
    await openTry();
    const button = page.getByRole('button', { name: 'Mask the selected edge' });
    expect(await button.isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'known only' }).click();
    await page.locator('[role=grid][aria-rowcount="18"]').waitFor();
    await page.getByRole('grid', { name: 'Edges' }).focus();
    await page.keyboard.press('Home');
    await page.locator('[role=row][aria-rowindex="2"][aria-selected=true]').waitFor();
    const [source, target] = await page
      .locator('[role=row][aria-selected=true] [role=gridcell]')
      .allInnerTexts();
    await button.click();
    await page.getByText('1 of 1', { exact: true }).waitFor();
    const { auc, ranks } = await foundByLibrary([[source!, target!]]);
    const [[, shown, , cell]] = (await repeats()) as [string[]];
    expect(Math.abs(Number(shown) - auc)).toBeLessThan(6e-5);
    expect(ranksIn(cell!)).toEqual(ranks);
  });

  test('Cancel ends it at once, keeps the repeats that are through, and the fit on show is untouched', async () => {
    const { page } = demo;
    await exampleScored(page);
    await page.getByLabel('Data', { exact: true }).setInputFiles(await repeatedExample(4));
    await page.getByText('8,000 samples').first().waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByText(/^8,000 samples in /).waitFor();
    await openTry();
    await page.getByRole('button', { name: 'Mask a random share' }).click();
    // Any repeat but the first and the last: on a quick machine the second may be through between two looks.
    await page.getByText(/: repeat ([2-9]|1\d) of 20$/).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText(/^8,000 samples in /).waitFor();
    const through = Number.parseInt(await page.getByText(/^\d+ of 20$/).innerText());
    expect(through).toBeGreaterThan(0);
    expect(through).toBeLessThan(20);
    expect(await repeats()).toHaveLength(through);
    await page.getByLabel('Score', { exact: true }).selectOption('partial');
    await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
  });
});

test('a model without an edge mask: the evaluation graph loses the edges, and the page says so', async () => {
  const { page } = demo;
  await exampleScored(page);
  await layerNormScored(page);
  await openTry();
  await page
    .getByText(/no edge_mask input, so masked edges are removed from the evaluation graph only/)
    .waitFor();
  await page.getByLabel('Repeats').fill('2');
  await page.getByRole('button', { name: 'Mask a random share' }).click();
  await page.getByText('2 of 2', { exact: true }).waitFor();
  await page.getByText('Masked in the evaluation graph only: the model has no edge_mask input.').waitFor();
});

test('permuted graphs: the real one first, then as many as asked for', async () => {
  const { page } = demo;
  await exampleScored(page);
  await page.getByLabel('Score', { exact: true }).selectOption('partial');
  await page.getByRole('columnheader', { name: 'n cond' }).waitFor();
  await openTry();
  await page.getByRole('button', { name: 'Permute the graph' }).click();
  await page.getByText('20 of 20', { exact: true }).waitFor();
  // Four decimals are shown; near-ties may change places between float32 and float64.
  expect(Math.abs((await numberOf('Real AUC')) - expected.partial.auc)).toBeLessThan(3e-4);
  await page.getByRole('img', { name: /^AUC over 20 repeats/ }).waitFor();
});
