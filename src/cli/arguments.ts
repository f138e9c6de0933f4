import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The command was called wrongly: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

/** The options of one command as they were given: each at most once. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, string | boolean | undefined>>;

  /** @throws UsageError for options that the command does not have, or that lack their value */
  constructor(args: readonly string[], options: OptionsConfig, positionals: { readonly allowed: boolean }) {
    try {
      const parsed = parseArgs({
        args: [...args],
        options,
        allowPositionals: positionals.allowed,
        strict: true,
      });
      this.positionals = parsed.positionals;
      this.#values = parsed.values as Record<string, string | boolean | undefined>;
    } catch (error) {
      // Node explains at length; its first sentence says which option it is about.
      const sentence = error instanceof Error ? error.message.split(/\. (?=[A-Z])/)[0]! : String(error);
      throw new UsageError(sentence.replace(/\.$/, ''));
    }
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === '') throw new UsageError(`--${name} is missing`);
    return value;
  }

  choice<T extends string>(name: string, allowed: readonly T[], otherwise: T): T {
    const value = this.text(name);
    if (value === undefined) return otherwise;
    if ((allowed as readonly string[]).includes(value)) return value as T;
    throw new UsageError(`--${name} is '${value}', one of ${allowed.join(', ')} was expected`);
  }

  /** A number in decimal notation between two bounds, both allowed. */
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
