import { imageOf, type Picture } from '../export/picture.ts';
import type { EdgeColumns } from '../edges/edge-columns.ts';
import { probability, score } from '../parts/format.ts';
import { rowOfPair } from '../state/edges.ts';
import { selectPair, type Selection } from '../state/selection.ts';
import { tokenColour } from '../state/theme.ts';
import { tableWorker } from '../state/workers.ts';
import type { HeatmapLayout } from '../worker/table-protocol.ts';
import { createCanvasPainter } from './canvas-painter.ts';
import { createGpuPainter } from './gpu-painter.ts';
import { attachGestures } from './gestures.ts';
import { drawOverlay, gutter } from './overlay.ts';
import type { Painter, Palette, Rgb, Scene } from './painter.ts';
import { TileStore } from './tile-store.ts';
import { fitted, panned, revealing, zoomed, type PlotSize, type Viewport } from './viewport.ts';

interface Cell {
  readonly row: number;
  readonly column: number;
}

/** One heatmap in its frame: canvases, where one looks, and what is drawn when. Nothing is drawn twice in a frame. */
export class HeatmapScreen {
  readonly #frame: HTMLElement;
  readonly #say: (text: string) => void;
  readonly #overlay = document.createElement('canvas');
  readonly #observer: ResizeObserver;
  #plot = document.createElement('canvas');
  #painter: Painter | null = null;
  #table: EdgeColumns | null = null;
  #layout: HeatmapLayout | null = null;
  /** Place of each node in the order. */
  #placeOf: Uint32Array = new Uint32Array(0);
  #tiles: TileStore | null = null;
  #at: Viewport | null = null;
  #size: PlotSize = { width: 0, height: 0 };
  #hovered: Cell | null = null;
  #selection: Selection = { kind: 'none' };
  #marksEdges = true;
  #palette: Palette | null = null;
  #frameRequest = 0;
  #released = false;

