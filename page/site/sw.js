// Keeps all files of the page, so that it opens without a network.

const VERSION = "{{VERSION}}";
/** @type {any} */ const FILES = "{{FILES}}";
/** @type {any} */ const worker = globalThis;

async function forget() {
  for (const name of await caches.keys()) if (name !== VERSION) await caches.delete(name);
}

async function keep() {
  await (await caches.open(VERSION)).addAll(["./", ...FILES]);
  await worker.skipWaiting();
}

worker.addEventListener("install", (event) => event.waitUntil(keep()));
worker.addEventListener("activate", (event) => event.waitUntil(forget()));
worker.addEventListener("fetch", (event) => {
  const kept = caches.match(event.request, { ignoreSearch: true });
  event.respondWith(kept.then((answer) => answer ?? fetch(event.request)));
});
