import { assertAlive, type GpuContext } from './device.ts';
import type { BufferView } from './buffer.ts';
import { bufferUsage, MAP_READ } from './constants.ts';
import { alive, created, scoped } from './error-scope.ts';

/** Bytes of the staging buffer; a longer readback goes through it in pieces. */
const STAGING_BYTES = 128 * 2 ** 20;

/**
 * Copies GPU buffers to the host. Small ranges share one staging buffer and one map, since each map costs
 * milliseconds whatever its size; ranges that together exceed {@link STAGING_BYTES} are copied in pieces.
 *
 * @param views ranges of buffers with COPY_SRC; offsets and sizes multiples of 4
 * @returns the bytes of each view, owned by the caller
 * @throws `out-of-memory`, `device-lost`
 */
export async function readBack(context: GpuContext, views: readonly BufferView[]): Promise<ArrayBuffer[]> {
  const results = views.map(({ size }) => new Uint8Array(size));
  const pieces = views.flatMap((view, index) => cut(view, index));
  const total = pieces.reduce((sum, { view }) => sum + view.size, 0);
  if (total === 0) return results.map(({ buffer }) => buffer);
  assertAlive(context);
  const { mapRead, copyDestination } = bufferUsage;
  const staging = await created(context, 'a readback', () =>
    context.device.createBuffer({
      label: 'readback',
      size: Math.min(total, STAGING_BYTES),
      usage: mapRead | copyDestination,
    }),
  );
  try {
    while (pieces.length > 0) await readPieces(context, staging, pieces, results);
  } finally {
    staging.destroy();
  }
  return results.map(({ buffer }) => buffer);
}

interface Piece {
  readonly view: BufferView;
  readonly result: number;
  /** Where the piece goes in its result */
  readonly at: number;
}

function cut(view: BufferView, result: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < view.size; at += STAGING_BYTES) {
    const size = Math.min(STAGING_BYTES, view.size - at);
    pieces.push({ view: { buffer: view.buffer, offset: view.offset + at, size }, result, at });
  }
  return pieces;
}

/** Takes as many pieces off the list as the staging buffer holds, and copies them. */
async function readPieces(
  context: GpuContext,
  staging: GPUBuffer,
  pieces: Piece[],
  results: readonly Uint8Array[],
): Promise<void> {
  const batch: Piece[] = [];
  let used = 0;
  while (pieces.length > 0 && used + pieces[0]!.view.size <= staging.size) {
    const piece = pieces.shift()!;
    batch.push(piece);
    used += piece.view.size;
  }
  const copied = scoped(context, 'a readback', () => {
    const encoder = context.device.createCommandEncoder({ label: 'readback' });
    let to = 0;
    for (const { view } of batch) {
      encoder.copyBufferToBuffer(view.buffer, view.offset, staging, to, view.size);
      to += view.size;
    }
    context.device.queue.submit([encoder.finish()]);
  });
  await copied.settled;
  const copyMapped = (): void => {
    const mapped = new Uint8Array(staging.getMappedRange(0, used));
    let from = 0;
    for (const { view, result, at } of batch) {
      results[result]!.set(mapped.subarray(from, from + view.size), at);
      from += view.size;
    }
    staging.unmap();
  };
  // Losing the device rejects the mapping.
  await alive(context, staging.mapAsync(MAP_READ, 0, used).then(copyMapped));
}