  /** `say` gets what the pointer is on, in words. */
  constructor(frame: HTMLElement, say: (text: string) => void) {
    this.#frame = frame;
    this.#say = say;
    this.#overlay.className = 'overlay';
    this.#overlay.tabIndex = 0;
    this.#overlay.setAttribute('role', 'application');
    this.#overlay.setAttribute(
      'aria-label',
      'Heatmap of scores, source by target. Arrow keys select a pair.',
    );
    frame.append(this.#plot, this.#overlay);
    // The browser may take a canvas back and return it empty.
    this.#overlay.addEventListener('contextrestored', () => {
      this.#schedule();
    });
    this.#observer = new ResizeObserver(() => {
      this.#resize();
    });
    this.#observer.observe(frame);
    attachGestures(this.#overlay, {
      pan: (x, y) => {
        this.#look((at, nodes) => panned(at, x, y, nodes, this.#size));
      },
      zoom: (factor, x, y) => {
        this.#look((at, nodes) => zoomed(at, factor, x - gutter.left, y - gutter.top, nodes, this.#size));
      },
      hover: (x, y) => {
        this.#hover(x, y);
      },
      leave: () => {
        this.#hovered = null;
        this.#say('');
        this.#schedule();
      },
      pick: (x, y) => {
        const cell = this.#cellAt(x, y);
        if (cell) this.#pick(cell);
      },
      step: (rows, columns) => {
        this.#step(rows, columns);
      },
    });
    void this.#start();
  }

  async #start(): Promise<void> {
    const gpu = await createGpuPainter(this.#plot, () => {
      this.#fallBack();
    }).catch(() => null);
    if (this.#released) gpu?.release();
    else if (gpu) this.#painter = gpu;
    else this.#fallBack();
    this.#schedule();
  }

  /** A canvas keeps the kind of context that it had first: the 2D painter gets a new one. */
  #fallBack(): void {
    if (this.#released) return;
    const canvas = document.createElement('canvas');
    this.#plot.replaceWith(canvas);
    this.#plot = canvas;
    canvas.addEventListener('contextrestored', () => {
      this.#schedule();
    });
    this.#painter = createCanvasPainter(canvas);
    this.#resize();
  }

  /** Shows a table in an order. Where one looks stays when the number of nodes does. */
  show(table: EdgeColumns, layout: HeatmapLayout): void {
    const sameSize = this.#table?.names.length === table.names.length;
    this.#table = table;
    this.#layout = layout;
    this.#placeOf = new Uint32Array(layout.order.length);
    layout.order.forEach((node, place) => {
      this.#placeOf[node] = place;
    });
    this.#painter?.forget();
    this.#tiles = new TileStore(table.names.length, layout.levels, tableWorker.tile, () => {
      this.#schedule();
    });
    if (!sameSize) this.fit();
    this.#schedule();
  }

  mark(marksEdges: boolean): void {
    this.#marksEdges = marksEdges;
    this.#schedule();
  }

  /** The colours have changed. */
  repaint(): void {
    this.#palette = null;
    this.#schedule();
  }

  select(at: Selection): void {
    this.#selection = at;
    const { row, column } = this.#selectedPlaces();
    if (row !== null && column !== null)
      this.#look((view, nodes) => revealing(view, row, column, nodes, this.#size));
    this.#schedule();
  }

  fit(): void {
    this.#at = null;
    this.#schedule();
  }

  /** Zooms about the middle. */
  zoom(factor: number): void {
    const { width, height } = this.#size;
    this.#look((at, nodes) => zoomed(at, factor, width / 2, height / 2, nodes, this.#size));
  }

  /** What is on show, for a file: drawn anew in 2D, because a presented GPU canvas cannot be read. */
  picture(): Picture {
    const { width, height } = this.#size;
    const plot = document.createElement('canvas');
    plot.width = 2 * width;
    plot.height = 2 * height;
    const scene = this.#scene();
    if (scene) createCanvasPainter(plot).paint(scene);
    const [fullWidth, fullHeight] = [width + gutter.left + gutter.right, height + gutter.top];
    return {
      width: fullWidth,
      height: fullHeight,
      content: [
        imageOf(plot, gutter.left, gutter.top, width, height),
        imageOf(this.#overlay, 0, 0, fullWidth, fullHeight),
      ].join('\n'),
    };
  }

  release(): void {
    this.#released = true;
    cancelAnimationFrame(this.#frameRequest);
    this.#observer.disconnect();
    this.#painter?.release();
    this.#frame.replaceChildren();
  }

  #look(move: (at: Viewport, nodes: number) => Viewport): void {
    if (!this.#table || this.#size.width <= 0) return;
    const nodes = this.#table.names.length;
    this.#at = move(this.#at ?? fitted(nodes, this.#size), nodes);
    this.#schedule();
  }

  #resize(): void {
    const { clientWidth, clientHeight } = this.#frame;
    this.#size = {
      width: Math.max(1, clientWidth - gutter.left - gutter.right),
      height: Math.max(1, clientHeight - gutter.top),
    };
    const ratio = devicePixelRatio;
    this.#overlay.width = Math.round(clientWidth * ratio);
    this.#overlay.height = Math.round(clientHeight * ratio);
    this.#plot.width = Math.round(this.#size.width * ratio);
    this.#plot.height = Math.round(this.#size.height * ratio);
    Object.assign(this.#plot.style, {
      left: `${gutter.left}px`,
      top: `${gutter.top}px`,
      width: `${this.#size.width}px`,
      height: `${this.#size.height}px`,
    });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#frameRequest || this.#released) return;
    this.#frameRequest = requestAnimationFrame(() => {
      this.#frameRequest = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const [table, layout] = [this.#table, this.#layout];
    if (!table || !layout || !this.#painter || this.#size.width <= 1) return;
    const at = this.#at ?? fitted(table.names.length, this.#size);
    this.#painter.paint(this.#scene()!);
    drawOverlay(this.#overlay, {
      at,
      size: this.#size,
      nodes: table.names.length,
      nameAt: (place) => table.names[layout.order[place]!]!,
      hovered: this.#hovered,
      selected: this.#selectedPlaces(),
      ink: tokenColour('--ink'),
      soft: tokenColour('--ink-soft'),
      accent: tokenColour('--focus'),
      font: getComputedStyle(this.#frame).fontFamily,
    });
  }

  #scene(): Scene | null {
    if (!this.#table || !this.#layout) return null;
    const at = this.#at ?? fitted(this.#table.names.length, this.#size);
    return {
      tiles: this.#tiles?.placed(at, this.#size) ?? [],
      size: this.#size,
      palette: (this.#palette ??= readPalette()),
      extent: Math.max(this.#layout.extent, 1e-6),
      marksEdges: this.#marksEdges,
    };
  }

  #selectedPlaces(): { row: number | null; column: number | null } {
    const at = this.#selection;
    if (at.kind === 'none' || !this.#layout) return { row: null, column: null };
    const place = (node: number) => this.#placeOf[node] ?? null;
    return at.kind === 'node'
      ? { row: place(at.node), column: place(at.node) }
      : { row: place(at.source), column: place(at.target) };
  }

  #cellAt(x: number, y: number): Cell | null {
    const nodes = this.#table?.names.length ?? 0;
    const at = this.#at ?? fitted(nodes, this.#size);
    const row = Math.floor(at.row + (y - gutter.top) / at.scale);
    const column = Math.floor(at.column + (x - gutter.left) / at.scale);
    const isInside = x >= gutter.left && y >= gutter.top && row >= 0 && column >= 0;
    return isInside && row < nodes && column < nodes ? { row, column } : null;
  }

  #hover(x: number, y: number): void {
    this.#hovered = this.#cellAt(x, y);
    this.#say(this.#hovered ? this.#describe(this.#hovered) : '');
    this.#schedule();
  }

  #describe({ row, column }: Cell): string {
    const [table, layout] = [this.#table!, this.#layout!];
    const [source, target] = [layout.order[row]!, layout.order[column]!];
    const at = rowOfPair.peek()(source, target);
    const pair = `${table.names[source]!} → ${table.names[target]!}`;
    if (at < 0 || at >= table.rows) return pair;
    const known = table.hasEdge[at] ? ' · edge of the graph' : '';
    return `${pair} · ${score(table.score[at]!)} · q ${probability(table.qValue[at]!)}${known}`;
  }

  #pick({ row, column }: Cell): void {
    const { order } = this.#layout!;
    selectPair(order[row]!, order[column]!);
  }

  #step(rows: number, columns: number): void {
    const nodes = this.#table?.names.length ?? 0;
    if (nodes === 0) return;
    const at = this.#selectedPlaces();
    const within = (place: number) => Math.min(Math.max(place, 0), nodes - 1);
    this.#pick({ row: within((at.row ?? -1) + rows), column: within((at.column ?? -1) + columns) });
  }
}

function readPalette(): Palette {
  const rgb = (token: string): Rgb => {
    const [r = 0, g = 0, b = 0] = (tokenColour(token).match(/[\d.]+/g) ?? []).map(Number);
    return [r / 255, g / 255, b / 255];
  };
  return {
    negative: rgb('--negative-full'),
    middle: rgb('--score-zero'),
    positive: rgb('--positive-full'),
    none: rgb('--surface'),
    mark: rgb('--ink'),
  };
}
