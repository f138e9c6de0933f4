import type { Download } from './protocol.ts';

/**
 * Reports the download progress of the runtime's WebAssembly, whatever fetches it. The response itself is passed on
 * untouched, so that the browser can cache what it compiles of it.
 */
export function watchDownloads(tell: (value: Download | null) => void): void {
  const fetchAsBefore = globalThis.fetch;
  globalThis.fetch = async (...request) => {
    const response = await fetchAsBefore(...request);
    if (new URL(response.url, location.href).pathname.endsWith('.wasm')) void count(response.clone(), tell);
    return response;
  };
}

async function count({ body, headers }: Response, tell: (value: Download | null) => void): Promise<void> {
  // For a compressed response, content-length differs from the length of the decoded body.
  const total = headers.has('content-encoding') ? 0 : Number(headers.get('content-length') ?? 0);
  let loaded = 0;
  try {
    const reader = body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader!.read()) {
      loaded += part.value.byteLength;
      tell({ loaded, total });
    }
  } catch {
    // The caller of `fetch` receives the error.
  }
  tell(null);
}
