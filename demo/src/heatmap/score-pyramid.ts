import type { ScoreBuffers } from 'magnitude-edge';
import { cellHasScore, cellMax, cellMin } from './cell.ts';
import { levelCount, tileSize, type TileRequest } from './pyramid.ts';
import cellCode from './cell.wgsl?raw';
import gatherCode from './gather.wgsl?raw';
import halveCode from './halve.wgsl?raw';

/** Levels below this are gathered from the scores when one of their tiles is drawn, as in {@link HeatmapPyramid}. */
const firstKept = 2;
const workgroup = 16;

/** What the square shows besides the scores. */
export interface SquareLayout {
  readonly nodes: number;
  /** `order[place]` is the node shown at that row and column. */
  readonly order: Uint32Array;
  /** Edges of the graph, as (source, target). */
  readonly edges: readonly (readonly [number, number])[];
  /** The diagonal stays empty. */
  readonly excludeSelf: boolean;
}

interface Level {
  readonly buffer: GPUBuffer;
  /** Texels along a side. */
  readonly side: number;
  /** Row stride in texels: whole tiles, so that any of them can be copied from here. */
  readonly stride: number;
}

/**
 * The min/max pyramid of score matrices on a GPU, built there; the twin of {@link HeatmapPyramid}. The caller owns the
 * scores, which must outlive the pyramid.
 */
export class ScorePyramid {
  readonly #scores: ScoreBuffers;
  readonly #layout: SquareLayout;
  readonly #gather: GPUComputePipeline;
  readonly #halve: GPUComputePipeline;
  readonly #order: GPUBuffer;
  readonly #edges: GPUBuffer;
  /** Buffer in which a tile of a fine level is gathered before it is copied. */
  readonly #tile: GPUBuffer;
  readonly #levels: readonly Level[];
  /** Uniform buffers of commands that are not yet submitted. */
  readonly #spent: GPUBuffer[] = [];

