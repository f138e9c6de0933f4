import type { Drawing, Room } from '../figure/source.ts';
import { attachGestures } from '../heatmap/gestures.ts';
import type { Selection } from '../state/selection.ts';
import { cameraFor, centred, panned, zoomed, type Camera, type FrameSize } from './camera.ts';
import { networkDrawing } from './drawing.ts';
import type { GroundView } from './ground.ts';
import type { WidthOf } from './names.ts';
import { overlayShapes } from './overlay.ts';
import type { Look, Marks, Sight } from './picture.ts';
import { edgeAt, nodeAt } from './places.ts';
import { noScene, type Scene } from './scene.ts';
import { drawShapes, fontOf } from './shapes.ts';

/** Events of the screen; nodes are those of the scene, places CSS pixels of the window. */
export interface NetworkEvents {
  pick(at: Selection): void;
  hover(at: Selection, place: { readonly x: number; readonly y: number }): void;
  leave(): void;
  /** Moves to the next node, with the arrow keys. */
  step(by: number): void;
}

/** Draws networks off the page's own thread. */
export interface GroundPainter {
  /** Sets the network to draw from now on. */
  show(scene: Scene): void;
  /** Null if it could not be drawn and the user has been told. */
  paint(view: GroundView): Promise<ImageBitmap | null>;
}

/** Share of the frame that is drawn beyond each of its sides. */
const margin = 0.4;
/** Share of that margin after which a new picture is requested, so that it arrives before the old one ends. */
const spare = 0.5;

/**
 * One network in its frame. A worker draws it somewhat larger than the frame: while it is panned, the browser moves the
 * finished picture until a new one arrives. Marks and names are on a separate layer, drawn here, so that moving the
 * pointer does not redraw all edges.
 */
export class NetworkScreen {
  readonly #frame: HTMLElement;
  readonly #ground = document.createElement('canvas');
  readonly #marksLayer = document.createElement('canvas');
  readonly #observer: ResizeObserver;
  readonly #look: () => Look;
  readonly #painter: GroundPainter;
  #font = '';
  #scene: Scene = noScene;
  #marks: Marks = { selection: { kind: 'none' }, lit: { kind: 'none' }, near: null };
  #camera: Camera | null = null;
  /** Where the picture in the frame was drawn from; null if there is none of this layout. */
  #drawn: { readonly camera: Camera; readonly size: FrameSize } | null = null;
  #stale = { ground: true, marks: true };
  #isPainting = false;
  #isReleased = false;
  #frameRequest = 0;
  readonly #widths = new Map<string, number>();

