import { PackedSymmetric } from '../statistics/packed-symmetric.ts';
import { productsWith, type PairSnapshot } from '../statistics/pair-snapshot.ts';
import type { RaggedIndices } from '../statistics/ragged.ts';
import type { Tile, TiledMatmul } from '../statistics/tiled-matmul.ts';
import { runYielding, type Yielder } from '../statistics/yielder.ts';
import { scoredMoments } from './constant-nodes.ts';
import {
  noSources,
  type PairBasis,
  type PanelProducts,
  type ProductSource,
  type SourceProducts,
} from './product-source.ts';
import type { TargetsRequest } from './score-matrices.ts';
import type { TargetRange } from './target-panels.ts';

/**
 * Products that are formed from the samples on request and freed afterwards: no N x N sums exist, except X^T X for
 * partial scores of all targets, of one layer pair at a time.
 */
export class OnDemandProducts implements ProductSource {
  readonly nodes: number;
  readonly #pairAt: (pair: number) => PairSnapshot;
  readonly #request: TargetsRequest;
  readonly #yielder: Yielder;
  readonly #packed: PackedSymmetric | undefined;
  #open: { readonly pair: number; readonly snapshot: PairSnapshot; readonly basis?: PairBasis } | undefined;
  #tile: Tile | undefined;

  /** @throws RangeError if scratch memory runs out */
  constructor(
    nodes: number,
    pairAt: (pair: number) => PairSnapshot,
    request: TargetsRequest,
    yielder: Yielder,
  ) {
    this.nodes = nodes;
    this.#pairAt = pairAt;
    this.#request = request;
    this.#yielder = yielder;
    const whole = request.score === 'partial' && request.targets === undefined;
    this.#packed = whole ? new PackedSymmetric(nodes) : undefined;
  }

  async open(pair: number, panel: TargetRange): Promise<PanelProducts> {
    const { targets } = this.#request;
    if (this.#open?.pair !== pair) {
      this.#tile = undefined;
      this.#open = { pair, snapshot: this.#pairAt(pair) };
    }
    const { snapshot } = this.#open;
    if (targets !== undefined) return this.#fewTargets(snapshot, targets.subarray(panel.first, panel.end));
    if (this.#open.basis === undefined) {
      this.#open = { pair, snapshot, basis: await this.#basisOf(snapshot, await this.#packAll(snapshot)) };
    }
    return { ...this.#open.basis!, tiles: this.#tilesOf(snapshot, panel) };
  }

  release(): void {
    this.#packed?.discard();
  }

  async #basisOf(pair: PairSnapshot, sources: SourceProducts): Promise<PairBasis> {
    const { score, varianceFloor } = this.#request;
    const moments =
      score === 'partial' ? await runYielding(pair.exactMoments(), this.#yielder) : pair.moments;
    const { nodes, samples } = pair;
    return { nodes, samples, moments: scoredMoments(moments, varianceFloor), sources };
  }

  /** X^T X of all nodes, for partial scores. */
  async #packAll({ nodes, matmuls: matmul, x }: PairSnapshot): Promise<SourceProducts> {
    if (this.#packed === undefined) return noSources;
    const { tileColumns } = matmul.exact;
    for (let first = 0; first < nodes; first += tileColumns) {
      const columns = [first, Math.min(first + tileColumns, nodes)] as const;
      const formed = matmul.exact.tile(x, x, [0, x.rows.end], columns, { upperOnly: true });
      this.#packed.setColumns(await runYielding(formed, this.#yielder));
    }
    return this.#packed;
  }

  async *#tilesOf(pair: PairSnapshot, { first, end }: TargetRange): AsyncGenerator<Tile, void, undefined> {
    for (let at = first; at < end;) {
      const tile = await this.#tileOf(pair, at);
      const to = Math.min(end, tile.end);
      yield { ...tile, values: tile.values.subarray(at - tile.first), first: at, end: to };
      at = to;
    }
  }

  /** The tile of X^T Y that contains a target: the current one, or a new one. */
  async #tileOf(pair: PairSnapshot, target: number): Promise<Tile> {
    if (this.#tile !== undefined && target >= this.#tile.first && target < this.#tile.end) return this.#tile;
    this.#tile = undefined;
    const { nodes, x, y } = pair;
    const matmul = this.#matmulOf(pair);
    const { tileColumns } = matmul;
    const first = target - (target % tileColumns);
    const columns = [first, Math.min(first + tileColumns, nodes)] as const;
    this.#tile = await runYielding(
      matmul.tile(x, y, [0, x.rows.end], columns, { upperOnly: false }),
      this.#yielder,
    );
    return this.#tile;
  }

  /** Forms X^T Y. */
  #matmulOf({ matmuls: matmul }: PairSnapshot): TiledMatmul {
    return this.#request.score === 'partial' ? matmul.exact : matmul.plain;
  }

  /** Forms the products that some targets need, and no others. */
  async #fewTargets(pair: PairSnapshot, targets: Uint32Array): Promise<PanelProducts> {
    const { nodes, x, y } = pair;
    const matmul = this.#matmulOf(pair);
    const { score, conditioningSets } = this.#request;
    const columns = (side: PairSnapshot['x'], some: Uint32Array): Promise<Float64Array> =>
      runYielding(productsWith(matmul, x, side, some), this.#yielder);
    let sources = noSources;
    if (score === 'partial') {
      const members = membersOf(conditioningSets, targets);
      sources = new MemberProducts(nodes, members, await columns(x, members));
    }
    const basis = await this.#basisOf(pair, sources);
    const values = await columns(y, targets);
    const stride = targets.length;
    const tiles = Array.from(targets, (target, t) => ({
      ...{ values: values.subarray(t), stride, first: target, end: target + 1 },
    }));
    return { ...basis, tiles };
  }
}

/** All nodes that some targets are conditioned on, ascending. */
function membersOf({ offsets, indices }: RaggedIndices, targets: Iterable<number>): Uint32Array {
  const members = new Set<number>();
  for (const target of targets) {
    for (let at = offsets[target]!; at < offsets[target + 1]!; at++) members.add(indices[at]!);
  }
  return Uint32Array.from(members).sort();
}

/** The columns of X^T X that belong to members of conditioning sets: all that scores read of it. */
class MemberProducts implements SourceProducts {
  readonly #columns: Float64Array;
  readonly #count: number;
  /** Column of each member */
  readonly #columnOf: Uint32Array;

  /** @param columns row-major `[nodes, members.length]` */
  constructor(nodes: number, members: Uint32Array, columns: Float64Array) {
    this.#columns = columns;
    this.#count = members.length;
    this.#columnOf = new Uint32Array(nodes);
    members.forEach((member, column) => (this.#columnOf[member] = column));
  }

  at(member: number, other: number): number {
    return this.#columns[other * this.#count + this.#columnOf[member]!]!;
  }

  copyPart(member: number, first: number, end: number, out: Float64Array, to: number): void {
    const count = this.#count;
    let from = first * count + this.#columnOf[member]!;
    for (let i = first; i < end; i++, from += count) out[to + i - first] = this.#columns[from]!;
  }
}
