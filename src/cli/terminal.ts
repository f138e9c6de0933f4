/** Where a command writes: results to `out`, progress and errors to `err`. */
export interface Terminal {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

/** Writes text and a line feed, its control characters made visible: names may hold what moves cursors and sets titles. */
export function printLine(stream: NodeJS.WritableStream, text: string): void {
  stream.write(`${escapeControls(text, notLineFeed)}\n`);
}

/** Text that stays on its line and shows its control characters, as in `\u001b`. */
export function oneLine(text: string): string {
  return escapeControls(text, all);
}

// C0 and C1 controls, DEL, and what turns the direction of writing or ends lines; escaped as JSON does it.
/* eslint-disable no-control-regex */
const all = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const notLineFeed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/* eslint-enable no-control-regex */

function escapeControls(text: string, which: RegExp): string {
  return text.replaceAll(which, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
