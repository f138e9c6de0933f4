import { signal } from '@preact/signals';

/** A file by name and content; messages refer to it by its name. */
export interface NamedFile {
  readonly name: string;
  /** Distinguishes files of the same name: SHA-256 of the content, external data included, in hexadecimal. */
  readonly digest: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A model's external data files by name. */
  readonly external?: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  /** Fetched from an address, picked from the user's disk, or part of the bundled example. */
  readonly origin: 'address' | 'disk' | 'example';
  /** Where it was fetched from, in full. */
  readonly address?: string;
}

export type InputRole = 'model' | 'data' | 'positives' | 'sources' | 'targets' | 'table' | 'names';

/** State of an input: the file in use and what was read from it, and the last file that was refused. */
export interface InputState {
  /** Null if a file was refused before any was accepted. */
  readonly name: string | null;
  readonly note: string | null;
  readonly origin?: NamedFile['origin'];
  readonly address?: string;
  readonly refusal?: { readonly name: string; readonly note: string };
}

/** What became of a file: accepted, or refused, in which case the previous one stays in use. */
export interface InputNote {
  readonly name: string;
  readonly note: string;
  readonly refused: boolean;
  readonly origin?: NamedFile['origin'];
  readonly address?: string | undefined;
}

export const inputs = signal<Partial<Record<InputRole, InputState>>>({});

export function noteInput(role: InputRole, of: InputNote | undefined): void {
  const rest = { ...inputs.value };
  // A removed input leaves no trace.
  if (!of) Reflect.deleteProperty(rest, role);
  else if (of.refused) {
    const { name, note } = of;
    rest[role] = { ...(rest[role] ?? { name: null, note: null }), refusal: { name, note } };
  } else {
    const { name, note, origin, address } = of;
    rest[role] = { name, note, ...(origin && { origin }), ...(address !== undefined && { address }) };
  }
  inputs.value = rest;
}

export async function fromFile(file: File): Promise<NamedFile> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return { name: file.name, digest: await digestOf(bytes), bytes, origin: 'disk' };
}

let undigested = 0;

/** SHA-256 in hexadecimal; a page served over plain HTTP lacks it and gets a unique text instead. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  if (!isSecureContext) return `file ${++undigested} of this session`;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A model and the external data files picked or dropped with it (`m.onnx`, `m.onnx.data`) as one. */
export async function modelFromFiles(files: readonly File[]): Promise<NamedFile> {
  const model = files.find((file) => /\.onnx$/i.test(file.name)) ?? files[0]!;
  const others = files.filter((file) => file !== model);
  const named = await fromFile(model);
  if (others.length === 0) return named;
  const external = await Promise.all(others.map(fromFile));
  const digests = [named, ...external].map(({ name, digest }) => `${name} ${digest}`).join('\n');
  return {
    ...named,
    digest: await digestOf(new TextEncoder().encode(digests)),
    external: Object.fromEntries(external.map(({ name, bytes }) => [name, bytes])),
  };
}
