import { CsvNumbers } from '../csv/numbers.ts';
import { openCsv } from '../csv/read.ts';
import { MagnitudeEdgeError } from '../errors.ts';

const isHeader = (cell: string): boolean => ['output', 'name', 'weight'].includes(cell.toLowerCase());

/**
 * Reads one factor per model output from delimited text: the columns `output` and `weight`, or a name and a number on
 * each line. Outputs that are not named keep 1.
 *
 * @param outputs names of the model's outputs, in order
 * @param name the file's name in error messages
 * @throws MagnitudeEdgeError `invalid-data` for a name that is not an output, appears twice, or has no number of at
 * least 0
 */
export function readOutputWeights(bytes: Uint8Array, outputs: readonly string[], name: string): number[] {
  const refuse = (line: number, why: string): never => {
    throw new MagnitudeEdgeError('invalid-data', `${name}, line ${line}: ${why}.`, {
      details: { source: name },
    });
  };
  const file = openCsv(bytes, name, isHeader);
  const numbers = new CsvNumbers(name, file.delimiter);
  const rows = [...file.rows].filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  const header = rows[0]?.cells.map((cell) => cell.trim().toLowerCase()) ?? [];
  const named = header.includes('weight');
  const nameAt = named ? Math.max(header.indexOf('output'), header.indexOf('name'), 0) : 0;
  const weightAt = named ? header.indexOf('weight') : 1;
  const place = new Map(outputs.map((output, index) => [output, index]));
  const weights = outputs.map(() => 1);
  const seen = new Set<string>();
  for (const { cells, line } of named ? rows.slice(1) : rows) {
    const output = cells[nameAt]?.trim() ?? '';
    const index = place.get(output) ?? refuse(line, `'${output}' is not an output of the model`);
    if (seen.has(output)) refuse(line, `'${output}' is listed twice`);
    seen.add(output);
    const weight = numbers.read(cells[weightAt] ?? '', line);
    if (weight === undefined || !(weight >= 0 && Number.isFinite(weight)))
      refuse(
        line,
        `the weight of '${output}' is '${cells[weightAt] ?? ''}', a number of at least 0 was expected`,
      );
    weights[index] = weight!;
  }
  return weights;
}
