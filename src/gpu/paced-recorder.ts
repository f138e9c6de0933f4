import type { BufferView } from './buffer.ts';
import type { GpuContext } from './device.ts';
import type { Kernel } from './kernel.ts';
import { Recorder, type WorkgroupCount } from './recorder.ts';

/**
 * Records long work and submits it while it is recorded: a submit as soon as it is full, and none before the one but
 * last of its own has run. So the GPU never waits for the host, and what is recorded here is never more than two submits
 * ahead of an abort.
 */
export class PacedRecorder {
  readonly #context: GpuContext;
  readonly #recorder: Recorder;
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  #operations = 0;
  #before: Promise<unknown> = Promise.resolve();

  /** @param what is done, for messages */
  constructor(context: GpuContext, what: string, signal: AbortSignal | undefined) {
    this.#context = context;
    this.#recorder = new Recorder(context);
    this.#what = what;
    this.#signal = signal;
  }

  /**
   * Adds a dispatch, after submitting what would be too much with it; parameters as of {@link Recorder.dispatch}.
   *
   * @throws as {@link submit}
   */
  async dispatch<Param extends string, Buffer extends string>(
    kernel: Kernel<Param, Buffer>,
    params: Readonly<Record<Param, number>>,
    buffers: Readonly<Record<Buffer, BufferView>>,
    count: WorkgroupCount,
    operations: number,
  ): Promise<void> {
    if (this.#operations > 0 && this.#operations + operations > this.#context.operationsPerSubmit) {
      await this.submit();
    }
    this.#recorder.dispatch(kernel, params, buffers, count, operations);
    this.#operations += operations;
  }

  /**
   * Submits what was added since the last submit.
   *
   * @throws `gpu-validation`, `out-of-memory`, `device-lost`; the signal's reason
   */
  async submit(): Promise<void> {
    this.#signal?.throwIfAborted();
    await this.#before;
    this.#operations = 0;
    await this.#recorder.submit(this.#what);
    // A device that is lost meanwhile is told of by the next submit.
    this.#before = this.#context.device.queue.onSubmittedWorkDone().catch(() => undefined);
  }
}

/** Ranges of at most `most` out of `count`, and of at least one. */
export function* ranges(count: number, most: number): Generator<readonly [first: number, end: number]> {
  const step = Math.max(1, Math.floor(most));
  for (let first = 0; first < count; first += step) yield [first, Math.min(first + step, count)];
}
