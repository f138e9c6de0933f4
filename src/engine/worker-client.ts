import { MagnitudeEdgeError } from '../errors.ts';
import { buffersOf, type AnswerMessage, type CallTable, type WorkerCalls } from './cpu/worker-protocol.ts';
import { startWorker, type WorkerThread } from './worker-thread.ts';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Calls to one worker; by default one that keeps sums. */
export class WorkerClient<Calls extends CallTable<Extract<keyof Calls, string>> = WorkerCalls> {
  readonly #waiting = new Map<number, Waiting>();
  readonly #thread: WorkerThread;
  #calls = 0;
  #ended: MagnitudeEdgeError | undefined;

  /**
   * @param name of the script's file
   * @throws what the platform throws, or `runtime` if there are no workers
   */
  constructor(script: string, name?: string) {
    const events = {
      message: (data: unknown) => {
        this.#answer(data as AnswerMessage);
      },
      failed: (cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        this.#end(new MagnitudeEdgeError('runtime', `A worker of the CPU backend died: ${why}.`, { cause }));
      },
    };
    const thread = startWorker(script, events, name);
    if (thread === undefined) throw new MagnitudeEdgeError('runtime', 'Workers are not available here.');
    this.#thread = thread;
  }

  /**
   * Calls take effect in the order they are made. The buffers of the argument are transferred: the caller gives up
   * its arrays.
   */
  call<Name extends Extract<keyof Calls, string>>(
    name: Name,
    argument: Calls[Name]['argument'],
  ): Promise<Calls[Name]['result']> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      const id = this.#calls++;
      this.#thread.post({ id, name, argument }, [...buffersOf(argument)]);
      // The protocol pairs the name of a call with the type of its answer.
      this.#waiting.set(id, { resolve: resolve, reject });
      this.#thread.keepAlive(true);
    });
  }

  /** Why it accepts no more calls; undefined while it does. */
  get ended(): MagnitudeEdgeError | undefined {
    return this.#ended;
  }

  /**
   * Ends the worker. Idempotent.
   *
   * @param why the error of pending and later calls; by default that the engine has been released
   */
  terminate(
    why = new MagnitudeEdgeError('released', 'The CPU engine has been released and cannot be used any more.'),
  ): void {
    this.#end(why);
  }

  #answer(answer: AnswerMessage): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if (this.#waiting.size === 0) this.#thread.keepAlive(false);
    if ('result' in answer) {
      waiting?.resolve(answer.result);
    } else {
      const { code, message, details } = answer.error;
      waiting?.reject(new MagnitudeEdgeError(code, message, { details }));
    }
  }

  #end(error: MagnitudeEdgeError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    this.#thread.terminate();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