  private constructor(
    scores: ScoreBuffers,
    layout: SquareLayout,
    [gather, halve]: readonly [GPUComputePipeline, GPUComputePipeline],
  ) {
    this.#scores = scores;
    this.#layout = layout;
    this.#gather = gather;
    this.#halve = halve;
    const { nodes, order } = layout;
    this.#order = this.#storage(4 * nodes);
    scores.device.queue.writeBuffer(this.#order, 0, order as Uint32Array<ArrayBuffer>);
    const bits = edgeBits(layout);
    this.#edges = this.#storage(bits.byteLength);
    scores.device.queue.writeBuffer(this.#edges, 0, bits);
    this.#tile = this.#storage(4 * tileSize ** 2);
    this.#levels = Array.from({ length: Math.max(0, levelCount(nodes) - firstKept) }, (_, k) => {
      const side = Math.ceil(nodes / 2 ** (firstKept + k));
      const stride = tileSize * Math.ceil(side / tileSize);
      return { side, stride, buffer: this.#storage(4 * stride ** 2) };
    });
  }

  /** Builds the pyramid; its kernels are in the device's queue when this resolves. */
  static async build(scores: ScoreBuffers, layout: SquareLayout): Promise<ScorePyramid> {
    const { device } = scores;
    const pipeline = (label: string, code: string) =>
      device.createComputePipelineAsync({
        label,
        layout: 'auto',
        compute: { module: device.createShaderModule({ label, code: cellCode + code }) },
      });
    const pipelines = [await pipeline('gather', gatherCode), await pipeline('halve', halveCode)] as const;
    const made = new ScorePyramid(scores, layout, pipelines);
    made.#fill();
    return made;
  }

  /** Copies a tile into a layer of a texture of format r32uint. */
  write({ level, row, column }: TileRequest, texture: GPUTexture, layer: number): void {
    const { device } = this.#scores;
    const encoder = device.createCommandEncoder();
    const kept = this.#levels[level - firstKept];
    if (!kept) {
      encoder.clearBuffer(this.#tile);
      const side = Math.ceil(this.#layout.nodes / 2 ** level);
      const [top, left] = [row * tileSize, column * tileSize];
      const within = (start: number) => Math.min(tileSize, side - start);
      this.#gatherInto(encoder, this.#tile, {
        span: 2 ** level,
        top,
        left,
        rows: within(top),
        columns: within(left),
        stride: tileSize,
      });
    }
    const buffer = kept?.buffer ?? this.#tile;
    const stride = kept?.stride ?? tileSize;
    const offset = kept ? 4 * tileSize * (row * stride + column) : 0;
    encoder.copyBufferToTexture(
      { buffer, offset, bytesPerRow: 4 * stride },
      { texture, origin: [0, 0, layer] },
      [tileSize, tileSize],
    );
    this.#submit(encoder);
  }

  /**
   * The largest |score| to the precision of a texel, from one tile of the coarsest level, which is read back. 0 without
   * scores.
   */
  async extent(): Promise<number> {
    const { device } = this.#scores;
    const texture = device.createTexture({
      size: [tileSize, tileSize, 1],
      format: 'r32uint',
      usage: GPUTextureUsage.COPY_SRC | GPUTextureUsage.COPY_DST,
    });
    const size = 4 * tileSize ** 2;
    const back = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    this.write({ level: levelCount(this.#layout.nodes) - 1, row: 0, column: 0 }, texture, 0);
    const encoder = device.createCommandEncoder();
    encoder.copyTextureToBuffer({ texture }, { buffer: back, bytesPerRow: 4 * tileSize }, [
      tileSize,
      tileSize,
    ]);
    device.queue.submit([encoder.finish()]);
    await back.mapAsync(GPUMapMode.READ);
    let extent = 0;
    for (const cell of new Uint32Array(back.getMappedRange()))
      if (cellHasScore(cell)) extent = Math.max(extent, -cellMin(cell), cellMax(cell));
    back.destroy();
    texture.destroy();
    return extent;
  }

  release(): void {
    for (const buffer of [this.#order, this.#edges, this.#tile, ...this.#levels.map((level) => level.buffer)])
      buffer.destroy();
  }

  #fill(): void {
    const encoder = this.#scores.device.createCommandEncoder();
    this.#levels.forEach((level, k) => {
      const { side, stride, buffer } = level;
      const finer = this.#levels[k - 1];
      if (finer) this.#halveInto(encoder, finer, level);
      else
        this.#gatherInto(encoder, buffer, {
          span: 2 ** firstKept,
          top: 0,
          left: 0,
          rows: side,
          columns: side,
          stride,
        });
    });
    this.#submit(encoder);
  }

  #gatherInto(encoder: GPUCommandEncoder, texels: GPUBuffer, area: Area): void {
    const { nodes, excludeSelf } = this.#layout;
    const { span, top, left, rows, columns, stride } = area;
    this.#scores.panels.forEach((panel, q) => {
      const fields = [
        nodes,
        span,
        top,
        left,
        rows,
        columns,
        stride,
        panel.row,
        panel.rows,
        Number(excludeSelf),
      ];
      const buffers = [this.#scores.aggregated[q]!, this.#order, this.#edges, texels];
      this.#dispatch(encoder, this.#gather, fields, buffers, [rows, columns]);
    });
  }

  #halveInto(encoder: GPUCommandEncoder, fine: Level, coarse: Level): void {
    const fields = [coarse.side, coarse.stride, fine.stride];
    this.#dispatch(encoder, this.#halve, fields, [fine.buffer, coarse.buffer], [coarse.side, coarse.side]);
  }

  /** Dispatches `x` times `y` threads, one per texel; `fields` are the kernel's uniforms, in order. */
  #dispatch(
    encoder: GPUCommandEncoder,
    pipeline: GPUComputePipeline,
    fields: readonly number[],
    buffers: readonly GPUBuffer[],
    [x, y]: readonly [number, number],
  ): void {
    const { device } = this.#scores;
    const uniform = device.createBuffer({
      size: 16 * Math.ceil(fields.length / 4),
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#spent.push(uniform);
    device.queue.writeBuffer(uniform, 0, Uint32Array.from(fields));
    const entries = [uniform, ...buffers].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(Math.ceil(x / workgroup), Math.ceil(y / workgroup));
    pass.end();
  }

  /** Submits the commands, then destroys the buffers that only they used. */
  #submit(encoder: GPUCommandEncoder): void {
    this.#scores.device.queue.submit([encoder.finish()]);
    for (const buffer of this.#spent.splice(0)) buffer.destroy();
  }

  #storage(size: number): GPUBuffer {
    return this.#scores.device.createBuffer({
      size: Math.max(4, size),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
    });
  }
}

/** Texels to gather, each over `span` x `span` cells, from (top, left) on. */
interface Area {
  readonly span: number;
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
  /** Row stride of the destination, in texels. */
  readonly stride: number;
}

/** One bit per pair, one row per target, as in the scores. */
function edgeBits({ nodes, edges }: SquareLayout): Uint32Array<ArrayBuffer> {
  const bits = new Uint32Array(Math.ceil(nodes ** 2 / 32));
  for (const [source, target] of edges) {
    const cell = target * nodes + source;
    bits[cell >>> 5]! |= 1 << (cell & 31);
  }
  return bits;
}
