import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tableFromIPC } from 'apache-arrow';
import type { Page, Route } from 'playwright';
import { build, preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestBrowser } from '../support/browser.ts';
import { expectGoldenEdges } from '../support/edge-goldens.ts';
import { fixture } from '../support/model-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a page's author writes: the package by its name, and nothing of its inside. */
const pageScript = `
import * as magnitudeEdge from 'magnitude-edge';
import { conditioningSets, createCpuEngine } from 'magnitude-edge/statistics';
import { tableToIPC } from 'apache-arrow';

window.infer = async ({ loadOptions, infererOptions, evaluateOptions }) => {
  const { GsnnModel, MagnitudeEdgeInferer, batches } = magnitudeEdge;
  const model = await GsnnModel.load('/model.onnx', loadOptions);
  const inferer = await MagnitudeEdgeInferer.create(model, infererOptions);
  const samples = await inferer.fit(batches('/data.npz', model, { batchSize: 32 }));
  const table = await inferer.evaluate(evaluateOptions);
  const { diagnostics } = inferer;
  await inferer.release();
  await model.release();
  return { samples, diagnostics, edges: Array.from(tableToIPC(table)) };
};
/** A digest of each column of a table large enough for workers to help with, ranked with or without them. */
window.rank = async (workers) => {
  const [nodes, pairs, samples] = [300, 3, 40];
  let state = 1;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const layers = () => Array.from({ length: pairs }, () => Float32Array.from({ length: samples * nodes }, random));
  const engine = createCpuEngine({ nodes, pairs, reduction: 'l1' }, { workers });
  await engine.accumulateMagnitudes({ size: samples, x: layers(), y: layers() });
  const edges = [[0, 1, 2], [2, 2, 3]];
  const sets = conditioningSets(edges, nodes);
  const request = { score: 'partial', layerAgg: 'mean', ridge: 0, conditioningSets: sets };
  const scores = await engine.scores(request);
  const names = Array.from({ length: nodes }, (_, i) => 'f' + i);
  const graph = {
    nodeNames: { input: [], function: names, output: [] },
    edgeIndex: { 'input,function': [[], []], 'function,function': edges, 'function,output': [[], []] },
  };
  const provenance = { ...request, reduction: 'l1', usePreNorm: true, loss: 'mse', samples, backend: 'cpu' };
  const table = await magnitudeEdge.edgeTable(scores, graph, sets, provenance);
  const { aggregated } = await scores.matrices();
  await engine.release();
  const digest = async ({ name }) =>
    [name, new Uint8Array(await crypto.subtle.digest('SHA-256', table.getChild(name).data[0].values)).join()];
  return {
    numRows: table.numRows,
    digests: await Promise.all(table.schema.fields.map(digest)),
    shared: globalThis.SharedArrayBuffer !== undefined && aggregated.buffer instanceof SharedArrayBuffer,
  };
};
window.refuse = async (call) => {
  try {
    await call(magnitudeEdge);
  } catch (error) {
    return { isOurs: error instanceof magnitudeEdge.MagnitudeEdgeError, code: error.code, message: error.message };
  }
};
window.magnitudeEdge = magnitudeEdge;
`;

interface Result {
  readonly samples: number;
  readonly diagnostics: {
    readonly backend: string;
    readonly fallbacks: readonly string[];
    readonly model: { readonly executionProvider: string; readonly threads: number };
  };
  readonly edges: number[];
}

interface Ranked {
  readonly numRows: number;
  readonly digests: readonly (readonly [name: string, digest: string])[];
  readonly shared: boolean;
}

let folder: string;
let server: PreviewServer;
const browser = new TestBrowser();

