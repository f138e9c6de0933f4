import type { EvidenceRequest } from '../messages.ts';

/** What anywidget hands to `render`, as far as it is used here (https://anywidget.dev/en/afm). */
export interface WidgetModel {
  get(name: 'selected'): readonly string[];
  get(name: 'height'): number;
  set(name: 'selected', value: readonly string[]): void;
  save_changes(): void;
  on(event: string, listener: (...args: never[]) => void): void;
  off(event: string, listener: (...args: never[]) => void): void;
  send(content: unknown, callbacks?: unknown, buffers?: ArrayBuffer[]): void;
}

/** What is requested, with the pair if it concerns one. */
export type Question = { readonly what: 'page' | 'table' } | EvidenceRequest;

/** From the page to the kernel. */
export type ToKernel =
  /** A request under a token of its own, since every view of the widget receives every answer. */
  | ({ readonly kind: 'ask'; readonly token: string } & Question)
  /** Row numbers shown, in pieces; `rows` is their total number, null for all rows in table order. */
  | {
      readonly kind: 'rows';
      readonly token: string;
      readonly version: number;
      readonly rows: number | null;
      readonly piece: number;
      readonly pieces: number;
    };

/** From the kernel to the page. */
export type FromKernel =
  /**
   * Bytes that were requested, in pieces; one buffer comes with each. `facts` come with the first piece of a table or
   * of evidence.
   */
  | {
      readonly kind: 'piece';
      readonly token: string;
      readonly piece: number;
      readonly pieces: number;
      readonly facts?: unknown;
    }
  /** Another table has replaced the previous one. */
  | { readonly kind: 'changed' };
