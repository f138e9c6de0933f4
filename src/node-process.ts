/**
 * Node's `process`, or undefined in a page and its workers. Tests `process.versions.node`, not `process` or `Worker`:
 * bundlers give pages a stub for `process`, and onnxruntime-web defines `globalThis.Worker` in Node once it has started
 * threads. A window of Electron counts as a page even if it may load Node's modules: its threads are those of a page.
 */
export function nodeProcess(): NodeJS.Process | undefined {
  const process = (globalThis as { process?: Partial<NodeJS.Process> & { readonly type?: string } }).process;
  if (process?.versions?.node === undefined || process.type === 'renderer') return undefined;
  return process as NodeJS.Process;
}
