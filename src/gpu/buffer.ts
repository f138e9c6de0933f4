import { MagnitudeEdgeError } from '../errors.ts';
import { bufferUsage } from './constants.ts';
import { assertAlive, type GpuContext } from './device.ts';

/** A range of a GPU buffer to bind; the buffer's creator owns it. */
export interface BufferView {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Storage owned by this library until destroyed. Zero-filled at creation. */
export interface OwnedBuffer extends BufferView {
  readonly offset: 0;
  /** Idempotent. */
  destroy(): void;
}

/**
 * Creates a storage buffer that can be copied to and from.
 *
 * @param bytes size, at least 4; rounded up to a multiple of 16
 * @throws `out-of-memory` if one binding cannot hold it on this device, `device-lost`
 */
export function createStorage(context: GpuContext, label: string, bytes: number): OwnedBuffer {
  assertAlive(context);
  const size = Math.max(16, Math.ceil(bytes / 16) * 16);
  const { maxStorageBufferBindingSize, maxBufferSize } = context.device.limits;
  const limit = Math.min(maxStorageBufferBindingSize, maxBufferSize);
  if (size > limit) {
    throw new MagnitudeEdgeError(
      'out-of-memory',
      `${label} needs a GPU buffer of ${size} bytes, but this device allows ${limit}.`,
      { details: { buffer: label, expected: size, found: limit } },
    );
  }
  const { storage, copySource, copyDestination } = bufferUsage;
  const buffer = context.device.createBuffer({ label, size, usage: storage | copySource | copyDestination });
  return {
    buffer,
    offset: 0,
    size,
    destroy: () => {
      buffer.destroy();
    },
  };
}

/** Creates a storage buffer holding a copy of `data`. */
export function storageFrom(
  context: GpuContext,
  label: string,
  data: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>,
): OwnedBuffer {
  const storage = createStorage(context, label, data.byteLength);
  context.device.queue.writeBuffer(storage.buffer, 0, data);
  return storage;
}

/** A range of a buffer owned elsewhere; nothing here frees it. */
export function borrow(buffer: GPUBuffer, offset = 0, size = buffer.size - offset): BufferView {
  return { buffer, offset, size };
}

/** A set of buffers freed together. */
export class BufferPool {
  readonly #buffers: OwnedBuffer[] = [];

  /** Transfers ownership of the buffer to the pool, and returns it. */
  keep<B extends OwnedBuffer>(buffer: B): B {
    this.#buffers.push(buffer);
    return buffer;
  }

  /** Destroys all buffers in the pool. Idempotent. */
  destroy(): void {
    for (const buffer of this.#buffers.splice(0)) buffer.destroy();
  }
}
