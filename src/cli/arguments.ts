import type { ParseArgsConfig } from 'node:util';
import { didYouMean } from './did-you-mean.ts';

// Node has already loaded this module; an import would scan it again, which costs 4 ms.
const { parseArgs } = process.getBuiltinModule('node:util');

/** The command was called wrongly: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Options by name. An option that is `multiple` takes several values, in a row or by repeating the option. */
export type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

/** The options given to one command. If an option of one value is repeated, the last value counts. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;
  readonly #lists: Readonly<Record<string, readonly string[]>>;

  /** @throws UsageError for unknown options and for options without a value */
  constructor(args: readonly string[], options: OptionsConfig, positionals: { readonly allowed: boolean }) {
    const { values, tokens } = parsed(args, options);
    const lists: Record<string, string[]> = {};
    const positional: string[] = [];
    /** The multi-value option that the next words belong to */
    let open: string[] | undefined;
    for (const token of tokens) {
      if (token.kind === 'option') {
        open = options[token.name]?.multiple === true ? (lists[token.name] ??= []) : undefined;
        if (token.value !== undefined) open?.push(token.value);
      } else if (token.kind === 'positional') {
        (open ?? positional).push(token.value);
      } else {
        open = undefined;
      }
    }
    if (positional.length > 0 && !positionals.allowed)
      throw new UsageError(`unexpected argument '${positional[0]!}'`);
    this.positionals = positional;
    this.#values = values as Record<string, string | boolean | undefined>;
    this.#lists = lists;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Comma-separated names; undefined if the option was not given. */
  names(name: string): readonly string[] | undefined {
    const names = this.text(name)
      ?.split(',')
      .map((part) => part.trim());
    if (names?.includes('') === true) throw new UsageError(`--${name} has an empty name in its list`);
    return names;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw new UsageError(`--${name} is missing`);
    return value;
  }

  /** The values of an option that takes several. @throws UsageError if there are none */
  requiredList(name: string): readonly string[] {
    const values = this.#lists[name];
    if (values === undefined || values.includes('')) throw new UsageError(`--${name} is missing`);
    return values;
  }

  choice<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
    const value = this.text(name);
    if (value === undefined) return otherwise;
    if ((allowed as readonly string[]).includes(value)) return value as T;
    const hint = didYouMean(value, allowed);
    throw new UsageError(`--${name} is '${value}', one of ${allowed.join(', ')} was expected${hint}`);
  }

  /** A decimal number between two bounds, inclusive. */
  number(name: string, { least, most = Infinity }: { least: number; most?: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = text.trim() === '' ? NaN : Number(text);
    if (value >= least && value <= most && Number.isFinite(value)) return value;
    const range = most === Infinity ? `of at least ${least}` : `between ${least} and ${most}`;
    throw new UsageError(`--${name} is '${text}', a number ${range} was expected`);
  }

  wholeNumber(name: string, least: number): number | undefined {
    const value = this.number(name, { least });
    if (value === undefined || Number.isSafeInteger(value)) return value;
    throw new UsageError(`--${name} is '${this.text(name)!}', a whole number was expected`);
  }
}

function parsed(args: readonly string[], options: OptionsConfig) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true, tokens: true });
  } catch (error) {
    // Node's message is long; its first sentence names the option.
    const sentence = error instanceof Error ? error.message.split(/\. (?=[A-Z])/)[0]! : String(error);
    const unknown = /^Unknown option '--?([^']+)'/.exec(sentence)?.[1];
    const hint = unknown === undefined ? '' : didYouMean(unknown, Object.keys(options), '--');
    throw new UsageError(sentence.replace(/\.$/, '') + hint);
  }
}
