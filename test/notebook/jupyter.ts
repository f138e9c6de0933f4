import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright';
import { TestBrowser } from '../support/browser.ts';

/** The Python that has the package, JupyterLab, Notebook and marimo. */
export const python = process.env.MAGNITUDE_EDGE_PYTHON ?? 'python3';

/** Milliseconds that a cell or a view may take. A machine that is busy is slow, not wrong. */
export const patience = 180_000;

/** A server process of a notebook, with a folder of its own for its settings, and a browser on it. */
export class NotebookServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'notebook-'));
  readonly #browser = new TestBrowser();
  #process: ChildProcess | undefined;
  #log = '';

  /** Starts `python -m ...` in the folder and waits for the address that it prints. */
  async start(args: readonly string[], address: RegExp): Promise<string> {
    const settings = join(this.folder, '.settings');
    const env = {
      ...process.env,
      ...Object.fromEntries(
        [
          'JUPYTER_CONFIG_DIR',
          'JUPYTER_DATA_DIR',
          'JUPYTER_RUNTIME_DIR',
          'JUPYTERLAB_SETTINGS_DIR',
          'JUPYTERLAB_WORKSPACES_DIR',
          'IPYTHONDIR',
          'XDG_CONFIG_HOME',
        ].map((name) => [name, join(settings, name)]),
      ),
    };
    // What JupyterLab would ask the network for, and the user about.
    const notifications = join(settings, 'JUPYTERLAB_SETTINGS_DIR/@jupyterlab/apputils-extension');
    mkdirSync(notifications, { recursive: true });
    writeFileSync(join(notifications, 'notification.jupyterlab-settings'), '{ "fetchNews": "false" }');
    const child = spawn(python, ['-m', ...args], {
      cwd: this.folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    process.once('exit', () => child.kill());
    return new Promise((resolve, reject) => {
      const hear = (text: string) => {
        this.#log += text;
        const found = address.exec(this.#log);
        if (found) resolve(found[0]);
      };
      child.stdout.setEncoding('utf8').on('data', hear);
      child.stderr.setEncoding('utf8').on('data', hear);
      child.on('close', () => {
        reject(new Error(`${args[0] ?? ''} ended:\n${this.#log}`));
      });
    });
  }

  async open(url: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    const page = await this.#browser.newPage({ viewport: { width: 1400, height: 1000 }, colorScheme });
    page.setDefaultTimeout(patience);
    await page.goto(url);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser.close();
    const child = this.#process;
    if (child?.exitCode === null) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What notebooks say of their kernels. */
const kernels = {
  python3: { name: 'python3', display_name: 'Python 3', language: 'python' },
  deno: { name: 'deno', display_name: 'Deno', language: 'typescript' },
} as const;

/** A notebook of code cells. */
export const notebookOf = (cells: readonly string[], kernel: keyof typeof kernels = 'python3'): string =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: kernels[kernel] },
    cells: cells.map((source, k) => ({
      id: `cell-${k}`,
      cell_type: 'code',
      source,
      metadata: {},
      outputs: [],
      execution_count: null,
    })),
  });

/** The options with which JupyterLab and Notebook start for a test: no token, no browser, and their parts in reach. */
const jupyterOptions = [
  '--no-browser',
  '--port=0',
  '--IdentityProvider.token=',
  '--ServerApp.allow_root=True',
  '--LabApp.expose_app_in_browser=True',
  '--JupyterNotebookApp.expose_app_in_browser=True',
];

/** `lab` is JupyterLab, `notebook` is Notebook 7. */
export function startJupyter(server: NotebookServer, kind: 'lab' | 'notebook'): Promise<string> {
  const module = kind === 'lab' ? 'jupyterlab' : 'notebook';
  return server.start([module, ...jupyterOptions], /http:\/\/(localhost|127\.0\.0\.1):\d+\//);
}

/** What is used of the application that JupyterLab and Notebook put on their page. */
interface JupyterApp {
  readonly restored: Promise<void>;
  readonly commands: { execute(name: string, args?: unknown): Promise<unknown> };
  readonly shell: { readonly currentWidget: NotebookPanel | null };
}

interface NotebookPanel {
  readonly context?: {
    readonly path: string;
    readonly ready: Promise<void>;
    readonly sessionContext: { readonly ready: Promise<void> };
  };
  readonly content: {
    activeCellIndex: number;
    readonly widgets: readonly { readonly model: { readonly type: string; toJSON(): CellResult } }[];
  };
}

declare global {
  interface Window {
    jupyterapp?: JupyterApp;
  }
}

interface Output {
  readonly output_type: string;
  readonly text?: string | readonly string[];
  readonly data?: Readonly<Record<string, string | readonly string[]>>;
  readonly ename?: string;
  readonly evalue?: string;
}

/** A cell after it ran. */
export interface CellResult {
  readonly source: string | readonly string[];
  readonly execution_count: number | null;
  readonly outputs: readonly Output[];
}

/** A notebook open in JupyterLab or Notebook 7, run a cell at a time as a user does. */
export class OpenNotebook {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Waits until the notebook and its kernel are there. Returns its code cells by their place. */
  async ready(name: string): Promise<number[]> {
    await this.page.waitForFunction((file) => {
      const panel = window.jupyterapp?.shell.currentWidget;
      return panel?.context?.path.endsWith(file) && panel.content.widgets.length > 0;
    }, name);
    return this.page.evaluate(async () => {
      await window.jupyterapp!.restored;
      const panel = window.jupyterapp!.shell.currentWidget!;
      await panel.context!.ready;
      await panel.context!.sessionContext.ready;
      const cells = panel.content.widgets.map(({ model }, place) => ({ place, type: model.type }));
      return cells.filter(({ type }) => type === 'code').map(({ place }) => place);
    });
  }

  /** Runs one cell; fails with what it raises. */
  async run(place: number): Promise<CellResult> {
    const result = await this.page.evaluate(async (at) => {
      const { shell, commands } = window.jupyterapp!;
      const { content } = shell.currentWidget!;
      content.activeCellIndex = at;
      await commands.execute('notebook:run-cell');
      return content.widgets[at]!.model.toJSON();
    }, place);
    const error = result.outputs.find((output) => output.output_type === 'error');
    if (error)
      throw new Error(
        `Cell ${place} raised ${error.ename ?? ''}: ${error.evalue ?? ''}\n${String(result.source)}`,
      );
    return result;
  }

  /** The explorer in the output of a cell. */
  explorer(place: number): FrameLocator {
    return this.page.locator('.jp-Cell').nth(place).frameLocator('iframe[title="magnitude-edge explorer"]');
  }
}

/** What a cell printed, or its last value as text. */
export const textOf = ({ outputs }: CellResult): string =>
  outputs.map(({ text, data }) => [text ?? data?.['text/plain'] ?? ''].flat().join('')).join('');

/** A row of the explorer's table, by its place on show. */
export const row = (explorer: FrameLocator, at: number) =>
  explorer.getByRole('grid', { name: 'Edges' }).locator(`[aria-rowindex="${at + 2}"]`);
/** What the explorer says is selected. */
export const selectionOf = (explorer: FrameLocator) => explorer.getByRole('status', { name: 'Selection' });
export /** How many rows the explorer says are on show. */
const rowsOf = (explorer: FrameLocator) => explorer.getByRole('status', { name: 'Rows shown' });
