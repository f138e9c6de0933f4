/**
 * `magnitude-edge/browser`: everything in one file, for pages without a bundler: the library, the statistics, the training
 * graphs, apache-arrow's tables and the runtime. The runtime's `.wasm` lies beside it.
 *
 * @module
 */
export * from './index.ts';
export * as statistics from './statistics.ts';
export * as trainingGraph from './training-graph.ts';
export { Table, tableFromIPC, tableToIPC } from 'apache-arrow';
