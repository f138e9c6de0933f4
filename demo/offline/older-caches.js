// @ts-nocheck The DOM library of TypeScript describes pages, not service workers.
/* global self, caches, cacheName */

// Put in front of each service worker, after its `cacheName`, which ends in a digest: older caches of its kind go. Other parts of a
// site have caches of their own.
self.addEventListener('activate', (event) => {
  const kind = cacheName.slice(0, cacheName.lastIndexOf('-') + 1);
  const older = (names) => names.filter((name) => name.startsWith(kind) && name !== cacheName);
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(older(names).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});
