import { decodeStatistics, encodeStatistics } from '../table/statistics-file.ts';
import { mergeSaved } from '../table/statistics-origin.ts';
import { Arguments, UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { checkInputs, readInput, writeOutputs } from './files.ts';
import { placeOutputs } from './output-place.ts';
import { printLine } from './terminal.ts';

const help = `magnitude-edge merge S1.arrow S2.arrow ... --out S.arrow

Adds up statistics files (infer --stats-out) over disjoint samples of the same graph, settings and loss.

  --json   the summary as one JSON object`;

const options = { out: { type: 'string' }, json: { type: 'boolean' } } as const;

export const merge: Command = {
  help,
  async run(args, terminal) {
    const given = new Arguments(args, options, { allowed: true });
    const out = given.required('out');
    const [first, ...others] = given.positionals;
    if (first === undefined) throw new UsageError('no statistics files were given');
    await checkInputs(given.positionals, 'its samples would count twice');
    const [place] = await placeOutputs(given.positionals, [out]);
    let merged = decodeStatistics(await readInput(first), first);
    for (const path of others) {
      merged = mergeSaved(merged, decodeStatistics(await readInput(path), path), path);
    }
    await writeOutputs([{ place: place!, bytes: encodeStatistics(merged) }]);
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
          })
        : `wrote ${out}: statistics of ${samples} samples from ${given.positionals.length} files, ${nodes} function nodes, ${pairs.length} layer pairs`,
    );
  },
};
