import type { EdgeColumns } from '../edges/edge-columns.ts';
import type { Drawing, Room } from '../figure/source.ts';
import { labelsOf } from '../names/labels.ts';
import { score } from '../parts/format.ts';
import { whyUnscored } from '../results/why-unscored.ts';
import { qOf } from '../results/significance.ts';
import { pairRows } from '../state/edges.ts';
import { hover, hoverNothing } from '../state/hover.ts';
import { selectPair, type Selection } from '../state/selection.ts';
import { lightColour, tokenColour } from '../state/theme.ts';
import { gutter } from './axis-labels.ts';
import { heatmapDrawing } from './drawing.ts';
import { attachGestures } from './gestures.ts';
import { drawOverlay } from './overlay.ts';
import { channelsOf, readPalette } from './palette.ts';
import type { PlacedLayout } from './lay-out.ts';
import type { Palette, View } from './painter.ts';
import { scoreSurface, tableSurface, type Surface } from './surface.ts';
import { fitted, panned, revealing, zoomed, type PlotSize, type Viewport } from './viewport.ts';

interface Cell {
  readonly row: number;
  readonly column: number;
}

/** One heatmap in its frame: its canvases, its viewport, and when to draw. Draws at most once per animation frame. */
export class HeatmapScreen {
  readonly #frame: HTMLElement;
  readonly #say: (text: string) => void;
  readonly #overlay = document.createElement('canvas');
  readonly #observer: ResizeObserver;
  /** Called when the scores on the GPU cannot be drawn: requests a layout from the table. */
  readonly #onLost: () => void;
  #scores: Surface | null = null;
  #rows: Promise<Surface> | null = null;
  #surface: Surface | null = null;
  #table: EdgeColumns | null = null;
  /** Finds rows of `#table`, which may be older than the table on the page while that is laid out. */
  #rowOf: (source: number, target: number) => number = () => -1;
  #layout: PlacedLayout | null = null;
  /** Place of each node in the order. */
  #placeOf: Uint32Array = new Uint32Array(0);
  #at: Viewport | null = null;
  #size: PlotSize = { width: 0, height: 0 };
  #pointer: { readonly x: number; readonly y: number } | null = null;
  #hovered: Cell | null = null;
  #selection: Selection = { kind: 'none' };
  #marksEdges = true;
  /** Rows that pass the filters; null if all do. */
  #passing: Uint32Array | null = null;
  #palette: Palette | null = null;
  #frameRequest = 0;
  #released = false;

