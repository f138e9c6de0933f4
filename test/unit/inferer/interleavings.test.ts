import { type RecordBatch } from 'apache-arrow';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Batch,
  batches,
  GsnnModel,
  MagnitudeEdgeError,
  MagnitudeEdgeInferer,
} from '../../../src/index.ts';
import {
  HistoryReplay,
  samplesOf,
  scoreNames,
  scoresIn,
  type History,
  type LossName,
  type Material,
  type ScoreName,
} from '../../support/inferer-history.ts';
import { fixture } from '../../support/model-files.ts';

/**
 * Calls to one inferer, made at random before earlier ones have ended, against what they must come to: each is of the
 * moment at which it was made, and gives to the bit what it gives where all calls are awaited.
 *
 * INTERLEAVINGS=5000 runs so many; INTERLEAVINGS_SEED repeats a run.
 */
const runs = Number(process.env.INTERLEAVINGS ?? 100);
const seed = process.env.INTERLEAVINGS_SEED;

const sizes = [5, 9, 17, 33];
/** Batches after those: one that comes out of the model as NaN, and one that is refused before it runs. */
const [refused, notANumber] = [sizes.length, sizes.length + 1];

type Command =
  | { do: 'fit'; reset: boolean; loss: LossName; batches: number[]; slow: boolean; abortAt: number | null }
  | { do: 'evaluate' | 'evaluateBatches' | 'scores'; score: ScoreName }
  | { do: 'saveStats' | 'resetStats' | 'release' | 'abort' }
  | { do: 'loadStats' | 'mergeStats'; file: LossName };

/** What happens between a command and the next one. */
type Wait = 'nothing' | 'a turn' | 'the call' | 'all calls';

const loss = fc.constantFrom<LossName>('mse', 'l1');
const score = fc.constantFrom(...scoreNames);
const fit: fc.Arbitrary<Command> = fc.record({
  do: fc.constant('fit' as const),
  reset: fc.boolean(),
  loss,
  batches: fc.oneof(
    { weight: 6, arbitrary: fc.subarray([0, 1, 2, 3]) },
    { weight: 1, arbitrary: fc.constantFrom<number[]>([0, refused, 1], [2, notANumber, 3], [refused]) },
  ),
  slow: fc.boolean(),
  abortAt: fc.option(fc.nat(3), { nil: null, freq: 4 }),
});
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fit },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('evaluate' as const, 'evaluateBatches' as const, 'scores' as const),
      score,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('loadStats' as const, 'mergeStats' as const), file: loss }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('saveStats' as const, 'resetStats' as const, 'abort' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
);
const wait = fc.constantFrom<Wait>('nothing', 'nothing', 'a turn', 'the call', 'all calls');

const aborted = new Error('aborted by the test');
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A fit under way, as its test sees it. */
interface RunningFit {
  readonly before: History;
  /** What is held once the first so many batches are in */
  readonly after: (count: number) => History;
  /** Whether its loader has been asked: it has taken its statistics by then */
  begun: boolean;
  handedOut: number;
  counted: number;
}

/** Makes calls, and holds each to what it must give. */
class Session {
  readonly #material: Material;
  readonly #replay: HistoryReplay;
  readonly #inferer: MagnitudeEdgeInferer;
  #history: History = { loss: 'mse', parts: [] };
  /** The call that changes the statistics; histories that another call may see meanwhile */
  #running: { readonly seen: () => History[] } | undefined;
  #controller = new AbortController();
  readonly #calls = new Set<Promise<void>>();
  #released = false;

  constructor(material: Material, replay: HistoryReplay, inferer: MagnitudeEdgeInferer) {
    this.#material = material;
    this.#replay = replay;
    this.#inferer = inferer;
  }

