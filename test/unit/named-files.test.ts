import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** What comments and pages say of other files goes stale silently when those move: nothing compiles a comment. */
const root = fileURLToPath(new URL('../..', import.meta.url));

function filesUnder(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => ending.test(name));
}

const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/RESULTS.md'];
const written = [
  ...pages,
  ...filesUnder('docs', /\.md$/),
  ...filesUnder('src', /\.ts$/),
  ...filesUnder('shaders', /\.wgsl$/),
];
const text = (file: string): string => readFileSync(join(root, file), 'utf8');
const shaders = filesUnder('shaders', /\.wgsl$/).map((file) => file.replace(/^shaders\//, ''));

test('files that comments and pages name are there', () => {
  const missing = written.flatMap((file) => {
    const named = text(file).match(
      /(?<![\w./-])(?:src|shaders|test|docs|bench|demo)\/[\w/.-]+\.(?:tsx?|wgsl|mjs|md)\b/g,
    );
    return [...new Set(named)]
      .filter((name) => !existsSync(join(root, name)))
      .map((name) => `${file}: ${name}`);
  });
  expect(missing).toEqual([]);
});

test('shaders that comments name are there', () => {
  const known = new Set(shaders.flatMap((name) => [name, name.replace(/^shared\//, '')]));
  const missing = [...filesUnder('src', /\.ts$/), ...filesUnder('shaders', /\.wgsl$/)].flatMap((file) => {
    const named = text(file).match(/(?<![\w./-])(?:shared\/)?[a-z][\w-]*\.wgsl\b/g);
    return [...new Set(named)].filter((name) => !known.has(name)).map((name) => `${file}: ${name}`);
  });
  expect(missing).toEqual([]);
});

test('twins and constants that shaders look for in a file are in it', () => {
  const missing = filesUnder('shaders', /\.wgsl$/).flatMap((file) => {
    const comments = text(file).replace(/\n\/\/ ?/g, ' ');
    const inFile = comments.matchAll(/\b(\w+) (?:in|of) (src\/[\w/.-]+\.ts)/g);
    // `const NAME` after a comment that ends with "(src/...ts)."
    const constants = text(file).matchAll(/\((src\/[\w/.-]+\.ts)\)\.\nconst (\w+)/g);
    return [
      ...[...inFile].map(([, name, at]) => [name, at] as const),
      ...[...constants].map(([, at, name]) => [name, at] as const),
    ]
      .filter(([name, at]) => !new RegExp(`\\b${name!}\\b`).test(text(at!)))
      .map(([name, at]) => `${file}: ${name!} in ${at!}`);
  });
  expect(missing).toEqual([]);
});
