import { evidenceOfHost } from '../src/state/evidence.ts';
import { WorkerRefusal } from '../src/worker/rpc.ts';
import type { EvidenceFacts, EvidenceRequest } from './messages.ts';

interface Answer {
  readonly facts: EvidenceFacts;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

let next = 0;
const waiting = new Map<number, (answer: Answer) => void>();

/** Sends a request to the host; null if there is none. */
let tell: ((id: number, request: EvidenceRequest) => void) | null = null;

export function askHostBy(asker: typeof tell): void {
  tell = asker;
}

/** Handles an answer of the host. */
export function takeEvidence(id: number, answer: Answer): void {
  waiting.get(id)?.(answer);
  waiting.delete(id);
}

function ask(request: EvidenceRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const id = next++;
    // A new request supersedes earlier ones, whose pair is no longer shown.
    waiting.clear();
    waiting.set(id, (answer) => {
      if (answer.facts.refusal) reject(new WorkerRefusal(answer.facts.refusal));
      else resolve(answer);
    });
    tell?.(id, request);
  });
}

/** From now on the table of this version has evidence from the kernel, or none. */
export function offerEvidence(version: number, isThere: boolean): void {
  evidenceOfHost.value = isThere
    ? {
        ofSamples: String(version),
        ofScores: String(version),
        canAsk: true,
        async magnitudes(source, target) {
          const { facts, bytes } = await ask({ what: 'magnitudes', source, target, layerPair: null });
          const pairs = facts.pairs ?? 0;
          const all = new Float32Array(bytes.buffer);
          const samples = all.length / (2 * pairs);
          const side = (first: number) =>
            Array.from({ length: pairs }, (_, p) =>
              all.slice((first + p) * samples, (first + p + 1) * samples),
            );
          return { x: side(0), y: side(pairs), others: null };
        },
        async channelBlock(source, target, layerPair) {
          const { facts, bytes } = await ask({ what: 'block', source, target, layerPair });
          const { sourceChannels = [], targetChannels = [] } = facts;
          return { layerPair, sourceChannels, targetChannels, values: new Float64Array(bytes.buffer) };
        },
      }
    : null;
}
