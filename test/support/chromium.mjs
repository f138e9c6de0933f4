/** Where a Chromium is, and how it must be started to offer WebGPU without a display or a GPU. */
import { existsSync } from 'node:fs';
import { chromium } from 'playwright';

/** Flags that give headless Chromium a WebGPU adapter everywhere and keep it off the network. */
export const chromiumFlags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

const installed = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * @returns {string | undefined} the path of an installed Chromium, else of Playwright's own download, else
 * undefined.
 */
export function findChromium() {
  for (const path of installed) {
    if (path && existsSync(path)) return path;
  }
  const own = chromium.executablePath();
  return existsSync(own) ? own : undefined;
}
