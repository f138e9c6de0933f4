import type { GpuContext } from './device.ts';

/** Full submits that the queue holds: one that runs and one after it, so that the GPU never waits for the host. */
const SUBMITS_AHEAD = 2;

/**
 * Paces all that one request submits: no more goes to the queue than two full submits, however many small ones that is,
 * until the oldest has run. So an abort is seen within the time of one submit, and leaves one more to the GPU.
 */
export class SubmitThrottle {
  readonly #context: GpuContext;
  readonly #signal: AbortSignal | undefined;
  /** When submits that the queue holds have run, oldest first */
  readonly #queued: Promise<void>[] = [];
  /** Of the submits that the queue holds */
  #operations = 0;

  constructor(context: GpuContext, signal?: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  /**
   * Waits until the queue has room for so many operations; one submit has room in an empty queue whatever its size.
   *
   * @throws the signal's reason
   */
  async room(operations: number): Promise<void> {
    const most = SUBMITS_AHEAD * this.#context.operationsPerSubmit;
    this.#signal?.throwIfAborted();
    while (this.#queued.length > 0 && this.#operations + operations > most) {
      await this.#queued[0];
      this.#signal?.throwIfAborted();
    }
  }

  /** To be called once a submit of so many operations has been made. */
  submitted(operations: number): void {
    this.#operations += operations;
    const run = (): void => {
      void this.#queued.shift();
      this.#operations -= operations;
    };
    // A device that is lost meanwhile is told of by the next submit.
    this.#queued.push(this.#context.device.queue.onSubmittedWorkDone().then(run, run));
  }
}
