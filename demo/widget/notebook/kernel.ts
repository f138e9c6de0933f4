import type { FromKernel, Question, ToKernel, WidgetModel } from './model.ts';

/**
 * Most bytes of one message to the kernel. Servers close the connection, and lose the message without an error,
 * somewhere between 9 and 12 MB.
 */
const mostBytes = 4_000_000;
/** Milliseconds of silence after which the kernel is considered busy or gone. */
const patience = 5000;

/** Bytes from the kernel, with its facts about them. */
export interface Answer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly facts: unknown;
}

const newToken = (): string => Array.from(crypto.getRandomValues(new Uint32Array(4))).join('-');

/**
 * The connection of one view to the kernel: requests with their answers in pieces, reports of rows, and change notices.
 */
export class Kernel {
  /** Called when another table can be requested. */
  onChange: () => void = () => undefined;
  /** Called when nothing has arrived for a while, and again while that lasts. */
  onSilence: () => void = () => undefined;
  readonly #model: WidgetModel;
  readonly #listen: (message: FromKernel, buffers: readonly DataView[]) => void;
  readonly #waiting = new Map<
    string,
    { parts: DataView[]; facts: unknown; done: (answer: Answer) => void }
  >();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: WidgetModel) {
    this.#model = model;
    this.#listen = (message, buffers) => {
      if (message.kind === 'changed') this.onChange();
      else this.#take(message, buffers[0]);
    };
    model.on('msg:custom', this.#listen);
  }

  /** Requests bytes. An answer that a newer request for the same has superseded never arrives. */
  ask(question: Question): Promise<Answer> {
    const { what } = question;
    const token = `${what} ${newToken()}`;
    for (const older of this.#waiting.keys()) if (older.startsWith(what)) this.#waiting.delete(older);
    return new Promise((resolve) => {
      this.#waiting.set(token, { parts: [], facts: null, done: resolve });
      this.#send({ kind: 'ask', token, ...question });
      this.#waitAgain();
    });
  }

  /** Reports which rows of a table are shown. */
  tellRows(version: number, rows: Uint32Array<ArrayBuffer> | null): void {
    const token = newToken();
    const each = mostBytes / 4;
    const pieces = Math.max(1, Math.ceil((rows?.length ?? 0) / each));
    for (let piece = 0; piece < pieces; piece++) {
      const part = rows?.slice(piece * each, (piece + 1) * each);
      const message = { kind: 'rows', token, version, rows: rows?.length ?? null, piece, pieces } as const;
      this.#send(message, part && [part.buffer]);
    }
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
    this.#model.off('msg:custom', this.#listen);
  }

  #send(message: ToKernel, buffers: ArrayBuffer[] = []): void {
    try {
      this.#model.send(message, undefined, buffers);
    } catch {
      // A model whose kernel is gone refuses; `onSilence` will report that nothing arrives.
    }
  }

  #take(message: Extract<FromKernel, { kind: 'piece' }>, bytes: DataView | undefined): void {
    const asked = this.#waiting.get(message.token);
    if (!asked || !bytes) return;
    this.#waitAgain();
    asked.parts[message.piece] = bytes;
    if (message.facts !== undefined) asked.facts = message.facts;
    // Pieces may arrive out of order.
    let come = 0;
    asked.parts.forEach(() => come++);
    if (come < message.pieces) return;
    this.#waiting.delete(message.token);
    this.#waitAgain();
    asked.done({ bytes: joined(asked.parts), facts: asked.facts });
  }

  #waitAgain(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => {
      this.onSilence();
      this.#waitAgain();
    }, patience);
  }
}

function joined(parts: readonly DataView[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return whole;
}
