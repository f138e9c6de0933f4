import { levelFor, type PlotSize, type Viewport } from './viewport.ts';
import { tileSize, type TileRequest } from './pyramid.ts';
import type { PlacedTile } from './painter.ts';

/** Tiles kept on the page, 256 KiB each. */
const kept = 128;

/** Tiles that have come from the worker; asks for those that are missing and shows coarser ones meanwhile. */
export class TileStore {
  readonly #fetch: (request: TileRequest) => Promise<Uint32Array>;
  readonly #onTile: () => void;
  readonly #tiles = new Map<string, Uint32Array>();
  readonly #asked = new Set<string>();
  readonly #levels: number;
  readonly #nodes: number;

  constructor(
    nodes: number,
    levels: number,
    fetch: (request: TileRequest) => Promise<Uint32Array>,
    onTile: () => void,
  ) {
    this.#nodes = nodes;
    this.#levels = levels;
    this.#fetch = fetch;
    this.#onTile = onTile;
  }

  /** What to draw now: the coarsest tile as a ground, then those of the fitting level that are there. */
  placed(at: Viewport, size: PlotSize): PlacedTile[] {
    const level = levelFor(at.scale, this.#levels);
    const coarsest = this.#levels - 1;
    const ground = level === coarsest ? [] : this.#place(coarsest, at, size);
    return [...ground, ...this.#place(level, at, size)];
  }

  #place(level: number, at: Viewport, size: PlotSize): PlacedTile[] {
    const cells = tileSize * 2 ** level;
    const texel = at.scale * 2 ** level;
    const last = Math.ceil(this.#nodes / cells) - 1;
    const range = (start: number, length: number): [number, number] => [
      Math.max(0, Math.floor(start / cells)),
      Math.min(last, Math.floor((start + length / at.scale) / cells)),
    ];
    const [top, bottom] = range(at.row, size.height);
    const [left, right] = range(at.column, size.width);
    const placed: PlacedTile[] = [];
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const texels = this.#tile({ level, row, column });
        if (!texels) continue;
        placed.push({
          key: keyOf({ level, row, column }),
          texels,
          x: (column * cells - at.column) * at.scale,
          y: (row * cells - at.row) * at.scale,
          texel,
          isFinest: level === 0,
        });
      }
    }
    return placed;
  }

  #tile(request: TileRequest): Uint32Array | undefined {
    const key = keyOf(request);
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

const keyOf = ({ level, row, column }: TileRequest) => `${level}/${row}/${column}`;
