import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright';
import { chromiumFlags, findChromium } from './chromium.mjs';

/**
 * A Chromium for the pages of a test file, started for the first of them. Once a renderer has died in it, the next page
 * gets a new one: whatever killed the renderer may still be in the old one's other processes.
 */
export class TestBrowser {
  #browser: Promise<Browser> | undefined;
  #crashed = false;

  /** A page in a context of its own, which the caller closes. */
  async newPage(options?: BrowserContextOptions): Promise<Page> {
    if (this.#crashed) await this.close();
    this.#browser ??= start();
    const context = await (await this.#browser).newContext(options);
    const page = await context.newPage();
    page.on('crash', () => {
      this.#crashed = true;
    });
    return page;
  }

  /** Ends the browser with all its pages. */
  async close(): Promise<void> {
    const browser = await this.#browser;
    this.#browser = undefined;
    this.#crashed = false;
    await browser?.close();
  }
}

function start(): Promise<Browser> {
  const executablePath = findChromium();
  return chromium.launch({ ...(executablePath ? { executablePath } : {}), args: chromiumFlags });
}
