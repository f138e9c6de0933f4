import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The built command. */
export const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the command as a shell would. */
export function start(
  folder: string,
  args: readonly string[],
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [command, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Waits for a started command to end. */
export function ended(child: ReturnType<typeof start>): Promise<Run> {
  return new Promise((resolve, reject) => {
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', reject).on('close', (status) => {
      resolve({ status, out, err });
    });
  });
}

/** Runs the command as a shell would. */
export const runIn = (folder: string, ...args: string[]): Promise<Run> => ended(start(folder, args));

/** Runs it in a shell, where `$ME` is the command: for redirections, pipes and limits. */
export function shellIn(folder: string, script: string): Promise<Run> {
  const bash = ['-c', script.replaceAll('$ME', `"${process.execPath}" "${command}"`)];
  return ended(spawn('bash', bash, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }));
}
