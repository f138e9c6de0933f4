import type { FitProgress } from '../inferer-options.ts';
import { printLine, type Terminal } from './terminal.ts';

/** Milliseconds between two looks at the progress: a terminal is redrawn often, a log gets few lines. */
const intervals = { terminal: 80, log: 2000 } as const;
const barWidth = 24;

/** Shows how far a fit is: one line that is redrawn on a terminal, plain lines elsewhere. */
export class ProgressReport {
  readonly #err: Terminal['err'];
  readonly #interval: number;
  readonly #start = performance.now();
  #lastShown = -Infinity;
  /** What has not been shown yet. */
  #waiting: FitProgress | undefined;

  constructor({ err }: Terminal) {
    this.#err = err;
    this.#interval = err.isTTY ? intervals.terminal : intervals.log;
  }

  update(progress: FitProgress): void {
    this.#waiting = progress;
    const now = performance.now();
    if (now - this.#lastShown < this.#interval) return;
    this.#lastShown = now;
    this.#waiting = undefined;
    this.#show(progress);
  }

  /** Shows where the fit ended, and leaves the cursor on a fresh line. */
  end(): void {
    if (this.#waiting) this.#show(this.#waiting);
    if (this.#lastShown > -Infinity && this.#err.isTTY) this.#err.write('\n');
  }

  #show({ batch, batches, samples }: FitProgress): void {
    const seconds = (performance.now() - this.#start) / 1000;
    const rate = `${samples} samples, ${Math.round(samples / Math.max(seconds, 1e-3))}/s`;
    if (batches === undefined) {
      this.#write(`fit: batch ${batch}, ${rate}`);
      return;
    }
    const left = (seconds / batch) * (batches - batch);
    const rest = `batch ${batch}/${batches}, ${rate}${batch < batches ? `, ${left.toFixed(1)} s left` : ''}`;
    if (!this.#err.isTTY) {
      this.#write(`fit: ${rest}`);
      return;
    }
    const filled = Math.round((barWidth * batch) / batches);
    this.#write(`fit [${'#'.repeat(filled)}${'-'.repeat(barWidth - filled)}] ${rest}`);
  }

  #write(text: string): void {
    if (this.#err.isTTY) this.#err.write(`\r\x1b[2K${text.slice(0, (this.#err.columns ?? 80) - 1)}`);
    else printLine(this.#err, text);
  }
}
