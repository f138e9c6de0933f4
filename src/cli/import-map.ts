import { access, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Arguments } from './arguments.ts';
import type { Command } from './command.ts';
import { printLine } from './terminal.ts';

const help = `magnitude-edge import-map [--base URL] [--versions]

Prints an import map, for a <script type="importmap">, for pages that load this package and its dependencies as separate
modules. magnitude-edge/browser is a single file and needs none.

  --base URL    address at which node_modules is served                (/node_modules/)
  --versions    package names with versions, as npm CDNs expect: apache-arrow@21.2.0/...`;

const options = { base: { type: 'string' }, versions: { type: 'boolean' } } as const;

export const importMap: Command = {
  help,
  async run(args, terminal) {
    const given = new Arguments(args, options, { allowed: false });
    const base = given.text('base') ?? '/node_modules/';
    const own = await packageAround(fileURLToPath(import.meta.url));
    const address = async (file: string): Promise<string> => {
      const { folder, description } = await packageAround(file);
      const name = description.name!;
      if (given.flag('versions'))
        return `${base}${name}@${description.version!}/${slashes(relative(folder, file))}`;
      const inside = slashes(relative(own.folder, file));
      return inside.startsWith('../') ? base + inside.slice(3) : `${base}${own.description.name!}/${inside}`;
    };
    printLine(terminal.out, JSON.stringify(await mapOf(own, address), null, 2));
  },
};

/** The fields of a package.json that resolve imports. */
interface Description {
  readonly name?: string;
  readonly version?: string;
  readonly main?: string;
  readonly module?: string;
  readonly exports?: Target;
}
type Target = string | null | { readonly [condition: string]: Target };

interface Package {
  readonly folder: string;
  readonly description: Description;
}

interface ImportMap {
  readonly imports: Record<string, string>;
  /** For modules under an address that import another version by the same name */
  readonly scopes: Record<string, Record<string, string>>;
}

/** The import map of all modules reachable from the package's own entries. */
async function mapOf(own: Package, address: (file: string) => Promise<string>): Promise<ImportMap> {
  const map: ImportMap = { imports: {}, scopes: {} };
  const seen = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const specifier of importsOf(await readFile(file, 'utf8'))) {
      if (specifier.startsWith('.')) {
        const target = join(dirname(file), specifier);
        if (await exists(target)) await visit(target);
        continue;
      }
      const target = await fileOf(specifier, file);
      if (target === undefined || !(await exists(target))) continue;
      const to = await address(target);
      if ((map.imports[specifier] ??= to) !== to) {
        const scope = await address(join((await packageAround(file)).folder, 'x'));
        (map.scopes[scope.slice(0, -1)] ??= {})[specifier] = to;
      }
      await visit(target);
    }
  };
  for (const entry of ['.', './statistics', './training-graph']) {
    const file = join(own.folder, targetOf(own.description.exports!, entry)!);
    map.imports[own.description.name! + entry.slice(1)] = await address(file);
    await visit(file);
  }
  return map;
}

/** Specifiers that a module imports, found in its text. Those in comments resolve to nothing, or do no harm. */
function importsOf(text: string): string[] {
  const imports = /\b(?:import|export)\b(?:[\s\w{},*$]*?\bfrom)?\s*\(?\s*["']([^"'\s]+)["']/g;
  return [...text.matchAll(imports)].map(([, specifier]) => specifier!);
}

/** The file that a page's import resolves to; undefined if there is none. */
async function fileOf(specifier: string, from: string): Promise<string | undefined> {
  const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(specifier) ?? [];
  if (name === undefined || specifier.includes(':')) return undefined;
  for (let folder = dirname(from); ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name);
    if (await exists(join(found, 'package.json'))) {
      const description = await describe(found);
      const entry = `.${rest!}`;
      const { exports, module, main } = description;
      const target =
        exports === undefined ? (rest === '' ? (module ?? main) : entry) : targetOf(exports, entry);
      return target == null ? undefined : join(found, target);
    }
    if (folder === dirname(folder)) return undefined;
  }
}

const conditions = new Set(['browser', 'module', 'import', 'default']);

/** Resolves an entry ('.', './name') of `exports` by Node's algorithm with a page's conditions. */
function targetOf(exports: Target, entry: string): string | undefined {
  if (typeof exports === 'string') return entry === '.' ? exports : undefined;
  if (exports === null) return undefined;
  if (!Object.keys(exports).some((key) => key.startsWith('.')))
    return entry === '.' ? chosen(exports) : undefined;
  if (Object.hasOwn(exports, entry)) return chosen(exports[entry]!);
  for (const [pattern, target] of Object.entries(exports)) {
    const [start, end] = pattern.split('*');
    if (end === undefined || !entry.startsWith(start!) || !entry.endsWith(end)) continue;
    return chosen(target)?.replaceAll('*', entry.slice(start!.length, entry.length - end.length));
  }
  return undefined;
}

function chosen(target: Target): string | undefined {
  if (target === null || typeof target === 'string') return target ?? undefined;
  for (const [condition, inner] of Object.entries(target)) {
    const found = conditions.has(condition) ? chosen(inner) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The package that contains a file. */
async function packageAround(file: string): Promise<Package> {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const description = await describe(folder).catch((): Description => ({}));
    // Subfolders may have a package.json, too, which only says how their modules are read.
    if (description.name !== undefined && description.version !== undefined) return { folder, description };
    if (folder === dirname(folder)) throw new Error(`${file} does not belong to a package.`);
  }
}

async function describe(folder: string): Promise<Description> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Description;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
const slashes = (path: string): string => path.replaceAll(sep, '/');