  constructor(frame: HTMLElement, look: () => Look, painter: GroundPainter, events: NetworkEvents) {
    this.#frame = frame;
    this.#look = look;
    this.#painter = painter;
    this.#marksLayer.className = 'marks';
    frame.append(this.#ground, this.#marksLayer);
    this.#observer = new ResizeObserver(() => {
      this.#redraw();
    });
    this.#observer.observe(frame);
    this.#listen(events);
  }

  show(scene: Scene): void {
    const before = this.#scene;
    this.#scene = scene;
    // A new layout resets the camera; the same one keeps it.
    if (before.positions !== scene.positions) {
      this.#camera = null;
      this.#drawn = null;
    }
    this.#painter.show(scene);
    this.#redraw();
  }

  mark(marks: Marks): void {
    if (marks.near !== this.#marks.near) this.#stale.ground = true;
    this.#marks = marks;
    this.#stale.marks = true;
    this.#schedule();
  }

  /** The colours have changed. */
  repaint(): void {
    this.#redraw();
  }

  fit(): void {
    this.#camera = null;
    this.#redraw();
  }

  /** Zooms about the middle. */
  zoom(factor: number): void {
    const { width, height } = this.#size();
    this.#moveTo(zoomed(this.#cameraNow(), factor, width / 2, height / 2));
  }

  /** Centres a node, zoomed in far enough for its name and those of its neighbours. */
  centre(node: number): void {
    const { positions } = this.#scene;
    const scale = Math.max(this.#cameraNow().scale, 3 * cameraFor(positions, this.#size()).scale);
    this.#moveTo(centred(positions[2 * node]!, positions[2 * node + 1]!, scale, this.#size()));
  }

  /** The visible part, as a figure. */
  drawing(room: Room, look: Look): Drawing {
    return networkDrawing({ ...this.#sight(this.#cameraNow(), this.#size()), look }, room);
  }

  release(): void {
    this.#isReleased = true;
    cancelAnimationFrame(this.#frameRequest);
    this.#observer.disconnect();
    this.#frame.replaceChildren();
  }

  #listen(tell: NetworkEvents): void {
    const at = (x: number, y: number): Selection => {
      const node = nodeAt(this.#scene, this.#cameraNow(), x, y);
      return node >= 0 ? { kind: 'node', node } : edgeAt(this.#scene, this.#cameraNow(), x, y);
    };
    attachGestures(this.#frame, {
      pan: (x, y) => {
        this.#moveTo(panned(this.#cameraNow(), x, y));
      },
      zoom: (factor, x, y) => {
        this.#moveTo(zoomed(this.#cameraNow(), factor, x, y));
      },
      pick: (x, y) => {
        tell.pick(at(x, y));
      },
      step: (rows, columns) => {
        tell.step(rows + columns);
      },
      hover: (x, y) => {
        const box = this.#frame.getBoundingClientRect();
        tell.hover(at(x, y), { x: box.left + x, y: box.top + y });
      },
      leave: () => {
        tell.leave();
      },
      grab: (x, y) => {
        const node = nodeAt(this.#scene, this.#cameraNow(), x, y);
        if (node < 0) return null;
        return (toX, toY) => {
          const camera = this.#cameraNow();
          this.#camera = camera;
          this.#scene.positions.set([camera.x + toX / camera.scale, camera.y + toY / camera.scale], 2 * node);
          this.#redraw();
        };
      },
    });
  }

  #size(): FrameSize {
    return { width: this.#frame.clientWidth, height: this.#frame.clientHeight };
  }

  #cameraNow(): Camera {
    return this.#camera ?? cameraFor(this.#scene.positions, this.#size());
  }

  #moveTo(camera: Camera): void {
    this.#camera = camera;
    this.#schedule();
  }

  #redraw(): void {
    this.#stale = { ground: true, marks: true };
    this.#schedule();
  }

  #schedule(): void {
    this.#frameRequest ||= requestAnimationFrame(() => {
      this.#frameRequest = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const size = this.#size();
    if (size.width === 0 || size.height === 0) return;
    const camera = this.#cameraNow();
    if (this.#stale.ground || this.#isLeaving(camera, size)) void this.#paint(camera, size);
    if (!this.#drawn) return;
    if (this.#stale.marks) this.#drawMarks(this.#drawn);
    this.#ground.classList.toggle('faded', this.#marks.lit.kind === 'node');
    this.#place(camera, this.#drawn);
  }

  /** Whether the picture has another scale, or its end is near. */
  #isLeaving(camera: Camera, size: FrameSize): boolean {
    const drawn = this.#drawn?.camera;
    if (drawn?.scale !== camera.scale) return true;
    const [roomX, roomY] = marginOf(size);
    return (
      Math.abs(drawn.x - camera.x) * camera.scale > spare * roomX ||
      Math.abs(drawn.y - camera.y) * camera.scale > spare * roomY
    );
  }

  /** Requests a picture; only one at a time, and the next one afterwards if it is due by then. */
  async #paint(camera: Camera, size: FrameSize): Promise<void> {
    if (this.#isPainting) return;
    this.#isPainting = true;
    this.#frame.ariaBusy = 'true';
    this.#stale.ground = false;
    const { positions } = this.#scene;
    const { near } = this.#marks;
    const view = { ...withMargin(camera, size), positions, near };
    const picture = await this.#painter.paint({ ...view, look: this.#look(), pixelRatio: devicePixelRatio });
    this.#isPainting = false;
    this.#frame.ariaBusy = 'false';
    if (!picture || this.#isReleased) return;
    if (positions !== this.#scene.positions) {
      picture.close();
      this.#schedule();
      return;
    }
    this.#drawn = { camera, size };
    this.#ground.getContext('bitmaprenderer')!.transferFromImageBitmap(picture);
    Object.assign(this.#ground.style, cssSize(view.size));
    this.#stale.marks = true;
    // In the same task, so that both layers change together.
    this.#draw();
  }

  #drawMarks({ camera, size }: { readonly camera: Camera; readonly size: FrameSize }): void {
    this.#stale.marks = false;
    this.#font = getComputedStyle(this.#frame).fontFamily;
    const canvas = this.#marksLayer;
    const full = withMargin(camera, size);
    canvas.width = Math.round(full.size.width * devicePixelRatio);
    canvas.height = Math.round(full.size.height * devicePixelRatio);
    Object.assign(canvas.style, cssSize(full.size));
    const context = canvas.getContext('2d')!;
    context.scale(devicePixelRatio, devicePixelRatio);
    const [left, top] = marginOf(size);
    const frame = { left, top, right: left + size.width, bottom: top + size.height };
    const sight = { ...this.#sight(full.camera, full.size), frame };
    drawShapes(context, overlayShapes(sight, this.#widthOf), this.#font);
  }

  /** Moves the finished layers to where the camera sees them. */
  #place(camera: Camera, drawn: { readonly camera: Camera; readonly size: FrameSize }): void {
    const at = drawn.camera;
    const scale = camera.scale / at.scale;
    const [roomX, roomY] = marginOf(drawn.size);
    const offset = (moved: number, room: number) => {
      const pixels = moved * camera.scale - room * scale;
      // Text between two pixels would blur.
      return scale === 1 ? Math.round(pixels * devicePixelRatio) / devicePixelRatio : pixels;
    };
    const transform = `translate(${offset(at.x - camera.x, roomX)}px, ${offset(at.y - camera.y, roomY)}px) scale(${scale})`;
    for (const { style } of [this.#ground, this.#marksLayer]) style.transform = transform;
  }

  #sight(camera: Camera, size: FrameSize): Sight {
    return { scene: this.#scene, camera, size, look: this.#look(), marks: this.#marks };
  }

  readonly #widthOf: WidthOf = (text, bold) => {
    const key = `${bold} ${text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      const context = this.#marksLayer.getContext('2d')!;
      context.font = fontOf(this.#font, bold);
      width = context.measureText(text).width;
      this.#widths.set(key, width);
    }
    return width;
  };
}

const marginOf = ({ width, height }: FrameSize): [x: number, y: number] => [
  Math.round(margin * width),
  Math.round(margin * height),
];

/** The frame with its margin, and the camera for it. */
function withMargin({ scale, x, y }: Camera, size: FrameSize): { camera: Camera; size: FrameSize } {
  const [roomX, roomY] = marginOf(size);
  return {
    camera: { scale, x: x - roomX / scale, y: y - roomY / scale },
    size: { width: size.width + 2 * roomX, height: size.height + 2 * roomY },
  };
}

const cssSize = ({ width, height }: FrameSize) => ({ width: `${width}px`, height: `${height}px` });
