/** Makes sure that a Chromium is there before the tests: installed, Playwright's download, or the system's package. */
import { spawnSync } from 'node:child_process';
import { findChromium } from './chromium.mjs';

/** @type {(command: string, args: string[]) => boolean} */
const run = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;
const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
/** @type {(...args: string[]) => boolean} */
const apt = (...args) => {
  const [command = 'apt-get', ...rest] = [...asRoot, 'apt-get', ...args];
  return run(command, rest);
};

const attempts = [
  () => run('npx', ['playwright', 'install', 'chromium']),
  () => apt('update', '-qq') && apt('install', '-y', '-qq', 'chromium'),
];
for (const attempt of attempts) {
  if (findChromium()) break;
  attempt();
}
const found = findChromium();
if (!found) {
  console.error('No Chromium found, and none could be installed. Install one, or set CHROMIUM_PATH.');
  process.exit(1);
}
console.error(`Chromium: ${found}`);
