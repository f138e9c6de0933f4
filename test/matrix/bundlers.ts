import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { copyExample } from '../support/first-edges.ts';
import { installPacked } from '../support/packed.ts';

/** The packed package in projects of users, one for each bundler, with the settings of the guide and no others. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const guide = await readFile(join(root, 'docs/guide.md'), 'utf8');

/** A snippet of the guide, by what it begins with or holds. */
function snippet(language: string, holds: string): string {
  const found = [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))];
  const code = found.map(([, text]) => text!).find((text) => text.includes(holds));
  if (code === undefined) throw new Error(`The guide has no ${language} snippet with ${holds}.`);
  return code;
}

export const mainScript = snippet('js', '// main.js');
const html =
  '<!doctype html><meta charset="utf-8"><title>page</title><link rel="icon" href="data:,"><body><script type="module" src="./main.js"></script>';

export interface Bundler {
  readonly name: string;
  /** What npm installs for it */
  readonly packages: readonly string[];
  /** Files of the project beside main.js, index.html and the example */
  readonly files?: Readonly<Record<string, string>>;
  /** Builds the project's main.js. @returns the folder to serve */
  readonly build: (project: Project) => Promise<string>;
  /** Bundles a module to see what is left of it. @returns its size in bytes */
  readonly size?: (project: Project, entry: string) => Promise<number>;
}

export interface Project {
  readonly folder: string;
  /** Runs a program of the installation with Node. */
  readonly run: (script: string, ...args: string[]) => Promise<string>;
}

const vite = (major: number): Bundler => ({
  name: `Vite ${major}`,
  packages: [`vite${major}@npm:vite@${major}`],
  files: { 'vite.config.js': snippet('js', '// vite.config.js') },
  async build({ folder, run }) {
    await run(viteOf(major), 'build', '--logLevel', 'error');
    return join(folder, 'dist');
  },
  async size({ folder, run }, entry) {
    await writeFile(join(folder, 'index.html'), html.replace('main.js', entry));
    await run(viteOf(major), 'build', '--logLevel', 'error', '--outDir', 'sizes');
    await writeFile(join(folder, 'index.html'), html);
    return javascriptIn(join(folder, 'sizes/assets'));
  },
});
export const viteOf = (major: number): string => `vite${major}/bin/vite.js`;

const webpackBuild = `
import webpack from 'webpack';
const [entry, path] = process.argv.slice(2);
webpack({ mode: 'production', entry, output: { path } }, (error, stats) => {
  if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString());
});`;

export const bundlers: readonly Bundler[] = [
  vite(5),
  vite(8),
  {
    name: 'webpack 5',
    packages: ['webpack@5'],
    files: { 'build.mjs': webpackBuild },
    async build(project) {
      await project.run('../build.mjs', './main.js', join(project.folder, 'dist'));
      return withPage(project, 'dist', 'main.js');
    },
    async size({ folder, run }, entry) {
      await run('../build.mjs', `./${entry}`, join(folder, 'sizes'));
      return javascriptIn(join(folder, 'sizes'));
    },
  },
  {
    name: 'Rollup',
    packages: ['rollup@4', '@rollup/plugin-node-resolve@16', '@web/rollup-plugin-import-meta-assets@2'],
    files: { 'rollup.config.js': snippet('js', '// rollup.config.js') },
    async build(project) {
      await project.run('rollup/dist/bin/rollup', '-c', '--silent');
      return withPage(project, 'dist', 'main.js');
    },
    async size({ folder, run }, entry) {
      await run('rollup/dist/bin/rollup', '-c', '--silent', '-i', entry, '-d', 'sizes');
      return javascriptIn(join(folder, 'sizes'));
    },
  },
  {
    name: 'esbuild',
    packages: ['esbuild@0.28'],
    async build(project) {
      await promisify(execFile)('bash', ['-euc', inProject('npx esbuild')], { cwd: project.folder });
      return withPage(project, 'dist', 'main.js');
    },
    async size({ folder, run }, entry) {
      // Split, there are chunks beside the entry that nothing leads to any more.
      const flags = ['--bundle', '--format=esm', '--minify', '--log-level=error'];
      await run('esbuild/bin/esbuild', entry, ...flags, '--outdir=sizes');
      return javascriptIn(join(folder, 'sizes'));
    },
  },
];

