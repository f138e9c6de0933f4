import { printLine, type Terminal } from './terminal.ts';

/** Milliseconds between two updates: a terminal is redrawn often, a log gets few lines. */
const intervals = { terminal: 80, log: 2000 } as const;
const barWidth = 24;

/** How much of some work is done. */
export interface Progress {
  /** Pieces done */
  readonly done: number;
  /** Pieces in all, if known */
  readonly total?: number | undefined;
  /** Samples done, if the work is on samples */
  readonly samples?: number | undefined;
}

/** Name of the work, and of one piece of it. */
export interface ProgressWords {
  readonly what: string;
  readonly unit: string;
}

/** Runs some work and shows its progress; afterwards the cursor is on a fresh line, even if the work fails. */
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

/** Shows progress: one line that is redrawn on a terminal, plain lines elsewhere. */
class ProgressReport {
  readonly #err: Terminal['err'];
  readonly #words: ProgressWords;
  readonly #interval: number;
  readonly #start = performance.now();
  readonly #estimate = new TimeLeft();
  #lastShown = -Infinity;
  /** Progress not shown yet. */
  #waiting: Progress | undefined;

  constructor({ err }: Terminal, words: ProgressWords) {
    this.#err = err;
    this.#words = words;
    this.#interval = err.isTTY ? intervals.terminal : intervals.log;
  }

  update(progress: Progress): void {
    this.#waiting = progress;
    const now = performance.now();
    this.#estimate.note(progress.done, now);
    if (now - this.#lastShown < this.#interval) return;
    this.#lastShown = now;
    this.#waiting = undefined;
    this.#show(progress);
  }

  /** Shows the last progress, and leaves the cursor on a fresh line. */
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
    const left = done < total ? this.#estimate.secondsFor(total - done) : undefined;
    const rest = `${unit} ${done}/${total}${rate}${left === undefined ? '' : `, ${inWords(left)} left`}`;
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

/** Most milliseconds that an estimate looks back, and least milliseconds of work that it needs. */
const lookBack = { most: 20_000, least: 1000 } as const;

/**
 * Estimates the time left from the pace of the last seconds. Time before the first piece is done (compiling the model,
 * computing the scores that uncertainty starts from) does not count.
 */
export class TimeLeft {
  readonly #marks: { readonly done: number; readonly at: number }[] = [];

  /** @param at milliseconds */
  note(done: number, at: number): void {
    const marks = this.#marks;
    // A few marks per second are enough.
    if (marks.length > 1 && at - marks.at(-2)!.at < lookBack.most / 100) marks.pop();
    marks.push({ done, at });
    while (marks.length > 2 && at - marks[1]!.at > lookBack.most) marks.shift();
  }

  /** Seconds for the given number of further pieces; undefined while there is no estimate. */
  secondsFor(pieces: number): number | undefined {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (!first || !last || last.done <= first.done || last.at - first.at < lookBack.least) return undefined;
    return ((last.at - first.at) / 1000 / (last.done - first.done)) * pieces;
  }
}

/** A duration for people: `12 s`, `3 min`, `2 h`. */
export function inWords(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 100) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 100 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