beforeAll(async () => {
  // Inside the package, where its own name resolves to what was built.
  const artifacts = join(root, 'test/artifacts');
  await mkdir(artifacts, { recursive: true });
  folder = await mkdtemp(join(artifacts, 'page-'));
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>',
  );
  await writeFile(join(folder, 'main.js'), pageScript);
  await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: { target: 'es2022', outDir: 'built' },
  });
  await writeFile(join(folder, 'built/model.onnx'), fixture('layer-elu'));
  await writeFile(join(folder, 'built/data.npz'), fixture('layer-elu', 'edges-data.npz'));
  server = await preview({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: { outDir: 'built' },
    preview: {
      port: 0,
      headers: {
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    },
  });
});
afterAll(async () => {
  await browser.close();
  await server.close();
  await rm(folder, { recursive: true });
});

/** A fresh page; what it prints to the console fails the test. */
async function withPage<T>(work: (page: Page) => Promise<T>, isolated = true): Promise<T> {
  const page = await browser.newPage();
  if (!isolated) await page.route('**/*', withoutIsolation);
  const printed: string[] = [];
  page.on('console', (message) => printed.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => printed.push(error.message));
  try {
    await page.goto(server.resolvedUrls!.local[0]!);
    await page.waitForFunction('window.magnitudeEdge !== undefined');
    const result = await work(page);
    expect(printed).toEqual([]);
    return result;
  } finally {
    await page.context().close();
  }
}

async function withoutIsolation(route: Route): Promise<void> {
  const response = await route.fetch();
  const headers = Object.entries(response.headers()).filter(([name]) => !name.startsWith('cross-origin-'));
  await route.fulfill({ response, headers: Object.fromEntries(headers) });
}

const infer = (page: Page, options: object): Promise<Result> =>
  page.evaluate(`window.infer(${JSON.stringify(options)})`);

describe('the built package in a page: ONNX in, edge table out, against the float64 oracle', () => {
  test.each([
    ['webgpu', 'webgpu'],
    ['wasm', 'webgpu'],
    ['webgpu', 'cpu'],
    ['wasm', 'cpu'],
  ])('model on %s, statistics on %s', async (executionProvider, backend) => {
    for (const score of ['corr', 'partial']) {
      const { samples, diagnostics, edges } = await withPage((page) =>
        infer(page, {
          loadOptions: { executionProvider },
          infererOptions: { backend },
          evaluateOptions: { score },
        }),
      );
      expect(samples).toBe(107);
      expect(diagnostics.backend).toBe(backend);
      expect(diagnostics.model.executionProvider).toBe(executionProvider);
      const golden = tableFromIPC(fixture('layer-elu', `edges-${score}.arrow`));
      expectGoldenEdges(tableFromIPC(Uint8Array.from(edges)), golden);
    }
  });

  test('left to itself on a software adapter, the CPU does it all, and says why', async () => {
    const { diagnostics } = await withPage((page) => infer(page, {}));
    expect(diagnostics.backend).toBe('cpu');
    expect(diagnostics.model.executionProvider).toBe('wasm');
    expect(diagnostics.fallbacks.join()).toMatch(/runs shaders on the CPU/);
    expect(diagnostics.model.threads).toBe(1);
  });
});

test.each([
  ['isolated, in shared memory', true],
  ['without isolation', false],
])('workers rank a large table to the bit as the page itself does: %s', async (_, isolated) => {
  const [withWorkers, alone] = await withPage(
    (page) => page.evaluate<Ranked[]>('Promise.all([rank(2), rank(0)])'),
    isolated,
  );
  expect(withWorkers!.shared).toBe(isolated);
  expect(alone!.shared).toBe(false);
  expect(alone!.numRows).toBe(300 * 299);
  expect(withWorkers!.digests).toEqual(alone!.digests);
});

test('an error in a page has a code and a sentence', async () => {
  const refused = await withPage((page) =>
    page.evaluate('window.refuse(({ GsnnModel }) => GsnnModel.load(new Uint8Array([1, 2, 3])))'),
  );
  expect(refused).toMatchObject({ isOurs: true, code: 'invalid-model' });
});
