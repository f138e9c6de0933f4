// @ts-nocheck The DOM library of TypeScript describes pages, not service workers.
/* global self, caches, fetch, Request, Response, files, cacheName */

// Put in front by offline.mjs: `files`, all of the site but the explorer, which has a service worker of its own, and the runtime's
// WebAssembly (three variants, of which a browser uses one); and `cacheName`, which changes with them.

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      // Past the browser's own cache, which may hold files of the version before.
      .then((cache) => cache.addAll(files.map((file) => new Request(file, { cache: 'reload' }))))
      .then(() => self.skipWaiting()),
  );
});

// The network answers while there is one, so that no page meets a script of another version. The runtime that the examples fetched
// has a hash in its name, and is kept.
self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || !request.url.startsWith(self.registration.scope)) return;
  event.respondWith(request.url.endsWith('.wasm') ? runtimeFor(request) : fileFor(request));
});

async function fileFor(request) {
  try {
    return await fetch(request);
  } catch {
    const cache = await caches.open(cacheName);
    return (await cache.match(request, { ignoreSearch: true, ignoreVary: true })) ?? Response.error();
  }
}

async function runtimeFor(request) {
  const held = await caches.match(request, { ignoreVary: true });
  if (held) return held;
  const answer = await fetch(request);
  if (answer.ok) {
    const cache = await caches.open(cacheName);
    await cache.put(request, answer.clone());
  }
  return answer;
}
