import type { Table } from 'apache-arrow';
import type { Batch } from '../../src/data/batches.ts';
import { MagnitudeEdgeInferer } from '../../src/inferer.ts';
import type { GsnnModel } from '../../src/model/gsnn-model.ts';

export type LossName = 'mse' | 'l1';

/** One call that changed the statistics, as far as it went: batches by number. */
export type Part =
  { readonly fit: LossName; readonly batches: readonly number[] } | { readonly merge: LossName };

/** What an inferer holds, by how it came there. */
export interface History {
  /** The loss of the statistics held, or of those to come */
  readonly loss: LossName;
  readonly parts: readonly Part[];
}

/** What a test's inferers are given. */
export interface Material {
  readonly model: GsnnModel;
  readonly batches: readonly Batch[];
  /** The batch that the engine refuses: it comes out of the model as NaN */
  readonly refused: number;
  readonly files: Readonly<Record<LossName, { readonly bytes: Uint8Array; readonly samples: number }>>;
}

/** n */
export function samplesOf({ batches, refused, files }: Material, { parts }: History): number {
  const sizeOf = (batch: number): number => (batch === refused ? 0 : batches[batch]!.size);
  return parts
    .map((part) => ('merge' in part ? [files[part.merge].samples] : part.batches.map(sizeOf)))
    .flat()
    .reduce((sum, size) => sum + size, 0);
}

export function scoresIn(table: Table): number[] {
  return [...table.getChild('corr')!] as number[];
}

/** The numbers that a history gives where every call is awaited before the next one. */
export interface Numbers {
  /** Undefined below 3 samples */
  readonly scores: Readonly<Record<'corr' | 'partial', readonly number[]>> | undefined;
  readonly saved: Uint8Array;
}

/** Replays histories call by call, each of them once. */
export class HistoryReplay {
  readonly #material: Material;
  readonly #known = new Map<string, Promise<Numbers>>();

  constructor(material: Material) {
    this.#material = material;
  }

  numbers(history: History): Promise<Numbers> {
    const key = JSON.stringify(history);
    const numbers = this.#known.get(key) ?? this.#replay(history);
    this.#known.set(key, numbers);
    return numbers;
  }

  async #replay({ loss, parts }: History): Promise<Numbers> {
    const { model, batches, refused, files } = this.#material;
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    // Files are taken in where the loss is theirs.
    await inferer.fit([], { loss });
    for (const part of parts) {
      if ('merge' in part) {
        await inferer.mergeStats(files[part.merge].bytes);
      } else {
        const given = part.batches.map((batch) => batches[batch]!);
        const fitted = inferer.fit(given, { loss, reset: false });
        await (part.batches.includes(refused) ? fitted.catch(() => undefined) : fitted);
      }
    }
    const saved = await inferer.saveStats();
    if (inferer.samples < 3) return { scores: undefined, saved };
    const corr = scoresIn(await inferer.evaluate());
    const partial = scoresIn(await inferer.evaluate({ score: 'partial' }));
    return { scores: { corr, partial }, saved };
  }
}
