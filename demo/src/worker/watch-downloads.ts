import type { Download } from './protocol.ts';

/**
 * Tells how far the runtime's WebAssembly has come, whoever fetches it. The answer itself goes on untouched, so that the
 * browser keeps what it compiles of it.
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
  // Of a compressed answer the length is another one than that of what comes out.
  const total = headers.has('content-encoding') ? 0 : Number(headers.get('content-length') ?? 0);
  let loaded = 0;
  try {
    const reader = body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader!.read()) {
      loaded += part.value.byteLength;
      tell({ loaded, total });
    }
  } catch {
    // Whoever asked for it hears of what went wrong.
  }
  tell(null);
}
