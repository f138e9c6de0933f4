/**
 * `magnitude-edge/browser`: the library, the statistics, the training graphs, apache-arrow's tables and the runtime in
 * one file, for pages without a bundler. The runtime's `.wasm` is in the same folder.
 *
 * @module
 */
export * from './index.ts';
export * as statistics from './statistics.ts';
export * as trainingGraph from './training-graph.ts';
export { Table, tableFromIPC, tableToIPC } from 'apache-arrow';