/** Commands of the guide, for a project whose packages are one folder up. */
function inProject(holds: string): string {
  return snippet('sh', holds)
    .replaceAll('npx ', 'npx --no-install ')
    .replaceAll('node_modules/', '../node_modules/');
}

/** The guide's module as a client component. */
const nextPage = `'use client';
import { useEffect, useState } from 'react';
${mainScript
  .replace("document.body.textContent = edges.toArray().join('\\n');", "return edges.toArray().join('\\n');")
  .replace(/^show\(\);/m, '')
  .replaceAll(/'(model.onnx|data.npz)'/g, "'/$1'")}
export default function Page() {
  const [text, setText] = useState('');
  useEffect(() => void show().then(setText), []);
  return <pre>{text}</pre>;
}`;
const nextFiles = {
  'app/layout.jsx': `export default function Layout({ children }) {
    return <html lang="en"><body>{children}</body></html>;
  }`,
  'app/page.jsx': nextPage,
  'pages/pages-router.jsx': nextPage,
  'next.config.mjs': "export default { output: 'export' };",
};

const next = (builder: 'turbopack' | 'webpack'): Bundler => ({
  name: `Next 16, ${builder}`,
  packages: ['next@16', 'react@19', 'react-dom@19'],
  files: nextFiles,
  async build({ folder, run }) {
    await run('next/dist/bin/next', 'build', `--${builder}`);
    return join(folder, 'out');
  },
});

/** Those that take longer to install and to run. */
export const others: readonly Bundler[] = [
  vite(6),
  vite(7),
  {
    name: 'Parcel',
    packages: ['parcel@2'],
    async build({ folder }) {
      const configured = mainScript
        .replace('import { ', 'import { configureRuntime, ')
        .replace('async function', "configureRuntime({ wasmPaths: '/runtime/' });\nasync function");
      await writeFile(join(folder, 'main.js'), configured);
      await promisify(execFile)('bash', ['-euc', inProject('npx parcel')], { cwd: folder });
      await copyExample(join(folder, 'dist'));
      return join(folder, 'dist');
    },
  },
  next('turbopack'),
  next('webpack'),
];

/** Puts a page beside what a bundler wrote. */
async function withPage({ folder }: Project, out: string, script: string): Promise<string> {
  await writeFile(join(folder, out, 'index.html'), html.replace('main.js', script));
  await copyExample(join(folder, out));
  return join(folder, out);
}

async function javascriptIn(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => /\.m?js$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return texts.reduce((sum, text) => sum + text.length, 0);
}

/** Installs the packed package, with what the bundlers need, into a folder. */
export async function install(folder: string, wanted: readonly Bundler[]): Promise<void> {
  const settings = JSON.parse(snippet('json', '@parcel/resolver-default')) as object;
  await installPacked(
    folder,
    wanted.flatMap((bundler) => bundler.packages),
    settings,
  );
}

/** A project of a bundler inside the installation. */
export async function project(installation: string, bundler: Bundler): Promise<Project> {
  const folder = join(installation, bundler.name.replaceAll(/\W+/g, '-'));
  await copyExample(join(folder, 'public'));
  const files = { 'main.js': mainScript, 'index.html': html, ...bundler.files };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return {
    folder,
    async run(script, ...args) {
      const program = script.startsWith('../')
        ? join(folder, script.slice(3))
        : join(installation, 'node_modules', script);
      const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], { cwd: folder });
      return stdout;
    },
  };
}

/** Vite's development server for a project, until `work` is done. */
export async function developing<T>(
  installation: string,
  { folder }: Project,
  major: number,
  work: (address: string) => Promise<T>,
): Promise<T> {
  const server = spawn(
    process.execPath,
    [join(installation, 'node_modules', viteOf(major)), '--host', '127.0.0.1'],
    {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1' },
    },
  );
  try {
    const address = await new Promise<string>((resolve, reject) => {
      let said = '';
      server.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const [found] = /http:\/\/127\.0\.0\.1:\d+\//.exec(said) ?? [];
        if (found !== undefined) resolve(found);
      });
      server.on('close', () => {
        reject(new Error(`Vite ended: ${said}`));
      });
    });
    return await work(address);
  } finally {
    server.kill();
  }
}
