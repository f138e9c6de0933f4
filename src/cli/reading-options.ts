import type { MagnitudeEdgeError } from '../errors.ts';
import type { RequestedSizes } from '../model/batch-sizes.ts';
import { UsageError, type Arguments } from './arguments.ts';

export const memoryBudgetOption = { 'memory-budget': { type: 'string' } } as const;

export const memoryBudgetHelp =
  '  --memory-budget BYTES                memory that reading a file may take, such as 4G  (2G)';

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes as `4294967296`, `4G` or `4GiB`. @throws UsageError */
export function readMemoryBudget(given: Arguments): number | undefined {
  const text = given.text('memory-budget');
  if (text === undefined) return undefined;
  const [, number, unit] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (units[(unit ?? '').toUpperCase()] ?? NaN));
  if (bytes >= 1) return bytes;
  throw new UsageError(`--memory-budget is '${text}', a number of bytes, such as 500M or 4G, was expected`);
}

/** How samples are read. */
export interface SampleSettings extends RequestedSizes {
  readonly memoryBudget?: number;
}

export const sampleOptions = {
  ...memoryBudgetOption,
  'batch-size': { type: 'string' },
  'loss-batch-size': { type: 'string' },
} as const;

export const sampleHelp = `${memoryBudgetHelp}
  --batch-size N|auto                  samples that the model runs at once; auto is what is fast for its size (128)
  --loss-batch-size N                  samples over which the loss takes its mean: the model runs several such
                                       batches at once, or parts of one    (that of --batch-size; 128 if auto)`;

/** @throws UsageError */
export function readSampleSettings(given: Arguments): SampleSettings {
  const memoryBudget = readMemoryBudget(given);
  return {
    batchSize: given.text('batch-size') === 'auto' ? 'auto' : given.wholeNumber('batch-size', 1),
    lossBatchSize: given.wholeNumber('loss-batch-size', 1),
    ...(memoryBudget === undefined ? {} : { memoryBudget }),
  };
}

/** The message of an error, with the library's options renamed to the command's. */
export function inCommandWords({ message }: MagnitudeEdgeError): string {
  return message
    .replace('(maskMissingTargets: true ', '(--mask-missing-targets ')
    .replace('(memoryBudget: BYTES ', '(--memory-budget BYTES ')
    .replace(
      "name the one that the loss takes as 'prediction'",
      'name the one that the loss takes with --prediction',
    )
    .replace(
      /, which (wrt|prediction|outputs|stopGradient) names\.$/,
      (_, option: string) => `, which --${option === 'stopGradient' ? 'stop-gradient' : option} names.`,
    );
}
