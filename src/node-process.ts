/**
 * Node's `process`, or undefined in a page and its workers. Asked of `process.versions.node`, and of nothing else: bundlers
 * give pages a stand-in for `process`, and onnxruntime-web gives Node a `globalThis.Worker` once it has started threads.
 * A window of Electron counts as a page, whatever modules of Node it may load: its threads are those of a page.
 */
export function nodeProcess(): NodeJS.Process | undefined {
  const process = (globalThis as { process?: Partial<NodeJS.Process> & { readonly type?: string } }).process;
  if (process?.versions?.node === undefined || process.type === 'renderer') return undefined;
  return process as NodeJS.Process;
}
