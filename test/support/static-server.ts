import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Serves folders as a static host does, each at an origin of its own. */
export class StaticServers {
  readonly #servers: Server[] = [];

  /** @param headers sent with every file, and no others */
  async serve(folder: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url!, 'http://host');
      const path = decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname);
      readFile(join(folder, path)).then(
        (bytes) => {
          const type = types[extname(path)] ?? 'application/octet-stream';
          response.writeHead(200, { 'Content-Type': type, ...headers }).end(bytes);
        },
        () => response.writeHead(404).end(),
      );
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}
