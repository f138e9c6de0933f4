import { printLine, type Terminal } from './terminal.ts';

/** Milliseconds between two looks at the progress: a terminal is redrawn often, a log gets few lines. */
const intervals = { terminal: 80, log: 2000 } as const;
const barWidth = 24;

/** How far some work is. */
export interface Progress {
  /** Pieces done */
  readonly done: number;
  /** Pieces in all, where that is known */
  readonly total?: number | undefined;
  /** Samples done, where the work is on samples */
  readonly samples?: number | undefined;
}

/** What the work is called, and one piece of it. */
export interface ProgressWords {
  readonly what: string;
  readonly unit: string;
}

/** Does some work and shows how far it is; the cursor is on a fresh line afterwards, also where the work fails. */
export async function withProgress<T>(
  terminal: Terminal,
  words: ProgressWords,
  work: (progress: ProgressReport) => Promise<T>,
): Promise<T> {
  const progress = new ProgressReport(terminal, words);
  try {
    return await work(progress);
  } finally {
    progress.end();
  }
}

/** Shows how far some work is: one line that is redrawn on a terminal, plain lines elsewhere. */
class ProgressReport {
  readonly #err: Terminal['err'];
  readonly #words: ProgressWords;
  readonly #interval: number;
  readonly #start = performance.now();
  #lastShown = -Infinity;
  /** What has not been shown yet. */
  #waiting: Progress | undefined;

  constructor({ err }: Terminal, words: ProgressWords) {
    this.#err = err;
    this.#words = words;
    this.#interval = err.isTTY ? intervals.terminal : intervals.log;
  }

  update(progress: Progress): void {
    this.#waiting = progress;
    const now = performance.now();
    if (now - this.#lastShown < this.#interval) return;
    this.#lastShown = now;
    this.#waiting = undefined;
    this.#show(progress);
  }

  /** Shows where the work ended, and leaves the cursor on a fresh line. */
  end(): void {
    if (this.#waiting) this.#show(this.#waiting);
    if (this.#lastShown > -Infinity && this.#err.isTTY) this.#err.write('\n');
  }

  #show({ done, total, samples }: Progress): void {
    const { what, unit } = this.#words;
    const seconds = (performance.now() - this.#start) / 1000;
    const perSecond = Math.round((samples ?? 0) / Math.max(seconds, 1e-3));
    const rate = samples === undefined ? '' : `, ${samples} samples, ${perSecond}/s`;
    if (total === undefined) {
      this.#write(`${what}: ${unit} ${done}${rate}`);
      return;
    }
    const left = done < total ? `, ${((seconds / done) * (total - done)).toFixed(1)} s left` : '';
    const rest = `${unit} ${done}/${total}${rate}${left}`;
    if (!this.#err.isTTY) {
      this.#write(`${what}: ${rest}`);
      return;
    }
    const filled = Math.round((barWidth * done) / total);
    this.#write(`${what} [${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${rest}`);
  }

  #write(text: string): void {
    if (this.#err.isTTY) this.#err.write(`\r\x1b[2K${text.slice(0, (this.#err.columns ?? 80) - 1)}`);
    else printLine(this.#err, text);
  }
}