  /**
   * `say` receives a description of what the pointer is on; `onLost` is called when scores on a GPU can no longer be
   * drawn.
   */
  constructor(frame: HTMLElement, say: (text: string) => void, onLost: () => void) {
    this.#frame = frame;
    this.#say = say;
    this.#onLost = onLost;
    this.#overlay.className = 'overlay';
    this.#overlay.tabIndex = 0;
    this.#overlay.setAttribute('role', 'application');
    this.#overlay.setAttribute(
      'aria-label',
      'Heatmap of scores, source by target. Arrow keys select a pair.',
    );
    frame.append(this.#overlay);
    // The browser may discard a canvas and restore it empty.
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
        this.#pointer = { x, y };
        this.#hover();
      },
      leave: () => {
        this.#pointer = null;
        hoverNothing();
        this.#hover();
      },
      pick: (x, y) => {
        const cell = this.#cellAt(x, y);
        if (cell) this.#pick(cell);
      },
      step: (rows, columns) => {
        this.#step(rows, columns);
      },
    });
  }

  /** Shows a table in an order. The viewport stays if the nodes do. */
  async show(table: EdgeColumns, layout: PlacedLayout): Promise<void> {
    const before = this.#table?.names;
    const sameNodes =
      before?.length === table.names.length && before.every((name, node) => name === table.names[node]);
    this.#table = table;
    this.#rowOf = pairRows(table);
    this.#layout = layout;
    this.#placeOf = new Uint32Array(layout.order.length);
    layout.order.forEach((node, place) => {
      this.#placeOf[node] = place;
    });
    if (!sameNodes) this.fit();
    // A resting pointer is over another cell now.
    this.#hover();
    await this.#drawFrom(layout.from);
  }

  /** Puts the surface of one kind under the overlay; it is reused for the next table of that kind. */
  async #drawFrom(from: PlacedLayout['from'], inGpu = true): Promise<void> {
    const again = () => {
      this.#schedule();
    };
    if (from === 'scores') this.#scores ??= scoreSurface(this.#onLost);
    else
      this.#rows ??= tableSurface(
        again,
        () => {
          this.#rows = null;
          void this.#drawFrom('table', false);
        },
        inGpu,
      );
    const surface = await (from === 'scores' ? this.#scores : this.#rows)!;
    if (this.#released || !this.#table || this.#layout?.from !== from) return;
    surface.renew(this.#table.names.length);
    // For tests and user styles: what the square shows.
    surface.canvas.dataset.order = this.#layout.kind;
    if (this.#surface !== surface) {
      this.#surface?.canvas.remove();
      this.#surface = surface;
      this.#frame.prepend(surface.canvas);
      this.#resize();
    }
    this.#schedule();
  }

  mark(marksEdges: boolean): void {
    this.#marksEdges = marksEdges;
    this.#schedule();
  }

  /** Dims all but these rows of the table; null dims none. */
  pass(rows: Uint32Array | null): void {
    this.#passing = rows;
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

  /** Highlights what the pointer is on in another view. */
  light(at: Selection): void {
    if (this.#pointer) return;
    this.#hovered =
      at.kind === 'pair' &&
      this.#layout &&
      at.source < this.#placeOf.length &&
      at.target < this.#placeOf.length
        ? { row: this.#placeOf[at.source]!, column: this.#placeOf[at.target]! }
        : null;
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

  /** The visible part, as a figure. */
  drawing(room: Room): Promise<Drawing> {
    const [table, layout, view, surface] = [this.#table, this.#layout, this.#view(), this.#surface];
    if (!table || !layout || !view || !surface) throw new Error('There is no picture in this view yet.');
    const labels = labelsOf(table.names);
    return heatmapDrawing(
      {
        view: { ...view, palette: readPalette(lightColour) },
        nodes: table.names.length,
        nameAt: (place) => labels[layout.order[place]!]!,
        selected: room.showsSelection ? this.#selectedPlaces() : { row: null, column: null },
        passing: this.#passing && { table, rows: this.#passing, placeOf: this.#placeOf },
        extent: layout.extent,
        isSigned: table.isSigned,
        draw: (wanted) => surface.picture(wanted),
      },
      room,
    );
  }

  release(): void {
    this.#released = true;
    cancelAnimationFrame(this.#frameRequest);
    this.#observer.disconnect();
    this.#scores?.release();
    void this.#rows?.then((surface) => {
      surface.release();
    });
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
    Object.assign(this.#surface?.canvas.style ?? {}, {
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
    const [table, layout, view] = [this.#table, this.#layout, this.#view()];
    if (!table || !layout || !view || !this.#surface || this.#size.width <= 1) return;
    this.#surface.draw(view);
    const labels = labelsOf(table.names);
    drawOverlay(this.#overlay, {
      at: view.at,
      size: this.#size,
      nodes: table.names.length,
      nameAt: (place) => labels[layout.order[place]!]!,
      hovered: this.#hovered,
      selected: this.#selectedPlaces(),
      passing: this.#passing && { table, rows: this.#passing, placeOf: this.#placeOf },
      ground: channelsOf(tokenColour('--surface')),
      ink: tokenColour('--ink'),
      soft: tokenColour('--ink-soft'),
      accent: tokenColour('--focus'),
      font: getComputedStyle(this.#frame).fontFamily,
    });
  }

  #view(): View | null {
    if (!this.#table || !this.#layout) return null;
    return {
      at: this.#at ?? fitted(this.#table.names.length, this.#size),
      size: this.#size,
      ratio: devicePixelRatio,
      palette: (this.#palette ??= readPalette(tokenColour)),
      // Texels hold scores up to 1. Larger scores, and the roots of unsigned ones, are held as shares of the largest.
      extent: this.#table.isSigned ? Math.min(Math.max(this.#layout.extent, 1e-6), 1) : 1,
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

  /** Describes the cell under the pointer. */
  #hover(): void {
    this.#hovered = this.#pointer && this.#cellAt(this.#pointer.x, this.#pointer.y);
    if (this.#pointer) {
      const { left, top } = this.#overlay.getBoundingClientRect();
      const place = { x: left + this.#pointer.x, y: top + this.#pointer.y };
      if (this.#hovered) hover(this.#pairAt(this.#hovered), place);
      else hoverNothing();
    }
    this.#say(this.#hovered ? this.#describe(this.#hovered) : '');
    this.#schedule();
  }

  #describe({ row, column }: Cell): string {
    const [table, layout] = [this.#table!, this.#layout!];
    const [source, target] = [layout.order[row]!, layout.order[column]!];
    const at = this.#rowOf(source, target);
    const labels = labelsOf(table.names);
    const pair = `${labels[source]!} → ${labels[target]!}`;
    if (at < 0) return pair;
    const known = table.hasEdge[at] ? ['edge of the graph'] : [];
    return [pair, whyUnscored(table, at) ?? score(table.score[at]!), ...qOf(table, at), ...known].join(' · ');
  }

  #pairAt({ row, column }: Cell): Selection {
    const { order } = this.#layout!;
    return { kind: 'pair', source: order[row]!, target: order[column]! };
  }

  #pick({ row, column }: Cell): void {
    const { order } = this.#layout!;
    selectPair(this.#table!, order[row]!, order[column]!);
  }

  #step(rows: number, columns: number): void {
    const nodes = this.#table?.names.length ?? 0;
    if (nodes === 0) return;
    const at = this.#selectedPlaces();
    const within = (place: number) => Math.min(Math.max(place, 0), nodes - 1);
    this.#pick({ row: within((at.row ?? -1) + rows), column: within((at.column ?? -1) + columns) });
  }
}
