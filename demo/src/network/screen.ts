import type { Drawing, Room } from '../figure/source.ts';
import { attachGestures } from '../heatmap/gestures.ts';
import type { Selection } from '../state/selection.ts';
import { cameraFor, centred, panned, zoomed, type Camera, type FrameSize } from './camera.ts';
import { networkDrawing } from './drawing.ts';
import type { WidthOf } from './names.ts';
import { overlayShapes } from './overlay.ts';
import { networkShapes, type Look, type Marks, type Sight } from './picture.ts';
import { edgeAt, nodeAt } from './places.ts';
import { noScene, type Scene } from './scene.ts';
import { drawShapes, fontOf, type Shape } from './shapes.ts';

/** What the screen tells of; nodes are those of the scene, places CSS pixels of the window. */
export interface NetworkEvents {
  pick(at: Selection): void;
  hover(at: Selection, place: { readonly x: number; readonly y: number }): void;
  leave(): void;
  /** One node further, by the arrow keys. */
  step(by: number): void;
}

/** Share of the frame that is drawn beyond each of its sides: within it, moving the picture draws nothing. */
const margin = 0.4;
/** Milliseconds of a drawing that may happen in every frame; a slower one waits until the picture rests. */
const quick = 10;
/** Milliseconds without a movement that are rest. */
const rest = 90;

/**
 * One network in its frame. It is drawn somewhat larger than the frame, once: while it is moved the browser moves the
 * finished picture, and a slow one is drawn anew only where the movement has left what was drawn, or has ended. Marks and
 * names are on a layer of their own, so that the pointer does not have all edges drawn again.
 */
export class NetworkScreen {
  readonly #frame: HTMLElement;
  readonly #ground = document.createElement('canvas');
  readonly #marksLayer = document.createElement('canvas');
  readonly #observer: ResizeObserver;
  readonly #look: () => Look;
  #font = '';
  #scene: Scene = noScene;
  #marks: Marks = { selection: { kind: 'none' }, lit: { kind: 'none' }, near: null };
  #camera: Camera | null = null;
  #drawnAt: Camera | null = null;
  #stale = { ground: true, marks: true };
  #frameRequest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #cost = 0;
  readonly #widths = new Map<string, number>();

  constructor(frame: HTMLElement, look: () => Look, events: NetworkEvents) {
    this.#frame = frame;
    this.#look = look;
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
    // A new layout is looked at anew; the same one stays where it was moved to.
    if (before.positions !== scene.positions) this.#camera = null;
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

  /** Brings a node into the middle, near enough for its name and its neighbours'. */
  centre(node: number): void {
    const { positions } = this.#scene;
    const scale = Math.max(this.#cameraNow().scale, 3 * cameraFor(positions, this.#size()).scale);
    this.#moveTo(centred(positions[2 * node]!, positions[2 * node + 1]!, scale, this.#size()));
  }

  /** What is in sight, for a figure. */
  drawing(room: Room, look: Look): Drawing {
    return networkDrawing({ ...this.#sight(this.#cameraNow(), this.#size()), look }, room);
  }

  release(): void {
    cancelAnimationFrame(this.#frameRequest);
    clearTimeout(this.#timer);
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
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#drawnAt?.scale !== camera.scale) this.#redraw();
    }, rest);
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
    const [roomX, roomY] = marginOf(size);
    const drawn = this.#drawnAt;
    const moved = drawn && {
      scale: camera.scale / drawn.scale,
      x: (drawn.x - camera.x) * camera.scale,
      y: (drawn.y - camera.y) * camera.scale,
    };
    const isCovered = moved !== null && Math.abs(moved.x) < roomX && Math.abs(moved.y) < roomY;
    const isZoomed = moved !== null && moved.scale !== 1;
    if (this.#stale.ground || (isZoomed && this.#cost < quick) || (!isCovered && !isZoomed)) {
      const start = performance.now();
      this.#drawnAt = camera;
      this.#font = getComputedStyle(this.#frame).fontFamily;
      this.#render(this.#ground, size, networkShapes);
      this.#render(this.#marksLayer, size, overlayShapes);
      this.#cost = performance.now() - start;
      this.#stale = { ground: false, marks: false };
    } else if (this.#stale.marks) {
      this.#render(this.#marksLayer, size, overlayShapes);
      this.#stale.marks = false;
    }
    this.#ground.classList.toggle('faded', this.#marks.lit.kind === 'node');
    this.#place(size, camera);
  }

  /** Draws a layer as it is seen from where it was drawn last, with the margin around the frame. */
  #render(
    canvas: HTMLCanvasElement,
    size: FrameSize,
    shapes: (sight: Sight, widthOf: WidthOf) => Iterable<Shape>,
  ): void {
    const at = this.#drawnAt!;
    const [roomX, roomY] = marginOf(size);
    const full = { width: size.width + 2 * roomX, height: size.height + 2 * roomY };
    const camera = { scale: at.scale, x: at.x - roomX / at.scale, y: at.y - roomY / at.scale };
    canvas.width = Math.round(full.width * devicePixelRatio);
    canvas.height = Math.round(full.height * devicePixelRatio);
    Object.assign(canvas.style, { width: `${full.width}px`, height: `${full.height}px` });
    const context = canvas.getContext('2d')!;
    context.scale(devicePixelRatio, devicePixelRatio);
    drawShapes(context, shapes(this.#sight(camera, full), this.#widthOf), this.#font);
  }

  /** Puts the finished layers where the camera sees them. */
  #place(size: FrameSize, camera: Camera): void {
    const at = this.#drawnAt!;
    const scale = camera.scale / at.scale;
    const [roomX, roomY] = marginOf(size);
    const offset = (moved: number, room: number) => {
      const pixels = moved * camera.scale - room * scale;
      // Between two pixels, letters would blur.
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
