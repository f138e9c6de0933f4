import { signal } from '@preact/signals';

/** A file by name and content; the name is what messages call it. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A model's external data files by name. */
  readonly external?: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
  /** Fetched from an address, or picked from the user's disk. */
  readonly origin: 'address' | 'disk';
  /** Where it was fetched from, in full. */
  readonly address?: string;
}

export type InputRole = 'model' | 'data' | 'positives' | 'sources' | 'targets' | 'table';

/** How each input stands: its file name, and what was read from it or why it was refused. */
export interface InputState {
  readonly name: string;
  readonly note: string;
  readonly refused: boolean;
  readonly origin?: NamedFile['origin'];
}

export const inputs = signal<Partial<Record<InputRole, InputState>>>({});

export function noteInput(role: InputRole, state: InputState | undefined): void {
  const rest = { ...inputs.value };
  if (state) rest[role] = state;
  // An input that is taken away leaves no trace.
  else Reflect.deleteProperty(rest, role);
  inputs.value = rest;
}

export async function fromFile(file: File): Promise<NamedFile> {
  return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()), origin: 'disk' };
}

/** A model and the external data files picked or dropped with it (`m.onnx`, `m.onnx.data`) as one. */
export async function modelFromFiles(files: readonly File[]): Promise<NamedFile> {
  const model = files.find((file) => /\.onnx$/i.test(file.name)) ?? files[0]!;
  const others = files.filter((file) => file !== model);
  const named = await fromFile(model);
  if (others.length === 0) return named;
  const external = await Promise.all(
    others.map(async (file) => [file.name, (await fromFile(file)).bytes] as const),
  );
  return { ...named, external: Object.fromEntries(external) };
}

/** Fetches a file; a refusal names the address and what the server said. */
export async function fromAddress(address: string): Promise<NamedFile> {
  const { href, pathname } = new URL(address, location.href);
  const name = pathname.split('/').at(-1) ?? address;
  let response: Response;
  try {
    response = await fetch(address);
  } catch {
    throw new Error(
      `${address} could not be fetched: no answer, or its server does not allow this page to read it.`,
    );
  }
  if (!response.ok)
    throw new Error(`${address} could not be fetched: the server answered ${response.status}.`);
  const bytes = await response.arrayBuffer().catch(() => {
    throw new Error(`${address} could not be fetched: the answer broke off before its end.`);
  });
  return { name, bytes: new Uint8Array(bytes), origin: 'address', address: href };
}
