import { fitWorker } from './workers.ts';

/**
 * Keeps the page for times without a network: the service worker of the built page holds its files, and is told of those
 * that only the fit has fetched, the runtime's WebAssembly above all. Served from sources, there is none.
 */
export async function goOffline(): Promise<void> {
  // Only a served source tree replaces modules while it runs.
  if (!('serviceWorker' in navigator) || import.meta.hot) return;
  try {
    await navigator.serviceWorker.register('./sw.js');
    const { active } = await navigator.serviceWorker.ready;
    const keep = await fitWorker.fetched();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      document.documentElement.dataset.offline = 'ready';
    };
    active?.postMessage({ keep }, [port2]);
  } catch {
    // Storage may be forbidden or full; the page works as before, with a network.
  }
}
