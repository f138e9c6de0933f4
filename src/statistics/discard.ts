/**
 * Frees the memory of arrays at once. Engines collect garbage when their own heap fills, which large buffers are no part
 * of: hundreds of megabytes that nobody reads any more stay for as long as little else is made. A buffer that is sent where
 * nobody listens is gone with its message.
 *
 * @param arrays have no elements afterwards, and neither have others on the same buffers
 */
export function discard(...arrays: readonly ArrayBufferView[]): void {
  const buffers = new Set<ArrayBuffer>();
  for (const { buffer } of arrays)
    if (buffer instanceof ArrayBuffer && buffer.byteLength > 0) buffers.add(buffer);
  const { port1, port2 } = new MessageChannel();
  port2.close();
  port1.postMessage(undefined, [...buffers]);
  port1.close();
}
