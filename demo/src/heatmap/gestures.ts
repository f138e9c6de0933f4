/** What pointer, wheel and keys do on the heatmap; positions in CSS pixels from the element's corner. */
export interface Gestures {
  pan(x: number, y: number): void;
  zoom(factor: number, x: number, y: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  pick(x: number, y: number): void;
  /** Moves by one cell, with the arrow keys. */
  step(rows: number, columns: number): void;
  /** Called where a drag starts. Returns what moves with the pointer, called with each position; null to pan. */
  grab?(x: number, y: number): ((x: number, y: number) => void) | null;
}

const steps: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/**
 * Drag pans or moves what was grabbed, wheel or two fingers zoom, click picks, arrow keys step, plus and minus zoom.
 */
export function attachGestures(element: HTMLElement, gestures: Gestures): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let travelled = 0;
  let grabbed: ((x: number, y: number) => void) | null = null;

  const local = (event: PointerEvent | WheelEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return a && b
      ? { distance: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
      : null;
  };

  element.addEventListener('pointerdown', (event) => {
    if (pointers.size === 0) travelled = 0;
    const { x, y } = local(event);
    pointers.set(event.pointerId, { x, y });
    grabbed = pointers.size === 1 ? (gestures.grab?.(x, y) ?? null) : null;
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener('pointermove', (event) => {
    const before = pointers.get(event.pointerId);
    const now = local(event);
    if (!before) {
      gestures.hover(now.x, now.y);
      return;
    }
    const pinchedFrom = spread();
    pointers.set(event.pointerId, now);
    const pinchedTo = spread();
    travelled += Math.hypot(now.x - before.x, now.y - before.y);
    if (pinchedFrom && pinchedTo) {
      gestures.zoom(pinchedTo.distance / pinchedFrom.distance, pinchedTo.x, pinchedTo.y);
      gestures.pan(pinchedFrom.x - pinchedTo.x, pinchedFrom.y - pinchedTo.y);
    } else if (travelled > 3 && grabbed) grabbed(now.x, now.y);
    else if (travelled > 3) gestures.pan(before.x - now.x, before.y - now.y);
  });
  const end = (event: PointerEvent) => {
    const at = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (event.type === 'pointerup' && at && travelled <= 3) gestures.pick(at.x, at.y);
  };
  element.addEventListener('pointerup', end);
  element.addEventListener('pointercancel', end);
  element.addEventListener('pointerleave', () => {
    gestures.leave();
  });
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { x, y } = local(event);
      gestures.zoom(Math.exp(-event.deltaY / (event.ctrlKey ? 120 : 400)), x, y);
    },
    { passive: false },
  );
  element.addEventListener('keydown', (event) => {
    const step = steps[event.key];
    const middle = [element.clientWidth / 2, element.clientHeight / 2] as const;
    if (step) gestures.step(...step);
    else if (event.key === '+' || event.key === '=') gestures.zoom(1.6, ...middle);
    else if (event.key === '-') gestures.zoom(1 / 1.6, ...middle);
    else return;
    event.preventDefault();
  });
}
