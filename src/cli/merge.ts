import { decodeStatistics, encodeStatistics } from '../table/statistics-file.ts';
import { sameCounts, type SavedChannels } from '../statistics/saved-channels.ts';
import { mergeSaved } from '../table/statistics-origin.ts';
import { Arguments, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { checkInputs, readInput, writeOutputs } from './files.ts';
import { placeOutputs } from './output-place.ts';
import { printLine } from './terminal.ts';

const help = `magnitude-edge merge S1.arrow S2.arrow ... --out S.arrow

Adds up statistics files (infer --stats-out) over disjoint samples of the same graph, settings and loss. Channel values
(infer --score channel) are kept if all files have them for the same channels; otherwise a warning says why not.

  --json   prints the summary as one JSON object`;

const options = { out: { type: 'string' }, json: { type: 'boolean' } } as const;

export const merge: Command = {
  help,
  async run(args, terminal) {
    const given = new Arguments(args, options, { allowed: true });
    const out = given.required('out');
    const [first, ...others] = given.positionals;
    if (first === undefined) throw new UsageError('no statistics files were given');
    await checkInputs(given.positionals, 'its samples would be counted twice');
    const [place] = await placeOutputs(given.positionals, [out]);
    let merged = decodeStatistics(await readInput(first), first);
    const channels = new ChannelsOfFiles(first, merged.channels);
    for (const path of others) {
      const read = decodeStatistics(await readInput(path), path);
      channels.add(path, read.channels);
      merged = mergeSaved(merged, read, path);
    }
    await writeOutputs([{ place: place!, bytes: encodeStatistics(merged) }]);
    const lost = channels.whyLost();
    if (lost !== undefined) printLine(terminal.err, `${out} holds no channel values: ${lost}`);
    const { samples, nodes, pairs } = merged.statistics;
    printLine(
      terminal.out,
      given.flag('json')
        ? JSON.stringify({
            command: 'merge',
            files: given.positionals,
            out,
            samples,
            nodes,
            pairs: pairs.length,
            channels: merged.channels !== undefined,
            withoutChannels: channels.without,
          })
        : `wrote ${out}: statistics of ${samples} samples from ${given.positionals.length} files, ${nodes} function nodes, ${pairs.length} layer pairs`,
    );
  },
};

/** Tracks which files hold channel values. */
class ChannelsOfFiles {
  readonly without: string[] = [];
  #first: { readonly path: string; readonly counts: Int32Array } | undefined;
  #other: string | undefined;

  constructor(path: string, channels: SavedChannels | undefined) {
    this.add(path, channels);
  }

  add(path: string, channels: SavedChannels | undefined): void {
    if (channels === undefined) this.without.push(path);
    else if (this.#first === undefined) this.#first = { path, counts: channels.counts };
    else if (!sameCounts(this.#first.counts, channels.counts)) this.#other ??= path;
  }

  /** Why the merged file has no channel values although some files do; undefined if none are lost. */
  whyLost(): string | undefined {
    if (this.#first === undefined) return undefined;
    if (this.without.length > 0)
      return `${this.without.join(', ')} ${this.without.length === 1 ? 'has' : 'have'} none, so channel and Spearman scores of the merged samples are not possible`;
    return this.#other === undefined
      ? undefined
      : `${this.#other} has different numbers of channels from ${this.#first.path}`;
  }
}
