#!/usr/bin/env node
import { MagnitudeEdgeError } from '../errors.ts';
import { version } from '../version.ts';
import { UsageError } from './arguments.ts';
import type { Command } from './command.ts';
import { keepCompiledModules } from './compile-cache.ts';
import { didYouMean } from './did-you-mean.ts';
import { endQuietly } from './endings.ts';
import { inCommandWords } from './reading-options.ts';
import { ClosedOutput, standard } from './standard-output.ts';
import { oneLine, printLine, type Terminal } from './terminal.ts';
import { setV8Flags } from './v8-flags.ts';

/** Loaded on demand: help and usage errors then take a fraction of the time. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  infer: async () => (await import('./infer.ts')).infer,
  evaluate: async () => (await import('./evaluate.ts')).evaluate,
  rank: async () => (await import('./rank.ts')).rank,
  merge: async () => (await import('./merge.ts')).merge,
  select: async () => (await import('./select.ts')).select,
  'train-graph': async () => (await import('./train-graph.ts')).trainGraph,
  'import-map': async () => (await import('./import-map.ts')).importMap,
  serve: async () => (await import('./serve/serve.ts')).serve,
};

const help = `magnitude-edge ${version}: magnitude edge inference for graph structured neural networks

  magnitude-edge infer        model and data in, ranked edges out
  magnitude-edge evaluate     ranked edges from statistics, without model or data
  magnitude-edge rank         how well an edge table ranks known edges
  magnitude-edge select       edges selected step by step, each given those selected before
  magnitude-edge merge        one statistics file from several
  magnitude-edge train-graph  a model with its loss and gradients, as ONNX
  magnitude-edge import-map   an import map for pages that load the package as separate modules

  magnitude-edge COMMAND --help describes a command.   magnitude-edge --version`;

/**
 * Runs the command.
 * @returns the exit status: 0 done, 1 refused input, 2 wrong usage; 141 if standard output was closed
 */
async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const asksForHelp = args[0] === 'help';
  const [name, ...rest] = asksForHelp ? args.slice(1) : args;
  if (name === '--version' || name === '-v') {
    printLine(terminal.out, version);
    return 0;
  }
  if (name === '--help' || name === '-h' || (asksForHelp && name === undefined)) {
    printLine(terminal.out, help);
    return 0;
  }
  if (name === undefined) {
    printLine(terminal.err, help);
    return 2;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!load) {
    const hint = didYouMean(name, Object.keys(commands));
    printLine(
      terminal.err,
      oneLine(`magnitude-edge: there is no command '${name}'${hint || '; see --help'}`),
    );
    return 2;
  }
  keepCompiledModules();
  const command = await load();
  if (asksForHelp || rest.includes('--help') || rest.includes('-h')) {
    printLine(terminal.out, command.help);
    return 0;
  }
  const complain = (sentence: string): void => {
    printLine(terminal.err, oneLine(`magnitude-edge ${name}: ${sentence}`));
  };
  try {
    await command.run(rest, terminal);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      complain(`${error.message}${error.message.endsWith('?') ? '' : '; see --help'}`);
      return 2;
    }
    if (error instanceof MagnitudeEdgeError) {
      complain(inCommandWords(error));
      return 1;
    }
    // As if SIGPIPE had ended the process; Node ignores that signal.
    if (error instanceof ClosedOutput) return 141;
    throw error;
  }
}

endQuietly();
setV8Flags();
process.exitCode = await main(process.argv.slice(2), standard);
