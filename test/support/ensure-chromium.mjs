/**
 * Runs before the tests: finds a Chromium (an installed one, else Playwright's download, else the system's package),
 * starts it and names the WebGPU adapter it offers. No browser or no adapter is a failure, not a reason to skip.
 */
import { spawnSync } from 'node:child_process';
import { chromium } from 'playwright';
import { chromiumFlags, findChromium } from './chromium.mjs';

/** @type {(command: string, args: string[]) => boolean} */
const run = (command, args) => spawnSync(command, args, { stdio: 'inherit' }).status === 0;
const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
/** @type {(...args: string[]) => boolean} */
const apt = (...args) => {
  const [command = 'apt-get', ...rest] = [...asRoot, 'apt-get', ...args];
  return run(command, rest);
};

/** @type {(sentence: string) => never} */
function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

async function describeAdapter(/** @type {string} */ executablePath) {
  const browser = await chromium.launch({ executablePath, args: chromiumFlags });
  try {
    const page = await browser.newPage();
    // WebGPU needs a secure context; an intercepted localhost page is one, and needs no server.
    await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
    await page.goto('http://localhost/');
    const adapter = await page.evaluate(async () => {
      const found = await navigator.gpu.requestAdapter();
      return (
        found &&
        [found.info.vendor, found.info.architecture, found.info.description].filter(Boolean).join(' ')
      );
    });
    return { adapter, version: browser.version() };
  } finally {
    await browser.close();
  }
}

const attempts = [
  () => run('npx', ['playwright', 'install', 'chromium']),
  () => apt('update', '-qq') && apt('install', '-y', '-qq', 'chromium'),
];
for (const attempt of attempts) {
  if (findChromium()) break;
  attempt();
}
const executablePath =
  findChromium() ??
  fail('No Chromium found, and none could be installed. Install one, or set CHROMIUM_PATH.');
const { adapter, version } = await describeAdapter(executablePath);
if (!adapter)
  fail(`Chromium ${version} (${executablePath}) offers no WebGPU adapter; the GPU tests need one.`);
console.error(`Chromium ${version} (${executablePath}), WebGPU adapter: ${adapter}`);
