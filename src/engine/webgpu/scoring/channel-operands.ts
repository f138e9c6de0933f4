import type { BufferPool, OwnedBuffer } from '../../../gpu/buffer.ts';
import { workgroups, type Recorder } from '../../../gpu/recorder.ts';
import { isShared } from '../../../scoring/array-pool.ts';
import type { RowOrder } from '../../../scoring/channel/rows.ts';
import type { ChannelSystem, RowBlocks } from '../../../scoring/channel/system.ts';
import { doubleSingle } from './block.ts';
import type { ChannelDevice } from './channel-device.ts';
import { WORKGROUP } from './channel-kernels.ts';

/** Channel values of one segment, with the shift subtracted from each column and the factor it is multiplied by. */
interface Part {
  readonly blocks: RowBlocks;
  readonly samples: number;
  readonly shift: Float64Array;
  readonly scale: Float64Array;
}

/** One side of a regression. */
interface Side {
  readonly parts: readonly Part[];
  /** Channel of each column */
  readonly columns: Uint32Array;
  /** Channels of a layer */
  readonly width: number;
}

/** F, `[n, K]`, owned by `pool`; raw channel values are uploaded. @throws as {@link ChannelDevice.run} */
export function uploadF(
  device: ChannelDevice,
  pool: BufferPool,
  { sources, segments, channels }: ChannelSystem,
): Promise<OwnedBuffer> {
  const parts = segments.map(({ x, samples, shift, scale }) => ({ blocks: x, samples, shift, scale }));
  return upload(device, pool, 'F', { parts, columns: sources.channels, width: channels });
}

/** U, `[n, K']`, likewise. */
export function uploadU(
  device: ChannelDevice,
  pool: BufferPool,
  { targets, targetScale: scale, segments, channels }: ChannelSystem,
): Promise<OwnedBuffer> {
  const shift = new Float64Array(scale.length);
  const parts = segments.map(({ u, samples }) => ({ blocks: u, samples, shift, scale }));
  return upload(device, pool, 'U', { parts, columns: targets.channels, width: channels });
}

async function upload(
  device: ChannelDevice,
  pool: BufferPool,
  label: string,
  { parts, columns, width }: Side,
): Promise<OwnedBuffer> {
  const samples = parts.map((part) => part.samples);
  const rows = samples.reduce((sum, count) => sum + count, 0);
  const out = device.createBuffer(pool, label, rows * columns.length);
  await device.withBuffers(async (own) => {
    const values = device.createBuffer(own, 'channel values', width * Math.max(...samples));
    const channels = device.copy(own, 'channels', Uint32Array.from(columns));
    let first_row = 0;
    for (const { blocks, samples, shift, scale } of parts) {
      let at = 0;
      for (const block of blocks) {
        // Not every implementation can write from shared memory: Dawn in Node crashes.
        const data = (isShared(block) ? block.slice() : block) as Float32Array<ArrayBuffer>;
        device.context.device.queue.writeBuffer(values.buffer, 4 * at, data);
        at += block.length;
      }
      const words = shift.length === 0 ? [] : scalingOf(shift, scale);
      const scaling = device.copy(own, 'scaling', Float32Array.from(words));
      const sizes = { rows: samples, columns: columns.length, width, first_row, ordered: 0, zero: 0 };
      await device.run(`the columns of ${label}`, (recorder) => {
        record(device, recorder, sizes, { values, channels, scaling, order: channels, out });
      });
      first_row += samples;
    }
  });
  return out;
}

/** U with permuted rows. @throws as {@link ChannelDevice.run} */
export async function orderedU(
  device: ChannelDevice,
  pool: BufferPool,
  { segments, targets: { channels: own }, observations: rows }: ChannelSystem,
  u: OwnedBuffer,
  order: NonNullable<RowOrder>,
): Promise<OwnedBuffer> {
  const columns = own.length;
  const all = new Uint32Array(rows);
  let first = 0;
  segments.forEach(({ samples }, s) => {
    for (let row = 0; row < samples; row++) all[first + row] = first + order[s]![row]!;
    first += samples;
  });
  const out = device.createBuffer(pool, 'U in another order', rows * columns);
  await device.withBuffers(async (held) => {
    const buffers = {
      values: u,
      channels: device.copy(held, 'columns', Uint32Array.from(own.keys())),
      scaling: device.copy(
        held,
        'no scaling',
        Float32Array.from(scalingOf(new Float64Array(columns), new Float64Array(columns).fill(1))),
      ),
      order: device.copy(held, 'order', all),
      out,
    };
    const sizes = { rows, columns, width: columns, first_row: 0, ordered: 1, zero: 0 };
    await device.run('the rows of U in another order', (recorder) => {
      record(device, recorder, sizes, buffers);
    });
  });
  return out;
}

/** Per column: the shift and the factor, each as high and low words. */
function scalingOf(shift: Float64Array, scale: Float64Array): number[] {
  return Array.from(shift).flatMap((value, c) => [...doubleSingle(value), ...doubleSingle(scale[c]!)]);
}

function record(
  { kernels }: ChannelDevice,
  recorder: Recorder,
  sizes: Readonly<Record<'rows' | 'columns' | 'width' | 'first_row' | 'ordered' | 'zero', number>>,
  buffers: Readonly<Record<'values' | 'channels' | 'scaling' | 'order' | 'out', OwnedBuffer>>,
): void {
  const count = Math.ceil((sizes.rows * sizes.columns) / WORKGROUP);
  recorder.dispatch(kernels.columns, sizes, buffers, workgroups(count));
}
