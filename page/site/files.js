// Files of the page, which lie packed beside it.

export async function file(name) {
  const answer = await fetch(new URL(`./${name}.gz`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${answer.statusText}`);
  const stream = answer.body?.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
