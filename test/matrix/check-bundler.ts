import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { TestBrowser } from '../support/browser.ts';
import { expectFirstEdges, textOf } from '../support/first-edges.ts';
import type { StaticServers } from '../support/static-server.ts';
import type { Bundler, Project } from './bundlers.ts';

export interface Bench {
  readonly browser: TestBrowser;
  readonly servers: StaticServers;
  /** Rows that a page of the guide says */
  readonly expected: readonly string[];
}

const runtime = fileURLToPath(new URL('../../node_modules/onnxruntime-web/dist/', import.meta.url));

/** The builds of the runtime that a page can use: CPU, WebGPU with JSPI and with asyncify. Bundlers rename files: their sizes tell. */
const usable = ['', '.jspi', '.asyncify'].map((name) => join(runtime, `ort-wasm-simd-threaded${name}.wasm`));

async function sizes(files: readonly string[]): Promise<number[]> {
  const found = await Promise.all(files.map((file) => stat(file)));
  return [...new Set(found.map(({ size }) => size))].sort((a, b) => a - b);
}

/** Builds a project, opens its pages and looks at what was written. */
export async function checkBuild(
  bundler: Bundler,
  project: Project,
  { browser, servers, expected }: Bench,
  pages: readonly string[] = ['/'],
): Promise<void> {
  const out = await bundler.build(project);
  const site = await servers.serve(out);
  for (const page of pages) {
    const { text } = await textOf(browser, `${site}${page}`);
    expectFirstEdges(text, expected);
  }
  const files = await readdir(out, { recursive: true });
  const wasm = files.filter((name) => name.endsWith('.wasm')).map((name) => join(out, name));
  expect(await sizes(wasm)).toEqual(await sizes(usable));
}

/** Most bytes that are left of a module that uses little. */
const little: readonly (readonly [program: string, most: number])[] = [
  ["import { version } from 'magnitude-edge'; console.log(version);", 1000],
  ["import { fisherPValue } from 'magnitude-edge/statistics'; console.log(fisherPValue(0.3, 20, 0));", 8000],
  ["import { DataType } from 'magnitude-edge/training-graph'; console.log(DataType);", 40_000],
];

export async function checkSizes(bundler: Bundler, project: Project): Promise<void> {
  for (const [at, [program, most]] of little.entries()) {
    const entry = `little-${at}.js`;
    await writeFile(join(project.folder, entry), program);
    const size = await bundler.size!(project, entry);
    expect(size, program).toBeLessThan(most);
  }
}
