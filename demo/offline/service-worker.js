// @ts-nocheck The DOM library of TypeScript describes pages, not service workers.
/* global self, caches, fetch, Response, URL, files, cacheName */

// Put in front by offline-plugin.ts: `files`, all that the build emitted but the runtime's WebAssembly (three variants, of
// which a browser uses one), and `cacheName`, which changes with them.

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(files))
      .then(() => self.skipWaiting()),
  );
});

// The page tells what its workers fetched before this one was there to see it.
self.addEventListener('message', (event) => {
  const urls = (event.data?.keep ?? []).filter(neverChanges);
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => cache.addAll(urls))
      .then(() => event.ports[0]?.postMessage('kept')),
  );
});

// Files with a hash in their name never change: the cache answers first. The page itself comes from the network while
// there is one. Files that a link names are not kept: another may lie at their address today.
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(self.registration.scope)) return;
  event.respondWith(request.mode === 'navigate' ? pageFor(request) : fileFor(request));
});

async function pageFor(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match('./', { ignoreSearch: true, ignoreVary: true })) ?? Response.error();
  }
}

async function fileFor(request) {
  // Servers that vary by origin give every origin the same file here.
  const held = await caches.match(request, { ignoreVary: true });
  if (held) return held;
  const answer = await fetch(request);
  if (answer.ok && neverChanges(request.url)) {
    const cache = await caches.open(cacheName);
    await cache.put(request, answer.clone());
  }
  return answer;
}

/** Whether a file has a hash in its name: the bundler's own folder. */
function neverChanges(url) {
  return url.startsWith(new URL('assets/', self.registration.scope).href);
}
