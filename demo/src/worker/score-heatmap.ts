import type { EdgeScores, ScoreBuffers } from 'magnitude-edge';
import { createGpuRenderer, type GpuRenderer } from '../heatmap/gpu-renderer.ts';
import type { View } from '../heatmap/painter.ts';
import { placesInSight, type Place } from '../heatmap/placement.ts';
import { isSoftware } from '../heatmap/software-adapter.ts';
import { ScorePyramid, type SquareLayout } from '../heatmap/score-pyramid.ts';
import type { Pixels } from './protocol.ts';

type Square = Omit<SquareLayout, 'order'>;

/** The square shown: scores, and what was made of them on their device. */
interface Shown {
  readonly scores: EdgeScores;
  readonly gpu: ScoreBuffers;
  readonly nodes: number;
  readonly pyramid: ScorePyramid;
  readonly renderer: GpuRenderer<Place>;
}

/**
 * Draws the heatmap of scores on the engine's GPU with that device: nothing of the square is read back. Owns the scores
 * that it is given.
 */
export class ScoreHeatmap {
  #canvas: OffscreenCanvas | null = null;
  #context: { device: GPUDevice; canvas: GPUCanvasContext } | null = null;
  /** The latest scores, whether they are shown yet or not. */
  #held: { number: number; scores: EdgeScores; gpu: ScoreBuffers; square: Square } | null = null;
  #next = 1;
  #shown: Shown | null = null;
  #lastTurn: Promise<unknown> = Promise.resolve();

  /** Draws on this canvas from now on. */
  attach(canvas: OffscreenCanvas): void {
    this.#canvas = canvas;
    this.#context = null;
  }

  /** Takes ownership of scores, to be shown by the next `lay` with the number returned. */
  hold(scores: EdgeScores, gpu: ScoreBuffers, square: Square): Promise<number> {
    return this.#inTurn(() => {
      if (this.#held && this.#held.scores !== this.#shown?.scores) this.#held.scores.release();
      const number = this.#next++;
      this.#held = { number, scores, gpu, square };
      return number;
    });
  }

  /**
   * Lays scores out in an order. Resolves to the largest |score|; null if later scores have come, or there are none.
   */
  lay(number: number, order: Uint32Array): Promise<{ extent: number } | null> {
    return this.#inTurn(async () => {
      if (this.#held?.number !== number) return null;
      const { scores, gpu, square } = this.#held;
      const pyramid = await ScorePyramid.build(gpu, { ...square, order });
      const format = navigator.gpu.getPreferredCanvasFormat();
      let renderer: GpuRenderer<Place>;
      try {
        renderer = await createGpuRenderer(gpu.device, format, ({ request }, texture, layer) => {
          pyramid.write(request, texture, layer);
        });
      } catch (error) {
        pyramid.release();
        throw error;
      }
      this.#clear(scores);
      this.#shown = { scores, gpu, nodes: square.nodes, pyramid, renderer };
      return { extent: await pyramid.extent() };
    });
  }

  /**
   * Draws the visible part; false if nothing can be drawn. A software adapter may be unable to present to the screen:
   * then the finished picture, not the square, is copied to the canvas.
   */
  async draw(view: View): Promise<boolean> {
    const [shown, canvas] = [this.#shown, this.#canvas];
    if (!shown || !canvas) return false;
    const [width, height] = pixelsOf(view);
    const isOnCpu = isSoftware(shown.gpu.device.adapterInfo);
    const pixels = isOnCpu ? await this.picture(view) : null;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    if (isOnCpu) {
      const context = canvas.getContext('2d');
      if (!context || !pixels) return false;
      context.putImageData(new ImageData(pixels.rgba, width, height), 0, 0);
      return true;
    }
    const context = this.#contextFor(shown.gpu.device, canvas);
    if (!context) return false;
    shown.renderer.render(view, tilesOf(shown, view), context.getCurrentTexture());
    return true;
  }

  /** What `draw` draws, as an image: a presented canvas cannot be read. */
  async picture(view: View): Promise<Pixels | null> {
    const shown = this.#shown;
    if (!shown) return null;
    const { device } = shown.gpu;
    const format = navigator.gpu.getPreferredCanvasFormat();
    const [width, height] = pixelsOf(view);
    const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC;
    const target = device.createTexture({ size: [width, height], format, usage });
    shown.renderer.render(view, tilesOf(shown, view), target);
    const bytesPerRow = 256 * Math.ceil((4 * width) / 256);
    const back = device.createBuffer({
      size: bytesPerRow * height,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    const encoder = device.createCommandEncoder();
    encoder.copyTextureToBuffer({ texture: target }, { buffer: back, bytesPerRow }, [width, height]);
    device.queue.submit([encoder.finish()]);
    await back.mapAsync(GPUMapMode.READ);
    const padded = new Uint8Array(back.getMappedRange());
    const rgba = new Uint8ClampedArray(4 * width * height);
    const [red, blue] = format === 'bgra8unorm' ? [2, 0] : [0, 2];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const from = y * bytesPerRow + 4 * x;
        rgba.set([padded[from + red]!, padded[from + 1]!, padded[from + blue]!, 255], 4 * (y * width + x));
      }
    back.destroy();
    target.destroy();
    return { width, height, rgba };
  }

  /** Releases the scores, before their device is destroyed. */
  release(): Promise<void> {
    return this.#inTurn(() => {
      if (this.#held && this.#held.scores !== this.#shown?.scores) this.#held.scores.release();
      this.#held = null;
      this.#clear();
      this.#context?.canvas.unconfigure();
      this.#context = null;
    });
  }

  /** Removes what is shown, and releases its scores unless they are `kept`. */
  #clear(kept?: EdgeScores): void {
    const shown = this.#shown;
    this.#shown = null;
    shown?.renderer.release();
    shown?.pyramid.release();
    if (shown && shown.scores !== kept) shown.scores.release();
  }

  #contextFor(device: GPUDevice, canvas: OffscreenCanvas): GPUCanvasContext | null {
    if (this.#context?.device !== device) {
      const context = canvas.getContext('webgpu');
      if (!context) return null;
      context.configure({ device, format: navigator.gpu.getPreferredCanvasFormat(), alphaMode: 'opaque' });
      this.#context = { device, canvas: context };
    }
    return this.#context.canvas;
  }

  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const done = this.#lastTurn.then(work);
    this.#lastTurn = done.catch(() => undefined);
    return done;
  }
}

const pixelsOf = ({ size, ratio }: View): [width: number, height: number] => [
  Math.max(1, Math.round(size.width * ratio)),
  Math.max(1, Math.round(size.height * ratio)),
];

/** Every tile is available, so none needs a background. */
const tilesOf = ({ nodes }: Shown, { at, size }: View): Place[] => placesInSight(nodes, at, size).fitting;
