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

/** What is asked for, of the pair that it is about where it is about one. */
export type Question = { readonly what: 'page' | 'table' } | EvidenceRequest;

/** From the page to the kernel. */
export type ToKernel =
  /** Asks for something under a token of the asker's own, since every view of the widget hears every answer. */
  | ({ readonly kind: 'ask'; readonly token: string } & Question)
  /** Row numbers on show, in pieces; `rows` is their whole number, null for all rows as they stand. */
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
  /** Bytes that were asked for, in pieces; one buffer comes with each. `facts` come with the first of a table or of evidence. */
  | {
      readonly kind: 'piece';
      readonly token: string;
      readonly piece: number;
      readonly pieces: number;
      readonly facts?: unknown;
    }
  /** Another table has taken the place of the one before. */
  | { readonly kind: 'changed' };
