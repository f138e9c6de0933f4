import { nodeProcess } from './node-process.ts';

let folder: URL | undefined;

/** Makes workers start from files in this folder (an address relative to the page) instead of from Blobs. */
export function setWorkerFolder(address: string | URL | undefined): void {
  const page = nodeProcess() ? undefined : globalThis.location.href;
  folder = address === undefined ? undefined : new URL(address, page);
}

/** The address of a worker's file; undefined if workers start from Blobs. */
export function workerFile(name: string): string | undefined {
  return folder && new URL(`${name}.js`, folder).href;
}
