import { addFlags } from '../../scoring/node-flags.ts';
import type { ScoreRequest, TargetsRequest } from '../../scoring/score-matrices.ts';
import { targetPanels, type TargetRange } from '../../scoring/target-panels.ts';
import { discard } from '../../statistics/discard.ts';
import { InOrderBarrier } from './in-order-barrier.ts';
import { widestOf, wholePanel, type CpuSnapshot, type PairScores, type TakePanel } from './snapshot.ts';
import type { WorkerClient } from '../worker-client.ts';

/** A worker, and the layer pairs it keeps. */
export interface Share {
  readonly worker: WorkerClient;
  readonly pairs: readonly number[];
}

/** Where panels go. */
interface Destination {
  /** An array for each layer pair, filled by its only panel; default: a few buffers, which are reused */
  readonly out?: readonly Float64Array[];
  readonly take: TakePanel;
}

/** Panels in flight per worker: one being scored, and one being taken or waiting for its turn. */
const PANELS_ON_THEIR_WAY = 2;

/**
 * A snapshot spread over workers, each with its own layer pairs. Panels reach the calling thread in a few buffers that
 * go back to the workers to be refilled, so that memory use does not depend on garbage collection.
 */
export class PooledSnapshot implements CpuSnapshot {
  readonly #nodes: number;
  readonly #shares: readonly Share[];
  readonly #id: number;

  /** @param id the number by which the workers know it */
  constructor(nodes: number, shares: readonly Share[], id: number) {
    this.#nodes = nodes;
    this.#shares = shares;
    this.#id = id;
  }

  async scores({ signal, ...request }: TargetsRequest, out: readonly Float64Array[]): Promise<PairScores> {
    const perPair = [...out];
    const nodeFlags = await this.#form({ ...request, signal }, [wholePanel(this.#nodes, request)], {
      out,
      take: (pair, _, scores) => (perPair[pair] = scores),
    });
    return { perPair, nodeFlags };
  }

  panels(request: TargetsRequest, take: TakePanel): Promise<Uint8Array> {
    return this.#form(request, targetPanels(this.#nodes, request), { take });
  }

  async scoresAt({ signal, ...request }: ScoreRequest, pairIndices: Uint32Array): Promise<Float64Array[]> {
    const found: Float64Array[] = [];
    await this.#all(signal, new InOrderBarrier(0), async ({ worker, pairs }) => {
      const call = structuredClone({ snapshot: this.#id, request, pairIndices });
      const own = await worker.call('scoresAt', call);
      pairs.forEach((pair, at) => (found[pair] = own[at]!));
    });
    return found;
  }

  release(): void {
    for (const { worker } of this.#shares) worker.call('dropSnapshot', this.#id).catch(ignore);
  }

  /**
   * Runs work on all workers and waits until all have finished: when it fails, no worker is busy and no buffer is in
   * flight.
   */
  async #all(
    signal: AbortSignal | undefined,
    barrier: InOrderBarrier,
    work: (share: Share) => Promise<void>,
  ): Promise<void> {
    signal?.throwIfAborted();
    const stop = (cause: unknown): void => {
      barrier.stop(cause);
      for (const { worker } of this.#shares) worker.call('abort', undefined).catch(ignore);
    };
    const onAbort = (): void => {
      stop(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort);
    await Promise.all(this.#shares.map((share) => work(share).catch(stop)));
    signal?.removeEventListener('abort', onAbort);
    if (barrier.stopped !== undefined) throw barrier.stopped.cause;
  }

  /** @returns the flags of the nodes */
  async #form(
    { signal, ...request }: TargetsRequest,
    panels: readonly TargetRange[],
    to: Destination,
  ): Promise<Uint8Array> {
    const nodeFlags = new Uint8Array(this.#nodes);
    const barrier = new InOrderBarrier(panels.length);
    await this.#all(signal, barrier, async (share) => {
      addFlags(nodeFlags, await this.#formPanels(share, request, panels, barrier, to));
    });
    return nodeFlags;
  }

  /** Has a worker form all panels of its layer pairs. @returns their node flags */
  async #formPanels(
    { worker, pairs }: Share,
    request: TargetsRequest,
    panels: readonly TargetRange[],
    barrier: InOrderBarrier,
    { out, take }: Destination,
  ): Promise<Uint8Array> {
    await worker.call('openPanels', structuredClone({ snapshot: this.#id, request }));
    const jobs = pairs.flatMap((pair, own) => panels.map((_, panel) => ({ pair, own, panel })));
    const lane = async (buffer: Float64Array | undefined): Promise<void> => {
      for (let job = jobs.shift(); job !== undefined && barrier.stopped === undefined; job = jobs.shift()) {
        const range = panels[job.panel]!;
        const call = { pair: job.own, panel: range, out: buffer ?? out![job.pair]! };
        const scores = await worker.call('panel', call);
        if (buffer !== undefined) buffer = scores;
        await barrier.of(job.pair, job.panel);
        take(job.pair, range, scores);
        barrier.done(job.pair, job.panel);
      }
      if (buffer !== undefined) discard(buffer);
    };
    try {
      const length = this.#nodes * widestOf(panels);
      const lanes = Math.min(PANELS_ON_THEIR_WAY, jobs.length);
      // Allocate all buffers before any lane begins: if the next allocation failed, nothing would await that lane.
      const buffers = Array.from({ length: lanes }, () =>
        out === undefined ? new Float64Array(length) : undefined,
      );
      for (const settled of await Promise.allSettled(buffers.map(lane))) {
        if (settled.status === 'rejected') throw settled.reason;
      }
    } catch (error) {
      await worker.call('closePanels', undefined).catch(ignore);
      throw error;
    }
    return (await worker.call('closePanels', undefined)) ?? new Uint8Array(this.#nodes);
  }
}

function ignore(): void {
  // A worker that cannot be reached has failed; the calls that matter report it.
}
