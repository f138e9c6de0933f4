import { nameShapes, type WidthOf } from './names.ts';
import { markShapes, type Sight } from './picture.ts';
import type { Shape } from './shapes.ts';

/** What lies over the network: marks, and names. */
export function* overlayShapes(sight: Sight, widthOf: WidthOf): Generator<Shape> {
  yield* markShapes(sight);
  yield* nameShapes(sight, widthOf);
}
