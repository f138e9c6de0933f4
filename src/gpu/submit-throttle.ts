import type { GpuContext } from './device.ts';

/** Full submits in flight: one running and one queued, so that the GPU never waits for the host. */
const SUBMITS_AHEAD = 2;

/**
 * Throttles all submits of one request: at most the operations of two full submits are in flight, however many small
 * submits that is. So an abort is noticed within the time of one submit, and leaves the GPU one more to run.
 */
export class SubmitThrottle {
  readonly #context: GpuContext;
  readonly #signal: AbortSignal | undefined;
  /** Completion of the submits in flight, oldest first */
  readonly #queued: Promise<void>[] = [];
  /** Of the submits in flight */
  #operations = 0;

  constructor(context: GpuContext, signal?: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  /**
   * Waits until the queue can take this many operations; an empty queue takes a submit of any size.
   *
   * @throws the signal's reason
   */
  async waitForCapacity(operations: number): Promise<void> {
    const most = SUBMITS_AHEAD * this.#context.operationsPerSubmit;
    this.#signal?.throwIfAborted();
    while (this.#queued.length > 0 && this.#operations + operations > most) {
      await this.#queued[0];
      this.#signal?.throwIfAborted();
    }
  }

  /** Must be called after each submit, with its operations. */
  submitted(operations: number): void {
    this.#operations += operations;
    const run = (): void => {
      void this.#queued.shift();
      this.#operations -= operations;
    };
    // If the device is lost meanwhile, the next submit reports it.
    this.#queued.push(this.#context.device.queue.onSubmittedWorkDone().then(run, run));
  }
}
