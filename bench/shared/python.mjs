import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('../', import.meta.url));

/**
 * The Python that runs the port: the environment's PYTHON if set (it must have the packages of requirements.txt), else
 * a virtual environment of the benchmark's own, made on first use.
 */
export function python() {
  const given = process.env['PYTHON'];
  if (given) return given;
  const venv = `${here}.venv`;
  const own = `${venv}/bin/python`;
  if (!existsSync(own)) {
    console.error('Making bench/.venv (numpy, pandas, scipy, torch) ...');
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'inherit' });
    execFileSync(own, ['-m', 'pip', 'install', '-q', '-r', `${here}requirements.txt`], { stdio: 'inherit' });
  }
  return own;
}
