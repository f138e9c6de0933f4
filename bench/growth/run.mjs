/**
 * Growth of time and memory with N, n, P and |S|: the CPU engine and the straight port, from magnitudes to the table of
 * partial correlations, one size varied at a time. Every point is a process of its own, run once.
 *
 *     npm run bench -- growth                                     # up to N = 1000
 *     npm run bench -- growth --nodes 250,1000,4000,10000 --port-nodes 2000
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { randomEdges, writeMagnitudes } from '../job/inputs.mjs';
import { measure, total } from '../job/sides.mjs';
import { readOptions } from '../shared/options.mjs';
import { numbers, printTable, seconds, writeResult } from '../shared/report.mjs';

const options = readOptions({
  nodes: '250,500,1000',
  samples: '512,1024,2048,4096',
  pairs: '1,2,4,8',
  parents: '0,8,32,128',
  /** The port is left out above this N: its table takes a second for every 100,000 pairs */
  'port-nodes': 1000,
  backend: 'cpu',
  threads: 2,
});
const { backend, threads } = options;

const base = { nodes: 500, samples: 1024, pairs: 2, parents: 8 };
const axes = /** @type {const} */ (['nodes', 'samples', 'pairs', 'parents']);
const points = [];
for (const axis of axes) {
  for (const value of numbers(options[axis])) {
    const size = { ...base, [axis]: value };
    const folder = mkdtempSync(`${tmpdir()}/magnitude-edge-bench-`);
    try {
      const inputs = { ...writeMagnitudes(folder, size), edges: randomEdges(size) };
      const job = { ...size, ...inputs, batch: 128, repeats: 1, score: 'partial', backend };
      const side = (/** @type {'ours' | 'port'} */ name) => {
        const measured = measure(
          name,
          'evaluate',
          { ...job, out: `${folder}/${name}.f64` },
          { folder, threads },
        );
        const both = /** @type {const} */ (['wall', 'cpu']).map((kind) =>
          total(measured, ['accumulate', 'first'], kind),
        );
        return {
          wall: both[0] ?? NaN,
          cpu: both[1] ?? NaN,
          peakMiB: measured.peakMiB,
          notes: measured.notes,
        };
      };
      const port = size.nodes <= options['port-nodes'] ? side('port') : undefined;
      points.push({ axis, value, ours: side('ours'), port });
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

writeResult(`growth-${backend}`, { setup: { ...base, score: 'partial', threads }, points });
console.log(`Otherwise N = ${base.nodes}, n = ${base.samples}, P = ${base.pairs}, |S| = ${base.parents}\n`);
printTable(
  ['', 'ours', 'port', 'CPU time, ours', 'port', 'peak memory, ours', 'port'],
  points.map(({ axis, value, ours, port }) => [
    `${axis} = ${value}`,
    seconds(ours.wall),
    port ? seconds(port.wall) : '',
    seconds(ours.cpu),
    port ? seconds(port.cpu) : '',
    `${ours.peakMiB.toFixed(0)} MiB`,
    port ? `${port.peakMiB.toFixed(0)} MiB` : '',
  ]),
);
