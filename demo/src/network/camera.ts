/** The viewport: `scale` pixels per unit of the layout, whose point (x, y) is at the frame's corner. */
export interface Camera {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

const largestScale = 400;
/** Most pixels per unit when all of the network is shown: a few nodes need no more. */
const largestFit = 90;
/** Margins for names, at the sides and above and below. */
const room = { x: 122, y: 32 };

/** A rectangle; without points, its sides are inverted. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** The smallest rectangle around x, y, x, y ... */
export function extentOf(positions: ArrayLike<number>): Box {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let k = 0; k < positions.length; k += 2) {
    left = Math.min(left, positions[k]!);
    right = Math.max(right, positions[k]!);
    top = Math.min(top, positions[k + 1]!);
    bottom = Math.max(bottom, positions[k + 1]!);
  }
  return { left, right, top, bottom };
}

/** Shows all of a network with a margin. */
export function cameraFor(positions: Float32Array, { width, height }: FrameSize): Camera {
  const { left, right, top, bottom } = extentOf(positions);
  if (left > right) return { scale: 1, x: 0, y: 0 };
  const fitting = Math.min(
    (width - 2 * Math.min(room.x, 0.3 * width)) / (right - left || 1),
    (height - 2 * room.y) / (bottom - top || 1),
    largestFit,
  );
  return centred((left + right) / 2, (top + bottom) / 2, Math.max(fitting, 1e-3), { width, height });
}

/** The camera with a point of the layout in the middle. */
export const centred = (x: number, y: number, scale: number, { width, height }: FrameSize): Camera => ({
  scale,
  x: x - width / 2 / scale,
  y: y - height / 2 / scale,
});

export const panned = (at: Camera, x: number, y: number): Camera => ({
  ...at,
  x: at.x + x / at.scale,
  y: at.y + y / at.scale,
});

/** Zooms by `factor` and keeps the point at (x, y) of the frame in place. */
export function zoomed(at: Camera, factor: number, x: number, y: number): Camera {
  const scale = Math.min(Math.max(at.scale * factor, 0.01), largestScale);
  return { scale, x: at.x + x / at.scale - x / scale, y: at.y + y / at.scale - y / scale };
}
