import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import temml from 'temml';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** Every fenced snippet of the pages runs, in a folder with the files that the pages name, as a reader would run it. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const example = join(root, 'demo/public/example');

interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

async function snippetsOf(page: string): Promise<Snippet[]> {
  const text = await readFile(join(root, page), 'utf8');
  // A longer fence holds shorter ones, which are its text.
  return [...text.matchAll(/^([ ]*)(`{3,})(\w*)\n([^]*?)^\1\2$/gm)].map(
    ([, indent, , language, code], at, all) => ({
      page,
      line: text.slice(0, all[at]!.index).split('\n').length,
      language: language!,
      code: code!.replaceAll(new RegExp(`^${indent!}`, 'gm'), ''),
    }),
  );
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...(await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
];
const snippets = (await Promise.all(pages.map(snippetsOf))).flat();

/** Snippets that something else runs, by what they hold. Whatever is not named here runs below. */
const runElsewhere: readonly (readonly [holds: RegExp, where: string])[] = [
  [/npm ci|npm run build:python/, 'CI itself'],
  [/from magnitude_edge import/, 'python/tests'],
  [/import \{ create \} from 'webgpu'/, 'test/e2e/package-command.test.ts'],
  [/mo\.iframe|%%javascript/, 'test/notebook/javascript.test.ts'],
  [/<notebook>|@observablehq/, 'test/matrix/observable-*.test.ts'],
  [/npm:magnitude-edge|deno jupyter/, 'test/notebook/deno.test.ts'],
  [/<script type="module">/, 'a page: test/e2e/browser-file.test.ts'],
  [/mkdir -p lib/, 'test/e2e/browser-file.test.ts'],
  [
    /^\/\/ (main|vite\.config|rollup\.config)\.js|npx (esbuild|parcel)/,
    'test/e2e/bundlers.test.ts, npm run matrix',
  ],
  [/--experimental-wasm-revectorize/, 'needs Node 24 and a processor with AVX2'],
];

/** What a snippet takes from the text before it. */
const preambles: readonly (readonly [uses: RegExp, code: string])[] = [
  [/\bmodel\b/, "const model = await GsnnModel.load('model.onnx');"],
  [/\binferer\b/, 'const inferer = await MagnitudeEdgeInferer.create(model);'],
  [/\binferer\.evaluate\b/, "await inferer.fit(batches('data.npz', model));"],
  [/\bloader\b/, "const loader = batches('data.npz', model);"],
];

/** A program of a snippet: with what the text before it has made, and the package's names. */
function program(code: string): string {
  const imported = code.includes("from 'magnitude-edge'")
    ? ''
    : "import { GsnnModel, MagnitudeEdgeInferer, batches } from 'magnitude-edge';\n";
  let lead = '';
  const made = (name: string) => new RegExp(`(const|using) ${name}\\b`).test(lead + code);
  for (const [uses, line] of preambles) {
    const [, name] = /^const (\w+)/.exec(line) ?? [];
    const before = line.includes('inferer.fit') && /inferer\.fit|inferer = /.test(code);
    if (uses.test(code + lead) && !before && !(name !== undefined && made(name))) lead += `${line}\n`;
  }
  if (/\binferer\b/.test(lead) && !made('model')) lead = `${preambles[0]![1]}\n${lead}`;
  return `${imported}${lead}${code}\nprocess.exit();\n`;
}

const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };

let folder: string;
const run = async (file: string, args: readonly string[]) =>
  promisify(execFile)(file, args, {
    cwd: folder,
    // The job of an array is one that SLURM tells its number.
    env: { ...process.env, npm_config_offline: 'true', SLURM_ARRAY_TASK_ID: '1' },
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'magnitude-edge-snippets-'));
  await cp(example, folder, { recursive: true });
  await cp(join(root, 'docs/examples'), folder, { recursive: true });
  await cp(join(root, 'test/fixtures/ordinary/mlp/model.onnx'), join(folder, 'any.onnx'));
  for (const name of ['part', 'day-1', 'day-2'])
    await cp(join(folder, 'data.npz'), join(folder, `${name}.npz`));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await mkdir(join(folder, 'node_modules/.bin'), { recursive: true });
  await symlink(root, join(folder, 'node_modules/magnitude-edge'));
  const bin = `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'dist/cli.js')}" "$@"\n`;
  await writeFile(join(folder, 'node_modules/.bin/magnitude-edge'), bin, { mode: 0o755 });
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(snippets.map((snippet) => [`${snippet.page}:${snippet.line}`, snippet] as const))(
  '%s',
  (_, { language, code }) => {
    const elsewhere = runElsewhere.find(([holds]) => holds.test(code));
    if (elsewhere !== undefined) {
      test(`runs elsewhere: ${elsewhere[1]}`, () => {
        expect(elsewhere[1]).not.toBe('');
      });
      return;
    }
    test(`runs (${language})`, async () => {
      if (language === 'js' || language === 'ts') {
        // Node 20 knows no `await using`.
        const { outputText } = ts.transpileModule(program(code), { compilerOptions });
        await writeFile(join(folder, 'snippet.js'), outputText);
        await run(process.execPath, ['snippet.js']);
      } else if (language === 'sh') {
        await run('bash', ['-euc', code]);
      } else if (language === 'math') {
        temml.renderToString(code, { throwOnError: true });
      } else if (language === 'json') {
        JSON.parse(code);
      } else {
        expect(language, 'text, which nothing runs').toBe('');
      }
    });
  },
);
