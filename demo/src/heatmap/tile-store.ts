import type { PlacedTile } from './painter.ts';
import { placesInSight, type Place } from './placement.ts';
import type { TileRequest } from './pyramid.ts';
import type { PlotSize, Viewport } from './viewport.ts';

/** Tiles cached on the page, 256 KiB each. */
const kept = 128;

/** Tiles received from the worker; requests missing ones and shows coarser ones meanwhile. */
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

  /** The visible tiles that can be drawn now. */
  placed(at: Viewport, size: PlotSize): PlacedTile[] {
    const { ground, fitting } = placesInSight(this.#nodes, at, size);
    return [...ground, ...fitting].flatMap((place) => {
      const texels = this.#tile(place);
      return texels ? [{ ...place, texels }] : [];
    });
  }

  /** All visible tiles, once they have arrived. */
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
      // Keeps the map in order of use, so that the least recently shown tile is evicted first.
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
        // The layout has changed; the new one requests its own tiles.
        () => this.#asked.delete(key),
      );
    }
    return texels;
  }
}