  async perform(commands: readonly (readonly [Command, Wait])[]): Promise<void> {
    for (const [asked, waiting] of commands) {
      const call = this.#make(asked);
      this.#calls.add(call);
      const gone = (): unknown => this.#calls.delete(call);
      call.then(gone, gone);
      if (waiting === 'a turn') await turn();
      if (waiting === 'the call') await call.then(turn);
      if (waiting === 'all calls') await Promise.all(this.#calls).then(turn);
    }
    await Promise.all(this.#calls);
    if (!this.#released) {
      expect(this.#inferer.samples).toBe(samplesOf(this.#material, this.#history));
      await this.#make({ do: 'evaluate', score: 'partial' });
      await this.#make({ do: 'saveStats' });
    }
  }

  /** Makes a call at once; the promise is of the check of what it gives. */
  #make(asked: Command): Promise<void> {
    switch (asked.do) {
      case 'fit':
        return this.#fit(asked);
      case 'evaluate':
      case 'evaluateBatches':
      case 'scores':
        return this.#score(asked.do, asked.score);
      case 'saveStats':
        return this.#reads(this.#inferer.saveStats(), async (history, outcome) => {
          expect(outcome).toEqual({ value: (await this.#replay.numbers(history)).saved });
        });
      case 'loadStats':
      case 'mergeStats':
        return this.#takeFile(asked.do, asked.file);
      case 'resetStats':
        return this.#reset();
      case 'release':
        return this.#release();
      case 'abort':
        this.#controller.abort(aborted);
        this.#controller = new AbortController();
        return Promise.resolve();
    }
  }

  async #fit({ reset, loss, batches, slow, abortAt }: Command & { do: 'fit' }): Promise<void> {
    const before = this.#history;
    const { samples } = this.#inferer;
    const goesOn = !reset && samples > 0;
    const good = batches.findIndex((batch) => batch >= refused);
    const taken = good < 0 ? batches : batches.slice(0, good);
    const after = (count: number): History => ({
      loss,
      parts: [...(goesOn ? before.parts : []), { fit: loss, batches: batches.slice(0, count) }],
    });
    const fit: RunningFit = { before, after, begun: false, handedOut: 0, counted: 0 };
    const own = new AbortController();
    const signal = AbortSignal.any([own.signal, this.#controller.signal]);
    const inferer = this.#inferer;
    const material = this.#material;
    const loader = async function* (): AsyncGenerator<Batch> {
      fit.begun = true;
      for (const [at, batch] of batches.entries()) {
        if (slow) await turn();
        if (at === abortAt) own.abort(aborted);
        fit.handedOut++;
        yield material.batches[batch]!;
      }
    };
    const kept = this.#mayChange();
    const call = inferer.fit(loader(), {
      reset,
      loss,
      signal,
      onProgress: ({ batch, samples }) => {
        fit.counted = batch;
        expect(inferer.samples).toBe(samplesOf(material, after(batch)));
        expect(samples).toBe(
          samplesOf(material, { loss, parts: [{ fit: loss, batches: batches.slice(0, batch) }] }),
        );
      },
    });
    if (kept !== undefined) return expectCode(call, kept);
    if (goesOn && loss !== before.loss) return this.#refused(call, 'invalid-argument');
    const most = (): number => Math.min(fit.handedOut, taken.length);
    this.#running = {
      seen: () =>
        fit.begun
          ? Array.from({ length: most() - fit.counted + 1 }, (_, k) => after(fit.counted + k))
          : [before, after(0)],
    };
    const outcome = await settled(call);
    this.#running = undefined;
    if ('value' in outcome) {
      expect(good).toBe(-1);
      this.#history = after(batches.length);
      expect(outcome.value).toBe(samplesOf(material, this.#history));
    } else if (outcome.error === aborted) {
      expect(signal.aborted).toBe(true);
      this.#history = fit.begun ? after(fit.counted) : before;
    } else {
      expect(outcome.error).toMatchObject({ code: 'non-finite' });
      expect(fit.counted).toBe(good);
      this.#history = after(batches[good] === refused ? good + 1 : good);
    }
    expect(inferer.samples).toBe(samplesOf(material, this.#history));
  }

  #score(how: 'evaluate' | 'evaluateBatches' | 'scores', score: ScoreName): Promise<void> {
    const { signal } = this.#controller;
    const inferer = this.#inferer;
    const made = {
      evaluate: async () => {
        const table = await inferer.evaluate({ score, signal });
        return { scores: scoresIn(table), metadata: table.schema.metadata };
      },
      evaluateBatches: async () => {
        const generator = inferer.evaluateBatches({ score, signal, rowsPerBatch: 16 });
        await turn();
        const found: RecordBatch[] = [];
        for await (const batch of generator) found.push(batch);
        const column = score === 'channel' ? 'score' : 'corr';
        const scores = found.flatMap((batch) => [...batch.getChild(column)!] as number[]);
        return { scores, metadata: found[0]!.schema.metadata };
      },
      scores: async () => {
        const scores = await inferer.scores({ score, signal });
        await turn();
        try {
          const table = await scores.table();
          return { scores: scoresIn(table), metadata: table.schema.metadata };
        } finally {
          scores.release();
        }
      },
    };
    return this.#reads(
      made[how](),
      async (history, outcome) => {
        const expected = (await this.#replay.numbers(history)).scores[score];
        if ('error' in outcome) {
          expect(outcome.error).toMatchObject({ code: expected });
          return;
        }
        const { scores, metadata } = outcome.value;
        expect(metadata.get('loss')).toBe(history.loss);
        expect(metadata.get('n')).toBe(String(samplesOf(this.#material, history)));
        expect(scores).toEqual(expected);
      },
      signal,
    );
  }

  /** Holds what a call gives to one of the histories that it may be of: the one at its moment. */
  async #reads<T>(
    call: Promise<T>,
    check: (history: History, outcome: Outcome<T>) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    if (this.#released) return expectCode(call, 'released');
    const histories = this.#running?.seen() ?? [this.#history];
    const counts = histories.map((history) => samplesOf(this.#material, history));
    if (this.#running === undefined) expect(this.#inferer.samples).toBe(counts[0]);
    const outcome = await settled(call);
    if ('error' in outcome && outcome.error === aborted) {
      expect(signal?.aborted).toBe(true);
      return;
    }
    const failures: unknown[] = [];
    for (const history of histories) {
      try {
        await check(history, outcome);
        return;
      } catch (error) {
        failures.push(error);
      }
    }
    throw failures[0];
  }

  async #takeFile(how: 'loadStats' | 'mergeStats', file: LossName): Promise<void> {
    const kept = this.#mayChange();
    const { loss, parts } = this.#history;
    const bytes = this.#material.files[file].bytes.slice();
    const call = this.#inferer[how](bytes);
    bytes.fill(0);
    if (kept !== undefined) return expectCode(call, kept);
    if (file !== loss) return this.#refused(call, 'graph-mismatch');
    const after: History = { loss, parts: [...(how === 'mergeStats' ? parts : []), { merge: file }] };
    this.#running = { seen: () => [after] };
    await call;
    this.#running = undefined;
    this.#history = after;
    expect(this.#inferer.samples).toBe(samplesOf(this.#material, after));
  }

  /** A call that is refused keeps others out until it has told so. */
  async #refused(call: Promise<unknown>, code: string): Promise<void> {
    const history = this.#history;
    this.#running = { seen: () => [history] };
    await expectCode(call, code);
    this.#running = undefined;
  }

  async #reset(): Promise<void> {
    const kept = this.#mayChange();
    if (kept !== undefined) {
      await expectCode(
        new Promise((resolve) => {
          this.#inferer.resetStats();
          resolve(undefined);
        }),
        kept,
      );
      return;
    }
    this.#inferer.resetStats();
    this.#history = { loss: this.#history.loss, parts: [] };
    expect(this.#inferer.samples).toBe(0);
  }

  async #release(): Promise<void> {
    const before = [...this.#calls];
    let ended = 0;
    for (const call of before) call.then(() => ended++, ignore);
    this.#released = true;
    await this.#inferer.release();
    // Their own checks take turns of their own.
    await Promise.all(before);
    expect(ended).toBe(before.length);
  }

  /** The code that a call which changes the statistics is refused with now. */
  #mayChange(): string | undefined {
    if (this.#released) return 'released';
    return this.#running === undefined ? undefined : 'busy';
  }
}

function ignore(): void {
  // Told by the call itself.
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

async function settled<T>(call: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await call };
  } catch (error) {
    return { error };
  }
}

async function expectCode(call: Promise<unknown>, code: string): Promise<void> {
  const outcome = await settled(call);
  expect(outcome).toMatchObject({ error: { code } });
  expect((outcome as { error: unknown }).error).toBeInstanceOf(MagnitudeEdgeError);
}

async function prepare(model: GsnnModel): Promise<Material> {
  const whole = batches(fixture('layer-elu', 'edges-data.npz'), model, { batchSize: 107 });
  let all: Batch | undefined;
  for await (const batch of whole) all = batch;
  const { input, output } = model.graph.nodeNames;
  const rows = (values: unknown, width: number, from: number, size: number): Float32Array =>
    (values as Float32Array).slice(from * width, (from + size) * width);
  const take = (from: number, size: number): Batch => ({
    size,
    x: rows(all!.x, input.length, from, size),
    y: rows(all!.y, output.length, from, size),
  });
  const starts = sizes.map((_, k) => sizes.slice(0, k).reduce((sum, size) => sum + size, 0));
  const good = sizes.map((size, k) => take(starts[k]!, size));
  const spoilt = (value: number): Batch => {
    const batch = take(0, 3);
    return { ...batch, x: (batch.x as Float32Array).with(0, value) };
  };
  const fileOf = async (loss: LossName): Promise<Material['files'][LossName]> => {
    await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
    const samples = await inferer.fit([take(64, 43)], { loss });
    return { bytes: await inferer.saveStats({ channels: loss === 'mse' }), samples };
  };
  return {
    model,
    batches: [...good, spoilt(3e38), spoilt(NaN)],
    refused,
    files: { mse: await fileOf('mse'), l1: await fileOf('l1') },
  };
}

test(
  'calls that overlap give what they would one by one',
  async () => {
    await using model = await GsnnModel.load(fixture('layer-elu'));
    const material = await prepare(model);
    const replay = new HistoryReplay(material);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(command, wait), { minLength: 2, maxLength: 12 }),
        async (commands) => {
          await using inferer = await MagnitudeEdgeInferer.create(model, { backend: 'cpu' });
          await new Session(material, replay, inferer).perform(commands);
        },
      ),
      { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) },
    );
  },
  60_000 + 2_000 * runs,
);
