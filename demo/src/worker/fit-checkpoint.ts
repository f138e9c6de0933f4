import { originPrivateCheckpoint, type Batch, type CheckpointOptions } from 'magnitude-edge';
import type { ModelFacts } from '../results/facts.ts';
import type { Going } from './fit.ts';
import type { CheckpointAt } from './protocol.ts';

/** Seconds between checkpoints. */
const seconds = 10;
/** Most bytes of a checkpoint: the disk is the user's. */
const mostBytes = 512e6;

/** Checkpoints of a fit, and its batches from there on; null if it can have none. */
export function checkpointsOf(
  at: CheckpointAt | null,
  { inferer, feed, files: { data }, source }: Going,
  signal: AbortSignal,
  onWritten: (samples: number) => void,
): { loader: AsyncIterable<Batch>; checkpoint: CheckpointOptions } | null {
  if (!at || !canHave(source.model.facts)) return null;
  const file = originPrivateCheckpoint(at.file);
  return {
    loader: Object.assign(
      { [Symbol.asyncIterator]: () => feed.handOut(signal) },
      {
        from: (batch: number) => {
          feed.passOver(batch);
          return feed.handOut(signal);
        },
        // Named by its content: the same name is the same file, whenever it was chosen.
        files: () =>
          Promise.resolve([{ name: source.data.digest, size: data.file.bytes.length, modified: 0 }]),
        batchSize: source.params.batchSize,
      },
    ),
    checkpoint: {
      seconds,
      resume: at.resumes,
      sink: {
        // A failed read or write costs the checkpoint, not the fit.
        read: () => file.read().catch(() => undefined),
        write: async (bytes) => {
          const { samples } = inferer;
          if (samples === data.samples || bytes.length > mostBytes) return;
          await file.write(bytes).then(
            () => {
              onWritten(samples);
            },
            () => undefined,
          );
        },
      },
    },
  };
}

/** Larger sums may not fit on the disk; they have no checkpoints. */
function canHave({ functions, layers }: ModelFacts): boolean {
  const bytes = 8 * functions.length ** 2 * (layers - 1);
  return bytes <= mostBytes && 'storage' in navigator && 'getDirectory' in navigator.storage;
}
