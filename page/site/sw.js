// Keeps all files of the page, so that it opens without a network.

const VERSION = "{{VERSION}}";
/** @type {any} */
const FILES = "{{FILES}}";
/** @type {any} */
const worker = globalThis;

worker.addEventListener("install", (event) =>
  event.waitUntil(
    caches
      .open(VERSION)
      .then((cache) => cache.addAll(["./", ...FILES]))
      .then(() => worker.skipWaiting()),
  ),
);

worker.addEventListener("activate", (event) =>
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(names.filter((n) => n !== VERSION).map((n) => caches.delete(n))),
      ),
  ),
);

worker.addEventListener("fetch", (event) => {
  const kept = caches.match(event.request, { ignoreSearch: true });
  event.respondWith(kept.then((answer) => answer ?? fetch(event.request)));
});
