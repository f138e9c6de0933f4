import type { Table } from 'apache-arrow';
import { type Batch, type GsnnModel, MagnitudeEdgeError, MagnitudeEdgeInferer } from '../../src/index.ts';

export type LossName = 'mse' | 'l1';

export const scoreNames = ['corr', 'partial', 'channel'] as const;
export type ScoreName = (typeof scoreNames)[number];

/** One call that changed the statistics, up to where it ended: batches by number. */
export type Part =
  { readonly fit: LossName; readonly batches: readonly number[] } | { readonly merge: LossName };

/** What an inferer holds, as the calls that led to it. */
export interface History {
  /** The loss of the statistics held, or of the next ones */
  readonly loss: LossName;
  readonly parts: readonly Part[];
}

/** What a test's inferers work with. */
export interface Material {
  readonly model: GsnnModel;
  readonly batches: readonly Batch[];
  /** The batch that the engine refuses: the model computes NaN for it */
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
  return [...(table.getChild('corr') ?? table.getChild('score'))!] as number[];
}

/** The numbers that a history gives if every call is awaited before the next one. */
export interface Numbers {
  /** Or the error code: for too few samples, and for channel values that a file lacks */
  readonly scores: Readonly<Record<ScoreName, readonly number[] | string>>;
  readonly saved: Uint8Array;
}

/** Replays histories call by call, each once. */
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
    // A file can be merged only under its own loss.
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
    const scored = async (score: ScoreName): Promise<readonly number[] | string> => {
      try {
        return scoresIn(await inferer.evaluate({ score }));
      } catch (error) {
        if (error instanceof MagnitudeEdgeError) return error.code;
        throw error;
      }
    };
    const scores = {
      corr: await scored('corr'),
      partial: await scored('partial'),
      channel: await scored('channel'),
    };
    return { scores, saved };
  }
}
