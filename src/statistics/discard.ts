/**
 * Frees the memory of arrays at once. Engines collect garbage when their own heap fills, and large buffers are not part
 * of it: hundreds of unreferenced megabytes stay as long as little else is allocated. A buffer transferred to a closed
 * port is freed with its message.
 *
 * @param arrays have no elements afterwards, nor have others on the same buffers
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
