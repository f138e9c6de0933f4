import { readFileSync } from 'node:fs';

/** A page of the repository and its fenced snippets. */
export class DocumentPage {
  readonly #text: string;

  constructor(path: string) {
    this.#text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  }

  /** The first snippet of a language below a heading. A longer fence may contain shorter ones as text. */
  snippet(heading: string, language: string): string {
    const [, section] = new RegExp(`^## ${heading}\\n([^]*?)(?=^## |(?![^]))`, 'm').exec(this.#text) ?? [];
    const [, , code] = new RegExp(`^(\`{3,})${language}\\n([^]*?)^\\1$`, 'm').exec(section ?? '') ?? [];
    if (code === undefined) throw new Error(`There is no ${language} snippet below "${heading}".`);
    return code;
  }
}

/**
 * What npm installs in a snippet of commands, besides the package itself, and the other commands, which do not use the
 * network.
 */
export function commandsOf(snippet: string): { packages: readonly string[]; commands: string } {
  const [line, names] = /^npm install (.*)$/m.exec(snippet)!;
  return {
    packages: names!.split(' ').filter((name) => name !== 'magnitude-edge'),
    commands: snippet.replace(line, '').replaceAll('npx ', 'npx --no-install '),
  };
}
