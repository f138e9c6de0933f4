import { fitWorker } from './workers.ts';

/** Milliseconds: the first rows are drawn meanwhile, for which caching the page competes for cores and line. */
const AFTER = 1000;

/**
 * Makes the page available offline: the service worker of the built page caches its files, and is told of those that
 * only the fit has fetched, above all the runtime's WebAssembly. Served from sources, there is no service worker.
 */
export async function goOffline(): Promise<void> {
  // Hot replacement of modules means that the page is served from sources.
  if (!('serviceWorker' in navigator) || import.meta.hot) return;
  await new Promise((resolve) => setTimeout(resolve, AFTER));
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
    // Storage may be forbidden or full; the page still works online.
  }
}
