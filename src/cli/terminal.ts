/** Where a command writes: results to `out`, progress and errors to `err`. */
export interface Terminal {
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

/**
 * Writes text and a line feed, with control characters escaped: names may hold sequences that move the cursor or set
 * titles.
 */
export function printLine(stream: NodeJS.WritableStream, text: string): void {
  stream.write(`${escapeControls(text, notLineFeed)}\n`);
}

/** Text on one line, with control characters escaped, as in `\u001b`. */
export function oneLine(text: string): string {
  return escapeControls(text, all);
}

// C0 and C1 controls, DEL, bidirectional formatting characters and line separators; escaped as in JSON.
/* eslint-disable no-control-regex */
const all = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const notLineFeed = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
/* eslint-enable no-control-regex */

function escapeControls(text: string, which: RegExp): string {
  return text.replaceAll(which, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
