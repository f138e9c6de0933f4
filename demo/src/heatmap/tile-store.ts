import type { PlacedTile } from './painter.ts';
import { placesInSight, type Place } from './placement.ts';
import type { TileRequest } from './pyramid.ts';
import type { PlotSize, Viewport } from './viewport.ts';

/** Tiles kept on the page, 256 KiB each. */
const kept = 128;

/** Tiles that have come from the worker; asks for those that are missing and shows coarser ones meanwhile. */
export class TileStore {
  readonly #fetch: (request: TileRequest) => Promise<Uint32Array>;
  readonly #onTile: () => void;
  readonly #tiles = new Map<string, Uint32Array>();
  readonly #asked = new Set<string>();
  readonly #nodes: number;

  constructor(nodes: number, fetch: (request: TileRequest) => Promise<Uint32Array>, onTile: () => void) {
    this.#nodes = nodes;
    this.#fetch = fetch;
    this.#onTile = onTile;
  }

  /** What can be drawn now of what is in sight. */
  placed(at: Viewport, size: PlotSize): PlacedTile[] {
    const { ground, fitting } = placesInSight(this.#nodes, at, size);
    return [...ground, ...fitting].flatMap((place) => {
      const texels = this.#tile(place);
      return texels ? [{ ...place, texels }] : [];
    });
  }

  /** All that is in sight, once it has come. */
  whole(at: Viewport, size: PlotSize): Promise<PlacedTile[]> {
    const { fitting } = placesInSight(this.#nodes, at, size);
    return Promise.all(
      fitting.map(async (place) => ({
        ...place,
        texels: this.#tiles.get(place.key) ?? (await this.#fetch(place.request)),
      })),
    );
  }

  #tile({ key, request }: Place): Uint32Array | undefined {
    const texels = this.#tiles.get(key);
    if (texels) {
      // Shown tiles move to the young end.
      this.#tiles.delete(key);
      this.#tiles.set(key, texels);
    } else if (!this.#asked.has(key)) {
      this.#asked.add(key);
      this.#fetch(request).then(
        (answer) => {
          if (this.#tiles.size === kept) this.#tiles.delete(this.#tiles.keys().next().value!);
          this.#tiles.set(key, answer);
          this.#asked.delete(key);
          this.#onTile();
        },
        // The layout has changed meanwhile; the new one asks for its own tiles.
        () => this.#asked.delete(key),
      );
    }
    return texels;
  }
}
