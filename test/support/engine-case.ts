import {
  type EngineShape,
  type MagnitudeBatch,
  raggedFromLists,
  type ScoreRequest,
} from '../../src/statistics.ts';

/** Magnitudes and a request, as stored in `test/fixtures/engines`; `x` and `y` are `[pair][sample][node]`. */
export interface EngineCaseFile {
  readonly nodes: number;
  readonly samples: number;
  readonly pairs: number;
  readonly score: string;
  readonly layerAgg: string;
  readonly ridge: number;
  readonly edgeSources: readonly number[];
  readonly edgeTargets: readonly number[];
  readonly x: readonly (readonly (readonly number[])[])[];
  readonly y: readonly (readonly (readonly number[])[])[];
}

export interface EngineCase {
  readonly shape: EngineShape;
  readonly request: ScoreRequest;
  /** Samples `first .. end` */
  batch(first: number, end: number): MagnitudeBatch;
}

/** @param added edges in addition to those of the file, as [source, target] */
export function engineCase(file: EngineCaseFile, added: readonly (readonly number[])[] = []): EngineCase {
  const parents = Array.from({ length: file.nodes }, () => new Set<number>());
  file.edgeSources.forEach((source, edge) => parents[file.edgeTargets[edge]!]!.add(source));
  for (const [source, target] of added) parents[target!]!.add(source!);
  const sets = parents.map((set, target) => {
    set.delete(target);
    return [...set].sort((a, b) => a - b);
  });
  return {
    shape: { nodes: file.nodes, pairs: file.pairs, reduction: 'l1' },
    request: {
      score: file.score as ScoreRequest['score'],
      layerAgg: file.layerAgg as ScoreRequest['layerAgg'],
      ridge: file.ridge,
      conditioningSets: raggedFromLists(sets),
    },
    batch: (first, end) => {
      const rows = (layers: EngineCaseFile['x']): Float32Array[] =>
        layers.map((layer) => Float32Array.from(layer.slice(first, end).flat()));
      return { size: end - first, x: rows(file.x), y: rows(file.y) };
    },
  };
}
