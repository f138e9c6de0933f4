import { describe, expect, test } from 'vitest';
import { changesSince, fitChangesSince } from '../../../demo/src/results/changes.ts';
import type { FileFacts, FitProvenance } from '../../../demo/src/results/provenance.ts';
import { fileStem, provenanceLine, provenanceText } from '../../../demo/src/results/wording.ts';
import { defaultParams } from '../../../demo/src/results/params.ts';
import { clearSelection, knownNames, select, selection } from '../../../demo/src/state/selection.ts';
import { connect, serve, type Port } from '../../../demo/src/worker/rpc.ts';

const file = (name: string, digest: string): FileFacts => ({ name, digest, origin: 'disk', address: null });
const facts = {
  ...{ inputs: [], functions: [], outputs: [] },
  ...{ edges: [], inputEdges: [], outputEdges: [] },
  ...{ layers: 4, norm: 'batch', canMask: false },
};

const fit: FitProvenance = {
  kind: 'fit',
  run: 1,
  model: { ...file('net (2).onnx', 'aa'), facts },
  data: { ...file('a/b.npz', 'bb'), samples: 2000 },
  params: defaultParams,
  samples: 1500,
  placement: { backend: 'cpu', provider: 'wasm', notes: [] },
  seconds: 1,
  resampled: false,
};
const now = { model: fit.model, data: fit.data, params: defaultParams };

describe('what has changed since a result', () => {
  test('files count by content, not by name', () => {
    expect(changesSince(fit, now)).toEqual([]);
    expect(changesSince(fit, { ...now, model: file('renamed.onnx', 'aa') })).toEqual([]);
    expect(changesSince(fit, { ...now, model: file('net (2).onnx', 'cc'), data: null })).toEqual([
      'model (now another net (2).onnx)',
    ]);
    expect(changesSince(fit, { ...now, data: file('other.npz', 'dd') })).toEqual(['data (now other.npz)']);
    expect(changesSince(fit, { ...now, data: null })).toEqual(['data (none now)']);
  });

  test('settings count where scores depend on them', () => {
    const changed = (change: Partial<typeof defaultParams>, from = fit) =>
      changesSince(from, { ...now, params: { ...defaultParams, ...from.params, ...change } });
    expect(changed({ loss: 'huber', score: 'partial' })).toEqual(['score', 'loss']);
    expect(changed({ ridge: 1 })).toEqual([]);
    expect(changed({ ridge: 1 }, { ...fit, params: { ...defaultParams, score: 'partial' } })).toEqual([
      'ridge',
    ]);
    expect(changed({ seed: 1, uncertainty: true })).toEqual([]);
    const resampled = { ...fit, resampled: true, params: { ...defaultParams, uncertainty: true } };
    expect(changed({ seed: 1 }, resampled)).toEqual(['seed']);
    // Another score may be asked of the same statistics.
    expect(fitChangesSince(fit, { ...now, params: { ...defaultParams, score: 'partial' } })).toEqual([]);
    expect(fitChangesSince(fit, { ...now, params: { ...defaultParams, reduction: 'l2' } })).toEqual([
      'magnitude',
    ]);
  });

  test('a table that was opened is outdated once a model is', () => {
    const opened = { kind: 'file', file: file('t.csv', 'ee'), metadata: {} } as const;
    expect(changesSince(opened, { ...now, model: null, data: null })).toEqual([]);
    expect(changesSince(opened, now)).toEqual(['a model was opened (net (2).onnx)']);
  });
});

test('results are named in lines, in file names that any disk takes, and at full length', () => {
  expect(provenanceLine(fit)).toBe('net (2).onnx with a/b.npz (corr, mean of layers, n = 1,500)');
  expect(fileStem(fit)).toBe('net-2-_a-b_corr_mean_n1500');
  expect(provenanceText(fit)).toContain(
    '(SHA-256 aa), data a/b.npz (SHA-256 bb), 1,500 samples of 2,000, score corr',
  );
  const opened = {
    kind: 'file',
    file: file('../t.csv', 'ee'),
    metadata: { score: 'corr', layerAgg: 'max', n: '9' },
  } as const;
  expect(provenanceLine(opened)).toBe('../t.csv (corr, max, n = 9)');
  expect(fileStem(opened)).toBe('..-t');
});

test('a selection is of names: numbers follow the table, and where a name is missing nothing is selected', () => {
  knownNames.value = ['a', 'b', 'c'];
  select({ names: knownNames.value }, { kind: 'pair', source: 0, target: 2 });
  const before = selection.value;
  expect(before).toEqual({ kind: 'pair', source: 0, target: 2 });
  knownNames.value = ['a', 'b', 'c', 'd'];
  // The same object, so that no view moves.
  expect(selection.value).toBe(before);
  knownNames.value = ['c', 'b', 'a'];
  expect(selection.value).toEqual({ kind: 'pair', source: 2, target: 0 });
  knownNames.value = ['x', 'b', 'a'];
  expect(selection.value).toEqual({ kind: 'none' });
  // Of two nodes with one name, the one that was pointed at.
  knownNames.value = ['a', 'a'];
  select({ names: knownNames.value }, { kind: 'node', node: 0 });
  expect(selection.value).toEqual({ kind: 'node', node: 0 });
  clearSelection();
  expect(selection.value).toEqual({ kind: 'none' });
});

test('calls to a worker that was replaced reject, and what it still says is not heard', async () => {
  /** The page's end of a message channel and the worker's. */
  const ends = (): [Port, Port] => {
    const { port1, port2 } = new MessageChannel();
    port1.start();
    port2.start();
    return [port1, port2] as unknown as [Port, Port];
  };
  const [[first, firstInside], [second, secondInside]] = [ends(), ends()];
  const said: unknown[] = [];
  let answerLate: (answer: string) => void = () => undefined;
  const sendFirst = serve(firstInside, {
    who: () => new Promise<string>((resolve) => (answerLate = resolve)),
  });
  serve(secondInside, { who: () => 'second' });
  const link = connect<{ who(): Promise<string> }>(first, (name) => said.push(name));
  const waiting = link.calls.who();
  link.replace(second, { code: 'replaced', message: 'Ended.' });
  await expect(waiting).rejects.toMatchObject({ code: 'replaced', message: 'Ended.' });
  sendFirst('late', 1);
  answerLate('first');
  expect(await link.calls.who()).toBe('second');
  expect(said).toEqual([]);
  for (const port of [first, second]) (port as unknown as MessagePort).close();
});
