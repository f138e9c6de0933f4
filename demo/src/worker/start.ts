import fitAddress from './fit.worker.ts?worker&url';
import tableAddress from './table.worker.ts?worker&url';
import type { Port } from './rpc.ts';

/** A thread that can be terminated. */
export interface EndablePort extends Port {
  terminate(): void;
}

/**
 * Starts a module as a worker. Started from a Blob it is under the policy of the page; loaded by its address, it would
 * be under none, on hosts that send no headers.
 */
function start(address: string, name: string): Worker {
  const code = `import ${JSON.stringify(new URL(address, location.href).href)};`;
  const blob = new Blob([code], { type: 'text/javascript' });
  return new Worker(URL.createObjectURL(blob), { type: 'module', name });
}

/** The thread that fits; {@link FitApi}. */
export const startFit = (): EndablePort => start(fitAddress, 'fit');

/** The thread that owns edge tables; {@link TableApi}. */
export const startTable = (): Port => start(tableAddress, 'table');
