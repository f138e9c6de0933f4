#!/usr/bin/env node
import { MagnitudeEdgeError } from '../errors.ts';
import { version } from '../version.ts';
import { UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { infer } from './infer.ts';
import { merge } from './merge.ts';
import { rank } from './rank.ts';
import { inCommandWords } from './reading-options.ts';
import { enableRelaxedSimd } from './relaxed-simd.ts';
import { printLine, type Terminal } from './terminal.ts';
import { trainGraph } from './train-graph.ts';

const commands: Readonly<Record<string, Command>> = { infer, rank, merge, 'train-graph': trainGraph };

const help = `magnitude-edge ${version}: magnitude edge inference for graph structured neural networks

  magnitude-edge infer        model and data in, ranked edges out
  magnitude-edge rank         how well an edge table ranks edges that are known
  magnitude-edge merge        one statistics file from several
  magnitude-edge train-graph  a model with loss and gradients, as ONNX

  magnitude-edge COMMAND --help says more.   magnitude-edge --version`;

/**
 * Runs the command.
 * @returns the exit status: 0 done, 1 refused input, 2 wrong usage
 */
async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version' || name === '-v') {
    printLine(terminal.out, version);
    return 0;
  }
  if (name === '--help' || name === '-h') {
    printLine(terminal.out, help);
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    printLine(
      terminal.err,
      name === undefined ? help : `magnitude-edge: there is no command '${name}'; see --help`,
    );
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    printLine(terminal.out, command.help);
    return 0;
  }
  try {
    await command.run(rest, terminal);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      printLine(terminal.err, `magnitude-edge ${name}: ${error.message}; see --help`);
      return 2;
    }
    if (error instanceof MagnitudeEdgeError) {
      printLine(terminal.err, `magnitude-edge ${name}: ${inCommandWords(error)}`);
      return 1;
    }
    throw error;
  }
}

enableRelaxedSimd();
process.exitCode = await main(process.argv.slice(2), { out: process.stdout, err: process.stderr });
