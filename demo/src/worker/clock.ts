/**
 * Yields to the event loop: awaiting a promise does not, and a fit that only awaits the CPU would never receive "stop".
 * Uses a message channel, because timers are clamped to 4 ms.
 */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** A gate that can be closed and opened; `passed` resolves while it is open. */
export class Gate {
  #opened: Promise<void> | null = null;
  #open: () => void = () => undefined;

  shut(): void {
    this.#opened ??= new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#opened = null;
    this.#open();
  }

  async passed(): Promise<void> {
    while (this.#opened) await this.#opened;
  }
}
